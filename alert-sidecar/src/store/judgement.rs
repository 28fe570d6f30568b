//! What a poll brought, judged inside the transaction that writes it down.
//!
//! The runs of a journey, the incidents that follow from them and the intents to send are committed together: after a crash
//! either all of it is there or none, and then it is read again. Journeys in trouble come first; the runs of those that are
//! well, and how far the rule has read, are written down after what is to be told is safe.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{
    incidents,
    memory::News,
    observations,
    outbox::{self, Kind},
};
use crate::{
    flux::{Observation, Rule, Series},
    incident::{Change, History, Incident, follow, is_old_news},
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

/// Judges the runs of journeys that may be in trouble, inside the transaction of the caller, and writes down what follows;
/// gives the changes, and of each journey, named as it is judged, whether it may be in trouble afterwards.
pub(super) async fn judge(
    connection: &mut AnyConnection,
    policy: &Policy,
    rule: &Rule,
    urgent: &BTreeMap<Series, Vec<Observation>>,
    now: Timestamp,
) -> Result<(Vec<Change>, Vec<(Series, bool)>), sqlx::Error> {
    let runs: Vec<&Observation> = urgent.values().flatten().collect();
    observations::add(connection, &rule.name, &runs).await?;
    let mut changes = Vec::new();
    let mut worries = Vec::new();
    for (series, arrived) in urgent {
        let (followed, is_troubled) = follow_one(connection, rule, series, arrived).await?;
        record(connection, policy, &followed, now).await?;
        worries.push((series.clone(), is_troubled));
        changes.extend(followed);
    }
    Ok((changes, worries))
}

/// What follows from the runs of one journey that arrived, and whether a bad run may still count afterwards.
async fn follow_one(
    connection: &mut AnyConnection,
    rule: &Rule,
    series: &Series,
    arrived: &[Observation],
) -> Result<(Vec<Change>, bool), sqlx::Error> {
    let (name, probe) = (rule.name.as_str(), series.probe.as_str());
    let last = incidents::newest(connection, name, series, probe).await?;
    let ended = last
        .as_ref()
        .and_then(|incident| incident.end.as_ref())
        .map(|end| end.at);
    let open = last.filter(|incident| incident.end.is_none());
    let since = match &open {
        Some(open) => incidents::last_end(connection, name, series, probe, open.started_at).await?,
        None => ended,
    };
    let since = since.unwrap_or(Timestamp::UNIX_EPOCH);
    let known = observations::after(connection, name, series, probe, since).await?;
    let is_new: BTreeSet<(Timestamp, &str)> = arrived
        .iter()
        .map(|run| (run.at, run.series.probe.as_str()))
        .collect();
    let judged_until = known
        .iter()
        .rev()
        .find(|run| !is_new.contains(&(run.at, run.series.probe.as_str())))
        .map(|run| run.at)
        .max(ended);
    let beginnings = match is_new.first() {
        Some((oldest, _)) if open.is_none() => {
            let since = *oldest - rule.criteria.flapping.within;
            incidents::beginnings(connection, name, series, probe, since).await?
        }
        _ => Vec::new(),
    };
    let was_open = open.is_some();
    let history = History {
        open,
        beginnings,
        runs: &known,
        judged_until,
    };
    let changes = follow(name, rule.criteria, history);
    let is_open = changes
        .last()
        .map_or(was_open, |change| !matches!(change, Change::Closed(_)));
    let is_bad = |run: &Observation| run.outcome.is_valid() && !run.outcome.is_ok();
    Ok((changes, is_open || known.iter().any(is_bad)))
}

/// Takes back what lies after the latest moment that can be known of now; gives how many runs that are. What is read again
/// since the other moment counts.
pub(super) async fn forget_future(
    connection: &mut AnyConnection,
    rule: &Rule,
    (latest, since): (Timestamp, Timestamp),
) -> Result<u64, sqlx::Error> {
    incidents::end_by(connection, &rule.name, (latest, since)).await?;
    observations::forget_after(connection, &rule.name, latest).await
}

/// Writes down the runs of journeys that are well, what is not needed any more, and how far the rule has read, inside the
/// transaction of the caller.
pub(super) async fn note(
    connection: &mut AnyConnection,
    rule: &Rule,
    news: &News,
    forgotten: &[(Series, Timestamp)],
) -> Result<(), sqlx::Error> {
    let runs: Vec<&Observation> = news.calm.iter().collect();
    observations::add(connection, &rule.name, &runs).await?;
    observations::forget(connection, &rule.name, forgotten).await?;
    match news.read_until {
        Some(read_until) => observations::advance(connection, &rule.name, read_until).await,
        None => Ok(()),
    }
}

/// Writes changes down, with the intents to send, inside the transaction of the caller.
pub(super) async fn record(
    connection: &mut AnyConnection,
    policy: &Policy,
    changes: &[Change],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    for change in changes {
        match change {
            Change::Closed(incident) => {
                incidents::put(connection, incident).await?;
                outbox::intend_end(connection, incident, now).await?;
            }
            Change::Opened(incident) => {
                intend(connection, policy, incident, changes, now).await?;
            }
            Change::Became { former, present } => {
                incidents::put(connection, former).await?;
                let decision = format!("the end is not told: it goes on as `{}`", present.id);
                incidents::decide(connection, former, now, &decision).await?;
                intend(connection, policy, present, changes, now).await?;
            }
        }
    }
    Ok(())
}

async fn intend(
    connection: &mut AnyConnection,
    policy: &Policy,
    incident: &Incident,
    changes: &[Change],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    incidents::put(connection, incident).await?;
    if is_old_news(incident, changes, now) {
        let decision = "nobody is told: it was over long before its runs arrived";
        return incidents::decide(connection, incident, now, decision).await;
    }
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
            Change::Became { former, present } => {
                tracing::info!(
                    former = former.id,
                    incident = present.id,
                    system = present.series.system,
                    journey = present.series.journey,
                    probe = present.series.probe,
                    impact = present.impact.name(),
                    since = %present.started_at,
                    "an incident goes on as another"
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
