//! Runs one of the testbed's programs: the demo, the benchmark, the accuracy.

use std::process::ExitCode;

use anyhow::{Context, Result};

/// Runs it to its end and tells the person who started it why it failed, if it did; `called` is its name.
///
/// On one thread: a child dies with the thread that started it, and this one lives as long as the program.
#[expect(
    clippy::print_stderr,
    reason = "the programs talk to the person who started them"
)]
pub fn run(called: &str, program: impl Future<Output = Result<ExitCode>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let result = runtime
        .context("failed to start the runtime")
        .and_then(|runtime| runtime.block_on(program));
    result.unwrap_or_else(|error| {
        eprintln!("\nThe {called} failed: {error:#}");
        ExitCode::FAILURE
    })
}
