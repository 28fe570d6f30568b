//! A context that is made ready while nobody needs it yet, so that the next run need not wait for it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use super::{Chromium, Context, PageError};

/// How long a context and a blank page may take: 0.1 s on an idle machine.
const OPEN_DEADLINE: Duration = Duration::from_secs(10);

/// At most one, made or being made; it is disposed of where nobody takes it.
#[derive(Debug, Default)]
pub struct Spare(JoinSet<Result<Context, PageError>>);

impl Spare {
    /// Begins to make one where there is none.
    pub fn prepare(&mut self, chromium: &Arc<Chromium>) {
        if self.0.is_empty() {
            self.0.spawn(open(Arc::clone(chromium)));
        }
    }

    /// The one that is there, as soon as it is ready; nothing where there is none or it has come to harm.
    pub async fn take(mut self) -> Option<Context> {
        let asked = Instant::now();
        let mut context = self.0.join_next().await?.ok()?.ok()?;
        context.taken(asked.elapsed()).ok()?;
        Some(context)
    }
}

/// A context with one blank tab.
pub async fn open(chromium: Arc<Chromium>) -> Result<Context, PageError> {
    Context::open(chromium, Instant::now() + OPEN_DEADLINE).await
}
