//! What the keeper knows by heart of the runs in the store, so that what a query brings again costs nothing, and what is well
//! costs little.
//!
//! It is read from the store when a rule is judged for the first time, and forgotten when a transaction failed: what stands
//! in the store is what counts.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use sqlx::{AnyConnection, Result};

use super::{incidents, observations, stored, time};
use crate::flux::{Observation, Rule, Series, poll::Answer};

/// What is known of one rule.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The runs of each series that are in the store, in the order of their time, by what [`name_of`] gives: of tens of
    /// thousands each byte counts.
    runs: HashMap<Box<str>, Vec<Mark>>,
    /// The journeys with an open incident or a bad run that may still count, named as they are judged.
    troubled: HashSet<Series>,
    read_until: Option<Timestamp>,
    /// When the newest of all runs began.
    newest: Option<Timestamp>,
}

/// One run.
#[derive(Clone, Copy, Debug)]
struct Mark {
    at_ns: i64,
    is_valid: bool,
}

/// What a poll brought that was not known.
#[derive(Debug, Default)]
pub(super) struct News {
    /// The runs of journeys that may be in trouble, by the journey as it is judged.
    pub urgent: BTreeMap<Series, Vec<Observation>>,
    /// The runs of journeys that are well.
    pub calm: Vec<Observation>,
    /// How far the rule has read, where that is further than before.
    pub read_until: Option<Timestamp>,
}

impl News {
    pub fn is_empty(&self) -> bool {
        self.urgent.is_empty() && self.calm.is_empty() && self.read_until.is_none()
    }
}

impl Memory {
    /// Reads what the store knows of a rule.
    pub async fn read(connection: &mut AnyConnection, rule: &Rule) -> Result<Self> {
        let mut memory = Self {
            read_until: observations::read_until(connection, &rule.name).await?,
            ..Self::default()
        };
        let mut name = String::new();
        for (series, at, outcome) in observations::outlines(connection, &rule.name).await? {
            if outcome.is_valid() && !outcome.is_ok() {
                memory.troubled.insert(rule.judges_as(&series));
            }
            name_of(&series, &mut name);
            memory.add(&name, at, outcome.is_valid());
        }
        for incident in incidents::open_of(connection, &rule.name).await? {
            memory.troubled.insert(rule.judges_as(&incident.series));
        }
        Ok(memory)
    }

    /// Takes out of an answer what is not known, each run once.
    pub fn news(&self, rule: &Rule, answer: Answer) -> News {
        let mut news = News {
            read_until: answer.read_until.filter(|at| Some(*at) > self.read_until),
            ..News::default()
        };
        let mut runs = answer.runs;
        let mut is_first = self.fresh(&runs).into_iter();
        runs.retain(|_| is_first.next().unwrap_or_default());
        // Most of the time there is no bad run among thousands.
        let broken: HashSet<Series> = runs
            .iter()
            .filter(|run| run.outcome.is_valid() && !run.outcome.is_ok())
            .map(|run| rule.judges_as(&run.series))
            .collect();
        if broken.is_empty() && self.troubled.is_empty() {
            news.calm = runs;
            return news;
        }
        for run in runs {
            let judged_as = rule.judges_as(&run.series);
            // Nothing can follow where there is neither an incident to end nor a bad run to begin one.
            if broken.contains(&judged_as) || self.troubled.contains(&judged_as) {
                news.urgent.entry(judged_as).or_default().push(run);
            } else {
                news.calm.push(run);
            }
        }
        news
    }

    /// Of each run whether it is not known, and none like it came before it.
    fn fresh(&self, runs: &[Observation]) -> Vec<bool> {
        let mut name = String::new();
        let mut seen = HashSet::with_capacity(runs.len());
        runs.iter()
            .map(|run| {
                name_of(&run.series, &mut name);
                let known = self.runs.get(name.as_str());
                let is_known = known.is_some_and(|runs| {
                    runs.binary_search_by_key(&stored(run.at), |mark| mark.at_ns)
                        .is_ok()
                });
                !is_known && seen.insert((&run.series, run.at))
            })
            .collect()
    }

    /// These runs are in the store now.
    pub fn learn<'a>(&mut self, runs: impl Iterator<Item = &'a Observation>) {
        let mut name = String::new();
        for run in runs {
            name_of(&run.series, &mut name);
            self.add(&name, run.at, run.outcome.is_valid());
        }
    }

    fn add(&mut self, name: &str, at: Timestamp, is_valid: bool) {
        let mark = Mark {
            at_ns: stored(at),
            is_valid,
        };
        if let Some(known) = self.runs.get_mut(name) {
            let place = known.partition_point(|known| known.at_ns < mark.at_ns);
            known.insert(place, mark);
        } else {
            self.runs.insert(name.into(), vec![mark]);
        }
        self.newest = self.newest.max(Some(at));
    }

    /// Whether anything is known of a time after this moment.
    pub fn knows_after(&self, latest: Timestamp) -> bool {
        self.newest.max(self.read_until) > Some(latest)
    }

    /// The rule has read so far.
    pub fn advance(&mut self, read_until: Timestamp) {
        self.read_until = Some(read_until);
    }

    /// Whether a journey, named as it is judged, may be in trouble from now on.
    pub fn worry(&mut self, judged_as: Series, is_troubled: bool) {
        if is_troubled {
            self.troubled.insert(judged_as);
        } else {
            self.troubled.remove(&judged_as);
        }
    }

    /// Takes out what is not needed any more of the series that these runs are of.
    pub fn forget_of<'a>(
        &mut self,
        runs: impl Iterator<Item = &'a Observation>,
        keep: usize,
        horizon: Timestamp,
    ) -> Vec<(Series, Timestamp)> {
        let heard: HashSet<&Series> = runs.map(|run| &run.series).collect();
        let mut forgotten = Vec::new();
        let mut name = String::new();
        for series in heard {
            name_of(series, &mut name);
            let times = self.forget(&name, keep, horizon).into_iter();
            forgotten.extend(times.map(|at| (series.clone(), at)));
        }
        forgotten
    }

    /// Takes out the runs of a series that began before `horizon` and are not needed: those that say nothing about the system,
    /// and those with `keep` others after them that do.
    fn forget(&mut self, name: &str, keep: usize, horizon: Timestamp) -> Vec<Timestamp> {
        let Some(runs) = self.runs.get_mut(name) else {
            return Vec::new();
        };
        let needed_since = runs
            .iter()
            .rev()
            .filter(|mark| mark.is_valid)
            .nth(keep)
            .map_or(i64::MIN, |mark| mark.at_ns);
        let horizon = stored(horizon);
        let is_needed =
            |mark: &Mark| mark.at_ns >= horizon || (mark.is_valid && mark.at_ns >= needed_since);
        let forgotten = runs
            .iter()
            .filter(|mark| !is_needed(mark))
            .map(|mark| time(mark.at_ns))
            .collect();
        runs.retain(is_needed);
        forgotten
    }
}

/// A series in one text, which no other one has.
fn name_of(series: &Series, name: &mut String) {
    let Series {
        system,
        journey,
        probe,
    } = series;
    name.clear();
    for part in [system, journey, probe] {
        name.push_str(part);
    }
    for length in [system.len(), journey.len()] {
        name.push('/');
        name.push_str(&length.to_string());
    }
}
