//! What the whole machine's processors have done, as the kernel counts it.

use std::{fs, time::Duration};

use anyhow::{Context, Result};
use rustix::param::clock_ticks_per_second;

/// Busy since the machine started, all processors together: everything that runs, the site and other people's work
/// included. Not in it: idle, waiting for a disk, and what a hypervisor took away.
pub fn busy() -> Result<Duration> {
    let text = fs::read_to_string("/proc/stat").context("failed to read `/proc/stat`")?;
    ticks(&text)
        .map(|ticks| Duration::from_millis(ticks * 1000 / clock_ticks_per_second()))
        .context("`/proc/stat` does not begin as proc_stat(5) says")
}

/// How much of the last 10 s something waited for a processor; nothing where the kernel does not tell.
#[must_use]
pub fn pressure_percent() -> Option<f64> {
    let text = fs::read_to_string("/proc/pressure/cpu").ok()?;
    // `some avg10=1.53 avg60=0.87 ...`: Linux, Documentation/accounting/psi.rst.
    text.strip_prefix("some avg10=")?
        .split(' ')
        .next()?
        .parse()
        .ok()
}

/// `cpu user nice system idle iowait irq softirq steal ...`: `proc_stat(5)`.
fn ticks(stat: &str) -> Option<u64> {
    let fields: Vec<u64> = stat
        .lines()
        .next()?
        .strip_prefix("cpu ")?
        .split_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    match fields.as_slice() {
        [user, nice, system, _, _, irq, softirq, ..] => Some(user + nice + system + irq + softirq),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_and_stolen_time_is_not_busy() {
        let stat = "cpu  100 20 30 9000 400 5 6 7000 0 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n";
        assert_eq!(ticks(stat), Some(161));
        assert_eq!(ticks("cpu  1 2"), None);
    }
}
