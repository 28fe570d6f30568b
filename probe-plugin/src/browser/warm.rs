//! The one warm browser that all runs share: started when it is first needed, replaced when it is dead or worn.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use rustix::process::Pid;
use tokio::sync::Mutex;

use super::{BrowserSettings, Chromium, LaunchError};

/// Hands out the browser. An old one ends when the last run that uses it does.
#[derive(Debug)]
pub struct WarmBrowser {
    settings: BrowserSettings,
    current: Mutex<Option<Current>>,
    starts: AtomicUsize,
    /// Shared with the connections, one after the other.
    unreadable: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct Current {
    chromium: Arc<Chromium>,
    runs: u32,
}

impl WarmBrowser {
    /// Starts nothing yet.
    pub fn new(settings: BrowserSettings) -> Self {
        Self {
            settings,
            current: Mutex::const_new(None),
            starts: AtomicUsize::new(0),
            unreadable: Arc::default(),
        }
    }

    /// A browser for one run.
    pub async fn for_a_run(&self) -> Result<Arc<Chromium>, LaunchError> {
        let mut current = self.current.lock().await;
        if let Some(warm) = current.as_mut()
            && warm.chromium.connection().is_open()
            && warm.runs < self.settings.recycle_after_runs
        {
            warm.runs += 1;
            return Ok(Arc::clone(&warm.chromium));
        }
        // Given up before the new one starts: two browsers at once could be more than the machine has.
        *current = None;
        self.starts.fetch_add(1, Ordering::Relaxed);
        let chromium =
            Arc::new(Chromium::launch(&self.settings, Arc::clone(&self.unreadable)).await?);
        *current = Some(Current {
            chromium: Arc::clone(&chromium),
            runs: 1,
        });
        Ok(chromium)
    }

    /// How many times a browser was started.
    pub fn starts(&self) -> usize {
        self.starts.load(Ordering::Relaxed)
    }

    /// How many messages of all its browsers could not be read.
    pub fn unreadable_messages(&self) -> usize {
        self.unreadable.load(Ordering::Relaxed)
    }

    /// The process group of the browser; nothing while there is none or one is being started.
    pub fn group(&self) -> Option<Pid> {
        self.current.try_lock().ok()?.as_ref()?.chromium.group()
    }

    /// The browser does not do its work: the next run gets a new one.
    pub async fn give_up(&self, bad: &Arc<Chromium>) {
        let mut current = self.current.lock().await;
        if current
            .as_ref()
            .is_some_and(|warm| Arc::ptr_eq(&warm.chromium, bad))
        {
            *current = None;
        }
    }

    /// Ends the browser; when this returns, nothing of it is left unless a run still uses it.
    pub async fn end(&self) -> anyhow::Result<()> {
        match self
            .current
            .lock()
            .await
            .take()
            .map(|warm| Arc::try_unwrap(warm.chromium))
        {
            Some(Ok(chromium)) => chromium.end().await,
            Some(Err(_)) | None => Ok(()),
        }
    }
}
