//! How long the portal works on what it is asked: known numbers, so that a measurement can be held against them.

use std::time::Duration;

/// What the portal can be busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Any page that only has to be shown.
    Page,
    /// Checking a name and a password.
    SignIn,
    /// Searching the files.
    Search,
    /// Reading a file's history.
    Detail,
    /// Taking a request in.
    HandIn,
}

/// What [`super::Fault::Slow`] adds: more than the budget of any step in the examples.
pub(super) const SLOW: Duration = Duration::from_secs(4);

impl Work {
    /// What it takes, always.
    #[must_use]
    pub const fn delay(self) -> Duration {
        Duration::from_millis(match self {
            Self::Page => 20,
            Self::SignIn => 120,
            Self::Search => 250,
            Self::Detail => 90,
            Self::HandIn => 300,
        })
    }
}

/// Works.
pub(super) async fn work(work: Work) {
    tokio::time::sleep(work.delay()).await;
}
