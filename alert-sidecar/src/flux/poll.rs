//! Asks one rule.
//!
//! Each question reaches back before what was read last, because points arrive late and out of order; what was known
//! already is known by its series and time, so nothing counts twice.

use jiff::Timestamp;

use super::{
    Observation, QueryError, Rule,
    client::{InfluxDb, Query},
    observation::RowError,
};

/// What one question brought.
#[derive(Debug, Default)]
pub struct Answer {
    /// The runs.
    pub runs: Vec<Observation>,
    /// What the first row that could not be used lacks, and how many there are.
    pub unusable: Option<(RowError, usize)>,
}

/// Asks a rule once. Without an earlier answer it reaches back by its overlap.
pub async fn ask(
    influxdb: &InfluxDb,
    rule: &Rule,
    read_until: Option<Timestamp>,
    now: Timestamp,
) -> Result<Answer, QueryError> {
    let since = read_until.unwrap_or(now).min(now) - rule.overlap;
    let rows = influxdb
        .query(&Query {
            flux: rule.query.flux(),
            since,
            now,
            texts: &[],
        })
        .await?;
    let mut answer = Answer::default();
    for row in &rows {
        match (Observation::from_row(row), &mut answer.unusable) {
            (Ok(run), _) => answer.runs.push(run),
            (Err(_), Some((_, count))) => *count += 1,
            (Err(error), unusable) => *unusable = Some((error, 1)),
        }
    }
    answer.runs.sort_by_key(|run| run.at);
    Ok(answer)
}
