//! What one message and its followers are about: incidents that are told together, on one channel.

use jiff::Timestamp;
use sqlx::{AnyConnection, Result, Row};

use super::{incidents, stored, time};
use crate::incident::Incident;

/// Incidents that are told together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// Its identity: that of its first incident, and the channel.
    pub id: String,
    /// At least one. The first is what a message leads with: what others follow from, what matters most, what goes on.
    pub incidents: Vec<Incident>,
}

impl Conversation {
    /// The incident that a message leads with.
    #[must_use]
    pub fn lead(&self) -> &Incident {
        self.incidents
            .first()
            .expect("a conversation is about something: it is begun with its first incident")
    }
}

/// A conversation from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// Its identity.
    pub id: String,
    /// The channel's name.
    pub channel: String,
    /// When it was begun.
    pub started_at: Timestamp,
    /// When its last incident ended.
    pub ended_at: Option<Timestamp>,
    /// The identities of its incidents.
    pub incidents: Vec<String>,
}

/// Begins a conversation about this incident, once; gives its identity.
pub async fn begin(
    connection: &mut AnyConnection,
    incident: &Incident,
    channel: &str,
    now: Timestamp,
) -> Result<String> {
    let id = format!("{}/{channel}", incident.id);
    sqlx::query(
        "INSERT INTO conversation (id, channel, form, common, started_ns) VALUES ($1, $2, 'live', '', $3)
         ON CONFLICT DO NOTHING",
    )
    .bind(&id)
    .bind(channel)
    .bind(stored(now))
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO member (conversation_id, incident_id, joined_ns) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(&id)
    .bind(&incident.id)
    .bind(stored(now))
    .execute(connection)
    .await?;
    Ok(id)
}

/// Ends the conversations whose last incident this was, which is written down as ended; gives their identities.
pub async fn end_of(
    connection: &mut AnyConnection,
    incident: &str,
    now: Timestamp,
) -> Result<Vec<String>> {
    let over: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM conversation JOIN member ON member.conversation_id = conversation.id
         WHERE member.incident_id = $1 AND conversation.form = 'live' AND conversation.ended_ns IS NULL
           AND NOT EXISTS (SELECT 1 FROM member AS other JOIN incident ON incident.id = other.incident_id
                           WHERE other.conversation_id = conversation.id AND incident.ended_ns IS NULL)",
    )
    .bind(incident)
    .fetch_all(&mut *connection)
    .await?;
    for conversation in &over {
        sqlx::query("UPDATE conversation SET ended_ns = $2 WHERE id = $1")
            .bind(conversation)
            .bind(stored(now))
            .execute(&mut *connection)
            .await?;
    }
    Ok(over)
}

/// A conversation with its incidents as they stand now.
pub async fn read(connection: &mut AnyConnection, id: &str) -> Result<Conversation> {
    // What others follow from comes first, then what matters most, then what goes on.
    let rows = sqlx::query(
        "SELECT incident.* FROM member JOIN incident ON incident.id = member.incident_id
         WHERE member.conversation_id = $1
         ORDER BY CASE WHEN member.cause_id IS NULL THEN 0 ELSE 1 END,
                  CASE WHEN incident.ended_ns IS NULL THEN 0 ELSE 1 END,
                  CASE incident.impact WHEN 'critical' THEN 0 WHEN 'high' THEN 1 ELSE 2 END,
                  incident.started_ns, incident.id",
    )
    .bind(id)
    .fetch_all(connection)
    .await?;
    let incidents = rows.iter().map(incidents::incident);
    Ok(Conversation {
        id: id.to_owned(),
        incidents: incidents.collect::<Result<_>>()?,
    })
}

/// The conversations that an incident is part of.
pub async fn of_incident(connection: &mut AnyConnection, incident: &str) -> Result<Vec<Outline>> {
    let rows = sqlx::query(
        "SELECT conversation.* FROM conversation JOIN member ON member.conversation_id = conversation.id
         WHERE member.incident_id = $1 ORDER BY conversation.started_ns, conversation.id",
    )
    .bind(incident)
    .fetch_all(&mut *connection)
    .await?;
    let mut outlines = Vec::with_capacity(rows.len());
    for row in rows {
        let id: String = row.try_get("id")?;
        let incidents = sqlx::query_scalar(
            "SELECT incident_id FROM member WHERE conversation_id = $1 ORDER BY joined_ns, incident_id",
        )
        .bind(&id)
        .fetch_all(&mut *connection)
        .await?;
        outlines.push(Outline {
            id,
            channel: row.try_get("channel")?,
            started_at: time(row.try_get("started_ns")?),
            ended_at: row.try_get::<Option<i64>, _>("ended_ns")?.map(time),
            incidents,
        });
    }
    Ok(outlines)
}
