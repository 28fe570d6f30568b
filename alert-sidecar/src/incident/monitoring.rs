//! What the monitoring itself suffers: where InfluxDB does not answer, or a rule cannot be asked, nobody would be told of
//! anything. Pure: what the rules report goes in, changes come out.
//!
//! | heard | open | change |
//! |---|---|---|
//! | InfluxDB answers nobody, for long enough | nothing about it | one incident opens: monitoring is blind |
//! | InfluxDB answers, and this rule cannot be asked, for long enough | nothing about the rule | one incident of this rule opens |
//! | InfluxDB answers | about it | it closes |
//! | this rule is answered | about the rule | it closes |

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

/// Why a rule was not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blindness {
    /// InfluxDB answers nobody, for this reason.
    Everything(String),
    /// InfluxDB answers, but this rule cannot be asked, or not all of its answer can be understood, for this reason.
    Rule(String),
}

/// How a rule fares, where InfluxDB answers.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Sight {
    /// It was not asked yet.
    Unknown,
    /// It was answered.
    Clear,
    /// It cannot be asked.
    Blind(Since),
}

/// What has lasted since then, for this reason.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Since {
    at: Timestamp,
    reason: String,
}

/// How the rules fare, and what is open because of it.
#[derive(Clone, Debug)]
pub struct Monitoring {
    blind_after: SignedDuration,
    /// Nothing while InfluxDB answers anybody.
    nobody_answered: Option<Since>,
    rules: BTreeMap<String, Sight>,
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
            blind_after: SignedDuration::try_from(blind_after).unwrap_or(SignedDuration::MAX),
            nobody_answered: None,
            rules: rules
                .into_iter()
                .map(|rule| (rule, Sight::Unknown))
                .collect(),
            open: open
                .map(|incident| (incident.series.journey.clone(), incident))
                .collect(),
        }
    }

    /// What follows from how a rule fared at this moment.
    pub fn hear(
        &mut self,
        rule: &str,
        answer: Result<(), Blindness>,
        now: Timestamp,
    ) -> Vec<Change> {
        if let Err(Blindness::Everything(reason)) = answer {
            let at = self.nobody_answered.as_ref().map_or(now, |since| since.at);
            self.nobody_answered = Some(Since { at, reason });
            return self.open_where_long(now);
        }
        self.nobody_answered = None;
        let sight = match (answer, self.rules.get(rule)) {
            (Err(Blindness::Rule(reason)), Some(Sight::Blind(since))) => Sight::Blind(Since {
                at: since.at,
                reason,
            }),
            (Err(Blindness::Rule(reason)), _) => Sight::Blind(Since { at: now, reason }),
            _ => Sight::Clear,
        };
        self.rules.insert(rule.to_owned(), sight);
        let mut changes = self.close_where_over(now);
        changes.extend(self.open_where_long(now));
        changes
    }

    fn close_where_over(&mut self, now: Timestamp) -> Vec<Change> {
        let rules = &self.rules;
        let is_over = |subject: &str| match rules.get(subject) {
            _ if subject == EVERYTHING => true,
            Some(sight) => *sight == Sight::Clear,
            // A rule that was taken out of the configuration is nobody's trouble any more.
            None => true,
        };
        let over = self.open.extract_if(.., |subject, _| is_over(subject));
        over.map(|(_, mut incident)| {
            incident.end = Some(End {
                at: now,
                run_id: now.to_string(),
            });
            Change::Closed(incident)
        })
        .collect()
    }

    fn open_where_long(&mut self, now: Timestamp) -> Vec<Change> {
        let long: Vec<(&str, &Since)> = match &self.nobody_answered {
            Some(since) => vec![(EVERYTHING, since)],
            None => self
                .rules
                .iter()
                .filter_map(|(rule, sight)| match sight {
                    Sight::Blind(since) => Some((rule.as_str(), since)),
                    Sight::Unknown | Sight::Clear => None,
                })
                .collect(),
        };
        let mut changes = Vec::new();
        for (subject, since) in long {
            let is_long = now.duration_since(since.at) >= self.blind_after;
            if is_long && !self.open.contains_key(subject) {
                let incident = opened(subject, since);
                self.open.insert(subject.to_owned(), incident.clone());
                changes.push(Change::Opened(incident));
            }
        }
        changes
    }
}

fn opened(subject: &str, since: &Since) -> Incident {
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
        at: since.at,
        impact,
        outcome: Outcome::Failed,
        run_id: since.at.to_string(),
        failure: Failure {
            class: Some(trouble.name().to_owned()),
            error: Some(since.reason.clone()),
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

    /// Plays `time rule answer`, where the answer is `o`k, that of the `r`ule alone, or from `n`obody; tells what changed.
    fn played(rules: &[&str], script: &[(i64, &str, char)]) -> Vec<String> {
        let rules = rules.iter().map(ToString::to_string);
        let mut monitoring = Monitoring::new(rules, Duration::from_secs(30), Vec::new());
        let mut told = Vec::new();
        for (at, rule, answer) in script {
            let answer = match answer {
                'o' => Ok(()),
                'r' => Err(Blindness::Rule("why".into())),
                _ => Err(Blindness::Everything("why".into())),
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
    fn when_nobody_is_answered_that_is_one_incident_though_a_rule_was_not_asked_meanwhile() {
        let script = [
            (0, "seldom", 'o'),
            (0, "a", 'o'),
            (10, "a", 'n'),
            (12, "b", 'n'),
            (39, "a", 'n'),
            (41, "b", 'n'),
            (50, "a", 'n'),
            (60, "b", 'o'),
            (61, "a", 'o'),
        ];
        assert_eq!(
            played(&["a", "b", "seldom"], &script),
            ["41: influxdb blind since 10", "60: influxdb sees"]
        );
    }

    #[test]
    fn a_rule_that_alone_cannot_be_asked_is_an_incident_of_its_own() {
        let script = [
            (0, "a", 'o'),
            (0, "b", 'r'),
            (29, "b", 'r'),
            (31, "a", 'o'),
            (60, "b", 'r'),
            (70, "b", 'o'),
        ];
        assert_eq!(
            played(&["a", "b"], &script),
            ["31: b blind since 0", "70: b sees"]
        );
    }

    #[test]
    fn a_hiccup_is_nothing() {
        let script = [
            (0, "a", 'o'),
            (1, "a", 'n'),
            (20, "a", 'n'),
            (29, "b", 'o'),
            (31, "a", 'n'),
            (60, "a", 'o'),
        ];
        assert_eq!(played(&["a", "b"], &script), [""; 0]);
    }

    #[test]
    fn a_rule_that_stays_wrong_while_influxdb_is_away_stays_one_incident() {
        let script = [
            (0, "wrong", 'r'),
            (30, "wrong", 'r'),
            (40, "wrong", 'n'),
            (70, "a", 'n'),
            (90, "wrong", 'r'),
            (95, "wrong", 'o'),
        ];
        assert_eq!(
            played(&["a", "wrong"], &script),
            [
                "30: wrong blind since 0",
                "70: influxdb blind since 40",
                "90: influxdb sees",
                "95: wrong sees"
            ]
        );
    }

    #[test]
    fn what_an_earlier_process_left_open_ends_when_it_is_seen_again() {
        let since = Since {
            at: second(5),
            reason: "why".into(),
        };
        let rules = ["a".to_owned()];
        let left = vec![opened("influxdb", &since), opened("taken out", &since)];
        let mut monitoring = Monitoring::new(rules, Duration::from_secs(30), left);
        let away = Err(Blindness::Everything("why".into()));
        assert_eq!(monitoring.hear("a", away, second(50)), []);
        let closed: Vec<_> = monitoring
            .hear("a", Ok(()), second(60))
            .into_iter()
            .map(|change| match change {
                Change::Closed(incident) => incident.series.journey,
                _ => unreachable!(),
            })
            .collect();
        assert_eq!(closed, ["influxdb", "taken out"]);
    }
}
