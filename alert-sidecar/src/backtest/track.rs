//! Follows one journey, as a rule judges it, through what arrives of it. Pure.
//!
//! A journey whose runs are all good costs next to nothing: only where a bad run may still count, or an incident is open, is it
//! judged, run after run, as while the program runs.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use vigia_contract::data_model::{Impact, Outcome};

use crate::{
    flux::{Observation, Rule, Series, observation::Failure},
    incident::{Change, History, Incident, follow},
};

/// So many runs may be known before those that are not needed any more are forgotten.
const MANY: usize = 64;

/// A run as a rule reads it, but for the reason: of millions next to none is ever needed as more than this.
#[derive(Clone, Debug)]
pub struct Run {
    /// Which journey, seen from where.
    pub series: Arc<Series>,
    /// When it began.
    pub at: Timestamp,
    /// How much the rule says that it matters.
    pub impact: Impact,
    /// What the rule says that it came to.
    pub outcome: Outcome,
    /// How often the journey runs, where its points say so.
    pub every: Option<Duration>,
}

impl Run {
    fn observation(&self, rule: &Rule) -> Observation {
        Observation {
            series: Series::clone(&self.series),
            at: self.at,
            impact: self.impact,
            outcome: self.outcome,
            run_id: String::new(),
            failure: Failure {
                class: rule
                    .meaning
                    .trouble
                    .map(|trouble| trouble.name().to_owned()),
                ..Failure::default()
            },
            every: self.every,
        }
    }
}

/// What is known of one journey.
#[derive(Default)]
pub struct Track {
    /// The runs since the last incident ended, as far back as they count, in the order of their time.
    known: Vec<Observation>,
    /// How many of them are bad and may still count.
    bad: usize,
    forget_at: usize,
    /// What came after them and was not bad, while everything was well.
    passed: Vec<Run>,
    forget_passed_at: usize,
    open: Option<Incident>,
    /// When the last incident ended.
    ended: Option<Timestamp>,
    beginnings: Vec<Timestamp>,
    judged_until: Option<Timestamp>,
}

impl Track {
    /// Adds a run that is known at one moment; adds what changes with it, with that moment.
    pub fn follow(
        &mut self,
        rule: &Rule,
        run: Run,
        known_at: Timestamp,
        changes: &mut Vec<(Timestamp, Change)>,
    ) {
        if !self.is_calm() || counts_as_bad(run.outcome) {
            self.add(rule, [run.observation(rule)], known_at, changes);
            return;
        }
        self.judged_until = self.judged_until.max(Some(run.at));
        // What gets through for one probe matters where another's runs go bad.
        if rule.puts_probes_together() {
            let now = run.at;
            self.passed.push(run);
            if self.passed.len() >= self.forget_passed_at.max(MANY) {
                self.forget_passed(rule, now);
            }
        }
    }

    /// Adds what arrived at one moment, in the order of its time; adds what changes with it, with that moment. What is known
    /// already counts once.
    pub fn add(
        &mut self,
        rule: &Rule,
        arrived: impl IntoIterator<Item = Observation>,
        known_at: Timestamp,
        changes: &mut Vec<(Timestamp, Change)>,
    ) {
        for run in std::mem::take(&mut self.passed) {
            self.insert(run.observation(rule));
        }
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
        keep_needed(&mut self.known, rule, now, |run| {
            (run.at, run.outcome, &run.series)
        });
        self.bad = self.bad_that_count(rule);
        self.forget_at = 2 * self.known.len();
    }

    fn forget_passed(&mut self, rule: &Rule, now: Timestamp) {
        keep_needed(&mut self.passed, rule, now, |run| {
            (run.at, run.outcome, &run.series)
        });
        self.forget_passed_at = 2 * self.passed.len();
    }
}

/// Keeps of these runs, which are in the order of their time, those that may still count.
fn keep_needed<T>(
    runs: &mut Vec<T>,
    rule: &Rule,
    now: Timestamp,
    read: impl Fn(&T) -> (Timestamp, Outcome, &Series),
) {
    let horizon = now - rule.memory();
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    let mut needed = Vec::with_capacity(runs.len());
    for run in runs.iter().rev() {
        let (at, outcome, series) = read(run);
        let is_valid = outcome.is_valid();
        let newer = counted.entry(&series.probe).or_default();
        needed.push(at >= horizon || (is_valid && *newer <= rule.criteria.runs()));
        *newer += usize::from(is_valid);
    }
    let mut needed = needed.into_iter().rev();
    runs.retain(|_| needed.next().unwrap_or(true));
}

fn is_bad(run: &Observation) -> bool {
    counts_as_bad(run.outcome)
}

/// Whether a run that came to this is one of those for which an incident may open.
const fn counts_as_bad(outcome: Outcome) -> bool {
    outcome.is_valid() && !outcome.is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::flux::ShippedQuery;

    /// Most runs are good.
    const OUTCOMES: &[Outcome] = &[
        Outcome::Ok,
        Outcome::Ok,
        Outcome::Failed,
        Outcome::Unmeasured,
    ];

    /// One run a minute, each of one of three probes.
    fn runs(seen: &[(usize, Outcome)]) -> Vec<Run> {
        let series = ["a", "b", "c"].map(|probe| {
            Arc::new(Series {
                system: "s".to_owned(),
                journey: "j".to_owned(),
                probe: probe.to_owned(),
            })
        });
        let minutes = (0..).map(|minute| Timestamp::from_second(minute * 60).unwrap());
        let runs = seen.iter().zip(minutes);
        let runs = runs.map(|((probe, outcome), at)| Run {
            series: Arc::clone(&series[*probe]),
            at,
            impact: Impact::High,
            outcome: *outcome,
            every: Some(Duration::from_mins(1)),
        });
        runs.collect()
    }

    proptest! {
        #[test]
        fn good_runs_that_are_remembered_as_little_count_as_much(
            stretches in prop::collection::vec(
                (0..3_usize, 1..40_usize, prop::sample::select(OUTCOMES)),
                1..30,
            ),
            offset in 0..3_usize,
        ) {
            let seen: Vec<_> = stretches
                .into_iter()
                .flat_map(|(probes, many, outcome)| (0..many).map(move |index| ((index * offset) % (probes + 1), outcome)))
                .collect();
            let rule = Rule::shipped("failed", ShippedQuery::JourneysFailed);
            let (mut little, mut whole) = (Track::default(), Track::default());
            let (mut changes, mut expected) = (Vec::new(), Vec::new());
            for run in runs(&seen) {
                whole.add(&rule, [run.observation(&rule)], run.at, &mut expected);
                let at = run.at;
                little.follow(&rule, run, at, &mut changes);
            }
            prop_assert_eq!(changes, expected);
        }
    }
}
