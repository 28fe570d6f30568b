//! What these rules and routes would have sent, from the data that there is.
//!
//! The same pure functions judge and follow the runs as while the program runs; who is told is written into a store that is
//! only in memory, by the same functions as into the real one. Nothing is sent and nothing is written to InfluxDB.
//!
//! InfluxDB is asked for what every run came to, and for nothing else: joining all fields of millions of runs takes it many
//! minutes. So a message's reason is not known here; how many there are, of what, when and through what channel, is.

mod feed;
mod replay;
pub mod tally;

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use tokio::sync::mpsc;

use self::{
    feed::{Feed, Portion},
    replay::Replay,
    tally::{Measured, RuleTally, Skipped, Tally},
};
use crate::{
    flux::{InfluxDb, QueryError, Rule, ShippedQuery},
    incident::{Change, Incident},
    store::{
        judgement::Policy,
        rehearsal::{Rehearsal, Rehearsed},
    },
};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum BacktestError {
    /// InfluxDB did not give the runs.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The store in memory failed, or what is in it contradicts itself.
    #[error("failed to follow what would have been sent: {0}")]
    Store(#[from] sqlx::Error),
}

/// A configuration that is tried.
#[derive(Clone, Debug)]
pub struct Trial {
    /// What is asked.
    pub rules: Vec<Rule>,
    /// Who is told.
    pub policy: Policy,
}

/// How many portions of runs may wait to be judged.
const AHEAD: usize = 2;

/// Tries configurations on the same runs, those from `since` until `until`.
pub async fn run(
    influxdb: Arc<InfluxDb>,
    trials: Vec<Trial>,
    since: Timestamp,
    until: Timestamp,
) -> Result<(Measured, Vec<Tally>), BacktestError> {
    let feed = Feed::new(Arc::clone(&influxdb), since, until).await?;
    let mut courses = Vec::new();
    for trial in trials {
        courses.push(Course::begin(trial).await?);
    }
    let (sender, mut portions) = mpsc::channel(AHEAD);
    let reading = tokio::spawn(feed.read(sender));
    let mut measured = Measured::default();
    while let Some(portion) = portions.recv().await {
        let portion: Portion = portion?;
        measured.add(&portion);
        for course in &mut courses {
            course.follow(&portion).await?;
        }
    }
    // It ended with its last portion; a panic in it is not to look like an end.
    if let Err(error) = reading.await {
        std::panic::resume_unwind(error.into_panic());
    }
    let mut tallies = Vec::new();
    for course in courses {
        tallies.push(course.end(until).await?);
    }
    Ok((measured, tallies))
}

/// One configuration on its way through the runs.
struct Course {
    replays: Vec<Replay>,
    rehearsal: Rehearsal,
    incidents: BTreeMap<String, RuleTally>,
    sent: Vec<Rehearsed>,
    skipped: Vec<Skipped>,
}

impl Course {
    async fn begin(trial: Trial) -> Result<Self, BacktestError> {
        let (mut replays, mut skipped) = (Vec::new(), Vec::new());
        for rule in trial.rules {
            match why_not(&rule) {
                Some(why) => skipped.push(Skipped {
                    rule: rule.name,
                    why: why.to_owned(),
                }),
                None => replays.push(Replay::new(rule)),
            }
        }
        let incidents = replays
            .iter()
            .map(|replay| (replay.rule().name.clone(), RuleTally::default()));
        Ok(Self {
            incidents: incidents.collect(),
            replays,
            rehearsal: Rehearsal::begin(trial.policy).await?,
            sent: Vec::new(),
            skipped,
        })
    }

    async fn follow(&mut self, portion: &Portion) -> Result<(), BacktestError> {
        let mut changes: Vec<(Timestamp, Change)> = Vec::new();
        for replay in &mut self.replays {
            replay.follow(portion, &mut changes);
        }
        // Each rule and journey was followed by itself; people are told in the order of the time.
        changes.sort_by_key(|(at, _)| *at);
        for (at, change) in changes {
            self.sent.append(&mut self.rehearsal.pass(at).await?);
            self.count(&change);
            self.rehearsal.record(&[change], at).await?;
            self.sent.append(&mut self.rehearsal.pass(at).await?);
        }
        Ok(())
    }

    fn count(&mut self, change: &Change) {
        let mut tally = |incident: &Incident, is_beginning: bool| {
            let tally = self.incidents.entry(incident.rule.clone()).or_default();
            if is_beginning {
                tally.opened += 1;
            } else {
                tally.lasted.extend(
                    incident
                        .end
                        .as_ref()
                        .map(|end| end.at.duration_since(incident.started_at)),
                );
            }
        };
        match change {
            Change::Opened(incident) => tally(incident, true),
            Change::Closed(incident) => tally(incident, false),
            Change::Became { former, present } => {
                tally(former, false);
                tally(present, true);
            }
        }
    }

    async fn end(mut self, until: Timestamp) -> Result<Tally, BacktestError> {
        self.sent.append(&mut self.rehearsal.pass(until).await?);
        for tally in self.incidents.values_mut() {
            tally.lasted.sort();
        }
        Ok(Tally {
            incidents: self.incidents,
            untold: self.rehearsal.untold().await?,
            sent: self.sent,
            skipped: self.skipped,
        })
    }
}

/// Why a rule cannot be tried on what every run came to.
fn why_not(rule: &Rule) -> Option<&'static str> {
    use ShippedQuery as Query;
    let query = Query::ALL
        .into_iter()
        .find(|query| rule.flux == query.flux());
    match query {
        _ if rule.silence.is_some() => {
            Some("it is about points that did not come, and only runs that came are followed here")
        }
        Some(Query::JourneysFailed | Query::JourneysSlow) => None,
        Some(Query::JourneysSlowerThanUsual) => Some(
            "what was usual would have to be asked anew for each hour, of the four weeks before it",
        ),
        Some(Query::JourneysDrifting) => Some(
            "it needs more of each run than what it came to, which takes InfluxDB minutes for some days",
        ),
        Some(_) => Some(
            "it is about what Telegraf measures, and only the runs of journeys are followed here",
        ),
        None => Some("its query is your own: what it would have brought then cannot be known"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_about_what_runs_came_to_are_tried_and_of_all_others_it_is_said_why_not() {
        let mut tried = Vec::new();
        for query in ShippedQuery::ALL {
            let rule = Rule::shipped("r", query);
            if why_not(&rule).is_none() {
                tried.push(query.name());
            }
        }
        assert_eq!(tried, ["journeys-failed", "journeys-slow"]);
        let own = Rule::custom("r", "from(bucket: v.defaultBucket)".to_owned());
        assert!(why_not(&own).is_some_and(|why| why.contains("your own")));
    }
}
