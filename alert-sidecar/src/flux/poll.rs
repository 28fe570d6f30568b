//! Asks one rule.
//!
//! Each question reaches back before what was read last, because points arrive late and out of order; what was known
//! already is known by its series and time, so nothing counts twice. It reaches ahead as far, because a probe's clock may be
//! ahead of ours.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    Observation, QueryError, Rule,
    client::{InfluxDb, Query},
    observation::RowError,
};

/// The most that one question goes on from where the last one ended: what days out of service left behind would not be
/// answered within any deadline at once.
const LONGEST_STRETCH: Duration = Duration::from_hours(6);

/// What one question brought.
#[derive(Debug, Default)]
pub struct Answer {
    /// The runs, in the order of their time.
    pub runs: Vec<Observation>,
    /// How far the rule has read with it, in the time of its points; nothing when it brought none.
    pub read_until: Option<Timestamp>,
    /// What the first row that could not be used lacks.
    pub unusable: Option<RowError>,
}

/// Asks a rule once. Without an earlier answer it reaches back by its overlap.
pub async fn ask(
    influxdb: &InfluxDb,
    rule: &Rule,
    read_until: Option<Timestamp>,
    now: Timestamp,
) -> Result<Answer, QueryError> {
    let from = read_until.unwrap_or(now).min(now);
    let stretch_end = from + LONGEST_STRETCH;
    let until = stretch_end.min(now + rule.overlap);
    let rows = influxdb
        .query(&Query {
            flux: rule.query.flux(),
            since: from - rule.overlap,
            until,
            texts: &[],
        })
        .await?;
    let mut answer = Answer::default();
    for row in &rows {
        match Observation::from_row(row) {
            Ok(run) => answer.runs.push(run),
            Err(error) => answer.unusable = answer.unusable.or(Some(error)),
        }
    }
    answer.runs.sort_by_key(|run| run.at);
    answer.read_until = if stretch_end < now {
        Some(stretch_end)
    } else {
        // A probe whose clock is ahead must not make the points of the others look late.
        answer.runs.last().map(|run| run.at.min(now))
    };
    Ok(answer)
}
