//! What is to be sent, to whom, and how far that came.
//!
//! | state | what is known |
//! |---|---|
//! | pending | to be sent, at the earliest at `next_attempt_ns` |
//! | sending | claimed; found at start it means that the process died, and nobody knows whether it arrived |
//! | accepted | the service said that it has it |
//! | refused | the service said that it never will |
//!
//! A message of one conversation never overtakes an earlier one to the same recipient.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::{AnyConnection, Result, Row, any::AnyRow};

use super::{
    conversations::{self, Conversation},
    corrupt, stored,
    threads::{self, Correspondence},
    time,
};

/// The longest that a message waits for its next attempt. One that would have to wait longer was postponed by a clock that
/// was set back since, and is due.
pub const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Users cannot work.
    Opened,
    /// It is more than it was, or less: incidents joined the conversation, or left it.
    Updated,
    /// They can again.
    Closed,
    /// They could not and can again: the first message never went out before it was over.
    Whole,
    /// They still cannot, and nobody said that they take care of it.
    Reminder,
    /// The same, told to those who are told next.
    Escalated,
    /// What happened, told at a set hour.
    Digest,
    /// About Vigía's own delivering.
    Notice,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Opened,
        Self::Updated,
        Self::Closed,
        Self::Whole,
        Self::Reminder,
        Self::Escalated,
        Self::Digest,
        Self::Notice,
    ];

    /// Its name in the store and in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Updated => "updated",
            Self::Closed => "closed",
            Self::Whole => "whole",
            Self::Reminder => "reminder",
            Self::Escalated => "escalated",
            Self::Digest => "digest",
            Self::Notice => "notice",
        }
    }

    /// Whether it says that everything it is about is over.
    #[must_use]
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Closed | Self::Whole)
    }

    /// The kind of this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// One message to one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its identity.
    pub id: String,
    /// What it is about, as it stands now.
    pub conversation: Conversation,
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
    /// What the channel returned when the first message of these was accepted for this recipient.
    pub thread: Option<String>,
}

impl Delivery {
    /// What it is a part of.
    #[must_use]
    pub fn correspondence(&self) -> Correspondence<'_> {
        Correspondence {
            conversation: &self.conversation.id,
            channel: &self.channel,
            recipient: &self.recipient,
        }
    }
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

impl Settlement {
    /// Whether it is not tried again.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Accepted(_) | Self::Refused(_))
    }
}

/// Writes the intent to send down, at the earliest at this moment. Each kind that a conversation has only once is written down
/// only once.
pub async fn intend(
    connection: &mut AnyConnection,
    (conversation, channel, recipient): (&str, &str, &str),
    kind: Kind,
    now: Timestamp,
    not_before: Timestamp,
) -> Result<()> {
    let number = match kind {
        Kind::Updated | Kind::Reminder => format!("/{}", now.as_nanosecond()),
        _ => String::new(),
    };
    sqlx::query(
        "INSERT INTO delivery (id, conversation_id, channel, recipient, kind, state, attempt, uncertain,
                               intended_ns, next_attempt_ns, sequence)
         VALUES ($1, $2, $3, $4, $5, 'pending', 0, 0, $6, $7,
                 (SELECT COALESCE(MAX(sequence), 0) + 1 FROM delivery WHERE conversation_id = $2))
         ON CONFLICT DO NOTHING",
    )
    .bind(format!(
        "{conversation}/{}/{recipient}{number}",
        kind.name()
    ))
    .bind(conversation)
    .bind(channel)
    .bind(recipient)
    .bind(kind.name())
    .bind(stored(now))
    .bind(stored(not_before))
    .execute(connection)
    .await
    .map(drop)
}

/// What waits to be said in between is said at this moment, if that is sooner.
pub async fn bring_forward(
    connection: &mut AnyConnection,
    (conversation, channel, recipient): (&str, &str, &str),
    due: Timestamp,
) -> Result<()> {
    sqlx::query(
        "UPDATE delivery SET next_attempt_ns = $4
         WHERE conversation_id = $1 AND channel = $2 AND recipient = $3 AND kind IN ('updated', 'reminder')
           AND state = 'pending' AND attempt = 0 AND next_attempt_ns > $4",
    )
    .bind(conversation)
    .bind(channel)
    .bind(recipient)
    .bind(stored(due))
    .execute(connection)
    .await
    .map(drop)
}

/// Nothing more is said in this conversation: another one goes on in its place.
pub async fn let_go(connection: &mut AnyConnection, conversation: &str) -> Result<()> {
    sqlx::query(
        "DELETE FROM delivery WHERE conversation_id = $1 AND kind IN ('updated', 'reminder') AND state = 'pending'
           AND uncertain = 0",
    )
    .bind(conversation)
    .execute(connection)
    .await
    .map(drop)
}

/// The end of a conversation goes to whom its beginning went. Where that still waits, it becomes one message that says both.
pub async fn intend_end(
    connection: &mut AnyConnection,
    conversation: &str,
    now: Timestamp,
) -> Result<()> {
    let told: Vec<(String, String)> = sqlx::query_as(
        "SELECT DISTINCT channel, recipient FROM delivery WHERE conversation_id = $1 AND kind IN ('opened', 'escalated')",
    )
    .bind(conversation)
    .fetch_all(&mut *connection)
    .await?;
    for (channel, recipient) in told {
        let to = (conversation, channel.as_str(), recipient.as_str());
        intend(connection, to, Kind::Closed, now, now).await?;
    }
    unite(connection, conversation).await
}

/// Takes the next delivery of a channel that is due, and marks it as being sent: what matters most comes first.
pub async fn claim(
    connection: &mut AnyConnection,
    channel: &str,
    now: Timestamp,
) -> Result<Option<Delivery>> {
    while let Some(id) = due(connection, channel, now).await? {
        sqlx::query("UPDATE delivery SET state = 'sending', attempt = attempt + 1 WHERE id = $1")
            .bind(&id)
            .execute(&mut *connection)
            .await?;
        if let Some(claimed) = with_id(connection, &id).await? {
            return Ok(Some(claimed));
        }
        lose(connection, &id, now).await?;
    }
    Ok(None)
}

/// A delivery that is in the store; nothing where of what it is about nothing was saved from a damaged one.
pub(super) async fn with_id(connection: &mut AnyConnection, id: &str) -> Result<Option<Delivery>> {
    let row = sqlx::query("SELECT * FROM delivery WHERE id = $1")
        .bind(id)
        .fetch_one(&mut *connection)
        .await?;
    let conversation: &str = row.try_get("conversation_id")?;
    let Some(conversation) = conversations::read(connection, conversation).await? else {
        return Ok(None);
    };
    let mut found = delivery(&row, conversation)?;
    found.thread = threads::of(connection, found.correspondence()).await?;
    Ok(Some(found))
}

async fn due(
    connection: &mut AnyConnection,
    channel: &str,
    now: Timestamp,
) -> Result<Option<String>> {
    sqlx::query_scalar(
        "SELECT id FROM delivery AS waiting
         WHERE channel = $1 AND state = 'pending' AND (next_attempt_ns <= $2 OR next_attempt_ns > $3)
           AND NOT EXISTS (SELECT 1 FROM delivery AS earlier
                           WHERE earlier.conversation_id = waiting.conversation_id
                             AND earlier.recipient = waiting.recipient AND earlier.sequence < waiting.sequence
                             AND earlier.state IN ('pending', 'sending'))
         ORDER BY (SELECT CASE impact WHEN 'critical' THEN 0 WHEN 'high' THEN 1 ELSE 2 END FROM conversation
                   WHERE conversation.id = waiting.conversation_id),
                  next_attempt_ns, sequence LIMIT 1",
    )
    .bind(channel)
    .bind(stored(now))
    .bind(stored(now + LONGEST_PAUSE))
    .fetch_optional(connection)
    .await
}

/// Of what the message was about nothing was saved: there is nothing that could be said.
async fn lose(connection: &mut AnyConnection, id: &str, now: Timestamp) -> Result<()> {
    const LOST: &str = "the incidents that it was about are not in the store any more";
    tracing::error!(delivery = id, "a message cannot be sent: {LOST}");
    sqlx::query("UPDATE delivery SET state = 'refused', answer = $2, settled_ns = $3 WHERE id = $1")
        .bind(id)
        .bind(LOST)
        .bind(stored(now))
        .execute(connection)
        .await
        .map(drop)
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

/// Writes down what came of an attempt, and the thread where there is one, once: of an attempt that is not the last any more, or
/// was settled before, nothing.
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
    if let (Settlement::Accepted(_), Some(thread)) = (settlement, &delivery.thread) {
        threads::keep(connection, delivery.correspondence(), thread).await?;
    }
    unite(connection, &delivery.conversation.id).await
}

/// What was being sent when the process died is to be sent again, as a repeat. Says how many these are.
pub async fn recover(connection: &mut AnyConnection) -> Result<u64> {
    let interrupted =
        sqlx::query("UPDATE delivery SET state = 'pending', uncertain = 1 WHERE state = 'sending'")
            .execute(&mut *connection)
            .await?
            .rows_affected();
    let ended: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT conversation_id FROM delivery WHERE kind = 'closed' AND state = 'pending'",
    )
    .fetch_all(&mut *connection)
    .await?;
    for conversation in ended {
        unite(connection, &conversation).await?;
    }
    Ok(interrupted)
}

/// Where the beginning of a conversation still waits and its end waits too, one message says both; who was refused the beginning is
/// not told the end. What would have been said between them is not said any more.
async fn unite(connection: &mut AnyConnection, conversation: &str) -> Result<()> {
    sqlx::query(
        "UPDATE delivery SET kind = 'whole'
         WHERE conversation_id = $1 AND kind IN ('opened', 'escalated') AND state = 'pending'
           AND EXISTS (SELECT 1 FROM delivery AS ending
                       WHERE ending.conversation_id = delivery.conversation_id AND ending.recipient = delivery.recipient
                         AND ending.kind = 'closed' AND ending.state = 'pending')",
    )
    .bind(conversation)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "DELETE FROM delivery
         WHERE conversation_id = $1 AND kind = 'closed' AND state = 'pending'
           AND NOT EXISTS (SELECT 1 FROM delivery AS beginning
                           WHERE beginning.conversation_id = delivery.conversation_id AND beginning.recipient = delivery.recipient
                             AND beginning.kind IN ('opened', 'escalated') AND beginning.state <> 'refused')",
    )
    .bind(conversation)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "DELETE FROM delivery
         WHERE conversation_id = $1 AND kind IN ('updated', 'reminder') AND state = 'pending' AND uncertain = 0
           AND EXISTS (SELECT 1 FROM delivery AS ending
                       WHERE ending.conversation_id = delivery.conversation_id AND ending.recipient = delivery.recipient
                         AND ending.kind IN ('closed', 'whole'))",
    )
    .bind(conversation)
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

/// How far one message came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The delivery's identity.
    pub id: String,
    /// The conversation's.
    pub conversation: String,
    /// The channel's name.
    pub channel: String,
    /// Whom it is for.
    pub recipient: String,
    /// What it says.
    pub kind: Kind,
    /// See the table above.
    pub state: State,
    /// Attempts so far.
    pub attempts: usize,
    /// When it was decided to send it.
    pub intended_at: Timestamp,
    /// When it is tried next, while it is pending.
    pub next_attempt: Timestamp,
    /// When the last attempt came to something.
    pub settled_at: Option<Timestamp>,
    /// What the service said, or why the last attempt came to nothing.
    pub answer: Option<String>,
}

/// How far a message came; see the table above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table of the module says it")]
pub enum State {
    Pending,
    Sending,
    Accepted,
    Refused,
}

impl State {
    const ALL: [Self; 4] = [Self::Pending, Self::Sending, Self::Accepted, Self::Refused];

    /// Its name in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sending => "sending",
            Self::Accepted => "accepted",
            Self::Refused => "refused",
        }
    }
}

/// The messages of the conversations that an incident is part of, in the order of their time.
pub async fn of_incident(connection: &mut AnyConnection, incident: &str) -> Result<Vec<Progress>> {
    sqlx::query(
        "SELECT delivery.* FROM delivery JOIN member ON member.conversation_id = delivery.conversation_id
         WHERE member.incident_id = $1 ORDER BY delivery.intended_ns, delivery.sequence",
    )
    .bind(incident)
    .fetch_all(connection)
    .await?
    .iter()
    .map(progress)
    .collect()
}

/// The newest messages, the newest first.
pub async fn newest(connection: &mut AnyConnection, most: i64) -> Result<Vec<Progress>> {
    sqlx::query("SELECT * FROM delivery ORDER BY intended_ns DESC, sequence DESC, id LIMIT $1")
        .bind(most)
        .fetch_all(connection)
        .await?
        .iter()
        .map(progress)
        .collect()
}

/// The messages of a conversation.
pub(super) async fn of_conversation(
    connection: &mut AnyConnection,
    conversation: &str,
) -> Result<Vec<Progress>> {
    sqlx::query("SELECT * FROM delivery WHERE conversation_id = $1 ORDER BY sequence")
        .bind(conversation)
        .fetch_all(connection)
        .await?
        .iter()
        .map(progress)
        .collect()
}

fn progress(row: &AnyRow) -> Result<Progress> {
    let state: &str = row.try_get("state")?;
    Ok(Progress {
        id: row.try_get("id")?,
        conversation: row.try_get("conversation_id")?,
        channel: row.try_get("channel")?,
        recipient: row.try_get("recipient")?,
        kind: kind(row)?,
        state: State::ALL
            .into_iter()
            .find(|known| known.name() == state)
            .ok_or_else(|| corrupt("state", state))?,
        attempts: attempt(row)?,
        intended_at: time(row.try_get("intended_ns")?),
        next_attempt: time(row.try_get("next_attempt_ns")?),
        settled_at: row.try_get::<Option<i64>, _>("settled_ns")?.map(time),
        answer: row.try_get("answer")?,
    })
}

fn kind(row: &AnyRow) -> Result<Kind> {
    let kind: &str = row.try_get("kind")?;
    Kind::from_name(kind).ok_or_else(|| corrupt("kind", kind))
}

fn attempt(row: &AnyRow) -> Result<usize> {
    let attempt: i64 = row.try_get("attempt")?;
    usize::try_from(attempt).map_err(|_| corrupt("attempt", &attempt.to_string()))
}

fn delivery(row: &AnyRow, conversation: Conversation) -> Result<Delivery> {
    Ok(Delivery {
        id: row.try_get("id")?,
        conversation,
        channel: row.try_get("channel")?,
        recipient: row.try_get("recipient")?,
        kind: kind(row)?,
        attempt: attempt(row)?,
        is_repeat: row.try_get::<i64, _>("uncertain")? != 0,
        thread: None,
    })
}
