//! The steps of a run with their times, as a file beside the run's other artifacts: it says by itself what it is of.

use serde_json::{Value, json};
use vigia_contract::artifact::STEPS_FILE;

use super::ArtifactFile;
use crate::{journey::Journey, run::RunReport};

/// Everything that the run's points say of its steps, and those that were not reached.
pub fn steps_file(journey: &Journey, report: &RunReport) -> ArtifactFile {
    let milliseconds = |duration: std::time::Duration| duration.as_secs_f64() * 1000.0;
    let taken = report.steps.iter().map(|step| {
        json!({
            "name": step.name,
            "result": step.outcome.name(),
            "duration_ms": step.duration.map(milliseconds),
            "budget_ms": step.budget.map(milliseconds),
        })
    });
    let names = report.step_names(journey);
    let not_reached = names
        .iter()
        .skip(report.steps.len())
        .map(|name| json!({ "name": name, "result": "not reached" }));
    let steps: Vec<Value> = taken.chain(not_reached).collect();
    let failure = report.failure.as_ref();
    let told = json!({
        "system": journey.system,
        "journey": journey.name,
        "run_id": report.run_id,
        "started": report.started.to_string(),
        "result": report.outcome.name(),
        "failed_step": report.failed_step(),
        "error_class": failure.map(|failure| failure.class.name()),
        "error": failure.map(|failure| failure.error.as_str()),
        "url": report.url,
        "http_status": report.http_status,
        "drifts": report.drifts,
        "steps": steps,
    });
    ArtifactFile {
        name: STEPS_FILE.to_owned(),
        bytes: format!("{told:#}\n").into_bytes(),
    }
}
