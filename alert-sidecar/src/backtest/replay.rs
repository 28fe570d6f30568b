//! Follows one rule through the runs of all journeys. Pure.
//!
//! A journey whose runs are all good costs next to nothing: only where a bad run may still count, or an incident is open, is
//! it judged, run after run, as while the program runs.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use vigia_contract::data_model::Outcome;

use super::feed::{Line, Mark, Portion};
use crate::{
    flux::{
        Observation, Rule, Series,
        observation::Failure,
        rule::{Bad, Weight},
    },
    incident::{Change, History, Incident, follow},
};

/// So many runs may be known before those that are not needed any more are forgotten.
const MANY: usize = 64;

/// One rule on its way through the runs.
pub struct Replay {
    rule: Rule,
    /// By the journey as it is judged.
    tracks: BTreeMap<Series, Track>,
}

/// What is known of one journey.
#[derive(Default)]
struct Track {
    /// The runs since the last incident ended, as far back as they count.
    known: Vec<Observation>,
    /// How many of them are bad.
    bad: usize,
    forget_at: usize,
    open: Option<Incident>,
    beginnings: Vec<Timestamp>,
    judged_until: Option<Timestamp>,
}

impl Replay {
    /// Nothing was followed yet.
    pub fn new(rule: Rule) -> Self {
        Self {
            rule,
            tracks: BTreeMap::new(),
        }
    }

    /// The rule.
    pub const fn rule(&self) -> &Rule {
        &self.rule
    }

    /// Follows the runs of a stretch of time; adds what changes, with the moment at which it is known.
    pub fn follow(&mut self, portion: &Portion, changes: &mut Vec<(Timestamp, Change)>) {
        let mut judged: BTreeMap<Series, Vec<(&Series, &Line)>> = BTreeMap::new();
        for (series, line) in &portion.lines {
            let lines = judged.entry(self.rule.judges_as(series)).or_default();
            lines.push((series, line));
        }
        for (series, lines) in judged {
            let track = self.tracks.entry(series).or_default();
            let mut runs: Vec<(&Series, &Line, Mark)> = lines
                .iter()
                .flat_map(|(series, line)| line.marks.iter().map(|mark| (*series, *line, *mark)))
                .collect();
            if lines.len() > 1 {
                runs.sort_by_key(|(_, _, mark)| mark.at);
            }
            for (series, line, mark) in runs {
                track.add(
                    &self.rule,
                    observation(&self.rule, series, line, mark),
                    changes,
                );
            }
        }
    }
}

impl Track {
    fn add(&mut self, rule: &Rule, run: Observation, changes: &mut Vec<(Timestamp, Change)>) {
        let at = run.at;
        self.bad += usize::from(is_bad(&run));
        self.known.push(run);
        if self.open.is_some() || self.bad > 0 {
            self.judge(rule, at, changes);
        }
        self.judged_until = Some(at);
        if self.known.len() >= self.forget_at.max(MANY) {
            self.forget(rule, at);
        }
    }

    fn judge(&mut self, rule: &Rule, at: Timestamp, changes: &mut Vec<(Timestamp, Change)>) {
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
            judged_until: self.judged_until,
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
                    self.known.retain(|run| Some(run.at) > ended);
                }
                Change::Became { present, .. } => {
                    self.beginnings.push(present.started_at);
                    self.open = Some(Incident::clone(present));
                }
            }
            changes.push((at, change));
        }
        self.bad = self.known.iter().filter(|run| is_bad(run)).count();
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
        self.bad = self.known.iter().filter(|run| is_bad(run)).count();
        self.forget_at = 2 * self.known.len();
    }
}

fn is_bad(run: &Observation) -> bool {
    run.outcome.is_valid() && !run.outcome.is_ok()
}

/// The run as the rule would have read it, but for the reason.
fn observation(rule: &Rule, series: &Series, line: &Line, mark: Mark) -> Observation {
    Observation {
        series: series.clone(),
        at: mark.at,
        impact: match rule.meaning.weight {
            Weight::AsTagged | Weight::TaggedOrLow => mark.impact,
            Weight::OneLower => mark.impact.lowered(),
            Weight::Fixed(impact) => impact,
        },
        outcome: match (rule.meaning.bad, mark.outcome) {
            (Bad::Slow, Outcome::Slow) => Outcome::Failed,
            (Bad::Slow, Outcome::Failed) => Outcome::Unmeasured,
            (_, outcome) => outcome,
        },
        run_id: String::new(),
        failure: Failure {
            class: rule
                .meaning
                .trouble
                .map(|trouble| trouble.name().to_owned()),
            ..Failure::default()
        },
        every: line.every,
    }
}
