//! The one warm browser that all runs share: started when it is first needed, replaced when it is dead, hung or worn.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::ensure;
use rustix::process::Pid;
use tokio::sync::Mutex;

use super::{
    BrowserSettings, Chromium, Context, LaunchError, PageError, ProxyServer,
    remains::NotGone,
    resident_bytes_of_group,
    spare::{self, Spare},
};
use crate::log::{Level, log};

/// How long a browser may take for its cheapest call: 0.1 ms on an idle machine, tenths of a second on a starved one.
const HEALTH_DEADLINE: Duration = Duration::from_secs(2);

/// Who said something so short a time ago need not be asked whether it is well.
const HEARD_JUST_NOW: Duration = Duration::from_millis(100);

/// Its memory is looked at so often and no more: on a machine with many processes a look takes some milliseconds.
const MEMORY_LOOK_EVERY: Duration = Duration::from_secs(10);

/// What is killed is gone within a tenth of a second; more is only needed where the disk hangs.
const END_DEADLINE: Duration = Duration::from_secs(1);

/// Hands out the browser. An old one ends when the last run that uses it does.
#[derive(Debug)]
pub struct WarmBrowser {
    settings: RwLock<Arc<BrowserSettings>>,
    state: Mutex<State>,
    starts: AtomicUsize,
    not_gone: NotGone,
    /// Shared with the connections, one after the other.
    unreadable: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct State {
    current: Option<Current>,
    /// The last start that came to nothing, and when that was.
    failure: Option<(Instant, Arc<LaunchError>)>,
}

#[derive(Debug)]
struct Current {
    chromium: Arc<Chromium>,
    /// It was started with these.
    settings: Arc<BrowserSettings>,
    started: Instant,
    runs: u32,
    memory_looked_at: Instant,
    spare: Spare,
}

impl WarmBrowser {
    /// Starts nothing yet.
    pub fn new(settings: BrowserSettings) -> Self {
        Self {
            settings: RwLock::new(Arc::new(settings)),
            state: Mutex::default(),
            starts: AtomicUsize::new(0),
            not_gone: NotGone::default(),
            unreadable: Arc::default(),
        }
    }

    /// Runs that begin from now on have a browser with these settings; those under way end on the one that they have.
    pub fn use_settings(&self, settings: BrowserSettings) {
        let used = self.settings.write();
        *used.unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    fn settings(&self) -> Arc<BrowserSettings> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes the next run's context ready, where there is a browser and nobody is about to change that. For moments in
    /// which no run is under way: what it takes from the machine would be in the times of a run.
    pub fn make_ready(&self) {
        if let Ok(mut state) = self.state.try_lock()
            && let Some(current) = &mut state.current
            && current.chromium.connection().is_open()
        {
            current.spare.prepare(&current.chromium);
        }
    }

    /// A context of this browser for one run. One with a proxy is made for its run alone.
    pub async fn context(
        &self,
        chromium: &Arc<Chromium>,
        proxy: Option<ProxyServer>,
    ) -> Result<Context, PageError> {
        if proxy.is_some() {
            return spare::open(Arc::clone(chromium), proxy).await;
        }
        let spare = {
            let mut state = self.state.lock().await;
            let current = state.current.as_mut();
            current
                .filter(|current| Arc::ptr_eq(&current.chromium, chromium))
                .map(|current| std::mem::take(&mut current.spare))
        };
        match spare.unwrap_or_default().take().await {
            Some(context) => Ok(context),
            None => spare::open(Arc::clone(chromium), None).await,
        }
    }

    /// A browser for one run, that answers now.
    pub async fn for_a_run(&self) -> Result<Arc<Chromium>, Arc<LaunchError>> {
        loop {
            let chromium = self.current_or_new().await?;
            if chromium.connection().was_heard_within(HEARD_JUST_NOW) {
                return Ok(chromium);
            }
            match chromium.answers(HEALTH_DEADLINE).await {
                Ok(()) => return Ok(chromium),
                Err(error) => {
                    log(
                        Level::Warning,
                        &format!("a new browser takes over from one that is not well: {error}"),
                    );
                    self.give_up(&chromium).await;
                }
            }
        }
    }

    async fn current_or_new(&self) -> Result<Arc<Chromium>, Arc<LaunchError>> {
        let asked = Instant::now();
        let mut state = self.state.lock().await;
        if let Some(current) = &mut state.current
            && current.chromium.connection().is_open()
        {
            match self.wear(current).await {
                None => {
                    current.runs += 1;
                    return Ok(Arc::clone(&current.chromium));
                }
                Some(wear) => log(
                    Level::Info,
                    &format!("a new browser takes over from one that {wear}"),
                ),
            }
        }
        if let Some((when, error)) = &state.failure
            && *when > asked
        {
            // It failed while this run waited its turn: runs do not wait for one failure after another.
            return Err(Arc::clone(error));
        }
        // Given up before the new one starts: two browsers at once could be more than the machine has.
        state.current = None;
        self.starts.fetch_add(1, Ordering::Relaxed);
        let settings = self.settings();
        match Chromium::launch(&settings, &self.not_gone, Arc::clone(&self.unreadable)).await {
            Ok(chromium) => {
                let chromium = Arc::new(chromium);
                state.current = Some(Current {
                    chromium: Arc::clone(&chromium),
                    settings,
                    started: Instant::now(),
                    runs: 1,
                    memory_looked_at: Instant::now(),
                    spare: Spare::default(),
                });
                Ok(chromium)
            }
            Err(error) => {
                let error = Arc::new(error);
                state.failure = Some((Instant::now(), Arc::clone(&error)));
                Err(error)
            }
        }
    }

    /// Why the browser should be replaced, if it should.
    async fn wear(&self, current: &mut Current) -> Option<String> {
        let now = Instant::now();
        let group = current.chromium.group().filter(|_| {
            now.saturating_duration_since(current.memory_looked_at) >= MEMORY_LOOK_EVERY
        });
        let resident_bytes = match group {
            Some(group) => {
                current.memory_looked_at = now;
                let look = tokio::task::spawn_blocking(move || resident_bytes_of_group(group));
                look.await.ok().flatten()
            }
            None => None,
        };
        let age = now.saturating_duration_since(current.started);
        let settings = self.settings();
        if settings != current.settings {
            return Some("was started with other settings".into());
        }
        wear(&settings, current.runs, age, resident_bytes)
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
        let state = self.state.try_lock().ok()?;
        state.current.as_ref()?.chromium.group()
    }

    /// The browser does not do its work: the next run gets a new one.
    pub async fn give_up(&self, bad: &Arc<Chromium>) {
        self.state
            .lock()
            .await
            .current
            .take_if(|current| Arc::ptr_eq(&current.chromium, bad));
    }

    /// Ends the browser. When this returns well, nothing is left of it and of all that were before it.
    pub async fn end(&self) -> anyhow::Result<()> {
        self.state.lock().await.current = None;
        ensure!(
            self.not_gone.none(END_DEADLINE).await,
            "a browser that was killed is still not gone"
        );
        Ok(())
    }
}

fn wear(
    settings: &BrowserSettings,
    runs: u32,
    age: Duration,
    resident_bytes: Option<i64>,
) -> Option<String> {
    let resident_mb = resident_bytes.map_or(0, |bytes| bytes / 1_000_000);
    if runs >= settings.recycle_after_runs.get() {
        Some(format!("has made {runs} runs"))
    } else if age >= settings.recycle_after {
        Some(format!("is {} minutes old", age.as_secs() / 60))
    } else if resident_mb > i64::from(settings.recycle_above_mb.get()) {
        Some(format!("takes {resident_mb} MB of memory"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_worn_by_runs_by_age_and_by_memory() {
        let settings = BrowserSettings::default();
        let hour = Duration::from_hours(1);
        let worn = |runs, age, bytes| wear(&settings, runs, age, bytes);
        assert_eq!(worn(499, 5 * hour, Some(4_000_999_999)), None);
        assert_eq!(worn(499, 5 * hour, None), None);
        assert_eq!(worn(500, hour, None).as_deref(), Some("has made 500 runs"));
        assert_eq!(
            worn(1, 6 * hour, None).as_deref(),
            Some("is 360 minutes old")
        );
        assert_eq!(
            worn(1, hour, Some(4_001_000_000)).as_deref(),
            Some("takes 4001 MB of memory")
        );
    }
}
