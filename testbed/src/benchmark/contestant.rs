//! Who walks the journey, and how one block of runs is asked of them: a process of their own, which reports in JSON.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::{
    machine,
    site::{GOAL, NUMBER, Site},
};
use crate::{
    portal::{PASSWORD, USER},
    repository,
    servers::process::tied,
    until::until,
};

/// Longer than any journey takes; a contestant that takes so long for each hangs.
const RUN_DEADLINE: Duration = Duration::from_secs(10);

/// A start of the browser, on a starved machine.
const START_DEADLINE: Duration = Duration::from_mins(1);

/// Who walks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Contestant {
    /// `vigia-probe try`.
    Vigia,
    /// playwright-core.
    Playwright,
    /// @puppeteer/replay.
    Replay,
    /// Set up as Vigía sets up, from Node; fills and clicks by script, with no checks.
    Floor,
    /// The least of the protocol; only where it is asked for.
    Bare,
}

impl Contestant {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Vigia,
        Self::Playwright,
        Self::Replay,
        Self::Floor,
        Self::Bare,
    ];

    /// Whether a session has it where nobody says who takes part.
    pub const fn is_usual(self) -> bool {
        !matches!(self, Self::Bare)
    }

    /// What the table calls it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Vigia => "Vigía",
            Self::Playwright => "playwright-core",
            Self::Replay => "@puppeteer/replay",
            Self::Floor => "floor",
            Self::Bare => "bare floor",
        }
    }

    const fn script(self) -> Option<&'static str> {
        match self {
            Self::Vigia => None,
            Self::Playwright => Some("playwright.mjs"),
            Self::Replay => Some("replay.mjs"),
            Self::Floor | Self::Bare => Some("floor.mjs"),
        }
    }
}

/// Where they walk: the site, and the browser as Vigía starts it.
#[derive(Debug)]
pub struct Arena {
    /// Counts what it is asked for.
    pub site: Site,
    browser: Browser,
    peers_features: PeersFeatures,
    call_ms: f64,
}

/// Which of Chromium's features the peers' browser has.
#[derive(Clone, Copy, Debug)]
pub enum PeersFeatures {
    /// As for their users.
    TheirOwn,
    /// Without those, too, that Vigía's browser does without.
    AsVigia,
}

/// What Vigía says of the runs before the first block.
#[derive(Debug, Deserialize)]
struct Trial {
    call_ms: f64,
}

/// The browser's command line, without its profile.
#[derive(Debug)]
struct Browser {
    program: PathBuf,
    arguments: Vec<String>,
}

impl Browser {
    /// Those of Chromium's features that it is told to do without, separated by commas.
    fn without_features(&self) -> &str {
        let mut arguments = self.arguments.iter();
        arguments
            .find_map(|argument| argument.strip_prefix("--disable-features="))
            .unwrap_or_default()
    }
}

/// How many runs, and how many of them at once.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// In all.
    pub runs: usize,
    /// At once.
    pub concurrency: usize,
}

/// What a contestant says of a block.
#[derive(Debug, Deserialize)]
pub struct Report {
    /// From before the start of the browser to the end of the last run.
    pub wall_seconds: f64,
    /// The contestant's own process, without the browser.
    pub own_cpu_ms_per_journey: f64,
    /// At the end of the block.
    pub resident_bytes: f64,
    /// Each of them.
    pub runs: Vec<Run>,
    /// What the machine did from the start of the contestant's process to its end. Not the contestant's to say.
    #[serde(skip)]
    pub machine_cpu: Duration,
}

/// What it says of a run.
#[derive(Debug, Deserialize)]
pub struct Run {
    /// `ok` or `slow` where it came to its end.
    pub outcome: String,
    /// From taking its slot until its context was gone.
    pub wall_ms: f64,
    /// Why it did not come to its end.
    pub error: Option<String>,
}

impl Arena {
    /// Reads the browser's command line from a Vigía that walks: nobody keeps a copy of it that could grow old.
    pub async fn prepare(site: Site, peers_features: PeersFeatures) -> Result<Self> {
        let load = Load {
            runs: 3,
            concurrency: 1,
        };
        let mut command = vigia(&site, load)?;
        command
            .args(["--json", "--phases"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = tokio::process::Command::from(command)
            .kill_on_drop(true)
            .spawn()
            .context("failed to start vigia-probe")?;
        let id = child.id().context("vigia-probe ended at once")?;
        let browser = until("Vigía's browser", START_DEADLINE, async || browser_of(id));
        let (browser, output) = tokio::join!(browser, child.wait_with_output());
        let output = output.context("failed to wait for vigia-probe")?;
        ensure!(
            output.status.success(),
            "Vigía cannot walk the journey: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        let trial: Trial =
            serde_json::from_slice(&output.stdout).context("failed to read Vigía's report")?;
        Ok(Self {
            site,
            browser: browser?,
            peers_features,
            call_ms: trial.call_ms,
        })
    }

    /// What one call to the browser takes Vigía, the median of many.
    pub const fn call_ms(&self) -> f64 {
        self.call_ms
    }

    /// The browser's program.
    pub fn browser(&self) -> &Path {
        &self.browser.program
    }

    /// Lets a contestant walk.
    pub async fn block(&self, contestant: Contestant, load: Load) -> Result<Report> {
        let mut order = String::new();
        let mut command = if let Some(script) = contestant.script() {
            order = self.order(contestant, load);
            node(script)?
        } else {
            let mut command = vigia(&self.site, load)?;
            command.arg("--json");
            command
        };
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let before = machine::busy()?;
        let mut child = tokio::process::Command::from(command)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("failed to start {}", contestant.title()))?;
        let mut stdin = child.stdin.take().context("the contestant has no stdin")?;
        stdin
            .write_all(order.as_bytes())
            .await
            .context("failed to give the order")?;
        drop(stdin);
        let runs = u32::try_from(load.runs).context("too many runs")?;
        let output = tokio::time::timeout(
            START_DEADLINE + RUN_DEADLINE * runs,
            child.wait_with_output(),
        )
        .await
        .with_context(|| format!("{} hung and was killed", contestant.title()))?
        .with_context(|| format!("failed to wait for {}", contestant.title()))?;
        let machine_cpu = machine::busy()?.saturating_sub(before);
        let report: Report = serde_json::from_slice(&output.stdout).with_context(|| {
            format!(
                "{} ended with {} and no report; it said: {}",
                contestant.title(),
                output.status,
                String::from_utf8_lossy(&output.stderr)
            )
        })?;
        ensure!(
            report.runs.len() == load.runs,
            "{} made {} runs instead of {}",
            contestant.title(),
            report.runs.len(),
            load.runs
        );
        Ok(Report {
            machine_cpu,
            ..report
        })
    }

    fn order(&self, contestant: Contestant, load: Load) -> String {
        json!({
            "contestant": contestant,
            "url": self.site.url(),
            "user": USER,
            "password": PASSWORD,
            "number": NUMBER,
            "goal": GOAL,
            "runs": load.runs,
            "concurrency": load.concurrency,
            "program": self.browser.program,
            "arguments": self.browser.arguments,
            "without_features": match self.peers_features {
                PeersFeatures::TheirOwn => "",
                PeersFeatures::AsVigia => self.browser.without_features(),
            },
            "sandbox": sandbox(),
        })
        .to_string()
    }
}

/// Where the wall time of Vigía's runs goes, in its own words.
pub async fn phases(site: &Site, runs: usize) -> Result<ExitCode> {
    let load = Load {
        runs,
        concurrency: 1,
    };
    let mut command = vigia(site, load)?;
    command.arg("--phases");
    let status = tokio::process::Command::from(command)
        .kill_on_drop(true)
        .status()
        .await
        .context("failed to start vigia-probe")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn vigia(site: &Site, load: Load) -> Result<Command> {
    let here = std::env::current_exe().context("failed to find this program's own file")?;
    let probe = here.with_file_name("vigia-probe");
    ensure!(
        probe.is_file(),
        "there is no `{}`\nhint: `make benchmark` builds it",
        probe.display()
    );
    let mut command = tied(&probe);
    command
        .arg("try")
        .arg(repository::path("testbed/benchmark/journey.toml"))
        .arg(format!("--set=site={}", site.url()))
        .arg(format!("--runs={}", load.runs))
        .arg(format!("--concurrency={}", load.concurrency))
        .args((!sandbox()).then_some("--no-sandbox"))
        .env("TRAMITES_CLAVE", PASSWORD);
    Ok(command)
}

fn node(script: &str) -> Result<Command> {
    let folder = repository::path("testbed/benchmark");
    ensure!(
        folder.join("node_modules").is_dir(),
        "the peers are not installed\nhint: `make benchmark` installs them; it needs node 20 or later and npm"
    );
    let mut command = tied(Path::new("node"));
    command.arg(folder.join(script));
    Ok(command)
}

/// Chromium's sandbox does not work for root.
fn sandbox() -> bool {
    !rustix::process::geteuid().is_root()
}

/// The command line of the browser that this process has started, once it is there.
fn browser_of(parent: u32) -> Option<Browser> {
    fs::read_dir("/proc").ok()?.find_map(|entry| {
        let folder = entry.ok()?.path();
        let stat = fs::read_to_string(folder.join("stat")).ok()?;
        // State and parent stand behind the name in brackets: proc_pid_stat(5).
        let of: u32 = stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok()?;
        if of != parent {
            return None;
        }
        let line = fs::read_to_string(folder.join("cmdline")).ok()?;
        let mut words = line.split('\0').filter(|word| !word.is_empty());
        let program = words.next()?.into();
        let arguments: Vec<String> = words
            .filter(|word| !word.starts_with("--user-data-dir="))
            .map(ToOwned::to_owned)
            .collect();
        // Between fork and exec it is still a copy of its parent.
        arguments
            .iter()
            .any(|word| word == "--remote-debugging-pipe")
            .then_some(Browser { program, arguments })
    })
}
