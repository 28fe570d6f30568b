//! Which messages a picture is to follow, and how far that came. It is written down together with the fate of its message.
//!
//! | state | what is known |
//! |---|---|
//! | pending | to be sent, at the earliest at `next_attempt_ns` |
//! | sending | claimed; found at start it means that the process died, and it is sent again |
//! | accepted | the service said that it has it |
//! | given up | the message stays without; `answer` says why |

use std::time::Duration;

use jiff::Timestamp;
use sqlx::{AnyConnection, Result, Row, any::AnyRow};

use super::{
    StoreError,
    ledger::Ledger,
    outbox::{self, Delivery, LONGEST_PAUSE},
    stored, time,
};

/// Of one channel no more wait at a time: in a storm the first ones are what people look at.
const MOST: i64 = 200;

/// Nobody looks any more at the picture of a message that is older than this.
const OLDEST: Duration = Duration::from_hours(1);

/// That a picture is to follow a message that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// What the service calls the message, where it said so.
    pub message: Option<String>,
}

/// A picture that is being sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// What it follows, as its conversation stands now.
    pub delivery: Delivery,
    /// What the service calls that.
    pub message: Option<String>,
    /// How often it was tried and did not arrive.
    pub failures: i64,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The service has it, and said this.
    Accepted(String),
    /// The message stays without, for this reason.
    GivenUp(String),
    /// It did not arrive, for this reason; it is tried again then.
    Postponed(String, Timestamp),
}

impl Ledger {
    /// When the next picture of a channel is due, if any waits.
    pub async fn next_picture(
        &self,
        channel: &str,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let channel = channel.to_owned();
        self.read(move |connection| {
            Box::pin(async move { next_due(connection, &channel, now).await })
        })
        .await
    }

    /// Takes the next picture of a channel that is due, and marks it as being sent.
    pub async fn claim_picture(
        &self,
        channel: &str,
        now: Timestamp,
    ) -> Result<Option<Wanted>, StoreError> {
        let channel = channel.to_owned();
        self.write(move |transaction, _| {
            Box::pin(async move { claim(transaction, &channel, now).await })
        })
        .await
    }

    /// Says what came of a picture.
    pub async fn settle_picture(&self, wanted: &Wanted, fate: Fate) -> Result<(), StoreError> {
        let delivery = wanted.delivery.id.clone();
        self.write(move |transaction, _| {
            Box::pin(async move { write(transaction, &delivery, &fate).await })
        })
        .await
    }
}

/// Writes down that a picture is to follow, once for each message.
pub(super) async fn intend(
    connection: &mut AnyConnection,
    delivery: &Delivery,
    intent: &Intent,
    now: Timestamp,
) -> Result<()> {
    let waiting: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM picture WHERE channel = $1 AND state IN ('pending', 'sending')",
    )
    .bind(&delivery.channel)
    .fetch_one(&mut *connection)
    .await?;
    let incident = &delivery.conversation.lead().id;
    if waiting >= MOST {
        tracing::warn!(
            incident,
            "so many pictures wait that this one is not sent; the message was"
        );
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO picture (delivery_id, channel, incident_id, message, state, failures, accepted_ns, next_attempt_ns)
         VALUES ($1, $2, $3, $4, 'pending', 0, $5, $5) ON CONFLICT DO NOTHING",
    )
    .bind(&delivery.id)
    .bind(&delivery.channel)
    .bind(incident)
    .bind(&intent.message)
    .bind(stored(now))
    .execute(connection)
    .await
    .map(drop)
}

/// What was being sent when the process died is sent again.
pub(super) async fn recover(connection: &mut AnyConnection) -> Result<()> {
    sqlx::query("UPDATE picture SET state = 'pending' WHERE state = 'sending'")
        .execute(connection)
        .await
        .map(drop)
}

async fn next_due(
    connection: &mut AnyConnection,
    channel: &str,
    now: Timestamp,
) -> Result<Option<Timestamp>> {
    let next: Option<i64> = sqlx::query_scalar(
        "SELECT MIN(next_attempt_ns) FROM picture WHERE channel = $1 AND state = 'pending'",
    )
    .bind(channel)
    .fetch_one(connection)
    .await?;
    // What would wait longer was postponed by a clock that was set back since.
    Ok(next.map(time).map(|next| {
        if next > now + LONGEST_PAUSE {
            now
        } else {
            next
        }
    }))
}

async fn claim(
    connection: &mut AnyConnection,
    channel: &str,
    now: Timestamp,
) -> Result<Option<Wanted>> {
    while let Some(row) = due(connection, channel, now).await? {
        let id: &str = row.try_get("delivery_id")?;
        let reason = if time(row.try_get("accepted_ns")?) < now - OLDEST {
            "it would come too late"
        } else if let Some(mut delivery) = outbox::with_id(connection, id).await? {
            let incident: &str = row.try_get("incident_id")?;
            // Stable: what the message leads with comes before the others, which keep their order.
            let incidents = &mut delivery.conversation.incidents;
            incidents.sort_by_key(|member| member.id != incident);
            sqlx::query("UPDATE picture SET state = 'sending' WHERE delivery_id = $1")
                .bind(id)
                .execute(&mut *connection)
                .await?;
            return Ok(Some(Wanted {
                message: row.try_get("message")?,
                failures: row.try_get("failures")?,
                delivery,
            }));
        } else {
            "the incidents that its message was about are not in the store any more"
        };
        tracing::warn!(delivery = id, reason, "a message goes without its picture");
        write(connection, id, &Fate::GivenUp(reason.to_owned())).await?;
    }
    Ok(None)
}

async fn due(
    connection: &mut AnyConnection,
    channel: &str,
    now: Timestamp,
) -> Result<Option<AnyRow>> {
    sqlx::query(
        "SELECT * FROM picture
         WHERE channel = $1 AND state = 'pending' AND (next_attempt_ns <= $2 OR next_attempt_ns > $3)
         ORDER BY next_attempt_ns, delivery_id LIMIT 1",
    )
    .bind(channel)
    .bind(stored(now))
    .bind(stored(now + LONGEST_PAUSE))
    .fetch_optional(connection)
    .await
}

async fn write(connection: &mut AnyConnection, delivery: &str, fate: &Fate) -> Result<()> {
    let (state, answer, next, failures) = match fate {
        Fate::Accepted(answer) => ("accepted", answer, None, 0_i64),
        Fate::GivenUp(reason) => ("given_up", reason, None, 0),
        Fate::Postponed(reason, next) => ("pending", reason, Some(next), 1),
    };
    sqlx::query(
        "UPDATE picture SET state = $2, answer = $3, next_attempt_ns = COALESCE($4, next_attempt_ns), failures = failures + $5
         WHERE delivery_id = $1",
    )
    .bind(delivery)
    .bind(state)
    .bind(answer)
    .bind(next.map(|next| stored(*next)))
    .bind(failures)
    .execute(connection)
    .await
    .map(drop)
}
