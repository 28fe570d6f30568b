//! The incidents.

use jiff::Timestamp;
use sqlx::{AnyConnection, AssertSqlSafe, Result, Row, any::AnyRow};
use vigia_contract::data_model::Impact;

use super::{
    corrupt,
    observations::{self, places, portions},
    stored, time,
};
use crate::incident::{End, Form, Incident};

/// What may matter of the past of these journeys, each named by its system and itself: the incidents that are open, those
/// that began since this moment, and the one that ended last.
pub async fn past(
    connection: &mut AnyConnection,
    rule: &str,
    journeys: &[(&str, &str)],
    since: Timestamp,
) -> Result<Vec<Incident>> {
    let mut found = Vec::new();
    for portion in portions(journeys) {
        let statement = format!(
            "SELECT * FROM incident AS known
             WHERE (rule, system, journey) IN (VALUES {})
               AND (ended_ns IS NULL OR started_ns >= ${}
                    OR ended_ns = (SELECT MAX(ended_ns) FROM incident AS same
                                   WHERE same.rule = known.rule AND same.system = known.system
                                     AND same.journey = known.journey AND same.probe = known.probe))",
            places(portion.len(), 2),
            portion.len() * 2 + 2
        );
        let mut query = sqlx::query(AssertSqlSafe(statement)).bind(rule);
        for (system, journey) in portion {
            query = query.bind(*system).bind(*journey);
        }
        for row in query
            .bind(stored(since))
            .fetch_all(&mut *connection)
            .await?
        {
            found.push(incident(&row)?);
        }
    }
    Ok(found)
}

/// Lets incidents that ended after the latest moment that can be known of end at the other one.
pub async fn end_by(
    connection: &mut AnyConnection,
    rule: &str,
    (latest, end): (Timestamp, Timestamp),
) -> Result<()> {
    sqlx::query(
        "UPDATE incident SET ended_ns = $3, point_state = 'unwritten' WHERE rule = $1 AND ended_ns > $2",
    )
    .bind(rule)
    .bind(stored(latest))
    .bind(stored(end))
    .execute(connection)
    .await
    .map(drop)
}

/// The incidents of a rule that are open.
pub async fn open_of(connection: &mut AnyConnection, rule: &str) -> Result<Vec<Incident>> {
    sqlx::query("SELECT * FROM incident WHERE rule = $1 AND ended_ns IS NULL ORDER BY started_ns")
        .bind(rule)
        .fetch_all(connection)
        .await?
        .iter()
        .map(incident)
        .collect()
}

/// Writes an incident down, new or changed; its point is to be written again.
pub async fn put(connection: &mut AnyConnection, incident: &Incident) -> Result<()> {
    sqlx::query(
        "INSERT INTO incident (id, rule, system, journey, probe, impact, started_ns, run_id,
                               failed_step, error_class, error, url, http_status, artifact,
                               ended_ns, ended_run_id, form, elsewhere, point_state)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, 'unwritten')
         ON CONFLICT (id) DO UPDATE SET ended_ns = excluded.ended_ns, ended_run_id = excluded.ended_run_id,
                                        point_state = excluded.point_state, point_version = incident.point_version + 1",
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
    .bind(&incident.failure.artifact)
    .bind(incident.end.as_ref().map(|end| stored(end.at)))
    .bind(incident.end.as_ref().map(|end| &end.run_id))
    .bind(form_name(&incident.form))
    .bind(match &incident.form {
        Form::Local(elsewhere) => Some(elsewhere.join("\n")),
        Form::Failing | Form::Flapping => None,
    })
    .execute(connection)
    .await
    .map(drop)
}

const fn form_name(form: &Form) -> &'static str {
    match form {
        Form::Failing => "failing",
        Form::Flapping => "flapping",
        Form::Local(_) => "local",
    }
}

fn form(row: &AnyRow) -> Result<Form> {
    let elsewhere: Option<String> = row.try_get("elsewhere")?;
    match row.try_get("form")? {
        "failing" => Ok(Form::Failing),
        "flapping" => Ok(Form::Flapping),
        "local" => Ok(Form::Local(
            elsewhere
                .unwrap_or_default()
                .lines()
                .map(str::to_owned)
                .collect(),
        )),
        other => Err(corrupt("form", other)),
    }
}

/// When an incident is to be looked at again, and since when it is known, where it was not known before.
pub(super) async fn look_again(
    connection: &mut AnyConnection,
    id: &str,
    known: Option<Timestamp>,
    next: Option<Timestamp>,
) -> Result<()> {
    sqlx::query(
        "UPDATE incident SET next_look_ns = $3, known_ns = COALESCE(known_ns, $2) WHERE id = $1",
    )
    .bind(id)
    .bind(known.map(stored))
    .bind(next.map(stored))
    .execute(connection)
    .await
    .map(drop)
}

/// The incidents whose time to be looked at again has come, those that matter most first, at most so many.
pub(super) async fn to_look_at(
    connection: &mut AnyConnection,
    now: Timestamp,
    most: i64,
) -> Result<Vec<Incident>> {
    sqlx::query(
        "SELECT * FROM incident WHERE next_look_ns <= $1
         ORDER BY CASE impact WHEN 'critical' THEN 0 WHEN 'high' THEN 1 ELSE 2 END, next_look_ns, id LIMIT $2",
    )
    .bind(stored(now))
    .bind(most)
    .fetch_all(connection)
    .await?
    .iter()
    .map(incident)
    .collect()
}

/// When the time of the next incident comes.
pub(super) async fn next_look(connection: &mut AnyConnection) -> Result<Option<Timestamp>> {
    sqlx::query_scalar("SELECT MIN(next_look_ns) FROM incident WHERE next_look_ns IS NOT NULL")
        .fetch_one(connection)
        .await
        .map(|found: Option<i64>| found.map(time))
}

/// A message about the incidents of a conversation came to its end, one way or the other: what is open of them is looked at
/// again, and their points count it.
pub(super) async fn told(
    connection: &mut AnyConnection,
    conversation: &str,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "UPDATE incident
         SET next_look_ns = CASE WHEN ended_ns IS NULL THEN $2 ELSE next_look_ns END,
             point_state = 'unwritten', point_version = point_version + 1
         WHERE id IN (SELECT incident_id FROM member WHERE conversation_id = $1)",
    )
    .bind(conversation)
    .bind(stored(now))
    .execute(connection)
    .await
    .map(drop)
}

/// Its point says something else now than what InfluxDB holds.
pub(super) async fn changed(connection: &mut AnyConnection, id: &str) -> Result<()> {
    sqlx::query("UPDATE incident SET point_state = 'unwritten', point_version = point_version + 1 WHERE id = $1")
        .bind(id)
        .execute(connection)
        .await
        .map(drop)
}

/// The incidents of every rule that are open, the oldest first.
pub(super) async fn open(connection: &mut AnyConnection) -> Result<Vec<Incident>> {
    sqlx::query("SELECT * FROM incident WHERE ended_ns IS NULL ORDER BY started_ns, id")
        .fetch_all(connection)
        .await?
        .iter()
        .map(incident)
        .collect()
}

/// The incidents that ended since this moment, the oldest first.
pub(super) async fn ended(
    connection: &mut AnyConnection,
    since: Timestamp,
) -> Result<Vec<Incident>> {
    sqlx::query("SELECT * FROM incident WHERE ended_ns >= $1 ORDER BY started_ns, id")
        .bind(stored(since))
        .fetch_all(connection)
        .await?
        .iter()
        .map(incident)
        .collect()
}

/// The incident of this identity.
pub(super) async fn with_id(connection: &mut AnyConnection, id: &str) -> Result<Option<Incident>> {
    sqlx::query("SELECT * FROM incident WHERE id = $1")
        .bind(id)
        .fetch_optional(connection)
        .await?
        .as_ref()
        .map(incident)
        .transpose()
}

/// An incident whose point is to be written, with what the point says beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwritten {
    /// The incident.
    pub incident: Incident,
    /// Who takes care of it.
    pub acknowledged_by: Option<String>,
    /// When somebody first did.
    pub acknowledged_at: Option<Timestamp>,
    /// How many messages that tell of it were accepted.
    pub deliveries: i64,
    version: i64,
}

/// The incidents whose points InfluxDB does not have as they stand here.
pub async fn unwritten(connection: &mut AnyConnection) -> Result<Vec<Unwritten>> {
    let rows = sqlx::query(
        "SELECT incident.*,
                (SELECT person FROM acknowledgement WHERE acknowledgement.incident_id = incident.id
                 ORDER BY at_ns DESC LIMIT 1) AS acknowledged_by,
                (SELECT MIN(at_ns) FROM acknowledgement WHERE acknowledgement.incident_id = incident.id) AS acknowledged_ns,
                (SELECT COUNT(*) FROM delivery JOIN member ON member.conversation_id = delivery.conversation_id
                 WHERE member.incident_id = incident.id AND delivery.state = 'accepted') AS deliveries
         FROM incident WHERE point_state = 'unwritten' ORDER BY started_ns LIMIT 1000",
    )
    .fetch_all(connection)
    .await?;
    let read = |row: &AnyRow| {
        Ok(Unwritten {
            incident: incident(row)?,
            acknowledged_by: row.try_get("acknowledged_by")?,
            acknowledged_at: row.try_get::<Option<i64>, _>("acknowledged_ns")?.map(time),
            deliveries: row.try_get("deliveries")?,
            version: row.try_get("point_version")?,
        })
    };
    rows.iter().map(read).collect()
}

/// InfluxDB has this incident's point, unless it says something else by now.
pub async fn written(connection: &mut AnyConnection, written: &Unwritten) -> Result<()> {
    sqlx::query("UPDATE incident SET point_state = 'written' WHERE id = $1 AND point_version = $2")
        .bind(&written.incident.id)
        .bind(written.version)
        .execute(connection)
        .await
        .map(drop)
}

/// An incident, of its columns.
pub(super) fn incident(row: &AnyRow) -> Result<Incident> {
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
        form: form(row)?,
        end: ended_ns.zip(ended_run_id).map(|(at, run_id)| End {
            at: time(at),
            run_id,
        }),
    })
}
