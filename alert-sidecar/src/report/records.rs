//! What the points of a month, and of the month before, say: every run and what it came to, and beside it only what was
//! worked out by InfluxDB or is there where something went wrong.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;
use vigia_contract::data_model::{Impact, Outcome, field, tag};

use super::timeline::Interval;
use crate::flux::{InfluxDb, QueryError, Series, Trouble, annotated_csv::Row, client::Query};

/// For how many of its intervals a run says how things are; later than that nothing is known.
pub const HOLDS_FOR: i32 = 2;

/// The longest that a run is looked back for, which what it says may still hold. Journeys run at least twice as often.
const LONGEST_REACH: SignedDuration = SignedDuration::from_hours(24 * 7);

/// A run, and until when it says how things are where no other follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// When it began.
    pub at: Timestamp,
    /// What it came to.
    pub outcome: Outcome,
    /// How often the journey was to run; zero where its point does not say so.
    pub every: SignedDuration,
}

/// How many runs came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is an outcome")]
pub struct Counts {
    pub all: i64,
    pub slow: i64,
    pub failed: i64,
    pub unmeasured: i64,
    pub missed: i64,
}

impl Counts {
    /// Those that got through in time.
    #[must_use]
    pub const fn ok(&self) -> i64 {
        self.all - self.slow - self.failed - self.unmeasured - self.missed
    }

    /// Adds a run that came to this.
    pub const fn add(&mut self, outcome: Outcome) {
        self.all += 1;
        match outcome {
            Outcome::Ok => {}
            Outcome::Slow => self.slow += 1,
            Outcome::Failed => self.failed += 1,
            Outcome::Unmeasured => self.unmeasured += 1,
            Outcome::Missed => self.missed += 1,
        }
    }
}

/// How long something took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    /// How many times.
    pub runs: i64,
    /// Half of them took no longer.
    pub p50_ms: f64,
    /// 95 of 100 took no longer.
    pub p95_ms: f64,
}

/// A run that failed, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// The step's name, as a person reads it.
    pub step: Option<String>,
    /// The class of error.
    pub class: Option<String>,
    /// One line, technical, in English.
    pub error: Option<String>,
}

/// An incident that people were, or were to be, told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What it is about.
    pub system: String,
    /// The workflow.
    pub journey: String,
    /// When its first run failed.
    pub started_at: Timestamp,
    /// Its identity.
    pub id: String,
    /// When a channel had the first message about it.
    pub told_at: Option<Timestamp>,
    /// When somebody said that they care for it.
    pub acknowledged_at: Option<Timestamp>,
    /// Who.
    pub acknowledged_by: Option<String>,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Records {
    /// By journey and probe, in the order of time: those of both months, and of the time before that reaches into them.
    pub runs: BTreeMap<Series, Vec<Run>>,
    /// The most urgent that each system was in the month.
    pub impacts: BTreeMap<String, Impact>,
    /// By journey and probe, and the moment of the run.
    pub failures: BTreeMap<(Series, Timestamp), Failure>,
    /// Of the month, by system and journey.
    pub durations: BTreeMap<(String, String), Spread>,
    /// Of the month before.
    pub durations_before: BTreeMap<(String, String), Spread>,
    /// Of the month, by system, journey and the slug of the step.
    pub steps: BTreeMap<(String, String, String), Spread>,
    /// In the order of their beginnings.
    pub told: Vec<Told>,
    /// When journeys that failed left a picture.
    pub pictures: Vec<(Timestamp, Series)>,
}

/// Why the points could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// InfluxDB gave no usable answer.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A point lacks what every such point has: something else writes this measurement.
    #[error("a row of `{query}` has no `{column}`, or an unknown one")]
    Row {
        /// Which query.
        query: &'static str,
        /// Which column.
        column: &'static str,
    },
    /// This program's own fault.
    #[error("the runs of a journey could not be read: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// Asks for everything about a month, up to `month.to`, and for what the month before was like.
pub async fn read(
    influxdb: &Arc<InfluxDb>,
    month: Interval,
    before: Interval,
) -> Result<Records, ReadError> {
    let both = Interval {
        from: before.from,
        to: month.to,
    };
    let (impacts, runs, failures, durations, durations_before, steps, told, pictures) = tokio::try_join!(
        impacts(influxdb, month),
        runs(influxdb, both),
        failures(influxdb, both),
        spreads(influxdb, DURATIONS, month, |row| Ok((
            DURATIONS.text(row, tag::SYSTEM)?,
            DURATIONS.text(row, tag::JOURNEY)?
        ))),
        spreads(influxdb, DURATIONS, before, |row| Ok((
            DURATIONS.text(row, tag::SYSTEM)?,
            DURATIONS.text(row, tag::JOURNEY)?
        ))),
        spreads(influxdb, STEPS, month, |row| Ok((
            STEPS.text(row, tag::SYSTEM)?,
            STEPS.text(row, tag::JOURNEY)?,
            STEPS.text(row, tag::STEP)?
        ))),
        told(influxdb, both),
        pictures(influxdb, both),
    )?;
    Ok(Records {
        runs,
        impacts,
        failures,
        durations,
        durations_before,
        steps,
        told,
        pictures,
    })
}

/// A query, and how its rows are read.
#[derive(Clone, Copy)]
struct Question {
    name: &'static str,
    flux: &'static str,
}

macro_rules! question {
    ($name:literal) => {
        Question {
            name: $name,
            flux: include_str!(concat!("queries/", $name, ".flux")),
        }
    };
}

const INTERVALS: Question = question!("intervals");
const EVERY: Question = question!("every");
const RUNS: Question = question!("runs");
const SERIES: Question = question!("series");
const FAILURES: Question = question!("failures");
const DURATIONS: Question = question!("durations");
const STEPS: Question = question!("steps");
const INCIDENTS: Question = question!("incidents");
const DELIVERIES: Question = question!("deliveries");
const PICTURES: Question = question!("pictures");
const PICTURE: Question = question!("picture");

impl Question {
    async fn ask(self, influxdb: &InfluxDb, range: Interval) -> Result<Vec<Row>, QueryError> {
        ask(influxdb, self.flux, range, &[]).await
    }

    fn text(self, row: &Row, column: &'static str) -> Result<String, ReadError> {
        row.text(column)
            .map(str::to_owned)
            .ok_or_else(|| self.lacks(column))
    }

    fn time(self, row: &Row) -> Result<Timestamp, ReadError> {
        row.time("_time").ok_or_else(|| self.lacks("_time"))
    }

    fn integer(self, row: &Row, column: &'static str) -> Result<i64, ReadError> {
        row.integer(column).ok_or_else(|| self.lacks(column))
    }

    fn series(self, row: &Row) -> Result<Series, ReadError> {
        Ok(Series {
            system: self.text(row, tag::SYSTEM)?,
            journey: self.text(row, tag::JOURNEY)?,
            probe: self.text(row, tag::PROBE)?,
        })
    }

    const fn lacks(self, column: &'static str) -> ReadError {
        ReadError::Row {
            query: self.name,
            column,
        }
    }
}

async fn ask(
    influxdb: &InfluxDb,
    flux: &str,
    range: Interval,
    texts: &[(&str, &str)],
) -> Result<Vec<Row>, QueryError> {
    influxdb
        .query(&Query {
            flux,
            since: range.from,
            until: range.to,
            now: range.to,
            window: None,
            texts,
        })
        .await
}

async fn impacts(
    influxdb: &InfluxDb,
    range: Interval,
) -> Result<BTreeMap<String, Impact>, ReadError> {
    let mut impacts: BTreeMap<String, Impact> = BTreeMap::new();
    for row in SERIES.ask(influxdb, range).await? {
        let impact = Impact::from_name(&SERIES.text(&row, tag::IMPACT)?)
            .ok_or_else(|| SERIES.lacks(tag::IMPACT))?;
        impacts
            .entry(SERIES.text(&row, tag::SYSTEM)?)
            .and_modify(|known| *known = impact.min(*known))
            .or_insert(impact);
    }
    Ok(impacts)
}

/// How often a journey runs.
#[derive(Clone, Copy)]
enum Cadence {
    /// Always as often.
    Constant(SignedDuration),
    /// It was changed.
    Changing,
}

async fn runs(
    influxdb: &Arc<InfluxDb>,
    range: Interval,
) -> Result<BTreeMap<Series, Vec<Run>>, ReadError> {
    let reaching = Interval {
        from: range.from - LONGEST_REACH,
        to: range.to,
    };
    let (found, cadences) = tokio::try_join!(
        async {
            SERIES
                .ask(influxdb, reaching)
                .await
                .map_err(ReadError::from)
        },
        cadences(influxdb, reaching),
    )?;
    let series: BTreeSet<Series> = found
        .iter()
        .map(|row| SERIES.series(row))
        .collect::<Result<_, _>>()?;
    // The client itself asks no more than a few at once.
    let mut asked = JoinSet::new();
    for series in series {
        let cadence = cadences.get(&series).copied();
        let influxdb = Arc::clone(influxdb);
        asked.spawn(async move {
            let runs = runs_of(&influxdb, reaching, &series, cadence).await?;
            Ok::<_, ReadError>((series, runs))
        });
    }
    let mut runs = BTreeMap::new();
    while let Some(answer) = asked.join_next().await {
        let (series, of_series) = answer??;
        runs.insert(series, of_series);
    }
    Ok(runs)
}

async fn cadences(
    influxdb: &InfluxDb,
    range: Interval,
) -> Result<BTreeMap<Series, Cadence>, ReadError> {
    let mut cadences = BTreeMap::new();
    for row in INTERVALS.ask(influxdb, range).await? {
        let every = every(&row).ok_or_else(|| INTERVALS.lacks("_value"))?;
        cadences
            .entry(INTERVALS.series(&row)?)
            .and_modify(|known| {
                if !matches!(known, Cadence::Constant(known) if *known == every) {
                    *known = Cadence::Changing;
                }
            })
            .or_insert(Cadence::Constant(every));
    }
    Ok(cadences)
}

fn every(row: &Row) -> Option<SignedDuration> {
    let every = SignedDuration::try_from_secs_f64(row.number("_value")?).ok()?;
    Some(every.clamp(SignedDuration::ZERO, LONGEST_REACH))
}

async fn runs_of(
    influxdb: &InfluxDb,
    range: Interval,
    series: &Series,
    cadence: Option<Cadence>,
) -> Result<Vec<Run>, ReadError> {
    let texts = [
        (tag::SYSTEM, series.system.as_str()),
        (tag::JOURNEY, &series.journey),
        (tag::PROBE, &series.probe),
    ];
    let mut changing = BTreeMap::new();
    let constant = match cadence {
        Some(Cadence::Constant(every)) => every,
        None => SignedDuration::ZERO,
        Some(Cadence::Changing) => {
            for row in ask(influxdb, EVERY.flux, range, &texts).await? {
                let every = every(&row).ok_or_else(|| EVERY.lacks("_value"))?;
                changing.insert(EVERY.time(&row)?, every);
            }
            SignedDuration::ZERO
        }
    };
    let mut runs = Vec::new();
    for row in ask(influxdb, RUNS.flux, range, &texts).await? {
        let at = RUNS.time(&row)?;
        let code = RUNS.integer(&row, "_value")?;
        runs.push(Run {
            at,
            outcome: usize::try_from(code)
                .ok()
                .and_then(|code| Outcome::ALL.get(code).copied())
                .ok_or_else(|| RUNS.lacks(field::RESULT_CODE))?,
            every: changing.get(&at).copied().unwrap_or(constant),
        });
    }
    // Series that differ in another tag, for example the host, come one after the other.
    runs.sort_by_key(|run| run.at);
    Ok(runs)
}

async fn failures(
    influxdb: &InfluxDb,
    range: Interval,
) -> Result<BTreeMap<(Series, Timestamp), Failure>, ReadError> {
    let mut failures: BTreeMap<(Series, Timestamp), Failure> = BTreeMap::new();
    for row in FAILURES.ask(influxdb, range).await? {
        let run = (FAILURES.series(&row)?, FAILURES.time(&row)?);
        let text = FAILURES.text(&row, "_value")?;
        let failure = failures.entry(run).or_default();
        *match row.text("_field") {
            Some(field::FAILED_STEP) => &mut failure.step,
            Some(field::ERROR_CLASS) => &mut failure.class,
            _ => &mut failure.error,
        } = Some(text);
    }
    Ok(failures)
}

async fn spreads<K: Ord>(
    influxdb: &InfluxDb,
    question: Question,
    range: Interval,
    key: impl Fn(&Row) -> Result<K, ReadError>,
) -> Result<BTreeMap<K, Spread>, ReadError> {
    let mut spreads: BTreeMap<K, Spread> = BTreeMap::new();
    for row in question.ask(influxdb, range).await? {
        let number = row
            .number("_value")
            .ok_or_else(|| question.lacks("_value"))?;
        let spread = spreads.entry(key(&row)?).or_default();
        match row.text("#result") {
            Some("p50") => spread.p50_ms = number,
            Some("p95") => spread.p95_ms = number,
            _ => spread.runs = question.integer(&row, "_value")?,
        }
    }
    Ok(spreads)
}

async fn told(influxdb: &InfluxDb, range: Interval) -> Result<Vec<Told>, ReadError> {
    let mut deliveries = BTreeMap::new();
    for row in DELIVERIES.ask(influxdb, range).await? {
        let id = DELIVERIES.text(&row, field::INCIDENT_ID)?;
        deliveries.insert(id, DELIVERIES.time(&row)?);
    }
    let mut told = Vec::new();
    for row in INCIDENTS.ask(influxdb, range).await? {
        let class = row.text(field::ERROR_CLASS);
        if class.and_then(Trouble::from_name).is_some() {
            continue;
        }
        let id = INCIDENTS.text(&row, field::INCIDENT_ID)?;
        told.push(Told {
            system: INCIDENTS.text(&row, tag::SYSTEM)?,
            journey: INCIDENTS.text(&row, tag::JOURNEY)?,
            started_at: INCIDENTS.time(&row)?,
            told_at: deliveries.get(&id).copied(),
            id,
            acknowledged_at: row
                .integer(field::ACKNOWLEDGED_NS)
                .and_then(|at_ns| Timestamp::from_nanosecond(at_ns.into()).ok()),
            acknowledged_by: row.text(field::ACKNOWLEDGED_BY).map(str::to_owned),
        });
    }
    told.sort_by(|one, other| (one.started_at, &one.id).cmp(&(other.started_at, &other.id)));
    Ok(told)
}

async fn pictures(
    influxdb: &InfluxDb,
    range: Interval,
) -> Result<Vec<(Timestamp, Series)>, ReadError> {
    let rows = PICTURES.ask(influxdb, range).await?;
    let mut pictures = rows
        .iter()
        .map(|row| Ok((PICTURES.time(row)?, PICTURES.series(row)?)))
        .collect::<Result<Vec<_>, ReadError>>()?;
    pictures.sort_unstable();
    Ok(pictures)
}

/// The picture that a run left, as a `data:` URI.
pub async fn picture(
    influxdb: &InfluxDb,
    at: Timestamp,
    series: &Series,
) -> Result<Option<String>, QueryError> {
    let moment = Interval {
        from: at,
        to: at + SignedDuration::from_nanos(1),
    };
    let texts = [
        ("system", series.system.as_str()),
        ("journey", &series.journey),
        ("probe", &series.probe),
    ];
    let rows = ask(influxdb, PICTURE.flux, moment, &texts).await?;
    Ok(rows
        .iter()
        .find_map(|row| row.text("_value"))
        .filter(|uri| is_picture(uri))
        .map(str::to_owned))
}

/// Whether this is the picture of a page, and nothing that a page of HTML would take for something else.
fn is_picture(uri: &str) -> bool {
    let data = uri
        .strip_prefix("data:image/jpeg;base64,")
        .or_else(|| uri.strip_prefix("data:image/png;base64,"));
    data.is_some_and(|data| {
        data.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))
    })
}
