//! How a run goes on while a person looks at it: slowly, step by step, with a word of where it is.

use std::{
    io::{BufRead, IsTerminal, Write},
    time::{Duration, Instant},
};

use tokio::sync::watch;

/// How a run goes on. By default as fast as it can.
#[derive(Clone, Debug, Default)]
pub struct Pace {
    /// A pause behind every action, which nobody waits for in the times that are told.
    pub slow_motion: Duration,
    /// Before every step the Enter key is waited for.
    pub by_step: bool,
    /// Is told how many steps have begun.
    pub at_step: Option<watch::Sender<usize>>,
}

impl Pace {
    /// Before a step. Says how long it has waited.
    pub async fn step(&self, index: usize, name: &str) -> Duration {
        if let Some(at_step) = &self.at_step {
            at_step.send_replace(index + 1);
        }
        if !self.by_step {
            return Duration::ZERO;
        }
        let began = Instant::now();
        let name = name.to_owned();
        // A person may take hours.
        tokio::task::spawn_blocking(move || wait_for_enter(&name))
            .await
            .ok();
        began.elapsed()
    }
}

/// Where nobody can press a key, nobody is waited for.
fn wait_for_enter(name: &str) {
    if !std::io::stdin().is_terminal() {
        return;
    }
    let mut stderr = std::io::stderr();
    let asked = write!(stderr, "\rEnter: {name} ").and_then(|()| stderr.flush());
    if asked.is_ok() {
        std::io::stdin().lock().read_line(&mut String::new()).ok();
    }
}
