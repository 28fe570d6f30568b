//! Many runs of one journey, some of them at once, in one warm browser as `run` has it: what each came to, and what all of
//! them took from the machine.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::{sync::watch, task::JoinSet};
use vigia_contract::secret::SecretPlaces;

use super::progress;
use crate::{
    browser::{BrowserSettings, WarmBrowser},
    journey::Journey,
    report::{Resources, own_cpu, peak_resident_bytes},
    run::{self, Keep, Order, Pace, RunReport},
};

/// How many calls the median of a call is taken from.
const CALLS: usize = 200;

/// A call that takes this long is none that could be measured.
const CALL_DEADLINE: Duration = Duration::from_secs(5);

/// What is tried.
#[derive(Debug)]
pub struct Subject {
    /// The workflow.
    pub journey: Journey,
    /// Where its secrets are.
    pub secrets: SecretPlaces,
    /// How the browser is started.
    pub browser: BrowserSettings,
}

/// How much of it.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// In all.
    pub runs: u32,
    /// At once.
    pub concurrency: u32,
    /// What is kept of the page at the end of each.
    pub keeps: Keep,
    /// Whether calls to the browser are timed.
    pub calls: bool,
    /// A pause behind every action.
    pub slow_motion: Duration,
    /// Before every step the Enter key is waited for.
    pub by_step: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct Series {
    /// How many ran at once.
    pub concurrency: u32,
    /// From before the start of the browser to the end of the last run.
    pub wall: Duration,
    /// This process's own, since it started.
    pub own_cpu: Duration,
    /// This process's own, with the browser still there.
    pub resident_bytes: Option<i64>,
    /// The most that it was.
    pub peak_resident_bytes: Option<i64>,
    /// In the order in which they ended.
    pub runs: Vec<Ran>,
    /// The median of the cheapest call to the browser, where it was asked for and answered.
    pub call: Option<Duration>,
}

/// One run of them.
#[derive(Debug)]
pub struct Ran {
    /// What it came to.
    pub report: RunReport,
    /// From taking its slot until its context was gone.
    pub wall: Duration,
}

/// What the slots share.
#[derive(Debug)]
struct Shared {
    journey: Journey,
    secrets: SecretPlaces,
    browser: WarmBrowser,
    size: Size,
    begun: AtomicU32,
    done: watch::Sender<u32>,
    at_step: watch::Sender<usize>,
}

/// Makes the runs, and ends the browser. The journey comes back for whoever tells of it.
pub async fn run(subject: Subject, size: Size) -> anyhow::Result<(Journey, Series)> {
    let shared = Arc::new(Shared {
        journey: subject.journey,
        secrets: subject.secrets,
        browser: WarmBrowser::new(subject.browser),
        size,
        begun: AtomicU32::new(0),
        done: watch::Sender::default(),
        at_step: watch::Sender::default(),
    });
    let began = Instant::now();
    let mut slots = JoinSet::new();
    for _ in 0..size.concurrency.min(size.runs) {
        slots.spawn(slot(Arc::clone(&shared)));
    }
    let (done, at_step) = (shared.done.subscribe(), shared.at_step.subscribe());
    let ended = tokio::select! {
        ended = slots.join_all() => ended,
        never = progress::show(&shared.journey, size, &done, &at_step) => match never {},
    };
    let runs = ended.into_iter().flatten().collect();
    let mut series = Series {
        concurrency: size.concurrency,
        wall: began.elapsed(),
        own_cpu: own_cpu(),
        resident_bytes: Resources::read(None).resident_bytes,
        peak_resident_bytes: peak_resident_bytes(),
        runs,
        call: None,
    };
    if size.calls {
        series.call = call(&shared.browser).await;
    }
    shared.browser.end().await?;
    Ok((shared.journey.clone(), series))
}

/// One run after the other until all have begun.
async fn slot(shared: Arc<Shared>) -> Vec<Ran> {
    let mut runs = Vec::new();
    let pace = Pace {
        slow_motion: shared.size.slow_motion,
        by_step: shared.size.by_step,
        at_step: Some(shared.at_step.clone()),
    };
    while shared.begun.fetch_add(1, Ordering::Relaxed) < shared.size.runs {
        let secrets = run::fetch_secrets(&shared.secrets, &shared.journey).await;
        let began = Instant::now();
        let order = Order {
            journey: &shared.journey,
            secrets: &secrets,
            browser: &shared.browser,
            started: Timestamp::now(),
            queued: Duration::ZERO,
            keeps_pictures: false,
            pace: &pace,
        };
        let (report, clean_up) = run::run(order, |_| shared.size.keeps).await;
        if let Some(clean_up) = clean_up {
            clean_up.make().await;
        }
        runs.push(Ran {
            report,
            wall: began.elapsed(),
        });
        shared.done.send_modify(|done| *done += 1);
    }
    runs
}

/// What one call takes, back to back.
async fn call(browser: &WarmBrowser) -> Option<Duration> {
    let chromium = browser.for_a_run().await.ok()?;
    let mut took = Vec::with_capacity(CALLS);
    for _ in 0..CALLS {
        let began = Instant::now();
        chromium.answers(CALL_DEADLINE).await.ok()?;
        took.push(began.elapsed().as_secs_f64());
    }
    percentile(&mut took, 50).map(Duration::from_secs_f64)
}

/// The smallest value that so many percent of all do not exceed.
pub fn percentile(values: &mut [f64], percent: usize) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let rank = (values.len() * percent).div_ceil(100).max(1);
    values.get(rank - 1).copied()
}

/// As everything is printed.
pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

impl Series {
    /// Some runs came to a good end and others did not: nothing that can be relied on.
    pub fn is_flaky(&self) -> bool {
        let good = |ran: &Ran| ran.report.outcome.is_ok();
        self.runs.iter().any(good) && !self.runs.iter().all(good)
    }

    /// How many journeys this machine carries in a minute, the browser's start included.
    pub fn journeys_per_minute(&self) -> f64 {
        self.count() / self.wall.as_secs_f64() * 60.0
    }

    /// What a journey takes of the processors, without the browser.
    pub fn own_cpu_ms_per_journey(&self) -> f64 {
        milliseconds(self.own_cpu) / self.count()
    }

    fn count(&self) -> f64 {
        // There cannot be more runs than a u32 holds: that is how many were asked for.
        u32::try_from(self.runs.len()).map_or(f64::NAN, f64::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let mut values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(percentile(&mut values, 50), Some(2.0));
        assert_eq!(percentile(&mut values, 95), Some(4.0));
        assert_eq!(percentile(&mut values, 0), Some(1.0));
        assert_eq!(percentile(&mut [], 50), None);
    }
}
