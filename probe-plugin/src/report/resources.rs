//! What the probe and its browser take from the machine, and whether the machine has enough, as the kernel tells it.

use std::{fs, time::Duration};

use rustix::{
    process::Pid,
    time::{ClockId, clock_gettime},
};

use crate::browser::{resident_bytes, resident_bytes_of_group};

/// Nothing where the kernel does not tell.
#[derive(Clone, Copy, Debug, Default)]
pub struct Resources {
    /// The probe's own memory, without the browser's.
    pub resident_bytes: Option<i64>,
    /// All the browser's processes; what they share counts for each.
    pub browser_resident_bytes: Option<i64>,
    /// How much of the last 10 s something waited for a processor: a starved machine measures itself.
    pub cpu_pressure_percent: Option<f64>,
}

impl Resources {
    /// Reads `/proc`; `browser` is the process group of the browser.
    pub fn read(browser: Option<Pid>) -> Self {
        Self {
            resident_bytes: resident_bytes("self"),
            browser_resident_bytes: browser.and_then(resident_bytes_of_group),
            cpu_pressure_percent: fs::read_to_string("/proc/pressure/cpu")
                .ok()
                .and_then(|text| some_avg10(&text)),
        }
    }
}

/// What this process has taken of the processors since it started, without its children.
pub fn own_cpu() -> Duration {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(spent).unwrap_or_default()
}

/// The most memory that this process has had at once.
pub fn peak_resident_bytes() -> Option<i64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    // In kB, which are 1024 bytes: proc_pid_status(5).
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: i64 = peak.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// From `some avg10=1.53 avg60=0.87 ...`: Linux, Documentation/accounting/psi.rst.
fn some_avg10(pressure: &str) -> Option<f64> {
    let line = pressure
        .lines()
        .find_map(|line| line.strip_prefix("some "))?;
    line.split(' ')
        .find_map(|field| field.strip_prefix("avg10="))?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_for_pressure_are_understood() {
        let text = "some avg10=12.34 avg60=0.87 avg300=0.11 total=5\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n";
        assert_eq!(some_avg10(text), Some(12.34));
        assert_eq!(some_avg10(""), None);
    }
}
