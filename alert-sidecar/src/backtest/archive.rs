//! What InfluxDB holds of the runs of journeys: asked for in pieces, several at a time, and read while others are on their way.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use tokio::{sync::Semaphore, task::JoinSet};
use vigia_contract::data_model::{Impact, tag};

use super::{
    feed::Wanted,
    moment::cut,
    runs::{self, By, Line, Portion, Told},
    usual::Durations,
};
use crate::flux::{
    InfluxDb, QueryError, Series,
    annotated_csv::{self, Row},
    client::Query,
};

const RESULTS: &str = include_str!("../flux/queries/journeys-results.flux");
const RESULTS_BUT_GOOD: &str = include_str!("../flux/queries/journeys-results-but-good.flux");
const DURATIONS: &str = include_str!("../flux/queries/journeys-durations.flux");
const INTERVALS: &str = include_str!("../flux/queries/journeys-intervals.flux");
const INTERVALS_OF_ONE: &str = include_str!("../flux/queries/journeys-intervals-of-one.flux");
const DRIFTS: &str = include_str!("../flux/queries/journeys-drifts.flux");

/// So much is asked for at once: each question costs InfluxDB some milliseconds, whatever it brings.
const ASKED_FOR: Duration = Duration::from_hours(24);

/// How many answers are awaited or read at a time: each may be some tens of megabytes.
const AT_ONCE: usize = 4;

/// From when until when.
type Span = (Timestamp, Timestamp);

/// Where it is asked for.
#[derive(Clone, Debug)]
pub struct Archive {
    influxdb: Arc<InfluxDb>,
    /// One is held until an answer is read.
    turns: Arc<Semaphore>,
}

impl Archive {
    /// Nothing is asked yet.
    pub fn new(influxdb: Arc<InfluxDb>) -> Self {
        Self {
            influxdb,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Reads what is wanted of every run. All of it is asked for at the same time, so that both InfluxDB and what reads its
    /// answers have work until everything is there.
    pub async fn runs(
        &self,
        wanted: &Wanted,
        span: Span,
    ) -> Result<(Option<Portion>, Option<Durations>), QueryError> {
        let (durations, told, results, intervals, drifts) = tokio::try_join!(
            when(wanted.durations, self.durations(span)),
            // Where it is known which were completed, little is read beside it, because nearly all of those were good.
            when(
                wanted.runs && wanted.durations,
                self.of_runs(RESULTS_BUT_GOOD, span, Told::read)
            ),
            when(
                wanted.runs && !wanted.durations,
                self.of_runs(RESULTS, span, runs::mark)
            ),
            when(wanted.runs, self.in_turn(INTERVALS, span)),
            when(wanted.drifts, self.in_turn(DRIFTS, span)),
        )?;
        let Some(intervals) = intervals else {
            return Ok((None, durations));
        };
        let known = told.zip(durations.as_ref());
        let known = known.and_then(|(told, durations)| runs::with_completed(told, durations));
        let results = match known.or(results) {
            Some(results) => results,
            None => self.of_runs(RESULTS, span, runs::mark).await?,
        };
        let mut lines: BTreeMap<Series, Line> = BTreeMap::new();
        for ((series, _), mut marks) in results {
            lines.entry(series).or_default().marks.append(&mut marks);
        }
        for line in lines.values_mut() {
            line.marks.sort_by_key(|mark| mark.at);
            // Two hosts, or an impact that was changed, are two tables.
            line.marks.dedup_by_key(|mark| mark.at);
        }
        self.add_intervals(&mut lines, &intervals, span).await?;
        if let Some(drifts) = drifts {
            annotated_csv::each(&drifts, |row| {
                let line = runs::series(row).and_then(|series| lines.get_mut(&series));
                if let (Some(line), Some(at)) = (line, row.time("_time")) {
                    line.drifts.insert(at);
                }
            })?;
        }
        let (_, until) = span;
        Ok((Some(Portion { until, lines }), durations))
    }

    /// Reads how long every completed run took.
    pub async fn durations(&self, span: Span) -> Result<Durations, QueryError> {
        let mut durations = self.of_runs(DURATIONS, span, runs::lasted).await?;
        for lasted in durations.values_mut() {
            lasted.sort_by_key(|run| run.at_ns);
        }
        Ok(durations)
    }

    /// Reads something of every run, in no order.
    async fn of_runs<T: Send + 'static>(
        &self,
        flux: &'static str,
        (since, until): Span,
        read: fn(&Row, Impact) -> Option<T>,
    ) -> Result<By<T>, QueryError> {
        let mut asked = JoinSet::new();
        for span in cut(since, until, ASKED_FOR) {
            let asking = self.clone();
            // Reading the answers takes as long as InfluxDB does to write them.
            asked.spawn(async move {
                let _turn = asking.turns.acquire().await;
                let body = asking.answer(flux, span).await?;
                Ok::<_, QueryError>(runs::by_series(&body, read)?)
            });
        }
        let mut found = By::new();
        while let Some(answer) = asked.join_next().await {
            match answer {
                Ok(answer) => runs::add(&mut found, answer?),
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
        }
        Ok(found)
    }

    /// How often each runs; run by run where that was changed.
    async fn add_intervals(
        &self,
        lines: &mut BTreeMap<Series, Line>,
        shortest_and_longest: &str,
        (since, until): Span,
    ) -> Result<(), QueryError> {
        let mut changed = BTreeSet::new();
        annotated_csv::each(shortest_and_longest, |row| {
            let (Some(series), Some(every)) = (runs::series(row), runs::interval(row)) else {
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
                flux: INTERVALS_OF_ONE,
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
                intervals.extend(row.time("_time").zip(runs::interval(row)));
            })?;
            intervals.sort();
            intervals.dedup_by_key(|(_, every)| *every);
            if let Some(line) = lines.get_mut(&series) {
                line.intervals = intervals;
            }
        }
        Ok(())
    }

    /// What is short is asked for in its turn and read without one.
    async fn in_turn(&self, flux: &str, span: Span) -> Result<String, QueryError> {
        let _turn = self.turns.acquire().await;
        self.answer(flux, span).await
    }

    async fn answer(&self, flux: &str, (since, until): Span) -> Result<String, QueryError> {
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
}

/// What it comes to where it is wanted.
async fn when<T>(
    is_wanted: bool,
    asked: impl Future<Output = Result<T, QueryError>>,
) -> Result<Option<T>, QueryError> {
    if is_wanted {
        asked.await.map(Some)
    } else {
        Ok(None)
    }
}
