//! Starts Chromium and ends it: on a pipe instead of an open port, in a process group of its own, with a cleared
//! environment and a profile that nobody else has.

use std::{
    os::fd::OwnedFd,
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, atomic::AtomicUsize},
    time::{Duration, Instant},
};

use command_fds::{CommandFdExt, FdMapping};
use headless_chrome::protocol::cdp::Browser;
use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    net::unix::pipe,
    process::ChildStderr,
    task::JoinHandle,
};

use super::{BrowserSettings, CallError, Connection, context::attach_to, find, profile};
use crate::log::{Level, log};

/// How long a start may take: 0.2 s on an idle machine, several seconds on a starved one.
const START_DEADLINE: Duration = Duration::from_secs(20);

/// How many of Chromium's last words are kept for an error message.
const LAST_WORDS_LINES: usize = 5;

/// What makes a browser of the desktop one for measuring. Chromium keeps only the last `--disable-features`.
const ARGUMENTS: [&str; 22] = [
    "--headless",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-service-autorun",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-back-forward-cache",
    "--disable-breakpad",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-field-trial-config",
    "--disable-gpu",
    "--disable-search-engine-choice-screen",
    "--disable-sync",
    "--hide-scrollbars",
    "--mute-audio",
    "--password-store=basic",
    // HttpsUpgrades would silently rewrite the address of a journey; RenderDocument costs a process's work at each
    // navigation within a site.
    "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,PaintHolding,OptimizationHints,MediaRouter,Translate,RenderDocument",
];

/// Why there is no browser.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// None is installed.
    #[error(
        "no Chromium was found: install `chromium-headless-shell` or `chromium`, or name the program in [browser]"
    )]
    Missing,
    /// The system would not start it.
    #[error("failed to start the browser `{0}`: {1}")]
    Unstartable(PathBuf, std::io::Error),
    /// It started and cannot be talked to.
    #[error("the browser `{program}` started and then {what}; its last words: {last_words}")]
    Mute {
        /// Which program.
        program: PathBuf,
        /// What went wrong.
        what: CallError,
        /// From its standard error.
        last_words: String,
    },
}

/// A running Chromium; killed with all its processes when it is dropped.
#[derive(Debug)]
pub struct Chromium {
    connection: Connection,
    /// Nothing once it has been ended.
    remains: Option<Remains>,
}

/// What is left to do when it ends.
#[derive(Debug)]
struct Remains {
    group: Pid,
    child: Child,
    profile: TempDir,
}

impl Chromium {
    /// Starts it and waits until it answers. Its messages that cannot be read are counted in `unreadable`.
    pub async fn launch(
        settings: &BrowserSettings,
        unreadable: Arc<AtomicUsize>,
    ) -> Result<Self, LaunchError> {
        let program = settings
            .program
            .clone()
            .or_else(find::find)
            .ok_or(LaunchError::Missing)?;
        let not_started = |error: std::io::Error| LaunchError::Unstartable(program.clone(), error);
        let profile = profile::create().map_err(not_started)?;
        let (to_browser, browser_reads) = pipe_to_browser().map_err(not_started)?;
        let (browser_writes, from_browser) = pipe_from_browser().map_err(not_started)?;
        let mut child = {
            // In a block of its own: as long as the command lives it holds the browser's ends of the pipes, and the end
            // of the browser would never be seen.
            let mut command = Command::new(&program);
            command
                .args(ARGUMENTS)
                .args((!settings.sandbox).then_some("--no-sandbox"))
                .arg(format!("--user-data-dir={}", profile.path().display()))
                .env_clear()
                .env("HOME", profile.path())
                .env("PATH", "/usr/local/bin:/usr/bin:/bin")
                .env("LANG", "C.UTF-8")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .process_group(0);
            command
                .fd_mappings(vec![
                    FdMapping {
                        parent_fd: browser_reads,
                        child_fd: 3,
                    },
                    FdMapping {
                        parent_fd: browser_writes,
                        child_fd: 4,
                    },
                ])
                .map_err(|_| not_started(std::io::ErrorKind::AddrInUse.into()))?;
            command.spawn().map_err(not_started)?
        };
        let stderr = child.stderr.take();
        let chromium = Self {
            connection: Connection::start(to_browser, from_browser, unreadable),
            remains: Some(Remains {
                group: Pid::from_child(&child),
                child,
                profile,
            }),
        };
        let last_words = stderr
            .and_then(|stderr| ChildStderr::from_std(stderr).ok())
            .map(|stderr| tokio::spawn(last_words(stderr)));
        match chromium.attach_to_pages(START_DEADLINE).await {
            Ok(()) => Ok(chromium),
            Err(what) => {
                drop(chromium);
                let last_words = said(last_words).await;
                Err(LaunchError::Mute {
                    program,
                    what,
                    last_words,
                })
            }
        }
    }

    /// Ends it; when this returns, nothing of it is left.
    pub async fn end(mut self) -> anyhow::Result<()> {
        if let Some(remains) = self.remains.take() {
            tokio::task::spawn_blocking(move || remains.clear_away()).await??;
        }
        Ok(())
    }

    /// The connection to it.
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The process group of all its processes.
    pub fn group(&self) -> Option<Pid> {
        self.remains.as_ref().map(|remains| remains.group)
    }

    /// From now on every new page has a session before anything runs in it.
    async fn attach_to_pages(&self, within: Duration) -> Result<(), CallError> {
        let deadline = Instant::now() + within;
        self.connection
            .call(None, &attach_to("page"), deadline)
            .await
            .map(drop)
    }

    /// Whether it answers the cheapest call there is in this time.
    pub async fn answers(&self, within: Duration) -> Result<(), CallError> {
        let version = Browser::GetVersion(None);
        self.connection
            .call(None, &version, Instant::now() + within)
            .await
            .map(drop)
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        if let Some(remains) = self.remains.take() {
            // Not on a thread of the runtime: the end of a process is waited for.
            std::thread::spawn(move || {
                if let Err(error) = remains.clear_away() {
                    log(
                        Level::Warning,
                        &format!("failed to clear a browser away: {error}"),
                    );
                }
            });
        }
    }
}

impl Remains {
    /// Kills all its processes, reaps the first and removes the profile.
    fn clear_away(mut self) -> std::io::Result<()> {
        match kill_process_group(self.group, Signal::KILL) {
            // It had ended by itself, and all of its group.
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(error) => return Err(error.into()),
        }
        self.child.wait()?;
        self.profile.close()
    }
}

fn pipe_to_browser() -> std::io::Result<(pipe::Sender, OwnedFd)> {
    let (sender, receiver) = pipe::pipe()?;
    Ok((sender, receiver.into_blocking_fd()?))
}

fn pipe_from_browser() -> std::io::Result<(OwnedFd, pipe::Receiver)> {
    let (sender, receiver) = pipe::pipe()?;
    Ok((sender.into_blocking_fd()?, receiver))
}

/// Reads to the end, so that Chromium never blocks on it, and keeps the last lines.
async fn last_words(stderr: impl AsyncRead + Unpin) -> String {
    let mut lines = BufReader::new(stderr).lines();
    let mut last: Vec<String> = Vec::new();
    while let Ok(Some(line)) = lines.next_line().await {
        if last.len() == LAST_WORDS_LINES {
            last.remove(0);
        }
        last.push(line);
    }
    if last.is_empty() {
        "none".into()
    } else {
        last.join(" | ")
    }
}

async fn said(last_words: Option<JoinHandle<String>>) -> String {
    match last_words {
        Some(task) => match tokio::time::timeout(Duration::from_secs(2), task).await {
            Ok(Ok(words)) => words,
            _ => "none".into(),
        },
        None => "none".into(),
    }
}
