//! The runs of the robots, as they stand in InfluxDB.

use std::{
    path::Path,
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result};
use jiff::Timestamp;

use crate::servers::{InfluxDb, influxdb::Row};

/// What the demo's story is about. Only this journey searches files, where the faults sit.
pub const JOURNEY: &str = "consultar-tramite";
/// What people call it.
pub const JOURNEY_NAME: &str = "consultar un trámite";
/// The journey beside it, which goes on working.
pub const OTHER_JOURNEY: &str = "presentar-solicitud";

const RUNS: &str = r#"from(bucket: "vigia")
  |> range(start: -1h)
  |> filter(fn: (r) => r._measurement == "journey")
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()
  |> sort(columns: ["_time"])"#;

/// A run.
#[derive(Clone, Debug)]
pub struct Run {
    pub journey: String,
    pub result: String,
    /// What it failed at and why; empty where it did not.
    pub failure: String,
    pub start: SystemTime,
    /// When it ended, as well as it is known: see [`end`].
    pub end: SystemTime,
}

/// All runs of the last hour, the oldest first.
pub async fn all(influxdb: &InfluxDb, artifacts: &Path) -> Result<Vec<Run>> {
    let rows = influxdb.query(RUNS).await?;
    rows.iter().map(|row| run(row, artifacts)).collect()
}

fn run(row: &Row, artifacts: &Path) -> Result<Run> {
    let text = |column: &str| row.get(column).cloned().unwrap_or_default();
    let start: Timestamp = text("_time")
        .parse()
        .context("failed to read the time of a run")?;
    let start = SystemTime::from(start);
    Ok(Run {
        journey: text("journey"),
        result: text("result"),
        failure: format!("step `{}`: {}", text("failed_step"), text("error")),
        start,
        end: end(
            start,
            &text("duration_ms"),
            &artifacts.join(text("artifact")),
        ),
    })
}

/// A completed run has a duration. A failed one has none; its screenshot is written as it ends. Without either the start is
/// taken, which makes what comes after it look slower, never faster.
fn end(start: SystemTime, duration_ms: &str, artifact: &Path) -> SystemTime {
    if let Ok(duration_ms) = duration_ms.parse::<f64>() {
        return start + Duration::from_secs_f64(duration_ms.max(0.0) / 1000.0);
    }
    let picture = artifact.join(vigia_contract::artifact::SCREENSHOT_FILE);
    picture
        .metadata()
        .and_then(|metadata| metadata.modified())
        .unwrap_or(start)
}
