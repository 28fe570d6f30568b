//! The incident machine against a model that knows the whole history.

use std::{collections::BTreeSet, time::Duration};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use vigia_alert::{
    flux::{Observation, Series, observation::Failure},
    incident::{Change, Form, History, Incident, follow},
    judge::{Criteria, Flapping, Probes, Threshold},
};
use vigia_contract::data_model::{Impact, Outcome};

/// One run a minute, each of some probe.
type Run = (u8, Outcome);

fn minutes(minutes: usize) -> Duration {
    Duration::from_mins(minutes.try_into().unwrap())
}

fn run(minute: usize, (probe, outcome): Run) -> Observation {
    Observation {
        series: Series {
            system: "tramites".into(),
            journey: "consultar".into(),
            probe: probe.to_string(),
        },
        at: Timestamp::UNIX_EPOCH + minutes(minute),
        impact: Impact::Critical,
        outcome,
        run_id: minute.to_string(),
        failure: Failure::default(),
        every: None,
    }
}

/// An incident as the minutes of its runs.
#[derive(Clone, Debug, PartialEq)]
struct Told {
    form: &'static str,
    began: usize,
    ended: Option<usize>,
}

/// The table of the machine and the rules of judging, in the slow and obvious way: at every run, everything that happened
/// since the last incident is looked at again.
fn model(runs: &[Run], criteria: Criteria) -> Vec<Told> {
    let mut incidents: Vec<Told> = Vec::new();
    let mut since = 0;
    for now in 0..runs.len() {
        let known: Vec<(usize, Run)> = (since..=now).map(|minute| (minute, runs[minute])).collect();
        let verdict = verdict(&known, now, criteria);
        let open = incidents
            .iter_mut()
            .find(|incident| incident.ended.is_none());
        let calm = usize::try_from(criteria.flapping.calm.as_secs() / 60).unwrap();
        match (open.map(|open| (open.form, open)), verdict) {
            (None, ("failing", Some(began))) => {
                let within = usize::try_from(criteria.flapping.within.as_secs() / 60).unwrap();
                let recent = incidents
                    .iter()
                    .filter(|earlier| earlier.began + within >= began);
                let flaps = recent.count() + 1 >= criteria.flapping.after;
                incidents.push(Told {
                    form: if flaps { "flapping" } else { "failing" },
                    began,
                    ended: None,
                });
            }
            (None, ("local", Some(began))) => incidents.push(Told {
                form: "local",
                began,
                ended: None,
            }),
            (Some(("failing" | "local", open)), ("well", end)) => {
                open.ended = end;
                since = end.unwrap() + 1;
            }
            (Some(("local", open)), ("failing", Some(began))) if began > open.began => {
                open.ended = Some(began);
                incidents.push(Told {
                    form: "failing",
                    began,
                    ended: None,
                });
            }
            (Some(("flapping", open)), ("well", _)) => {
                let (first, last) = unbroken(&known, None).unwrap();
                if last - first >= calm {
                    open.ended = Some(first);
                    since = first + 1;
                }
            }
            (Some(("flapping", open)), ("failing", Some(began))) => {
                let probe = runs[began].0;
                let (first, last) = unbroken(&known, Some(probe)).unwrap();
                if last - first >= calm && first > open.began {
                    open.ended = Some(first);
                    incidents.push(Told {
                        form: "failing",
                        began: first,
                        ended: None,
                    });
                }
            }
            _ => {}
        }
    }
    incidents
}

fn counted(known: &[(usize, Run)], probe: Option<u8>) -> Vec<(usize, bool)> {
    known
        .iter()
        .filter(|(_, (of, outcome))| outcome.is_valid() && probe.is_none_or(|probe| probe == *of))
        .map(|(minute, (_, outcome))| (*minute, outcome.is_ok()))
        .collect()
}

/// The last stretch of equal runs.
fn unbroken(known: &[(usize, Run)], probe: Option<u8>) -> Option<(usize, usize)> {
    let counted = counted(known, probe);
    let (last, is_ok) = *counted.last()?;
    let change = counted.iter().rposition(|(_, ok)| *ok != is_ok);
    Some((counted[change.map_or(0, |index| index + 1)].0, last))
}

fn verdict(
    known: &[(usize, Run)],
    now: usize,
    criteria: Criteria,
) -> (&'static str, Option<usize>) {
    let Probes::Together(together) = criteria.probes else {
        unreachable!("the model puts probes together")
    };
    let probes: BTreeSet<u8> = known.iter().map(|(_, (probe, _))| *probe).collect();
    let mut failing = Vec::new();
    let mut well = Vec::new();
    let mut suspicious = 0;
    for probe in &probes {
        let counted = counted(known, Some(*probe));
        let Some((newest, is_ok)) = counted.last().copied() else {
            continue;
        };
        let silent_for = now - newest;
        let hearing = match counted.len() {
            1 => 60,
            length => (3 * (newest - counted[length - 2].0)).max(10),
        };
        if probes.len() > 1 && silent_for > hearing {
            continue;
        }
        if is_ok {
            let good = counted.iter().rev().take_while(|(_, ok)| *ok).count();
            if good >= criteria.recovers_after {
                well.push((counted[counted.len() - good].0, newest));
            } else {
                suspicious += 1;
            }
            continue;
        }
        let recent = &counted[counted.len().saturating_sub(criteria.fails_after.of())..];
        let bad = recent.iter().filter(|(_, ok)| !ok).count();
        let mut first = recent.iter().find(|(_, ok)| !ok).unwrap().0;
        for (minute, ok) in counted[..counted.len() - recent.len()].iter().rev() {
            if *ok {
                break;
            }
            first = *minute;
        }
        if bad >= criteria.fails_after.failed() && minutes(newest - first) >= criteria.lasting {
            failing.push(first);
        } else {
            suspicious += 1;
        }
    }
    let heard = failing.len() + well.len() + suspicious;
    let needed = together.min(heard).max(1);
    failing.sort_unstable();
    if failing.len() >= needed {
        return ("failing", Some(failing[needed - 1]));
    }
    if suspicious > 0 || heard == 0 {
        return ("undecided", None);
    }
    if let Some(first) = failing.first() {
        let have_looked = well.iter().all(|(_, newest)| newest > first);
        return if have_looked {
            ("local", Some(*first))
        } else {
            ("undecided", None)
        };
    }
    // The probe that failed last recovered last, if it is still heard.
    let last_failed = known
        .iter()
        .rev()
        .find(|(_, (_, outcome))| outcome.is_valid() && !outcome.is_ok());
    let recovered = last_failed.and_then(|(_, (probe, _))| {
        let (first, _) = unbroken(known, Some(*probe))?;
        well.iter().find(|(since, _)| *since == first)
    });
    let end = recovered.or(well.iter().max()).unwrap().0;
    ("well", Some(end))
}

/// What the machine finds when the runs arrive in these portions, as the keeper of the store hands them over.
fn followed(runs: &[Run], criteria: Criteria, portions: &[usize]) -> Vec<Told> {
    let runs: Vec<_> = runs
        .iter()
        .enumerate()
        .map(|(minute, of)| run(minute, *of))
        .collect();
    let mut incidents: Vec<Incident> = Vec::new();
    let mut arrived: usize = 0;
    for portion in portions.iter().copied().chain([runs.len()]) {
        let newest_known = arrived.checked_sub(1).map(|last| runs[last].at);
        arrived = (arrived + portion).min(runs.len());
        let open = incidents.last().filter(|last| last.end.is_none()).cloned();
        let ends = incidents
            .iter()
            .filter_map(|incident| incident.end.as_ref());
        let ended = ends
            .map(|end| end.at)
            .filter(|at| open.as_ref().is_none_or(|open| *at < open.started_at))
            .max();
        let known: Vec<_> = runs[..arrived]
            .iter()
            .filter(|run| Some(run.at) > ended)
            .cloned()
            .collect();
        let history = History {
            open,
            beginnings: incidents
                .iter()
                .map(|incident| incident.started_at)
                .collect(),
            runs: &known,
            judged_until: newest_known.max(ended),
        };
        for change in follow("rule", criteria, history) {
            match change {
                Change::Opened(incident) => incidents.push(incident),
                Change::Closed(incident) => *incidents.last_mut().unwrap() = incident,
                Change::Became { former, present } => {
                    *incidents.last_mut().unwrap() = *former;
                    incidents.push(*present);
                }
            }
        }
    }
    let told = incidents.iter().map(|incident| Told {
        form: match incident.form {
            Form::Failing => "failing",
            Form::Flapping => "flapping",
            Form::Local(_) => "local",
        },
        began: incident.run_id.parse().unwrap(),
        ended: incident.end.as_ref().map(|end| end.run_id.parse().unwrap()),
    });
    told.collect()
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        4 => Just(Outcome::Failed),
        3 => Just(Outcome::Ok),
        1 => Just(Outcome::Slow),
        1 => Just(Outcome::Unmeasured),
        1 => Just(Outcome::Missed),
    ]
}

fn runs() -> impl Strategy<Value = Vec<Run>> {
    (1_u8..4).prop_flat_map(|probes| prop::collection::vec((0..probes, outcome()), 0..50))
}

prop_compose! {
    fn criteria()(
        (of, failed) in (1_usize..5).prop_flat_map(|of| (Just(of), 1..=of)),
        recovers_after in 1_usize..4,
        lasting in 0_usize..5,
        together in 1_usize..4,
        after in 1_usize..5,
        within in 1_usize..30,
        calm in 1_usize..8,
    ) -> Criteria {
        Criteria {
            fails_after: threshold(failed, of),
            recovers_after,
            lasting: minutes(lasting),
            probes: Probes::Together(together),
            flapping: Flapping { after, within: minutes(within), calm: minutes(calm) },
        }
    }
}

fn threshold(failed: usize, of: usize) -> Threshold {
    format!("{failed} of {of}").parse().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn however_the_runs_arrive_the_incidents_are_those_of_the_model(
        runs in runs(),
        criteria in criteria(),
        portions in prop::collection::vec(0_usize..7, 0..20),
    ) {
        prop_assert_eq!(followed(&runs, criteria, &portions), model(&runs, criteria));
    }

    #[test]
    fn runs_that_say_nothing_about_the_system_change_nothing(
        runs in prop::collection::vec((Just(0_u8), outcome()), 0..50),
        criteria in criteria(),
    ) {
        // In place of each run that says nothing there is none, so that the times stay as they are.
        let incidents = followed(&runs, criteria, &[]);
        let only_valid = model(&runs, criteria);
        prop_assert_eq!(incidents.len(), only_valid.len());
        for incident in &incidents {
            let (_, outcome) = runs[incident.began];
            prop_assert_eq!(outcome, Outcome::Failed);
            if let Some(end) = incident.ended {
                prop_assert!(runs[end].1.is_valid() && end > incident.began);
            }
        }
    }
}

/// Every history of up to seven runs of one probe, under every small set of criteria.
#[test]
fn no_short_history_differs_from_the_model() {
    let outcomes = [Outcome::Failed, Outcome::Ok, Outcome::Unmeasured];
    let mut checked = 0;
    for length in 0..=7_u32 {
        for number in 0..3_usize.pow(length) {
            let runs: Vec<Run> = (0..length)
                .map(|place| (0, outcomes[number / 3_usize.pow(place) % 3]))
                .collect();
            for (failed, of, recovers_after, after) in
                [(1, 1, 1, 2), (2, 3, 1, 9), (2, 2, 2, 2), (1, 2, 2, 1)]
            {
                let criteria = Criteria {
                    fails_after: threshold(failed, of),
                    recovers_after,
                    lasting: Duration::ZERO,
                    probes: Probes::Together(1),
                    flapping: Flapping {
                        after,
                        within: minutes(5),
                        calm: minutes(2),
                    },
                };
                assert_eq!(
                    followed(&runs, criteria, &[]),
                    model(&runs, criteria),
                    "{runs:?} {criteria:?}"
                );
                checked += 1;
            }
        }
    }
    assert_eq!(checked, 4 * 3280);
}

fn alone() -> Criteria {
    Criteria {
        fails_after: Threshold::default(),
        ..Criteria::FIRST
    }
}

/// Changes, told by their runs.
fn told(runs: &[Observation], judged_until: Timestamp) -> Vec<String> {
    let history = History {
        open: None,
        beginnings: Vec::new(),
        runs,
        judged_until: Some(judged_until),
    };
    follow("rule", alone(), history)
        .iter()
        .map(|change| match change {
            Change::Opened(incident) => format!("opened at {}", incident.run_id),
            Change::Closed(incident) => {
                format!("closed at {}", incident.end.as_ref().unwrap().run_id)
            }
            Change::Became { present, .. } => format!("became {}", present.run_id),
        })
        .collect()
}

#[test]
fn a_run_that_arrives_late_completes_the_judgement_of_the_present() {
    let runs = [
        run(1, (0, Outcome::Ok)),
        run(2, (0, Outcome::Failed)),
        run(3, (0, Outcome::Failed)),
    ];

    // The run of the minute 2 came after that of the minute 3.
    assert_eq!(told(&runs, runs[2].at), ["opened at 2"]);
}

#[test]
fn a_late_run_from_before_the_recovery_opens_nothing() {
    let runs = [
        run(1, (0, Outcome::Failed)),
        run(2, (0, Outcome::Failed)),
        run(3, (0, Outcome::Ok)),
    ];

    assert_eq!(told(&runs, runs[2].at), [""; 0]);
}

#[test]
fn what_was_over_long_ago_is_no_news_and_what_lasts_is() {
    let runs = [
        run(1, (0, Outcome::Failed)),
        run(2, (0, Outcome::Failed)),
        run(3, (0, Outcome::Ok)),
        run(4, (0, Outcome::Failed)),
        run(5, (0, Outcome::Failed)),
    ];
    let history = History {
        open: None,
        beginnings: Vec::new(),
        runs: &runs,
        judged_until: None,
    };
    let changes = follow("rule", alone(), history);
    let now = runs[4].at + SignedDuration::from_mins(30);
    let is_old = |change: &Change| match change {
        Change::Opened(incident) => vigia_alert::incident::is_old_news(incident, &changes, now),
        _ => false,
    };

    assert_eq!(
        changes.iter().map(is_old).collect::<Vec<_>>(),
        [true, false, false]
    );
}
