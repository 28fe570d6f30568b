//! What these rules and routes would have sent, from the data that there is.
//!
//! The same pure functions judge and follow the runs as while the program runs; who is told is written into a store that is
//! only in memory, by the same functions as into the real one. Nothing is sent and nothing is written to InfluxDB.
//!
//! Of the runs of journeys InfluxDB is asked for what every one came to, and for little else: joining all fields of millions of
//! runs takes it many minutes. So the reason in a message is not always known here; how many messages there are, of what, when
//! and through what channel, is. Other rules are asked about the past what they would have asked then.

mod archive;
mod feed;
mod hearing;
mod moment;
mod question;
mod replay;
mod runs;
pub mod tally;
mod track;
mod usual;

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use tokio::sync::mpsc;

use self::{
    feed::{Feed, Part, Wanted},
    replay::Replay,
    tally::{Incomplete, Measured, RuleTally, Tally},
};
use crate::{
    flux::{InfluxDb, QueryError, Rule},
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
    /// A rule's query was not answered.
    #[error(
        "the rule `{rule}` cannot be asked about the past: {error}\nhint: try a shorter `--since`, or leave the rule out with `--without`"
    )]
    Rule {
        /// The rule.
        rule: String,
        /// Why.
        error: QueryError,
    },
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

/// What takes long about these rules beside reading what every run came to, by the rule's name.
#[must_use]
pub fn costs(rules: &[Rule], since: Timestamp, until: Timestamp) -> Vec<(String, String)> {
    let mut costs = Vec::new();
    for rule in rules {
        let replay = Replay::new(rule.clone(), (since, until), &mut Wanted::default());
        let cost = replay.cost(until.duration_since(since));
        costs.extend(cost.map(|cost| (rule.name.clone(), cost)));
    }
    costs
}

/// How much of what was read may wait to be judged.
const AHEAD: usize = 2;

/// Tries configurations on the same past, that from `since` until `until`.
pub async fn run(
    influxdb: Arc<InfluxDb>,
    trials: Vec<Trial>,
    since: Timestamp,
    until: Timestamp,
) -> Result<(Measured, Vec<Tally>), BacktestError> {
    let mut wanted = Wanted::default();
    let mut courses = Vec::new();
    for trial in trials {
        courses.push(Course::begin(trial, (since, until), &mut wanted).await?);
    }
    let feed = Feed::new(influxdb, wanted, since, until);
    let (sender, mut parts) = mpsc::channel(AHEAD);
    let reading = tokio::spawn(feed.read(sender));
    let mut measured = Measured::default();
    while let Some(part) = parts.recv().await {
        let part = part?;
        measured.add(&part);
        for course in &mut courses {
            course.follow(&part).await?;
        }
    }
    // It ended with its last part; a panic in it is not to look like an end.
    if let Err(error) = reading.await {
        std::panic::resume_unwind(error.into_panic());
    }
    let mut tallies = Vec::new();
    for course in courses {
        tallies.push(course.end(until).await?);
    }
    Ok((measured, tallies))
}

/// One configuration on its way through the past.
struct Course {
    replays: Vec<Replay>,
    rehearsal: Rehearsal,
    /// What is not recorded yet, with the moment at which it is known.
    changes: Vec<(Timestamp, Change)>,
    incidents: BTreeMap<String, RuleTally>,
    sent: Vec<Rehearsed>,
}

impl Course {
    async fn begin(
        trial: Trial,
        span: (Timestamp, Timestamp),
        wanted: &mut Wanted,
    ) -> Result<Self, BacktestError> {
        let rules = trial.rules.into_iter();
        let replays: Vec<Replay> = rules.map(|rule| Replay::new(rule, span, wanted)).collect();
        let incidents = replays
            .iter()
            .map(|replay| (replay.rule().name.clone(), RuleTally::default()));
        Ok(Self {
            incidents: incidents.collect(),
            replays,
            rehearsal: Rehearsal::begin(trial.policy).await?,
            changes: Vec::new(),
            sent: Vec::new(),
        })
    }

    async fn follow(&mut self, part: &Part) -> Result<(), BacktestError> {
        for replay in &mut self.replays {
            let followed = replay.follow(part, &mut self.changes);
            followed.map_err(|error| BacktestError::Rule {
                rule: replay.rule().name.clone(),
                error: error.into(),
            })?;
        }
        match part {
            Part::End(until) => self.record(*until).await,
            Part::Runs(_) | Part::Durations(_) | Part::Answer(..) => Ok(()),
        }
    }

    /// Tells people of what is known until this moment.
    async fn record(&mut self, until: Timestamp) -> Result<(), BacktestError> {
        // Each rule and journey was followed by itself; people are told in the order of the time.
        self.changes.sort_by_key(|(at, _)| *at);
        let known = self.changes.partition_point(|(at, _)| *at <= until);
        let known: Vec<(Timestamp, Change)> = self.changes.drain(..known).collect();
        // What is known at one moment is written down at once.
        for moment in known.chunk_by(|(at, _), (other, _)| at == other) {
            let changes: Vec<Change> = moment.iter().map(|(_, change)| change.clone()).collect();
            for change in &changes {
                self.count(change);
            }
            let (at, _) = moment[0];
            self.sent.append(&mut self.rehearsal.pass(at).await?);
            self.rehearsal.record(&changes, at).await?;
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
        // Who asked now would know it.
        for (at, _) in &mut self.changes {
            *at = until.min(*at);
        }
        self.record(until).await?;
        self.sent.append(&mut self.rehearsal.pass(until).await?);
        for tally in self.incidents.values_mut() {
            tally.lasted.sort();
        }
        let incomplete = self.replays.iter().flat_map(|replay| {
            let gaps = replay.gaps().into_iter();
            gaps.map(|why| Incomplete {
                rule: replay.rule().name.clone(),
                why,
            })
        });
        Ok(Tally {
            incidents: self.incidents,
            untold: self.rehearsal.untold().await?,
            sent: self.sent,
            incomplete: incomplete.collect(),
        })
    }
}
