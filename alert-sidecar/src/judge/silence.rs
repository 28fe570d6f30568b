//! Who has fallen silent: journeys that are known from their points and from which nothing comes any more. Pure.
//!
//! A robot that died takes all its journeys with it: that is one incident of the robot, not one of each journey.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use serde::Deserialize;
use vigia_contract::data_model::Outcome;

use crate::flux::{
    Observation, Series, Trouble,
    observation::{Failure, OURS},
};

/// What stands in the place of a journey where it is about the robot as a whole.
pub const PROBE_AS_A_WHOLE: &str = "probe";

/// How long a journey may be silent whose points do not say how often it runs.
pub const PATIENCE_WITHOUT_INTERVAL: Duration = Duration::from_hours(1);

/// What counts as silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// For how many intervals nothing may come.
    pub intervals: u32,
    /// How much later than that a point may still come: runs take their time, and are written in batches.
    pub slack: Duration,
    /// The journeys that were taken out on purpose.
    pub retired: Vec<Retired>,
}

/// A journey that was taken out on purpose: nobody is told that it is silent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retired {
    /// Its system.
    pub system: String,
    /// Its name. Default: every journey of the system.
    pub journey: Option<String>,
    /// Seen from this probe. Default: from every probe.
    pub probe: Option<String>,
}

impl Retired {
    fn covers(&self, series: &Series) -> bool {
        self.system == series.system
            && self
                .journey
                .as_ref()
                .is_none_or(|name| *name == series.journey)
            && self.probe.as_ref().is_none_or(|name| *name == series.probe)
    }
}

impl Silence {
    /// Whether a journey was taken out on purpose.
    #[must_use]
    pub fn is_retired(&self, series: &Series) -> bool {
        self.retired.iter().any(|retired| retired.covers(series))
    }

    /// How long nothing may come from a journey that runs so often.
    #[must_use]
    pub fn patience(&self, every: Option<Duration>) -> Duration {
        every.map_or(PATIENCE_WITHOUT_INTERVAL, |every| {
            every
                .saturating_mul(self.intervals)
                .saturating_add(self.slack)
        })
    }

    /// How long nothing may come from a robot: as long as from the most frequent of its journeys. Those do not count that were
    /// silent already when the robot was last heard: of a robot that lost one, less is to be heard from then on.
    #[must_use]
    pub fn patience_with_all<'a>(
        &self,
        last: impl Iterator<Item = &'a Observation> + Clone,
    ) -> Option<Duration> {
        let newest = last.clone().map(|point| point.at).max()?;
        last.map(|point| (point.at, self.patience(point.every)))
            .filter(|(at, patience)| newest <= *at + *patience)
            .map(|(_, patience)| patience)
            .min()
    }

    /// What is to be judged: a good row for every point that came, a failed one for every silence. Each has a time that
    /// depends on nothing but the points, so that it counts once however often it is found.
    ///
    /// `last` holds the newest point of every known series. Nobody was silent before `seeing_since`, from when on InfluxDB has
    /// answered: what came meanwhile may still be on its way.
    #[must_use]
    pub fn rows(
        &self,
        last: &[Observation],
        seeing_since: Timestamp,
        now: Timestamp,
    ) -> Vec<Observation> {
        let mut rows = Vec::new();
        let mut probes: BTreeMap<&str, Vec<&Observation>> = BTreeMap::new();
        for point in last.iter().filter(|point| point.series.system != OURS) {
            if self.is_retired(&point.series) {
                // An incident that was open ends with the retirement; before that moment none can be.
                rows.extend(Some(after_silence(point)).filter(|row| row.at <= now));
            } else {
                probes.entry(&point.series.probe).or_default().push(point);
            }
        }
        let is_silent = |at: Timestamp, patience: Duration| now > at.max(seeing_since) + patience;
        for (probe, points) in probes {
            let newest = points.iter().map(|point| point.at).max().unwrap_or(now);
            let shortest = self.patience_with_all(points.iter().copied());
            let whole = probe_as_a_whole(probe, &points, newest);
            rows.push(whole.clone());
            if is_silent(newest, shortest.unwrap_or(PATIENCE_WITHOUT_INTERVAL)) {
                rows.push(silent(&whole, Trouble::ProbeSilent, points.len()));
                continue;
            }
            for point in points {
                rows.push(point.clone());
                let patience = self.patience(point.every);
                // While the robot was not heard since, either of them may be the silent one.
                if is_silent(point.at, patience) && newest > point.at + patience {
                    rows.push(silent(point, Trouble::Silent, 1));
                }
            }
        }
        rows
    }
}

/// The robot's own row: it is as urgent as the most urgent of its journeys.
fn probe_as_a_whole(probe: &str, points: &[&Observation], at: Timestamp) -> Observation {
    let urgent = points.iter().min_by_key(|point| point.impact);
    let every = points.iter().filter_map(|point| point.every).min();
    Observation {
        series: Series {
            system: OURS.to_owned(),
            journey: PROBE_AS_A_WHOLE.to_owned(),
            probe: probe.to_owned(),
        },
        at,
        impact: urgent.map_or(vigia_contract::data_model::Impact::High, |point| {
            point.impact
        }),
        outcome: Outcome::Ok,
        run_id: at.to_string(),
        failure: Failure::default(),
        every,
    }
}

/// When the next point was due, it began.
fn silent(last: &Observation, trouble: Trouble, journeys: usize) -> Observation {
    let at = last.at + last.every.unwrap_or(PATIENCE_WITHOUT_INTERVAL);
    let error = match trouble {
        Trouble::ProbeSilent => format!(
            "the last point of any of the {journeys} journeys of this probe is that of {}",
            last.at
        ),
        _ => format!("the last point is that of {}", last.at),
    };
    Observation {
        at,
        outcome: Outcome::Failed,
        run_id: at.to_string(),
        failure: Failure {
            class: Some(trouble.name().to_owned()),
            error: Some(error),
            ..Failure::default()
        },
        ..last.clone()
    }
}

fn after_silence(last: &Observation) -> Observation {
    let at = last.at + last.every.unwrap_or(PATIENCE_WITHOUT_INTERVAL) + Duration::from_nanos(1);
    Observation {
        at,
        outcome: Outcome::Ok,
        run_id: at.to_string(),
        ..last.clone()
    }
}

#[cfg(test)]
mod tests {
    use vigia_contract::data_model::Impact;

    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn point(journey: &str, probe: &str, at: i64, every: Option<u64>) -> Observation {
        Observation {
            series: Series {
                system: "s".into(),
                journey: journey.into(),
                probe: probe.into(),
            },
            at: second(at),
            impact: Impact::High,
            outcome: Outcome::Ok,
            run_id: String::new(),
            failure: Failure::default(),
            every: every.map(Duration::from_secs),
        }
    }

    fn silent_ones(points: &[Observation], retired: &[Retired], now: i64) -> Vec<String> {
        let silence = Silence {
            intervals: 3,
            slack: Duration::from_secs(30),
            retired: retired.to_vec(),
        };
        silence
            .rows(points, second(0), second(now))
            .into_iter()
            .filter(|row| row.outcome == Outcome::Failed)
            .map(|row| format!("{}@{}", row.series.journey, row.series.probe))
            .collect()
    }

    #[test]
    fn a_journey_is_silent_after_its_own_intervals() {
        let points = [
            point("often", "p", 1000, Some(60)),
            point("seldom", "p", 1000, Some(600)),
            point("talks", "p", 5000, Some(60)),
        ];
        assert_eq!(silent_ones(&points, &[], 1210), [""; 0]);
        assert_eq!(silent_ones(&points, &[], 1211), ["often@p"]);
        assert_eq!(silent_ones(&points, &[], 2831), ["often@p", "seldom@p"]);
    }

    #[test]
    fn a_robot_that_died_is_one_silence_and_not_one_of_each_journey() {
        let points = [
            point("often", "dead", 1000, Some(60)),
            point("seldom", "dead", 900, Some(600)),
            point("often", "alive", 1200, Some(60)),
        ];
        assert_eq!(silent_ones(&points, &[], 1300), ["probe@dead"]);
    }

    #[test]
    fn a_robot_that_lost_its_most_frequent_journey_is_not_silent_between_two_runs_of_the_others() {
        let points = |talks| {
            [
                point("often", "p", 1000, Some(60)),
                point("seldom", "p", talks, Some(600)),
            ]
        };
        assert_eq!(silent_ones(&points(1800), &[], 2350), ["often@p"]);
        assert_eq!(silent_ones(&points(2400), &[], 4230), ["often@p"]);
        assert_eq!(silent_ones(&points(2400), &[], 4231), ["probe@p"]);
        // While both of them ran, it died.
        assert_eq!(silent_ones(&points(1200), &[], 1411), ["probe@p"]);
    }

    #[test]
    fn while_a_robot_is_dying_none_of_its_journeys_is_missed_alone() {
        let points = [
            point("early", "p", 1000, Some(60)),
            point("late", "p", 1050, Some(60)),
        ];
        assert_eq!(silent_ones(&points, &[], 1211), [""; 0]);
        assert_eq!(silent_ones(&points, &[], 1261), ["probe@p"]);
    }

    #[test]
    fn who_does_not_say_how_often_it_runs_is_silent_after_an_hour() {
        let points = [
            point("unknown", "p", 1000, None),
            point("talks", "p", 5000, Some(60)),
        ];
        assert_eq!(silent_ones(&points, &[], 4600), [""; 0]);
        assert_eq!(silent_ones(&points, &[], 4601), ["unknown@p"]);
    }

    #[test]
    fn who_was_retired_is_forgotten_and_its_incident_ends() {
        let points = [
            point("old", "p", 1000, Some(60)),
            point("talks", "p", 5000, Some(60)),
        ];
        let retired = Retired {
            system: "s".into(),
            journey: Some("old".into()),
            probe: None,
        };
        assert_eq!(
            silent_ones(&points, std::slice::from_ref(&retired), 4000),
            [""; 0]
        );
        let silence = Silence {
            intervals: 3,
            slack: Duration::from_secs(30),
            retired: vec![retired],
        };
        let rows = silence.rows(&points, second(0), second(4000));
        let began = silent(&points[0], Trouble::Silent, 1).at;
        assert!(
            rows.iter()
                .any(|row| row.series == points[0].series && row.at > began)
        );
    }

    #[test]
    fn after_a_blindness_everybody_gets_time_to_be_heard_again() {
        let points = [point("often", "p", 1000, Some(60))];
        let silence = Silence {
            intervals: 3,
            slack: Duration::from_secs(30),
            retired: Vec::new(),
        };
        let silent = |now| {
            let rows = silence.rows(&points, second(9000), second(now));
            rows.iter().any(|row| row.outcome == Outcome::Failed)
        };
        assert!(!silent(9210));
        assert!(silent(9211));
    }
}
