//! What several probes see of one journey, put together: when enough of them see it fail users are affected; when it fails
//! for one while others get through at the same time, the fault lies near that one, and that is what is said.

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::{Criteria, View, look};
use crate::flux::Observation;

/// Whose views of a journey count together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probes {
    /// Nobody's: what one sees is an incident of its own.
    Each,
    /// So many must see it fail; all of them where there are fewer.
    Together(usize),
}

/// What the runs mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// Users cannot work.
    Failing {
        /// The first failed run of the probe that completed the number.
        first: &'a Observation,
        /// The newest failed run of that probe.
        newest: &'a Observation,
    },
    /// Too few probes see it fail, and the others got through after it began.
    Local {
        /// The first failed run.
        first: &'a Observation,
        /// The probes that get through.
        elsewhere: Vec<&'a str>,
    },
    /// Nobody sees it fail.
    Well {
        /// The first run that got through after the last failed one.
        run: &'a Observation,
    },
    /// Nothing that can be said yet, or nothing at all.
    Undecided,
}

/// A probe that reported this much longer ago than it usually does is not heard: what it saw is no longer what there is.
const MISSED_INTERVALS: i32 = 3;

/// No probe is left out sooner than this.
const SHORTEST_HEARING: SignedDuration = SignedDuration::from_mins(10);

/// How long a probe is heard of which only one run is known.
const HEARING_OF_ONE_RUN: SignedDuration = SignedDuration::from_hours(1);

/// Judges the runs of one journey, of every probe, in the order of their time, the newest last.
#[must_use]
pub fn judge(runs: &[Observation], criteria: Criteria) -> Verdict<'_> {
    let Some(now) = runs.last().map(|run| run.at) else {
        return Verdict::Undecided;
    };
    let mut probes: BTreeMap<&str, Vec<&Observation>> = BTreeMap::new();
    for run in runs {
        probes.entry(&run.series.probe).or_default().push(run);
    }
    let views: Vec<View> = if let [runs] = probes.values().collect::<Vec<_>>().as_slice() {
        // A single probe is heard whatever its age: nobody knows better.
        vec![look(runs, criteria)]
    } else {
        let heard = probes.values().filter(|runs| is_heard(runs, now));
        heard.map(|runs| look(runs, criteria)).collect()
    };
    let known = views.iter().filter(|view| **view != View::Unknown).count();
    let needed = match criteria.probes {
        Probes::Each => 1,
        Probes::Together(probes) => probes.min(known).max(1),
    };
    let mut failing: Vec<_> = views
        .iter()
        .filter_map(|view| match view {
            View::Failing { first, newest } => Some((*first, *newest)),
            _ => None,
        })
        .collect();
    failing.sort_by_key(|(first, _)| first.at);
    if let Some((first, newest)) = failing.get(needed - 1) {
        return Verdict::Failing { first, newest };
    }
    let well: Vec<_> = views
        .iter()
        .filter_map(|view| match view {
            View::Well { first, newest } => Some((*first, *newest)),
            _ => None,
        })
        .collect();
    match failing.first() {
        Some((first, _)) if failing.len() + well.len() == known => {
            // Those whose last look was before it began cannot know of it yet.
            if well.iter().all(|(_, newest)| newest.at > first.at) {
                let names = well.iter().map(|(_, newest)| newest.series.probe.as_str());
                return Verdict::Local {
                    first,
                    elsewhere: names.collect(),
                };
            }
            Verdict::Undecided
        }
        None if well.len() == known => last_recovery(runs, &well),
        _ => Verdict::Undecided,
    }
}

/// The first good run of the probe that recovered last.
fn last_recovery<'a>(
    runs: &'a [Observation],
    well: &[(&'a Observation, &'a Observation)],
) -> Verdict<'a> {
    let last_failed = runs
        .iter()
        .rev()
        .find(|run| run.outcome.is_valid() && !run.outcome.is_ok());
    let recovered = match last_failed {
        Some(failed) => well
            .iter()
            .find(|(first, _)| first.series == failed.series)
            .map(|(first, _)| *first),
        None => None,
    };
    recovered
        .or_else(|| {
            well.iter()
                .map(|(first, _)| *first)
                .max_by_key(|run| run.at)
        })
        .map_or(Verdict::Undecided, |run| Verdict::Well { run })
}

fn is_heard(runs: &[&Observation], now: Timestamp) -> bool {
    let mut counted = runs.iter().rev().filter(|run| run.outcome.is_valid());
    let Some(newest) = counted.next() else {
        return false;
    };
    let hearing = match (newest.every, counted.next()) {
        (Some(every), _) => signed(every) * MISSED_INTERVALS,
        (None, Some(before)) => newest.at.duration_since(before.at) * MISSED_INTERVALS,
        (None, None) => HEARING_OF_ONE_RUN,
    };
    now.duration_since(newest.at) <= hearing.max(SHORTEST_HEARING)
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX / MISSED_INTERVALS)
}

#[cfg(test)]
mod tests {
    use vigia_contract::data_model::{Impact, Outcome};

    use super::*;
    use crate::{flux::Series, judge::Threshold};

    /// A letter a run of each probe, `-` for none: the second probe's runs begin half a minute after those of the first.
    fn told(probes: &[&str], together: usize) -> String {
        let mut runs: Vec<Observation> = Vec::new();
        for (number, letters) in probes.iter().enumerate() {
            for (minute, letter) in letters.chars().enumerate() {
                let Some(outcome) = Outcome::ALL
                    .into_iter()
                    .find(|outcome| outcome.name().starts_with(letter))
                else {
                    continue;
                };
                let second = i64::try_from(minute * 60 + number * 10).unwrap();
                runs.push(Observation {
                    series: Series {
                        system: "s".into(),
                        journey: "j".into(),
                        probe: format!("p{number}"),
                    },
                    at: Timestamp::from_second(second).unwrap(),
                    impact: Impact::Critical,
                    outcome,
                    run_id: format!("p{number} at {minute}"),
                    failure: crate::flux::observation::Failure::default(),
                    every: None,
                });
            }
        }
        runs.sort_by_key(|run| run.at);
        let criteria = Criteria {
            fails_after: Threshold::default(),
            probes: Probes::Together(together),
            ..Criteria::FIRST
        };
        match judge(&runs, criteria) {
            Verdict::Failing { first, .. } => format!("failing: {}", first.run_id),
            Verdict::Local { first, elsewhere } => {
                format!("only {}, not {}", first.run_id, elsewhere.join(" "))
            }
            Verdict::Well { run } => format!("well: {}", run.run_id),
            Verdict::Undecided => "undecided".to_owned(),
        }
    }

    #[test]
    fn n_of_m_probes_decide_and_one_that_is_alone_is_told_as_such() {
        for (probes, together, expected) in [
            (&["off"][..], 2, "failing: p0 at 1"),
            (&["off", "ooo"], 1, "failing: p0 at 1"),
            (&["off", "off"], 2, "failing: p1 at 1"),
            (&["off", "ooo"], 2, "only p0 at 1, not p1"),
            // The second has not looked since the first failed.
            (&["off", "o--"], 2, "undecided"),
            (&["off", "oof"], 2, "undecided"),
            (&["off", "ouu"], 2, "undecided"),
            (&["off", "uuu"], 2, "failing: p0 at 1"),
            (&["off", "ooo", "ooo"], 2, "only p0 at 1, not p1 p2"),
            (&["off", "off", "ooo"], 2, "failing: p1 at 1"),
            (&["offo", "offf", "ooff"], 2, "failing: p2 at 2"),
            (&["ffo", "ooo"], 2, "well: p0 at 2"),
            (&["ffo", "ffo"], 2, "well: p1 at 2"),
            (&["uu", "um"], 2, "undecided"),
            (&[], 2, "undecided"),
        ] {
            assert_eq!(
                told(probes, together),
                expected,
                "{probes:?} with {together}"
            );
        }
    }

    #[test]
    fn a_probe_that_fell_silent_neither_holds_an_incident_open_nor_keeps_one_from_being_told() {
        let silent_while_failing = ["off-----------------", "oooooooooooooooooooo"];
        assert_eq!(told(&silent_while_failing, 2), "well: p1 at 0");
        let silent_while_well = ["ooo-----------------", "oooooooooooooooooooff"];
        assert_eq!(told(&silent_while_well, 2), "failing: p1 at 19");
    }
}
