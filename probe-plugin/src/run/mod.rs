//! One run: a fresh page, the steps of the journey in their order, and what that came to.

mod action;
mod document;
mod input;
mod net_error;
mod outcome;
mod phases;
mod redaction;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::Timestamp;
use vigia_contract::{
    data_model::{ErrorClass, Outcome},
    secret::{SecretPlaces, SecretString, Template},
};

use crate::{
    browser::{
        AddedHeaders, Chromium, Context, Credentials, Interception, PageState, Traffic, WarmBrowser,
    },
    journey::{Journey, Step},
    log::{Level, log},
};
use action::Robot;
use document::Documents;
use phases::Stopwatch;
use redaction::Redaction;

pub use document::DocumentReport;
pub use outcome::{Failure, RunReport, StepReport};
pub use phases::Phase;

/// How long a context and a blank page may take: 30 ms on an idle machine.
const OPEN_DEADLINE: Duration = Duration::from_secs(10);

/// A page that hangs may not be able to draw itself.
const SCREENSHOT_DEADLINE: Duration = Duration::from_secs(5);

/// What a run is made of.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// The workflow.
    pub journey: &'a Journey,
    /// Where its secrets are.
    pub secrets: &'a SecretPlaces,
    /// The browser.
    pub browser: &'a WarmBrowser,
    /// When it starts.
    pub started: Timestamp,
    /// How long it waited for its place.
    pub queued: Duration,
}

/// Makes the run. `wants_screenshot` is asked with the outcome, when the page still stands as the run left it.
pub async fn run(order: Order<'_>, wants_screenshot: impl FnOnce(Outcome) -> bool) -> RunReport {
    let run_id = run_id(order.started);
    let mut stopwatch = Stopwatch::start();
    let chromium = match order.browser.for_a_run().await {
        Ok(chromium) => chromium,
        Err(error) => {
            let failure = Failure::of_probe(ErrorClass::Browser, error.to_string());
            return RunReport::without_a_look(run_id, order.started, failure);
        }
    };
    stopwatch.lap(None, "browser");
    let interception = match interception(&order) {
        Ok(interception) => interception,
        Err(failure) => return RunReport::without_a_look(run_id, order.started, failure),
    };
    let opened = Context::open(Arc::clone(&chromium), Instant::now() + OPEN_DEADLINE).await;
    let mut context = match opened {
        Ok(context) => context,
        Err(error) => {
            order.browser.give_up(&chromium).await;
            let failure = Failure::of_probe(
                ErrorClass::Browser,
                format!("failed to open a page: {error}"),
            );
            return RunReport::without_a_look(run_id, order.started, failure);
        }
    };
    let encoded_credentials = interception.encoded_credentials();
    context.intercept(interception);
    if !order.journey.downloads() {
        context.refuse_downloads();
    } else if let Err(error) = context.accept_downloads() {
        let told = format!("failed to make a folder for downloads: {error}");
        let failure = Failure::of_probe(ErrorClass::Browser, told);
        return RunReport::without_a_look(run_id, order.started, failure);
    }
    let opening = context.opening();
    stopwatch.parts([("context", opening.context), ("tab", opening.tab)]);
    let report = walk(
        order,
        run_id,
        context,
        &encoded_credentials,
        stopwatch,
        wants_screenshot,
    )
    .await;
    if is_about_the_browser(&report) {
        order.browser.give_up(&chromium).await;
    }
    report
}

/// What the journey adds to its requests, with every secret in its place.
fn interception(order: &Order<'_>) -> Result<Interception, Failure> {
    let resolve = |template: &Template| {
        template
            .resolve(order.secrets)
            .map_err(|error| Failure::of_probe(ErrorClass::Config, error.to_string()))
    };
    let mut interception = Interception::default();
    for login in &order.journey.basic_auth {
        interception.credentials.push(Credentials {
            addresses: login.url.0.clone(),
            user: resolve(&login.user)?,
            password: resolve(&login.password)?,
        });
    }
    for headers in &order.journey.headers {
        let set = headers.set.iter();
        let set = set.map(|(name, value)| Ok((name.clone(), resolve(value)?)));
        interception.headers.push(AddedHeaders {
            addresses: headers.url.0.clone(),
            set: set.collect::<Result<_, Failure>>()?,
        });
    }
    Ok(interception)
}

/// Milliseconds since 1970, the process and its count of runs: sortable, and never the same again.
pub fn run_id(started: Timestamp) -> String {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let count = RUNS.fetch_add(1, Ordering::Relaxed);
    format!(
        "{:x}-{:x}-{count:x}",
        started.as_millisecond(),
        std::process::id()
    )
}

async fn walk(
    order: Order<'_>,
    run_id: String,
    context: Context,
    encoded_credentials: &[SecretString],
    mut stopwatch: Stopwatch,
    wants_screenshot: impl FnOnce(Outcome) -> bool,
) -> RunReport {
    let journey = order.journey;
    let mut redaction = Redaction::of(journey, order.secrets);
    redaction.add(encoded_credentials);
    let mut robot = Robot {
        context,
        secrets: order.secrets,
        action_timeout: journey.action_timeout,
        deadline: Instant::now() + journey.timeout,
        step: String::new(),
        documents: Documents::default(),
        drifts: Vec::new(),
        own_wait_ms: 0.0,
        typed_codes: Vec::new(),
    };
    let mut steps = Vec::new();
    let mut failure = None;
    for (index, step) in journey.steps.iter().enumerate() {
        robot.step.clone_from(&step.slug);
        let done = take(&mut robot, step, |name| stopwatch.lap(Some(index), name)).await;
        redaction.add(&robot.typed_codes);
        let (duration, outcome) = match &done {
            Ok(duration) => (
                Some(*duration),
                outcome::of_completed_step(*duration, step.budget),
            ),
            Err(failure) => (None, failure.outcome()),
        };
        steps.push(StepReport {
            name: step.name.clone(),
            slug: step.slug.clone(),
            budget: step.budget,
            duration,
            outcome,
        });
        if let Err(why) = done {
            failure = Some(Failure {
                error: redaction.apply(&why.error),
                ..why
            });
            break;
        }
    }
    let outcome = outcome::of_run(&steps, failure.as_ref());
    let screenshot = if wants_screenshot(outcome) {
        let taken = screenshot(&mut robot.context).await;
        stopwatch.lap(None, "screenshot");
        taken
    } else {
        None
    };
    let state = robot.context.state();
    let documents = documents(robot.documents, state, &redaction);
    let report = RunReport {
        run_id,
        started: order.started,
        queued: order.queued,
        outcome,
        steps,
        failure,
        url: state
            .map(|state| redaction.apply(state.url()))
            .filter(|url| !url.is_empty()),
        http_status: state.and_then(|state| state.http_status),
        documents,
        screenshot,
        phases: Vec::new(),
    };
    drop(robot.context);
    stopwatch.lap(None, "dispose");
    RunReport {
        phases: stopwatch.stop(),
        ..report
    }
}

/// What was seen of each document, with what it asked for.
fn documents(
    seen: Documents,
    state: Option<&PageState>,
    redaction: &Redaction,
) -> Vec<DocumentReport> {
    let with_traffic = |document: DocumentReport| {
        let traffic = state?.traffic.of(&document.loader)?.clone();
        let url = redaction.apply(&traffic.url);
        Some(DocumentReport {
            traffic: Traffic { url, ..traffic },
            ..document
        })
    };
    seen.0.into_iter().filter_map(with_traffic).collect()
}

/// Does what the step says and returns what the user waited: by the browser's clock, from the first action's beginning to
/// the last one's end. `done` is told what it has just done.
async fn take(
    robot: &mut Robot<'_>,
    step: &Step,
    mut done: impl FnMut(&'static str),
) -> Result<Duration, Failure> {
    let mut whole: Option<action::Moment> = None;
    robot.own_wait_ms = 0.0;
    for action in &step.actions {
        let acted = robot.act(action).await;
        done(action.name());
        let moment = acted?;
        whole = Some(match whole {
            Some(first) => action::Moment {
                ended_ms: moment.ended_ms,
                ..first
            },
            None => moment,
        });
    }
    robot.look().await;
    done("look");
    let waited_ms = whole.map_or(0.0, |whole| whole.ended_ms - whole.began_ms) - robot.own_wait_ms;
    Ok(Duration::from_secs_f64(waited_ms.max(0.0) / 1000.0))
}

/// A picture that cannot be taken is none, and is said; it changes nothing about the run.
async fn screenshot(context: &mut Context) -> Option<Vec<u8>> {
    match context
        .screenshot(Instant::now() + SCREENSHOT_DEADLINE)
        .await
    {
        Ok(jpeg) => Some(jpeg),
        Err(error) => {
            log(
                Level::Warning,
                &format!("failed to take a screenshot: {error}"),
            );
            None
        }
    }
}

fn is_about_the_browser(report: &RunReport) -> bool {
    report
        .failure
        .as_ref()
        .is_some_and(|failure| failure.class == ErrorClass::Browser)
}

/// Whether the browser itself still answers: tells a page that hangs from a browser that does.
async fn still_answers(chromium: &Chromium) -> bool {
    chromium.answers(Duration::from_secs(2)).await.is_ok()
}
