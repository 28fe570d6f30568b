//! Where the wall time of a run goes, for a person who wants the robot faster: the medians of all runs that came to their
//! end.

use std::io::Write;

use super::series::{Series, milliseconds, percentile};
use crate::{journey::Journey, run::Phase};

pub fn write(stdout: &mut impl Write, journey: &Journey, series: &Series) -> std::io::Result<()> {
    let whole: Vec<&[Phase]> = series
        .runs
        .iter()
        .filter(|ran| ran.report.outcome.is_ok())
        .map(|ran| ran.report.phases.as_slice())
        .collect();
    let Some(first) = whole.first() else {
        return writeln!(
            stdout,
            "  no run came to its end: there are no phases to tell"
        );
    };
    writeln!(stdout, "  where the wall time went, by our own clock:")?;
    for (index, phase) in first.iter().enumerate() {
        let mut took_ms: Vec<f64> = whole
            .iter()
            .filter_map(|phases| phases.get(index))
            .map(|phase| milliseconds(phase.took))
            .collect();
        let took_ms = percentile(&mut took_ms, 50).unwrap_or_default();
        let step = phase
            .step
            .and_then(|step| journey.steps().get(step))
            .map_or("", |step| step.name.as_str());
        writeln!(stdout, "  {took_ms:>9.1} ms  {:<10}  {step}", phase.name)?;
    }
    if let Some(call) = series.call {
        writeln!(
            stdout,
            "  one call to the browser: {:.3} ms",
            milliseconds(call)
        )?;
    }
    Ok(())
}
