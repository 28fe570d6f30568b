//! When a journey runs. Pure: it is told the time and answers with what to do.
//!
//! Every journey has its own place in its interval, from a hash of its name, so that the starts are spread and stay where
//! they are across restarts. A journey never overlaps itself; what cannot start before its next slot has missed it, and
//! every slot that was missed is told.

mod maintenance;
mod now;
mod place;
mod shard;

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use vigia_contract::data_model::Impact;

pub use maintenance::{Maintenance, MaintenanceTable};
pub use now::Now;
pub use shard::Shard;

use place::next_start;

/// A machine that slept for long has missed many slots: of each journey only the last ones are told one by one, a day of one
/// that runs every minute.
const MISSED_TOLD_MAX: u64 = 1440;

const STILL_UNDER_WAY: &str = "the run before it was still under way";
const NO_SLOT: &str = "no slot was free: every one of `max_concurrent` was taken";
const NOT_AWAKE: &str =
    "the probe was not awake in this slot: the machine slept, or had no time for it";
const TAKEN_OUT: &str = "its journey was taken out of the configuration while it waited for a slot";
const STOPPED: &str = "the probe was stopped while it waited for a slot";

/// What the schedule has to know of a journey.
#[derive(Clone, Debug)]
pub struct Slot {
    /// Unique: it decides the place in the interval.
    pub name: Arc<str>,
    /// From start to start.
    pub every: Duration,
    /// Who goes first when places are short.
    pub impact: Impact,
}

/// What to do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Start a run.
    Start {
        /// The name of its slot.
        journey: Arc<str>,
        /// How long it has waited for a free place.
        queued: Duration,
    },
    /// Say that a run was missed.
    Missed {
        /// The name of its slot.
        journey: Arc<str>,
        /// When it should have started.
        due: Timestamp,
        /// Why it did not.
        why: &'static str,
        /// So many slots before this one were missed too and are not told one by one.
        untold: u64,
    },
}

/// Who runs, who waits, who is next.
#[derive(Debug)]
pub struct Schedule {
    entries: Vec<Entry>,
    max_concurrent: usize,
    /// When it was last asked.
    last: Now,
}

#[derive(Debug)]
struct Entry {
    slot: Slot,
    next: Timestamp,
    waiting: Option<Waiting>,
    running: bool,
    has_run: bool,
    /// It is no longer in the configuration, and its last run is under way.
    leaving: bool,
}

/// It is due and has no place.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    due: Timestamp,
    /// By the clock that nobody sets.
    since: Duration,
}

impl Entry {
    fn new(slot: Slot, now: Now) -> Self {
        Self {
            next: next_start(&slot.name, slot.every, now.wall),
            slot,
            waiting: None,
            running: false,
            has_run: false,
            leaving: false,
        }
    }

    fn missed(&self, due: Timestamp, why: &'static str) -> Decision {
        Decision::Missed {
            journey: Arc::clone(&self.slot.name),
            due,
            why,
            untold: 0,
        }
    }

    /// The slots that have come up to `now`; the last of them may still start.
    fn come_due(&mut self, now: Now, decisions: &mut Vec<Decision>) {
        if now.wall < self.next {
            return;
        }
        let every_ns = self.slot.every.as_nanos().max(1);
        let behind = now.since(self.next).as_nanos() / every_ns;
        let behind = u64::try_from(behind).unwrap_or(u64::MAX);
        let last = self.next.saturating_add(times(self.slot.every, behind));
        let last = last.unwrap_or(now.wall);
        if let Some(waiting) = self.waiting.take() {
            decisions.push(self.missed(waiting.due, NO_SLOT));
        }
        let why = if self.running {
            STILL_UNDER_WAY
        } else {
            NOT_AWAKE
        };
        let told = behind.min(MISSED_TOLD_MAX);
        for back in (1..=told).rev() {
            let due = last.saturating_sub(times(self.slot.every, back));
            decisions.push(Decision::Missed {
                journey: Arc::clone(&self.slot.name),
                due: due.unwrap_or(last),
                why,
                untold: if back == told { behind - told } else { 0 },
            });
        }
        if self.running {
            decisions.push(self.missed(last, STILL_UNDER_WAY));
        } else {
            self.waiting = Some(Waiting {
                due: last,
                since: now.elapsed.saturating_sub(now.since(last)),
            });
        }
        self.next = next_start(&self.slot.name, self.slot.every, now.wall);
    }
}

fn times(every: Duration, count: u64) -> SignedDuration {
    let nanoseconds = every.as_nanos().saturating_mul(u128::from(count));
    SignedDuration::from_nanos(i64::try_from(nanoseconds).unwrap_or(i64::MAX))
}

impl Schedule {
    /// Every journey's first run is at its own place after `now`.
    pub fn new(slots: Vec<Slot>, max_concurrent: usize, now: Now) -> Self {
        let entries = slots.into_iter().map(|slot| Entry::new(slot, now));
        Self {
            entries: entries.collect(),
            max_concurrent,
            last: now,
        }
    }

    /// What is due at `now`.
    pub fn tick(&mut self, now: Now) -> Vec<Decision> {
        let mut decisions = Vec::new();
        let set = now.set_since(self.last);
        // What the clock would show had nobody set it: the slots up to then have really come.
        let unset = Now {
            wall: set.map_or(now.wall, |step| {
                now.wall.saturating_sub(step).unwrap_or(now.wall)
            }),
            ..now
        };
        self.last = now;
        for entry in self.entries.iter_mut().filter(|entry| !entry.leaving) {
            entry.come_due(unset, &mut decisions);
            if set.is_some() {
                entry.next = next_start(&entry.slot.name, entry.slot.every, now.wall);
            }
        }
        self.fill_places(now, &mut decisions);
        decisions
    }

    /// Makes every journey due that has not run yet: Telegraf asked for points now.
    pub fn ask_for_first_runs(&mut self, now: Now) -> Vec<Decision> {
        for entry in self.entries.iter_mut().filter(|entry| !entry.has_run) {
            entry.waiting.get_or_insert(Waiting {
                due: now.wall,
                since: now.elapsed,
            });
        }
        let mut decisions = Vec::new();
        self.fill_places(now, &mut decisions);
        decisions
    }

    /// Other journeys from now on. Those that stay go on as they are; the last runs of those that go are let end.
    pub fn replace(&mut self, slots: Vec<Slot>, max_concurrent: usize, now: Now) -> Vec<Decision> {
        let mut decisions = self.tick(now);
        self.max_concurrent = max_concurrent;
        let mut old = std::mem::take(&mut self.entries);
        for slot in slots {
            let known = old.iter().position(|entry| entry.slot.name == slot.name);
            let entry = match known.map(|index| old.swap_remove(index)) {
                Some(entry) if entry.slot.every == slot.every => Entry {
                    slot,
                    leaving: false,
                    ..entry
                },
                Some(entry) => Entry {
                    next: next_start(&slot.name, slot.every, now.wall),
                    slot,
                    leaving: false,
                    ..entry
                },
                None => Entry::new(slot, now),
            };
            self.entries.push(entry);
        }
        for entry in old {
            if let Some(waiting) = entry.waiting {
                decisions.push(entry.missed(waiting.due, TAKEN_OUT));
            }
            if entry.running {
                self.entries.push(Entry {
                    waiting: None,
                    leaving: true,
                    ..entry
                });
            }
        }
        self.fill_places(now, &mut decisions);
        decisions
    }

    /// Nothing starts any more: what waits for a place has missed its slot.
    pub fn stop(&mut self) -> Vec<Decision> {
        let missed = |entry: &mut Entry| {
            let waiting = entry.waiting.take()?;
            Some(entry.missed(waiting.due, STOPPED))
        };
        self.entries.iter_mut().filter_map(missed).collect()
    }

    /// A run has ended, so its place is free; call [`Self::tick`] afterwards.
    pub fn finished(&mut self, journey: &str) {
        self.entries
            .retain(|entry| !(entry.leaving && *entry.slot.name == *journey));
        for entry in &mut self.entries {
            if *entry.slot.name == *journey {
                entry.running = false;
            }
        }
    }

    /// How many are due and wait for a free place.
    pub fn queued(&self) -> usize {
        self.entries
            .iter()
            .filter(|entry| entry.waiting.is_some())
            .count()
    }

    /// When to ask again, unless a run ends before.
    pub fn next_wake(&self) -> Option<Timestamp> {
        let staying = self.entries.iter().filter(|entry| !entry.leaving);
        staying.map(|entry| entry.next).min()
    }

    fn fill_places(&mut self, now: Now, decisions: &mut Vec<Decision>) {
        let running = self.entries.iter().filter(|entry| entry.running).count();
        let mut waiting: Vec<(Impact, Duration, usize)> = self
            .entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| !entry.running)
            .filter_map(|(index, entry)| {
                let waiting = entry.waiting?;
                Some((entry.slot.impact, waiting.since, index))
            })
            .collect();
        waiting.sort_unstable();
        for (_, since, index) in waiting
            .into_iter()
            .take(self.max_concurrent.saturating_sub(running))
        {
            let entry = &mut self.entries[index];
            entry.waiting = None;
            entry.running = true;
            entry.has_run = true;
            decisions.push(Decision::Start {
                journey: Arc::clone(&entry.slot.name),
                queued: now.elapsed.saturating_sub(since),
            });
        }
    }
}

#[cfg(test)]
mod tests;
