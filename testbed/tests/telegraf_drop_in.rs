//! The drop-in as it is shipped, in a real Telegraf.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use vigia_testbed::{
    repository,
    servers::{InfluxDb, Program, Telegraf, influxdb, requires},
    until::until,
};

const ALL: &str =
    r#"from(bucket: "vigia") |> range(start: -1h) |> group() |> distinct(column: "_measurement")"#;

#[tokio::test]
async fn what_the_probe_prints_is_in_influxdb_soon_and_nothing_else_goes_there() {
    if !requires(&[Program::Telegraf, Program::Influxd]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let probe = folder.path().join("probe");
    let script = "#!/bin/sh\necho \"other n=1i\"\necho \"journey,configuration=$3 ok=1i\"\necho 'probe n=1i'\ncat\n";
    fs::write(&probe, script).unwrap();
    fs::set_permissions(&probe, fs::Permissions::from_mode(0o755)).unwrap();
    let influxdb = InfluxDb::start(&folder.path().join("influxdb"))
        .await
        .unwrap();

    let telegraf = Telegraf::start(
        &folder.path().join("telegraf"),
        &[repository::path("telegraf.d/vigia-probe.conf")],
        &[
            ("VIGIA_PROBE", probe.display().to_string()),
            ("INFLUX_URL", influxdb.url().to_owned()),
            ("INFLUX_TOKEN", influxdb::TOKEN.to_owned()),
        ],
    )
    .unwrap();

    let points = telegraf.points().to_owned();
    until(
        "all three points in the agent's own file",
        Duration::from_secs(20),
        async || {
            let text = fs::read_to_string(&points).ok()?;
            ["other,", "journey,", "probe,"]
                .iter()
                .all(|name| text.contains(name))
                .then_some(())
        },
    )
    .await
    .unwrap();
    let there = until(
        "the points of the probe in InfluxDB",
        Duration::from_secs(10),
        async || {
            let rows = influxdb.query(ALL).await.ok()?;
            (rows.len() >= 2).then_some(rows)
        },
    )
    .await
    .unwrap();
    let names: Vec<&str> = there.iter().map(|row| row["_value"].as_str()).collect();
    assert_eq!(names, ["journey", "probe"]);
    let text = fs::read_to_string(&points).unwrap();
    assert!(
        text.contains("configuration=/etc/vigia/probe.toml"),
        "{text}"
    );
    telegraf.stop().await.unwrap();
}
