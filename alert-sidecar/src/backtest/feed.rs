//! Reads what the rules need of the past, a stretch of time after the other, as small as it gets.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use futures_util::StreamExt;
use jiff::Timestamp;
use tokio::{sync::mpsc, task::JoinSet};
use vigia_contract::data_model::{Impact, Outcome, tag};

use super::{
    BacktestError,
    question::{Answered, Question},
    usual::{self, Durations, Lasted},
};
use crate::flux::{
    InfluxDb, Observation, QueryError, Series,
    annotated_csv::{self, CsvError, Row},
    client::Query,
    observation::Failure,
};

/// So much is read before it is judged: some megabytes, and few enough questions that most of the time goes into the answers.
const STRETCH: Duration = Duration::from_hours(5 * 24);

/// What one run came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When it began.
    pub at: Timestamp,
    /// What it came to.
    pub outcome: Outcome,
    /// How much its system mattered.
    pub impact: Impact,
}

/// A journey as one probe sees it.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// Its runs, in the order of their time.
    pub marks: Vec<Mark>,
    /// How often it runs, from when on, where its points say so.
    pub intervals: Vec<(Timestamp, Duration)>,
    /// When another selector had to stand in for the one that is meant.
    pub drifts: BTreeSet<Timestamp>,
}

impl Line {
    /// A run, without the reason.
    pub fn run(
        &self,
        series: &Series,
        mark: Mark,
        impact: Impact,
        outcome: Outcome,
    ) -> Observation {
        Observation {
            series: series.clone(),
            at: mark.at,
            impact,
            outcome,
            run_id: String::new(),
            failure: Failure::default(),
            every: self.every(mark.at),
        }
    }

    fn every(&self, at: Timestamp) -> Option<Duration> {
        let begun = self.intervals.partition_point(|(since, _)| *since <= at);
        let interval = self.intervals.get(begun.saturating_sub(1));
        interval.map(|(_, every)| *every)
    }
}

/// The runs of a stretch of time.
#[derive(Clone, Debug)]
pub struct Portion {
    /// When it ends.
    pub until: Timestamp,
    /// By what they are of.
    pub lines: BTreeMap<Series, Line>,
}

/// Something of what was read.
#[derive(Debug)]
pub enum Part {
    /// The runs of journeys.
    Runs(Portion),
    /// How long those took that were completed.
    Durations(Durations),
    /// What a question brought: the one with this index in [`Wanted::questions`].
    Answer(usize, Answered),
    /// All of it until this moment was sent.
    End(Timestamp),
}

/// What the rules need.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// What every run came to.
    pub runs: bool,
    /// Which of them drifted.
    pub drifts: bool,
    /// How long every run took, also in the weeks before.
    pub durations: bool,
    /// What else is asked, with the name of a rule that asks it.
    pub questions: Vec<(Question, String)>,
}

impl Wanted {
    /// Adds a question where nobody asks it yet; gives its index.
    pub fn ask(&mut self, question: Question, rule: &str) -> usize {
        let known = self
            .questions
            .iter()
            .position(|(known, _)| *known == question);
        known.unwrap_or_else(|| {
            self.questions.push((question, rule.to_owned()));
            self.questions.len() - 1
        })
    }
}

/// What is to be read.
#[derive(Debug)]
pub struct Feed {
    influxdb: Arc<InfluxDb>,
    wanted: Wanted,
    since: Timestamp,
    until: Timestamp,
    known: Vec<(Series, Impact)>,
}

impl Feed {
    /// Asks which journeys there are.
    pub async fn new(
        influxdb: Arc<InfluxDb>,
        wanted: Wanted,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Self, QueryError> {
        let mut feed = Self {
            influxdb,
            wanted,
            since,
            until,
            known: Vec::new(),
        };
        if feed.wanted.runs || feed.wanted.durations {
            feed.known = feed.journeys().await?;
        }
        Ok(feed)
    }

    async fn journeys(&self) -> Result<Vec<(Series, Impact)>, QueryError> {
        let flux = include_str!("../flux/queries/journeys-known.flux");
        let body = self.ask(flux, self.since, self.until).await?;
        // Those that differ in another tag, for example the host, are read together.
        let mut known = BTreeSet::new();
        let mut nameless = None;
        annotated_csv::each(&body, |row| {
            let impact = row.text(tag::IMPACT).and_then(Impact::from_name);
            match (series(row), impact) {
                (Some(series), Some(impact)) => drop(known.insert((series, impact))),
                _ => nameless = nameless.take().or_else(|| Some(format!("{row:?}"))),
            }
        })?;
        match nameless {
            Some(row) => Err(without("names and an impact", &row).into()),
            None => Ok(known.into_iter().collect()),
        }
    }

    async fn ask(
        &self,
        flux: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<String, QueryError> {
        let query = Query {
            flux,
            since,
            until,
            now: until,
            window: None,
            texts: &[],
        };
        self.influxdb.answer(&query).await
    }

    /// Reads all of it; an error is the last thing that is sent.
    pub async fn read(self, parts: mpsc::Sender<Result<Part, BacktestError>>) {
        if let Err(error) = self.read_into(&parts).await {
            // Nobody listens where another part failed.
            drop(parts.send(Err(error)).await);
        }
    }

    async fn read_into(
        &self,
        parts: &mpsc::Sender<Result<Part, BacktestError>>,
    ) -> Result<(), BacktestError> {
        if self.wanted.durations {
            let stretches = stretches(self.since - usual::REACH, self.since);
            for (since, until) in stretches {
                let durations = self.durations(since, until).await?;
                if parts.send(Ok(Part::Durations(durations))).await.is_err() {
                    return Ok(());
                }
            }
        }
        for (since, until) in stretches(self.since, self.until) {
            let mut sent = Ok(());
            if self.wanted.runs {
                let portion = self.portion(since, until).await?;
                sent = parts.send(Ok(Part::Runs(portion))).await;
            }
            if self.wanted.durations {
                let durations = self.durations(since, until).await?;
                sent = sent.and(parts.send(Ok(Part::Durations(durations))).await);
            }
            for (index, (question, rule)) in self.wanted.questions.iter().enumerate() {
                let mut answers = pin!(question.ask(&self.influxdb, since, until));
                while let Some(answer) = answers.next().await {
                    let answer = answer.map_err(|error| BacktestError::Rule {
                        rule: rule.clone(),
                        error,
                    })?;
                    sent = sent.and(parts.send(Ok(Part::Answer(index, answer))).await);
                    if sent.is_err() {
                        return Ok(());
                    }
                }
            }
            if sent.and(parts.send(Ok(Part::End(until))).await).is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Asks the same of each journey as each probe sees it, and reads what comes.
    async fn of_each<T: Send + 'static>(
        &self,
        flux: &'static str,
        since: Timestamp,
        until: Timestamp,
        read: fn(&str, Impact) -> Result<T, CsvError>,
    ) -> Result<Vec<((Series, Impact), T)>, QueryError> {
        // The client itself asks no more than a few at once.
        let mut asked = JoinSet::new();
        for (series, impact) in self.known.clone() {
            let influxdb = Arc::clone(&self.influxdb);
            asked.spawn(async move {
                let query = Query {
                    flux,
                    since,
                    until,
                    now: until,
                    window: None,
                    texts: &[
                        (tag::SYSTEM, &series.system),
                        (tag::JOURNEY, &series.journey),
                        (tag::PROBE, &series.probe),
                        (tag::IMPACT, impact.name()),
                    ],
                };
                let found = read(&influxdb.answer(&query).await?, impact)?;
                Ok::<_, QueryError>(((series, impact), found))
            });
        }
        let mut answers = Vec::new();
        while let Some(answer) = asked.join_next().await {
            match answer {
                Ok(answer) => answers.push(answer?),
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
        }
        Ok(answers)
    }

    async fn durations(&self, since: Timestamp, until: Timestamp) -> Result<Durations, QueryError> {
        let flux = include_str!("../flux/queries/journeys-durations.flux");
        let read = |body: &str, _| {
            let mut runs = Vec::new();
            annotated_csv::each(body, |row| runs.extend(lasted(row)))?;
            // Those of two hosts are two tables.
            runs.sort_by_key(|run| run.at_ns);
            Ok(runs)
        };
        let durations = self.of_each(flux, since, until, read).await?;
        Ok(durations.into_iter().collect())
    }

    async fn portion(&self, since: Timestamp, until: Timestamp) -> Result<Portion, QueryError> {
        let flux = include_str!("../flux/queries/journeys-results.flux");
        let mut lines: BTreeMap<Series, Line> = BTreeMap::new();
        for ((series, _), mut marks) in self.of_each(flux, since, until, read).await? {
            if !marks.is_empty() {
                lines.entry(series).or_default().marks.append(&mut marks);
            }
        }
        for line in lines.values_mut() {
            // Two hosts, or an impact that was changed, are two tables.
            line.marks.sort_by_key(|mark| mark.at);
            line.marks.dedup_by_key(|mark| mark.at);
        }
        self.add_intervals(&mut lines, since, until).await?;
        if self.wanted.drifts {
            let flux = include_str!("../flux/queries/journeys-drifts.flux");
            let body = self.ask(flux, since, until).await?;
            annotated_csv::each(&body, |row| {
                let line = series(row).and_then(|series| lines.get_mut(&series));
                if let (Some(line), Some(at)) = (line, row.time("_time")) {
                    line.drifts.insert(at);
                }
            })?;
        }
        Ok(Portion { until, lines })
    }

    /// Reads how often each runs; run by run where that was changed.
    async fn add_intervals(
        &self,
        lines: &mut BTreeMap<Series, Line>,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<(), QueryError> {
        let flux = include_str!("../flux/queries/journeys-intervals.flux");
        let body = self.ask(flux, since, until).await?;
        let mut changed = BTreeSet::new();
        annotated_csv::each(&body, |row| {
            let (Some(series), Some(every)) = (series(row), interval(row)) else {
                return;
            };
            let Some(line) = lines.get_mut(&series) else {
                return;
            };
            match line.intervals.first() {
                None => line.intervals.push((since, every)),
                Some((_, other)) if *other != every => drop(changed.insert(series)),
                Some(_) => {}
            }
        })?;
        for series in changed {
            let query = Query {
                flux: include_str!("../flux/queries/journeys-intervals-of-one.flux"),
                since,
                until,
                now: until,
                window: None,
                texts: &[
                    (tag::SYSTEM, &series.system),
                    (tag::JOURNEY, &series.journey),
                    (tag::PROBE, &series.probe),
                ],
            };
            let body = self.influxdb.answer(&query).await?;
            let mut intervals = Vec::new();
            annotated_csv::each(&body, |row| {
                intervals.extend(row.time("_time").zip(interval(row)));
            })?;
            intervals.sort();
            intervals.dedup_by_key(|(_, every)| *every);
            if let Some(line) = lines.get_mut(&series) {
                line.intervals = intervals;
            }
        }
        Ok(())
    }
}

/// Cuts a time into what is read at once.
fn stretches(since: Timestamp, until: Timestamp) -> impl Iterator<Item = (Timestamp, Timestamp)> {
    let begins = std::iter::successors(Some(since), |begin| Some(*begin + STRETCH));
    let begins = begins.take_while(move |begin| *begin < until);
    begins.map(move |begin| (begin, (begin + STRETCH).min(until)))
}

/// Reads what the runs of one series came to.
fn read(body: &str, impact: Impact) -> Result<Vec<Mark>, CsvError> {
    let mut marks = Vec::new();
    let mut unknown = None;
    annotated_csv::each(body, |row| match mark(row, impact) {
        Some(mark) => marks.push(mark),
        None => unknown = unknown.take().or_else(|| Some(format!("{row:?}"))),
    })?;
    match unknown {
        Some(row) => Err(without("a time and a result", &row)),
        None => Ok(marks),
    }
}

fn without(what: &str, row: &str) -> CsvError {
    CsvError::Malformed {
        record: 0,
        what: format!("a run has {what}: {row}"),
    }
}

fn mark(row: &Row, impact: Impact) -> Option<Mark> {
    Some(Mark {
        at: row.time("_time")?,
        outcome: Outcome::from_name(row.text("_value")?)?,
        impact,
    })
}

fn lasted(row: &Row) -> Option<Lasted> {
    Some(Lasted {
        at_ns: row.time("_time")?.as_nanosecond().try_into().ok()?,
        ms: row.number("_value")?,
    })
}

fn interval(row: &Row) -> Option<Duration> {
    let every = Duration::try_from_secs_f64(row.number("_value")?).ok()?;
    Some(every).filter(|every| !every.is_zero())
}

fn series(row: &Row) -> Option<Series> {
    Some(Series {
        system: row.text(tag::SYSTEM)?.to_owned(),
        journey: row.text(tag::JOURNEY)?.to_owned(),
        probe: row.text(tag::PROBE)?.to_owned(),
    })
}
