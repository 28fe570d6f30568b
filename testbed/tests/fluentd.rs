//! What the programs log is what `examples/fluentd/vigia.conf` takes up.
//!
//! Fluentd itself is in no registry that is reached, so it is not run here. What can go wrong is held against the real
//! logs instead: the keys that the configuration names, and the form of the time.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use vigia_testbed::{
    repository,
    servers::{InfluxDb, Process, Program, Telegraf, influxdb, process, requires},
    until::until,
};

const LEVELS: [&str; 3] = ["ERROR", "WARN", "INFO"];

fn configuration() -> String {
    fs::read_to_string(repository::path("examples/fluentd/vigia.conf")).unwrap()
}

/// The value of a setting in the source with this tag.
fn setting_of_source(tag: &str, name: &str) -> String {
    let text = configuration();
    let source = text
        .split("<source>")
        .find(|source| source.contains(&format!("tag {tag}\n")))
        .unwrap();
    let line = source
        .lines()
        .find_map(|line| line.trim().strip_prefix(&format!("{name} ")));
    line.unwrap_or_else(|| panic!("{tag} has no `{name}`"))
        .to_owned()
}

/// What Fluentd's JSON parser makes of a line: the time, and the record without it.
fn taken_up(tag: &str, line: &str) -> (Timestamp, Value) {
    assert_eq!(setting_of_source(tag, "time_format"), "%iso8601");
    let mut record: Value =
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let time = record
        .as_object_mut()
        .unwrap()
        .remove(&setting_of_source(tag, "time_key"))
        .unwrap_or_else(|| panic!("no time in {line}"));
    let time: Timestamp = time.as_str().unwrap().parse().unwrap();
    let age = Timestamp::now().duration_since(time);
    assert!(
        age >= SignedDuration::ZERO && age < SignedDuration::from_mins(10),
        "{line}"
    );
    let level = record["level"].as_str().unwrap();
    assert!(LEVELS.contains(&level), "{line}");
    (time, record)
}

#[test]
fn every_section_is_closed_and_every_label_leads_somewhere() {
    let text = configuration();
    let mut open = Vec::new();
    let mut settings = BTreeSet::new();
    let (mut used, mut defined) = (BTreeSet::new(), BTreeSet::new());
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("</") {
            let name = name.trim_end_matches('>');
            assert_eq!(open.pop(), Some(name), "{line}");
        } else if let Some(section) = line.strip_prefix('<') {
            let section = section.trim_end_matches('>');
            let (name, argument) = section.split_once(' ').unwrap_or((section, ""));
            open.push(name);
            if name == "label" {
                assert!(defined.insert(argument), "{line}");
            }
        } else if let Some(label) = line.strip_prefix("@label ") {
            used.insert(label);
        } else if line.starts_with("@id ") || line.starts_with("pos_file ") {
            assert!(settings.insert(line), "twice: {line}");
        }
    }
    assert!(open.is_empty(), "{open:?}");
    assert_eq!(used, defined);
}

#[tokio::test]
async fn what_the_probe_says_is_in_telegrafs_log_with_its_time_and_level() {
    if !requires(&[Program::Telegraf]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("telegraf.log");
    // As the configuration tells the operator.
    let agent = format!(
        "[agent]\n  logformat = \"structured\"\n  logfile = \"{}\"\n[[inputs.execd]]\n  command = [\"sh\", \"-c\", \"echo 'W! consultar-tramite: `#a` stood in' >&2; cat\"]\n  signal = \"none\"\n  data_format = \"influx\"\n",
        log.display()
    );
    let configuration = folder.path().join("agent.conf");
    fs::write(&configuration, agent).unwrap();
    let telegraf = Telegraf::start(&folder.path().join("telegraf"), &[configuration], &[]).unwrap();
    let said = until("the probe's line", Duration::from_secs(20), async || {
        let text = fs::read_to_string(&log).ok()?;
        text.lines()
            .find(|line| line.contains("stood in\""))
            .map(str::to_owned)
    })
    .await
    .unwrap();
    telegraf.stop().await.unwrap();
    let (_, record) = taken_up("vigia.probe", &said);
    assert_eq!(record["plugin"], "execd");
    assert_eq!(record["level"], "WARN");
    assert_eq!(record["msg"], "consultar-tramite: `#a` stood in");
    for line in fs::read_to_string(&log).unwrap().lines() {
        taken_up("vigia.probe", line);
    }
}

#[tokio::test]
async fn an_incident_is_in_the_alerts_log_with_its_time_level_and_labels() {
    if !requires(&[Program::Influxd]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let influxdb = InfluxDb::start(&folder.path().join("influxdb"))
        .await
        .unwrap();
    let alert = alert(folder.path(), &influxdb);
    let log = folder.path().join("alert.log");
    let line_with = async |part: &str| {
        let seen = until(part, Duration::from_secs(20), async || {
            let text = fs::read_to_string(&log).ok()?;
            text.lines()
                .find(|line| line.contains(part))
                .map(str::to_owned)
        });
        seen.await.map_err(|error| alert.explain(error)).unwrap()
    };
    line_with("watching").await;
    let at = Timestamp::now().as_nanosecond();
    let tags = "journey,system=tramites,journey=consultar-tramite,probe=sede,impact=critical";
    let failed = "ok=0i,valid=1i,result=\"failed\",result_code=2i,run_id=\"r\"";
    influxdb
        .write(format!(
            "{tags} {failed} {at}\n{tags} {failed} {}\n",
            at + 1
        ))
        .await
        .unwrap();
    let opened = line_with("an incident opened").await;
    let (_, record) = taken_up("vigia.alert", &opened);
    let labels = ["level", "system", "journey", "probe", "impact"]
        .map(|name| record[name].as_str().unwrap());
    assert_eq!(
        labels,
        ["INFO", "tramites", "consultar-tramite", "sede", "critical"]
    );
    assert!(record["incident"].is_string() && record["since"].is_string());
    for line in fs::read_to_string(&log).unwrap().lines() {
        taken_up("vigia.alert", line);
    }
}

fn alert(folder: &Path, influxdb: &InfluxDb) -> Process {
    let configuration = folder.join("alert.toml");
    let (organization, bucket) = (influxdb::ORGANIZATION, influxdb::BUCKET);
    fs::write(
        &configuration,
        format!(
            r#"language = "es"
time_zone = "America/Montevideo"
[influxdb]
url = "{}"
organization = "{organization}"
bucket = "{bucket}"
token = "${{secret:INFLUX_TOKEN}}"
[store]
path = "vigia-alert.db"
[[rule]]
name = "journeys-failed"
use = "journeys-failed"
every = "100ms"
[[channel]]
name = "mail"
email = {{ server = "127.0.0.1", port = 1, tls = "none", from = "vigia@agency.example", to = ["director@agency.example"] }}
[[route]]
channels = ["mail"]
"#,
            influxdb.url()
        ),
    )
    .unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_vigia-demo")).with_file_name("vigia-alert");
    assert!(program.is_file(), "hint: build the whole workspace");
    let mut command = process::tied(&program);
    command
        .args(["--log-format", "json", "run", "--config"])
        .arg(&configuration)
        .env("INFLUX_TOKEN", influxdb::TOKEN);
    Process::start("vigia-alert", &folder.join("alert.log"), &mut command).unwrap()
}
