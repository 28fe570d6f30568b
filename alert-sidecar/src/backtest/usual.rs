//! Holds every completed run against the same hour of the week in the four weeks before it, as the shipped query
//! `journeys-slower-than-usual` does. Pure.
//!
//! What was usual is another thing for every question: asked anew for each, InfluxDB would read the same weeks again and again.

use std::{collections::BTreeMap, ops::Range, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use vigia_contract::data_model::Outcome;

use super::{
    moment::question_after,
    runs::{By, Of},
    track::Run,
};
use crate::flux::{Rule, Series};

/// How far back runs say what is usual.
pub const REACH: SignedDuration = SignedDuration::from_mins(4 * WEEK_MIN + HALF_AN_HOUR_MIN);

const WEEK_MIN: i64 = 7 * 24 * 60;
const HALF_AN_HOUR_MIN: i64 = 30;
const MIN_NS: i64 = 60_000_000_000;

/// Fewer runs than these say nothing about what is usual.
const ENOUGH: usize = 20;

/// How long a completed run took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lasted {
    /// When it began.
    pub at_ns: i64,
    /// How long it took.
    pub ms: f64,
}

/// The completed runs of a stretch of time, in the order of their time, by what they are of.
pub type Durations = By<Lasted>;

/// The runs that say what is usual.
pub struct Usual {
    since: Timestamp,
    pasts: BTreeMap<Of, Past>,
}

/// The runs of one journey, seen from one probe while it mattered so much.
#[derive(Default)]
struct Past {
    runs: Vec<Lasted>,
    /// Those of each of the weeks before, in the hour that was asked about last.
    weeks: [Range<usize>; 4],
}

impl Usual {
    /// Runs before this moment only say what is usual.
    pub fn new(since: Timestamp) -> Self {
        Self {
            since,
            pasts: BTreeMap::new(),
        }
    }

    /// Adds the runs of a stretch of time; shows those of which it is known what is usual, with the moment of the question that
    /// would have brought each: all of a judged series at once and in the order of their time.
    pub fn follow(
        &mut self,
        rule: &Rule,
        durations: &Durations,
        mut show: impl FnMut(Series, Vec<(Timestamp, Run)>),
    ) {
        let mut judged: BTreeMap<Series, Vec<&Of>> = BTreeMap::new();
        for what in durations.keys() {
            judged
                .entry(rule.judges_as(&what.0))
                .or_default()
                .push(what);
        }
        for (series, lines) in judged {
            let mut seen = Vec::new();
            for what in lines {
                let runs = &durations[what];
                let (series, impact) = what;
                let series = Arc::new(series.clone());
                let impact = rule.meaning.weight.of(*impact);
                let past = self.pasts.entry(what.clone()).or_default();
                past.runs.extend_from_slice(runs);
                for run in runs {
                    let (Ok(at), Ok(took)) = (
                        Timestamp::from_nanosecond(run.at_ns.into()),
                        Duration::try_from_secs_f64(run.ms / 1000.0),
                    ) else {
                        continue;
                    };
                    let known_at = question_after(at + took, rule.every);
                    if at < self.since {
                        continue;
                    }
                    if let Some(is_slow) = past.is_slow(run.ms, known_at) {
                        let run = Run {
                            series: Arc::clone(&series),
                            at,
                            impact,
                            outcome: if is_slow {
                                Outcome::Failed
                            } else {
                                Outcome::Ok
                            },
                            every: None,
                        };
                        seen.push((known_at, run));
                    }
                }
            }
            seen.sort_by_key(|(_, run)| run.at);
            show(series, seen);
        }
    }

    /// Forgets what nothing after this moment is held against.
    pub fn forget(&mut self, until: Timestamp) {
        let horizon = ns(until - REACH);
        for past in self.pasts.values_mut() {
            let old = past.runs.partition_point(|run| run.at_ns < horizon);
            past.runs.drain(..old);
            past.weeks = Default::default();
        }
    }
}

impl Past {
    /// Whether a run that the question of this moment brought took longer than is usual; nothing where too little is known.
    fn is_slow(&mut self, ms: f64, asked: Timestamp) -> Option<bool> {
        let asked_ns = ns(asked);
        for (week, number) in self.weeks.iter_mut().zip(1..) {
            let middle_ns = asked_ns - number * WEEK_MIN * MIN_NS;
            let half_ns = HALF_AN_HOUR_MIN * MIN_NS;
            move_to(&mut week.start, &self.runs, middle_ns - half_ns);
            move_to(&mut week.end, &self.runs, middle_ns + half_ns);
        }
        let known: usize = self.weeks.iter().map(Range::len).sum();
        if known < ENOUGH {
            return None;
        }
        let past = || {
            let weeks = self.weeks.iter().cloned();
            weeks.flat_map(|week| self.runs[week].iter().map(|run| run.ms))
        };
        // What is slow exceeds the median by half at least: nearly no run does, and then nothing needs to be put in order.
        let longer = past().filter(|past_ms| past_ms * 1.499 >= ms).count();
        if longer * 2 > known + 1 {
            return Some(false);
        }
        let usual = median(past().collect());
        let deviation = median(past().map(|past_ms| (past_ms - usual).abs()).collect());
        let most = usual + (5.0 * 1.4826 * deviation).max((usual / 2.0).max(250.0));
        Some(ms > most)
    }
}

/// Moves to the first run from this moment on: the moments come nearly in their order.
fn move_to(index: &mut usize, runs: &[Lasted], from_ns: i64) {
    while *index > 0 && runs[*index - 1].at_ns >= from_ns {
        *index -= 1;
    }
    while runs.get(*index).is_some_and(|run| run.at_ns < from_ns) {
        *index += 1;
    }
}

/// The middle one, or the mean of the two in the middle, as in Flux for as few as these.
fn median(mut values: Vec<f64>) -> f64 {
    let middle = values.len() / 2;
    let is_even = values.len().is_multiple_of(2);
    let (lower, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if is_even {
        let below = lower.iter().copied().max_by(f64::total_cmp);
        below.map_or(*upper, |below| f64::midpoint(below, *upper))
    } else {
        *upper
    }
}

fn ns(at: Timestamp) -> i64 {
    i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs every 6 minutes around the same moment of the last weeks, each as long as its letter: `a` is 1 s, `b` 2 s.
    fn is_slow(weeks: [&str; 4], ms: f64) -> Option<bool> {
        let asked = Timestamp::from_second(3_000_000_000).unwrap();
        let mut past = Past::default();
        for (letters, number) in weeks.iter().zip(1..=4) {
            for (letter, place) in letters.bytes().zip(0..) {
                past.runs.push(Lasted {
                    at_ns: ns(asked) - number * WEEK_MIN * MIN_NS + (place * 6 - 30) * MIN_NS,
                    ms: f64::from(letter - b'a' + 1) * 1000.0,
                });
            }
        }
        past.runs.sort_by_key(|run| run.at_ns);
        past.is_slow(ms, asked)
    }

    #[test]
    fn a_run_is_held_against_the_median_of_the_same_hour_and_how_far_the_others_are_from_it() {
        let calm = ["aaaaa"; 4];
        assert_eq!(is_slow(calm, 1500.0), Some(false));
        assert_eq!(is_slow(calm, 1500.1), Some(true));
        // Half of them a second longer: 1.5 s is usual, give or take half a second, so 1.5 s + 5 * 1.4826 * 0.5 s is the most.
        let mixed = ["aaaaabbbbb"; 4];
        assert_eq!(is_slow(mixed, 5206.0), Some(false));
        assert_eq!(is_slow(mixed, 5207.0), Some(true));
        // One bad day of the four.
        assert_eq!(
            is_slow(["aaaaa", "aaaaa", "zzzzz", "aaaaa"], 2000.0),
            Some(true)
        );
    }

    #[test]
    fn too_few_runs_say_nothing_and_those_of_another_hour_are_none() {
        assert_eq!(is_slow(["aaaaa", "aaaaa", "aaaaa", "aaaa"], 9000.0), None);
        // The eleventh begins when the hour is over.
        assert_eq!(is_slow(["aaaaaaaaaaa", "aaaaaaaaa", "", ""], 9000.0), None);
    }
}
