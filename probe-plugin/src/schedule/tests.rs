//! The schedule with paused time: every moment is handed to it.

use super::*;

fn slot(name: &str, every_s: u64, impact: Impact) -> Slot {
    Slot {
        name: name.into(),
        every: Duration::from_secs(every_s),
        impact,
    }
}

/// Both clocks go on together.
fn at(seconds: u64) -> Now {
    let wall = i64::try_from(seconds).unwrap();
    Now {
        wall: Timestamp::from_second(1_700_000_000 + wall).unwrap(),
        elapsed: Duration::from_secs(seconds),
    }
}

/// The clock on the wall has been set by so much.
fn set_by(seconds: i64, now: Now) -> Now {
    Now {
        wall: now.wall + SignedDuration::from_secs(seconds),
        ..now
    }
}

fn starts(decisions: &[Decision]) -> Vec<&str> {
    decisions
        .iter()
        .filter_map(|decision| match decision {
            Decision::Start { journey, .. } => Some(&**journey),
            Decision::Missed { .. } => None,
        })
        .collect()
}

/// Each as its place in the sample's time, and why.
fn missed(decisions: &[Decision]) -> Vec<(i64, &'static str)> {
    decisions
        .iter()
        .filter_map(|decision| match decision {
            Decision::Start { .. } => None,
            Decision::Missed { due, why, .. } => Some((due.as_second() - 1_700_000_000, *why)),
        })
        .collect()
}

const NOTHING: [&str; 0] = [];

#[test]
fn critical_journeys_go_first_when_places_are_short() {
    let slots = vec![
        slot("low", 60, Impact::Low),
        slot("critical", 60, Impact::Critical),
        slot("high", 60, Impact::High),
    ];
    let mut schedule = Schedule::new(slots, 1, at(0));
    assert_eq!(starts(&schedule.tick(at(60))), ["critical"]);
    schedule.finished("critical");
    assert_eq!(starts(&schedule.tick(at(60))), ["high"]);
    schedule.finished("high");
    assert_eq!(starts(&schedule.tick(at(60))), ["low"]);
}

#[test]
fn who_waited_for_a_place_is_told_with_how_long() {
    let slots = vec![
        slot("a", 3600, Impact::Critical),
        slot("b", 3600, Impact::Low),
    ];
    let mut schedule = Schedule::new(slots, 1, at(0));
    assert_eq!(starts(&schedule.ask_for_first_runs(at(1))), ["a"]);
    schedule.finished("a");
    let decisions = schedule.tick(at(8));
    let b_starts = decisions.iter().any(|decision| {
        *decision
            == Decision::Start {
                journey: "b".into(),
                queued: Duration::from_secs(7),
            }
    });
    assert!(b_starts, "{decisions:?}");
}

#[test]
fn a_run_that_outlives_its_interval_makes_every_slot_in_it_missed() {
    let mut schedule = Schedule::new(vec![slot("slow", 10, Impact::High)], 2, at(0));
    assert_eq!(starts(&schedule.tick(at(10))), ["slow"]);
    let place = missed(&schedule.tick(at(20)))[0].0;
    let decisions = schedule.tick(at(50));
    assert_eq!(
        missed(&decisions),
        [10, 20, 30].map(|later| (place + later, STILL_UNDER_WAY))
    );
    schedule.finished("slow");
    assert_eq!(starts(&schedule.tick(at(50))), NOTHING);
    assert_eq!(starts(&schedule.tick(at(60))), ["slow"]);
}

#[test]
fn a_run_that_waits_until_its_next_slot_has_missed_the_first() {
    let slots = vec![
        slot("busy", 3600, Impact::Critical),
        slot("waits", 10, Impact::Low),
    ];
    let mut schedule = Schedule::new(slots, 1, at(0));
    schedule.ask_for_first_runs(at(0));
    schedule.tick(at(10));
    let decisions = schedule.tick(at(20));
    assert_eq!(missed(&decisions).len(), 1, "{decisions:?}");
    assert_eq!(missed(&decisions)[0].1, NO_SLOT);
}

#[test]
fn a_machine_that_slept_starts_each_journey_once_and_tells_every_slot_that_it_slept_through() {
    let mut schedule = Schedule::new(vec![slot("a", 60, Impact::High)], 2, at(0));
    assert_eq!(starts(&schedule.tick(at(60))), ["a"]);
    schedule.finished("a");
    let decisions = schedule.tick(at(3660));
    assert_eq!(starts(&decisions), ["a"]);
    let missed = missed(&decisions);
    assert_eq!(missed.len(), 59, "sixty slots, and one of them runs");
    assert!(missed.iter().all(|(_, why)| *why == NOT_AWAKE));
    assert!(missed.windows(2).all(|two| two[1].0 - two[0].0 == 60));
}

#[test]
fn a_sleep_of_months_is_told_in_part_and_says_how_much_is_not() {
    let mut schedule = Schedule::new(vec![slot("a", 1, Impact::High)], 2, at(0));
    let decisions = schedule.tick(at(90 * 86_400));
    let mut total = 0;
    let mut points = 0;
    for decision in &decisions {
        if let Decision::Missed { untold, .. } = decision {
            points += 1;
            total += 1 + untold;
        }
    }
    assert_eq!(points, MISSED_TOLD_MAX);
    assert_eq!(total, 90 * 86_400 - 1);
    assert_eq!(starts(&decisions), ["a"]);
}

#[test]
fn a_clock_that_is_set_ahead_has_made_nobody_miss_anything() {
    let mut schedule = Schedule::new(vec![slot("a", 60, Impact::High)], 2, at(0));
    assert_eq!(starts(&schedule.tick(at(60))), ["a"]);
    schedule.finished("a");
    let decisions = schedule.tick(set_by(86_400, at(61)));
    assert_eq!(missed(&decisions), []);
    let mut runs = 0;
    for second in 62..=181 {
        let decisions = schedule.tick(set_by(86_400, at(second)));
        assert_eq!(missed(&decisions), []);
        runs += starts(&decisions).len();
        schedule.finished("a");
    }
    assert_eq!(runs, 2, "once a minute, as ever");
}

#[test]
fn a_clock_that_is_set_back_does_not_make_the_probe_blind() {
    let mut schedule = Schedule::new(vec![slot("a", 10, Impact::High)], 2, at(0));
    assert_eq!(starts(&schedule.tick(at(3600))), ["a"]);
    schedule.finished("a");
    assert_eq!(starts(&schedule.tick(set_by(-3000, at(3600)))), NOTHING);
    assert_eq!(starts(&schedule.tick(set_by(-3000, at(3610)))), ["a"]);
}

#[test]
fn a_wait_for_a_place_is_as_long_as_it_is_whatever_the_clock_is_set_to() {
    let slots = vec![
        slot("a", 3600, Impact::Critical),
        slot("b", 3600, Impact::Low),
    ];
    let mut schedule = Schedule::new(slots, 1, at(0));
    schedule.ask_for_first_runs(at(1));
    schedule.finished("a");
    let decisions = schedule.tick(set_by(-7200, at(8)));
    let queued = decisions.iter().find_map(|decision| match decision {
        Decision::Start { queued, .. } => Some(*queued),
        Decision::Missed { .. } => None,
    });
    assert_eq!(queued, Some(Duration::from_secs(7)));
}

#[test]
fn asked_for_points_every_journey_runs_once_at_once() {
    let slots = vec![slot("a", 3600, Impact::High), slot("b", 3600, Impact::High)];
    let mut schedule = Schedule::new(slots, 2, at(0));
    assert_eq!(starts(&schedule.ask_for_first_runs(at(1))), ["a", "b"]);
    assert_eq!(starts(&schedule.ask_for_first_runs(at(2))), NOTHING);
}

#[test]
fn what_waits_when_the_probe_is_stopped_has_missed_its_slot() {
    let slots = vec![slot("a", 3600, Impact::High), slot("b", 3600, Impact::Low)];
    let mut schedule = Schedule::new(slots, 1, at(0));
    schedule.ask_for_first_runs(at(1));
    assert_eq!(missed(&schedule.stop()), [(1, STOPPED)]);
    assert_eq!(missed(&schedule.stop()), []);
}

#[test]
fn other_journeys_take_over_and_those_that_stay_keep_their_places_and_runs() {
    let old = vec![
        slot("stays", 3600, Impact::High),
        slot("goes", 3600, Impact::High),
        slot("waits", 3600, Impact::Low),
    ];
    let mut schedule = Schedule::new(old, 2, at(0));
    assert_eq!(
        starts(&schedule.ask_for_first_runs(at(1))),
        ["stays", "goes"]
    );
    let new = vec![
        slot("new", 10, Impact::Low),
        slot("stays", 3600, Impact::High),
    ];

    let decisions = schedule.replace(new, 2, at(2));

    assert_eq!(missed(&decisions), [(1, TAKEN_OUT)]);
    assert_eq!(
        starts(&schedule.tick(at(12))),
        NOTHING,
        "both places are taken"
    );
    schedule.finished("goes");
    assert_eq!(starts(&schedule.tick(at(12))), ["new"]);
    assert_eq!(
        starts(&schedule.ask_for_first_runs(at(13))),
        NOTHING,
        "stays has run"
    );
    schedule.finished("stays");
    schedule.finished("new");
    let mut started = Vec::new();
    for second in 13..7200 {
        for name in starts(&schedule.tick(at(second))) {
            started.push(name.to_owned());
        }
        schedule.finished("stays");
        schedule.finished("new");
    }
    assert!(!started.contains(&"goes".to_owned()));
    assert!(started.contains(&"stays".to_owned()));
}

/// 150 journeys a minute take two places for seven eighths of the time.
#[test]
fn a_hundred_and_fifty_journeys_share_two_places_and_miss_nothing() {
    const RUN_TENTHS: u64 = 7;
    let slots = (0..150).map(|number| {
        let impact = if u32::is_multiple_of(number, 5) {
            Impact::Critical
        } else {
            Impact::Low
        };
        slot(&format!("sistema-{number}/consultar"), 60, impact)
    });
    let tenth = |tenths: u64| Now {
        wall: at(0).wall + SignedDuration::from_millis(i64::try_from(tenths * 100).unwrap()),
        elapsed: Duration::from_millis(tenths * 100),
    };
    let mut schedule = Schedule::new(slots.collect(), 2, tenth(0));
    let mut under_way: Vec<(u64, Arc<str>)> = Vec::new();
    let mut longest = [Duration::ZERO; 2];
    let mut runs = 0;
    for now in 0..36_000 {
        under_way.retain(|(end, journey)| {
            if *end <= now {
                schedule.finished(journey);
            }
            *end > now
        });
        for decision in schedule.tick(tenth(now)) {
            let Decision::Start { journey, queued } = decision else {
                panic!("{decision:?}");
            };
            assert!(
                under_way.iter().all(|(_, other)| *other != journey),
                "two of one journey"
            );
            let number: u32 = journey[8..].split('/').next().unwrap().parse().unwrap();
            let longest = &mut longest[usize::from(!number.is_multiple_of(5))];
            *longest = queued.max(*longest);
            under_way.push((now + RUN_TENTHS, journey));
            runs += 1;
        }
        assert!(under_way.len() <= 2);
    }
    assert!((150 * 59..=150 * 60).contains(&runs), "{runs}");
    assert!(longest[0] < Duration::from_secs(3), "critical: {longest:?}");
    assert!(longest[0] < longest[1], "{longest:?}");
}
