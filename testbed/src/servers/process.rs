//! A child process that dies with its starter.
//!
//! The kernel kills it when the thread that started it ends, so that not even `kill -9` of this program leaves it behind.
//! Start it from a thread that lives on, never from a blocking task.

use std::{
    fs::{self, File},
    io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process_group, waitid,
};
use tokio::signal::unix::{SignalKind, signal};

/// A command that the kernel kills with its starter.
#[must_use]
pub fn tied(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// A command that runs a script of the shell in mount and process namespaces of its own, where it may mount what it likes.
#[must_use]
pub fn in_namespaces() -> Command {
    let mut command = tied(Path::new("unshare"));
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user", "--map-auto"]);
    }
    command.args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    command.args(["--", "/bin/sh"]);
    command
}

/// A running child, the leader of its own process group.
#[derive(Debug)]
pub struct Process {
    name: &'static str,
    child: Child,
    id: Pid,
    log: PathBuf,
}

impl Process {
    /// Starts a command made by [`tied`], its output going to a file.
    pub fn start(name: &'static str, log: &Path, command: &mut Command) -> Result<Self> {
        let output = File::create(log)
            .with_context(|| format!("failed to create the log `{}`", log.display()))?;
        let errors = output.try_clone().context("failed to share the log")?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .with_context(|| format!("failed to start {name}"))?;
        let id = Pid::from_child(&child);
        Ok(Self {
            name,
            child,
            id,
            log: log.to_owned(),
        })
    }

    /// The process's number.
    #[must_use]
    pub fn id(&self) -> i32 {
        self.id.as_raw_nonzero().get()
    }

    /// What it is called in messages.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// How it ended, or nothing while it runs. It stays unreaped, so that its number is nobody else's, until the drop.
    pub fn ended(&self) -> io::Result<Option<WaitIdStatus>> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(waitid(WaitId::Pid(self.id), options)?)
    }

    /// Completes when it has ended.
    pub async fn end(&self) -> io::Result<WaitIdStatus> {
        let mut children = signal(SignalKind::child())?;
        loop {
            if let Some(status) = self.ended()? {
                return Ok(status);
            }
            children.recv().await;
        }
    }

    /// Asks it to end; what is still there after the deadline is killed, which is an error.
    pub async fn stop(self, within: Duration) -> Result<()> {
        kill_process_group(self.id, Signal::TERM)
            .with_context(|| format!("failed to ask {} to end", self.name))?;
        tokio::time::timeout(within, self.end())
            .await
            .with_context(|| format!("{} did not end within {within:?} and was killed", self.name))?
            .with_context(|| format!("failed to wait for {}", self.name))?;
        Ok(())
    }

    /// The last lines of its output.
    #[must_use]
    pub fn last_lines(&self, count: usize) -> String {
        let text = match fs::read(&self.log) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => format!("(the log cannot be read: {error})"),
        };
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(count)..].join("\n")
    }

    /// A failure with the last lines of the process's output, which say more than the failure.
    #[must_use]
    pub fn explain(&self, error: anyhow::Error) -> anyhow::Error {
        let state = match self.ended() {
            Ok(Some(status)) => match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => format!("it ended with status {code}"),
                (None, Some(signal)) => format!("it was killed by signal {signal}"),
                (None, None) => "it ended".to_owned(),
            },
            Ok(None) => "it is still running".to_owned(),
            Err(error) => format!("its state is unknown: {error}"),
        };
        error.context(format!(
            "{} failed ({state}), its last lines:\n{}",
            self.name,
            self.last_lines(20)
        ))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The group outlives its leader where a grandchild does. It fails only where there is nothing left.
        if let Err(error) = kill_process_group(self.id, Signal::KILL) {
            debug_assert_eq!(
                error,
                rustix::io::Errno::SRCH,
                "failed to kill {}",
                self.name
            );
        }
        if let Err(error) = self.child.wait() {
            debug_assert!(false, "failed to reap {}: {error}", self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_dropped_process_takes_its_children_along() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = tied(Path::new("/bin/sh"));
        command.args(["-c", "sleep 1000 & echo $!; wait"]);
        let process = Process::start("sh", &folder.path().join("log"), &mut command).unwrap();
        let look = async || process.last_lines(1).parse::<u32>().ok();
        let grandchild =
            crate::until::until("the grandchild's number", Duration::from_secs(5), look)
                .await
                .unwrap();
        let alive = async || Path::new(&format!("/proc/{grandchild}/exe")).exists();
        assert!(alive().await);

        drop(process);

        crate::until::until(
            "the grandchild to be gone",
            Duration::from_secs(5),
            async || (!alive().await).then_some(()),
        )
        .await
        .unwrap();
    }

    #[tokio::test]
    async fn a_process_that_fails_is_explained_by_its_own_words() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = tied(Path::new("/bin/sh"));
        command.args(["-c", "echo the disk is full >&2; exit 3"]);
        let process = Process::start("sh", &folder.path().join("log"), &mut command).unwrap();
        process.end().await.unwrap();

        let error = process.explain(anyhow::anyhow!("no answer"));

        assert_eq!(
            error.to_string(),
            "sh failed (it ended with status 3), its last lines:\nthe disk is full"
        );
    }
}
