//! Follows one rule through what was read of the past. Pure.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use vigia_contract::data_model::Outcome;

use super::{
    feed::{Part, Wanted},
    hearing::{self, Hearing},
    moment::question_after,
    question::{self, Question, Way},
    runs::{Line, Mark, Portion},
    track::{Run, Track},
    usual::Usual,
};
use crate::{
    flux::{
        Observation, Rule, Series, ShippedQuery,
        annotated_csv::CsvError,
        observation::RowError,
        poll::{Answer, Judged},
        rule::Bad,
    },
    incident::Change,
};

/// One rule on its way through the past.
pub struct Replay {
    rule: Rule,
    source: Source,
    /// By the journey as it is judged.
    tracks: BTreeMap<Series, Track>,
    unusable: Option<RowError>,
}

/// What the rule is judged by.
enum Source {
    /// What every run came to.
    Runs,
    /// Which runs got through, and which of them by another selector.
    Drifts,
    /// The runs that did not come.
    Hearing(Box<Hearing>),
    /// How long every completed run took.
    Usual(Usual),
    /// The rows that this question brings of every moment at once.
    Rows { question: usize, kept: Kept },
    /// The rows that this question brings moment by moment.
    Moments {
        question: usize,
        step: Duration,
        judged: Judged,
    },
}

/// Which rows of every moment at once count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    All,
    /// Those that were the newest when the rule would have been asked.
    Newest,
}

impl Replay {
    /// Nothing was followed yet; says what it needs.
    pub fn new(rule: Rule, (since, until): (Timestamp, Timestamp), wanted: &mut Wanted) -> Self {
        let mut shipped = ShippedQuery::ALL.into_iter();
        let query = shipped.find(|query| rule.flux == query.flux());
        let source = match (&rule.silence, query) {
            (Some(silence), _) => {
                let hearing = Hearing::new(&rule, silence.clone(), since);
                Source::Hearing(Box::new(hearing))
            }
            (None, Some(ShippedQuery::JourneysFailed | ShippedQuery::JourneysSlow)) => Source::Runs,
            (None, Some(ShippedQuery::JourneysDrifting)) => {
                wanted.drifts = true;
                Source::Drifts
            }
            (None, Some(ShippedQuery::JourneysSlowerThanUsual)) => {
                wanted.durations = true;
                Source::Usual(Usual::new(since))
            }
            (None, None) => {
                let step = question::step(&rule, until.duration_since(since));
                let question = Question {
                    flux: rule.flux.clone(),
                    way: Way::Moments {
                        step,
                        overlap: rule.overlap,
                    },
                };
                Source::Moments {
                    question: wanted.ask(question, &rule.name),
                    step,
                    judged: Judged::default(),
                }
            }
            (None, Some(query)) => {
                let question = Question {
                    flux: rule.flux.clone(),
                    way: Way::Windows { every: rule.every },
                };
                Source::Rows {
                    question: wanted.ask(question, &rule.name),
                    kept: if query.brings_the_newest() {
                        Kept::Newest
                    } else {
                        Kept::All
                    },
                }
            }
        };
        wanted.runs |= matches!(source, Source::Runs | Source::Drifts | Source::Hearing(_));
        Self {
            rule,
            source,
            tracks: BTreeMap::new(),
            unusable: None,
        }
    }

    /// The rule.
    pub const fn rule(&self) -> &Rule {
        &self.rule
    }

    /// What takes long about it, where something does.
    pub fn cost(&self, span: SignedDuration) -> Option<String> {
        match self.source {
            Source::Usual(_) => {
                Some("reads how long every run took, of the four weeks before, too".to_owned())
            }
            Source::Moments { step, .. } => {
                let step = SignedDuration::try_from(step).unwrap_or(SignedDuration::MAX);
                let questions = span.as_nanos() / step.as_nanos().max(1);
                Some(format!(
                    "is a query of your own: it is asked {questions} times"
                ))
            }
            Source::Rows { .. } => {
                Some("reads what Telegraf measured as often as it would have been asked".to_owned())
            }
            Source::Runs | Source::Drifts | Source::Hearing(_) => None,
        }
    }

    /// Why not everything that the rule would have found was found.
    pub fn gaps(&self) -> Vec<String> {
        let mut gaps = Vec::new();
        if let Source::Moments { step, .. } = self.source
            && step > self.rule.every
        {
            gaps.push(format!(
                "it was asked every {}, not every {}: where it brings the newest only, what came and went in between is missing",
                friendly(step),
                friendly(self.rule.every)
            ));
        }
        if let Some(error) = &self.unusable {
            gaps.push(format!("some of its rows cannot be used: {error}"));
        }
        gaps
    }

    /// Follows something of what was read; adds what changes, with the moment at which it is known.
    pub fn follow(
        &mut self,
        part: &Part,
        changes: &mut Vec<(Timestamp, Change)>,
    ) -> Result<(), CsvError> {
        let Self {
            rule,
            source,
            tracks,
            unusable,
        } = self;
        match (source, part) {
            (Source::Runs, Part::Runs(portion)) => {
                let read = |_: &Line, mark| Some(run(rule, mark));
                follow_runs(rule, tracks, portion, read, changes);
            }
            (Source::Drifts, Part::Runs(portion)) => {
                follow_runs(rule, tracks, portion, drift, changes);
            }
            (Source::Hearing(hearing), Part::Runs(portion)) => {
                hearing.follow(
                    portion,
                    &mut Judging {
                        rule,
                        tracks,
                        changes,
                    },
                );
            }
            (Source::Usual(usual), Part::Durations(durations)) => {
                usual.follow(rule, durations, |series, runs| {
                    let track = tracks.entry(series).or_default();
                    for (known_at, run) in runs {
                        track.follow(rule, run, known_at, changes);
                    }
                });
            }
            (Source::Usual(usual), Part::End(until)) => usual.forget(*until),
            (Source::Rows { question, kept }, Part::Answer(index, answered))
                if question == index =>
            {
                let answer = Answer::read(&answered.body, rule, &Judged::default())?;
                *unusable = unusable.take().or(answer.unusable);
                let mut seen = BTreeMap::new();
                for row in answer.runs {
                    let known_at = question_after(row.at, rule.every);
                    if *kept == Kept::Newest {
                        seen.insert((known_at, row.series.clone()), row);
                    } else {
                        judge(rule, tracks, vec![row], known_at, changes);
                    }
                }
                for ((known_at, _), row) in seen {
                    judge(rule, tracks, vec![row], known_at, changes);
                }
            }
            (
                Source::Moments {
                    question, judged, ..
                },
                Part::Answer(index, answered),
            ) if question == index => {
                let mut answer = Answer::read(&answered.body, rule, judged)?;
                *judged = answer.once_judged();
                *unusable = unusable.take().or(answer.unusable.take());
                judge(rule, tracks, answer.runs, answered.asked, changes);
            }
            _ => {}
        }
        Ok(())
    }
}

/// As an operator writes it.
fn friendly(duration: Duration) -> String {
    SignedDuration::try_from(duration).map_or_else(
        |_| format!("{duration:?}"),
        |duration| format!("{duration:#}"),
    )
}

/// Judges what one question brought, in the order of its time.
fn judge(
    rule: &Rule,
    tracks: &mut BTreeMap<Series, Track>,
    rows: Vec<Observation>,
    known_at: Timestamp,
    changes: &mut Vec<(Timestamp, Change)>,
) {
    let mut judged: BTreeMap<Series, Vec<Observation>> = BTreeMap::new();
    for row in rows {
        judged
            .entry(rule.judges_as(&row.series))
            .or_default()
            .push(row);
    }
    for (series, rows) in judged {
        let track = tracks.entry(series).or_default();
        track.add(rule, rows, known_at, changes);
    }
}

/// Judges what is heard of robots.
struct Judging<'a> {
    rule: &'a Rule,
    tracks: &'a mut BTreeMap<Series, Track>,
    changes: &'a mut Vec<(Timestamp, Change)>,
}

impl hearing::Judge for Judging<'_> {
    fn judge(&mut self, heard: hearing::Heard) {
        judge(
            self.rule,
            self.tracks,
            heard.rows,
            heard.asked,
            self.changes,
        );
    }

    fn is_calm(&self, series: &Series) -> bool {
        let track = self.tracks.get(&self.rule.judges_as(series));
        // Where probes are put together, a good run says that one of them can see the journey.
        !self.rule.puts_probes_together() && track.is_none_or(Track::is_calm)
    }
}

/// Follows the runs of journeys, each known as soon as it is there; `read` says what one means to the rule.
fn follow_runs(
    rule: &Rule,
    tracks: &mut BTreeMap<Series, Track>,
    portion: &Portion,
    read: impl Fn(&Line, Mark) -> Option<Outcome>,
    changes: &mut Vec<(Timestamp, Change)>,
) {
    let mut judged: BTreeMap<Series, Vec<(Arc<Series>, &Line)>> = BTreeMap::new();
    for (series, line) in &portion.lines {
        let lines = judged.entry(rule.judges_as(series)).or_default();
        lines.push((Arc::new(series.clone()), line));
    }
    for (series, lines) in judged {
        let track = tracks.entry(series).or_default();
        let mut runs: Vec<(&Arc<Series>, &Line, Mark)> = lines
            .iter()
            .flat_map(|(series, line)| line.marks.iter().map(move |mark| (series, *line, *mark)))
            .collect();
        if lines.len() > 1 {
            runs.sort_by_key(|(_, _, mark)| mark.at);
        }
        for (series, line, mark) in runs {
            let Some(outcome) = read(line, mark) else {
                continue;
            };
            let run = Run {
                series: Arc::clone(series),
                at: mark.at,
                impact: rule.meaning.weight.of(mark.impact),
                outcome,
                every: line.every(mark.at),
            };
            track.follow(rule, run, mark.at, changes);
        }
    }
}

/// What the rule would have read of the run.
const fn run(rule: &Rule, mark: Mark) -> Outcome {
    match (rule.meaning.bad, mark.outcome) {
        (Bad::Slow, Outcome::Slow) => Outcome::Failed,
        (Bad::Slow, Outcome::Failed) => Outcome::Unmeasured,
        (_, outcome) => outcome,
    }
}

/// What a rule about drift would have read of the run, where it got through.
fn drift(line: &Line, mark: Mark) -> Option<Outcome> {
    match mark.outcome {
        Outcome::Ok | Outcome::Slow if line.drifts.contains(&mark.at) => Some(Outcome::Failed),
        Outcome::Ok | Outcome::Slow => Some(Outcome::Ok),
        _ => None,
    }
}
