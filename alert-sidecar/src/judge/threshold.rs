//! N of M runs, as the operator writes it: `2 of 3`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, de::Error};

/// How many of how many runs must fail before users count as affected, written `2 of 3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    failed: usize,
    of: usize,
}

impl Threshold {
    /// A single failed run is enough.
    pub const FIRST: Self = Self { failed: 1, of: 1 };

    /// How many must fail.
    #[must_use]
    pub const fn failed(self) -> usize {
        self.failed
    }

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
pub const MOST_RUNS: usize = 100;

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

#[cfg(test)]
mod tests {
    use super::*;

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
