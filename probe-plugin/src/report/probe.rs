//! The point of the probe about itself: whether the robots work.

use jiff::Timestamp;
use vigia_contract::data_model::{Outcome, measurement, tag};

use super::{
    line::{Point, Value},
    points::{count, nanoseconds},
    resources::Resources,
};

/// What has happened since the probe was started.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    /// How many journeys it has.
    pub journeys: usize,
    /// How many run now.
    pub running: usize,
    /// How many are due and wait for a free place.
    pub queued: usize,
    /// How many times a browser was started.
    pub browser_starts: usize,
    /// Messages of the browsers that could not be read.
    pub unreadable_messages: usize,
    /// Runs that were made, whatever they came to.
    pub runs: usize,
    /// Runs that could not start in their slot.
    pub missed: usize,
    /// Runs that said nothing about the system.
    pub unmeasured: usize,
    /// Slots in which nothing was measured because of planned work.
    pub in_maintenance: usize,
    /// How many times the configuration was read anew and taken over.
    pub reloads: usize,
    /// How many mistakes the newest configuration has; as long as there are any, the one before it is in use.
    pub config_mistakes: usize,
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
pub fn probe_point(probe: &str, counters: Counters, resources: Resources, now: Timestamp) -> Point {
    let mut fields = vec![
        ("journeys", count(counters.journeys)),
        ("running", count(counters.running)),
        ("queued", count(counters.queued)),
        ("browser_starts", count(counters.browser_starts)),
        ("unreadable_messages", count(counters.unreadable_messages)),
        ("runs", count(counters.runs)),
        ("missed", count(counters.missed)),
        ("unmeasured", count(counters.unmeasured)),
        ("in_maintenance", count(counters.in_maintenance)),
        ("reloads", count(counters.reloads)),
        ("config_mistakes", count(counters.config_mistakes)),
    ];
    let bytes = [
        ("resident_bytes", resources.resident_bytes),
        ("browser_resident_bytes", resources.browser_resident_bytes),
    ];
    fields.extend(
        bytes
            .into_iter()
            .filter_map(|(name, bytes)| Some((name, Value::Integer(bytes?)))),
    );
    let pressure = resources.cpu_pressure_percent;
    fields.extend(pressure.map(|percent| ("cpu_pressure_percent", Value::Float(percent))));
    Point {
        measurement: measurement::PROBE,
        tags: vec![(tag::PROBE, probe.to_owned())],
        fields,
        timestamp_ns: nanoseconds(now),
    }
}
