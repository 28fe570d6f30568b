//! What a poll brought, judged inside the transaction that writes it down.
//!
//! The runs of a journey, the incidents that follow from them and the intents to send are committed together: after a crash
//! either all of it is there or none, and then it is read again. Journeys in trouble come first; the runs of those that are
//! well, and how far the rule has read, are written down after what is to be told is safe.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{decisions, incidents, memory::News, observations, telling::Teller};
use crate::{
    flux::{Observation, Rule, Series},
    incident::{Change, History, Incident, follow, is_old_news},
    route::{
        decision::{Decision, Reason, Verdict},
        dependency::Dependencies,
        group::Grouping,
        maintenance::Maintenance,
        tree::Route,
    },
};

/// Who is told of what, and how.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Who is told.
    pub routes: Vec<Route>,
    /// Whom each channel brings its messages to, by the channel's name.
    pub recipients: BTreeMap<String, Vec<String>>,
    /// The planned windows.
    pub maintenance: Vec<Maintenance>,
    /// What follows from what.
    pub dependencies: Dependencies,
    /// What is told together.
    pub grouping: Grouping,
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
    let mut pasts = pasts(connection, rule, urgent).await?;
    let mut changes = Vec::new();
    let mut worries = Vec::new();
    let mut teller = Teller::new(connection, policy, now).await?;
    for (series, arrived) in urgent {
        let past = pasts.remove(series).unwrap_or_default();
        let (followed, is_troubled) = follow_one(rule, &past, arrived);
        tell(connection, &mut teller, &followed, now).await?;
        worries.push((series.clone(), is_troubled));
        changes.extend(followed);
    }
    changes.extend(teller.finish(connection).await?);
    Ok((changes, worries))
}

/// What stands in the store of one journey, as it is judged.
#[derive(Default)]
struct Past {
    incidents: Vec<Incident>,
    /// In the order of their time.
    runs: Vec<Observation>,
}

/// All of them are read at once: a thousand journeys may fail at the same moment.
async fn pasts(
    connection: &mut AnyConnection,
    rule: &Rule,
    urgent: &BTreeMap<Series, Vec<Observation>>,
) -> Result<BTreeMap<Series, Past>, sqlx::Error> {
    let journeys: BTreeSet<(&str, &str)> = urgent
        .keys()
        .map(|series| (series.system.as_str(), series.journey.as_str()))
        .collect();
    let journeys: Vec<_> = journeys.into_iter().collect();
    let oldest = urgent.values().flatten().map(|run| run.at).min();
    let since = oldest.unwrap_or(Timestamp::MAX) - rule.criteria.flapping.within;
    let mut pasts: BTreeMap<Series, Past> = BTreeMap::new();
    for incident in incidents::past(connection, &rule.name, &journeys, since).await? {
        let past = pasts.entry(rule.judges_as(&incident.series)).or_default();
        past.incidents.push(incident);
    }
    for run in observations::of(connection, &rule.name, &journeys).await? {
        let past = pasts.entry(rule.judges_as(&run.series)).or_default();
        past.runs.push(run);
    }
    Ok(pasts)
}

/// What follows from the runs of one journey that arrived, and whether a bad run may still count afterwards.
fn follow_one(rule: &Rule, past: &Past, arrived: &[Observation]) -> (Vec<Change>, bool) {
    let incidents = past.incidents.iter();
    let open = incidents
        .clone()
        .filter(|incident| incident.end.is_none())
        .max_by_key(|incident| incident.started_at);
    let ended = incidents
        .clone()
        .filter_map(|incident| incident.end.as_ref())
        .map(|end| end.at)
        .filter(|at| open.is_none_or(|open| *at < open.started_at))
        .max();
    let known = &past.runs[past.runs.partition_point(|run| Some(run.at) <= ended)..];
    let is_new: BTreeSet<(Timestamp, &str)> = arrived
        .iter()
        .map(|run| (run.at, run.series.probe.as_str()))
        .collect();
    let judged_until = known
        .iter()
        .rev()
        .find(|run| !is_new.contains(&(run.at, run.series.probe.as_str())))
        .map(|run| run.at)
        .max(ended.filter(|_| open.is_none()));
    let beginnings = match is_new.first() {
        Some((oldest, _)) if open.is_none() => incidents
            .map(|incident| incident.started_at)
            .filter(|began| *began >= *oldest - rule.criteria.flapping.within)
            .collect(),
        _ => Vec::new(),
    };
    let history = History {
        open: open.cloned(),
        beginnings,
        runs: known,
        judged_until,
    };
    let changes = follow(&rule.name, rule.criteria, history);
    let is_open = changes.last().map_or(open.is_some(), |change| {
        !matches!(change, Change::Closed(_))
    });
    let is_bad = |run: &Observation| run.outcome.is_valid() && !run.outcome.is_ok();
    (changes, is_open || known.iter().any(is_bad))
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

/// Writes changes down, with the intents to send, inside the transaction of the caller; gives those that follow from them.
pub(super) async fn record(
    connection: &mut AnyConnection,
    policy: &Policy,
    changes: &[Change],
    now: Timestamp,
) -> Result<Vec<Change>, sqlx::Error> {
    let mut teller = Teller::new(connection, policy, now).await?;
    tell(connection, &mut teller, changes, now).await?;
    teller.finish(connection).await
}

async fn tell(
    connection: &mut AnyConnection,
    teller: &mut Teller<'_>,
    changes: &[Change],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    for change in changes {
        match change {
            Change::Closed(incident) => teller.close(connection, incident, None).await?,
            Change::Opened(incident) => open(connection, teller, incident, changes, now).await?,
            Change::Became { former, present } => {
                if is_old_news(present, changes, now) {
                    teller.close(connection, former, None).await?;
                    open(connection, teller, present, changes, now).await?;
                    continue;
                }
                // First the one, so that who goes on is told where the other was.
                teller.close(connection, former, Some(present)).await?;
                let decision = Decision {
                    verdict: Verdict::Noted,
                    channel: None,
                    reason: Reason::GoesOnAs(present.id.clone()),
                };
                decisions::decide(connection, &former.id, now, &decision).await?;
                teller.open(connection, present, Some(former)).await?;
            }
        }
    }
    Ok(())
}

async fn open(
    connection: &mut AnyConnection,
    teller: &mut Teller<'_>,
    incident: &Incident,
    changes: &[Change],
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    if !is_old_news(incident, changes, now) {
        return teller.open(connection, incident, None).await;
    }
    incidents::put(connection, incident).await?;
    let decision = Decision {
        verdict: Verdict::Untold,
        channel: None,
        reason: Reason::OldNews,
    };
    decisions::decide(connection, &incident.id, now, &decision).await
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
