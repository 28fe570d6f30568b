//! The runs that may still be judged, and how far each rule has read.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::{AnyConnection, AssertSqlSafe, Result, Row, any::AnyRow};
use vigia_contract::data_model::{Impact, Outcome};

use super::{corrupt, stored, time};
use crate::flux::{Observation, Series, observation::Failure};

/// How far a rule has read, in the time of its points.
pub async fn read_until(connection: &mut AnyConnection, rule: &str) -> Result<Option<Timestamp>> {
    sqlx::query_scalar("SELECT read_until_ns FROM rule_progress WHERE rule = $1")
        .bind(rule)
        .fetch_optional(connection)
        .await
        .map(|found: Option<i64>| found.map(time))
}

/// Moves a rule's progress forward, never back.
pub async fn advance(connection: &mut AnyConnection, rule: &str, until: Timestamp) -> Result<()> {
    sqlx::query(
        "INSERT INTO rule_progress (rule, read_until_ns) VALUES ($1, $2)
         ON CONFLICT (rule) DO UPDATE SET read_until_ns = excluded.read_until_ns
         WHERE rule_progress.read_until_ns < excluded.read_until_ns",
    )
    .bind(rule)
    .bind(stored(until))
    .execute(connection)
    .await
    .map(drop)
}

/// How many rows one statement takes. There are few sizes, so that each statement is prepared once. sqlx asks SQLite for the name
/// of each value, which takes SQLite a walk over all of them: 32 rows take a hundredth of the time that 256 take.
const PORTIONS: [usize; 3] = [32, 4, 1];

/// Cuts rows into portions of those sizes.
pub(super) fn portions<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = PORTIONS.into_iter().find(|size| *size <= rows.len())?;
        let (portion, rest) = rows.split_at(size);
        rows = rest;
        Some(portion)
    })
}

/// The places of so many rows of so many values, after the first `$1`: `($1, $2, $3), ($1, $4, $5)`.
pub(super) fn places(rows: usize, values: usize) -> String {
    let mut places = String::new();
    for row in 0..rows {
        places.push_str(if row == 0 { "($1" } else { ", ($1" });
        for value in 0..values {
            places.push_str(", $");
            places.push_str(&(row * values + value + 2).to_string());
        }
        places.push(')');
    }
    places
}

/// Keeps runs; those that are known already stay as they are.
pub async fn add(connection: &mut AnyConnection, rule: &str, runs: &[&Observation]) -> Result<()> {
    for portion in portions(runs) {
        let statement = format!(
            "INSERT INTO observation (rule, system, journey, probe, at_ns, impact, outcome, run_id,
                                      failed_step, error_class, error, url, http_status, artifact, every_ms)
             VALUES {} ON CONFLICT DO NOTHING",
            places(portion.len(), 14)
        );
        let mut query = sqlx::query(AssertSqlSafe(statement)).bind(rule);
        for run in portion {
            let every = run.every.map(|every| i64::try_from(every.as_millis()));
            query = query
                .bind(&run.series.system)
                .bind(&run.series.journey)
                .bind(&run.series.probe)
                .bind(stored(run.at))
                .bind(run.impact.name())
                .bind(run.outcome.name())
                .bind(&run.run_id)
                .bind(&run.failure.step)
                .bind(&run.failure.class)
                .bind(&run.failure.error)
                .bind(&run.failure.url)
                .bind(run.failure.http_status)
                .bind(&run.failure.artifact)
                .bind(every.map(|every| every.unwrap_or(i64::MAX)));
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Of every run of a rule, what it is of, when it was, and what it came to, in the order of their time.
pub async fn outlines(
    connection: &mut AnyConnection,
    rule: &str,
) -> Result<Vec<(Series, Timestamp, Outcome)>> {
    sqlx::query(
        "SELECT system, journey, probe, at_ns, outcome FROM observation WHERE rule = $1 ORDER BY at_ns",
    )
    .bind(rule)
    .fetch_all(connection)
    .await?
    .iter()
    .map(|row| Ok((series(row)?, time(row.try_get("at_ns")?), outcome(row)?)))
    .collect()
}

/// The newest run of every series that a rule has read.
pub async fn newest(
    connection: &mut AnyConnection,
    rule: &str,
) -> Result<Vec<(Series, Timestamp)>> {
    sqlx::query(
        "SELECT system, journey, probe, MAX(at_ns) AS at_ns FROM observation WHERE rule = $1
         GROUP BY system, journey, probe",
    )
    .bind(rule)
    .fetch_all(connection)
    .await?
    .iter()
    .map(|row| Ok((series(row)?, time(row.try_get("at_ns")?))))
    .collect()
}

/// The newest run of every series, by the name of the rule that read it.
pub async fn newest_of_all(connection: &mut AnyConnection) -> Result<Vec<(String, Observation)>> {
    sqlx::query(
        "SELECT run.* FROM observation AS run
         JOIN (SELECT rule, system, journey, probe, MAX(at_ns) AS at_ns FROM observation
               GROUP BY rule, system, journey, probe) AS last
         ON run.rule = last.rule AND run.system = last.system AND run.journey = last.journey
            AND run.probe = last.probe AND run.at_ns = last.at_ns",
    )
    .fetch_all(connection)
    .await?
    .iter()
    .map(|row| Ok((row.try_get("rule")?, observation(row)?)))
    .collect()
}

/// The newest good run of every series that a rule has read.
pub async fn newest_good(connection: &mut AnyConnection, rule: &str) -> Result<Vec<Observation>> {
    sqlx::query(
        "SELECT * FROM observation AS run
         WHERE rule = $1 AND outcome = 'ok'
           AND at_ns = (SELECT MAX(at_ns) FROM observation AS same
                        WHERE same.rule = run.rule AND same.system = run.system AND same.journey = run.journey
                          AND same.probe = run.probe AND same.outcome = 'ok')",
    )
    .bind(rule)
    .fetch_all(connection)
    .await?
    .iter()
    .map(observation)
    .collect()
}

/// The kept runs of these journeys, each named by its system and itself, the newest last.
pub async fn of(
    connection: &mut AnyConnection,
    rule: &str,
    journeys: &[(&str, &str)],
) -> Result<Vec<Observation>> {
    let mut found = Vec::new();
    for portion in portions(journeys) {
        let statement = format!(
            "SELECT * FROM observation WHERE (rule, system, journey) IN (VALUES {})",
            places(portion.len(), 2)
        );
        let mut query = sqlx::query(AssertSqlSafe(statement)).bind(rule);
        for (system, journey) in portion {
            query = query.bind(*system).bind(*journey);
        }
        for row in query.fetch_all(&mut *connection).await? {
            found.push(observation(&row)?);
        }
    }
    found.sort_by_key(|run| run.at);
    Ok(found)
}

/// Forgets the runs that began after this moment, and that the rule has read further.
pub async fn forget_after(
    connection: &mut AnyConnection,
    rule: &str,
    latest: Timestamp,
) -> Result<u64> {
    sqlx::query(
        "UPDATE rule_progress SET read_until_ns = $2 WHERE rule = $1 AND read_until_ns > $2",
    )
    .bind(rule)
    .bind(stored(latest))
    .execute(&mut *connection)
    .await?;
    sqlx::query("DELETE FROM observation WHERE rule = $1 AND at_ns > $2")
        .bind(rule)
        .bind(stored(latest))
        .execute(connection)
        .await
        .map(|done| done.rows_affected())
}

/// Forgets these runs.
pub async fn forget(
    connection: &mut AnyConnection,
    rule: &str,
    runs: &[(Series, Timestamp)],
) -> Result<()> {
    for portion in portions(runs) {
        let statement = format!(
            "DELETE FROM observation WHERE (rule, system, journey, probe, at_ns) IN (VALUES {})",
            places(portion.len(), 4)
        );
        let mut query = sqlx::query(AssertSqlSafe(statement)).bind(rule);
        for (series, at) in portion {
            query = query
                .bind(&series.system)
                .bind(&series.journey)
                .bind(&series.probe)
                .bind(stored(*at));
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

fn outcome(row: &AnyRow) -> Result<Outcome> {
    let outcome: &str = row.try_get("outcome")?;
    Outcome::from_name(outcome).ok_or_else(|| corrupt("outcome", outcome))
}

fn observation(row: &AnyRow) -> Result<Observation> {
    let impact: &str = row.try_get("impact")?;
    Ok(Observation {
        series: series(row)?,
        at: time(row.try_get("at_ns")?),
        impact: Impact::from_name(impact).ok_or_else(|| corrupt("impact", impact))?,
        outcome: outcome(row)?,
        run_id: row.try_get("run_id")?,
        failure: failure(row)?,
        every: row
            .try_get::<Option<i64>, _>("every_ms")?
            .and_then(|every| u64::try_from(every).ok())
            .map(Duration::from_millis),
    })
}

/// The columns of a series, which incidents have too.
pub(super) fn series(row: &AnyRow) -> Result<Series> {
    Ok(Series {
        system: row.try_get("system")?,
        journey: row.try_get("journey")?,
        probe: row.try_get("probe")?,
    })
}

/// The columns of a failure, which incidents have too.
pub(super) fn failure(row: &AnyRow) -> Result<Failure> {
    Ok(Failure {
        step: row.try_get("failed_step")?,
        class: row.try_get("error_class")?,
        error: row.try_get("error")?,
        url: row.try_get("url")?,
        http_status: row.try_get("http_status")?,
        artifact: row.try_get("artifact")?,
    })
}
