//! What is read from a real InfluxDB, and what is written to it, without the program around it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use vigia_alert::{
    deliver::incident_points,
    flux::{
        InfluxDb, Rule, Series,
        poll::{self, Judged},
    },
    store::{Store, judgement::Policy, keeper::Keeper, place::Place},
};
use vigia_contract::data_model::Outcome;
use vigia_testbed::{servers::influxdb, until::until};

use super::{
    ledgers::{rule, run},
    sidecar::{self, Stage},
};

pub fn connect(stage: &Stage) -> InfluxDb {
    connect_to(stage.influxdb.url(), influxdb::BUCKET, influxdb::TOKEN)
}

pub fn connect_to(url: &str, bucket: &str, token: &str) -> InfluxDb {
    let settings = format!(
        "url = \"{url}\"\norganization = \"{}\"\nbucket = \"{bucket}\"\ntoken = \"${{secret:INFLUX_TOKEN}}\"\ntimeout = \"2s\"",
        influxdb::ORGANIZATION,
    );
    let settings = toml::from_str(&settings).unwrap();
    InfluxDb::new(&settings, &token.to_owned().into()).unwrap()
}

async fn write(stage: &Stage, run_id: &str, at: Timestamp) {
    let points = sidecar::run("consultar-tramite", "failed", run_id, at);
    stage.influxdb.write(points).await.unwrap();
}

#[tokio::test]
async fn days_out_of_service_are_read_in_stretches_and_every_run_of_them_comes() {
    let stage = Stage::new().await;
    let influxdb = connect(&stage);
    let now = Timestamp::now();
    let hours_ago = |hours| now - SignedDuration::from_hours(hours);
    for hours in [29, 20, 1] {
        write(&stage, &format!("{hours} hours ago"), hours_ago(hours)).await;
    }

    let mut read_until = Some(hours_ago(30));
    let mut stretches: Vec<Vec<String>> = Vec::new();
    while read_until < Some(hours_ago(1)) {
        let answer = poll::ask(&influxdb, &rule(), &Judged::default(), read_until, now)
            .await
            .unwrap();
        stretches.push(answer.runs.into_iter().map(|run| run.run_id).collect());
        read_until = answer.read_until;
    }

    let expected: [Vec<&str>; 5] = [
        vec!["29 hours ago"],
        vec!["20 hours ago"],
        vec![],
        vec![],
        vec!["1 hours ago"],
    ];
    assert_eq!(
        stretches,
        expected.map(|runs| runs.into_iter().map(str::to_owned).collect::<Vec<_>>())
    );
}

#[tokio::test]
async fn what_a_query_calls_now_is_the_moment_that_it_is_asked_about() {
    let stage = Stage::new().await;
    let influxdb = connect(&stage);
    let moment = Timestamp::now() - SignedDuration::from_hours(100);
    let flux = r#"import "array"
array.from(rows: [{_time: now(), system: "s", journey: "j", probe: "p", impact: "high", result: "ok"}])"#;
    let rule = Rule::custom("now", flux.into());

    let answer = poll::ask(&influxdb, &rule, &Judged::default(), None, moment)
        .await
        .unwrap();

    assert_eq!(answer.runs[0].at, moment);
}

#[tokio::test]
async fn a_probe_whose_clock_is_ahead_is_heard_and_makes_nobody_late() {
    let stage = Stage::new().await;
    let influxdb = connect(&stage);
    let now = Timestamp::now();
    write(&stage, "ahead", now + SignedDuration::from_mins(2)).await;

    let answer = poll::ask(&influxdb, &rule(), &Judged::default(), None, now)
        .await
        .unwrap();

    assert_eq!(answer.runs[0].run_id, "ahead");
    assert_eq!(answer.read_until, Some(now));
}

#[tokio::test]
async fn what_comes_again_is_left_out_and_what_came_late_in_between_is_not() {
    let stage = Stage::new().await;
    let influxdb = connect(&stage);
    let now = Timestamp::now();
    let seconds_ago = |seconds| now - SignedDuration::from_secs(seconds);
    let ask = async |judged: &Judged| {
        let mut answer = poll::ask(&influxdb, &rule(), judged, Some(seconds_ago(60)), now)
            .await
            .unwrap();
        let runs: Vec<String> = answer.runs.iter().map(|run| run.run_id.clone()).collect();
        (runs, answer.read_until, answer.once_judged())
    };
    write(&stage, "old", seconds_ago(120)).await;
    write(&stage, "new", seconds_ago(20)).await;

    let (runs, read_until, judged) = ask(&Judged::default()).await;
    assert_eq!(runs, ["old", "new"]);
    write(&stage, "late", seconds_ago(90)).await;
    let (late, late_until, all) = ask(&judged).await;
    let (nothing, nothing_until, _) = ask(&all).await;
    // What could not be written down is not remembered, and comes again.
    let (again, ..) = ask(&Judged::default()).await;

    assert_eq!(late, ["late"]);
    assert_eq!(nothing, [""; 0]);
    assert_eq!(again, ["old", "late", "new"]);
    assert_eq!(read_until, Some(seconds_ago(20)));
    assert_eq!([late_until, nothing_until], [read_until; 2]);
}

/// The output of one probe was out of order for an hour, while that of another went on.
#[tokio::test]
async fn points_that_come_an_hour_late_are_fetched_and_judged_once_in_their_order() {
    let stage = Stage::new().await;
    let influxdb = connect(&stage);
    let now = Timestamp::now();
    let minutes_ago = |minutes| now - SignedDuration::from_mins(minutes);
    let line = |probe: &str, minutes: i64, result: &str| {
        sidecar::run(
            "consultar-tramite",
            result,
            &format!("{probe}{minutes}"),
            minutes_ago(minutes),
        )
        .replace("probe=sede", &format!("probe={probe}"))
    };
    // What was read before: one probe up to now, the other up to an hour ago.
    let series = |probe: &str| Series {
        system: "tramites".into(),
        journey: "consultar-tramite".into(),
        probe: probe.into(),
    };
    let known = BTreeMap::from([
        (series("steady"), minutes_ago(1)),
        (series("late"), minutes_ago(60)),
    ]);
    let mut lines: String = (0..=70)
        .map(|minute| line("steady", minute, "ok"))
        .collect();
    lines.extend((0..60).rev().map(|minute| line("late", minute, "failed")));
    stage.influxdb.write(lines).await.unwrap();

    let read_until = Some(minutes_ago(1));
    let rule = rule();
    let mut answer = poll::ask(&influxdb, &rule, &Judged::default(), read_until, now)
        .await
        .unwrap();
    let before = answer
        .runs
        .iter()
        .filter(|run| run.series.probe == "late")
        .count();
    poll::fill_gaps(&influxdb, &rule, &known, read_until, now, &mut answer)
        .await
        .unwrap();

    let of = |probe: &'static str| {
        answer
            .runs
            .iter()
            .filter(move |run| run.series.probe == probe)
    };
    assert!(before < 10, "{before}");
    let late: Vec<_> = of("late").map(|run| run.run_id.clone()).collect();
    let expected: Vec<_> = (0..60)
        .rev()
        .map(|minute| format!("late{minute}"))
        .collect();
    assert_eq!(late, expected);
    // The other has no gap: nothing of it is read again.
    assert!(of("steady").count() < 10);
    assert!(answer.runs.is_sorted_by_key(|run| run.at));
}

#[test]
fn a_failed_run_that_does_not_say_why_is_judged_when_it_comes_again_without() {
    let now = Timestamp::now();
    let mut whole = run("whole", now, Outcome::Failed);
    whole.failure.class = Some("timeout".into());
    whole.failure.error = Some("no answer".into());
    let runs = vec![
        run("torn", now, Outcome::Failed),
        whole,
        run("good", now, Outcome::Ok),
    ];
    let mut withheld = BTreeSet::new();
    let mut judged = || -> Vec<String> {
        let judged = poll::withhold(runs.clone(), &mut withheld);
        judged.into_iter().map(|run| run.series.journey).collect()
    };

    assert_eq!(judged(), ["whole", "good"]);
    assert_eq!(judged(), ["torn", "whole", "good"]);
}

#[tokio::test]
async fn an_incident_whose_point_is_never_taken_does_not_hold_up_the_others() {
    let stage = Stage::new().await;
    let influxdb = connect(&stage);
    let policy = Policy::default();
    let store = Store::open(&Place::Sqlite(stage.folder.path().join("vigia-alert.db")))
        .await
        .unwrap();
    let (keeper, ledger) = Keeper::new(store, policy).await.unwrap();
    let keeper = tokio::spawn(keeper.run());
    let now = Timestamp::now();
    let long_ago = now - SignedDuration::from_hours(24 * 30);
    // In the shard of that time the field has another type, so InfluxDB refuses the first incident's point.
    let other = format!(
        "journey_incident,system=x duration_s=\"long\" {}",
        long_ago.as_nanosecond()
    );
    stage.influxdb.write(other).await.unwrap();

    let (stop, stopped) = watch::channel(false);
    for (journey, began) in [("old", long_ago), ("new", now)] {
        let second = SignedDuration::from_secs(1);
        let runs = vec![
            run(journey, began, Outcome::Failed),
            run(journey, began + second, Outcome::Failed),
        ];
        let answer = poll::Answer {
            runs,
            ..poll::Answer::default()
        };
        ledger.judge(&rule(), answer, now).await.unwrap();
    }
    let points = tokio::spawn(incident_points::run(ledger, Arc::new(influxdb), stopped));
    let written = async || {
        let flux = r#"from(bucket: "vigia") |> range(start: -1h) |> filter(fn: (r) => r._measurement == "journey_incident" and r._field == "state")"#;
        let rows = stage.influxdb.query(flux).await.unwrap();
        rows.iter().find(|row| row["journey"] == "new").cloned()
    };
    until("the new incident's point", Duration::from_secs(5), written)
        .await
        .unwrap();

    stop.send_replace(true);
    points.await.unwrap();
    keeper.await.unwrap();
}
