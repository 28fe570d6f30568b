//! What the program can be told to do, and what its exit code means.

mod attempt;
mod check;
mod doctor;
mod import;
mod manual;
mod paint;
mod reload;
mod run;
mod runs;
mod stop;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use crate::journey::SchemaOf;

/// Walks the workflows of your users in a real browser and reports every step to Telegraf.
#[derive(Debug, Parser)]
#[command(name = "vigia-probe", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What Telegraf's execd input starts: runs every journey on its schedule and prints line protocol.
    Run {
        /// The probe's configuration.
        #[arg(long)]
        config: PathBuf,
    },
    /// Says every mistake in the configuration and its journeys.
    Check {
        /// The probe's configuration.
        #[arg(long)]
        config: PathBuf,
    },
    /// Runs one journey now, once or many times, and prints its steps with their times.
    Try(attempt::Attempt),
    /// Writes journeys out of a project of Selenium IDE, or out of a recording of Chrome's Recorder.
    Import(import::Import),
    /// Looks at all that the probe needs of this machine: what was looked at, what was found, what to do.
    Doctor(doctor::Doctor),
    /// Prints the JSON Schema of journeys' files, by which editors complete and mark mistakes.
    Schema {
        /// Of what.
        #[arg(default_value = "journey")]
        of: SchemaOf,
    },
    /// Prints what a shell needs to complete this program's commands.
    Completions {
        /// Which shell.
        shell: Shell,
    },
    /// Writes the pages that `man` shows.
    Man {
        /// The folder that they are written into.
        folder: PathBuf,
    },
}

/// What the program ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// 0: done; the journey was ok or slow, the configuration has no mistake, the machine lacks nothing.
    Done = 0,
    /// 1: the journey failed, the configuration has mistakes, not all of an import could be carried over, or something that
    /// the probe cannot do without is missing on the machine.
    Failed = 1,
    // 2 is a mistake on the command line, from clap.
    /// 3: the journey could not be measured, or the program could not do its work.
    Unmeasured = 3,
}

/// Reads the command line and does what it says.
#[must_use]
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(tell_of_a_fault));
    let done = match Cli::parse().command {
        Command::Run { config } => run::run(&config),
        Command::Check { config } => check::check(&config),
        Command::Try(attempt) => attempt::attempt(&attempt),
        Command::Import(import) => import::import(&import),
        Command::Doctor(doctor) => doctor::doctor(&doctor),
        Command::Schema { of } => manual::print_schema(of),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { folder } => manual::man(&folder),
    };
    match done {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(error) => {
            crate::log::log(crate::log::Level::Error, &format!("{error:#}"));
            ExitCode::from(Exit::Unmeasured as u8)
        }
    }
}

/// In one line, as Telegraf reads it, and without the panic's own words: they may quote what the page or a secret said.
fn tell_of_a_fault(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic
        .location()
        .map_or_else(|| "a place unknown".into(), ToString::to_string);
    crate::log::log(
        crate::log::Level::Error,
        &format!("vigia-probe has a fault at {place}: please report it"),
    );
}
