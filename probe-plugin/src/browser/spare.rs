//! A context that is made ready while nobody needs it yet, so that the next run need not wait for it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::task::JoinSet;

use super::{Chromium, Context, PageError, ProxyServer};

/// How long a context and a blank page may take: 0.1 s on an idle machine.
const OPEN_DEADLINE: Duration = Duration::from_secs(10);

/// At most one, made or being made; it is disposed of where nobody takes it.
#[derive(Debug, Default)]
pub struct Spare(JoinSet<Result<Context, PageError>>);

impl Spare {
    /// Begins to make one where there is none.
    pub fn prepare(&mut self, chromium: &Arc<Chromium>) {
        if self.0.is_empty() {
            self.0.spawn(open(Arc::clone(chromium), None));
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
pub async fn open(
    chromium: Arc<Chromium>,
    proxy: Option<ProxyServer>,
) -> Result<Context, PageError> {
    Context::open(chromium, proxy, Instant::now() + OPEN_DEADLINE).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::browser::{BrowserSettings, WarmBrowser};

    #[tokio::test]
    async fn a_context_that_was_made_ready_is_taken_once() {
        let browser = WarmBrowser::new(BrowserSettings {
            sandbox: !rustix::process::geteuid().is_root(),
            ..BrowserSettings::default()
        });
        // Nothing starts a browser but a run.
        browser.make_ready();
        assert_eq!(browser.starts(), 0);

        let chromium = browser.for_a_run().await.unwrap();
        browser.make_ready();
        browser.make_ready();
        let mut tabs = Vec::new();
        for _ in 0..2 {
            let context = browser.context(&chromium, None).await.unwrap();
            tabs.push(context.opening().tab);
        }
        assert_eq!(tabs[0], Duration::ZERO, "the one that was made ready");
        assert_ne!(tabs[1], Duration::ZERO, "one of its own");
        drop(chromium);
        browser.end().await.unwrap();
    }
}
