//! Reads what every run came to, a stretch of time after the other, as small as it gets.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use tokio::{sync::mpsc, task::JoinSet};
use vigia_contract::data_model::{Impact, Outcome, tag};

use crate::flux::{
    InfluxDb, QueryError, Series,
    annotated_csv::{self, CsvError, Row},
    client::Query,
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
#[derive(Clone, Debug)]
pub struct Line {
    /// How often it runs, where its points say so.
    pub every: Option<Duration>,
    /// Its runs, in the order of their time.
    pub marks: Vec<Mark>,
}

/// The runs of a stretch of time.
#[derive(Clone, Debug, Default)]
pub struct Portion {
    /// By what they are of.
    pub lines: BTreeMap<Series, Line>,
}

/// What is to be read.
#[derive(Debug)]
pub struct Feed {
    influxdb: Arc<InfluxDb>,
    since: Timestamp,
    until: Timestamp,
    every: BTreeMap<Series, Duration>,
    known: Vec<(Series, Impact)>,
}

impl Feed {
    /// Asks which journeys there are, and how often each runs.
    pub async fn new(
        influxdb: Arc<InfluxDb>,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Self, QueryError> {
        let ask = async |flux| {
            let query = Query {
                flux,
                since,
                until,
                now: until,
                texts: &[],
            };
            influxdb.answer(&query).await
        };
        let body = ask(include_str!("../flux/queries/journeys-intervals.flux")).await?;
        let mut every = BTreeMap::new();
        annotated_csv::each(&body, |row| {
            let seconds = row.number("_value");
            let seconds = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            if let (Some(series), Some(seconds)) = (series(row), seconds) {
                every.insert(series, seconds);
            }
        })?;
        let body = ask(include_str!("../flux/queries/journeys-known.flux")).await?;
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
            None => Ok(Self {
                influxdb,
                since,
                until,
                every,
                known: known.into_iter().collect(),
            }),
        }
    }

    /// Reads all of it; an error is the last thing that is sent.
    pub async fn read(self, portions: mpsc::Sender<Result<Portion, QueryError>>) {
        let mut since = self.since;
        while since < self.until {
            let until = (since + STRETCH).min(self.until);
            let portion = self.portion(since, until).await;
            let is_last = portion.is_err();
            // Nobody listens where another part failed.
            if portions.send(portion).await.is_err() || is_last {
                return;
            }
            since = until;
        }
    }

    async fn portion(&self, since: Timestamp, until: Timestamp) -> Result<Portion, QueryError> {
        // The client itself asks no more than a few at once.
        let mut asked = JoinSet::new();
        for (series, impact) in self.known.clone() {
            let influxdb = Arc::clone(&self.influxdb);
            asked.spawn(async move {
                let query = Query {
                    flux: include_str!("../flux/queries/journeys-results.flux"),
                    since,
                    until,
                    now: until,
                    texts: &[
                        (tag::SYSTEM, &series.system),
                        (tag::JOURNEY, &series.journey),
                        (tag::PROBE, &series.probe),
                        (tag::IMPACT, impact.name()),
                    ],
                };
                let body = influxdb.answer(&query).await?;
                Ok::<_, QueryError>((read(&body, impact)?, series))
            });
        }
        let mut portion = Portion::default();
        while let Some(answer) = asked.join_next().await {
            let (mut marks, series) = match answer {
                Ok(answer) => answer?,
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            };
            if marks.is_empty() {
                continue;
            }
            let every = self.every.get(&series).copied();
            let line = portion.lines.entry(series).or_insert_with(|| Line {
                every,
                marks: Vec::new(),
            });
            line.marks.append(&mut marks);
        }
        for line in portion.lines.values_mut() {
            // Two hosts, or an impact that was changed, are two tables.
            line.marks.sort_by_key(|mark| mark.at);
            line.marks.dedup_by_key(|mark| mark.at);
        }
        Ok(portion)
    }
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

fn series(row: &Row) -> Option<Series> {
    Some(Series {
        system: row.text(tag::SYSTEM)?.to_owned(),
        journey: row.text(tag::JOURNEY)?.to_owned(),
        probe: row.text(tag::PROBE)?.to_owned(),
    })
}
