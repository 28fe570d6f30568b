//! What a run came to.

use std::time::Duration;

use jiff::Timestamp;
use vigia_contract::data_model::{ErrorClass, Outcome};

use super::{DocumentReport, Phase, Picture};
use crate::journey::{Journey, Kind};

/// Why a run did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Whose fault it is.
    pub blame: Blame,
    /// What kind.
    pub class: ErrorClass,
    /// One line for whoever repairs it.
    pub error: String,
}

/// Whose fault a failure is: the one thing that monitoring must never get wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// Users cannot work.
    System,
    /// The probe could not look; users may be fine.
    Probe,
}

impl Failure {
    /// The system did not do what a user needs.
    pub fn of_system(class: ErrorClass, error: impl Into<String>) -> Self {
        Self {
            blame: Blame::System,
            class,
            error: error.into(),
        }
    }

    /// The probe itself could not measure.
    pub fn of_probe(class: ErrorClass, error: impl Into<String>) -> Self {
        Self {
            blame: Blame::Probe,
            class,
            error: error.into(),
        }
    }

    /// What it makes of the run.
    pub const fn outcome(&self) -> Outcome {
        match self.blame {
            Blame::System => Outcome::Failed,
            Blame::Probe => Outcome::Unmeasured,
        }
    }
}

/// What a step came to.
#[derive(Clone, Debug, PartialEq)]
pub struct StepReport {
    /// As a person reads it.
    pub name: String,
    /// The same for tags.
    pub slug: String,
    /// What it may take.
    pub budget: Option<Duration>,
    /// What the user waited; nothing when the step did not end well.
    pub duration: Option<Duration>,
    /// Never `Missed`.
    pub outcome: Outcome,
    /// The run went on where it failed.
    pub optional: bool,
}

impl StepReport {
    /// It failed, and the run went on: users can do without it.
    const fn was_done_without(&self) -> bool {
        self.optional && !self.outcome.is_ok()
    }
}

/// What a run came to, with everything that is told of it.
#[derive(Clone, Debug)]
pub struct RunReport {
    /// Unique for ever.
    pub run_id: String,
    /// The timestamp of all its points.
    pub started: Timestamp,
    /// How long it waited for a free slot.
    pub queued: Duration,
    /// How many times the journey was tried; all else is about the last one.
    pub attempts: u32,
    /// Of the run as a whole.
    pub outcome: Outcome,
    /// The steps that were reached.
    pub steps: Vec<StepReport>,
    /// Why it did not come to its end.
    pub failure: Option<Failure>,
    /// The address of the page at the end.
    pub url: Option<String>,
    /// The status of the last document.
    pub http_status: Option<i64>,
    /// Each selector that had to stand in for the one that is meant, with its step.
    pub drifts: Vec<String>,
    /// What the browser measured of the documents that it loaded.
    pub documents: Vec<DocumentReport>,
    /// The page at the end; only where somebody may want to see it.
    pub screenshot: Option<Picture>,
    /// What failed, where it was out of the window.
    pub close_up: Option<Picture>,
    /// Where the wall time went; nothing where there was no page.
    pub phases: Vec<Phase>,
    /// What is kept of it besides the screenshot: the pictures that the journey asked for, what an external journey leaves.
    pub files: Vec<RunFile>,
    /// Of an external journey, whose file does not name its steps: the steps that its report names and that were not taken.
    pub not_reached: Vec<String>,
    /// What the user waited where there are no steps to tell it by.
    pub whole: Option<Duration>,
}

/// A file that a run leaves.
#[derive(Clone, Debug)]
pub struct RunFile {
    /// Its name among the run's artifacts.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl RunReport {
    /// A run of which nothing is known but that it could not be made.
    pub fn without_a_look(run_id: String, started: Timestamp, failure: Failure) -> Self {
        Self {
            run_id,
            started,
            queued: Duration::ZERO,
            attempts: 1,
            outcome: failure.outcome(),
            steps: Vec::new(),
            failure: Some(failure),
            url: None,
            http_status: None,
            drifts: Vec::new(),
            documents: Vec::new(),
            screenshot: None,
            close_up: None,
            phases: Vec::new(),
            files: Vec::new(),
            not_reached: Vec::new(),
            whole: None,
        }
    }

    /// What the user waited in all; nothing unless every step was completed.
    pub fn duration(&self) -> Option<Duration> {
        if !self.outcome.is_ok() {
            return None;
        }
        if self.steps.is_empty() {
            return self.whole;
        }
        let steps = self.steps.iter().filter(|step| !step.was_done_without());
        steps.map(|step| step.duration).sum()
    }

    /// The names of all steps, those that were not reached too; an external journey's are those of its report.
    pub fn step_names<'a>(&'a self, journey: &'a Journey) -> Vec<&'a str> {
        let planned = journey.steps().iter().map(|step| step.name.as_str());
        let taken = self.steps.iter().map(|step| step.name.as_str());
        let not_reached = self.not_reached.iter().map(String::as_str);
        match &journey.kind {
            Kind::Browser(_) => planned.collect(),
            Kind::External(_) => taken.chain(not_reached).collect(),
        }
    }

    /// The name of the step that it failed in.
    pub fn failed_step(&self) -> Option<&str> {
        self.failure.as_ref()?;
        // Behind the first one an external journey may have gone on.
        let mut steps = self.steps.iter();
        steps
            .find(|step| step.outcome == self.outcome && !step.optional)
            .map(|step| step.name.as_str())
    }
}

/// A step that was completed is ok inside its budget and slow over it.
pub fn of_completed_step(duration: Duration, budget: Option<Duration>) -> Outcome {
    match budget {
        Some(budget) if duration > budget => Outcome::Slow,
        _ => Outcome::Ok,
    }
}

/// A run is what its worst step is.
pub fn of_run(steps: &[StepReport], failure: Option<&Failure>) -> Outcome {
    match failure {
        Some(failure) => failure.outcome(),
        None if steps.iter().any(|step| step.outcome == Outcome::Slow) => Outcome::Slow,
        None => Outcome::Ok,
    }
}

/// A run whose steps are all inside their budgets may still take longer than the whole journey may.
pub fn with_budget(outcome: Outcome, took: Duration, budget: Option<Duration>) -> Outcome {
    match outcome {
        Outcome::Ok => of_completed_step(took, budget),
        other => other,
    }
}
