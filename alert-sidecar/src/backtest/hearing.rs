//! Who would have been missed, and when: plays the questions of a rule about silence. Pure.
//!
//! Every question sees the newest point of each journey. Only those questions are played that may find a silence or the end of
//! one: between two points that follow each other as they should, nothing comes to light. In a month of a robot that was never
//! silent that is none of millions.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    time::Duration,
};

use jiff::Timestamp;

use super::{
    moment::question_after,
    runs::{Line, Portion},
};
use crate::{
    flux::{Observation, Rule, Series, observation::OURS, rule::Weight},
    judge::silence::{PROBE_AS_A_WHOLE, Silence},
};

/// What one question brings to be judged.
pub struct Heard {
    /// When it was asked.
    pub asked: Timestamp,
    /// In the order of their time.
    pub rows: Vec<Observation>,
}

/// Who judges what is heard.
pub trait Judge {
    /// Judges what one question brought.
    fn judge(&mut self, heard: Heard);

    /// Whether good rows of these change nothing.
    fn is_calm(&self, series: &Series) -> bool;
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

/// The points of a journey that were not heard yet.
struct Coming<'a> {
    series: &'a Series,
    line: &'a Line,
    /// The first of them.
    next: usize,
    weight: Weight,
}

impl Coming<'_> {
    fn next_at(&self) -> Option<Timestamp> {
        self.line.marks.get(self.next).map(|mark| mark.at)
    }

    /// Hears what comes before this moment, and gives the newest of it.
    fn hear(&mut self, before: Timestamp) -> Option<Observation> {
        let coming = &self.line.marks[self.next..];
        let heard = coming.partition_point(|mark| mark.at < before);
        let newest = *coming[..heard].last()?;
        self.next += heard;
        let impact = self.weight.of(newest.impact);
        Some(self.line.heard(self.series, newest, impact))
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

    /// Plays the questions of a stretch of time.
    pub fn follow(&mut self, portion: &Portion, judge: &mut impl Judge) {
        let mut coming: BTreeMap<String, Vec<Coming<'_>>> = BTreeMap::new();
        // Nobody misses those that are retired, and no incident of theirs can be open.
        let counted = portion.lines.iter();
        for (series, line) in counted.filter(|(series, _)| !self.silence.is_retired(series)) {
            let lines = coming.entry(series.probe.clone()).or_default();
            lines.push(Coming {
                series,
                line,
                next: 0,
                weight: self.weight,
            });
        }
        for probe in self.robots.keys() {
            coming.entry(probe.clone()).or_default();
        }
        for (probe, mut lines) in coming {
            let mut robot = self.robots.remove(&probe).unwrap_or_default();
            self.play(&probe, &mut robot, &mut lines, portion.until, judge);
            self.robots.insert(probe, robot);
        }
    }

    fn play(
        &self,
        probe: &str,
        robot: &mut Robot,
        lines: &mut [Coming<'_>],
        until: Timestamp,
        judge: &mut impl Judge,
    ) {
        let whole = Series {
            system: OURS.to_owned(),
            journey: PROBE_AS_A_WHOLE.to_owned(),
            probe: probe.to_owned(),
        };
        let mut doubtful = self.doubtful(robot, lines, until).into_iter().peekable();
        while let Some(first) = lines.iter().filter_map(Coming::next_at).min() {
            while doubtful.next_if(|span| span.end <= first).is_some() {}
            let doubt = doubtful.peek().map_or(until, |span| span.start);
            if first < doubt && judge.is_calm(&whole) {
                self.pass_over(robot, lines, doubt, judge);
            } else {
                let asked = question_after(first, self.every);
                self.find_missed(robot, asked, judge);
                let heard = lines.iter_mut().filter_map(|line| line.hear(asked));
                self.hear(robot, &heard.collect::<Vec<_>>(), asked, judge);
            }
        }
        self.find_missed(robot, until, judge);
    }

    /// The times in which a point may be the first to be heard after a silence of its journey, or the one that shows that another
    /// journey is silent; in their order.
    fn doubtful(
        &self,
        robot: &Robot,
        lines: &[Coming<'_>],
        until: Timestamp,
    ) -> Vec<Range<Timestamp>> {
        // From when on nothing came of a journey for too long, and what ended that.
        let mut silences: Vec<(Timestamp, Option<Timestamp>)> = Vec::new();
        let mut lasts: BTreeMap<&Series, Timestamp> = robot
            .last
            .iter()
            .map(|(series, point)| (series, self.silent_from(point.at, point.every)))
            .collect();
        for Coming { series, line, .. } in lines {
            let mut silent_from = lasts.remove(series);
            for mark in &line.marks {
                if let Some(from) = silent_from.filter(|from| *from < mark.at) {
                    silences.push((from, Some(mark.at)));
                }
                silent_from = Some(self.silent_from(mark.at, line.every(mark.at)));
            }
            silences.extend(silent_from.map(|from| (from, None)));
        }
        silences.extend(lasts.into_values().map(|from| (from, None)));

        let around = |from: Timestamp, shows: Timestamp| {
            question_after(from, self.every) - self.every..question_after(shows, self.every)
        };
        let mut spans = BTreeSet::new();
        for (from, ends) in silences {
            let later = lines.iter().filter_map(|line| {
                let marks = &line.line.marks;
                marks.get(marks.partition_point(|mark| mark.at <= from))
            });
            let shows = later.map(|mark| mark.at).min();
            let showing = around(from, shows.unwrap_or(until));
            for span in [Some(showing), ends.map(|ends| around(ends, ends))] {
                spans.extend(span.map(|span| (span.start, span.end)));
            }
        }
        spans.into_iter().map(|(start, end)| start..end).collect()
    }

    /// Hears what comes before this moment, up to which nobody is silent who is not known to be.
    fn pass_over(
        &self,
        robot: &mut Robot,
        lines: &mut [Coming<'_>],
        until: Timestamp,
        judge: &mut impl Judge,
    ) {
        for line in lines {
            while let Some(first) = line.next_at().filter(|first| *first < until) {
                let asked = if judge.is_calm(line.series) {
                    until
                } else {
                    question_after(first, self.every)
                };
                let Some(point) = line.hear(asked) else { break };
                let asked = question_after(point.at, self.every);
                self.note(robot, &point);
                let rows = vec![point];
                judge.judge(Heard { asked, rows });
            }
        }
    }

    /// The question before `until` that finds that nothing comes from the robot any more.
    fn find_missed(&self, robot: &mut Robot, until: Timestamp, judge: &mut impl Judge) {
        let Some(newest) = robot.newest else { return };
        let Some(patience) = self.silence.patience_with_all(robot.last.values()) else {
            return;
        };
        let asked = question_after(newest.max(self.since) + patience, self.every);
        if robot.is_missed || asked >= until {
            return;
        }
        robot.is_missed = true;
        judge.judge(self.ask(&robot.whole(), asked));
    }

    fn hear(
        &self,
        robot: &mut Robot,
        touched: &[Observation],
        asked: Timestamp,
        judge: &mut impl Judge,
    ) {
        for point in touched {
            self.note(robot, point);
        }
        if robot.heard_until >= robot.newest {
            return judge.judge(self.ask(touched, asked));
        }
        let ends = robot.last.values().map(|point| {
            let silent_from = self.silent_from(point.at, point.every);
            (Some(silent_from) >= robot.newest).then_some(silent_from)
        });
        robot.heard_until = ends.flatten().min();
        judge.judge(self.ask(&robot.whole(), asked));
    }

    fn note(&self, robot: &mut Robot, point: &Observation) {
        robot.is_missed = false;
        robot.newest = robot.newest.max(Some(point.at));
        let until = self.silent_from(point.at, point.every);
        robot.heard_until = Some(robot.heard_until.map_or(until, |known| known.min(until)));
        robot.last.insert(point.series.clone(), point.clone());
    }

    /// When a journey falls silent of which nothing comes after this point.
    fn silent_from(&self, at: Timestamp, every: Option<Duration>) -> Timestamp {
        at.max(self.since) + self.silence.patience(every)
    }

    fn ask(&self, last: &[Observation], asked: Timestamp) -> Heard {
        let mut rows = self.silence.rows(last, self.since, asked);
        rows.sort_by_key(|row| row.at);
        Heard { asked, rows }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use vigia_contract::data_model::{Impact, Outcome};

    use super::{
        super::{
            runs::{Line, Mark},
            track::Track,
        },
        *,
    };
    use crate::{
        flux::ShippedQuery,
        incident::Change,
        judge::{Criteria, Threshold, silence::Retired},
    };

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

    /// Judges as a rule does that looks at each probe by itself, and keeps what changes.
    struct Judging {
        rule: Rule,
        tracks: BTreeMap<Series, Track>,
        changes: Vec<(Timestamp, Change)>,
    }

    impl Judging {
        fn new(criteria: Criteria) -> Self {
            let (mut rule, _) = rule();
            rule.criteria = criteria;
            Self {
                rule,
                tracks: BTreeMap::new(),
                changes: Vec::new(),
            }
        }

        /// In the order of their time: robots and journeys are followed one after the other.
        fn changes(self) -> Vec<(Timestamp, String)> {
            let changes = self.changes.into_iter();
            let mut changes: Vec<_> = changes
                .map(|(at, change)| (at, format!("{change:?}")))
                .collect();
            changes.sort();
            changes
        }
    }

    impl Judge for Judging {
        fn judge(&mut self, heard: Heard) {
            for row in heard.rows {
                let track = self.tracks.entry(row.series.clone()).or_default();
                track.add(&self.rule, [row], heard.asked, &mut self.changes);
            }
        }

        fn is_calm(&self, series: &Series) -> bool {
            self.tracks.get(series).is_none_or(Track::is_calm)
        }
    }

    /// What a program would have found that asked every ten seconds, and when.
    fn asked_every_time(
        points: &[Vec<i64>; 4],
        criteria: Criteria,
        until: i64,
    ) -> Vec<(Timestamp, String)> {
        let (_, silence) = rule();
        let mut judging = Judging::new(criteria);
        let whole = portion(points, (0, until));
        for asked in (10..until).step_by(10) {
            let last: Vec<Observation> = whole
                .lines
                .iter()
                .filter_map(|(series, line)| {
                    let mark = line.marks.iter().rfind(|mark| mark.at < second(asked))?;
                    Some(line.heard(series, *mark, mark.impact))
                })
                .collect();
            let mut rows = silence.rows(&last, second(0), second(asked));
            // Of those that are retired nothing is followed.
            rows.retain(|row| !silence.is_retired(&row.series));
            rows.sort_by_key(|row| row.at);
            judging.judge(Heard {
                asked: second(asked),
                rows,
            });
        }
        judging.changes()
    }

    fn played(points: &[Vec<i64>; 4], criteria: Criteria, until: i64) -> Vec<(Timestamp, String)> {
        let (rule, silence) = rule();
        let mut judging = Judging::new(criteria);
        let mut hearing = Hearing::new(&rule, silence, second(0));
        // Two stretches, as a long time is read.
        for stretch in [(0, until / 2), (until / 2, until)] {
            hearing.follow(&portion(points, stretch), &mut judging);
        }
        judging.changes()
    }

    /// Points of a journey that runs every so many seconds and fails to for a while now and then.
    fn journey(every: i64) -> impl Strategy<Value = Vec<i64>> {
        let kept = prop::collection::vec((0..60_i64, prop::bool::weighted(0.9)), 1..10);
        kept.prop_map(move |stays| {
            let (mut at, mut points) = (0, Vec::new());
            for (runs, is_heard) in stays {
                for run in 0..runs {
                    points.extend((is_heard || run == 0).then_some(at));
                    at += every + run % 3;
                }
            }
            points
        })
    }

    fn criteria() -> impl Strategy<Value = Criteria> {
        let threshold = |text: &str| text.parse::<Threshold>().unwrap();
        prop_oneof![
            Just(Criteria::FIRST),
            Just(Criteria {
                fails_after: threshold("2 of 3"),
                ..Criteria::FIRST
            }),
            Just(Criteria {
                recovers_after: 3,
                ..Criteria::FIRST
            }),
        ]
    }

    proptest! {
        // Asking every time takes long.
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn it_finds_what_asking_every_time_finds_and_at_the_same_question(
            points in prop::array::uniform4(prop::collection::vec(0..5900_i64, 0..40)),
            criteria in criteria(),
        ) {
            prop_assert_eq!(played(&points, criteria, 6000), asked_every_time(&points, criteria, 6000));
        }

        #[test]
        fn among_thousands_of_points_that_come_as_they_should_it_misses_no_silence(
            often in journey(60), seldom in journey(300), other in journey(60), retired in journey(60),
            criteria in criteria(),
        ) {
            let points = [often, seldom, other, retired];
            prop_assert_eq!(played(&points, criteria, 20_000), asked_every_time(&points, criteria, 20_000));
        }
    }
}
