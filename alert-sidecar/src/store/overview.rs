//! What a person wants to see at a glance: the newest runs, what is open, and what became of the last messages.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::{AnyConnection, Result, Row, any::AnyRow};

use super::{
    conversations::{self, Conversation},
    decisions, incidents, observations,
    outbox::{self, Progress},
    time,
};
use crate::{flux::Observation, incident::Incident, route::silence::Silence};

/// How many of the newest messages are shown.
const MESSAGES: i64 = 20;

/// All of it, as it stands at one moment.
#[derive(Clone, Debug, Default)]
pub struct Overview {
    /// The newest run of every series, by the name of the rule that read it.
    pub runs: Vec<(String, Observation)>,
    /// The incidents that are open, the oldest first.
    pub open: Vec<Incident>,
    /// Who takes care of them, by their identities.
    pub acknowledged: BTreeMap<String, String>,
    /// What is muted, now or later.
    pub silences: Vec<Silence>,
    /// When the last incident of each system ended.
    pub ended: Vec<(String, Timestamp)>,
    /// The newest messages, the newest first, each with what it is about.
    pub messages: Vec<(Progress, Conversation)>,
    /// How each channel fares.
    pub channels: Vec<ChannelStanding>,
}

/// How a channel fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelStanding {
    /// Its name.
    pub name: String,
    /// How many messages wait.
    pub waiting: i64,
    /// Since when the oldest of them waits that was tried in vain.
    pub failing_since: Option<Timestamp>,
    /// When it took a message last.
    pub accepted: Option<Timestamp>,
    /// When it refused one for good last.
    pub refused: Option<Timestamp>,
    /// How many it took.
    pub accepted_total: i64,
    /// How many it refused for good.
    pub refused_total: i64,
}

/// Reads it.
pub(super) async fn read(connection: &mut AnyConnection, now: Timestamp) -> Result<Overview> {
    let ended: Vec<(String, i64)> = sqlx::query_as(
        "SELECT system, MAX(ended_ns) FROM incident WHERE ended_ns IS NOT NULL GROUP BY system",
    )
    .fetch_all(&mut *connection)
    .await?;
    let acknowledged: Vec<(String, String)> = sqlx::query_as(
        "SELECT incident_id, person FROM acknowledgement JOIN incident ON incident.id = incident_id
         WHERE ended_ns IS NULL ORDER BY at_ns",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut messages = Vec::new();
    for progress in outbox::newest(connection, MESSAGES).await? {
        let conversation = conversations::read(connection, &progress.conversation).await?;
        messages.extend(conversation.map(|conversation| (progress, conversation)));
    }
    Ok(Overview {
        runs: observations::newest_of_all(connection).await?,
        open: incidents::open(connection).await?,
        acknowledged: acknowledged.into_iter().collect(),
        silences: decisions::silences(connection, now).await?,
        ended: ended
            .into_iter()
            .map(|(system, at)| (system, time(at)))
            .collect(),
        messages,
        channels: channels(connection).await?,
    })
}

async fn channels(connection: &mut AnyConnection) -> Result<Vec<ChannelStanding>> {
    sqlx::query(
        "SELECT channel,
                SUM(CASE WHEN state IN ('pending', 'sending') THEN 1 ELSE 0 END) AS waiting,
                MIN(CASE WHEN state IN ('pending', 'sending') AND answer IS NOT NULL THEN intended_ns END) AS failing_ns,
                MAX(CASE WHEN state = 'accepted' THEN settled_ns END) AS accepted_ns,
                MAX(CASE WHEN state = 'refused' THEN settled_ns END) AS refused_ns,
                SUM(CASE WHEN state = 'accepted' THEN 1 ELSE 0 END) AS accepted_total,
                SUM(CASE WHEN state = 'refused' THEN 1 ELSE 0 END) AS refused_total
         FROM delivery GROUP BY channel ORDER BY channel",
    )
    .fetch_all(connection)
    .await?
    .iter()
    .map(channel)
    .collect()
}

fn channel(row: &AnyRow) -> Result<ChannelStanding> {
    let at = |column: &str| Ok::<_, sqlx::Error>(row.try_get::<Option<i64>, _>(column)?.map(time));
    Ok(ChannelStanding {
        name: row.try_get("channel")?,
        waiting: row.try_get("waiting")?,
        failing_since: at("failing_ns")?,
        accepted: at("accepted_ns")?,
        refused: at("refused_ns")?,
        accepted_total: row.try_get("accepted_total")?,
        refused_total: row.try_get("refused_total")?,
    })
}
