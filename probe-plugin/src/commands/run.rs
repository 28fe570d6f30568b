//! `vigia-probe run`: asks the schedule what is due, has it run, reports it, until Telegraf says stop.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use jiff::Timestamp;
use rustix::fs::Mode;
use tokio::sync::{mpsc, watch};
use vigia_contract::{
    artifact::{ArtifactKey, SCREENSHOT_FILE},
    data_model::{ErrorClass, Outcome},
    mistake::Mistakes,
    secret::SecretPlaces,
};

use super::{
    Exit,
    reload::{Reload, reloads},
    runs::{Ended, Panicked, Runs},
    stop::{Wish, wishes},
};
use crate::{
    browser::{WarmBrowser, sweep_profiles},
    config::{self, Config},
    journey::Journey,
    log::{Level, log},
    report::{
        About, ArtifactFile, ArtifactStore, Counters, Picture, PictureMemory, Report, Resources,
        Stdout, encode, points, probe_point, shrink, steps_file,
    },
    run::{self, CleanUp, Failure, Keep, Order, Pace, RunReport},
    schedule::{Decision, Maintenance, Now, Schedule, Slot},
};

/// How often the probe tells about itself.
const PROBE_POINT_EVERY: Duration = Duration::from_secs(10);

/// How long the last runs may take to be told and written; Telegraf gives 5 s in all.
const LAST_WORDS_DEADLINE: Duration = Duration::from_millis(1500);

/// A folder takes a run's files sooner; whoever waits for the news of a failure waits no longer for a store that is far away.
const KEEP_DEADLINE: Duration = Duration::from_secs(1);

/// So many missed runs and points of its own may wait for Telegraf to read: some hours of 150 journeys.
const QUEUE_MAX: usize = 50_000;

/// What the runs of one configuration need.
#[derive(Debug)]
struct Shared {
    config: Config,
    browser: Arc<WarmBrowser>,
    artifacts: Option<ArtifactStore>,
    lines: mpsc::Sender<Vec<u8>>,
    stopping: watch::Receiver<bool>,
}

/// How long a thread for blocking work waits for more of it. Shorter than the pause between two looks at the journeys' files:
/// otherwise each look would keep another of those threads alive that were ever busy at once.
const THREAD_KEEP_ALIVE: Duration = Duration::from_millis(500);

pub fn run(path: &Path) -> anyhow::Result<Exit> {
    // What the probe and its browser write may show people's data: nobody outside the probe's group may look.
    rustix::process::umask(Mode::RWXO | Mode::WGRP);
    let config = match config::read(path) {
        Ok(config) => config,
        Err(mistakes) => {
            log_lines(&mistakes);
            return Ok(Exit::Failed);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .thread_keep_alive(THREAD_KEEP_ALIVE)
        .build()
        .context("failed to start the runtime")?;
    let done = runtime.block_on(until_stopped(path, config));
    // What is left is the thread that reads stdin; it ends with the process.
    runtime.shutdown_background();
    done.map(|()| Exit::Done)
}

async fn until_stopped(path: &Path, config: Config) -> anyhow::Result<()> {
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
    let reloads = reloads(path.to_owned(), config.files.clone());
    let mut reloads = reloads.context("failed to listen for signals")?;
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
    let browser = Arc::new(WarmBrowser::new(config.browser.clone()));
    let shared = Arc::new(Shared {
        browser: Arc::clone(&browser),
        artifacts: artifacts(&config),
        config,
        lines: stdout.queue(),
        stopping,
    });
    let mut runs = Runs::default();
    let worked = work(shared, &mut runs, &mut wishes, &mut reloads).await;
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
    if let Err(error) = browser.end().await {
        log(
            Level::Warning,
            &format!("failed to clear the browser away: {error:#}"),
        );
    }
    match tokio::time::timeout(LAST_WORDS_DEADLINE, stdout.finish()).await {
        Ok(finished) => worked.and(finished),
        Err(_) => worked.and(Err(anyhow::anyhow!(
            "stdout is not read: the last runs are lost"
        ))),
    }
}

/// Until somebody wishes an end.
async fn work(
    shared: Arc<Shared>,
    runs: &mut Runs,
    wishes: &mut mpsc::UnboundedReceiver<Wish>,
    reloads: &mut mpsc::Receiver<Reload>,
) -> anyhow::Result<()> {
    let mut desk = Desk::new(shared, runs);
    let mut probe_points = tokio::time::interval(PROBE_POINT_EVERY);
    loop {
        let lines = desk.shared.lines.clone();
        let says = !desk.to_say.is_empty();
        let wakes_in = desk.wakes_in();
        let decisions = tokio::select! {
            wish = wishes.recv() => match wish {
                Some(Wish::Points) => desk.schedule.ask_for_first_runs(Now::read()),
                Some(Wish::Stop) | None => {
                    let missed = desk.schedule.stop();
                    desk.carry_out(missed);
                    desk.say_what_waits();
                    return Ok(());
                }
            },
            Some(ended) = desk.runs.next() => {
                desk.ended(ended);
                desk.schedule.tick(Now::read())
            }
            place = lines.reserve(), if says => {
                if let Some(lines) = desk.to_say.pop_front() {
                    place.context("stdout is closed")?.send(lines);
                }
                continue;
            }
            Some(reload) = reloads.recv() => {
                probe_points.reset_immediately();
                desk.reload(reload)
            }
            _ = probe_points.tick() => {
                desk.tell_of_the_probe().await?;
                Vec::new()
            }
            () = tokio::time::sleep(wakes_in) => desk.schedule.tick(Now::read()),
        };
        desk.carry_out(decisions);
        if desk.runs.len() == 0 {
            desk.shared.browser.make_ready();
        }
        desk.give_up_the_oldest();
    }
}

/// What is known while the probe works. What it has to say itself waits in a queue of its own, so that it listens to wishes
/// also while Telegraf does not read.
struct Desk<'r> {
    shared: Arc<Shared>,
    runs: &'r mut Runs,
    schedule: Schedule,
    counters: Counters,
    /// By the full names of journeys.
    pictures: HashMap<String, PictureMemory>,
    told_drifts: HashSet<String>,
    to_say: VecDeque<Vec<u8>>,
}

impl<'r> Desk<'r> {
    fn new(shared: Arc<Shared>, runs: &'r mut Runs) -> Self {
        let config = &shared.config;
        Self {
            schedule: Schedule::new(slots(config), config.max_concurrent, Now::read()),
            counters: Counters {
                journeys: config.journeys.len(),
                ..Counters::default()
            },
            pictures: HashMap::new(),
            told_drifts: HashSet::new(),
            to_say: VecDeque::new(),
            shared,
            runs,
        }
    }

    fn wakes_in(&self) -> Duration {
        let next = self.schedule.next_wake();
        next.map_or(PROBE_POINT_EVERY, |next| {
            let wait = next.duration_since(Timestamp::now());
            // A clock that is set meanwhile, and the end of a machine's sleep, are noticed soon.
            PROBE_POINT_EVERY.min(wait.try_into().unwrap_or(Duration::ZERO))
        })
    }

    fn journey(&self, name: &str) -> Option<Arc<Journey>> {
        let mut journeys = self.shared.config.journeys.iter();
        journeys
            .find(|journey| journey.full_name() == name)
            .map(Arc::clone)
    }

    fn say(&mut self, journey: &Journey, report: &Report<'_>) {
        self.to_say.push_back(lines(&self.shared, journey, report));
    }

    fn ended(&mut self, ended: Result<Ended, Panicked>) {
        let name = match ended {
            Ok(ended) => {
                let name = ended.journey.full_name();
                self.counters.count(ended.outcome);
                tell_new_drifts(&name, ended.drifts, &mut self.told_drifts);
                self.pictures.insert(name.clone(), ended.pictures);
                name
            }
            Err(Panicked { journey, report }) => {
                self.counters.count(report.outcome);
                let told = Report::Ran {
                    run: &report,
                    picture: None,
                    artifact: None,
                };
                self.say(&journey, &told);
                journey.full_name()
            }
        };
        self.schedule.finished(&name);
    }

    /// Does what the schedule says; what is not to be measured now gives its place to the next one.
    fn carry_out(&mut self, decisions: Vec<Decision>) {
        let mut decisions = VecDeque::from(decisions);
        while let Some(decision) = decisions.pop_front() {
            match decision {
                Decision::Start { journey, queued } => {
                    if !self.start(&journey, queued) {
                        self.schedule.finished(&journey);
                        decisions.extend(self.schedule.tick(Now::read()));
                    }
                }
                Decision::Missed {
                    journey,
                    due,
                    why,
                    untold,
                } => self.missed(&journey, due, why, untold),
            }
        }
    }

    /// Whether a run has begun.
    fn start(&mut self, name: &str, queued: Duration) -> bool {
        let Some(journey) = self.journey(name) else {
            return false;
        };
        let now = Timestamp::now();
        let config = &self.shared.config;
        if let Some(window) = config.maintenance_of(&journey, now, now) {
            let why = in_maintenance(window);
            self.counters.in_maintenance += 1;
            let told = Report::NotMade {
                outcome: Outcome::Unmeasured,
                at: now,
                why: &why,
            };
            self.say(&journey, &told);
            return false;
        }
        let pictures = self.pictures.get(name).copied().unwrap_or_default();
        let shared = Arc::clone(&self.shared);
        let run = one_run(shared, Arc::clone(&journey), queued, pictures);
        self.runs.start(journey, run);
        true
    }

    fn missed(&mut self, name: &str, due: Timestamp, why: &'static str, untold: u64) {
        let untold = usize::try_from(untold).unwrap_or(usize::MAX);
        self.counters.missed = self.counters.missed.saturating_add(untold);
        self.counters.count(Outcome::Missed);
        if untold > 0 {
            let told = format!(
                "{name}: {untold} more runs were missed before {due} and have no point of their own: {why}"
            );
            log(Level::Warning, &told);
        }
        // One that was taken out of the configuration has missed its slot all the same, and nobody asks for it any more.
        if let Some(journey) = self.journey(name) {
            let told = Report::NotMade {
                outcome: Outcome::Missed,
                at: due,
                why,
            };
            self.say(&journey, &told);
        }
    }

    /// All or nothing: where there is a mistake, what is in use stays in use.
    fn reload(&mut self, reload: Reload) -> Vec<Decision> {
        let config = match reload {
            Ok(config) => config,
            Err(mistakes) => {
                self.counters.config_mistakes = mistakes.0.len();
                log_lines(&mistakes);
                log(
                    Level::Error,
                    "the configuration has changed and has mistakes: the one before it stays in use",
                );
                return Vec::new();
            }
        };
        self.counters.config_mistakes = 0;
        self.counters.reloads += 1;
        self.counters.journeys = config.journeys.len();
        log(
            Level::Info,
            &format!(
                "the configuration was read anew: {} journeys",
                config.journeys.len()
            ),
        );
        let now = Now::read();
        // What waits for a place and is taken out is told while it is still known.
        let decisions = self
            .schedule
            .replace(slots(&config), config.max_concurrent, now);
        let (gone, going_on) = decisions
            .into_iter()
            .partition(|decision| matches!(decision, Decision::Missed { .. }));
        self.carry_out(gone);
        self.shared.browser.use_settings(config.browser.clone());
        self.shared = Arc::new(Shared {
            browser: Arc::clone(&self.shared.browser),
            lines: self.shared.lines.clone(),
            stopping: self.shared.stopping.clone(),
            artifacts: artifacts(&config),
            config,
        });
        let journeys = &self.shared.config.journeys;
        let names: HashSet<String> = journeys.iter().map(|journey| journey.full_name()).collect();
        self.pictures.retain(|name, _| names.contains(name));
        self.told_drifts.clear();
        going_on
    }

    async fn tell_of_the_probe(&mut self) -> anyhow::Result<()> {
        let browser = &self.shared.browser;
        self.counters.running = self.runs.len();
        self.counters.queued = self.schedule.queued();
        self.counters.browser_starts = browser.starts();
        self.counters.unreadable_messages = browser.unreadable_messages();
        let browser = browser.group();
        let resources = tokio::task::spawn_blocking(move || Resources::read(browser)).await?;
        let probe = &self.shared.config.probe;
        let point = probe_point(probe, self.counters, resources, Timestamp::now());
        self.to_say.push_back(encode(&point));
        Ok(())
    }

    /// One moment may bring as many missed runs as there are journeys.
    fn give_up_the_oldest(&mut self) {
        let surplus = self.to_say.len().saturating_sub(QUEUE_MAX);
        if surplus > 0 {
            self.to_say.drain(..surplus);
            log(
                Level::Error,
                &format!(
                    "Telegraf has not read for long: the {surplus} oldest points are given up"
                ),
            );
        }
    }

    /// As much as there is room for: nothing waits for a reader at the end.
    fn say_what_waits(&mut self) {
        while let Some(lines) = self.to_say.pop_front() {
            if self.shared.lines.try_send(lines).is_err() {
                let left = self.to_say.len() + 1;
                log(
                    Level::Error,
                    &format!("Telegraf does not read: {left} points are given up"),
                );
                return;
            }
        }
    }
}

fn slots(config: &Config) -> Vec<Slot> {
    let slot = |journey: &Arc<Journey>| Slot {
        name: journey.full_name().into(),
        every: journey.every,
        impact: journey.impact,
    };
    config.journeys.iter().map(slot).collect()
}

fn in_maintenance(window: &Maintenance) -> String {
    format!("maintenance: {}", window.name)
}

fn log_lines(mistakes: &Mistakes) {
    for line in mistakes.to_string().lines() {
        log(Level::Error, line);
    }
}

/// A drift is news once; the points have it with every run.
fn tell_new_drifts(journey: &str, drifts: Vec<String>, told: &mut HashSet<String>) {
    for drift in drifts {
        let drift = format!("{journey}: {drift}");
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
    journey: Arc<Journey>,
    queued: Duration,
    pictures: PictureMemory,
) -> Ended {
    let mut stopping = shared.stopping.clone();
    let secrets = secrets(&shared, &journey, &mut stopping).await;
    let pace = Pace::default();
    let started = Timestamp::now();
    let order = Order {
        journey: &journey,
        secrets: &secrets,
        browser: &shared.browser,
        started,
        queued,
        keeps_pictures: shared.artifacts.is_some(),
        pace: &pace,
    };
    let keeps_artifacts = shared.artifacts.is_some();
    let (report, clean_up) = tokio::select! {
        report = run::run(order, |outcome| {
            if keeps_artifacts && outcome == Outcome::Failed {
                Keep::Evidence
            } else if pictures.would_want(outcome, started) {
                Keep::Picture
            } else {
                Keep::Nothing
            }
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
    // What a window began in the middle of says nothing: a system that is worked on is not to be told as one that failed.
    let window = shared
        .config
        .maintenance_of(&journey, started, Timestamp::now());
    let window = window.map(in_maintenance);
    if let Some(why) = &window {
        let outcome = Outcome::Unmeasured;
        let told = Report::NotMade {
            outcome,
            at: started,
            why,
        };
        say(&shared, &journey, &told).await;
        tidy_up(clean_up, &mut stopping).await;
        return Ended {
            journey,
            outcome,
            drifts: Vec::new(),
            pictures,
        };
    }
    let mut pictures = pictures;
    let picture = inline_picture(&report, &mut pictures, started).await;
    let mut keeping = std::pin::pin!(keep(&shared, &journey, &report));
    let (key, kept) = match tokio::time::timeout(KEEP_DEADLINE, &mut keeping).await {
        Ok(kept) => (kept, true),
        // Nobody who waits for the news waits for a slow store. It says so itself if it does not take them in the end.
        Err(_) => (artifact_key(&shared, &journey, &report), false),
    };
    let artifact = key.as_ref().map(ToString::to_string);
    let outcome = report.outcome;
    let told = Report::Ran {
        run: &report,
        picture,
        artifact,
    };
    say(&shared, &journey, &told).await;
    if !kept {
        tokio::select! {
            _ = keeping => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    }
    if let Some(key) = &key {
        forget(&shared, key).await;
    }
    tidy_up(clean_up, &mut stopping).await;
    Ended {
        journey: Arc::clone(&journey),
        outcome,
        drifts: report.drifts.clone(),
        pictures,
    }
}

/// What it types; a probe that ends does not wait for it.
async fn secrets(
    shared: &Shared,
    journey: &Journey,
    stopping: &mut watch::Receiver<bool>,
) -> SecretPlaces {
    let places = &shared.config.secrets;
    tokio::select! {
        secrets = run::fetch_secrets(places, journey) => secrets,
        _ = stopping.wait_for(|stopping| *stopping) => places.clone(),
    }
}

/// The picture that rides the pipeline, where it is time for one. What failed is in view, whatever else is not.
async fn inline_picture(
    report: &RunReport,
    pictures: &mut PictureMemory,
    started: Timestamp,
) -> Option<Picture> {
    let whole = report.screenshot.as_ref()?;
    if !pictures.wants(report.outcome, started) {
        return None;
    }
    let picture = report.close_up.as_ref().unwrap_or(whole).clone();
    let shrunk = tokio::task::spawn_blocking(move || shrink(&picture)).await;
    shrunk.unwrap_or_default()
}

async fn say(shared: &Shared, journey: &Journey, report: &Report<'_>) {
    let lines = lines(shared, journey, report);
    if shared.lines.send(lines).await.is_err() {
        log(
            Level::Error,
            "stdout is closed: a run could not be reported",
        );
    }
}

async fn tidy_up(clean_up: Option<CleanUp<'_>>, stopping: &mut watch::Receiver<bool>) {
    if let Some(clean_up) = clean_up {
        tokio::select! {
            () = clean_up.make() => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    }
}

/// Where this configuration keeps artifacts.
fn artifacts(config: &Config) -> Option<ArtifactStore> {
    let (place, retention) = config.artifacts.clone()?;
    Some(ArtifactStore::new(place, config.secrets.clone(), retention))
}

async fn forget(shared: &Shared, key: &ArtifactKey) {
    if let Some(store) = &shared.artifacts
        && let Err(error) = store.forget(key).await
    {
        log(Level::Warning, &format!("{error:#}"));
    }
}

/// The key of what was kept; a store that does not take it is said and stops nothing.
async fn keep(shared: &Shared, journey: &Journey, report: &RunReport) -> Option<ArtifactKey> {
    let store = shared.artifacts.as_ref()?;
    let key = artifact_key(shared, journey, report)?;
    match store.keep(&key, artifact_files(journey, report)).await {
        Ok(()) => Some(key),
        Err(error) => {
            log(Level::Warning, &format!("{error:#}"));
            None
        }
    }
}

/// Nothing where there is nothing to keep.
fn artifact_key(shared: &Shared, journey: &Journey, report: &RunReport) -> Option<ArtifactKey> {
    let failed = report.outcome == Outcome::Failed;
    if shared.artifacts.is_none() || !failed && report.files.is_empty() {
        return None;
    }
    Some(ArtifactKey {
        system: journey.system.clone(),
        journey: journey.name.clone(),
        run_id: report.run_id.clone(),
    })
}

fn artifact_files(journey: &Journey, report: &RunReport) -> Vec<ArtifactFile> {
    let mut files: Vec<ArtifactFile> = Vec::new();
    if report.outcome == Outcome::Failed {
        files.extend(report.screenshot.as_ref().map(|picture| ArtifactFile {
            name: SCREENSHOT_FILE.into(),
            bytes: picture.jpeg.clone(),
        }));
        files.push(steps_file(journey, report));
    }
    files.extend(report.files.iter().map(|file| ArtifactFile {
        name: file.name.clone(),
        bytes: file.bytes.clone(),
    }));
    files
}

/// All the points of a run in one piece.
fn lines(shared: &Shared, journey: &Journey, report: &Report<'_>) -> Vec<u8> {
    let about = About {
        probe: &shared.config.probe,
        journey,
    };
    points(about, report).iter().flat_map(encode).collect()
}
