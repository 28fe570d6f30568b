//! Reads what the rules need of the past, a stretch of time after the other, as small as it gets.

use std::{
    collections::{BTreeMap, BTreeSet},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use tokio::sync::mpsc;
use vigia_contract::data_model::{Impact, tag};

use super::{
    BacktestError,
    question::{self, Answered, Question},
    runs::{self, By, Line, Mark, Portion, Told},
    usual::{self, Durations},
};
use crate::flux::{
    InfluxDb, QueryError, Series,
    annotated_csv::{self, Row},
    client::Query,
};

/// So much is read before it is judged: some tens of megabytes.
const STRETCH: Duration = Duration::from_hours(5 * 24);

/// So much of it is asked for at once: each question costs InfluxDB some milliseconds, whatever it brings.
const ASKED_FOR: Duration = Duration::from_hours(24);

/// How many questions wait for their answers at a time.
const AT_ONCE: usize = 3;

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
}

impl Feed {
    /// Nothing is asked yet.
    pub const fn new(
        influxdb: Arc<InfluxDb>,
        wanted: Wanted,
        since: Timestamp,
        until: Timestamp,
    ) -> Self {
        Self {
            influxdb,
            wanted,
            since,
            until,
        }
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
            let stretches = cut(self.since - usual::REACH, self.since, STRETCH);
            for (since, until) in stretches {
                let durations = self.durations(since, until).await?;
                if parts.send(Ok(Part::Durations(durations))).await.is_err() {
                    return Ok(());
                }
            }
        }
        let mut pieces = vec![question::PIECE; self.wanted.questions.len()];
        for (since, until) in cut(self.since, self.until, STRETCH) {
            let mut sent = Ok(());
            let durations = if self.wanted.durations {
                Some(self.durations(since, until).await?)
            } else {
                None
            };
            if self.wanted.runs {
                let portion = self.portion(since, until, durations.as_ref()).await?;
                sent = parts.send(Ok(Part::Runs(portion))).await;
            }
            if let Some(durations) = durations {
                sent = sent.and(parts.send(Ok(Part::Durations(durations))).await);
            }
            let questions = self.wanted.questions.iter().zip(&mut pieces).enumerate();
            for (index, ((question, rule), piece)) in questions {
                let asked = question.ask(&self.influxdb, (since, until), *piece);
                let (mut answers, mut longest) = (pin!(asked), 0);
                while let Some(answer) = answers.next().await {
                    let answer = answer.map_err(|error| BacktestError::Rule {
                        rule: rule.clone(),
                        error,
                    })?;
                    longest = longest.max(answer.body.len());
                    sent = sent.and(parts.send(Ok(Part::Answer(index, answer))).await);
                    if sent.is_err() {
                        return Ok(());
                    }
                }
                *piece = question::next_piece(*piece, longest);
            }
            if sent.and(parts.send(Ok(Part::End(until))).await).is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Reads something of every run.
    async fn of_runs<T: Send + 'static>(
        &self,
        flux: &'static str,
        (since, until): (Timestamp, Timestamp),
        read: fn(&Row, Impact) -> Option<T>,
    ) -> Result<By<T>, QueryError> {
        let asked = cut(since, until, ASKED_FOR).map(|(since, until)| {
            let influxdb = Arc::clone(&self.influxdb);
            // Reading the answers takes as long as InfluxDB does to write them.
            tokio::spawn(async move {
                let body = ask(&influxdb, flux, since, until).await?;
                Ok::<_, QueryError>(runs::by_series(&body, read)?)
            })
        });
        let mut answers = stream::iter(asked).buffered(AT_ONCE);
        let mut found = By::new();
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(answer) => runs::add(&mut found, answer?),
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
        }
        Ok(found)
    }

    async fn durations(&self, since: Timestamp, until: Timestamp) -> Result<Durations, QueryError> {
        let flux = include_str!("../flux/queries/journeys-durations.flux");
        let mut durations = self.of_runs(flux, (since, until), runs::lasted).await?;
        for lasted in durations.values_mut() {
            // Those of two hosts are two tables.
            lasted.sort_by_key(|run| run.at_ns);
        }
        Ok(durations)
    }

    async fn portion(
        &self,
        since: Timestamp,
        until: Timestamp,
        durations: Option<&Durations>,
    ) -> Result<Portion, QueryError> {
        let mut lines: BTreeMap<Series, Line> = BTreeMap::new();
        for ((series, _), mut marks) in self.results((since, until), durations).await? {
            lines.entry(series).or_default().marks.append(&mut marks);
        }
        for line in lines.values_mut() {
            // Two hosts, or an impact that was changed, are two tables.
            line.marks.sort_by_key(|mark| mark.at);
            line.marks.dedup_by_key(|mark| mark.at);
        }
        self.add_intervals(&mut lines, since, until).await?;
        if self.wanted.drifts {
            let flux = include_str!("../flux/queries/journeys-drifts.flux");
            let body = ask(&self.influxdb, flux, since, until).await?;
            annotated_csv::each(&body, |row| {
                let line = runs::series(row).and_then(|series| lines.get_mut(&series));
                if let (Some(line), Some(at)) = (line, row.time("_time")) {
                    line.drifts.insert(at);
                }
            })?;
        }
        Ok(Portion { until, lines })
    }

    /// Reads what every run came to; little of it where it is known which were completed, because nearly all of those were good.
    async fn results(
        &self,
        span: (Timestamp, Timestamp),
        durations: Option<&Durations>,
    ) -> Result<By<Mark>, QueryError> {
        if let Some(durations) = durations {
            let flux = include_str!("../flux/queries/journeys-results-but-good.flux");
            let told = self.of_runs(flux, span, Told::read).await?;
            if let Some(results) = runs::with_completed(told, durations) {
                return Ok(results);
            }
        }
        let flux = include_str!("../flux/queries/journeys-results.flux");
        self.of_runs(flux, span, runs::mark).await
    }

    /// Reads how often each runs; run by run where that was changed.
    async fn add_intervals(
        &self,
        lines: &mut BTreeMap<Series, Line>,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<(), QueryError> {
        let flux = include_str!("../flux/queries/journeys-intervals.flux");
        let body = ask(&self.influxdb, flux, since, until).await?;
        let mut changed = BTreeSet::new();
        annotated_csv::each(&body, |row| {
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
}

async fn ask(
    influxdb: &InfluxDb,
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
    influxdb.answer(&query).await
}

/// Cuts a time into pieces.
fn cut(
    since: Timestamp,
    until: Timestamp,
    length: Duration,
) -> impl Iterator<Item = (Timestamp, Timestamp)> {
    let begins = std::iter::successors(Some(since), move |begin| Some(*begin + length));
    let begins = begins.take_while(move |begin| *begin < until);
    begins.map(move |begin| (begin, (begin + length).min(until)))
}
