//! The numbers: as Python finds them in the raw points, and the same ones whatever the form.

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use serde_json::Value;
use vigia_testbed::servers::{Program, requires};

use crate::{
    months::{self, MONTH, ZONE},
    stage::{Made, Row, Stage},
};

const TARGETS: &str = r#"
[[target]]
system = ["sin-robot"]
availability = 99.5
[[target]]
availability = 99.9
# While it fails, and over the hour that happens twice; and a window that is only for other alerts.
[[maintenance]]
name = "corte"
system = ["mesa-*"]
from = "2026-10-07T09:30"
to = "2026-10-07T10:30"
[[maintenance]]
name = "domingos"
system = ["mesa-de-entrada"]
impact = ["critical"]
every = "30 1 * * SUN"
lasts = "2h"
[[maintenance]]
name = "discos"
system = ["mesa-de-entrada"]
rule = ["servers-disk"]
from = "2026-10-01T00:00"
to = "2026-10-31T00:00"
"#;

/// The same windows, for Python.
fn windows() -> String {
    let moment = |day, hour, minute| months::local(10, day, hour, minute).as_nanosecond();
    let hours = |from: i128, hours: i128| (from, from + hours * 3_600_000_000_000);
    let sundays = [4, 11, 18, 25].map(|day| hours(moment(day, 1, 30), 2));
    let september =
        [6, 13, 20, 27].map(|day| hours(months::local(9, day, 1, 30).as_nanosecond(), 2));
    let windows = [hours(moment(7, 9, 30), 1)]
        .into_iter()
        .chain(sundays)
        .chain(september);
    let told = windows.map(|(from_ns, to_ns)| {
        format!(r#"{{"system": "mesa-de-entrada", "from_ns": {from_ns}, "to_ns": {to_ns}}}"#)
    });
    format!("[{}]", told.collect::<Vec<_>>().join(","))
}

/// What Python finds in these points.
fn recomputed(folder: &Path, lines: &[String]) -> Value {
    let points = folder.join("points");
    fs::write(&points, lines.join("\n")).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reports/recompute.py");
    let output = Command::new(Program::Python.path().unwrap())
        .arg(script)
        .arg(points)
        .args([MONTH, ZONE, "2", &windows()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn every_number_is_the_one_that_another_program_finds_in_the_raw_points() {
    if !requires(&[Program::Influxd, Program::Python]) {
        return;
    }
    let stage = Stage::new().await;
    let mut points = months::points();
    // As they may come: in no order, and some of them late.
    for index in (1..points.lines.len()).rev() {
        let other = usize::try_from(points.dice(u64::try_from(index).unwrap())).unwrap();
        points.lines.swap(index, other);
    }
    let (early, late) = points.lines.split_at(points.lines.len() * 9 / 10);
    let config = stage.configure("es", TARGETS);
    let month = ["--month", MONTH, "--format", "html,csv"];
    stage.write(early).await;
    let too_early = stage.report(&config, "too-early", &month).succeeded();
    stage.write(late).await;
    let report = stage.report(&config, "report", &month).succeeded();
    let again = stage.report(&config, "again", &month).succeeded();

    assert_eq!(report.tables(), again.tables(), "the bytes differ");
    assert_ne!(report.tables(), too_early.tables(), "late points count");
    let truth = recomputed(stage.folder.path(), &points.lines);
    compare_systems(&report, &truth["systems"]);
    compare_days(&report, &truth["systems"]);
    compare_incidents(&report, &truth["systems"]);
    let journeys: (&str, &[&str]) = ("journeys", &["system", "journey"]);
    compare_spreads(&report, journeys, "", &truth["spreads"]);
    compare_spreads(&report, journeys, "_before", &truth["spreads_before"]);
    let steps = ("steps", ["system", "journey", "step"].as_slice());
    compare_spreads(&report, steps, "", &truth["steps"]);
    known_truths(&report);
}

fn by<'a>(rows: &'a [Row], columns: &[&str]) -> BTreeMap<String, &'a Row> {
    let key = |row: &Row| {
        columns
            .iter()
            .map(|name| row[*name].as_str())
            .collect::<Vec<_>>()
            .join("/")
    };
    rows.iter().map(|row| (key(row), row)).collect()
}

fn compare_systems(report: &Made, truth: &Value) {
    let rows = report.rows("systems");
    let rows = by(&rows, &["system"]);
    for (system, truth) in truth.as_object().unwrap() {
        let row = rows[system];
        for state in [
            "up",
            "local",
            "down",
            "maintenance",
            "unmeasured",
            "missed",
            "silent",
        ] {
            assert_eq!(
                row[&format!("{state}_s")],
                truth["times"][state],
                "{system} {state}"
            );
        }
        assert_eq!(
            row["availability_percent"], truth["availability"],
            "{system}"
        );
        assert_eq!(
            row["availability_before_percent"], truth["before"],
            "{system}"
        );
        assert_eq!(
            row["incidents"],
            truth["incidents"].as_array().unwrap().len().to_string()
        );
        for (column, code) in [
            ("ok", 0_usize),
            ("slow", 1),
            ("failed", 2),
            ("unmeasured", 3),
            ("missed", 4),
        ] {
            assert_eq!(
                row[column],
                truth["counts"][code].to_string(),
                "{system} {column}"
            );
        }
    }
}

fn compare_days(report: &Made, truth: &Value) {
    let rows = report.rows("days");
    let rows = by(&rows, &["system", "day"]);
    for (system, truth) in truth.as_object().unwrap() {
        let days = truth["days"].as_object().unwrap();
        assert_eq!(days.len(), 31);
        for (day, times) in days {
            let row = rows[&format!("{system}/{day}")];
            for state in [
                "up",
                "local",
                "down",
                "maintenance",
                "unmeasured",
                "missed",
                "silent",
            ] {
                assert_eq!(
                    row[&format!("{state}_s")],
                    times[state],
                    "{system} {day} {state}"
                );
            }
        }
    }
}

fn compare_incidents(report: &Made, truth: &Value) {
    let rows = report.rows("incidents");
    for (system, truth) in truth.as_object().unwrap() {
        let of_system: Vec<&Row> = rows.iter().filter(|row| row["system"] == *system).collect();
        let incidents = truth["incidents"].as_array().unwrap();
        assert_eq!(of_system.len(), incidents.len(), "{system}");
        for (row, incident) in of_system.iter().zip(incidents) {
            let at_ns = |column: &str| {
                let at: jiff::Timestamp = row[column].parse().unwrap();
                i64::try_from(at.as_nanosecond()).unwrap()
            };
            assert_eq!(at_ns("started_at"), incident["from_ns"], "{system}");
            assert_eq!(row["is_over"], incident["is_over"].to_string(), "{system}");
            if row["is_over"] == "true" {
                assert_eq!(at_ns("ended_at"), incident["to_ns"], "{system}");
            }
            assert_eq!(row["in_the_month_s"], incident["in_the_month"], "{system}");
            assert_eq!(row["down_s"], incident["down"], "{system}");
        }
    }
}

/// Of each row of a table, by what its first columns name, how long it took; `suffix` is that of the columns.
fn compare_spreads(report: &Made, (table, names): (&str, &[&str]), suffix: &str, truth: &Value) {
    let rows = report.rows(table);
    let rows = by(&rows, names);
    let truth = truth.as_object().unwrap();
    assert!(!truth.is_empty());
    for (name, truth) in truth {
        let row = rows[name];
        let column = |name: &str| row[&format!("{name}{suffix}")].as_str();
        assert_eq!(column("completed"), truth["runs"].to_string(), "{name}");
        for quantile in ["p50", "p95"] {
            let estimate: f64 = row[&format!("{quantile}{suffix}_ms")].parse().unwrap();
            let (low, high) = (&truth[quantile][0], &truth[quantile][1]);
            assert!(
                low.as_f64().unwrap() - 0.001 <= estimate
                    && estimate <= high.as_f64().unwrap() + 0.001,
                "{name} {quantile}{suffix}: {estimate} is not in {low}..{high}"
            );
        }
    }
}

/// What was put into the points, as both programs must find it.
fn known_truths(report: &Made) {
    let rows = report.rows("systems");
    let rows = by(&rows, &["system"]);
    let verdict = |system: &str| {
        let row = rows[system];
        [
            row["verdict"].clone(),
            row["availability_percent"].clone(),
            row["budget_left_s"].clone(),
        ]
    };
    assert_eq!(verdict("padron"), ["missed", "99.899", "-1"]);
    assert_eq!(verdict("catastro"), ["met", "99.900", "0"]);
    for system in ["sin-robot", "archivo"] {
        assert_eq!(verdict(system), ["no_data", "", ""]);
    }
    assert_eq!(rows["tramites"]["down_s"], {
        // Half an hour at each edge, an hour and a half of two journeys, three of four measured hours, five of a long night.
        (30 * 60 + 30 * 60 + 90 * 60 + 3 * 3600 + 5 * 3600).to_string()
    });
    assert_eq!(rows["tramites"]["local_s"], "7200");
    // Three planned hours between half an hour and twenty minutes of failing.
    let tasas = rows["tasas <norte & sur>"];
    assert_eq!(
        (tasas["maintenance_s"].as_str(), tasas["down_s"].as_str()),
        ("10800", "3000")
    );
    // Half an hour before the window and half an hour after it; the windows of four Sundays.
    let counter = rows["mesa-de-entrada"];
    assert_eq!(
        (
            counter["maintenance_s"].as_str(),
            counter["down_s"].as_str()
        ),
        ("32400", "3600")
    );
    let incidents = report.rows("incidents");
    let edges: Vec<_> = incidents
        .iter()
        .filter(|row| row["system"] == "tramites")
        .map(|row| [row["began_before_the_month"].as_str(), &row["is_over"]])
        .collect();
    assert_eq!(edges.first(), Some(&["true", "true"]));
    assert_eq!(edges.last(), Some(&["false", "false"]));
}
