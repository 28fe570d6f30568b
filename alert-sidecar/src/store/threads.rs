//! Where a conversation goes on, for each channel and recipient: a text that only the channel reads.

use sqlx::{AnyConnection, Result};

/// One conversation with one recipient.
#[derive(Clone, Copy, Debug)]
pub struct Correspondence<'a> {
    /// The conversation's identity.
    pub conversation: &'a str,
    /// The channel's name.
    pub channel: &'a str,
    /// Who is told.
    pub recipient: &'a str,
}

/// What the channel returned, if it ever did.
pub async fn of(
    connection: &mut AnyConnection,
    correspondence: Correspondence<'_>,
) -> Result<Option<String>> {
    sqlx::query_scalar(
        "SELECT thread FROM thread WHERE conversation_id = $1 AND channel = $2 AND recipient = $3",
    )
    .bind(correspondence.conversation)
    .bind(correspondence.channel)
    .bind(correspondence.recipient)
    .fetch_optional(connection)
    .await
}

/// Keeps what the channel returned. The first message is the one that all others go under.
pub async fn keep(
    connection: &mut AnyConnection,
    correspondence: Correspondence<'_>,
    thread: &str,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO thread (conversation_id, channel, recipient, thread) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING",
    )
    .bind(correspondence.conversation)
    .bind(correspondence.channel)
    .bind(correspondence.recipient)
    .bind(thread)
    .execute(connection)
    .await
    .map(drop)
}
