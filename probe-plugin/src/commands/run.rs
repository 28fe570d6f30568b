//! `vigia-probe run`: asks the schedule what is due, has it run, reports it, until Telegraf says stop.

use std::{
    collections::{HashSet, VecDeque},
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use vigia_contract::{
    artifact::{ArtifactKey, SCREENSHOT_FILE},
    data_model::{ErrorClass, Outcome},
};

use super::{
    Exit,
    runs::{Ended, Panicked, Runs},
    stop::{Wish, wishes},
};
use crate::{
    browser::{WarmBrowser, sweep_profiles},
    config::{self, Config},
    journey::Journey,
    log::{Level, log},
    report::{
        About, ArtifactFile, ArtifactFolder, Counters, PictureMemory, Report, Resources, Stdout,
        encode, points, probe_point, shrink,
    },
    run::{self, Failure, Order, RunReport},
    schedule::{Decision, Schedule, Slot},
};

/// How often the probe tells about itself.
const PROBE_POINT_EVERY: Duration = Duration::from_secs(10);

/// How long the last runs may take to be told and written; Telegraf gives 5 s in all.
const LAST_WORDS_DEADLINE: Duration = Duration::from_millis(1500);

/// So many missed runs and points of its own may wait for Telegraf to read: some hours of 150 journeys.
const QUEUE_MAX: usize = 50_000;

/// What every run needs.
#[derive(Debug)]
struct Shared {
    config: Config,
    browser: WarmBrowser,
    lines: mpsc::Sender<Vec<u8>>,
    stopping: watch::Receiver<bool>,
}

pub fn run(path: &Path) -> anyhow::Result<Exit> {
    let config = match config::read(path) {
        Ok(config) => config,
        Err(mistakes) => {
            for line in mistakes.to_string().lines() {
                log(Level::Error, line);
            }
            return Ok(Exit::Failed);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("failed to start the runtime")?;
    let done = runtime.block_on(until_stopped(config));
    // What is left is the thread that reads stdin; it ends with the process.
    runtime.shutdown_background();
    done.map(|()| Exit::Done)
}

async fn until_stopped(config: Config) -> anyhow::Result<()> {
    match sweep_profiles() {
        Ok(0) => {}
        Ok(count) => log(
            Level::Info,
            &format!("removed {count} browser profiles that an earlier probe left behind"),
        ),
        Err(error) => log(
            Level::Warning,
            &format!("failed to sweep old browser profiles: {error}"),
        ),
    }
    match run::sweep_external() {
        Ok(0) => {}
        Ok(count) => log(
            Level::Info,
            &format!("ended {count} external journeys that an earlier probe left behind"),
        ),
        Err(error) => log(
            Level::Warning,
            &format!("failed to sweep old external journeys: {error}"),
        ),
    }
    let mut wishes = wishes().context("failed to listen for signals")?;
    let stdout = Stdout::start();
    let (stop, stopping) = watch::channel(false);
    log(
        Level::Info,
        &format!(
            "vigia-probe {}: {} journeys",
            env!("CARGO_PKG_VERSION"),
            config.journeys.len()
        ),
    );
    let shared = Arc::new(Shared {
        browser: WarmBrowser::new(config.browser.clone()),
        config,
        lines: stdout.queue(),
        stopping,
    });
    let mut runs = Runs::default();
    let worked = work(&shared, &mut runs, &mut wishes).await;
    // However the work ended: the runs under way are told, what waits is written, and nothing of the browser is left.
    stop.send_replace(true);
    let told = tokio::time::timeout(LAST_WORDS_DEADLINE, async {
        while runs.next().await.is_some() {}
    });
    if told.await.is_err() {
        log(
            Level::Error,
            "Telegraf does not read: the last runs could not be reported",
        );
        runs.abort().await;
    }
    if let Err(error) = shared.browser.end().await {
        log(
            Level::Warning,
            &format!("failed to clear the browser away: {error:#}"),
        );
    }
    drop(shared);
    match tokio::time::timeout(LAST_WORDS_DEADLINE, stdout.finish()).await {
        Ok(finished) => worked.and(finished),
        Err(_) => worked.and(Err(anyhow::anyhow!(
            "stdout is not read: the last runs are lost"
        ))),
    }
}

/// Until somebody wishes an end. What it has to say itself waits in a queue of its own, so that it listens to wishes also
/// while Telegraf does not read.
async fn work(
    shared: &Arc<Shared>,
    runs: &mut Runs,
    wishes: &mut mpsc::UnboundedReceiver<Wish>,
) -> anyhow::Result<()> {
    let journeys = &shared.config.journeys;
    let slots = journeys
        .iter()
        .map(|journey| Slot {
            name: format!("{}/{}", journey.system, journey.name),
            every: journey.every,
            impact: journey.impact,
        })
        .collect();
    let mut schedule = Schedule::new(slots, shared.config.max_concurrent, Timestamp::now());
    let mut pictures = vec![PictureMemory::default(); journeys.len()];
    let mut counters = Counters {
        journeys: journeys.len(),
        ..Counters::default()
    };
    let mut probe_points = tokio::time::interval(PROBE_POINT_EVERY);
    let mut told_drifts = HashSet::new();
    let mut to_say: VecDeque<Vec<u8>> = VecDeque::new();
    loop {
        let now = Timestamp::now();
        let wake_in = schedule.next_wake().map_or(PROBE_POINT_EVERY, |next| {
            let wait = next
                .duration_since(now)
                .try_into()
                .unwrap_or(Duration::ZERO);
            // A clock that is set meanwhile is noticed soon.
            PROBE_POINT_EVERY.min(wait)
        });
        let decisions = tokio::select! {
            wish = wishes.recv() => match wish {
                Some(Wish::Points) => schedule.ask_for_first_runs(Timestamp::now()),
                Some(Wish::Stop) | None => return Ok(()),
            },
            Some(ended) = runs.next() => {
                match ended {
                    Ok(Ended { journey, outcome, drifts, pictures: kept }) => {
                        counters.count(outcome);
                        tell_new_drifts(&journeys[journey], drifts, &mut told_drifts);
                        pictures[journey] = kept;
                        schedule.finished(journey);
                    }
                    Err(Panicked { journey, report }) => {
                        counters.count(report.outcome);
                        to_say.push_back(lines(shared, journey, &Report::Ran { run: &report, picture: None, artifact: None }));
                        schedule.finished(journey);
                    }
                }
                schedule.tick(Timestamp::now())
            }
            place = shared.lines.reserve(), if !to_say.is_empty() => {
                if let Some(lines) = to_say.pop_front() {
                    place.context("stdout is closed")?.send(lines);
                }
                continue;
            }
            _ = probe_points.tick() => {
                counters.running = runs.len();
                counters.queued = schedule.queued();
                counters.browser_starts = shared.browser.starts();
                counters.unreadable_messages = shared.browser.unreadable_messages();
                let browser = shared.browser.group();
                let resources = tokio::task::spawn_blocking(move || Resources::read(browser)).await?;
                let point = probe_point(&shared.config.probe, counters, resources, Timestamp::now());
                to_say.push_back(encode(&point));
                Vec::new()
            }
            () = tokio::time::sleep(wake_in) => schedule.tick(Timestamp::now()),
        };
        for decision in decisions {
            match decision {
                Decision::Start { journey, due } => {
                    let pictures = pictures[journey];
                    runs.start(journey, one_run(Arc::clone(shared), journey, due, pictures));
                }
                Decision::Missed { journey, due, why } => {
                    counters.count(Outcome::Missed);
                    to_say.push_back(lines(shared, journey, &Report::Missed { due, why }));
                }
            }
        }
        if runs.len() == 0 {
            shared.browser.make_ready();
        }
        // One moment may bring as many missed runs as there are journeys.
        let surplus = to_say.len().saturating_sub(QUEUE_MAX);
        if surplus > 0 {
            to_say.drain(..surplus);
            log(
                Level::Error,
                "Telegraf has not read for long: the oldest points are given up",
            );
        }
    }
}

/// A drift is news once; the points have it with every run.
fn tell_new_drifts(journey: &Journey, drifts: Vec<String>, told: &mut HashSet<String>) {
    for drift in drifts {
        let drift = format!("{}/{}: {drift}", journey.system, journey.name);
        if !told.contains(&drift) {
            log(
                Level::Warning,
                &format!("drift, the page is no longer what its journey says: {drift}"),
            );
            told.insert(drift);
        }
    }
}

/// One run of one journey, reported.
async fn one_run(
    shared: Arc<Shared>,
    journey: usize,
    due: Timestamp,
    pictures: PictureMemory,
) -> Ended {
    let started = Timestamp::now();
    let order = Order {
        journey: &shared.config.journeys[journey],
        secrets: &shared.config.secrets,
        browser: &shared.browser,
        started,
        queued: started
            .duration_since(due)
            .try_into()
            .unwrap_or(Duration::ZERO),
        keeps_pictures: shared.config.artifacts.is_some(),
    };
    let mut stopping = shared.stopping.clone();
    let keeps_artifacts = shared.config.artifacts.is_some();
    let (report, clean_up) = tokio::select! {
        report = run::run(order, |outcome| {
            pictures.would_want(outcome, started) || (keeps_artifacts && outcome == Outcome::Failed)
        }) => report,
        _ = stopping.wait_for(|stopping| *stopping) => (
            RunReport::without_a_look(
                run::run_id(started),
                started,
                Failure::of_probe(ErrorClass::Config, "the probe was stopped in the middle of the run"),
            ),
            None,
        ),
    };
    let mut pictures = pictures;
    let picture = match &report.screenshot {
        Some(jpeg) if pictures.wants(report.outcome, started) => {
            let jpeg = jpeg.clone();
            tokio::task::spawn_blocking(move || shrink(&jpeg))
                .await
                .unwrap_or_default()
        }
        _ => None,
    };
    let artifact = keep(&shared, journey, &report).await;
    let outcome = report.outcome;
    let told = Report::Ran {
        run: &report,
        picture,
        artifact,
    };
    if shared
        .lines
        .send(lines(&shared, journey, &told))
        .await
        .is_err()
    {
        log(
            Level::Error,
            "stdout is closed: a run could not be reported",
        );
    }
    if let Some(clean_up) = clean_up {
        tokio::select! {
            () = clean_up.make() => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    }
    Ended {
        journey,
        outcome,
        drifts: report.drifts,
        pictures,
    }
}

/// The key of what was kept; a folder that cannot be written is said and stops nothing.
async fn keep(shared: &Shared, journey: usize, report: &RunReport) -> Option<String> {
    let folder = ArtifactFolder(shared.config.artifacts.clone()?);
    let screenshot = report
        .screenshot
        .as_ref()
        .filter(|_| report.outcome == Outcome::Failed)
        .map(|jpeg| ArtifactFile {
            name: SCREENSHOT_FILE.into(),
            bytes: jpeg.clone(),
        });
    let others = report.files.iter().map(|file| ArtifactFile {
        name: file.name.clone(),
        bytes: file.bytes.clone(),
    });
    let files: Vec<ArtifactFile> = screenshot.into_iter().chain(others).collect();
    if files.is_empty() {
        return None;
    }
    let journey = &shared.config.journeys[journey];
    let key = ArtifactKey {
        system: journey.system.clone(),
        journey: journey.name.clone(),
        run_id: report.run_id.clone(),
    };
    match folder.keep(&key, files).await {
        Ok(()) => Some(key.to_string()),
        Err(error) => {
            log(Level::Warning, &format!("{error:#}"));
            None
        }
    }
}

/// All the points of a run in one piece.
fn lines(shared: &Shared, journey: usize, report: &Report<'_>) -> Vec<u8> {
    let about = About {
        probe: &shared.config.probe,
        journey: &shared.config.journeys[journey],
    };
    points(about, report).iter().flat_map(encode).collect()
}
