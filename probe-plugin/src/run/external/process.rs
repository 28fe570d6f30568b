//! One program under way: started in a group of its own, listened to, and ended whole.

use std::{
    io,
    os::unix::process::CommandExt,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::{
    io::AsyncReadExt,
    net::unix::pipe,
    task::{JoinHandle, spawn_blocking},
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{
    family::{Family, wait_for_end},
    last_words::Tail,
};
use crate::log::{Level, log};

/// How long a program that is asked to end may write its report and close its browser.
const GRACE: Duration = Duration::from_secs(2);

/// What it leaves behind when it ends by itself is only asked.
const GRACE_OF_REMAINS: Duration = Duration::from_millis(500);

/// What was said before all of them were gone is there to be read.
const LAST_READ: Duration = Duration::from_millis(500);

/// Who says more than this says nothing that anybody reads: from then on it is heard in pieces with a pause before each, so
/// that listening takes nothing from the runs beside it.
const HEARD_AT_ONCE_BYTES: usize = 10_000_000;

/// Some megabytes a second remain.
const PAUSE: Duration = Duration::from_millis(5);

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, or by somebody else's signal.
    Ended(ExitStatus),
    /// By us, because its time was over.
    Overran,
}

/// A program; killed with all that it started when it is dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    family: Family,
    ended: JoinHandle<io::Result<()>>,
    output: pipe::Receiver,
    is_gone: bool,
}

impl Process {
    /// Starts it. All its processes inherit `mark`, which is part of the command's environment.
    pub fn start(mut command: Command, mark: Vec<u8>) -> io::Result<Self> {
        let (sender, output) = pipe::pipe()?;
        let sender = sender.into_blocking_fd()?;
        command
            .stdin(Stdio::null())
            .stdout(sender.try_clone()?)
            .stderr(sender)
            .process_group(0);
        let mut child = command.spawn()?;
        let leader = Pid::from_child(&child);
        match pidfd_open(leader, PidfdFlags::empty()) {
            Ok(process) => Ok(Self {
                child,
                family: Family {
                    leader: Some(leader),
                    mark,
                },
                // On a thread of its own, that ends with the process at the latest. It is not reaped by that, so that its
                // number is nobody else's as long as its family is looked for.
                ended: spawn_blocking(move || wait_for_end(&process, None)),
                output,
                is_gone: false,
            }),
            Err(error) => {
                // Its end could not be noticed.
                child.kill()?;
                child.wait()?;
                Err(error.into())
            }
        }
    }

    /// Waits for its end, ends it at the deadline, and leaves nothing of it behind. Its output is heard all the time, so that
    /// it does not wait for a reader.
    pub async fn end(mut self, deadline: Instant) -> io::Result<(End, Tail)> {
        let mut tail = Tail::default();
        let overran = loop {
            tokio::select! {
                biased;
                () = sleep_until(deadline) => break true,
                ended = &mut self.ended => {
                    ended??;
                    break false;
                }
                more = hear(&mut self.output, &mut tail) => {
                    if !more? {
                        // It has closed its output and goes on.
                        break self.without_output(deadline).await?;
                    }
                }
            }
        };
        let grace = if overran { GRACE } else { GRACE_OF_REMAINS };
        // What they say at their end is no reason to wait for them longer than that.
        let ending = self.family.end(grace);
        tokio::pin!(ending);
        let left = loop {
            tokio::select! {
                biased;
                left = &mut ending => break left,
                more = hear(&mut self.output, &mut tail) => {
                    if !more? {
                        break ending.await;
                    }
                }
            }
        };
        let last = async { while let Ok(true) = hear(&mut self.output, &mut tail).await {} };
        // What could not be killed may hold it open for ever.
        timeout(LAST_READ, last).await.ok();
        match left {
            Ok(left) if !overran && !left.is_empty() => log(
                Level::Warning,
                &format!(
                    "an external journey left processes behind: {}",
                    left.join(", ")
                ),
            ),
            Ok(_) => {}
            Err(error) => log(
                Level::Error,
                &format!("failed to end all processes of an external journey: {error}"),
            ),
        }
        let Some(status) = self.child.try_wait()? else {
            return Err(io::Error::other("its process cannot be killed"));
        };
        self.is_gone = true;
        Ok((
            if overran {
                End::Overran
            } else {
                End::Ended(status)
            },
            tail,
        ))
    }

    async fn without_output(&mut self, deadline: Instant) -> io::Result<bool> {
        tokio::select! {
            biased;
            () = sleep_until(deadline) => Ok(true),
            ended = &mut self.ended => {
                ended??;
                Ok(false)
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.is_gone {
            return;
        }
        if let Err(error) = self.family.kill() {
            log(
                Level::Error,
                &format!("failed to end an external journey: {error}"),
            );
        }
        // It is dead or cannot be killed; in both cases there is nothing to wait for.
        self.child.try_wait().ok();
    }
}

/// Hears one piece of it; false at its end.
async fn hear(output: &mut pipe::Receiver, tail: &mut Tail) -> io::Result<bool> {
    if tail.heard_bytes() > HEARD_AT_ONCE_BYTES {
        sleep(PAUSE).await;
    }
    let mut piece = Vec::with_capacity(16 * 1024);
    let heard = output.read_buf(&mut piece).await?;
    tail.push(&piece);
    Ok(heard > 0)
}
