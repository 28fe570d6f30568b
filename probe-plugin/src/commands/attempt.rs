//! `vigia-probe try`: one journey, now, for the person who writes it.

use std::{io::Write, path::PathBuf, time::Duration};

use anyhow::Context;
use jiff::Timestamp;
use vigia_contract::{
    data_model::Outcome,
    mistake::{Mistake, Mistakes},
    secret::SecretPlaces,
    variables::Variables,
};

use super::Exit;
use crate::{
    browser::{BrowserSettings, WarmBrowser},
    config,
    journey::{self, Journey},
    run::{self, Order, RunReport},
};

/// What is to be tried, and how.
#[derive(Debug)]
pub struct Attempt {
    /// The journey's file.
    pub journey: PathBuf,
    /// Whose browser, secrets and variables are used.
    pub config: Option<PathBuf>,
    /// They win over those of the configuration.
    pub variables: Variables,
    /// The browser runs without its sandbox.
    pub no_sandbox: bool,
    /// Where the page is kept as it stands at the end.
    pub screenshot: Option<PathBuf>,
}

/// How long the longest bar of the waterfall is.
const BAR_CHARACTERS: f64 = 40.0;

pub fn attempt(attempt: &Attempt) -> anyhow::Result<Exit> {
    let (journey, secrets, browser) = match prepare(attempt) {
        Ok(prepared) => prepared,
        Err(mistakes) => {
            writeln!(std::io::stdout(), "{mistakes}")?;
            return Ok(Exit::Failed);
        }
    };
    let browser = WarmBrowser::new(browser);
    let runtime = tokio::runtime::Runtime::new().context("failed to start the runtime")?;
    let report = runtime.block_on(async {
        let order = Order {
            journey: &journey,
            secrets: &secrets,
            browser: &browser,
            started: Timestamp::now(),
            queued: Duration::ZERO,
            keeps_pictures: false,
        };
        let (report, clean_up) = run::run(order, |_| attempt.screenshot.is_some()).await;
        if let Some(clean_up) = clean_up {
            clean_up.make().await;
        }
        browser.end().await.map(|()| report)
    })?;
    if let (Some(path), Some(jpeg)) = (&attempt.screenshot, &report.screenshot) {
        std::fs::write(path, jpeg)
            .with_context(|| format!("failed to write `{}`", path.display()))?;
    }
    tell(&journey, &report)?;
    Ok(match report.outcome {
        Outcome::Ok | Outcome::Slow => Exit::Done,
        Outcome::Failed => Exit::Failed,
        Outcome::Unmeasured | Outcome::Missed => Exit::Unmeasured,
    })
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
    variables.extend(attempt.variables.clone());
    browser.sandbox &= !attempt.no_sandbox;
    let journey = journey::read(&attempt.journey, &variables).map_err(Mistakes)?;
    let unknown: Vec<Mistake> = attempt
        .variables
        .keys()
        .filter(|name| !journey.variables.contains(*name))
        .map(|name| Mistake {
            path: attempt.journey.clone(),
            place: None,
            what: format!("the journey has no variable `{name}`"),
            hint: "write the name as it stands under [variables] in its file".into(),
        })
        .collect();
    if !unknown.is_empty() {
        return Err(Mistakes(unknown));
    }
    let missing = config::missing_secrets(&attempt.journey, &journey, &secrets);
    if missing.is_empty() {
        Ok((journey, secrets, browser))
    } else {
        Err(Mistakes(missing))
    }
}

fn tell(journey: &Journey, report: &RunReport) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    let whole_ms: f64 = report
        .steps
        .iter()
        .filter_map(|step| step.duration)
        .map(milliseconds)
        .sum();
    let widest = journey
        .steps
        .iter()
        .map(|step| step.name.chars().count())
        .max()
        .unwrap_or(0);
    writeln!(stdout, "{}/{}", journey.system, journey.name)?;
    let mut begun_ms = 0.0;
    for (index, step) in journey.steps.iter().enumerate() {
        let name = format!(
            "{}{}",
            step.name,
            " ".repeat(widest - step.name.chars().count())
        );
        match report.steps.get(index) {
            Some(done) => {
                let time = done.duration.map_or_else(
                    || "-".into(),
                    |took| format!("{:.0} ms", milliseconds(took)),
                );
                let bar = bar(begun_ms, done.duration.map_or(0.0, milliseconds), whole_ms);
                writeln!(
                    stdout,
                    "  {name}  {:<10}  {time:>9}  {bar}",
                    done.outcome.name()
                )?;
                begun_ms += done.duration.map_or(0.0, milliseconds);
            }
            None => writeln!(stdout, "  {name}  not reached")?,
        }
    }
    writeln!(stdout, "{}", report.outcome.name())?;
    if let Some(failure) = &report.failure {
        writeln!(stdout, "  {}: {}", failure.class.name(), failure.error)?;
    }
    if let Some(url) = &report.url {
        writeln!(stdout, "  at {url}")?;
    }
    Ok(())
}

/// A step's place in the whole.
fn bar(begun_ms: f64, took_ms: f64, whole_ms: f64) -> String {
    if whole_ms <= 0.0 {
        return String::new();
    }
    let characters = |ms: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and BAR_CHARACTERS"
        )]
        let count = (ms / whole_ms * BAR_CHARACTERS).round() as usize;
        count
    };
    format!(
        "{}{}",
        " ".repeat(characters(begun_ms)),
        "█".repeat(characters(took_ms).max(1))
    )
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
