//! One run for a person: every step with its time, one below the other as they followed.

use std::io::Write;

use super::series::milliseconds;
use crate::{journey::Journey, run::RunReport};

/// How long the longest bar of the waterfall is.
const BAR_CHARACTERS: f64 = 40.0;

pub fn write(
    stdout: &mut impl Write,
    journey: &Journey,
    report: &RunReport,
) -> std::io::Result<()> {
    let whole_ms: f64 = report
        .steps
        .iter()
        .filter_map(|step| step.duration)
        .map(milliseconds)
        .sum();
    let names = report.step_names(journey);
    let widest = names
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0);
    writeln!(stdout, "{}/{}", journey.system, journey.name)?;
    let mut begun_ms = 0.0;
    for (index, name) in names.into_iter().enumerate() {
        let name = format!("{name}{}", " ".repeat(widest - name.chars().count()));
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
    for drift in &report.drifts {
        writeln!(stdout, "  drift: {drift}")?;
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
