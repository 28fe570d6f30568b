//! What a probe has of the machine: the processes of its browser, its descriptors, its tasks, its profile folders.

use std::{
    fs,
    time::{Duration, Instant},
};

use rustix::process::Pid;

use crate::running::{PATIENCE, Setting, members};

/// So long the same, and it is at rest: longer than Chromium takes to end or to start a process.
const REST: Duration = Duration::from_millis(600);

const PAUSE: Duration = Duration::from_millis(20);

/// How many of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    browser_processes: usize,
    descriptors: usize,
    tasks: usize,
    profiles: usize,
}

impl Census {
    /// Now.
    fn take(probe: Pid, setting: &Setting) -> Self {
        let count = |folder: &str| {
            fs::read_dir(format!("/proc/{probe}/{folder}")).map_or(0, Iterator::count)
        };
        Self {
            browser_processes: setting
                .browser_groups()
                .into_iter()
                .map(|group| members(group).len())
                .sum(),
            descriptors: count("fd"),
            tasks: count("task"),
            profiles: setting.profiles().len(),
        }
    }

    /// When nothing has changed for a while: between two runs.
    pub fn at_rest(probe: Pid, setting: &Setting) -> Self {
        let deadline = Instant::now() + PATIENCE;
        let mut census = Self::take(probe, setting);
        let mut since = Instant::now();
        while since.elapsed() < REST {
            assert!(Instant::now() < deadline, "never at rest: {census:?}");
            std::thread::sleep(PAUSE);
            let now = Self::take(probe, setting);
            if now != census {
                census = now;
                since = Instant::now();
            }
        }
        census
    }

    /// Waits until there is no more of anything than there was.
    pub fn comes_back(&self, probe: Pid, setting: &Setting) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let now = Self::take(probe, setting);
            let more = now.browser_processes > self.browser_processes
                || now.descriptors > self.descriptors
                || now.tasks > self.tasks
                || now.profiles > self.profiles;
            if !more {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "there was {self:?} and there is {now:?}"
            );
            std::thread::sleep(PAUSE);
        }
    }
}
