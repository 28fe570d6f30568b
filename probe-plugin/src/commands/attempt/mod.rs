//! `vigia-probe try`: a journey, now, for the person who writes it; and many times, to see whether it is flaky or what a
//! machine can carry.

mod json;
mod junit;
mod phases;
mod progress;
mod series;
mod summary;
mod waterfall;

use std::{io::Write, num::NonZeroU32, path::PathBuf, time::Duration};

use anyhow::Context;
use clap::Args;
use vigia_contract::{
    data_model::{Impact, Outcome},
    mistake::{Mistake, Mistakes},
    secret::SecretPlaces,
    variables::Variables,
};

use super::{Exit, paint::Paint};
use crate::{
    browser::BrowserSettings,
    config,
    journey::{self, FixedPlaces, Journey, Kind},
    recording::{self, Head},
    run::Keep,
};
use series::{Ran, Series, Subject};

/// What is to be tried, and how.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub struct Attempt {
    /// The journey's file, or a recording of Chrome's Recorder (.json).
    journey: PathBuf,
    /// The system that a recording is told under; a journey's file says its own.
    #[arg(long, value_name = "NAME", default_value = "recording")]
    system: String,
    /// Takes browser, secrets and variables from this configuration.
    #[arg(long)]
    config: Option<PathBuf>,
    /// A variable to use instead of the journey's own, for example portal=http://127.0.0.1:8080.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = variable)]
    variables: Vec<(String, String)>,
    /// Starts the browser without its sandbox, which cannot work for root.
    #[arg(long)]
    no_sandbox: bool,
    /// Writes the page as it stands at the end, a JPEG.
    #[arg(long, value_name = "FILE", conflicts_with = "runs")]
    screenshot: Option<PathBuf>,
    /// Runs it so many times, each time as a new user in the same browser, and tells what they have in common.
    #[arg(long, value_name = "COUNT", default_value = "1")]
    runs: NonZeroU32,
    /// So many of the runs at once.
    #[arg(long, value_name = "COUNT", default_value = "1")]
    concurrency: NonZeroU32,
    /// Shows the browser's window, where there is a display. It needs a Chromium that has windows, and not the headless shell.
    #[arg(long)]
    headed: bool,
    /// Pauses so long behind every action; the times that are told are without it.
    #[arg(long, value_name = "DURATION", value_parser = vigia_contract::duration::parse)]
    slow_mo: Option<Duration>,
    /// Waits for the Enter key before every step; the times that are told are without it.
    #[arg(long, conflicts_with_all = ["runs", "json"])]
    step: bool,
    #[arg(
        long,
        value_name = "FILE",
        help = "Writes the runs as JUnit XML: a suite a run, a case a step"
    )]
    junit: Option<PathBuf>,
    /// Prints one JSON object for programs instead of text: every run, journeys a minute, own processor time and memory.
    #[arg(long)]
    json: bool,
    /// Tells also where the wall time of a run goes, and what one call to the browser takes.
    #[arg(long)]
    phases: bool,
}

pub fn attempt(attempt: &Attempt) -> anyhow::Result<Exit> {
    let subject = match prepare(attempt) {
        Ok((journey, secrets, browser)) => Subject {
            journey,
            secrets,
            browser,
        },
        Err(mistakes) if attempt.json => {
            // A program reads stdout, a person reads this.
            writeln!(std::io::stderr(), "{mistakes}")?;
            return Ok(Exit::Failed);
        }
        Err(mistakes) => {
            writeln!(std::io::stdout(), "{mistakes}")?;
            return Ok(Exit::Failed);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("failed to start the runtime")?;
    let (journey, series) = runtime.block_on(series::run(
        subject,
        series::Size {
            runs: attempt.runs.get(),
            concurrency: attempt.concurrency.get(),
            keeps: if attempt.screenshot.is_some() {
                Keep::Evidence
            } else {
                Keep::Nothing
            },
            calls: attempt.phases,
            slow_motion: attempt.slow_mo.unwrap_or_default(),
            by_step: attempt.step,
        },
    ))?;
    if let (Some(path), [Ran { report, .. }]) = (&attempt.screenshot, series.runs.as_slice())
        && let Some(picture) = &report.screenshot
    {
        std::fs::write(path, &picture.jpeg)
            .with_context(|| format!("failed to write `{}`", path.display()))?;
    }
    if let Some(path) = &attempt.junit {
        junit::write(path, &journey, &series)?;
    }
    tell(attempt, &journey, &series)?;
    Ok(exit(&series))
}

fn tell(attempt: &Attempt, journey: &Journey, series: &Series) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    if attempt.json {
        return json::write(&mut stdout, journey, series, attempt.phases);
    }
    let paint = Paint::for_stdout();
    match series.runs.as_slice() {
        [only] => waterfall::write(&mut stdout, paint, journey, &only.report)?,
        _ => summary::write(&mut stdout, paint, journey, series)?,
    }
    if attempt.phases {
        phases::write(&mut stdout, journey, series)?;
    }
    Ok(())
}

/// A failed run outweighs one that could not be measured: it says something about the system.
fn exit(series: &Series) -> Exit {
    let any = |wanted: &[Outcome]| {
        series
            .runs
            .iter()
            .any(|ran| wanted.contains(&ran.report.outcome))
    };
    if any(&[Outcome::Failed]) {
        Exit::Failed
    } else if any(&[Outcome::Unmeasured, Outcome::Missed]) {
        Exit::Unmeasured
    } else {
        Exit::Done
    }
}

fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|set| !set.is_empty()))
}

fn variable(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| "write NAME=VALUE".to_owned())
}

fn prepare(attempt: &Attempt) -> Result<(Journey, SecretPlaces, BrowserSettings), Mistakes> {
    let (secrets, mut browser, mut variables) = match &attempt.config {
        Some(path) => {
            let settings = config::read_settings(path)?;
            (settings.secrets, settings.browser, settings.variables)
        }
        None => (
            SecretPlaces::of_this_process(None),
            BrowserSettings::default(),
            Variables::new(),
        ),
    };
    variables.extend(attempt.variables.iter().cloned());
    browser.sandbox &= !attempt.no_sandbox;
    browser.headed = attempt.headed;
    if attempt.headed && !has_display() {
        return Err(Mistakes(vec![Mistake {
            path: attempt.journey.clone(),
            place: None,
            what: "there is no display to show the browser's window on".into(),
            hint: "run it in a desktop's terminal, by `ssh -X`, or under `xvfb-run`".into(),
        }]));
    }
    let journey = if recording::is_recording(&attempt.journey) {
        let head = Head {
            system: attempt.system.clone(),
            name: None,
            impact: Impact::Low,
            every: Duration::from_hours(1),
            timeout: None,
        };
        recording::read(&attempt.journey, &head, &variables).map_err(Mistakes)?
    } else {
        journey::read(&attempt.journey, &variables).map_err(Mistakes)?
    };
    let unknown: Vec<Mistake> = attempt
        .variables
        .iter()
        .map(|(name, _)| name)
        .filter(|name| !journey.variables.contains(*name))
        .map(|name| Mistake {
            path: attempt.journey.clone(),
            place: None,
            what: format!("the journey has no variable `{name}`"),
            hint: "write the name as it stands under [variables] in its file, or as ${name} in a recording".into(),
        })
        .collect();
    if !unknown.is_empty() {
        return Err(Mistakes(unknown));
    }
    if attempt.concurrency.get() > 1
        && let Kind::External(external) = &journey.kind
        && external.places != FixedPlaces::default()
    {
        return Err(Mistakes(vec![Mistake {
            path: attempt.journey.clone(),
            place: None,
            what: "its robot always writes to the same place, and cannot run twice at once".into(),
            hint: "let it write to {report} and {artifacts}, or leave out --concurrency".into(),
        }]));
    }
    let mut missing = config::missing_environment(&attempt.journey, &journey, &secrets);
    missing.extend(config::silent_commands(
        &attempt.journey,
        &journey,
        &secrets,
    ));
    if missing.is_empty() {
        Ok((journey, secrets, browser))
    } else {
        Err(Mistakes(missing))
    }
}
