//! One run for a person: every step with its time, one below the other as they followed.

use std::io::Write;

use super::{super::paint::Paint, series::milliseconds};
use crate::{journey::Journey, run::RunReport};

/// How long the longest bar of the waterfall is.
const BAR_CHARACTERS: f64 = 40.0;

/// A bar's last character, by the eighths of it that are filled.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

pub fn write(
    stdout: &mut impl Write,
    paint: Paint,
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
    let dim = paint.dim();
    writeln!(stdout, "{}/{}", journey.system, journey.name)?;
    let mut begun_ms = 0.0;
    for (index, name) in names.into_iter().enumerate() {
        let name = format!("{name}{}", " ".repeat(widest - name.chars().count()));
        let Some(done) = report.steps.get(index) else {
            writeln!(stdout, "  {dim}{name}  not reached{dim:#}")?;
            continue;
        };
        let style = paint.outcome(done.outcome);
        let time = done.duration.map_or_else(
            || "-".into(),
            |took| format!("{:.0} ms", milliseconds(took)),
        );
        let took_ms = done.duration.map_or(0.0, milliseconds);
        let bar = bar(begun_ms, took_ms, whole_ms);
        let budget = match (done.duration, done.budget) {
            (Some(took), Some(budget)) if took > budget => {
                format!("  budget {:.0} ms", milliseconds(budget))
            }
            _ => String::new(),
        };
        writeln!(
            stdout,
            "  {name}  {style}{:<10}{style:#}  {time:>9}  {style}{bar}{style:#}{budget}",
            done.outcome.name()
        )?;
        begun_ms += took_ms;
    }
    let style = paint.outcome(report.outcome);
    let whole = report.duration().map_or(String::new(), |took| {
        format!(" in {:.0} ms", milliseconds(took))
    });
    writeln!(stdout, "{style}{}{style:#}{whole}", report.outcome.name())?;
    if let Some(failure) = &report.failure {
        writeln!(stdout, "  {}: {}", failure.class.name(), failure.error)?;
    }
    let yellow = paint.yellow();
    for drift in &report.drifts {
        writeln!(stdout, "  {yellow}drift{yellow:#}: {drift}")?;
    }
    if let Some(url) = &report.url {
        writeln!(stdout, "  {dim}at {url}{dim:#}")?;
    }
    Ok(())
}

/// A step's place in the whole, to an eighth of a character.
fn bar(begun_ms: f64, took_ms: f64, whole_ms: f64) -> String {
    if whole_ms <= 0.0 {
        return String::new();
    }
    let eighths = |ms: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and 8 * BAR_CHARACTERS"
        )]
        let count = (ms / whole_ms * BAR_CHARACTERS * 8.0).round() as usize;
        count
    };
    let long = eighths(took_ms).max(1);
    format!(
        "{}{}{}",
        " ".repeat(eighths(begun_ms) / 8),
        "█".repeat(long / 8),
        EIGHTHS[long % 8]
    )
}
