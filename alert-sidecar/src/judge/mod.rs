//! Whether what was observed means that users are affected. Pure: rows in, verdict out.
//!
//! First each probe's runs are looked at by themselves ([`look`]), then what the probes see is put together ([`judge`]). Only
//! runs that say something about the system count: an unmeasured or missed run is never down and never up. What a row means
//! to its rule (a slow run is bad to a rule about slowness, and a run that failed says nothing to it) was decided when it was
//! read.

pub mod limit;
pub mod probes;
pub mod silence;
pub mod threshold;

use std::time::Duration;

use jiff::SignedDuration;
use serde::Deserialize;

pub use self::{
    limit::Limit,
    probes::{Probes, Verdict, judge},
    threshold::Threshold,
};
use crate::flux::Observation;

/// What a rule asks for before it says that users are affected, and before it says that they no longer are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Criteria {
    /// How many of how many runs must fail.
    pub fails_after: Threshold,
    /// How many runs in a row must get through before an incident is over.
    pub recovers_after: usize,
    /// How long the runs must have failed, from the first to the newest.
    pub lasting: Duration,
    /// Whose views count together.
    pub probes: Probes,
    /// When a journey comes and goes.
    pub flapping: Flapping,
}

impl Criteria {
    /// What a single probe's run that failed is enough for.
    pub const FIRST: Self = Self {
        fails_after: Threshold::FIRST,
        recovers_after: 1,
        lasting: Duration::ZERO,
        probes: Probes::Each,
        flapping: Flapping::DEFAULT,
    };

    /// How many of the newest runs that count must be known, whatever their age.
    #[must_use]
    pub fn runs(self) -> usize {
        self.fails_after.of().max(self.recovers_after)
    }

    /// How far back runs must be known, whatever their number.
    #[must_use]
    pub fn reach(self) -> Duration {
        self.lasting.max(self.flapping.calm)
    }
}

/// When incidents of one journey follow each other so closely that they are one: it comes and goes. Such an incident ends
/// when the journey has been well, or down, for a while without a break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flapping {
    /// The incident with this number within the span is one that comes and goes.
    pub after: usize,
    /// The span.
    #[serde(deserialize_with = "vigia_contract::duration::deserialize")]
    pub within: Duration,
    /// How long nothing may change before it is over.
    #[serde(deserialize_with = "vigia_contract::duration::deserialize")]
    pub calm: Duration,
}

impl Flapping {
    /// The third incident within an hour; a quarter of an hour of calm.
    pub const DEFAULT: Self = Self {
        after: 3,
        within: Duration::from_hours(1),
        calm: Duration::from_mins(15),
    };
}

/// What one probe sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View<'a> {
    /// Enough runs failed.
    Failing {
        /// The first failed run among those that were looked at, or of the unbroken row of failed runs that they end.
        first: &'a Observation,
        /// The newest failed run.
        newest: &'a Observation,
    },
    /// Enough runs got through.
    Well {
        /// The first of the unbroken row of runs that got through.
        first: &'a Observation,
        /// The newest of them.
        newest: &'a Observation,
    },
    /// Something failed lately, and not enough of it to say so; or too few runs have got through since.
    Suspicious,
    /// No run counts.
    Unknown,
}

/// Looks at the runs of one probe, which stand in the order of their time, the newest last.
#[must_use]
pub fn look<'a>(runs: &[&'a Observation], criteria: Criteria) -> View<'a> {
    let counted: Vec<&Observation> = runs
        .iter()
        .rev()
        .copied()
        .filter(|run| run.outcome.is_valid())
        .collect();
    let Some(&newest) = counted.first() else {
        return View::Unknown;
    };
    if newest.outcome.is_ok() {
        let row = counted.iter().take_while(|run| run.outcome.is_ok());
        let length = row.count();
        return if length >= criteria.recovers_after {
            View::Well {
                first: counted[length - 1],
                newest,
            }
        } else {
            View::Suspicious
        };
    }
    let (recent, older) = counted.split_at(criteria.fails_after.of().min(counted.len()));
    let failed: Vec<_> = recent.iter().filter(|run| !run.outcome.is_ok()).collect();
    let before = older.iter().take_while(|run| !run.outcome.is_ok());
    let enough = failed.len() >= criteria.fails_after.failed();
    match failed.into_iter().chain(before).last() {
        Some(&first) if enough && lasts(first, newest, criteria.lasting) => {
            View::Failing { first, newest }
        }
        _ => View::Suspicious,
    }
}

/// Whether this much time lies between the beginnings of two runs.
#[must_use]
pub fn lasts(first: &Observation, newest: &Observation, duration: Duration) -> bool {
    newest.at.duration_since(first.at)
        >= SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use vigia_contract::data_model::{Impact, Outcome};

    use super::*;
    use crate::flux::Series;

    /// One letter a run, one run a second: `o`k, `s`low, `f`ailed, `u`nmeasured, `m`issed.
    fn runs(letters: &str) -> Vec<Observation> {
        letters
            .chars()
            .zip(1_i64..)
            .map(|(letter, second)| Observation {
                series: Series {
                    system: "s".into(),
                    journey: "j".into(),
                    probe: "p".into(),
                },
                at: jiff::Timestamp::from_second(second).unwrap(),
                impact: Impact::Critical,
                outcome: Outcome::ALL
                    .into_iter()
                    .find(|outcome| outcome.name().starts_with(letter))
                    .unwrap(),
                run_id: second.to_string(),
                failure: crate::flux::observation::Failure::default(),
                every: None,
            })
            .collect()
    }

    fn seen(letters: &str, criteria: Criteria) -> String {
        let runs = runs(letters);
        let runs: Vec<&Observation> = runs.iter().collect();
        match look(&runs, criteria) {
            View::Failing { first, .. } => format!("failing since {}", first.run_id),
            View::Well { first, .. } => format!("well since {}", first.run_id),
            View::Suspicious => "suspicious".to_owned(),
            View::Unknown => "unknown".to_owned(),
        }
    }

    #[test]
    fn n_of_m_runs_decide_and_only_runs_that_count() {
        for (letters, threshold, expected) in [
            ("", "1 of 1", "unknown"),
            ("um", "1 of 1", "unknown"),
            ("f", "1 of 1", "failing since 1"),
            ("f", "2 of 3", "suspicious"),
            ("ff", "2 of 3", "failing since 1"),
            ("fof", "2 of 3", "failing since 1"),
            ("foof", "2 of 3", "suspicious"),
            ("fuf", "2 of 3", "failing since 1"),
            ("fummmmuf", "2 of 3", "failing since 1"),
            ("ffu", "2 of 3", "failing since 1"),
            ("offff", "2 of 3", "failing since 2"),
            ("ffo", "2 of 3", "well since 3"),
            ("ffs", "2 of 3", "well since 3"),
            ("ffou", "2 of 3", "well since 3"),
            ("ffoso", "2 of 3", "well since 3"),
        ] {
            let criteria = Criteria {
                fails_after: threshold.parse().unwrap(),
                ..Criteria::FIRST
            };
            assert_eq!(
                seen(letters, criteria),
                expected,
                "{letters} with {threshold}"
            );
        }
    }

    #[test]
    fn what_must_last_is_not_told_before_and_what_got_through_once_may_not_be_enough() {
        let lasting = Criteria {
            lasting: Duration::from_secs(3),
            ..Criteria::FIRST
        };
        for (letters, expected) in [
            ("fff", "suspicious"),
            ("ffff", "failing since 1"),
            ("ffoffff", "failing since 4"),
            ("fuuf", "failing since 1"),
        ] {
            assert_eq!(seen(letters, lasting), expected, "{letters}");
        }
        let recovering = Criteria {
            recovers_after: 3,
            ..Criteria::FIRST
        };
        for (letters, expected) in [
            ("foo", "suspicious"),
            ("foouo", "well since 2"),
            ("fofoo", "suspicious"),
        ] {
            assert_eq!(seen(letters, recovering), expected, "{letters}");
        }
    }
}
