//! Whether the runs of a journey mean that users are affected. Pure: rows in, verdict out.
//!
//! Only runs that say something about the system count: an unmeasured or missed run is never down and never up. A slow run
//! is a run that users got through; it is not judged further here.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, de::Error};

use crate::flux::Observation;

/// How many of how many runs must fail before users count as affected, written `2 of 3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    failed: usize,
    of: usize,
}

impl Threshold {
    /// How many runs it looks back.
    #[must_use]
    pub const fn of(self) -> usize {
        self.of
    }
}

impl Default for Threshold {
    fn default() -> Self {
        Self { failed: 2, of: 3 }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} of {}", self.failed, self.of)
    }
}

/// The most runs that a threshold may look back: more is a report, not an alert.
const MOST_RUNS: usize = 100;

impl FromStr for Threshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split_once(" of ")
            .and_then(|(failed, of)| Some(Self { failed: failed.trim().parse().ok()?, of: of.trim().parse().ok()? }))
            .filter(|threshold| (1..=threshold.of).contains(&threshold.failed) && threshold.of <= MOST_RUNS)
            .ok_or_else(|| {
                format!("`{text}` is not a number of runs\nhint: write for example \"2 of 3\": at least 1, at most the second number, which is at most {MOST_RUNS}")
            })
    }
}

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

/// What the runs mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// Users cannot work.
    Failing {
        /// The first failed run among those that were looked at, or of the unbroken row of failed runs that they end.
        first: &'a Observation,
    },
    /// The newest run that counts got through.
    Well {
        /// That run.
        run: &'a Observation,
    },
    /// The newest run that counts failed; more have to fail before anybody is told.
    Suspicious {
        /// How many of the runs that were looked at failed.
        failed: usize,
    },
    /// No run counts.
    Unknown,
}

/// Judges runs that stand in the order of their time, the newest last.
#[must_use]
pub fn judge(runs: &[Observation], threshold: Threshold) -> Verdict<'_> {
    let counted: Vec<_> = runs
        .iter()
        .rev()
        .filter(|run| run.outcome.is_valid())
        .collect();
    let (recent, older) = counted.split_at(threshold.of.min(counted.len()));
    match recent.first() {
        None => return Verdict::Unknown,
        Some(newest) if newest.outcome.is_ok() => return Verdict::Well { run: newest },
        Some(_) => {}
    }
    let failed: Vec<_> = recent.iter().filter(|run| !run.outcome.is_ok()).collect();
    if failed.len() < threshold.failed {
        return Verdict::Suspicious {
            failed: failed.len(),
        };
    }
    let before = older.iter().take_while(|run| !run.outcome.is_ok());
    match failed.into_iter().chain(before).last() {
        Some(first) => Verdict::Failing { first },
        None => Verdict::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use vigia_contract::data_model::{Impact, Outcome};

    use super::*;
    use crate::flux::Series;

    /// One letter a run: `o`k, `s`low, `f`ailed, `u`nmeasured, `m`issed.
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
            })
            .collect()
    }

    #[test]
    fn n_of_m_runs_decide_and_only_runs_that_count() {
        for (letters, threshold, expected) in [
            ("", "1 of 1", "unknown"),
            ("um", "1 of 1", "unknown"),
            ("f", "1 of 1", "failing since 1"),
            ("f", "2 of 3", "1 failed"),
            ("ff", "2 of 3", "failing since 1"),
            ("fof", "2 of 3", "failing since 1"),
            ("foof", "2 of 3", "1 failed"),
            ("fuf", "2 of 3", "failing since 1"),
            ("fummmmuf", "2 of 3", "failing since 1"),
            ("ffu", "2 of 3", "failing since 1"),
            ("offff", "2 of 3", "failing since 2"),
            ("ffo", "2 of 3", "well at 3"),
            ("ffs", "2 of 3", "well at 3"),
            ("ffou", "2 of 3", "well at 3"),
        ] {
            let runs = runs(letters);
            let verdict = match judge(&runs, threshold.parse().unwrap()) {
                Verdict::Failing { first } => format!("failing since {}", first.run_id),
                Verdict::Well { run } => format!("well at {}", run.run_id),
                Verdict::Suspicious { failed } => format!("{failed} failed"),
                Verdict::Unknown => "unknown".to_owned(),
            };
            assert_eq!(verdict, expected, "{letters} with {threshold}");
        }
    }

    #[test]
    fn a_threshold_that_can_never_be_met_or_always_is_is_refused() {
        for wrong in [
            "0 of 3",
            "4 of 3",
            "2",
            "2 of",
            "two of three",
            "1 of 101",
            "-1 of 3",
        ] {
            assert!(wrong.parse::<Threshold>().is_err(), "{wrong}");
        }
    }
}
