//! Many runs for a person: how they ended, how long they took, and why those that failed did.

use std::{collections::BTreeMap, io::Write};

use vigia_contract::data_model::Outcome;

use super::{
    super::paint::Paint,
    series::{Series, milliseconds, percentile},
};
use crate::journey::Journey;

/// How many different failures are told.
const FAILURES_TOLD: usize = 5;

pub fn write(
    stdout: &mut impl Write,
    paint: Paint,
    journey: &Journey,
    series: &Series,
) -> std::io::Result<()> {
    writeln!(
        stdout,
        "{}/{}: {} runs, {} at a time, in {:.1} s: {:.0} journeys a minute",
        journey.system,
        journey.name,
        series.runs.len(),
        series.concurrency,
        series.wall.as_secs_f64(),
        series.journeys_per_minute()
    )?;
    for outcome in [
        Outcome::Ok,
        Outcome::Slow,
        Outcome::Failed,
        Outcome::Unmeasured,
    ] {
        let count = series
            .runs
            .iter()
            .filter(|ran| ran.report.outcome == outcome)
            .count();
        if count > 0 {
            let style = paint.outcome(outcome);
            writeln!(
                stdout,
                "  {style}{:<10}{style:#}  {count:>5}",
                outcome.name()
            )?;
        }
    }
    if series.is_flaky() {
        let style = paint.yellow();
        writeln!(
            stdout,
            "  {style}flaky{style:#}: the same journey came to a good end in some runs and not in others"
        )?;
    }
    times(stdout, journey, series)?;
    failures(stdout, series)
}

/// Only what was completed has a time.
fn times(stdout: &mut impl Write, journey: &Journey, series: &Series) -> std::io::Result<()> {
    // Those of an external journey may be others in each run.
    let mut names: Vec<&str> = Vec::new();
    for ran in &series.runs {
        for name in ran.report.step_names(journey) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let widest = names
        .iter()
        .map(|name| name.chars().count())
        .chain(["the whole".len()])
        .max()
        .unwrap_or(0);
    let mut line = |name: &str, mut took_ms: Vec<f64>| {
        let shown = |value: Option<f64>| value.map_or("-".into(), |ms| format!("{ms:.0} ms"));
        writeln!(
            stdout,
            "  {name}{}  {:>9}  {:>9}  {:>9}",
            " ".repeat(widest - name.chars().count()),
            shown(percentile(&mut took_ms, 50)),
            shown(percentile(&mut took_ms, 95)),
            shown(percentile(&mut took_ms, 100))
        )
    };
    for name in names {
        let steps = series.runs.iter().flat_map(|ran| &ran.report.steps);
        let took = steps.filter(|step| step.name == name);
        let took = took.filter_map(|step| step.duration);
        line(name, took.map(milliseconds).collect())?;
    }
    let whole = series.runs.iter().filter_map(|ran| ran.report.duration());
    line("the whole", whole.map(milliseconds).collect())?;
    writeln!(
        stdout,
        "  (the median, what 95 of 100 do not exceed, and the longest)"
    )
}

fn failures(stdout: &mut impl Write, series: &Series) -> std::io::Result<()> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for ran in &series.runs {
        if let Some(failure) = &ran.report.failure {
            let step = ran
                .report
                .failed_step()
                .map_or(String::new(), |step| format!("{step}: "));
            let told = format!("{step}{}: {}", failure.class.name(), failure.error);
            *counts.entry(told).or_default() += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (told, count) in counts.iter().take(FAILURES_TOLD) {
        writeln!(stdout, "  {count} x {told}")?;
    }
    if counts.len() > FAILURES_TOLD {
        writeln!(
            stdout,
            "  and {} other failures",
            counts.len() - FAILURES_TOLD
        )?;
    }
    Ok(())
}
