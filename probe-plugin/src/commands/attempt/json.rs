//! Runs for a program: one JSON object on one line. What is not there is `null`.

use std::io::Write;

use serde::Serialize;
use vigia_contract::data_model::Outcome;

use super::series::{Ran, Series, milliseconds};
use crate::journey::Journey;

#[derive(Serialize)]
struct Told<'a> {
    system: &'a str,
    journey: &'a str,
    concurrency: u32,
    ok: usize,
    slow: usize,
    failed: usize,
    unmeasured: usize,
    flaky: bool,
    wall_seconds: f64,
    journeys_per_minute: f64,
    own_cpu_ms_per_journey: f64,
    resident_bytes: Option<i64>,
    peak_resident_bytes: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call_ms: Option<f64>,
    runs: Vec<ToldRun<'a>>,
}

#[derive(Serialize)]
struct ToldRun<'a> {
    outcome: &'static str,
    /// What the user waited, only where the run was completed.
    duration_ms: Option<f64>,
    /// From taking its slot until its context was gone.
    wall_ms: f64,
    error_class: Option<&'static str>,
    error: Option<&'a str>,
    steps: Vec<ToldStep<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phases: Option<Vec<ToldPhase<'a>>>,
}

#[derive(Serialize)]
struct ToldStep<'a> {
    name: &'a str,
    outcome: &'static str,
    duration_ms: Option<f64>,
}

#[derive(Serialize)]
struct ToldPhase<'a> {
    step: Option<&'a str>,
    name: &'static str,
    took_ms: f64,
}

pub fn write(
    stdout: &mut impl Write,
    journey: &Journey,
    series: &Series,
    phases: bool,
) -> std::io::Result<()> {
    let count = |outcome: Outcome| {
        let came_to = |ran: &&Ran| ran.report.outcome == outcome;
        series.runs.iter().filter(came_to).count()
    };
    let told = Told {
        system: &journey.system,
        journey: &journey.name,
        concurrency: series.concurrency,
        ok: count(Outcome::Ok),
        slow: count(Outcome::Slow),
        failed: count(Outcome::Failed),
        unmeasured: count(Outcome::Unmeasured),
        flaky: series.is_flaky(),
        wall_seconds: series.wall.as_secs_f64(),
        journeys_per_minute: series.journeys_per_minute(),
        own_cpu_ms_per_journey: series.own_cpu_ms_per_journey(),
        resident_bytes: series.resident_bytes,
        peak_resident_bytes: series.peak_resident_bytes,
        call_ms: series.call.map(milliseconds),
        runs: series
            .runs
            .iter()
            .map(|ran| ToldRun {
                phases: phases.then(|| told_phases(journey, ran)),
                ..told_run(ran)
            })
            .collect(),
    };
    serde_json::to_writer(&mut *stdout, &told)?;
    writeln!(stdout)
}

fn told_run(ran: &Ran) -> ToldRun<'_> {
    let report = &ran.report;
    ToldRun {
        outcome: report.outcome.name(),
        duration_ms: report.duration().map(milliseconds),
        wall_ms: milliseconds(ran.wall),
        error_class: report.failure.as_ref().map(|failure| failure.class.name()),
        error: report
            .failure
            .as_ref()
            .map(|failure| failure.error.as_str()),
        steps: report
            .steps
            .iter()
            .map(|step| ToldStep {
                name: &step.name,
                outcome: step.outcome.name(),
                duration_ms: step.duration.map(milliseconds),
            })
            .collect(),
        phases: None,
    }
}

fn told_phases<'a>(journey: &'a Journey, ran: &Ran) -> Vec<ToldPhase<'a>> {
    let name = |step: usize| journey.steps().get(step).map(|step| step.name.as_str());
    ran.report
        .phases
        .iter()
        .map(|phase| ToldPhase {
            step: phase.step.and_then(name),
            name: phase.name,
            took_ms: milliseconds(phase.took),
        })
        .collect()
}
