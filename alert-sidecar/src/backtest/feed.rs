//! Reads what every run came to, a stretch of time after the other, as small as it gets.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::sync::mpsc;
use vigia_contract::data_model::{Impact, Outcome};

use crate::flux::{
    InfluxDb, QueryError, Series,
    annotated_csv::{self, CsvError, Row},
    client::Query,
};

/// So much is asked for at once: a fraction of a second's work for InfluxDB, a few megabytes of answer.
const STRETCH: Duration = Duration::from_hours(6);

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
}

impl Feed {
    /// Asks how often each journey runs.
    pub async fn new(
        influxdb: Arc<InfluxDb>,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Self, QueryError> {
        let query = Query {
            flux: include_str!("../flux/queries/journeys-intervals.flux"),
            since,
            until,
            now: until,
            texts: &[],
        };
        let body = influxdb.answer(&query).await?;
        let mut every = BTreeMap::new();
        annotated_csv::each(&body, |row| {
            let seconds = row.number("_value");
            let seconds = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            if let (Some(names), Some(seconds)) = (names(row), seconds) {
                every.insert(series(names), seconds);
            }
        })?;
        Ok(Self {
            influxdb,
            since,
            until,
            every,
        })
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
        let query = Query {
            flux: include_str!("../flux/queries/journeys-results.flux"),
            since,
            until,
            now: until,
            texts: &[],
        };
        let body = self.influxdb.answer(&query).await?;
        Ok(read(&body, &self.every)?)
    }
}

/// Reads an answer. The rows of one series follow each other, so that its names are made once.
fn read(body: &str, every: &BTreeMap<Series, Duration>) -> Result<Portion, CsvError> {
    let mut portion = Portion::default();
    let mut current: Option<(Series, Vec<Mark>)> = None;
    let mut unknown = None;
    let mut keep = |finished: Option<(Series, Vec<Mark>)>| {
        let Some((series, mut marks)) = finished else {
            return;
        };
        let every = every.get(&series).copied();
        let line = portion.lines.entry(series).or_insert_with(|| Line {
            every,
            marks: Vec::new(),
        });
        line.marks.append(&mut marks);
    };
    annotated_csv::each(body, |row| {
        let (Some(names), Some(mark)) = (names(row), mark(row)) else {
            unknown.get_or_insert_with(|| format!("{row:?}"));
            return;
        };
        if let Some((series, marks)) = &mut current
            && [&series.system, &series.journey, &series.probe] == names
        {
            marks.push(mark);
        } else {
            keep(current.replace((series(names), vec![mark])));
        }
    })?;
    keep(current);
    if let Some(what) = unknown {
        return Err(CsvError::Malformed {
            record: 0,
            what: format!("a run has names, a time, a result and an impact: {what}"),
        });
    }
    for line in portion.lines.values_mut() {
        // Two hosts, or an impact that was changed, are two tables.
        line.marks.sort_by_key(|mark| mark.at);
        line.marks.dedup_by_key(|mark| mark.at);
    }
    Ok(portion)
}

fn names(row: &Row) -> Option<[&str; 3]> {
    Some([
        row.text("system")?,
        row.text("journey")?,
        row.text("probe")?,
    ])
}

fn mark(row: &Row) -> Option<Mark> {
    Some(Mark {
        at: row.time("_time")?,
        outcome: Outcome::from_name(row.text("_value")?)?,
        impact: Impact::from_name(row.text("impact")?)?,
    })
}

fn series([system, journey, probe]: [&str; 3]) -> Series {
    Series {
        system: system.to_owned(),
        journey: journey.to_owned(),
        probe: probe.to_owned(),
    }
}
