//! The point of the probe about itself: whether the robots work.

use jiff::Timestamp;
use vigia_contract::data_model::{Outcome, measurement, tag};

use super::{
    line::{Point, Value},
    points::{count, nanoseconds},
};

/// What has happened since the probe was started.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    /// How many journeys it has.
    pub journeys: usize,
    /// How many run now.
    pub running: usize,
    /// Runs that were made, whatever they came to.
    pub runs: usize,
    /// Runs that could not start in their slot.
    pub missed: usize,
    /// Runs that said nothing about the system.
    pub unmeasured: usize,
}

impl Counters {
    /// One more.
    pub const fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Missed => self.missed += 1,
            Outcome::Unmeasured => {
                self.runs += 1;
                self.unmeasured += 1;
            }
            Outcome::Ok | Outcome::Slow | Outcome::Failed => self.runs += 1,
        }
    }
}

/// The point.
pub fn probe_point(probe: &str, counters: Counters, now: Timestamp) -> Point {
    let mut fields = vec![
        ("journeys", count(counters.journeys)),
        ("running", count(counters.running)),
        ("runs", count(counters.runs)),
        ("missed", count(counters.missed)),
        ("unmeasured", count(counters.unmeasured)),
    ];
    fields.extend(resident_bytes().map(|bytes| ("resident_bytes", Value::Integer(bytes))));
    Point {
        measurement: measurement::PROBE,
        tags: vec![(tag::PROBE, probe.to_owned())],
        fields,
        timestamp_ns: nanoseconds(now),
    }
}

/// The probe's own memory, without the browser's.
fn resident_bytes() -> Option<i64> {
    // The second number is the resident set, in pages: proc_pid_statm(5).
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: i64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * i64::try_from(rustix::param::page_size()).ok()?)
}
