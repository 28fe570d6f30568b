//! Where a run's wall time went, by our own clock. It is for whoever makes the robot faster; what a user waited is told by
//! the browser's clock, and not here.

use std::time::{Duration, Instant};

/// A part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phase {
    /// The step's index; nothing before the first and after the last.
    pub step: Option<usize>,
    /// What was done: the word of an action, or a part of the set-up or the clean-up.
    pub name: &'static str,
    /// From the end of the phase before.
    pub took: Duration,
}

/// Takes the time of one phase after the other, with nothing between them left out.
#[derive(Debug)]
pub struct Stopwatch {
    since: Instant,
    phases: Vec<Phase>,
}

impl Stopwatch {
    /// The first phase begins.
    pub fn start() -> Self {
        Self {
            since: Instant::now(),
            phases: Vec::new(),
        }
    }

    /// A phase has ended, and the next one begins.
    pub fn lap(&mut self, step: Option<usize>, name: &'static str) {
        let now = Instant::now();
        let took = now - self.since;
        self.since = now;
        self.phases.push(Phase { step, name, took });
    }

    /// A phase that has ended and whose parts are known begins the next one.
    pub fn parts(&mut self, parts: impl IntoIterator<Item = (&'static str, Duration)>) {
        self.since = Instant::now();
        self.phases
            .extend(parts.into_iter().map(|(name, took)| Phase {
                step: None,
                name,
                took,
            }));
    }

    /// All of them.
    pub fn stop(self) -> Vec<Phase> {
        self.phases
    }
}
