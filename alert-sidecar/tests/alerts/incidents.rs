//! The incident machine against a model that knows the whole history.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use vigia_alert::{
    flux::{Observation, Series, observation::Failure},
    incident::{Change, Incident, follow},
    judge::Threshold,
};
use vigia_contract::data_model::{Impact, Outcome};

fn run(second: usize, outcome: Outcome) -> Observation {
    Observation {
        series: Series {
            system: "tramites".into(),
            journey: "consultar".into(),
            probe: "sede".into(),
        },
        at: Timestamp::UNIX_EPOCH + SignedDuration::from_secs(i64::try_from(second).unwrap()),
        impact: Impact::Critical,
        outcome,
        run_id: second.to_string(),
        failure: Failure::default(),
    }
}

/// Beginnings and ends as the second of their runs, found the slow and obvious way: every run is looked at in turn, with
/// all that count before it.
fn model(outcomes: &[Outcome], failed: usize, of: usize) -> Vec<(usize, Option<usize>)> {
    let mut incidents: Vec<(usize, Option<usize>)> = Vec::new();
    let mut counted: Vec<(usize, bool)> = Vec::new();
    for (second, outcome) in outcomes.iter().enumerate() {
        if !outcome.is_valid() {
            continue;
        }
        counted.push((second, outcome.is_ok()));
        if let Some((_, end @ None)) = incidents.last_mut() {
            if outcome.is_ok() {
                *end = Some(second);
                counted.clear();
            }
            continue;
        }
        let recent = &counted[counted.len().saturating_sub(of)..];
        let bad = recent.iter().filter(|(_, ok)| !ok).count();
        if !outcome.is_ok() && bad >= failed {
            let mut start = recent.iter().find(|(_, ok)| !ok).unwrap().0;
            for (second, ok) in counted[..counted.len() - recent.len()].iter().rev() {
                if *ok {
                    break;
                }
                start = *second;
            }
            incidents.push((start, None));
        }
    }
    incidents
}

/// What the machine finds when the runs arrive in these portions, as the keeper of the store hands them over.
fn followed(
    outcomes: &[Outcome],
    threshold: Threshold,
    portions: &[usize],
) -> Vec<(usize, Option<usize>)> {
    let runs: Vec<_> = outcomes
        .iter()
        .enumerate()
        .map(|(second, outcome)| run(second, *outcome))
        .collect();
    let mut incidents: Vec<Incident> = Vec::new();
    let mut arrived: usize = 0;
    for portion in portions.iter().copied().chain([runs.len()]) {
        let judged_until = arrived.checked_sub(1).map(|last| runs[last].at);
        arrived = (arrived + portion).min(runs.len());
        let last = incidents.last().cloned();
        let ended = last
            .as_ref()
            .and_then(|incident| incident.end.clone())
            .map(|end| end.at);
        let open = last.filter(|incident| incident.end.is_none());
        let known: Vec<_> = runs[..arrived]
            .iter()
            .filter(|run| Some(run.at) > ended)
            .cloned()
            .collect();
        for change in follow("rule", threshold, open, &known, judged_until.max(ended)) {
            match change {
                Change::Opened(incident) => incidents.push(incident),
                Change::Closed(incident) => *incidents.last_mut().unwrap() = incident,
            }
        }
    }
    incidents
        .iter()
        .map(|incident| {
            let end = incident.end.as_ref().map(|end| end.run_id.parse().unwrap());
            (incident.run_id.parse().unwrap(), end)
        })
        .collect()
}

fn outcomes() -> impl Strategy<Value = Vec<Outcome>> {
    let outcome = prop_oneof![
        4 => Just(Outcome::Failed),
        3 => Just(Outcome::Ok),
        1 => Just(Outcome::Slow),
        1 => Just(Outcome::Unmeasured),
        1 => Just(Outcome::Missed),
    ];
    prop::collection::vec(outcome, 0..40)
}

proptest! {
    #[test]
    fn however_the_runs_arrive_the_incidents_are_those_of_the_model(
        outcomes in outcomes(),
        (of, failed) in (1_usize..6).prop_flat_map(|of| (Just(of), 1..=of)),
        portions in prop::collection::vec(0_usize..7, 0..20),
    ) {
        let threshold: Threshold = format!("{failed} of {of}").parse().unwrap();
        prop_assert_eq!(followed(&outcomes, threshold, &portions), model(&outcomes, failed, of));
    }

    #[test]
    fn runs_that_say_nothing_about_the_system_change_nothing(outcomes in outcomes()) {
        let threshold = Threshold::default();
        let valid: Vec<_> = outcomes.iter().copied().filter(|outcome| outcome.is_valid()).collect();
        prop_assert_eq!(
            followed(&outcomes, threshold, &[]).len(),
            followed(&valid, threshold, &[]).len()
        );
    }
}

/// Changes, told by their runs.
fn told(changes: &[Change]) -> Vec<String> {
    changes
        .iter()
        .map(|change| match change {
            Change::Opened(incident) => format!("opened at {}", incident.run_id),
            Change::Closed(incident) => {
                format!("closed at {}", incident.end.as_ref().unwrap().run_id)
            }
        })
        .collect()
}

#[test]
fn a_run_that_arrives_late_completes_the_judgement_of_the_present() {
    let runs = [
        run(1, Outcome::Ok),
        run(2, Outcome::Failed),
        run(3, Outcome::Failed),
    ];

    // The run of the second 2 came after that of the second 3.
    let changes = follow("rule", Threshold::default(), None, &runs, Some(runs[2].at));

    assert_eq!(told(&changes), ["opened at 2"]);
}

#[test]
fn a_late_run_from_before_the_recovery_opens_nothing() {
    let runs = [
        run(1, Outcome::Failed),
        run(2, Outcome::Failed),
        run(3, Outcome::Ok),
    ];

    let changes = follow("rule", Threshold::default(), None, &runs, Some(runs[2].at));

    assert_eq!(told(&changes), [""; 0]);
}
