//! What the operator types.

mod backtest;
mod check;
mod explain;
mod manual;
mod report;
mod rounds;
mod run;
mod sight;
mod steer;
mod terminal;
mod test;
mod watch;

use std::{io, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use tracing_subscriber::EnvFilter;

/// What the program ends with. Clap itself ends with 2 when the command line is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything was done, or the program was asked to stop.
    Success = 0,
    /// Something failed that no other number names.
    Failure = 1,
    /// The configuration has mistakes; they were printed.
    Configuration = 3,
    /// The store cannot be opened: another process has it, or the disk refuses.
    Store = 4,
    /// What was asked for is refused, or not there; why was printed.
    Refused = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Watches what Vigía's robots report and tells people when users cannot work.
#[derive(Debug, Parser)]
#[command(name = "vigia-alert", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// How the log on stderr is written.
    #[arg(long, value_enum, default_value_t = LogFormat::Text, global = true)]
    log_format: LogFormat,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Reads the configuration and says everything that is wrong with it.
    Check(ConfigArgument),
    /// Watches, and tells, until it is stopped.
    Run(ConfigArgument),
    /// Makes the report of a month.
    Report(report::Arguments),
    /// Sends each kind of message through a channel, and says what the service answered.
    Test {
        /// The name of the channel.
        channel: String,
        /// How much the incident of the test matters: it decides the colour, and whether phones ring.
        #[arg(long, value_enum, default_value_t = test::TestedImpact::Low)]
        impact: test::TestedImpact,
        #[command(flatten)]
        config: ConfigArgument,
    },
    /// Shows the incidents that are open, who was told, and who takes care.
    Incidents(steer::Incidents),
    /// Says that somebody takes care of an incident: nobody is reminded of it any more.
    Ack(steer::Acknowledge),
    /// Mutes something for a while, shows what is muted, or ends it.
    Silence(steer::Silence),
    /// Says why somebody was told of an incident, or nobody; or what each rule makes of a journey at a moment.
    Explain(explain::Arguments),
    /// Counts what these rules and routes would have sent, from the data that there is.
    Backtest(backtest::Arguments),
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

#[derive(Debug, clap::Args)]
struct ConfigArgument {
    /// The configuration file.
    #[arg(long, default_value = "/etc/vigia/alert.toml")]
    config: PathBuf,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogFormat {
    /// A line an event, for people.
    Text,
    /// A JSON object an event, for programs.
    Json,
}

/// Does what the command line says.
#[must_use]
pub fn main() -> Exit {
    let arguments = Arguments::parse();
    start_log(arguments.log_format);
    if let Err(error) = prepare_cryptography() {
        tracing::error!("{error:#}");
        return Exit::Failure;
    }
    match arguments.command {
        Command::Check(argument) => check::check(&argument.config),
        Command::Run(argument) => run::run(&argument.config),
        Command::Test {
            channel,
            impact,
            config,
        } => test::test(&config.config, &channel, impact),
        Command::Report(arguments) => report::report(&arguments),
        Command::Incidents(arguments) => steer::incidents(&arguments),
        Command::Ack(arguments) => steer::acknowledge(arguments),
        Command::Silence(arguments) => steer::silence(arguments),
        Command::Explain(arguments) => explain::explain(&arguments),
        Command::Backtest(arguments) => backtest::backtest(&arguments),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { folder } => manual::man(&folder),
    }
}

/// Does what takes the network, and says why it could not be done.
fn on_a_runtime(work: impl Future<Output = Result<Exit, anyhow::Error>>) -> Exit {
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "the runtime could not be started");
            return Exit::Failure;
        }
    };
    match runtime.block_on(work) {
        Ok(exit) => exit,
        Err(error) => {
            check::say(&format!("{error:#}"));
            Exit::Failure
        }
    }
}

/// What a command that ends soon works on.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
}

/// reqwest leaves the choice to the program; lettre was built with the same one.
fn prepare_cryptography() -> Result<(), anyhow::Error> {
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| anyhow::anyhow!("another library installed its own cryptography"))
}

/// The environment variable `RUST_LOG` says more or less, as programs in Rust do.
fn start_log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_target(false);
    match format {
        LogFormat::Text => log.with_ansi(false).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
}
