//! `vigia-probe doctor`: looks at everything that the probe needs of its machine, and says what it looked at, what it found,
//! and what to do about it.

mod machine;
mod telegraf;

use std::{io::Write, path::PathBuf, time::Instant};

use anyhow::Context;
use clap::Args;

use super::{Exit, paint::Paint};
use crate::{
    browser::{BrowserSettings, WarmBrowser},
    config::{self, Config},
    report::Place,
};

/// What is looked at.
#[derive(Debug, Args)]
pub struct Doctor {
    /// The probe's configuration; without one, only the machine is looked at.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Telegraf's configuration: a file, or a folder of them.
    #[arg(long, value_name = "PATH", default_value = "/etc/telegraf")]
    telegraf: PathBuf,
    /// Starts the browser without its sandbox, which cannot work for root.
    #[arg(long)]
    no_sandbox: bool,
}

/// How something was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Good,
    /// The probe works, and something should be looked at.
    Doubtful,
    /// The probe cannot work so.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What was looked at.
    pub what: &'static str,
    /// How it was found.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Finding {
    /// As it should be.
    pub fn good(what: &'static str, found: impl Into<String>) -> Self {
        Self {
            what,
            state: State::Good,
            found: found.into(),
            hint: None,
        }
    }

    /// To be looked at.
    pub fn doubtful(what: &'static str, found: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            what,
            state: State::Doubtful,
            found: found.into(),
            hint: Some(hint.into()),
        }
    }

    /// To be repaired.
    pub fn bad(what: &'static str, found: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            state: State::Bad,
            ..Self::doubtful(what, found, hint)
        }
    }
}

pub fn doctor(doctor: &Doctor) -> anyhow::Result<Exit> {
    let mut stdout = std::io::stdout().lock();
    let paint = Paint::for_stdout();
    let mut worst = State::Good;
    let mut tell = |finding: Finding| {
        let (word, paint) = match finding.state {
            State::Good => ("good", paint.green()),
            State::Doubtful => ("doubtful", paint.yellow()),
            State::Bad => ("bad", paint.red()),
        };
        if worst != State::Bad && finding.state != State::Good {
            worst = finding.state;
        }
        writeln!(
            stdout,
            "{paint}{word:<8}{paint:#}  {:<10}  {}",
            finding.what, finding.found
        )?;
        if let Some(hint) = finding.hint {
            writeln!(stdout, "{:22}hint: {hint}", "")?;
        }
        stdout.flush()
    };
    let config = match &doctor.config {
        Some(path) => match config::read(path) {
            Ok(config) => {
                let found = format!(
                    "{}: no mistake, {} journeys",
                    path.display(),
                    config.journeys.len()
                );
                tell(Finding::good("config", found))?;
                Some(config)
            }
            Err(mistakes) => {
                let found = format!("{}: {} mistakes", path.display(), mistakes.0.len());
                let hint = format!("vigia-probe check --config {}", path.display());
                tell(Finding::bad("config", found, hint))?;
                None
            }
        },
        None => None,
    };
    let settings = settings(doctor, config.as_ref());
    tell(machine::user(&settings))?;
    tell(browser(&settings)?)?;
    tell(machine::fonts())?;
    tell(machine::memory(
        config.as_ref().map_or(2, |config| config.max_concurrent),
    ))?;
    tell(machine::disk("disk", &std::env::temp_dir()))?;
    if let Some(Config {
        artifacts: Some((Place::Folder(folder), _)),
        ..
    }) = &config
    {
        tell(machine::writable("artifacts", folder))?;
        tell(machine::disk("artifacts", folder))?;
    }
    tell(machine::shared_memory())?;
    tell(machine::clock())?;
    for finding in telegraf::look(&doctor.telegraf, doctor.config.as_deref()) {
        tell(finding)?;
    }
    Ok(match worst {
        State::Good | State::Doubtful => Exit::Done,
        State::Bad => Exit::Failed,
    })
}

fn settings(doctor: &Doctor, config: Option<&Config>) -> BrowserSettings {
    let mut settings = match (config, &doctor.config) {
        (Some(config), _) => config.browser.clone(),
        // The journeys may have mistakes and the browser's table none.
        (None, Some(path)) => config::read_settings(path)
            .map(|settings| settings.browser)
            .unwrap_or_default(),
        (None, None) => BrowserSettings::default(),
    };
    settings.sandbox &= !doctor.no_sandbox;
    settings
}

/// Whether it starts and answers, as it does for a run.
fn browser(settings: &BrowserSettings) -> anyhow::Result<Finding> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("failed to start the runtime")?;
    let browser = WarmBrowser::new(settings.clone());
    let began = Instant::now();
    runtime.block_on(async {
        let finding = match browser.for_a_run().await {
            Ok(chromium) => {
                let took_ms = began.elapsed().as_millis();
                let version = chromium
                    .version()
                    .await
                    .unwrap_or_else(|error| error.to_string());
                let sandbox = if settings.sandbox {
                    "in its sandbox"
                } else {
                    "without its sandbox"
                };
                Finding::good(
                    "browser",
                    format!("{version}, {sandbox}: started and answered in {took_ms} ms"),
                )
            }
            Err(error) => Finding::bad("browser", error.to_string(), hint(settings)),
        };
        browser.end().await?;
        Ok(finding)
    })
}

fn hint(settings: &BrowserSettings) -> String {
    if settings.sandbox && rustix::process::geteuid().is_root() {
        "its sandbox cannot work for root: look as the user that runs Telegraf (`sudo -u telegraf vigia-probe doctor ...`), or set `sandbox = false` in [browser]".into()
    } else if settings.sandbox {
        "on Debian `apt-get install chromium-headless-shell`; where its last words speak of namespaces, `sysctl kernel.unprivileged_userns_clone` and `sysctl kernel.apparmor_restrict_unprivileged_userns` say whether they are allowed".into()
    } else {
        "on Debian `apt-get install chromium-headless-shell`, or name the program in [browser]"
            .into()
    }
}
