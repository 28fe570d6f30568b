//! The incidents, and why who was told.

use jiff::Timestamp;
use sqlx::{Result, Row, SqliteConnection, sqlite::SqliteRow};
use vigia_contract::data_model::Impact;

use super::{corrupt, observations, stored, time};
use crate::{
    flux::Series,
    incident::{End, Incident},
};

/// The newest incident of a series, open or closed.
pub async fn newest(
    connection: &mut SqliteConnection,
    rule: &str,
    series: &Series,
) -> Result<Option<Incident>> {
    sqlx::query(
        "SELECT * FROM incident WHERE rule = $1 AND system = $2 AND journey = $3 AND probe = $4
         ORDER BY started_ns DESC LIMIT 1",
    )
    .bind(rule)
    .bind(&series.system)
    .bind(&series.journey)
    .bind(&series.probe)
    .fetch_optional(connection)
    .await?
    .as_ref()
    .map(incident)
    .transpose()
}

/// Writes an incident down, new or changed; its point is to be written again.
pub async fn put(connection: &mut SqliteConnection, incident: &Incident) -> Result<()> {
    sqlx::query(
        "INSERT INTO incident (id, rule, system, journey, probe, impact, started_ns, run_id,
                               failed_step, error_class, error, url, http_status,
                               ended_ns, ended_run_id, point_state)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 'unwritten')
         ON CONFLICT (id) DO UPDATE SET ended_ns = excluded.ended_ns, ended_run_id = excluded.ended_run_id,
                                        point_state = excluded.point_state",
    )
    .bind(&incident.id)
    .bind(&incident.rule)
    .bind(&incident.series.system)
    .bind(&incident.series.journey)
    .bind(&incident.series.probe)
    .bind(incident.impact.name())
    .bind(stored(incident.started_at))
    .bind(&incident.run_id)
    .bind(&incident.failure.step)
    .bind(&incident.failure.class)
    .bind(&incident.failure.error)
    .bind(&incident.failure.url)
    .bind(incident.failure.http_status)
    .bind(incident.end.as_ref().map(|end| stored(end.at)))
    .bind(incident.end.as_ref().map(|end| &end.run_id))
    .execute(connection)
    .await
    .map(drop)
}

/// Records why somebody, or nobody, is told.
pub async fn decide(
    connection: &mut SqliteConnection,
    incident: &Incident,
    at: Timestamp,
    decision: &str,
) -> Result<()> {
    sqlx::query("INSERT INTO decision (incident_id, at_ns, decision) VALUES ($1, $2, $3)")
        .bind(&incident.id)
        .bind(stored(at))
        .bind(decision)
        .execute(connection)
        .await
        .map(drop)
}

/// The incidents whose points InfluxDB does not have as they stand here.
pub async fn unwritten(connection: &mut SqliteConnection) -> Result<Vec<Incident>> {
    sqlx::query(
        "SELECT * FROM incident WHERE point_state = 'unwritten' ORDER BY started_ns LIMIT 1000",
    )
    .fetch_all(connection)
    .await?
    .iter()
    .map(incident)
    .collect()
}

/// InfluxDB has this incident's point, unless the incident changed since.
pub async fn written(connection: &mut SqliteConnection, incident: &Incident) -> Result<()> {
    sqlx::query(
        "UPDATE incident SET point_state = 'written'
         WHERE id = $1 AND COALESCE(ended_run_id, '') = COALESCE($2, '')",
    )
    .bind(&incident.id)
    .bind(incident.end.as_ref().map(|end| &end.run_id))
    .execute(connection)
    .await
    .map(drop)
}

/// The columns of an incident, which a claimed delivery has too.
pub(super) fn incident(row: &SqliteRow) -> Result<Incident> {
    let impact: &str = row.try_get("impact")?;
    let ended_ns: Option<i64> = row.try_get("ended_ns")?;
    let ended_run_id: Option<String> = row.try_get("ended_run_id")?;
    Ok(Incident {
        id: row.try_get("id")?,
        rule: row.try_get("rule")?,
        series: observations::series(row)?,
        impact: Impact::from_name(impact).ok_or_else(|| corrupt("impact", impact))?,
        started_at: time(row.try_get("started_ns")?),
        run_id: row.try_get("run_id")?,
        failure: observations::failure(row)?,
        end: ended_ns.zip(ended_run_id).map(|(at, run_id)| End {
            at: time(at),
            run_id,
        }),
    })
}
