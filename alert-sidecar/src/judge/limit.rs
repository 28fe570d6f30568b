//! What a measured value means: bad beyond one line, good within another, and between the two neither, so that a value that
//! swings about a single line does not open and close an incident again and again.

use serde::{Deserialize, Deserializer, de::Error};
use vigia_contract::data_model::Outcome;

/// Where a value turns bad, and where it is good again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// Bad above `bad`, good up to `good`.
    Above {
        /// More is bad.
        bad: f64,
        /// As much, or less, is good.
        good: f64,
    },
    /// Bad below `bad`, good from `good` on.
    Below {
        /// Less is bad.
        bad: f64,
        /// As much, or more, is good.
        good: f64,
    },
}

impl Limit {
    /// What the value means. What is not a number means nothing.
    #[must_use]
    pub fn outcome(self, value: f64) -> Outcome {
        let (is_bad, is_good) = match self {
            Self::Above { bad, good } => (value > bad, value <= good),
            Self::Below { bad, good } => (value < bad, value >= good),
        };
        match (is_bad, is_good) {
            (true, _) => Outcome::Failed,
            (_, true) => Outcome::Ok,
            _ => Outcome::Unmeasured,
        }
    }
}

/// `limit = { above = 90, until = 85 }`, or `below` in place of `above`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    above: Option<f64>,
    below: Option<f64>,
    /// Default: the same as the other.
    until: Option<f64>,
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let refuse = |what: &str| {
            D::Error::custom(format!(
                "{what}\nhint: write for example {{ above = 90, until = 85 }} or {{ below = 14, until = 21 }}"
            ))
        };
        let settings = Settings::deserialize(deserializer)?;
        match settings {
            Settings {
                above: Some(bad),
                below: None,
                until,
            } => {
                let good = until.unwrap_or(bad);
                (good <= bad).then_some(Self::Above { bad, good }).ok_or_else(|| refuse("a value that is bad above `above` can be good again only at or below it"))
            }
            Settings {
                above: None,
                below: Some(bad),
                until,
            } => {
                let good = until.unwrap_or(bad);
                (good >= bad).then_some(Self::Below { bad, good }).ok_or_else(|| refuse("a value that is bad below `below` can be good again only at or above it"))
            }
            _ => Err(refuse("a limit has either `above` or `below`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meanings(limit: &str, values: &[f64]) -> String {
        let limit = format!("limit = {limit}");
        let table: std::collections::BTreeMap<String, Limit> = toml::from_str(&limit).unwrap();
        let letters = values
            .iter()
            .map(|value| &table["limit"].outcome(*value).name()[..1]);
        letters.collect()
    }

    #[test]
    fn between_the_two_lines_a_value_is_neither_bad_nor_good() {
        let values = [84.0, 85.0, 87.0, 90.0, 90.1, f64::NAN];
        assert_eq!(meanings("{ above = 90, until = 85 }", &values), "oouufu");
        assert_eq!(
            meanings(
                "{ below = 14.0, until = 21.0 }",
                &[22.0, 21.0, 15.0, 14.0, 13.9]
            ),
            "oouuf"
        );
        assert_eq!(meanings("{ above = 90 }", &[90.0, 90.1]), "of");
    }

    #[test]
    fn a_limit_that_no_value_can_leave_is_refused() {
        for wrong in [
            "{ above = 90, until = 95 }",
            "{ below = 14, until = 7 }",
            "{ above = 1, below = 2 }",
            "{ until = 2 }",
        ] {
            let text = format!("limit = {wrong}");
            let read: Result<std::collections::BTreeMap<String, Limit>, _> = toml::from_str(&text);
            assert!(
                read.unwrap_err().to_string().contains("hint: write"),
                "{wrong}"
            );
        }
    }
}
