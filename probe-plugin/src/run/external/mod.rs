//! One run of a journey that another program takes: started in a place of its own, ended whole, and judged by its report,
//! its exit code and its last words.

mod evidence;
mod family;
mod junit;
mod last_words;
mod process;
mod remains;
mod trouble;
mod verdict;
mod workplace;

use std::{fs::File, io::Read, path::Path, process::Command};

use tokio::time::Instant;
use vigia_contract::{
    data_model::{ErrorClass, Outcome},
    secret::ExposeSecret,
    variables::Variables,
};

use super::{
    Failure, Keep, Order, Picture, RunFile, RunReport, StepReport, outcome, redaction::Redaction,
    run_id,
};
use crate::{
    browser::what_is_wrong,
    journey::{ARTIFACTS_PLACE, External, Journey, REPORT_PLACE},
    log::{Level, log},
};
use junit::{Case, Trouble};
use last_words::{LastWords, plain};
use process::Process;
use remains::Kept;
use verdict::{Account, Reported, Verdict, verdict};
use workplace::{ARTIFACTS_VARIABLE, Left, Workplace};

pub use workplace::sweep;

/// All reports of a run together; those of a hundred tests that failed with long traces take some hundred kilobytes.
const REPORTS_MAX_BYTES: u64 = 16_000_000;

/// So many files are told of that were not kept.
const GIVEN_UP_TOLD: usize = 3;

/// What there is to look at when the program is gone.
struct Scene {
    workplace: Workplace,
    words: LastWords,
    redaction: Redaction,
    keeps_compressed: bool,
}

/// Makes the run.
pub async fn run(
    order: Order<'_>,
    external: &External,
    keeps: impl FnOnce(Outcome, Option<&Failure>) -> Keep,
) -> RunReport {
    let run_id = run_id(order.started);
    let without_a_look =
        |failure| RunReport::without_a_look(run_id.clone(), order.started, failure);
    let redaction = Redaction::of(order.journey, order.secrets);
    let places = external.places.clone();
    let opened = blocking(move || Workplace::open(places)).await;
    let started = opened
        .map_err(|error| format!("failed to make a folder for the robot: {error}"))
        .and_then(|workplace| {
            let process = start(&order, external, &workplace, &run_id)?;
            Ok((workplace, process))
        });
    let (workplace, process) = match started {
        Ok(started) => started,
        Err(error) => {
            let error = redaction.apply(&error);
            return without_a_look(Failure::of_probe(ErrorClass::Config, error));
        }
    };
    let timeout = order.journey.timeout;
    let began = Instant::now();
    let (end, tail) = match process.end(began + timeout).await {
        Ok(ended) => ended,
        Err(error) => {
            let error = format!("failed to watch the robot: {error}");
            return without_a_look(Failure::of_probe(ErrorClass::Browser, error));
        }
    };
    let whole = began.elapsed();
    let scene = Scene {
        workplace,
        words: tail.into_words(&redaction),
        redaction,
        keeps_compressed: external.keeps_compressed(),
    };
    let (scene, reported) = blocking(move || {
        let reported = scene.reported();
        (scene, reported)
    })
    .await;
    let Verdict {
        steps,
        not_reached,
        failure,
    } = verdict(&Account {
        end,
        reported,
        owes_report: external.owes_report(),
        last_words: &scene.words,
        timeout,
        budgets: &external.budgets,
    });
    let outcome = outcome::of_run(&steps, failure.as_ref());
    let took = if steps.is_empty() {
        whole
    } else {
        steps.iter().filter_map(|step| step.duration).sum()
    };
    let outcome = outcome::with_budget(outcome, took, order.journey.budget);
    if failure.is_none() {
        tell_idle_budgets(&order, external, &steps);
    }
    let wants_screenshot = keeps(outcome, failure.as_ref()) != Keep::Nothing;
    let wants_files = order.keeps_pictures && failure.is_some();
    let (screenshot, kept) = blocking(move || {
        let left = scene.workplace.left();
        let screenshot = wants_screenshot.then(|| remains::picture(&left)).flatten();
        let kept = wants_files.then(|| scene.kept(&left));
        (screenshot, kept.unwrap_or_default())
    })
    .await;
    tell_given_up(&order, &kept.given_up);
    RunReport {
        run_id,
        started: order.started,
        queued: order.queued,
        attempts: 1,
        outcome,
        steps,
        failure,
        url: None,
        http_status: None,
        drifts: Vec::new(),
        documents: Vec::new(),
        screenshot: screenshot.map(|jpeg| Picture { jpeg, focus: None }),
        close_up: None,
        phases: Vec::new(),
        files: kept.files,
        not_reached,
        whole: Some(whole),
    }
}

/// Reading and pictures take their time, and the threads that others run on are not for that.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Fails with what cannot be had or started: all of that is the probe's own.
fn start(
    order: &Order<'_>,
    external: &External,
    workplace: &Workplace,
    run_id: &str,
) -> Result<Process, String> {
    let in_place = |text: &str| {
        text.replace(REPORT_PLACE, &workplace.report().to_string_lossy())
            .replace(ARTIFACTS_PLACE, &workplace.artifacts().to_string_lossy())
    };
    let mut command = Command::new(&external.program);
    command
        .args(external.arguments.iter().map(|argument| in_place(argument)))
        .current_dir(&external.folder)
        .env_clear()
        .envs(External::PLAIN_ENVIRONMENT)
        // What it makes there is removed with the folder, however it ends.
        .env("HOME", workplace.home())
        .env("TMPDIR", workplace.home())
        .env("VIGIA_RUN_ID", run_id)
        .env("VIGIA_REPORT", workplace.report())
        .env(ARTIFACTS_VARIABLE, workplace.artifacts());
    for name in &external.pass_environment {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    for (name, value) in &external.environment {
        let value = value
            .resolve(order.secrets, &Variables::new())
            .map_err(|error| error.to_string())?;
        command.env(name, in_place(value.expose_secret()));
    }
    Process::start(command, workplace.mark()).map_err(|error| {
        format!(
            "failed to start the robot `{}`: {}",
            external.program.display(),
            what_is_wrong(&external.program, &error)
        )
    })
}

impl Scene {
    fn reported(&self) -> Reported {
        let paths = self.workplace.reports();
        if paths.is_empty() {
            let earlier = self.workplace.has_report_of_another_run();
            return Reported::Nothing { earlier };
        }
        let mut cases = Vec::new();
        let mut bytes_left = REPORTS_MAX_BYTES;
        for path in paths {
            let read = read_report(&path, &mut bytes_left).and_then(|text| junit::parse(&text));
            match read {
                Ok(more) => cases.extend(more.into_iter().map(|case| self.fit_to_be_told(case))),
                Err(why) => return Reported::Unreadable(self.redaction.apply(&why)),
            }
        }
        Reported::Cases(cases)
    }

    fn fit_to_be_told(&self, case: Case) -> Case {
        let fit = |text: &str| self.redaction.apply(&plain(text));
        Case {
            name: fit(&case.name),
            class: fit(&case.class),
            trouble: case.trouble.map(|trouble| Trouble {
                kind: fit(&trouble.kind),
                message: fit(&trouble.message),
                text: fit(&trouble.text),
            }),
            ..case
        }
    }

    /// What it left, and beside it what it said.
    fn kept(&self, left: &[Left]) -> Kept {
        let mut kept = remains::files(left, &self.redaction, self.keeps_compressed);
        if !self.words.0.is_empty() {
            kept.files.push(RunFile {
                name: "output.txt".into(),
                bytes: self.words.0.clone().into_bytes(),
            });
        }
        let mut bytes_left = REPORTS_MAX_BYTES;
        for (path, number) in self.workplace.reports().iter().zip(1..) {
            if let Ok(text) = read_report(path, &mut bytes_left) {
                kept.files.push(RunFile {
                    name: format!("report-{number}.xml"),
                    bytes: self.redaction.apply(&text).into_bytes(),
                });
            }
        }
        kept
    }
}

/// Says why where it cannot be read.
fn read_report(path: &Path, bytes_left: &mut u64) -> Result<String, String> {
    let mut bytes = Vec::new();
    // One more, to see that there is more.
    File::open(path)
        .and_then(|file| file.take(*bytes_left + 1).read_to_end(&mut bytes))
        .map_err(|error| error.to_string())?;
    *bytes_left = bytes_left
        .checked_sub(bytes.len() as u64)
        .ok_or_else(|| format!("it is larger than {REPORTS_MAX_BYTES} bytes"))?;
    // A robot may quote whatever bytes a system gave it.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn tell_idle_budgets(order: &Order<'_>, external: &External, steps: &[StepReport]) {
    for name in external.budgets.keys() {
        if !steps.iter().any(|step| step.name == *name) {
            tell(
                order,
                &format!("has a budget for `{name}`, which its report does not name"),
            );
        }
    }
}

fn tell_given_up(order: &Order<'_>, given_up: &[String]) {
    if !given_up.is_empty() {
        let told = given_up[..given_up.len().min(GIVEN_UP_TOLD)].join("; ");
        let count = given_up.len();
        tell(
            order,
            &format!("left {count} files that are not kept: {told}"),
        );
    }
}

fn tell(order: &Order<'_>, what: &str) {
    let Journey { system, name, .. } = order.journey;
    log(Level::Warning, &format!("{system}/{name} {what}"));
}
