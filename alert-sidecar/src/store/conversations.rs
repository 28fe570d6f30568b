//! What one message and its followers are about: incidents that are told together, on one channel.

use jiff::Timestamp;
use sqlx::{AnyConnection, Result, Row};
use vigia_contract::data_model::Impact;

use super::{incidents, stored, time};
use crate::incident::Incident;

/// Incidents that are told together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// Its identity: that of its first incident, and the channel.
    pub id: String,
    /// At least one. The first is what a message leads with: what goes on, what others follow from, what matters most.
    pub incidents: Vec<Incident>,
}

impl Conversation {
    /// The incident that a message leads with.
    #[must_use]
    pub fn lead(&self) -> &Incident {
        self.incidents
            .first()
            .expect("a conversation without incidents is not read")
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

/// In what way a conversation goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Until its last incident ends.
    Live,
    /// Not at all: it is told once.
    Digest,
}

/// A conversation that is begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beginning<'a> {
    /// Its identity.
    pub id: &'a str,
    /// The channel's name.
    pub channel: &'a str,
    /// In what way it goes on.
    pub form: Form,
    /// What its incidents have in common.
    pub common: &'a str,
    /// How much it matters.
    pub impact: Impact,
}

/// Begins a conversation, once.
pub async fn begin(
    connection: &mut AnyConnection,
    beginning: &Beginning<'_>,
    now: Timestamp,
) -> Result<()> {
    let form = match beginning.form {
        Form::Live => "live",
        Form::Digest => "digest",
    };
    sqlx::query(
        "INSERT INTO conversation (id, channel, form, common, impact, started_ns) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT DO NOTHING",
    )
    .bind(beginning.id)
    .bind(beginning.channel)
    .bind(form)
    .bind(beginning.common)
    .bind(beginning.impact.name())
    .bind(stored(now))
    .execute(connection)
    .await
    .map(drop)
}

/// Takes an incident into a conversation, once; with what it follows from, where it is told inside that.
pub async fn join(
    connection: &mut AnyConnection,
    conversation: &str,
    incident: &str,
    cause: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO member (conversation_id, incident_id, joined_ns, cause_id) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING",
    )
    .bind(conversation)
    .bind(incident)
    .bind(stored(now))
    .bind(cause)
    .execute(connection)
    .await
    .map(drop)
}

/// The live conversations that go on, as identity, channel, what they have in common, and since when.
pub async fn open(
    connection: &mut AnyConnection,
) -> Result<Vec<(String, String, String, Timestamp)>> {
    let found: Vec<(String, String, String, i64)> = sqlx::query_as(
        "SELECT id, channel, common, started_ns FROM conversation WHERE ended_ns IS NULL AND form = 'live'
         ORDER BY started_ns DESC, id",
    )
    .fetch_all(connection)
    .await?;
    let found = found.into_iter();
    Ok(found
        .map(|(id, channel, common, started)| (id, channel, common, time(started)))
        .collect())
}

/// The live conversations that an incident is part of, as identity and channel; those that ended too.
pub async fn live_of(
    connection: &mut AnyConnection,
    incident: &str,
) -> Result<Vec<(String, String)>> {
    sqlx::query_as(
        "SELECT conversation.id, conversation.channel FROM conversation
         JOIN member ON member.conversation_id = conversation.id
         WHERE member.incident_id = $1 AND conversation.form = 'live' ORDER BY conversation.started_ns, conversation.id",
    )
    .bind(incident)
    .fetch_all(connection)
    .await
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

/// Those in a conversation that followed from this incident and go on.
pub async fn followers(
    connection: &mut AnyConnection,
    conversation: &str,
    cause: &str,
) -> Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT incident.id FROM member JOIN incident ON incident.id = member.incident_id
         WHERE member.conversation_id = $1 AND member.cause_id = $2 AND incident.ended_ns IS NULL",
    )
    .bind(conversation)
    .bind(cause)
    .fetch_all(connection)
    .await
}

/// A conversation with its incidents as they stand now; nothing where none of them is known, as in a store that was saved from a
/// damaged one.
pub async fn read(connection: &mut AnyConnection, id: &str) -> Result<Option<Conversation>> {
    // What goes on comes first, then what others follow from, then what matters most.
    let rows = sqlx::query(
        "SELECT incident.* FROM member JOIN incident ON incident.id = member.incident_id
         WHERE member.conversation_id = $1
         ORDER BY CASE WHEN incident.ended_ns IS NULL THEN 0 ELSE 1 END,
                  CASE WHEN member.cause_id IS NULL THEN 0 ELSE 1 END,
                  CASE incident.impact WHEN 'critical' THEN 0 WHEN 'high' THEN 1 ELSE 2 END,
                  incident.started_ns, incident.id",
    )
    .bind(id)
    .fetch_all(connection)
    .await?;
    let incidents = rows.iter().map(incidents::incident);
    let incidents = incidents.collect::<Result<Vec<_>>>()?;
    Ok((!incidents.is_empty()).then(|| Conversation {
        id: id.to_owned(),
        incidents,
    }))
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
