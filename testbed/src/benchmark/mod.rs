//! The same journey on the same Chromium, walked by Vigía, by its peers from Node and by a floor: `make benchmark`.
//!
//! One session holds interleaved blocks of all contestants, so that what else the machine does hits all of them, and tells
//! the medians. Every contestant gets to the last page and says so, and the site counts what it was asked for.

mod contestant;
pub mod machine;
mod session;
mod site;
mod table;

use std::{fs, path::PathBuf, process::ExitCode, time::Instant};

use anyhow::{Context, Result};
use clap::{Parser, builder::RangedU64ValueParser};

use self::{
    contestant::{Arena, Contestant, PeersFeatures},
    session::Plan,
    site::Site,
};
use crate::one_thread;

/// A machine that has nothing else to do stays below this.
const QUIET_PERCENT: f64 = 5.0;

/// Walks one journey with Vigía, playwright-core, @puppeteer/replay and a floor, and compares them.
#[derive(Debug, Parser)]
#[command(name = "vigia-benchmark")]
struct Arguments {
    /// Runs of a block one at a time; blocks of several at a time have three times as many.
    #[arg(long, default_value = "20", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    runs: usize,
    /// How many blocks of each kind the medians are taken from.
    #[arg(long, default_value = "5", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    repeats: usize,
    /// How many journeys at once, separated by commas.
    #[arg(long, value_delimiter = ',', default_value = "1,4,8", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    concurrency: Vec<usize>,
    /// These contestants alone, separated by commas; without it, all but the bare floor.
    #[arg(long, value_delimiter = ',')]
    only: Vec<Contestant>,
    /// Two minutes instead of twenty-five, for a first look: one block of each kind, of 8 or 24 runs.
    #[arg(long, conflicts_with_all = ["runs", "repeats"])]
    quick: bool,
    /// Vigía alone, one at a time, with where the wall time of a run goes.
    #[arg(long, conflicts_with_all = ["only", "concurrency", "repeats", "quick", "json"])]
    phases: bool,
    /// Starts the peers' browser, too, without the features that Vigía's does without.
    #[arg(long, conflicts_with = "phases")]
    same_features: bool,
    /// Writes every block to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Arguments {
    const fn peers_features(&self) -> PeersFeatures {
        if self.same_features {
            PeersFeatures::AsVigia
        } else {
            PeersFeatures::TheirOwn
        }
    }
}

/// Runs the session; the exit code is 0 where no run failed, however fast they were.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    one_thread::run("benchmark", compete(&arguments))
}

async fn compete(arguments: &Arguments) -> Result<ExitCode> {
    let began = Instant::now();
    let site = Site::start().await?;
    if arguments.phases {
        return contestant::phases(&site, arguments.runs).await;
    }
    if let Some(percent) = machine::pressure_percent().filter(|percent| *percent > QUIET_PERCENT) {
        say(&format!(
            "The machine is busy with something else (CPU pressure {percent} %): these figures will mean little.\n"
        ));
    }
    let arena = Arena::prepare(site, arguments.peers_features()).await?;
    say(&format!(
        "The browser is {}; one call to it takes Vigía {:.3} ms (≤ 1 ms).\n",
        arena.browser().display(),
        arena.call_ms()
    ));
    let blocks = session::run(&arena, &plan(arguments)).await?;
    say(&table::tell(&blocks));
    say(&format!(
        "The session took {:.0} s.\n",
        began.elapsed().as_secs_f64()
    ));
    if let Some(path) = &arguments.json {
        let text = serde_json::to_string_pretty(&blocks).context("failed to write the blocks")?;
        fs::write(path, text).with_context(|| format!("failed to write `{}`", path.display()))?;
    }
    Ok(if blocks.iter().all(|block| block.failed == 0) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn plan(arguments: &Arguments) -> Plan {
    let takes_part = |known: &Contestant| match arguments.only.as_slice() {
        [] => known.is_usual(),
        only => only.contains(known),
    };
    let contestants = Contestant::ALL.into_iter().filter(takes_part).collect();
    let (runs, repeats) = if arguments.quick {
        (8, 1)
    } else {
        (arguments.runs, arguments.repeats)
    };
    Plan {
        contestants,
        concurrency: arguments.concurrency.clone(),
        runs,
        repeats,
    }
}

#[expect(
    clippy::print_stdout,
    reason = "the benchmark talks to the person who started it"
)]
fn say(text: &str) {
    print!("{text}");
}
