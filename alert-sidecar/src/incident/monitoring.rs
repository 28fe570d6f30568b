//! What the monitoring itself suffers: where InfluxDB does not answer, or a rule cannot be asked, nobody would be told of
//! anything. Pure: what the rules report goes in, changes come out.
//!
//! | the rules | open | change |
//! |---|---|---|
//! | none can be asked, for long enough | nothing about all of them | one incident opens: monitoring is blind |
//! | some can be asked, this one not, for long enough | nothing about it, or about all of them | one incident of this rule opens |
//! | one can be asked | about all of them | it closes |
//! | this one can be asked | about it | it closes |

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};
use vigia_contract::data_model::Impact;

use super::{Change, End, Form, Incident};
use crate::flux::{
    Observation, Series, Trouble,
    observation::{Failure, OURS},
};
use vigia_contract::data_model::Outcome;

/// The rule whose incidents these are. No rule of an operator's has this name: it is refused.
pub const RULE: &str = "monitoring";

/// What stands in the place of a journey where no rule can be asked.
const EVERYTHING: &str = "influxdb";

/// What stands in the place of a probe: it is seen from here.
const HERE: &str = "vigia-alert";

/// How a rule fares.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Sight {
    /// It was not asked yet.
    Unknown,
    /// It was answered.
    Clear,
    /// It cannot be asked.
    Blind {
        /// Since then.
        since: Timestamp,
        /// It was last tried then.
        tried: Timestamp,
        /// Why.
        reason: String,
    },
}

/// How the rules fare, and what is open because of it.
#[derive(Clone, Debug)]
pub struct Monitoring {
    blind_after: Duration,
    rules: BTreeMap<String, Sight>,
    /// Since when any rule has been answered, if any is.
    seeing_since: Option<Timestamp>,
    open: BTreeMap<String, Incident>,
}

impl Monitoring {
    /// Nothing was asked yet; `open` is what an earlier process left open.
    #[must_use]
    pub fn new(
        rules: impl IntoIterator<Item = String>,
        blind_after: Duration,
        open: Vec<Incident>,
    ) -> Self {
        let open = open.into_iter();
        Self {
            blind_after,
            rules: rules
                .into_iter()
                .map(|rule| (rule, Sight::Unknown))
                .collect(),
            seeing_since: None,
            open: open
                .map(|incident| (incident.series.journey.clone(), incident))
                .collect(),
        }
    }

    /// What follows from how a rule fared at this moment: it was answered, or not, for a reason.
    pub fn hear(&mut self, rule: &str, answer: Result<(), String>, now: Timestamp) -> Vec<Change> {
        let before = self.rules.get(rule).cloned().unwrap_or(Sight::Unknown);
        let sight = match (answer, before) {
            (Ok(()), _) => Sight::Clear,
            (Err(reason), Sight::Blind { since, .. }) => Sight::Blind {
                since,
                tried: now,
                reason,
            },
            (Err(reason), _) => Sight::Blind {
                since: now,
                tried: now,
                reason,
            },
        };
        self.rules.insert(rule.to_owned(), sight);
        let sees_anything = self.rules.values().any(|sight| *sight == Sight::Clear);
        self.seeing_since = sees_anything.then(|| self.seeing_since.unwrap_or(now));
        self.changes(now)
    }

    fn changes(&mut self, now: Timestamp) -> Vec<Change> {
        let patience = SignedDuration::try_from(self.blind_after).unwrap_or(SignedDuration::MAX);
        let long: BTreeMap<&String, Long> = self
            .rules
            .iter()
            .filter_map(|(rule, sight)| match sight {
                Sight::Blind {
                    since,
                    tried,
                    reason,
                } if now.duration_since(*since) >= patience => Some((
                    rule,
                    Long {
                        since: *since,
                        tried: *tried,
                        reason,
                    },
                )),
                _ => None,
            })
            .collect();
        let is_clear = |rule: &str| self.rules.get(rule) == Some(&Sight::Clear);
        let mut changes = Vec::new();
        let mut open = self.open.clone();
        open.retain(|subject, incident| {
            let is_over = if subject == EVERYTHING {
                self.seeing_since.is_some()
            } else {
                // A rule that was taken out of the configuration is nobody's trouble any more.
                is_clear(subject) || !self.rules.contains_key(subject)
            };
            if is_over {
                let mut incident = incident.clone();
                incident.end = Some(End {
                    at: now,
                    run_id: now.to_string(),
                });
                changes.push(Change::Closed(incident));
            }
            !is_over
        });
        if !open.contains_key(EVERYTHING) {
            if !self.rules.is_empty() && long.len() == self.rules.len() {
                if let Some(oldest) = long.values().min_by_key(|long| long.since) {
                    let incident = opened(EVERYTHING, oldest.since, oldest.reason);
                    changes.push(Change::Opened(incident.clone()));
                    open.insert(EVERYTHING.to_owned(), incident);
                }
            } else if let Some(seeing_since) = self.seeing_since {
                // A rule that was not tried since others see again has nothing to say yet.
                let alone = long.into_iter();
                for (rule, long) in alone.filter(|(_, long)| long.tried >= seeing_since) {
                    if !open.contains_key(rule) {
                        let incident = opened(rule, long.since, long.reason);
                        changes.push(Change::Opened(incident.clone()));
                        open.insert(rule.clone(), incident);
                    }
                }
            }
        }
        self.open = open;
        changes
    }
}

/// A rule that cannot be asked for long enough.
struct Long<'a> {
    since: Timestamp,
    tried: Timestamp,
    reason: &'a str,
}

fn opened(subject: &str, since: Timestamp, reason: &str) -> Incident {
    let (impact, trouble) = if subject == EVERYTHING {
        (Impact::Critical, Trouble::Blind)
    } else {
        (Impact::High, Trouble::RuleBlind)
    };
    let first = Observation {
        series: Series {
            system: OURS.to_owned(),
            journey: subject.to_owned(),
            probe: HERE.to_owned(),
        },
        at: since,
        impact,
        outcome: Outcome::Failed,
        run_id: since.to_string(),
        failure: Failure {
            class: Some(trouble.name().to_owned()),
            error: Some(reason.to_owned()),
            ..Failure::default()
        },
        every: None,
    };
    Incident::open(RULE, &first, Form::Failing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Plays `time rule answer` and tells what changed.
    fn played(rules: &[&str], script: &[(i64, &str, bool)]) -> Vec<String> {
        let rules = rules.iter().map(ToString::to_string);
        let mut monitoring = Monitoring::new(rules, Duration::from_secs(30), Vec::new());
        let mut told = Vec::new();
        for (at, rule, is_answered) in script {
            let answer = if *is_answered {
                Ok(())
            } else {
                Err("why".to_owned())
            };
            for change in monitoring.hear(rule, answer, second(*at)) {
                told.push(match change {
                    Change::Opened(incident) => format!(
                        "{at}: {} blind since {}",
                        incident.series.journey,
                        incident.started_at.as_second()
                    ),
                    Change::Closed(incident) => format!("{at}: {} sees", incident.series.journey),
                    Change::Became { .. } => unreachable!(),
                });
            }
        }
        told
    }

    #[test]
    fn when_no_rule_can_be_asked_that_is_one_incident() {
        let script = [
            (0, "a", true),
            (0, "b", true),
            (10, "a", false),
            (12, "b", false),
            (39, "a", false),
            (41, "a", false),
            (42, "b", false),
            (50, "a", false),
            (60, "b", true),
            (61, "a", true),
        ];
        assert_eq!(
            played(&["a", "b"], &script),
            ["42: influxdb blind since 10", "60: influxdb sees"]
        );
    }

    #[test]
    fn a_rule_that_alone_cannot_be_asked_is_an_incident_of_its_own() {
        let script = [
            (0, "a", true),
            (0, "b", false),
            (30, "b", false),
            (31, "a", true),
            (60, "b", false),
            (70, "b", true),
        ];
        assert_eq!(
            played(&["a", "b"], &script),
            ["30: b blind since 0", "70: b sees"]
        );
    }

    #[test]
    fn a_hiccup_is_nothing() {
        let script = [
            (0, "a", true),
            (1, "a", false),
            (20, "a", false),
            (31, "a", true),
        ];
        assert_eq!(played(&["a"], &script), [""; 0]);
    }

    #[test]
    fn a_rule_that_stays_wrong_when_influxdb_is_back_is_told_then() {
        let script = [
            (0, "a", false),
            (0, "wrong", false),
            (30, "a", false),
            (30, "wrong", false),
            (50, "a", true),
            (55, "wrong", false),
        ];
        assert_eq!(
            played(&["a", "wrong"], &script),
            [
                "30: influxdb blind since 0",
                "50: influxdb sees",
                "55: wrong blind since 0"
            ]
        );
    }

    #[test]
    fn what_an_earlier_process_left_open_ends_when_it_is_seen_again() {
        let left = opened("influxdb", second(5), "why");
        let mut monitoring = Monitoring::new(["a".to_owned()], Duration::from_secs(30), vec![left]);
        assert_eq!(monitoring.hear("a", Err("why".into()), second(50)), []);
        let changes = monitoring.hear("a", Ok(()), second(60));
        assert!(
            matches!(changes.as_slice(), [Change::Closed(incident)] if incident.started_at == second(5))
        );
    }
}
