//! What a poll brought, judged inside the transaction that writes it down.
//!
//! The runs, the incidents that follow from them, the intents to send and the rule's progress are committed together: after
//! a crash either all of it is there or none, and then it is read again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sqlx::{Connection, SqliteConnection};

use super::{
    incidents, observations,
    outbox::{self, Kind},
};
use crate::{
    flux::{Rule, Series, poll::Answer},
    incident::{Change, follow},
    route::{Audience, Route, route},
};

/// Who is told of what.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Who is told.
    pub routes: Vec<Route>,
    /// Whom each channel brings its messages to, by the channel's name.
    pub recipients: BTreeMap<String, Vec<String>>,
}

/// Judges the runs and writes down what follows; gives the changes.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    policy: &Policy,
    rule: &Rule,
    answer: Answer,
    now: Timestamp,
) -> Result<Vec<Change>, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let mut arrived: BTreeMap<Series, BTreeSet<Timestamp>> = BTreeMap::new();
    for run in answer.runs {
        if observations::add(&mut transaction, &rule.name, &run).await? {
            arrived.entry(run.series).or_default().insert(run.at);
        }
    }
    let mut changes = Vec::new();
    for (series, arrived) in arrived {
        let last = incidents::newest(&mut transaction, &rule.name, &series).await?;
        let ended = last
            .as_ref()
            .and_then(|incident| incident.end.as_ref())
            .map(|end| end.at);
        let open = last.filter(|incident| incident.end.is_none());
        let since = ended.unwrap_or(Timestamp::UNIX_EPOCH);
        let known = observations::after(&mut transaction, &rule.name, &series, since).await?;
        let judged_until = known
            .iter()
            .rev()
            .map(|run| run.at)
            .find(|at| !arrived.contains(at))
            .max(ended);
        for change in follow(&rule.name, rule.fails_after, open, &known, judged_until) {
            intend(&mut transaction, policy, &change, now).await?;
            changes.push(change);
        }
        // Twice the overlap: what a query still brings again must be known again.
        let horizon = answer.read_until.unwrap_or(now) - rule.overlap * 2;
        observations::forget(
            &mut transaction,
            &rule.name,
            &series,
            rule.fails_after,
            horizon,
        )
        .await?;
    }
    if let Some(read_until) = answer.read_until {
        observations::advance(&mut transaction, &rule.name, read_until).await?;
    }
    transaction.commit().await?;
    Ok(changes)
}

async fn intend(
    connection: &mut SqliteConnection,
    policy: &Policy,
    change: &Change,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let incident = match change {
        Change::Closed(incident) => {
            incidents::put(connection, incident).await?;
            return outbox::intend_end(connection, incident, now).await;
        }
        Change::Opened(incident) => incident,
    };
    incidents::put(connection, incident).await?;
    let channels = match route(incident, &policy.routes) {
        Audience::Nobody(reason) => {
            tracing::warn!(incident = incident.id, reason, "nobody is told");
            return incidents::decide(connection, incident, now, &reason).await;
        }
        Audience::Channels(channels) => channels,
    };
    for channel in channels {
        for recipient in policy.recipients.get(channel).into_iter().flatten() {
            outbox::intend(
                connection,
                incident,
                (channel, recipient),
                Kind::Opened,
                now,
            )
            .await?;
        }
        incidents::decide(
            connection,
            incident,
            now,
            &format!("told through `{channel}`"),
        )
        .await?;
    }
    Ok(())
}

/// Says what changed, once it is written down.
pub(super) fn log(changes: &[Change]) {
    for change in changes {
        match change {
            Change::Opened(incident) => {
                tracing::info!(
                    incident = incident.id,
                    system = incident.series.system,
                    journey = incident.series.journey,
                    probe = incident.series.probe,
                    impact = incident.impact.name(),
                    since = %incident.started_at,
                    "an incident opened"
                );
            }
            Change::Closed(incident) => {
                let lasted_s = incident.duration(incident.started_at).as_secs();
                tracing::info!(
                    incident = incident.id,
                    system = incident.series.system,
                    journey = incident.series.journey,
                    probe = incident.series.probe,
                    impact = incident.impact.name(),
                    lasted_s,
                    "an incident closed"
                );
            }
        }
    }
}
