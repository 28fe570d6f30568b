//! What a poll brought, judged inside the transaction that writes it down.
//!
//! The runs, the incidents that follow from them, the intents to send and the rule's progress are committed together: after
//! a crash either all of it is there or none, and then it is read again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{
    incidents, observations,
    outbox::{self, Kind},
};
use crate::{
    flux::{Rule, Series, poll::Answer},
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

/// Judges the runs and writes down what follows, inside the transaction of the caller; gives the changes.
pub(super) async fn write(
    transaction: &mut AnyConnection,
    policy: &Policy,
    rule: &Rule,
    answer: Answer,
    now: Timestamp,
) -> Result<Vec<Change>, sqlx::Error> {
    let mut arrived: BTreeMap<Series, BTreeSet<(Timestamp, String)>> = BTreeMap::new();
    let mut heard: BTreeSet<Series> = BTreeSet::new();
    for run in answer.runs {
        if observations::add(&mut *transaction, &rule.name, &run).await? {
            heard.insert(run.series.clone());
            let times = arrived.entry(judged_as(rule, &run.series)).or_default();
            times.insert((run.at, run.series.probe));
        }
    }
    let mut changes = Vec::new();
    for (series, arrived) in arrived {
        let probe = series.probe.as_str();
        let last = incidents::newest(&mut *transaction, &rule.name, &series, probe).await?;
        let ended = last
            .as_ref()
            .and_then(|incident| incident.end.as_ref())
            .map(|end| end.at);
        let open = last.filter(|incident| incident.end.is_none());
        let since = match &open {
            Some(open) => {
                let before = open.started_at;
                incidents::last_end(&mut *transaction, &rule.name, &series, probe, before).await?
            }
            None => ended,
        };
        let since = since.unwrap_or(Timestamp::UNIX_EPOCH);
        let known =
            observations::after(&mut *transaction, &rule.name, &series, probe, since).await?;
        let judged_until = known
            .iter()
            .rev()
            .find(|run| !arrived.contains(&(run.at, run.series.probe.clone())))
            .map(|run| run.at)
            .max(ended);
        let beginnings = match arrived.first() {
            Some((oldest, _)) if open.is_none() => {
                let since = *oldest - rule.criteria.flapping.within;
                incidents::beginnings(&mut *transaction, &rule.name, &series, probe, since).await?
            }
            _ => Vec::new(),
        };
        let history = History {
            open,
            beginnings,
            runs: &known,
            judged_until,
        };
        let followed = follow(&rule.name, rule.criteria, history);
        record(&mut *transaction, policy, &followed, now).await?;
        changes.extend(followed);
    }
    let horizon = answer.read_until.unwrap_or(now) - rule.memory();
    for series in heard {
        let keep = rule.criteria.runs();
        observations::forget(&mut *transaction, &rule.name, &series, keep, horizon).await?;
    }
    if let Some(read_until) = answer.read_until {
        observations::advance(&mut *transaction, &rule.name, read_until).await?;
    }
    Ok(changes)
}

/// What is judged as one: a journey seen from everywhere, which has no probe, or what one probe sees.
fn judged_as(rule: &Rule, series: &Series) -> Series {
    let probe = if rule.puts_probes_together() {
        String::new()
    } else {
        series.probe.clone()
    };
    Series {
        probe,
        ..series.clone()
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
                tracing::info!(former = former.id, incident = present.id, since = %present.started_at, "an incident goes on as another");
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
