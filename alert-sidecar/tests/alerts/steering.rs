//! The commands by which people see and steer a running program, and explain and try rules: the real program, a real InfluxDB.

use std::{path::Path, process::Command, time::Duration};

use rustix::process::Signal;
use serde_json::Value as Json;
use vigia_testbed::{
    servers::{PostgreSql, Program, influxdb, postgresql, requires},
    until::until,
};

use super::{
    scripted_smtp::ScriptedSmtp,
    sidecar::{self, Sidecar, Stage},
};

const SOON: Duration = Duration::from_secs(20);

/// What a command printed, and its exit code.
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

pub fn vigia_alert(config: &Path, arguments: &[&str]) -> Said {
    let output = Command::new(env!("CARGO_BIN_EXE_vigia-alert"))
        .args(arguments)
        .arg("--config")
        .arg(config)
        .env("INFLUX_TOKEN", influxdb::TOKEN)
        .env("PAGE_TOKEN", super::pages::TOKEN)
        .env("STORE_PASSWORD", postgresql::PASSWORD)
        .env("SUDO_USER", "ana")
        .output()
        .unwrap();
    Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

pub fn json(config: &Path, arguments: &[&str]) -> Json {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    let said = vigia_alert(config, &arguments);
    serde_json::from_str(&said.out)
        .unwrap_or_else(|error| panic!("{error}: {}{}", said.out, said.err))
}

/// Breaks a journey, and waits until somebody was told.
async fn broken(stage: &Stage, config: &Path) -> String {
    for (result, run) in [("ok", "r1"), ("failed", "r2"), ("failed", "r3")] {
        stage.run_ends("consultar-tramite", result, run).await;
    }
    let told = async || {
        let incidents = json(config, &["incidents"]);
        let incident = &incidents["incidents"][0];
        let is_told = incident["messages"][0]["state"] == "accepted";
        is_told.then(|| incident["id"].as_str().unwrap().to_owned())
    };
    until("the incident to be told", SOON, told).await.unwrap()
}

/// Dashboards and reports read it there.
async fn the_point_says_who_takes_care(stage: &Stage) {
    let flux = r#"from(bucket: "vigia") |> range(start: -1h) |> filter(fn: (r) => r._measurement == "journey_incident") |> toString() |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")"#;
    let point = async || {
        let rows = stage.influxdb.query(flux).await.unwrap();
        let mut taken = rows
            .into_iter()
            .filter(|row| row.contains_key("acknowledged_ns"));
        taken.find(|row| row["deliveries"] == "1")
    };
    let point = until("the incident's point to say who takes care", SOON, point)
        .await
        .unwrap();
    assert_eq!(point["acknowledged_by"], "ana");
}

#[tokio::test]
async fn an_incident_is_seen_acknowledged_silenced_and_explained() {
    let stage = Stage::new().await;
    let smtp = ScriptedSmtp::start(&[]).await;
    let config = stage.configure_plain(smtp.port);
    let sidecar = Sidecar::start(&config).await;
    assert_eq!(
        vigia_alert(&config, &["incidents"]).out,
        "no incident is open\n"
    );
    let id = broken(&stage, &config).await;

    let shown = vigia_alert(&config, &["incidents"]);
    for part in [
        "CRITICAL tramites / consultar-tramite, seen from sede, since ",
        "step \"Ingresar\": the text `Bienvenido` did not appear within 5 s",
        "opened through mail to director@agency.example: accepted",
        &id,
    ] {
        assert!(shown.out.contains(part), "{part} is not in\n{}", shown.out);
    }
    let taken = vigia_alert(&config, &["ack", &id, "--comment", "lo miro"]);
    assert_eq!(
        (taken.code, taken.out),
        (Some(0), format!("taken care of: {id}\n"))
    );
    let shown = vigia_alert(&config, &["incidents"]);
    assert!(
        shown.out.contains("ana takes care of it since "),
        "{}",
        shown.out
    );
    the_point_says_who_takes_care(&stage).await;
    let nothing = vigia_alert(&config, &["ack", "nothing"]);
    assert_eq!(nothing.code, Some(5));

    let refused = vigia_alert(
        &config,
        &["silence", "add", "--for", "2h", "--comment", "x"],
    );
    assert_eq!(refused.code, Some(5));
    assert_eq!(
        refused.out,
        "nothing was silenced: it names nothing, so it would mute everything\nhint: name a system, a journey, a probe, a rule or an impact\n"
    );
    let added = vigia_alert(
        &config,
        &[
            "silence",
            "add",
            "--journey",
            "otro-*",
            "--for",
            "2h",
            "--comment",
            "cambio de disco",
        ],
    );
    assert!(
        added.out.contains("journey otro-*, from "),
        "{}{}",
        added.out,
        added.err
    );
    let silences = json(&config, &["silence", "list"]);
    let silence = silences["silences"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(silences["silences"][0]["author"], "ana");
    let over = vigia_alert(&config, &["silence", "expire", &silence]);
    assert_eq!(
        (over.code, over.out.as_str()),
        (Some(0), "the silence is over\n")
    );
    let again = vigia_alert(&config, &["silence", "expire", &silence]);
    assert_eq!(again.code, Some(5));

    let explained = vigia_alert(&config, &["explain", &id]);
    for part in [
        "Rule journeys-failed for tramites / consultar-tramite: 2 of 3 runs must be bad;",
        "failed     from sede  step \"Ingresar\"",
        "=> failing: since the run of ",
        "told through `mail`",
        "opened through mail to director@agency.example: accepted",
        "ana takes care of it: lo miro",
    ] {
        assert!(
            explained.out.contains(part),
            "{part} is not in\n{}{}",
            explained.out,
            explained.err
        );
    }
    let explained = vigia_alert(&config, &["explain", "tramites/consultar-tramite"]);
    assert!(
        explained.out.contains("=> failing") && explained.out.contains(&id),
        "{}",
        explained.out
    );
    let unknown = vigia_alert(&config, &["explain", "tramites/otro"]);
    assert_eq!(unknown.code, Some(5), "{}", unknown.out);

    assert_eq!(sidecar.end(Signal::TERM).await, Some(0));
    // Nobody works with the store now: the command does.
    assert!(vigia_alert(&config, &["incidents"]).out.contains(&id));
}

/// Mutes a journey; gives the identity of the silence.
fn mute(config: &Path, journey: &str) -> String {
    let words = "silence add --for 2h --comment disco --journey";
    let words: Vec<&str> = words.split(' ').chain([journey]).collect();
    let added = vigia_alert(config, &words);
    assert_eq!(added.code, Some(0), "{}{}", added.out, added.err);
    let silences = json(config, &["silence", "list"]);
    let mut silences = silences["silences"].as_array().unwrap().iter();
    let silence = silences.find(|silence| silence.to_string().contains(journey));
    silence.unwrap()["id"].as_str().unwrap().to_owned()
}

/// Everything that a person does from a terminal, about an incident that was told.
fn everything_is_answered(config: &Path, id: &str, comment: &str) {
    let shown = vigia_alert(config, &["incidents"]);
    assert!(shown.out.contains(id), "{}{}", shown.out, shown.err);
    let taken = vigia_alert(config, &["ack", id, "--comment", comment]);
    assert_eq!(taken.out, format!("taken care of: {id}\n"), "{}", taken.err);
    let nothing = vigia_alert(config, &["ack", "nothing"]);
    assert_eq!(nothing.code, Some(5), "{}", nothing.err);
    let silence = mute(config, "otro-*");
    let over = vigia_alert(config, &["silence", "expire", &silence]);
    assert_eq!(over.out, "the silence is over\n", "{}", over.err);
    let explained = vigia_alert(config, &["explain", id]);
    for part in [
        "told through `mail`",
        "opened through mail to director@agency.example: accepted",
        &format!("ana takes care of it: {comment}"),
    ] {
        let (out, err) = (&explained.out, &explained.err);
        assert!(out.contains(part), "{part} is not in\n{out}{err}");
    }
}

#[tokio::test]
async fn with_the_store_in_postgresql_people_steer_while_the_program_runs_and_while_it_does_not() {
    if !requires(&[Program::Influxd, Program::Postgres]) {
        return;
    }
    let stage = Stage::new().await;
    let smtp = ScriptedSmtp::start(&[]).await;
    let server = PostgreSql::start(&stage.folder.path().join("postgresql"))
        .await
        .unwrap();
    let config = stage.configure_with(&sidecar::shared_store(&server), &sidecar::plain(smtp.port));
    let running = Sidecar::start(&config).await;
    let id = broken(&stage, &config).await;

    everything_is_answered(&config, &id, "lo miro");
    assert_eq!(running.end(Signal::TERM).await, Some(0));
    everything_is_answered(&config, &id, "sigo yo");

    // What was muted while it was down is held back, and told when somebody ends that while it runs.
    let silence = mute(&config, "presentar");
    let running = Sidecar::start(&config).await;
    for run in ["r5", "r6"] {
        stage.run_ends("presentar", "failed", run).await;
    }
    let held = async || {
        let incidents = json(&config, &["incidents"]);
        let mut incidents = incidents["incidents"].as_array()?.iter();
        let held = incidents.find(|incident| incident["journey"] == "presentar")?;
        held.to_string().contains("silenced").then_some(())
    };
    until("the incident to be held back", SOON, held)
        .await
        .unwrap();
    assert_eq!(smtp.mails().len(), 1);
    let over = vigia_alert(&config, &["silence", "expire", &silence]);
    assert_eq!(over.code, Some(0), "{}", over.err);
    // It looks every half minute at what others wrote into the database.
    let told = async || (smtp.mails().len() == 2).then_some(());
    until("the incident to be told", SOON * 6, told)
        .await
        .unwrap();
    assert_eq!(running.end(Signal::TERM).await, Some(0));
}

#[tokio::test]
async fn a_backtest_finds_what_was_told() {
    let stage = Stage::new().await;
    let smtp = ScriptedSmtp::start(&[]).await;
    let config = stage.configure_plain(smtp.port);
    let sidecar = Sidecar::start(&config).await;
    broken(&stage, &config).await;
    stage.run_ends("consultar-tramite", "ok", "r4").await;
    stage.run_ends("presentar", "failed", "r5").await;
    let over = async || {
        let incidents = json(&config, &["incidents"]);
        incidents["incidents"]
            .as_array()
            .unwrap()
            .is_empty()
            .then_some(())
    };
    until("the incident to be over", SOON, over).await.unwrap();
    until("both mails", SOON, async || {
        (smtp.mails().len() == 2).then_some(())
    })
    .await
    .unwrap();
    assert_eq!(sidecar.end(Signal::TERM).await, Some(0));

    let tried = json(&config, &["backtest", "--since", "1h"]);
    let tried = &tried["configurations"][0];
    assert_eq!(tried["incidents"][0]["opened"], 1, "{tried:#}");
    let sent: i64 = tried["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cell| cell["messages"].as_i64().unwrap())
        .sum();
    assert_eq!(sent, 2, "{tried:#}");

    let loud = std::fs::read_to_string(&config)
        .unwrap()
        .replace("2 of 3", "1 of 3")
        .replace(
            "[[channel]]",
            "[[rule]]\nname = \"silent\"\nuse = \"journeys-silent\"\n[[channel]]",
        );
    let other = config.with_file_name("loud.toml");
    std::fs::write(&other, loud).unwrap();
    let compared = vigia_alert(
        &config,
        &[
            "backtest",
            "--since",
            "1h",
            "--against",
            other.to_str().unwrap(),
        ],
    );
    for part in ["mail critical: 2, 3, -1", "  silent: 0 (0 still open)"] {
        let (out, err) = (&compared.out, &compared.err);
        assert!(out.contains(part), "{part} is not in\n{out}{err}");
    }
}

#[tokio::test]
async fn what_is_shipped_passes_its_own_check() {
    let stage = Stage::new().await;
    let config = stage.configure_plain(1);
    let text = std::fs::read_to_string(&config).unwrap();
    let (before, rest) = text.split_once("[[rule]]").unwrap();
    let (_, after) = rest.split_once("[[channel]]").unwrap();
    std::fs::write(&config, format!("{before}[[channel]]{after}")).unwrap();
    let checked = vigia_alert(&config, &["check"]);
    assert_eq!(checked.code, Some(0), "{}", checked.err);
    assert!(checked.err.contains("rules: 13"), "{}", checked.err);
}
