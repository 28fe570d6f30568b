//! All the processes of one program: found wherever they went, and ended.
//!
//! A browser leaves the group of whoever starts it, and what outlives its parent is no longer its parent's child. So a
//! process counts as the program's when it is in its group, or descends from it, or has its mark: an entry of the
//! environment that no other process has and that is inherited. (Only what leaves the group, outlives its parent and clears
//! its environment is not found.)

use std::{
    collections::{HashMap, HashSet},
    fs,
    io::{self, ErrorKind},
    os::fd::OwnedFd,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};

/// How long killed processes may take to be gone: hundredths of a second, unless the disk hangs.
const KILL_DEADLINE: Duration = Duration::from_secs(2);

/// By what the processes are told from all others.
#[derive(Clone, Debug)]
pub struct Family {
    /// The first of them, which leads their group; nothing where it is long gone and its number may be another's.
    pub leader: Option<Pid>,
    /// `NAME=value` in their environment.
    pub mark: Vec<u8>,
}

/// One process, held so that its number cannot become another's unnoticed.
#[derive(Debug)]
struct Member {
    name: String,
    process: OwnedFd,
}

/// What the kernel says of a process: `proc_pid_stat(5)`.
struct Stat {
    name: String,
    is_dead: bool,
    parent: i32,
    group: i32,
    /// In ticks since the machine was started: with the number it is the process's own.
    started: u64,
}

impl Family {
    /// Asks all of them to end, kills after `grace` what has not, and returns the names of those that were still there. Fails
    /// where something is left that cannot be killed.
    pub async fn end(&self, grace: Duration) -> io::Result<Vec<String>> {
        let members = self.look().await?;
        let names = members.iter().map(|member| member.name.clone()).collect();
        if members.is_empty() {
            return Ok(names);
        }
        signal(&members, Signal::TERM);
        gone(members, Instant::now() + grace).await?;
        let deadline = Instant::now() + KILL_DEADLINE;
        loop {
            // One may have started another while it was being killed.
            let members = self.look().await?;
            if members.is_empty() {
                return Ok(names);
            }
            if Instant::now() >= deadline {
                return Err(ErrorKind::TimedOut.into());
            }
            kill(&members);
            gone(members, deadline).await?;
        }
    }

    /// Kills all of them and waits for nothing.
    pub fn kill(&self) -> io::Result<()> {
        let mut members = self.members()?;
        // One may have started another meanwhile, which is found the next time.
        for _ in 0..3 {
            if members.is_empty() {
                break;
            }
            kill(&members);
            members = self.members()?;
        }
        Ok(())
    }

    /// On a machine with many processes a look takes tens of milliseconds.
    async fn look(&self) -> io::Result<Vec<Member>> {
        let family = self.clone();
        tokio::task::spawn_blocking(move || family.members()).await?
    }

    fn members(&self) -> io::Result<Vec<Member>> {
        let mut stats = HashMap::new();
        for entry in fs::read_dir("/proc")? {
            let Ok(number) = entry?.file_name().to_string_lossy().parse::<i32>() else {
                continue;
            };
            if let Some(stat) = stat(number).filter(|stat| !stat.is_dead) {
                stats.insert(number, stat);
            }
        }
        let leader = self.leader.map(|leader| leader.as_raw_nonzero().get());
        let own: HashSet<i32> = stats
            .keys()
            .copied()
            .filter(|&number| descends(number, leader, &stats) || self.has_mark(number))
            .collect();
        let mut members = Vec::new();
        for number in own {
            let Some(id) = Pid::from_raw(number) else {
                continue;
            };
            match pidfd_open(id, PidfdFlags::empty()) {
                Ok(process) => {
                    // Looked at again: until it was held, its number could have become another's.
                    let still = stat(number).filter(|now| now.started == stats[&number].started);
                    if let Some(stat) = still {
                        members.push(Member {
                            name: stat.name,
                            process,
                        });
                    }
                }
                Err(Errno::SRCH) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(members)
    }

    fn has_mark(&self, number: i32) -> bool {
        // Another user's cannot be read, and is not ours.
        let environment = fs::read(format!("/proc/{number}/environ")).unwrap_or_default();
        environment
            .split(|&byte| byte == 0)
            .any(|entry| entry == self.mark)
    }
}

fn descends(mut number: i32, leader: Option<i32>, stats: &HashMap<i32, Stat>) -> bool {
    let Some(leader) = leader else {
        return false;
    };
    if stats.get(&number).is_some_and(|stat| stat.group == leader) {
        return true;
    }
    // As long as this, a line of parents has no end.
    for _ in 0..stats.len() {
        if number == leader {
            return true;
        }
        match stats.get(&number) {
            Some(stat) => number = stat.parent,
            None => return false,
        }
    }
    false
}

/// `number (name) state parent group ...`; the name may hold anything, a parenthesis too.
fn stat(number: i32) -> Option<Stat> {
    let text = fs::read(format!("/proc/{number}/stat")).ok()?;
    let text = String::from_utf8_lossy(&text);
    let (before, after) = text.rsplit_once(") ")?;
    let mut fields = after.split(' ');
    let is_dead = matches!(fields.next()?, "Z" | "X");
    Some(Stat {
        name: before.split_once('(')?.1.to_owned(),
        is_dead,
        parent: fields.next()?.parse().ok()?,
        group: fields.next()?.parse().ok()?,
        // The 22nd of all, and this is behind the 5th.
        started: fields.nth(16)?.parse().ok()?,
    })
}

/// One that has just ended needs none, and one that is not ours to signal is found to be left.
fn signal(members: &[Member], signal: Signal) {
    for member in members {
        pidfd_send_signal(&member.process, signal).ok();
    }
}

/// They stand still before the first of them dies: a shell that sees its command killed says so, and that would be told as
/// its last words.
fn kill(members: &[Member]) {
    signal(members, Signal::STOP);
    signal(members, Signal::KILL);
}

/// Waits until they are gone, or until the deadline.
async fn gone(members: Vec<Member>, deadline: Instant) -> io::Result<()> {
    let waited = tokio::task::spawn_blocking(move || {
        members
            .iter()
            .try_for_each(|member| wait_for_end(&member.process, Some(deadline)))
    });
    waited.await?
}

/// Returns when the process has ended, or at the deadline; where it is killed, it ends.
pub fn wait_for_end(process: &OwnedFd, deadline: Option<Instant>) -> io::Result<()> {
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let left = left.map(Timespec::try_from).transpose();
        let left = left.map_err(io::Error::other)?;
        let mut ends = [PollFd::new(process, PollFlags::IN)];
        match poll(&mut ends, left.as_ref()) {
            Err(Errno::INTR) => {}
            waited => return Ok(waited.map(drop)?),
        }
    }
}
