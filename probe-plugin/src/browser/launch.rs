//! Starts Chromium: on a pipe instead of an open port, in a process group of its own, with a cleared environment and a
//! profile that nobody else has. It ends when it is dropped.

use std::{
    ffi::OsString,
    os::fd::OwnedFd,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, atomic::AtomicUsize},
    time::{Duration, Instant},
};

use command_fds::{CommandFdExt, FdMapping};
use headless_chrome::protocol::cdp::{Browser, Target};
use rustix::process::Pid;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    net::unix::pipe,
    process::ChildStderr,
    task::JoinHandle,
};

use super::{
    BrowserSettings, CallError, Connection, authorities,
    context::attach_to,
    find, profile,
    remains::{NotGone, Remains},
};
use crate::own_folder;

/// How much of Chromium's last words is kept for an error message: some lines.
const LAST_WORDS_MAX_BYTES: usize = 1000;

/// How much the browser can be told at once. Linux gives a pipe 65,536 bytes (pipe(7)), and the robot's script is longer.
const PIPE_BYTES: usize = 262_144;

/// They end with the killed processes, unless one has left the group and lives on.
const LAST_WORDS_DEADLINE: Duration = Duration::from_secs(2);

/// It answers at once or is not well.
const VERSION_DEADLINE: Duration = Duration::from_secs(5);

/// What makes a browser of the desktop one for measuring. Chromium keeps only the last `--disable-features`.
const ARGUMENTS: [&str; 23] = [
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
    // As on the desktops of users: there a frame of another site that hangs does not hold up the page around it. The
    // headless shell does not do it by itself.
    "--site-per-process",
    // HttpsUpgrades would silently rewrite the address of a journey; RenderDocument costs a process's work at each
    // navigation within a site. A spare renderer waits for a navigation to another site, and most journeys make none: for
    // each context another is started and thrown away, a third of all that the benchmark's floor costs. One that does
    // leave its site waits some 15 ms longer there.
    "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,PaintHolding,OptimizationHints,MediaRouter,Translate,RenderDocument,SpareRendererForSitePerProcess",
];

/// A window is asked for by not asking for none.
fn arguments(settings: &BrowserSettings) -> impl Iterator<Item = &'static str> {
    let headed = settings.headed;
    // The browser's own first window would stand before those of the journey.
    let instead = headed.then_some("--no-startup-window");
    let arguments = ARGUMENTS.into_iter();
    let arguments = arguments.filter(move |argument| !(headed && *argument == "--headless"));
    arguments.chain(instead)
}

/// Where its window goes; a browser without one has none of this environment.
fn display(settings: &BrowserSettings) -> impl Iterator<Item = (&'static str, OsString)> {
    let names = [
        "DISPLAY",
        "WAYLAND_DISPLAY",
        "XAUTHORITY",
        "XDG_RUNTIME_DIR",
        "XDG_SESSION_TYPE",
    ];
    let names = names.into_iter().filter(|_| settings.headed);
    names.filter_map(|name| Some((name, std::env::var_os(name)?)))
}

/// Why there is no browser.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// None is installed.
    #[error(
        "no Chromium was found: install `chromium-headless-shell` or `chromium`, or name the program in [browser]"
    )]
    Missing,
    /// There is no room for its profile.
    #[error("failed to make a folder for the browser's profile in `{0}`: {1}")]
    NoProfile(PathBuf, std::io::Error),
    /// The system would not start it.
    #[error("failed to start the browser `{program}`: {why}")]
    Unstartable {
        /// Which program.
        program: PathBuf,
        /// What is wrong with it, or what the system said.
        why: String,
    },
    /// It could not be told who else vouches for servers.
    #[error("failed to hand `extra_ca` to the browser: {0}")]
    Authorities(String),
    /// It started and cannot be talked to.
    #[error("the browser `{program}` {what}; its last words: {last_words}")]
    Mute {
        /// Which program.
        program: PathBuf,
        /// What went wrong.
        what: String,
        /// From its standard error.
        last_words: String,
    },
}

/// A running Chromium; killed with all its processes when it is dropped.
#[derive(Debug)]
pub struct Chromium {
    connection: Connection,
    /// `140`.
    major_version: String,
    remains: Remains,
}

impl Chromium {
    /// Starts it and waits until it answers; it counts as not gone until nothing of it is left. Its messages that cannot be
    /// read are counted in `unreadable`.
    pub async fn launch(
        settings: &BrowserSettings,
        not_gone: &NotGone,
        unreadable: Arc<AtomicUsize>,
    ) -> Result<Self, LaunchError> {
        let program = settings
            .program
            .clone()
            .or_else(|| find::find(settings.headed))
            .ok_or(LaunchError::Missing)?;
        let not_started = |error: std::io::Error| LaunchError::Unstartable {
            why: find::what_is_wrong(&program, &error),
            program: program.clone(),
        };
        let profile = profile::create()
            .map_err(|error| LaunchError::NoProfile(own_folder::place(), error))?;
        authorities::trust(&settings.extra_ca, profile.path())
            .await
            .map_err(LaunchError::Authorities)?;
        let (to_browser, browser_reads) = pipe_to_browser().map_err(not_started)?;
        let (browser_writes, from_browser) = pipe_from_browser().map_err(not_started)?;
        let mut child = {
            // In a block of its own: as long as the command lives it holds the browser's ends of the pipes, and the end
            // of the browser would never be seen.
            let mut command = Command::new(&program);
            command
                .args(arguments(settings))
                .args((!settings.sandbox).then_some("--no-sandbox"))
                .arg(profile::user_data_dir(profile.path()))
                .env_clear()
                .env("HOME", profile.path())
                // What it makes there stays when it is killed.
                .env("TMPDIR", profile.path())
                .env("PATH", "/usr/local/bin:/usr/bin:/bin")
                .env("LANG", "C.UTF-8")
                .envs(display(settings))
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
        let mut chromium = Self {
            connection: Connection::start(to_browser, from_browser, unreadable),
            major_version: String::new(),
            remains: Remains::of(child, profile, not_gone),
        };
        let last_words = stderr
            .and_then(|stderr| ChildStderr::from_std(stderr).ok())
            .map(|stderr| tokio::spawn(last_words(stderr)));
        match chromium.attach_to_pages(settings.launch_timeout).await {
            Ok(()) => Ok(chromium),
            Err(error) => {
                let what = match error {
                    CallError::Closed => "ended before it answered".into(),
                    CallError::Deadline(_) => format!(
                        "did not answer within its `launch_timeout` of {} s",
                        settings.launch_timeout.as_secs_f64()
                    ),
                    error => format!("cannot be talked to: {error}"),
                };
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

    /// The connection to it.
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The process group of all its processes.
    pub fn group(&self) -> Option<Pid> {
        self.remains.group()
    }

    /// From now on every new page has a session before anything runs in it.
    async fn attach_to_pages(&mut self, within: Duration) -> Result<(), CallError> {
        let deadline = Instant::now() + within;
        let attach = attach_to("page");
        // How a page's process ended is told only of targets that are discovered.
        let discover = Target::SetDiscoverTargets {
            discover: true,
            filter: attach.filter.clone(),
        };
        let attached = self.connection.call(None, &attach, deadline);
        let discovered = self.connection.call(None, &discover, deadline);
        let version = Browser::GetVersion(None);
        let version = self.connection.call(None, &version, deadline);
        attached.await?;
        discovered.await?;
        // `HeadlessChrome/140.0.7339.0`.
        let product = version.await?.product;
        let version = product.rsplit('/').next().unwrap_or_default();
        self.major_version = version.split('.').next().unwrap_or_default().into();
        Ok(())
    }

    /// The first part of its version, which is all that browsers tell.
    pub fn major_version(&self) -> &str {
        &self.major_version
    }

    /// The folder that goes with it; nothing once it has gone.
    pub fn folder(&self) -> Option<&Path> {
        self.remains.folder()
    }

    /// Its name and version, as it says it itself.
    pub async fn version(&self) -> Result<String, CallError> {
        let version = Browser::GetVersion(None);
        let deadline = Instant::now() + VERSION_DEADLINE;
        let version = self.connection.call(None, &version, deadline).await?;
        Ok(version.product)
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

fn pipe_to_browser() -> std::io::Result<(pipe::Sender, OwnedFd)> {
    let (sender, receiver) = pipe::pipe()?;
    // A user who has many pipes is given no larger ones: then what is sent goes in parts.
    rustix::pipe::fcntl_setpipe_size(&sender, PIPE_BYTES).ok();
    Ok((sender, receiver.into_blocking_fd()?))
}

fn pipe_from_browser() -> std::io::Result<(OwnedFd, pipe::Receiver)> {
    let (sender, receiver) = pipe::pipe()?;
    Ok((sender.into_blocking_fd()?, receiver))
}

/// Reads to the end, so that Chromium never blocks on it, and keeps the last lines.
async fn last_words(mut stderr: impl AsyncRead + Unpin) -> String {
    let mut last: Vec<u8> = Vec::new();
    while let Ok(1..) = stderr.read_buf(&mut last).await {
        let surplus = last.len().saturating_sub(LAST_WORDS_MAX_BYTES);
        last.drain(..surplus);
    }
    let text = String::from_utf8_lossy(&last);
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    if lines.is_empty() {
        "none".into()
    } else {
        lines.join(" | ")
    }
}

async fn said(last_words: Option<JoinHandle<String>>) -> String {
    match last_words {
        Some(task) => match tokio::time::timeout(LAST_WORDS_DEADLINE, task).await {
            Ok(Ok(words)) => words,
            _ => "none".into(),
        },
        None => "none".into(),
    }
}
