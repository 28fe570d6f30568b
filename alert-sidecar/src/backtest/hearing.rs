//! Who would have been missed, and when: plays the questions of a rule about silence. Pure.
//!
//! Every question sees the newest point of each journey. Between two points of a robot nothing changes but that a silence
//! becomes long enough, so only those questions are played that see a new point or find a silence.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;
use vigia_contract::data_model::Outcome;

use super::{feed::Portion, moment::question_after};
use crate::{
    flux::{Observation, Rule, Series, rule::Weight},
    judge::silence::Silence,
};

/// What one question brings to be judged.
pub struct Heard {
    /// When it was asked.
    pub asked: Timestamp,
    /// In the order of their time.
    pub rows: Vec<Observation>,
}

/// The robots as they were heard until now.
pub struct Hearing {
    silence: Silence,
    weight: Weight,
    every: Duration,
    since: Timestamp,
    robots: BTreeMap<String, Robot>,
}

/// What is known of one robot.
#[derive(Default)]
struct Robot {
    /// The newest point of each of its journeys.
    last: BTreeMap<Series, Observation>,
    newest: Option<Timestamp>,
    /// Whether it is known to be silent as a whole.
    is_missed: bool,
    /// No journey of it that is not known to be silent falls silent before this.
    heard_until: Option<Timestamp>,
}

impl Robot {
    fn whole(&self) -> Vec<Observation> {
        self.last.values().cloned().collect()
    }
}

impl Hearing {
    /// Nobody was heard before this moment, and nobody was silent.
    pub fn new(rule: &Rule, silence: Silence, since: Timestamp) -> Self {
        Self {
            silence,
            weight: rule.meaning.weight,
            every: rule.every,
            since,
            robots: BTreeMap::new(),
        }
    }

    /// Plays the questions of a stretch of time, and shows what each brings.
    pub fn follow(&mut self, portion: &Portion, mut show: impl FnMut(Heard)) {
        let mut points: BTreeMap<&str, Vec<Observation>> = BTreeMap::new();
        // Nobody misses those that are retired, and no incident of theirs can be open.
        let counted = portion.lines.iter();
        for (series, line) in counted.filter(|(series, _)| !self.silence.is_retired(series)) {
            let points = points.entry(&series.probe).or_default();
            let seen = line.marks.iter();
            points.extend(seen.map(|mark| {
                let impact = self.weight.of(mark.impact);
                line.run(series, *mark, impact, Outcome::Ok)
            }));
        }
        for probe in self.robots.keys() {
            if !points.contains_key(probe.as_str()) {
                points.insert(probe, Vec::new());
            }
        }
        let probes: Vec<String> = points.keys().map(ToString::to_string).collect();
        let mut points: Vec<_> = points.into_values().collect();
        for (probe, points) in probes.into_iter().zip(&mut points) {
            points.sort_by_key(|point| point.at);
            let mut robot = self.robots.remove(&probe).unwrap_or_default();
            let mut arriving = points.drain(..).peekable();
            while let Some(first) = arriving.peek() {
                let asked = question_after(first.at, self.every);
                self.find_missed(&mut robot, asked, &mut show);
                let mut touched = BTreeMap::new();
                while let Some(point) = arriving.next_if(|point| point.at < asked) {
                    touched.insert(point.series.clone(), point);
                }
                self.hear(&mut robot, touched, asked, &mut show);
            }
            self.find_missed(&mut robot, portion.until, &mut show);
            self.robots.insert(probe, robot);
        }
    }

    /// The question before `until` that finds that nothing comes from the robot any more.
    fn find_missed(&self, robot: &mut Robot, until: Timestamp, show: &mut impl FnMut(Heard)) {
        let Some(newest) = robot.newest else { return };
        let last = robot.last.values();
        let Some(patience) = last.map(|point| self.silence.patience(point)).min() else {
            return;
        };
        let asked = question_after(newest.max(self.since) + patience, self.every);
        if robot.is_missed || asked >= until {
            return;
        }
        robot.is_missed = true;
        show(self.ask(&robot.whole(), asked));
    }

    fn hear(
        &self,
        robot: &mut Robot,
        touched: BTreeMap<Series, Observation>,
        asked: Timestamp,
        show: &mut impl FnMut(Heard),
    ) {
        robot.is_missed = false;
        for (series, point) in &touched {
            robot.newest = robot.newest.max(Some(point.at));
            let until = point.at.max(self.since) + self.silence.patience(point);
            robot.heard_until = Some(robot.heard_until.map_or(until, |known| known.min(until)));
            robot.last.insert(series.clone(), point.clone());
        }
        if robot.heard_until >= robot.newest {
            return show(self.ask(&touched.into_values().collect::<Vec<_>>(), asked));
        }
        let ends = robot.last.values().map(|point| {
            let silent_from = point.at.max(self.since) + self.silence.patience(point);
            (Some(silent_from) >= robot.newest).then_some(silent_from)
        });
        robot.heard_until = ends.flatten().min();
        show(self.ask(&robot.whole(), asked));
    }

    fn ask(&self, last: &[Observation], asked: Timestamp) -> Heard {
        let mut rows = self.silence.rows(last, self.since, asked);
        rows.sort_by_key(|row| row.at);
        Heard { asked, rows }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use vigia_contract::data_model::Impact;

    use super::{
        super::feed::{Line, Mark},
        *,
    };
    use crate::{flux::ShippedQuery, judge::silence::Retired};

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// The journeys `often` and `seldom` of one robot, and `often` and `retired` of another, by the seconds of their points.
    fn portion(points: &[Vec<i64>; 4], (since, until): (i64, i64)) -> Portion {
        let journeys = [
            ("often", "p", 60),
            ("seldom", "p", 300),
            ("often", "q", 60),
            ("retired", "q", 60),
        ];
        let lines =
            journeys
                .into_iter()
                .zip(points)
                .filter_map(|((journey, probe, every), points)| {
                    let mut marks: Vec<Mark> = points
                        .iter()
                        .filter(|point| (since..until).contains(*point))
                        .map(|point| Mark {
                            at: second(*point),
                            outcome: Outcome::Failed,
                            impact: Impact::High,
                        })
                        .collect();
                    marks.sort_by_key(|mark| mark.at);
                    marks.dedup();
                    let line = Line {
                        marks,
                        intervals: vec![(second(since), Duration::from_secs(every))],
                        drifts: BTreeSet::new(),
                    };
                    let series = Series {
                        system: "s".to_owned(),
                        journey: journey.to_owned(),
                        probe: probe.to_owned(),
                    };
                    (!line.marks.is_empty()).then_some((series, line))
                });
        Portion {
            until: second(until),
            lines: lines.collect(),
        }
    }

    fn rule() -> (Rule, Silence) {
        let mut rule = Rule::shipped("r", ShippedQuery::JourneysSilent);
        let retired = Retired {
            system: "s".to_owned(),
            journey: Some("retired".to_owned()),
            probe: None,
        };
        let silence = rule.silence.as_mut().unwrap();
        silence.retired = vec![retired];
        let silence = silence.clone();
        (rule, silence)
    }

    /// The silences that a program would have found that asked every ten seconds, and when.
    fn asked_every_time(points: &[Vec<i64>; 4], until: i64) -> Vec<(Timestamp, Observation)> {
        let (_, silence) = rule();
        let whole = portion(points, (0, until));
        let mut found = Vec::new();
        let mut known = BTreeSet::new();
        for asked in (10..until).step_by(10) {
            let last: Vec<Observation> = whole
                .lines
                .iter()
                .filter_map(|(series, line)| {
                    let mark = line.marks.iter().rfind(|mark| mark.at < second(asked))?;
                    Some(line.run(series, *mark, mark.impact, Outcome::Ok))
                })
                .collect();
            for row in silence.rows(&last, second(0), second(asked)) {
                if row.outcome == Outcome::Failed && known.insert((row.series.clone(), row.at)) {
                    found.push((second(asked), row));
                }
            }
        }
        found.sort_by_key(|(asked, row)| (*asked, row.series.clone(), row.at));
        found
    }

    fn played(points: &[Vec<i64>; 4], until: i64) -> Vec<(Timestamp, Observation)> {
        let (rule, silence) = rule();
        let mut hearing = Hearing::new(&rule, silence, second(0));
        let mut found = Vec::new();
        let mut known = BTreeSet::new();
        // Two stretches, as a long time is read.
        for stretch in [(0, until / 2), (until / 2, until)] {
            hearing.follow(&portion(points, stretch), |heard| {
                for row in heard.rows {
                    if row.outcome == Outcome::Failed && known.insert((row.series.clone(), row.at))
                    {
                        found.push((heard.asked, row));
                    }
                }
            });
        }
        found.sort_by_key(|(asked, row)| (*asked, row.series.clone(), row.at));
        found
    }

    proptest! {
        #[test]
        fn it_finds_what_asking_every_time_finds_and_at_the_same_question(
            points in prop::array::uniform4(prop::collection::vec(0..5900_i64, 0..40))
        ) {
            prop_assert_eq!(played(&points, 6000), asked_every_time(&points, 6000));
        }
    }
}
