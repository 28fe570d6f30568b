//! The whole product at work on one machine: `make demo`.
//!
//! It starts the parts, walks once through healthy, broken, mail, healed and recovery, tells when what happened, and stays
//! for playing with the switches until Ctrl-C.

mod delays;
mod evidence;
mod parts;
mod runs;
mod timeline;
mod walk;

use std::{
    fs::{self, File, TryLockError},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use self::parts::Parts;
use crate::{one_thread, portal::Fault, repository};

/// Shows the product at work: a portal breaks, a mail with its picture arrives, it heals, the recovery arrives.
#[derive(Debug, Parser)]
#[command(name = "vigia-demo")]
struct Arguments {
    /// End after the recovery instead of staying for playing with the switches.
    #[arg(long)]
    once: bool,
    /// What breaks.
    #[arg(long, default_value = "server-error", value_parser = fault)]
    fault: Fault,
    /// Break and heal it so many times, and tell how long mail and chat took; it fails where that is too long.
    #[arg(long, value_name = "COUNT")]
    measure: Option<NonZeroUsize>,
    /// Where mails, pictures and points are left.
    #[arg(long, default_value_os_t = repository::path("target/demo"))]
    folder: PathBuf,
}

/// All but the slow one: a slow journey works, and no mail is sent about it.
fn fault(name: &str) -> Result<Fault, String> {
    let known = Fault::ALL.into_iter().filter(|fault| *fault != Fault::Slow);
    let names: Vec<_> = known.clone().map(Fault::name).collect();
    known
        .into_iter()
        .find(|fault| fault.name() == name)
        .ok_or_else(|| format!("the faults that bring a mail are: {}", names.join(", ")))
}

/// Runs the demo; the exit code is 0 where everything happened.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    one_thread::run("demo", async {
        show(&arguments).await.map(|()| ExitCode::SUCCESS)
    })
}

async fn show(arguments: &Arguments) -> Result<()> {
    let folder = &arguments.folder;
    fs::create_dir_all(folder)
        .with_context(|| format!("failed to create `{}`", folder.display()))?;
    let folder = folder
        .canonicalize()
        .context("failed to resolve the demo's folder")?;
    // Held until the end, however that comes: the kernel opens it.
    let _lock = lock(&folder)?;
    clear(&folder)?;

    // What is dropped takes its processes along, so every way out of here leaves none behind.
    let mut interrupted = signal(SignalKind::interrupt()).context("failed to listen for Ctrl-C")?;
    let mut terminated = signal(SignalKind::terminate()).context("failed to listen for SIGTERM")?;
    tokio::select! {
        result = run(arguments, &folder) => result,
        _ = interrupted.recv() => ended_early(arguments),
        _ = terminated.recv() => ended_early(arguments),
    }
}

fn ended_early(arguments: &Arguments) -> Result<()> {
    if arguments.once {
        bail!("it was interrupted before the recovery");
    }
    Ok(())
}

async fn run(arguments: &Arguments, folder: &Path) -> Result<()> {
    if let Some(count) = arguments.measure {
        return delays::measure(&folder.join("state"), arguments.fault, count.get()).await;
    }
    let parts = Parts::start(&folder.join("state"), None).await?;
    timeline::say(&parts.addresses());
    let walked = tokio::select! {
        walked = walk::walk(&parts, arguments.fault) => walked,
        ended = parts.first_end() => Err(ended),
    };
    // What is there is worth having, and most of all where the walk failed.
    evidence::leave(&parts, folder)?;
    let moments = walked?;
    timeline::say(&timeline::tell(&moments));
    timeline::say(&format!(
        "Mails, pictures and points are in {}",
        folder.display()
    ));
    if arguments.once {
        return parts.stop().await;
    }
    timeline::say("The demo stays up: play with the switches. Ctrl-C ends it.");
    Err(parts.first_end().await)
}

fn lock(folder: &Path) -> Result<File> {
    let path = folder.join("lock");
    let file =
        File::create(&path).with_context(|| format!("failed to create `{}`", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!(
            "another demo works in `{}`\nhint: end it, or choose another place with --folder",
            folder.display()
        ),
        Err(TryLockError::Error(error)) => Err(error).context("failed to lock the demo's folder"),
    }
}

/// Takes away what an earlier demo left.
fn clear(folder: &Path) -> Result<()> {
    for name in ["state", "mails"] {
        let path = folder.join(name);
        if path.exists() {
            fs::remove_dir_all(&path)
                .with_context(|| format!("failed to remove `{}`", path.display()))?;
        }
    }
    Ok(())
}
