//! Reads what the rules need of the past, a stretch of time after the other, as small as it gets.

use std::{pin::pin, sync::Arc, time::Duration};

use futures_util::StreamExt;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::{
    BacktestError,
    archive::Archive,
    moment::cut,
    question::{self, Answered, Question},
    runs::Portion,
    usual::{self, Durations},
};
use crate::flux::InfluxDb;

/// So much is read before it is judged: some tens of megabytes.
const STRETCH: Duration = Duration::from_hours(5 * 24);

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
    archive: Archive,
    wanted: Wanted,
    since: Timestamp,
    until: Timestamp,
}

impl Feed {
    /// Nothing is asked yet.
    pub fn new(
        influxdb: Arc<InfluxDb>,
        wanted: Wanted,
        since: Timestamp,
        until: Timestamp,
    ) -> Self {
        Self {
            archive: Archive::new(Arc::clone(&influxdb)),
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
                let durations = self.archive.durations((since, until)).await?;
                if parts.send(Ok(Part::Durations(durations))).await.is_err() {
                    return Ok(());
                }
            }
        }
        let mut pieces = vec![question::PIECE; self.wanted.questions.len()];
        for (since, until) in cut(self.since, self.until, STRETCH) {
            let mut sent = Ok(());
            let (portion, durations) = self.archive.runs(&self.wanted, (since, until)).await?;
            if let Some(portion) = portion {
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
}
