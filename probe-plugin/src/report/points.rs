//! Turns what a run came to into points. Pure: what is told is decided here, and nowhere else.

use std::time::Duration;

use jiff::Timestamp;
use vigia_contract::data_model::{ERROR_MAX_CHARACTERS, Impact, Outcome, field, measurement, tag};

use super::{
    line::{Point, Value},
    picture::Picture,
};
use crate::{
    journey::Journey,
    run::{DocumentReport, RunReport},
};

/// Which journey a point is about, seen from where.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The tag `probe`.
    pub probe: &'a str,
    /// The journey.
    pub journey: &'a Journey,
}

/// What is told of one scheduled run.
#[derive(Clone, Debug)]
pub enum Report<'a> {
    /// It was made.
    Ran {
        /// What it came to.
        run: &'a RunReport,
        /// The picture that rides along, where there is one.
        picture: Option<Picture>,
        /// The key of its artifacts, where they were kept.
        artifact: Option<String>,
    },
    /// There is nothing to tell of it but that it says nothing about the system.
    NotMade {
        /// Missed, or unmeasured.
        outcome: Outcome,
        /// When it should have started, or did.
        at: Timestamp,
        /// Why.
        why: &'a str,
    },
}

/// All the points of one run.
pub fn points(about: About<'_>, report: &Report<'_>) -> Vec<Point> {
    match report {
        Report::NotMade { outcome, at, why } => vec![not_made(about, *outcome, *at, why)],
        Report::Ran {
            run,
            picture,
            artifact,
        } => {
            let mut points = vec![journey_point(about, run, artifact.as_deref())];
            points.extend(
                (0..)
                    .zip(&run.steps)
                    .map(|(index, _)| step_point(about, run, index)),
            );
            points.extend(
                (0..)
                    .zip(&run.documents)
                    .map(|(index, document)| page_point(about, run, index, document)),
            );
            points.extend(
                picture
                    .as_ref()
                    .map(|picture| picture_point(about, run, picture)),
            );
            points
        }
    }
}

fn not_made(about: About<'_>, outcome: Outcome, at: Timestamp, why: &str) -> Point {
    let mut fields = outcome_fields(outcome);
    fields.push(every(about));
    fields.push((field::ATTEMPTS, Value::Integer(0)));
    fields.push((field::STEPS_TOTAL, count(about.journey.steps().len())));
    fields.push((field::ERROR, text(why)));
    Point {
        measurement: measurement::JOURNEY,
        tags: tags(about),
        fields,
        timestamp_ns: nanoseconds(at),
    }
}

fn journey_point(about: About<'_>, run: &RunReport, artifact: Option<&str>) -> Point {
    let mut fields = outcome_fields(run.outcome);
    fields.push(every(about));
    let steps_ok = run.steps.iter().filter(|step| step.outcome.is_ok()).count();
    fields.push((field::ATTEMPTS, Value::Integer(run.attempts.into())));
    fields.push((field::STEPS_OK, count(steps_ok)));
    // An external journey's are those of its report.
    let told = run.steps.len() + run.not_reached.len();
    let total = told.max(about.journey.steps().len());
    fields.push((field::STEPS_TOTAL, count(total)));
    fields.push((field::RUN_ID, text(&run.run_id)));
    fields.push((field::QUEUED_MS, milliseconds(run.queued)));
    fields.extend(
        run.duration()
            .map(|duration| (field::DURATION_MS, milliseconds(duration))),
    );
    let budget = about.journey.budget;
    fields.extend(budget.map(|budget| (field::BUDGET_MS, milliseconds(budget))));
    fields.extend(
        run.failed_step()
            .map(|step| (field::FAILED_STEP, text(step))),
    );
    if let Some(failure) = &run.failure {
        fields.push((field::ERROR_CLASS, text(failure.class.name())));
        fields.push((field::ERROR, text(&failure.error)));
    }
    fields.extend(run.url.as_ref().map(|url| (field::URL, text(url))));
    fields.extend(
        run.http_status
            .map(|status| (field::HTTP_STATUS, Value::Integer(status))),
    );
    if !run.drifts.is_empty() {
        fields.push((field::DRIFT, text(&run.drifts.join("; "))));
    }
    fields.extend(artifact.map(|key| (field::ARTIFACT, text(key))));
    Point {
        measurement: measurement::JOURNEY,
        tags: tags(about),
        fields,
        timestamp_ns: nanoseconds(run.started),
    }
}

fn step_point(about: About<'_>, run: &RunReport, index: usize) -> Point {
    let step = &run.steps[index];
    let mut tags = tags(about);
    tags.push((tag::STEP, step.slug.clone()));
    let mut fields = vec![
        (field::INDEX, count(index)),
        (field::OK, Value::Integer(step.outcome.is_ok().into())),
        (field::RESULT_CODE, Value::Integer(step.outcome.code())),
        (field::RUN_ID, text(&run.run_id)),
    ];
    fields.extend(
        step.duration
            .map(|duration| (field::DURATION_MS, milliseconds(duration))),
    );
    fields.extend(
        step.budget
            .map(|budget| (field::BUDGET_MS, milliseconds(budget))),
    );
    Point {
        measurement: measurement::JOURNEY_STEP,
        tags,
        fields,
        timestamp_ns: nanoseconds(run.started),
    }
}

/// Several documents of one step differ in nothing but their order: it is in the timestamp, as nanoseconds behind the start
/// of the run.
fn page_point(about: About<'_>, run: &RunReport, index: i64, document: &DocumentReport) -> Point {
    let mut tags = tags(about);
    tags.push((tag::STEP, document.step.clone()));
    let timings = &document.timings;
    let mut fields = vec![
        (field::URL, text(&document.url)),
        (field::RUN_ID, text(&run.run_id)),
    ];
    if let Some(traffic) = &document.traffic {
        let counts = [
            (field::REQUESTS, Some(traffic.requests)),
            (field::FAILED_REQUESTS, Some(traffic.failed_requests)),
            (field::TRANSFERRED_BYTES, Some(traffic.transferred_bytes)),
            (field::CONSOLE_ERRORS, Some(traffic.console_errors)),
            (field::HTTP_STATUS, traffic.http_status),
        ];
        fields.extend(
            counts
                .into_iter()
                .filter_map(|(name, value)| Some((name, Value::Integer(value?)))),
        );
    }
    let measured = [
        (field::TTFB_MS, timings.ttfb_ms),
        (field::FCP_MS, timings.fcp_ms),
        (field::LCP_MS, timings.lcp_ms),
        (field::CLS, timings.cls),
        (field::INP_MS, timings.inp_ms),
        (field::DOM_CONTENT_LOADED_MS, timings.dom_content_loaded_ms),
        (field::LOAD_MS, timings.load_ms),
        (field::DNS_MS, timings.dns_ms),
        (field::CONNECT_MS, timings.connect_ms),
        (field::TLS_MS, timings.tls_ms),
    ];
    fields.extend(
        measured
            .into_iter()
            .filter_map(|(name, value)| Some((name, Value::Float(value?)))),
    );
    Point {
        measurement: measurement::JOURNEY_PAGE,
        tags,
        fields,
        timestamp_ns: nanoseconds(run.started) + index,
    }
}

fn picture_point(about: About<'_>, run: &RunReport, picture: &Picture) -> Point {
    let mut fields = vec![
        (field::IMAGE, Value::Text(picture.data_uri.clone())),
        (field::RUN_ID, text(&run.run_id)),
        (field::WIDTH, Value::Integer(picture.width.into())),
        (field::HEIGHT, Value::Integer(picture.height.into())),
    ];
    fields.extend(
        run.failed_step()
            .map(|step| (field::FAILED_STEP, text(step))),
    );
    Point {
        measurement: measurement::JOURNEY_SCREENSHOT,
        tags: tags(about),
        fields,
        timestamp_ns: nanoseconds(run.started),
    }
}

fn tags(about: About<'_>) -> Vec<(&'static str, String)> {
    let impact: Impact = about.journey.impact;
    vec![
        (tag::SYSTEM, about.journey.system.clone()),
        (tag::JOURNEY, about.journey.name.clone()),
        (tag::PROBE, about.probe.to_owned()),
        (tag::IMPACT, impact.name().to_owned()),
    ]
}

/// Whoever reads the point is to notice when the next one stays away.
fn every(about: About<'_>) -> (&'static str, Value) {
    (
        field::EVERY_S,
        Value::Float(about.journey.every.as_secs_f64()),
    )
}

fn outcome_fields(outcome: Outcome) -> Vec<(&'static str, Value)> {
    vec![
        (field::OK, Value::Integer(outcome.is_ok().into())),
        (field::VALID, Value::Integer(outcome.is_valid().into())),
        (field::RESULT, text(outcome.name())),
        (field::RESULT_CODE, Value::Integer(outcome.code())),
    ]
}

fn text(text: &str) -> Value {
    Value::Text(text.chars().take(ERROR_MAX_CHARACTERS).collect())
}

pub fn count(count: usize) -> Value {
    Value::Integer(i64::try_from(count).unwrap_or(i64::MAX))
}

fn milliseconds(duration: Duration) -> Value {
    Value::Float(duration.as_secs_f64() * 1000.0)
}

pub fn nanoseconds(at: Timestamp) -> i64 {
    // Line protocol ends in the year 2262, as does this.
    i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX)
}
