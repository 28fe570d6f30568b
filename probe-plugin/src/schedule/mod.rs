//! When a journey runs. Pure: it is told the time and answers with what to do.
//!
//! Every journey has its own place in its interval, from a hash of its name, so that the starts are spread and stay where
//! they are across restarts. A journey never overlaps itself; what cannot start before its next slot has missed it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use vigia_contract::data_model::Impact;

/// What the schedule has to know of a journey.
#[derive(Clone, Debug)]
pub struct Slot {
    /// Unique: it decides the place in the interval.
    pub name: String,
    /// From start to start.
    pub every: Duration,
    /// Who goes first when places are short.
    pub impact: Impact,
}

/// What to do now. `journey` is the index of its slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Start a run.
    Start {
        /// Which.
        journey: usize,
        /// When it should have started.
        due: Timestamp,
    },
    /// Say that a run was missed.
    Missed {
        /// Which.
        journey: usize,
        /// When it should have started.
        due: Timestamp,
        /// Why it did not.
        why: &'static str,
    },
}

/// Who runs, who waits, who is next.
#[derive(Debug)]
pub struct Schedule {
    entries: Vec<Entry>,
    max_concurrent: usize,
}

#[derive(Debug)]
struct Entry {
    slot: Slot,
    next: Timestamp,
    waiting_since: Option<Timestamp>,
    running: bool,
    has_run: bool,
}

impl Schedule {
    /// Every journey's first run is at its own place after `now`.
    pub fn new(slots: Vec<Slot>, max_concurrent: usize, now: Timestamp) -> Self {
        let entries = slots
            .into_iter()
            .map(|slot| Entry {
                next: next_start(&slot, now),
                slot,
                waiting_since: None,
                running: false,
                has_run: false,
            })
            .collect();
        Self {
            entries,
            max_concurrent,
        }
    }

    /// What is due at `now`.
    pub fn tick(&mut self, now: Timestamp) -> Vec<Decision> {
        let mut decisions = Vec::new();
        for (journey, entry) in self.entries.iter_mut().enumerate() {
            if entry.next.duration_since(now).unsigned_abs() > entry.slot.every && now < entry.next
            {
                // The clock was set back: the next place is one of the time that it is now.
                entry.next = next_start(&entry.slot, now);
            }
            if now < entry.next {
                continue;
            }
            let due = entry.next;
            entry.next = next_start(&entry.slot, now);
            if entry.running {
                let why = "the run before it was still under way";
                decisions.push(Decision::Missed { journey, due, why });
            } else if let Some(due) = entry.waiting_since.replace(due) {
                let why = "no slot was free: every one of `max_concurrent` was taken";
                decisions.push(Decision::Missed { journey, due, why });
            }
        }
        self.fill_places(&mut decisions);
        decisions
    }

    /// Makes every journey due that has not run yet: Telegraf asked for points now.
    pub fn ask_for_first_runs(&mut self, now: Timestamp) -> Vec<Decision> {
        for entry in self.entries.iter_mut().filter(|entry| !entry.has_run) {
            entry.waiting_since.get_or_insert(now);
        }
        let mut decisions = Vec::new();
        self.fill_places(&mut decisions);
        decisions
    }

    /// A run has ended, so its place is free; call [`Self::tick`] afterwards.
    pub fn finished(&mut self, journey: usize) {
        self.entries[journey].running = false;
    }

    /// How many are due and wait for a free place.
    pub fn queued(&self) -> usize {
        self.entries
            .iter()
            .filter(|entry| entry.waiting_since.is_some())
            .count()
    }

    /// When to ask again, unless a run ends before.
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.entries.iter().map(|entry| entry.next).min()
    }

    fn fill_places(&mut self, decisions: &mut Vec<Decision>) {
        let running = self.entries.iter().filter(|entry| entry.running).count();
        let mut waiting: Vec<(Impact, Timestamp, usize)> = self
            .entries
            .iter()
            .enumerate()
            .filter(|(_, entry)| !entry.running)
            .filter_map(|(journey, entry)| {
                entry
                    .waiting_since
                    .map(|since| (entry.slot.impact, since, journey))
            })
            .collect();
        waiting.sort_unstable();
        for (_, due, journey) in waiting
            .into_iter()
            .take(self.max_concurrent.saturating_sub(running))
        {
            let entry = &mut self.entries[journey];
            entry.waiting_since = None;
            entry.running = true;
            entry.has_run = true;
            decisions.push(Decision::Start { journey, due });
        }
    }
}

/// The first of the journey's own places that is later than `now`.
fn next_start(slot: &Slot, now: Timestamp) -> Timestamp {
    let every_ns = i128::try_from(slot.every.as_nanos())
        .unwrap_or(i128::MAX)
        .max(1);
    let place_ns = i128::from(hash(&slot.name)).rem_euclid(every_ns);
    let past_ns = (now.as_nanosecond() - place_ns).rem_euclid(every_ns);
    let wait_ns = i64::try_from(every_ns - past_ns).unwrap_or(i64::MAX);
    now.checked_add(SignedDuration::from_nanos(wait_ns))
        .unwrap_or(Timestamp::MAX)
}

/// FNV-1a with 64 bits: the same in every version and on every machine, which the standard library does not promise.
/// Source of the two constants: draft-eastlake-fnv.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(name: &str, every_s: u64, impact: Impact) -> Slot {
        Slot {
            name: name.into(),
            every: Duration::from_secs(every_s),
            impact,
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    fn starts(decisions: &[Decision]) -> Vec<usize> {
        decisions
            .iter()
            .filter_map(|decision| match decision {
                Decision::Start { journey, .. } => Some(*journey),
                Decision::Missed { .. } => None,
            })
            .collect()
    }

    #[test]
    fn the_starts_of_many_journeys_are_spread_over_their_interval() {
        let mut per_second = [0_usize; 60];
        for number in 0..600 {
            let slot = slot(&format!("sistema-{number}/consultar"), 60, Impact::High);
            let wait = next_start(&slot, at(0)).duration_since(at(0));
            per_second[usize::try_from(wait.as_secs()).unwrap() % 60] += 1;
        }
        assert!(
            per_second.iter().all(|count| (1..=30).contains(count)),
            "{per_second:?}"
        );
    }

    #[test]
    fn a_journey_keeps_its_place_when_the_probe_is_restarted() {
        let slot = slot("tramites/consultar", 60, Impact::High);
        let first = next_start(&slot, at(0));
        let later = next_start(&slot, at(600));
        assert_eq!(later.duration_since(first).as_secs() % 60, 0);
    }

    #[test]
    fn critical_journeys_go_first_when_places_are_short() {
        let slots = vec![
            slot("low", 60, Impact::Low),
            slot("critical", 60, Impact::Critical),
            slot("high", 60, Impact::High),
        ];
        let mut schedule = Schedule::new(slots, 1, at(0));
        assert_eq!(starts(&schedule.tick(at(60))), [1]);
        schedule.finished(1);
        assert_eq!(starts(&schedule.tick(at(60))), [2]);
        schedule.finished(2);
        assert_eq!(starts(&schedule.tick(at(60))), [0]);
    }

    #[test]
    fn a_run_that_outlives_its_interval_makes_the_next_one_missed() {
        let mut schedule = Schedule::new(vec![slot("slow", 10, Impact::High)], 2, at(0));
        assert_eq!(starts(&schedule.tick(at(10))), [0]);
        let decisions = schedule.tick(at(20));
        assert!(
            matches!(
                decisions[..],
                [Decision::Missed {
                    journey: 0,
                    why: "the run before it was still under way",
                    ..
                }]
            ),
            "{decisions:?}"
        );
        schedule.finished(0);
        assert_eq!(starts(&schedule.tick(at(20))), Vec::<usize>::new());
        assert_eq!(starts(&schedule.tick(at(30))), [0]);
    }

    #[test]
    fn a_run_that_waits_until_its_next_slot_has_missed_the_first() {
        let slots = vec![
            slot("busy", 3600, Impact::Critical),
            slot("waits", 10, Impact::Low),
        ];
        let mut schedule = Schedule::new(slots, 1, at(0));
        assert_eq!(starts(&schedule.tick(at(3600))), [0]);
        let decisions = schedule.tick(at(3610));
        assert!(
            matches!(decisions[..], [Decision::Missed { journey: 1, .. }]),
            "{decisions:?}"
        );
    }

    #[test]
    fn a_clock_that_jumps_ahead_starts_each_journey_once() {
        let mut schedule = Schedule::new(vec![slot("a", 10, Impact::High)], 2, at(0));
        assert_eq!(starts(&schedule.tick(at(86_400))), [0]);
        schedule.finished(0);
        assert_eq!(starts(&schedule.tick(at(86_400))), Vec::<usize>::new());
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_make_the_probe_blind() {
        let mut schedule = Schedule::new(vec![slot("a", 10, Impact::High)], 2, at(0));
        assert_eq!(starts(&schedule.tick(at(3600))), [0]);
        schedule.finished(0);
        assert_eq!(starts(&schedule.tick(at(15))), Vec::<usize>::new());
        assert_eq!(starts(&schedule.tick(at(25))), [0]);
    }

    #[test]
    fn asked_for_points_every_journey_runs_once_at_once() {
        let slots = vec![slot("a", 3600, Impact::High), slot("b", 3600, Impact::High)];
        let mut schedule = Schedule::new(slots, 2, at(0));
        assert_eq!(starts(&schedule.ask_for_first_runs(at(1))), [0, 1]);
        assert_eq!(
            starts(&schedule.ask_for_first_runs(at(2))),
            Vec::<usize>::new()
        );
    }
}
