//! What is to be sent, to whom, and how far that came.
//!
//! | state | what is known |
//! |---|---|
//! | pending | to be sent, at the earliest at `next_attempt_ns` |
//! | sending | claimed; found at start it means that the process died, and nobody knows whether it arrived |
//! | accepted | the service said that it has it |
//! | refused | the service said that it never will |
//!
//! A message of one incident never overtakes an earlier one to the same recipient.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::{AnyConnection, Result, Row, any::AnyRow};

use super::{corrupt, incidents, stored, time};
use crate::incident::Incident;

/// The longest that a message waits for its next attempt. One that would have to wait longer was postponed by a clock that
/// was set back since, and is due.
pub const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Users cannot work.
    Opened,
    /// They can again.
    Closed,
    /// They could not and can again: the first message never went out before it was over.
    Whole,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Opened, Self::Closed, Self::Whole];

    /// Its name in the store and in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Closed => "closed",
            Self::Whole => "whole",
        }
    }
}

/// One message to one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its identity.
    pub id: String,
    /// What it is about, as it stands now.
    pub incident: Incident,
    /// The channel's name.
    pub channel: String,
    /// Whom the channel brings it to.
    pub recipient: String,
    /// What it says.
    pub kind: Kind,
    /// Counted from 1.
    pub attempt: usize,
    /// Whether an earlier attempt may have arrived.
    pub is_repeat: bool,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// The service has it, and said this.
    Accepted(String),
    /// The service never will take it, and said this.
    Refused(String),
    /// It did not arrive, for this reason; it is tried again then.
    Postponed(String, Timestamp),
    /// Nobody knows whether it arrived, for this reason; it is tried again then, as a repeat.
    Uncertain(String, Timestamp),
}

/// Writes the intent to send down, once.
pub async fn intend(
    connection: &mut AnyConnection,
    incident: &Incident,
    (channel, recipient): (&str, &str),
    kind: Kind,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO delivery (id, incident_id, channel, recipient, kind, state, attempt, uncertain,
                               intended_ns, next_attempt_ns, sequence)
         VALUES ($1, $2, $3, $4, $5, 'pending', 0, 0, $6, $6,
                 (SELECT COALESCE(MAX(sequence), 0) + 1 FROM delivery WHERE incident_id = $2))
         ON CONFLICT DO NOTHING",
    )
    .bind(format!("{}/{}/{channel}/{recipient}", incident.id, kind.name()))
    .bind(&incident.id)
    .bind(channel)
    .bind(recipient)
    .bind(kind.name())
    .bind(stored(now))
    .execute(connection)
    .await
    .map(drop)
}

/// The end of an incident goes to whom its beginning went. Where that still waits, it becomes one message that says both.
pub async fn intend_end(
    connection: &mut AnyConnection,
    incident: &Incident,
    now: Timestamp,
) -> Result<()> {
    let told: Vec<(String, String)> = sqlx::query_as(
        "SELECT channel, recipient FROM delivery WHERE incident_id = $1 AND kind = 'opened'",
    )
    .bind(&incident.id)
    .fetch_all(&mut *connection)
    .await?;
    for (channel, recipient) in told {
        let to = (channel.as_str(), recipient.as_str());
        intend(connection, incident, to, Kind::Closed, now).await?;
    }
    unite(connection, &incident.id).await
}

/// Takes the next delivery of a channel that is due, and marks it as being sent.
pub async fn claim(
    connection: &mut AnyConnection,
    channel: &str,
    now: Timestamp,
) -> Result<Option<Delivery>> {
    let id: Option<String> = sqlx::query_scalar(
        "SELECT id FROM delivery AS waiting
         WHERE channel = $1 AND state = 'pending' AND (next_attempt_ns <= $2 OR next_attempt_ns > $3)
           AND NOT EXISTS (SELECT 1 FROM delivery AS earlier
                           WHERE earlier.incident_id = waiting.incident_id AND earlier.channel = waiting.channel
                             AND earlier.recipient = waiting.recipient AND earlier.sequence < waiting.sequence
                             AND earlier.state IN ('pending', 'sending'))
         ORDER BY next_attempt_ns, sequence LIMIT 1",
    )
    .bind(channel)
    .bind(stored(now))
    .bind(stored(now + LONGEST_PAUSE))
    .fetch_optional(&mut *connection)
    .await?;
    let Some(id) = id else { return Ok(None) };
    sqlx::query("UPDATE delivery SET state = 'sending', attempt = attempt + 1 WHERE id = $1")
        .bind(&id)
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "SELECT incident.*, delivery.id AS delivery_id, channel, recipient, kind, attempt, uncertain
         FROM delivery JOIN incident ON incident.id = delivery.incident_id WHERE delivery.id = $1",
    )
    .bind(&id)
    .fetch_one(connection)
    .await
    .and_then(|row| delivery(&row).map(Some))
}

/// When the next delivery of a channel is due.
pub async fn next_due(connection: &mut AnyConnection, channel: &str) -> Result<Option<Timestamp>> {
    sqlx::query_scalar(
        "SELECT MIN(next_attempt_ns) FROM delivery WHERE channel = $1 AND state = 'pending'",
    )
    .bind(channel)
    .fetch_one(connection)
    .await
    .map(|found: Option<i64>| found.map(time))
}

/// Writes down what came of an attempt, once: of an attempt that is not the last any more, or was settled before, nothing.
pub async fn settle(
    connection: &mut AnyConnection,
    delivery: &Delivery,
    settlement: &Settlement,
    now: Timestamp,
) -> Result<()> {
    let (state, answer, next, uncertain) = match settlement {
        Settlement::Accepted(answer) => ("accepted", answer, None, false),
        Settlement::Refused(answer) => ("refused", answer, None, false),
        Settlement::Postponed(reason, next) => ("pending", reason, Some(next), false),
        Settlement::Uncertain(reason, next) => ("pending", reason, Some(next), true),
    };
    sqlx::query(
        "UPDATE delivery SET state = $2, answer = $3, next_attempt_ns = COALESCE($4, next_attempt_ns),
                             settled_ns = $5, uncertain = CASE WHEN $6 THEN 1 ELSE uncertain END
         WHERE id = $1 AND state = 'sending' AND attempt = $7",
    )
    .bind(&delivery.id)
    .bind(state)
    .bind(answer)
    .bind(next.map(|next| stored(*next)))
    .bind(stored(now))
    .bind(uncertain)
    .bind(i64::try_from(delivery.attempt).unwrap_or(i64::MAX))
    .execute(&mut *connection)
    .await?;
    unite(connection, &delivery.incident.id).await
}

/// What was being sent when the process died is to be sent again, as a repeat. Says how many these are.
pub async fn recover(connection: &mut AnyConnection) -> Result<u64> {
    let interrupted =
        sqlx::query("UPDATE delivery SET state = 'pending', uncertain = 1 WHERE state = 'sending'")
            .execute(&mut *connection)
            .await?
            .rows_affected();
    let ended: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT incident_id FROM delivery WHERE kind = 'closed' AND state = 'pending'",
    )
    .fetch_all(&mut *connection)
    .await?;
    for incident in ended {
        unite(connection, &incident).await?;
    }
    Ok(interrupted)
}

/// Where the beginning of an incident still waits and the end waits too, one message says both; who was refused the beginning is not told
/// the end.
async fn unite(connection: &mut AnyConnection, incident: &str) -> Result<()> {
    sqlx::query(
        "UPDATE delivery SET kind = 'whole'
         WHERE incident_id = $1 AND kind = 'opened' AND state = 'pending'
           AND EXISTS (SELECT 1 FROM delivery AS ending
                       WHERE ending.incident_id = delivery.incident_id AND ending.channel = delivery.channel
                         AND ending.recipient = delivery.recipient
                         AND ending.kind = 'closed' AND ending.state = 'pending')",
    )
    .bind(incident)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "DELETE FROM delivery
         WHERE incident_id = $1 AND kind = 'closed' AND state = 'pending'
           AND EXISTS (SELECT 1 FROM delivery AS beginning
                       WHERE beginning.incident_id = delivery.incident_id AND beginning.channel = delivery.channel
                         AND beginning.recipient = delivery.recipient
                         AND (beginning.kind = 'whole' OR (beginning.kind = 'opened' AND beginning.state = 'refused')))",
    )
    .bind(incident)
    .execute(connection)
    .await
    .map(drop)
}

/// The channels that something waits for.
pub async fn waiting_channels(connection: &mut AnyConnection) -> Result<Vec<String>> {
    sqlx::query_scalar("SELECT DISTINCT channel FROM delivery WHERE state = 'pending'")
        .fetch_all(connection)
        .await
}

fn delivery(row: &AnyRow) -> Result<Delivery> {
    let kind: &str = row.try_get("kind")?;
    let attempt: i64 = row.try_get("attempt")?;
    Ok(Delivery {
        id: row.try_get("delivery_id")?,
        incident: incidents::incident(row)?,
        channel: row.try_get("channel")?,
        recipient: row.try_get("recipient")?,
        kind: Kind::ALL
            .into_iter()
            .find(|known| known.name() == kind)
            .ok_or_else(|| corrupt("kind", kind))?,
        attempt: usize::try_from(attempt).map_err(|_| corrupt("attempt", &attempt.to_string()))?,
        is_repeat: row.try_get::<i64, _>("uncertain")? != 0,
    })
}
