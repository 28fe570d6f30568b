//! What rules would have sent, held against what they did send: the real program, a real InfluxDB.

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use jiff::{SignedDuration, Timestamp};
use rustix::process::Signal;
use serde_json::Value as Json;
use vigia_testbed::until::until;

use super::{
    scripted_smtp::ScriptedSmtp,
    sidecar::{Sidecar, Stage},
    steering::{json, vigia_alert},
};

const SOON: Duration = Duration::from_mins(1);

/// One rule of each kind, asked as often as a test wants to see it.
const RULES: &str = r#"
[[rule]]
name = "silent"
use = "journeys-silent"
every = "100ms"
silence = { intervals = 1, slack = "500ms", retired = [{ system = "tramites", journey = "retirado" }] }
[[rule]]
name = "processors"
use = "servers-cpu"
every = "100ms"
overlap = "30m"
for = "1m"
[[rule]]
name = "disks"
use = "servers-disk"
every = "100ms"
[[rule]]
name = "addresses"
use = "services-http"
every = "100ms"
fails_after = "1 of 1"
[[rule]]
name = "drifting"
use = "journeys-drifting"
every = "100ms"
fails_after = "1 of 1"
[[rule]]
name = "slower"
use = "journeys-slower-than-usual"
every = "100ms"
fails_after = "1 of 1"
[[rule]]
name = "queue"
flux = """from(bucket: v.defaultBucket)
    |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
    |> filter(fn: (r) => r._measurement == "queue")
    |> last()
    |> rename(columns: {_value: "value"})"""
every = "1s"
limit = { above = 100, until = 50 }
[[channel]]"#;

/// The same points from as many seconds ago, each with its own.
async fn write(stage: &Stage, lines: &[(&str, f64)]) {
    let now = Timestamp::now();
    let mut text = String::new();
    for (line, seconds_ago) in lines {
        let at = now - SignedDuration::try_from_secs_f64(*seconds_ago).unwrap();
        writeln!(text, "{line} {}", at.as_nanosecond()).unwrap();
    }
    stage.influxdb.write(text).await.unwrap();
}

const JOURNEY: &str = "journey,host=h,system=tramites,impact=critical";

/// What was usual at this hour of the last four weeks.
async fn write_past(stage: &Stage) {
    let line = format!("{JOURNEY},journey=consultar,probe=sede result=\"ok\",duration_ms=2000.0");
    let weeks = (1..=4).map(|week| f64::from(week) * 7.0 * 86400.0);
    let runs = weeks.flat_map(|week| (-3..3).map(move |run| week + f64::from(run) * 300.0));
    let lines: Vec<_> = runs.map(|ago| (line.as_str(), ago)).collect();
    write(stage, &lines).await;
}

/// How many seconds the run of this point took, where it is of one that says so.
fn took(line: &str) -> f64 {
    let ms = line.split_once("duration_ms=").map(|(_, rest)| rest);
    ms.and_then(|rest| rest.split(',').next())
        .map_or(0.0, |ms| ms.parse::<f64>().unwrap() / 1000.0)
}

/// How long an incident lasted, in seconds. Silence has no point that bears its time: it begins and ends when the program gets
/// round to asking, which on a busy machine is later than a backtest asks.
fn length(rule: &str, seconds: f64) -> String {
    match rule {
        "silent" => "until it was heard again".to_owned(),
        _ => format!("{seconds:.3}"),
    }
}

/// How long each incident lasted that was told, by its rule.
async fn told(stage: &Stage) -> BTreeMap<String, Vec<String>> {
    let flux = r#"from(bucket: "vigia") |> range(start: -1h) |> filter(fn: (r) => r._measurement == "journey_incident")
        |> toString() |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")"#;
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in stage.influxdb.query(flux).await.unwrap() {
        if row.contains_key("end_ns") {
            let lasted: f64 = row["duration_s"].parse().unwrap();
            told.entry(row["rule"].clone())
                .or_default()
                .push(length(&row["rule"], lasted));
        }
    }
    told
}

/// How long each incident lasted that a backtest found.
fn found(tried: &Json) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for rule in tried["configurations"][0]["incidents"].as_array().unwrap() {
        let lasted = rule["lasted_s"].as_array().unwrap().iter();
        let name = rule["rule"].as_str().unwrap();
        let lasted: Vec<String> = lasted
            .map(|lasted| length(name, lasted.as_f64().unwrap()))
            .collect();
        assert_eq!(rule["opened"], lasted.len(), "{rule:#}");
        if !lasted.is_empty() {
            found.insert(name.to_owned(), lasted);
        }
    }
    found
}

#[tokio::test]
async fn a_backtest_finds_what_rules_of_every_kind_told() {
    let stage = Stage::new().await;
    let smtp = ScriptedSmtp::start(&[]).await;
    let config = stage.configure_plain(smtp.port);
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replacen("[[channel]]", RULES, 1)).unwrap();
    write_past(&stage).await;
    let idle = |usage_idle: f64| format!("cpu,cpu=cpu-total,host=web-01 usage_idle={usage_idle}");
    let minutes = [
        (&*idle(1.0), 240.0),
        (&*idle(1.0), 180.0),
        (&*idle(90.0), 120.0),
    ];
    write(&stage, &minutes).await;
    let sidecar = Sidecar::start(&config).await;

    let run = |fields: &str| format!("{JOURNEY},journey=consultar,probe=sede {fields}");
    let mute = |every: f64| {
        format!("{JOURNEY},journey=callado,probe=otra result=\"ok\",every_s={every:?}")
    };
    let address = |result: &str, code: i64| {
        format!(
            "http_response,host=web-01,method=GET,server=http://s/,result={result} result_code={code}i"
        )
    };
    let retired = format!("{JOURNEY},journey=retirado,probe=sede result=\"ok\",every_s=1.0");
    let bad = [
        &mute(1.0),
        &retired,
        "disk,host=web-01,path=/ used_percent=95.0",
        &address("connection_failed", 3),
        &run(r#"result="ok",duration_ms=9000.0,drift="`#u` instead of `label=U`""#),
        "queue,host=web-01 length=120i",
    ];
    // A point comes when its run is over, and bears the time of its beginning.
    write(&stage, &bad.map(|line| (line, took(line)))).await;
    let open = async || {
        let incidents = json(&config, &["incidents"]);
        (incidents["incidents"].as_array().unwrap().len() == 6).then_some(())
    };
    until("six incidents to be open", SOON, open).await.unwrap();
    let good = [
        &mute(3600.0),
        "disk,host=web-01,path=/ used_percent=50.0",
        &address("success", 0),
        &run(r#"result="ok",duration_ms=2100.0"#),
        "queue,host=web-01 length=20i",
    ];
    write(&stage, &good.map(|line| (line, took(line)))).await;
    let all_told = async || {
        let told = told(&stage).await;
        (told.len() == 7).then_some(told)
    };
    let told = until("seven incidents to be over", SOON, all_told)
        .await
        .unwrap();
    assert_eq!(sidecar.end(Signal::TERM).await, Some(0));

    let tried = json(&config, &["backtest", "--since", "10m"]);
    assert_eq!(found(&tried), told, "{tried:#}");
    let incomplete = &tried["configurations"][0]["incomplete"];
    assert_eq!(incomplete.as_array().unwrap().len(), 0, "{incomplete:#}");
}

#[tokio::test]
async fn of_points_that_came_and_went_between_two_questions_only_the_newest_counts() {
    let stage = Stage::new().await;
    let config = stage.configure_plain(1);
    let text = std::fs::read_to_string(&config).unwrap();
    let rule = "[[rule]]\nname = \"addresses\"\nuse = \"services-http\"\nevery = \"1m\"\nfails_after = \"1 of 1\"\n[[channel]]";
    std::fs::write(&config, text.replacen("[[channel]]", rule, 1)).unwrap();
    let minute = Timestamp::now().as_second() / 60 * 60 - 3600;
    let mut lines = String::new();
    for (second, server, code) in [
        // Down in the middle of a minute, and well again before it ends: nobody would have seen it.
        (10, "unseen", 0),
        (20, "unseen", 3),
        (50, "unseen", 0),
        // Down at the end of one and well at the end of the next.
        (10, "seen", 0),
        (50, "seen", 3),
        (70, "seen", 3),
        (115, "seen", 0),
    ] {
        let result = if code == 0 { "success" } else { "timeout" };
        writeln!(
            lines,
            "http_response,host=h,method=GET,server=http://{server}/,result={result} result_code={code}i {}000000000",
            minute + second
        )
        .unwrap();
    }
    stage.influxdb.write(lines).await.unwrap();

    let tried = json(&config, &["backtest", "--since", "2h"]);

    let expected = BTreeMap::from([("addresses".to_owned(), vec!["65.000".to_owned()])]);
    assert_eq!(found(&tried), expected, "{tried:#}");
}

#[tokio::test]
async fn a_rule_is_left_out_by_its_name_and_what_takes_long_is_said_before() {
    let stage = Stage::new().await;
    let config = stage.configure_plain(1);
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replacen("[[channel]]", RULES, 1)).unwrap();

    let unknown = vigia_alert(&config, &["backtest", "--without", "cola"]);
    assert_eq!(
        (unknown.code, unknown.err.as_str()),
        (
            Some(5),
            "no rule has the name `cola`, so it cannot be left out\nhint: write one of addresses, disks, drifting, journeys-failed, processors, queue, silent, slower\n"
        )
    );
    let tried = vigia_alert(
        &config,
        &[
            "backtest",
            "--since",
            "25h",
            "--without",
            "queue",
            "--without",
            "addresses",
        ],
    );
    assert_eq!(tried.code, Some(0), "{}{}", tried.out, tried.err);
    assert_eq!(
        tried.err,
        "these rules take longer than others; `--without` leaves one out\n  \
         disks: reads what Telegraf measured as often as it would have been asked\n  \
         processors: reads what Telegraf measured as often as it would have been asked\n  \
         slower: reads how long every run took, of the four weeks before, too\n"
    );
    assert!(
        tried.out.contains("Left out: queue, addresses"),
        "{}",
        tried.out
    );
    assert!(!tried.out.contains("  addresses"), "{}", tried.out);
}
