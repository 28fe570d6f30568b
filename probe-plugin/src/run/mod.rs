//! One run: a fresh page, the steps of the journey in their order, and what that came to.

mod action;
mod clean_up;
mod clock;
mod document;
mod emulation;
mod evidence;
mod external;
mod input;
mod net_error;
mod outcome;
mod pace;
mod phases;
mod redaction;
mod waiting;

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
    secret::{ExposeSecret, SecretPlaces, Template},
    variables::Variables,
};

use crate::{
    browser::{
        AddedHeaders, Certified, Chromium, Context, Credentials, Interception, ProxyCredentials,
        ProxyServer, WarmBrowser,
    },
    journey::{Dialog, Journey, Kind, Looks, Step, Timed, Walk},
    log::{Level, log},
};
use action::{Pictures, Robot};
use clock::Clock;
use document::Documents;
use evidence::SCREENSHOT_DEADLINE;
use phases::Stopwatch;
use redaction::Redaction;
use waiting::Waiting;

pub use clean_up::CleanUp;
pub use document::DocumentReport;
pub use evidence::Picture;
pub use external::sweep as sweep_external;
pub use outcome::{Blame, Failure, RunFile, RunReport, StepReport};
pub use pace::Pace;
pub use phases::Phase;

/// What is kept of a page at the end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// It is not looked at.
    Nothing,
    /// Its picture.
    Picture,
    /// Its picture, and all that can tell why a run went wrong.
    Evidence,
}

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
    /// Whether somebody keeps the pictures that the journey asks for.
    pub keeps_pictures: bool,
    /// How it goes on.
    pub pace: &'a Pace,
}

/// The secrets of a journey. Files and programs are asked on a thread of their own: others are measured meanwhile.
pub async fn fetch_secrets(places: &SecretPlaces, journey: &Journey) -> SecretPlaces {
    let names: Vec<String> = journey.secrets().into_iter().map(str::to_owned).collect();
    if names.is_empty() {
        return places.clone();
    }
    let asked = places.clone();
    let fetched =
        tokio::task::spawn_blocking(move || asked.fetched(names.iter().map(String::as_str)));
    fetched.await.unwrap_or_else(|_| places.clone())
}

/// Makes the run, in as many attempts as its journey says. `keeps` is asked with the outcome, when the page still stands as
/// the run left it.
///
/// What the journey tidies up is still to be done then: it changes nothing about the run, and nobody who waits for the news
/// of a failure waits for it.
pub async fn run(
    order: Order<'_>,
    keeps: impl Fn(Outcome) -> Keep,
) -> (RunReport, Option<CleanUp<'_>>) {
    let retry = &order.journey.retry;
    let mut attempt = 1;
    loop {
        let goes_on = |failure: Option<&Failure>| {
            failure.is_some_and(|failure| retry.goes_on(attempt, failure.class))
        };
        let keeps = |outcome, failure: Option<&Failure>| {
            if goes_on(failure) {
                Keep::Nothing
            } else {
                keeps(outcome)
            }
        };
        let (mut report, clean_up) = match &order.journey.kind {
            Kind::Browser(walk) => in_browser(order, walk, keeps).await,
            Kind::External(external) => {
                let report = external::run(order, external, keeps).await;
                (report, None)
            }
        };
        report.attempts = attempt;
        if !goes_on(report.failure.as_ref()) {
            return (report, clean_up);
        }
        tell_attempt(order.journey, &report);
        if let Some(clean_up) = clean_up {
            clean_up.make().await;
        }
        attempt += 1;
    }
}

/// The point is about the last attempt alone.
fn tell_attempt(journey: &Journey, report: &RunReport) {
    let error = report.failure.as_ref().map(|failure| &*failure.error);
    log(
        Level::Info,
        &format!(
            "{}: attempt {} of {} did not succeed, there is another one: {}",
            journey.full_name(),
            report.attempts,
            journey.retry.attempts(),
            error.unwrap_or_default(),
        ),
    );
}

async fn in_browser<'a>(
    order: Order<'a>,
    walk: &'a Walk,
    keeps: impl FnOnce(Outcome, Option<&Failure>) -> Keep,
) -> (RunReport, Option<CleanUp<'a>>) {
    let run_id = run_id(order.started);
    let mut stopwatch = Stopwatch::start();
    let interception = match interception(order.secrets, walk) {
        Ok(interception) => interception,
        Err(failure) => {
            return (
                RunReport::without_a_look(run_id, order.started, failure),
                None,
            );
        }
    };
    let (chromium, mut context) = match page(&order, walk, &mut stopwatch).await {
        Ok(opened) => opened,
        Err(failure) => {
            return (
                RunReport::without_a_look(run_id, order.started, failure),
                None,
            );
        }
    };
    let mut redaction = Redaction::of(order.journey, order.secrets);
    redaction.add(&interception.encoded_credentials());
    context.emulate(emulation::emulation(&walk.emulation, &chromium));
    context.intercept(interception);
    if !walk.downloads() {
        context.refuse_downloads();
    } else if let Err(error) = context.accept_downloads() {
        let told = format!("failed to make a folder for downloads: {error}");
        let failure = Failure::of_probe(ErrorClass::Browser, told);
        return (
            RunReport::without_a_look(run_id, order.started, failure),
            None,
        );
    }
    let opening = context.opening();
    stopwatch.parts([("context", opening.context), ("tab", opening.tab)]);
    let walked = take_steps(order, walk, run_id, context, redaction, stopwatch, keeps);
    let (report, clean_up) = walked.await;
    if !is_about_the_browser(&report) {
        return (report, clean_up);
    }
    order.browser.give_up(&chromium).await;
    if let Some(clean_up) = clean_up {
        clean_up.give_up();
    }
    (report, None)
}

/// A blank page, with its browser. One that ended just as the run came to it has shown nothing of the system: another takes over,
/// once.
async fn page(
    order: &Order<'_>,
    walk: &Walk,
    stopwatch: &mut Stopwatch,
) -> Result<(Arc<Chromium>, Context), Failure> {
    let mut is_first = true;
    loop {
        let launched = order.browser.for_a_run().await;
        let chromium =
            launched.map_err(|error| Failure::of_probe(ErrorClass::Browser, error.to_string()))?;
        stopwatch.lap(None, "browser");
        let proxy = walk.proxy.as_ref().map(|proxy| ProxyServer {
            server: proxy.server.clone(),
            bypass: proxy.bypass.join(";"),
        });
        match order.browser.context(&chromium, proxy).await {
            Ok(context) => return Ok((chromium, context)),
            Err(error) => {
                let has_ended = !chromium.connection().is_open();
                order.browser.give_up(&chromium).await;
                if !(has_ended && is_first) {
                    return Err(Failure::of_probe(
                        ErrorClass::Browser,
                        format!("failed to open a page: {error}"),
                    ));
                }
                is_first = false;
            }
        }
    }
}

/// What the journey adds to its requests, with every secret in its place.
fn interception(secrets: &SecretPlaces, walk: &Walk) -> Result<Interception, Failure> {
    let resolve = |template: &Template| {
        template
            .resolve(secrets, &Variables::new())
            .map_err(|error| Failure::of_probe(ErrorClass::Config, error.to_string()))
    };
    let mut interception = Interception::default();
    for login in &walk.basic_auth {
        interception.credentials.push(Credentials {
            addresses: login.url.0.clone(),
            user: resolve(&login.user)?,
            password: resolve(&login.password)?,
        });
    }
    for own in &walk.client_certificates {
        let mut pem = resolve(&own.certificate)?.expose_secret().to_owned();
        if let Some(key) = &own.key {
            pem.push('\n');
            pem.push_str(resolve(key)?.expose_secret());
        }
        let addresses = own.url.0.clone();
        let certified = Certified::new(addresses, &pem.into()).map_err(|_| {
            let told = format!(
                "the client certificate for `{}` cannot be used: it has to be PEM with a certificate and its key",
                own.url.0
            );
            Failure::of_probe(ErrorClass::Config, told)
        })?;
        interception.certificates.push(Arc::new(certified));
    }
    if let Some(login) = walk.proxy.as_ref().and_then(|proxy| proxy.login.as_ref()) {
        interception.proxy = Some(ProxyCredentials {
            user: resolve(&login.user)?,
            password: resolve(&login.password)?,
        });
    }
    for headers in &walk.headers {
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

async fn take_steps<'a>(
    order: Order<'a>,
    walk: &'a Walk,
    run_id: String,
    context: Context,
    redaction: Redaction,
    mut stopwatch: Stopwatch,
    keeps: impl FnOnce(Outcome, Option<&Failure>) -> Keep,
) -> (RunReport, Option<CleanUp<'a>>) {
    let journey = order.journey;
    let mut robot = robot(order, walk, context, redaction);
    let mut steps = Vec::new();
    let mut drifts = Vec::new();
    let mut failure = None;
    let mut waiting = Waiting::default();
    for (index, step) in walk.steps.iter().enumerate() {
        robot.step.clone_from(&step.slug);
        robot.deadline += order.pace.step(index, &step.name).await;
        let lap = |name| stopwatch.lap(Some(index), name);
        let done = take(&mut robot, &walk.steps[index..], &mut waiting, lap).await;
        robot.documents.note(&step.slug, robot.context.pages());
        for drift in robot.drifts.drain(..) {
            let drift = format!("{}: {drift}", step.name);
            // An action that is tried again finds its element again.
            if !drifts.contains(&drift) {
                drifts.push(drift);
            }
        }
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
            optional: step.optional,
        });
        if let Err(why) = done {
            if step.optional && robot.can_do_without(&why) {
                waiting.forget_step();
                continue;
            }
            failure = Some(Failure {
                error: robot.redaction.apply(&why.error),
                ..why
            });
            break;
        }
    }
    let took = steps.iter().filter_map(|step| step.duration).sum();
    let outcome = outcome::of_run(&steps, failure.as_ref());
    let outcome = outcome::with_budget(outcome, took, journey.budget);
    robot.context.dialogs.end();
    let state = robot.context.state();
    let url = state.map(|state| robot.redaction.apply(state.url()));
    let http_status = state.and_then(|state| state.http_status);
    let documents = documents(&robot);
    let mut kept = Kept::default();
    let keeps = keeps(outcome, failure.as_ref());
    if keeps != Keep::Nothing {
        kept = keep(&mut robot, walk, keeps).await;
        stopwatch.lap(None, "evidence");
    }
    let files = robot.pictures.taken.drain(..).chain(kept.files).collect();
    let report = RunReport {
        run_id,
        started: order.started,
        queued: order.queued,
        attempts: 1,
        outcome,
        steps,
        failure,
        url: url.filter(|url| !url.is_empty()),
        http_status,
        drifts,
        documents,
        screenshot: kept.screenshot,
        close_up: kept.close_up,
        files,
        phases: Vec::new(),
        not_reached: Vec::new(),
        whole: None,
    };
    let clean_up = if walk.cleanup.is_empty() {
        drop(robot);
        stopwatch.lap(None, "dispose");
        None
    } else {
        Some(CleanUp {
            robot,
            journey,
            walk,
        })
    };
    let report = RunReport {
        phases: stopwatch.stop(),
        ..report
    };
    (report, clean_up)
}

/// As it is before the first step.
fn robot<'a>(order: Order<'a>, walk: &Walk, context: Context, redaction: Redaction) -> Robot<'a> {
    let journey = order.journey;
    let mut robot = Robot {
        context,
        secrets: order.secrets,
        action_timeout: walk.action_timeout,
        deadline: Instant::now() + journey.timeout,
        step: String::new(),
        clock: Clock::start(),
        documents: Documents::default(),
        pictures: Pictures {
            wanted: order.keeps_pictures,
            taken: Vec::new(),
        },
        drifts: Vec::new(),
        held_keys: 0,
        arrivals: None,
        redaction,
        failed_at: None,
        slow_motion: order.pace.slow_motion,
    };
    if walk.looks == Looks::WhereTold {
        robot.context.look_where_told();
    }
    robot
}

/// What is told of each document, without secrets.
fn documents(robot: &Robot<'_>) -> Vec<DocumentReport> {
    let mut documents = robot.documents.reports(&robot.context.pages());
    for document in &mut documents {
        document.url = robot.redaction.apply(&document.url);
    }
    documents
}

/// Does what the first of these steps says and returns what the user waited; a dialog that it opens may be answered by the
/// next one. `lap` is told what it has just done.
async fn take(
    robot: &mut Robot<'_>,
    steps: &[Step],
    waiting: &mut Waiting,
    mut lap: impl FnMut(&'static str),
) -> Result<Duration, Failure> {
    robot.context.forget_responses();
    let actions = steps.first().map_or(&[][..], |step| &step.actions);
    for (index, timed) in actions.iter().enumerate() {
        let all = steps.iter().flat_map(|step| &step.actions);
        let behind = all.skip(index + 1);
        let upcoming: Vec<&Dialog> = behind.map_while(Timed::as_dialog).collect();
        let acted = robot.act(timed, &upcoming).await;
        lap(timed.action.name());
        waiting.add(acted?);
        robot.stand_still().await;
    }
    robot.look().await;
    lap("look");
    Ok(Duration::from_secs_f64(waiting.end_step() / 1000.0))
}

/// What is kept of a page.
#[derive(Default)]
struct Kept {
    screenshot: Option<Picture>,
    close_up: Option<Picture>,
    files: Vec<RunFile>,
}

/// A picture that cannot be taken is none, and is said; it changes nothing about the run.
async fn keep(robot: &mut Robot<'_>, walk: &Walk, keeps: Keep) -> Kept {
    let deadline = Instant::now() + SCREENSHOT_DEADLINE;
    let marks = robot.failed_at.take().filter(|_| keeps == Keep::Evidence);
    let Robot {
        context, redaction, ..
    } = robot;
    let taken = evidence::picture_of_failure(context, redaction, marks.as_ref(), deadline).await;
    let (screenshot, close_up) = match taken {
        Ok((screenshot, close_up)) => (Some(screenshot), close_up),
        Err(error) => {
            log(
                Level::Warning,
                &format!("failed to take a screenshot: {error}"),
            );
            (None, None)
        }
    };
    let mut files = Vec::new();
    if keeps == Keep::Evidence {
        files.extend(close_up.as_ref().map(evidence::element_file));
        files.extend(evidence::files(context, redaction).await);
        if walk.full_page {
            files.extend(evidence::full_page_file(context, redaction).await);
        }
    }
    Kept {
        screenshot,
        close_up,
        files,
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
