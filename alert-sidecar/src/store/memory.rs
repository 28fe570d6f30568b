//! What the keeper knows by heart of the runs in the store, so that what a query brings again costs nothing, and what is well
//! costs little.
//!
//! It is read from the store when a rule is judged for the first time, and forgotten when a transaction failed: what stands
//! in the store is what counts.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use sqlx::{AnyConnection, Result};

use super::{incidents, observations};
use crate::flux::{Observation, Rule, Series, poll::Answer};

/// What is known of one rule.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The runs of each series that are in the store, in the order of their time.
    runs: HashMap<Series, Vec<Mark>>,
    /// The journeys with an open incident or a bad run that may still count, named as they are judged.
    troubled: HashSet<Series>,
    read_until: Option<Timestamp>,
    /// When the newest of all runs began.
    newest: Option<Timestamp>,
}

/// One run.
#[derive(Clone, Copy, Debug)]
struct Mark {
    at: Timestamp,
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
        for (series, at, outcome) in observations::outlines(connection, &rule.name).await? {
            if outcome.is_valid() && !outcome.is_ok() {
                memory.troubled.insert(rule.judges_as(&series));
            }
            memory.newest = memory.newest.max(Some(at));
            let is_valid = outcome.is_valid();
            let runs = memory.runs.entry(series).or_default();
            runs.push(Mark { at, is_valid });
        }
        for incident in incidents::open_of(connection, &rule.name).await? {
            memory.troubled.insert(rule.judges_as(&incident.series));
        }
        Ok(memory)
    }

    /// Takes out of an answer what is not known, each run once.
    pub fn news(&self, rule: &Rule, answer: Answer) -> News {
        let mut fresh: BTreeMap<Series, Vec<Observation>> = BTreeMap::new();
        let mut seen = HashSet::new();
        for run in answer.runs {
            if !self.knows(&run) && seen.insert((run.series.clone(), run.at)) {
                // Most of the time it is one run, of thousands of series.
                fresh
                    .entry(rule.judges_as(&run.series))
                    .or_insert_with(|| Vec::with_capacity(1))
                    .push(run);
            }
        }
        let mut news = News {
            read_until: answer.read_until.filter(|at| Some(*at) > self.read_until),
            ..News::default()
        };
        for (series, mut runs) in fresh {
            if self.is_calm(&series, &runs) {
                news.calm.append(&mut runs);
            } else {
                news.urgent.insert(series, runs);
            }
        }
        news
    }

    fn knows(&self, run: &Observation) -> bool {
        self.runs
            .get(&run.series)
            .is_some_and(|runs| runs.binary_search_by_key(&run.at, |mark| mark.at).is_ok())
    }

    /// Whether nothing can follow from these runs: there is no incident to end, and no bad run to begin one.
    fn is_calm(&self, judged_as: &Series, fresh: &[Observation]) -> bool {
        !self.troubled.contains(judged_as)
            && fresh
                .iter()
                .all(|run| run.outcome.is_ok() || !run.outcome.is_valid())
    }

    /// These runs are in the store now.
    pub fn learn<'a>(&mut self, runs: impl Iterator<Item = &'a Observation>) {
        for run in runs {
            let mark = Mark {
                at: run.at,
                is_valid: run.outcome.is_valid(),
            };
            let known = match self.runs.get_mut(&run.series) {
                Some(known) => known,
                None => self.runs.entry(run.series.clone()).or_default(),
            };
            let place = known.partition_point(|known| known.at < mark.at);
            known.insert(place, mark);
            self.newest = self.newest.max(Some(mark.at));
        }
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
        for series in heard {
            let times = self.forget(series, keep, horizon).into_iter();
            forgotten.extend(times.map(|at| (series.clone(), at)));
        }
        forgotten
    }

    /// Takes out the runs of a series that began before `horizon` and are not needed: those that say nothing about the system,
    /// and those with `keep` others after them that do.
    fn forget(&mut self, series: &Series, keep: usize, horizon: Timestamp) -> Vec<Timestamp> {
        let Some(runs) = self.runs.get_mut(series) else {
            return Vec::new();
        };
        let needed_since = runs
            .iter()
            .rev()
            .filter(|mark| mark.is_valid)
            .nth(keep)
            .map_or(Timestamp::MIN, |mark| mark.at);
        let is_needed =
            |mark: &Mark| mark.at >= horizon || (mark.is_valid && mark.at >= needed_since);
        let forgotten = runs
            .iter()
            .filter(|mark| !is_needed(mark))
            .map(|mark| mark.at)
            .collect();
        runs.retain(is_needed);
        forgotten
    }
}
