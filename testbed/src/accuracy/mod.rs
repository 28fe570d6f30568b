//! How true a step's time is: `make accuracy`.
//!
//! Pages with known delays measure themselves what a user waits, from the trusted input event to the moment that the
//! result stands in the document, by their own listeners, and tell it to the server. The probe walks them as any journey,
//! knows nothing of that, and its points are held against what the pages told.

mod case;
mod error;
mod site;
mod walk;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use case::Case;

use crate::one_thread;

/// Holds the times of steps against what pages with known delays measured themselves.
#[derive(Debug, Parser)]
#[command(name = "vigia-accuracy")]
struct Arguments {
    /// How many times each case is measured.
    #[arg(long, default_value_t = 30)]
    repeats: usize,
    /// Only the cases whose name begins so.
    #[arg(long, default_value = "")]
    only: String,
}

/// Runs the benchmark. Its exit code says only whether everything could be measured: a busy machine is no defect.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    one_thread::run("accuracy benchmark", async {
        measure(&arguments).await.map(|()| ExitCode::SUCCESS)
    })
}

#[expect(
    clippy::print_stdout,
    reason = "the benchmark talks to the person who started it"
)]
async fn measure(arguments: &Arguments) -> Result<()> {
    let cases: Vec<Case> = Case::all()
        .into_iter()
        .filter(|case| case.name().starts_with(&arguments.only))
        .collect();
    anyhow::ensure!(
        !cases.is_empty(),
        "no case is called `{}...`; without --only all are measured",
        arguments.only
    );
    let mut all = Vec::new();
    println!(
        "milliseconds, {} steps a case; error: the probe's time less the page's own\n\n{:<18} {:>9} {:>9} {:>9} {:>8} {:>8} {:>8} {:>8}",
        arguments.repeats, "case", "delay", "page", "probe", "bias", "p50", "p95", "worst"
    );
    for case in cases {
        let samples = walk::walk(case, arguments.repeats).await?;
        let error = error::Summary::of(&samples);
        println!(
            "{:<18} {:>9} {:>9.1} {:>9.1} {:>+8.1} {:>8.1} {:>8.1} {:>8.1}",
            case.name(),
            case.delay_ms,
            error.page_ms,
            error.probe_ms,
            error.bias_ms,
            error.p50_ms,
            error.p95_ms,
            error.worst_ms
        );
        all.extend(samples);
    }
    let error = error::Summary::of(&all);
    println!(
        "\nall: bias {:+.1}, error p50 {:.1} (goal 10), p95 {:.1} (goal 30), worst {:.1}, of {} steps",
        error.bias_ms,
        error.p50_ms,
        error.p95_ms,
        error.worst_ms,
        all.len()
    );
    Ok(())
}
