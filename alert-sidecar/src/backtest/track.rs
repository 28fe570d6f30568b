//! Follows one journey, as a rule judges it, through what arrives of it. Pure.
//!
//! A journey whose runs are all good costs nothing: only where a bad run may still count, or an incident is open, is it judged,
//! run after run, as while the program runs.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use vigia_contract::data_model::Outcome;

use crate::{
    flux::{Observation, Rule},
    incident::{Change, History, Incident, follow},
};

/// So many runs may be known before those that are not needed any more are forgotten.
const MANY: usize = 64;

/// What is known of one journey.
#[derive(Default)]
pub struct Track {
    /// The runs since the last incident ended, as far back as they count, in the order of their time.
    known: Vec<Observation>,
    /// How many of them are bad and may still count.
    bad: usize,
    forget_at: usize,
    open: Option<Incident>,
    /// When the last incident ended.
    ended: Option<Timestamp>,
    beginnings: Vec<Timestamp>,
    judged_until: Option<Timestamp>,
}

impl Track {
    /// Adds what arrived at one moment, in the order of its time; adds what changes with it, with that moment. What is known
    /// already counts once.
    pub fn add(
        &mut self,
        rule: &Rule,
        arrived: impl IntoIterator<Item = Observation>,
        known_at: Timestamp,
        changes: &mut Vec<(Timestamp, Change)>,
    ) {
        let judged_until = self.judged_until;
        let mut newest = None;
        for run in arrived {
            let at = run.at;
            let is_bad = is_bad(&run);
            if self.insert(run) {
                self.bad += usize::from(is_bad);
                newest = newest.max(Some(at));
            }
        }
        let Some(newest) = newest else { return };
        if !self.is_calm() {
            self.judge(rule, newest, judged_until, known_at, changes);
        }
        self.judged_until = judged_until.max(Some(newest));
        if self.known.len() >= self.forget_at.max(MANY) {
            self.forget(rule, newest);
        }
    }

    /// Whether good runs change nothing: no incident is open and no bad run may count yet.
    pub const fn is_calm(&self) -> bool {
        self.open.is_none() && self.bad == 0
    }

    /// While it is calm, runs until this one that are not bad came and need not be known.
    pub fn pass(&mut self, until: Timestamp) {
        self.judged_until = self.judged_until.max(Some(until));
    }

    /// Says whether it is new. Runs of an incident that is over do not count towards what follows.
    fn insert(&mut self, run: Observation) -> bool {
        if Some(run.at) <= self.ended {
            return false;
        }
        if self.known.last().is_none_or(|last| last.at < run.at) {
            self.known.push(run);
            return true;
        }
        let after = self.known.partition_point(|known| known.at <= run.at);
        let same = self.known[..after]
            .iter()
            .rev()
            .take_while(|known| known.at == run.at);
        for known in same {
            if known.series == run.series {
                return false;
            }
        }
        self.known.insert(after, run);
        true
    }

    fn judge(
        &mut self,
        rule: &Rule,
        at: Timestamp,
        judged_until: Option<Timestamp>,
        known_at: Timestamp,
        changes: &mut Vec<(Timestamp, Change)>,
    ) {
        let within =
            SignedDuration::try_from(rule.criteria.flapping.within).unwrap_or(SignedDuration::MAX);
        self.beginnings
            .retain(|began| at.duration_since(*began) <= within);
        let history = History {
            open: self.open.clone(),
            beginnings: if self.open.is_none() {
                self.beginnings.clone()
            } else {
                Vec::new()
            },
            runs: &self.known,
            judged_until,
        };
        for change in follow(&rule.name, rule.criteria, history) {
            match &change {
                Change::Opened(incident) => {
                    self.beginnings.push(incident.started_at);
                    self.open = Some(incident.clone());
                }
                Change::Closed(incident) => {
                    let ended = incident.end.as_ref().map(|end| end.at);
                    self.open = None;
                    self.ended = ended;
                    self.known.retain(|run| Some(run.at) > ended);
                }
                Change::Became { present, .. } => {
                    self.beginnings.push(present.started_at);
                    self.open = Some(Incident::clone(present));
                }
            }
            changes.push((known_at, change));
        }
        self.bad = self.bad_that_count(rule);
    }

    /// Where no incident is open, bad runs do not count any more after as many good ones as the rule looks at.
    fn bad_that_count(&self, rule: &Rule) -> usize {
        if self.open.is_none() && !rule.puts_probes_together() {
            let valid = self.known.iter().rev().filter(|run| run.outcome.is_valid());
            if !valid.take(rule.criteria.runs()).any(is_bad) {
                return 0;
            }
        }
        self.known.iter().filter(|run| is_bad(run)).count()
    }

    /// Forgets what the store forgets, too.
    fn forget(&mut self, rule: &Rule, now: Timestamp) {
        let horizon = now - rule.memory();
        let mut counted: BTreeMap<String, usize> = BTreeMap::new();
        let mut needed: Vec<bool> = Vec::with_capacity(self.known.len());
        for run in self.known.iter().rev() {
            let is_valid = run.outcome.is_valid();
            let newer = match counted.get_mut(&run.series.probe) {
                Some(newer) => newer,
                None => counted.entry(run.series.probe.clone()).or_default(),
            };
            needed.push(run.at >= horizon || (is_valid && *newer <= rule.criteria.runs()));
            *newer += usize::from(is_valid);
        }
        let mut needed = needed.into_iter().rev();
        self.known.retain(|_| needed.next().unwrap_or(true));
        self.bad = self.bad_that_count(rule);
        self.forget_at = 2 * self.known.len();
    }
}

fn is_bad(run: &Observation) -> bool {
    counts_as_bad(run.outcome)
}

/// Whether a run that came to this is one of those for which an incident may open.
pub const fn counts_as_bad(outcome: Outcome) -> bool {
    outcome.is_valid() && !outcome.is_ok()
}
