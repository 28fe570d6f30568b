//! How the systems stand: what is open and what the newest runs came to go in, one line a system comes out. Pure.
//!
//! | what is known | state |
//! |---|---|
//! | an open incident: users cannot work | down |
//! | no run within its time, or none that could be measured, or the monitoring is blind | unknown |
//! | an open incident of another kind: slow, from one place only, a certificate | degraded |
//! | the newest run of a journey failed, and not yet enough of them | suspicious |
//! | none of it | well |

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use vigia_contract::data_model::Impact;

use crate::{
    flux::{Observation, observation::OURS},
    incident::{Form, Incident, monitoring},
    judge::silence::PATIENCE_WITHOUT_INTERVAL,
    store::overview::Overview,
};

/// No system is unknown sooner than this after its last run.
const SHORTEST_PATIENCE: Duration = Duration::from_mins(10);

/// After so many intervals without a run nobody knows how a system is.
const INTERVALS: u32 = 3;

/// How a system is for its users; the order is by what a person should look at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// They cannot work.
    Down,
    /// Nobody knows.
    Unknown,
    /// They can work, and something is wrong.
    Degraded,
    /// It may be about to fail.
    Suspicious,
    /// They can work.
    Well,
}

impl State {
    /// Its name in the page's words and style.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Unknown => "unknown",
            Self::Degraded => "degraded",
            Self::Suspicious => "suspicious",
            Self::Well => "well",
        }
    }
}

/// One system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its name in the data.
    pub system: String,
    /// How much it matters: as much as the journey that matters most.
    pub impact: Impact,
    /// How it is.
    pub state: State,
    /// Since when, where anybody knows.
    pub since: Option<Timestamp>,
    /// When its newest run began.
    pub looked: Option<Timestamp>,
}

/// Whether the monitoring itself is blind.
#[must_use]
pub fn is_blind(open: &[Incident]) -> bool {
    open.iter()
        .any(|incident| incident.rule == monitoring::RULE && incident.impact == Impact::Critical)
}

/// Every system that a rule about journeys knows, or that has an open incident; by impact, the worst first.
#[must_use]
pub fn standings(
    overview: &Overview,
    journey_rules: &BTreeSet<String>,
    now: Timestamp,
) -> Vec<Standing> {
    let mut runs: BTreeMap<&str, Vec<&Observation>> = BTreeMap::new();
    for (rule, run) in &overview.runs {
        if journey_rules.contains(rule) {
            runs.entry(&run.series.system).or_default().push(run);
        }
    }
    let mut open: BTreeMap<&str, Vec<&Incident>> = BTreeMap::new();
    for incident in &overview.open {
        open.entry(&incident.series.system)
            .or_default()
            .push(incident);
    }
    let ended: BTreeMap<&str, Timestamp> = overview
        .ended
        .iter()
        .map(|(system, at)| (system.as_str(), *at))
        .collect();
    let names: BTreeSet<&str> = runs.keys().chain(open.keys()).copied().collect();
    let is_blind = is_blind(&overview.open);
    let mut standings: Vec<Standing> = names
        .into_iter()
        .filter(|name| *name != OURS)
        .map(|name| {
            let runs = runs.get(name).map_or(&[][..], Vec::as_slice);
            let open = open.get(name).map_or(&[][..], Vec::as_slice);
            let (state, since) = state(runs, open, ended.get(name).copied(), is_blind, now);
            let impacts = runs.iter().map(|run| run.impact);
            let impacts = impacts.chain(open.iter().map(|incident| incident.impact));
            Standing {
                system: name.to_owned(),
                impact: impacts.min().unwrap_or(Impact::Low),
                state,
                since,
                looked: runs.iter().map(|run| run.at).max(),
            }
        })
        .collect();
    standings.sort_by(|a, b| (a.impact, a.state, &a.system).cmp(&(b.impact, b.state, &b.system)));
    standings
}

fn state(
    runs: &[&Observation],
    open: &[&Incident],
    ended: Option<Timestamp>,
    is_blind: bool,
    now: Timestamp,
) -> (State, Option<Timestamp>) {
    let oldest = |wanted: fn(&Incident) -> bool| {
        let starts = open.iter().filter(|incident| wanted(incident));
        starts.map(|incident| incident.started_at).min()
    };
    if let Some(since) = oldest(stops_users) {
        return (State::Down, Some(since));
    }
    let is_known = runs.is_empty() || runs.iter().any(|run| is_fresh(run, now));
    if is_blind || !is_known {
        return (State::Unknown, runs.iter().map(|run| run.at).max());
    }
    if let Some(since) = oldest(|_| true) {
        return (State::Degraded, Some(since));
    }
    let failed = runs
        .iter()
        .filter(|run| run.outcome.is_valid() && !run.outcome.is_ok());
    match failed.map(|run| run.at).min() {
        Some(at) => (State::Suspicious, Some(at)),
        None => (State::Well, ended),
    }
}

/// Whether users cannot work because of it, wherever they are.
fn stops_users(incident: &Incident) -> bool {
    incident.trouble().is_none() && !matches!(incident.form, Form::Local(_))
}

fn is_fresh(run: &Observation, now: Timestamp) -> bool {
    let every = run.every.unwrap_or(PATIENCE_WITHOUT_INTERVAL / INTERVALS);
    let patience = every.saturating_mul(INTERVALS).max(SHORTEST_PATIENCE);
    let patience = SignedDuration::try_from(patience).unwrap_or(SignedDuration::MAX);
    run.outcome.is_valid() && now.duration_since(run.at) <= patience
}

#[cfg(test)]
mod tests {
    use vigia_contract::data_model::Outcome;

    use super::*;
    use crate::{
        flux::{Series, observation::Failure},
        incident::End,
    };

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn series(system: &str, journey: &str) -> Series {
        Series {
            system: system.into(),
            journey: journey.into(),
            probe: "p".into(),
        }
    }

    fn run(system: &str, at: i64, outcome: Outcome) -> (String, Observation) {
        let run = Observation {
            series: series(system, "j"),
            at: second(at),
            impact: Impact::High,
            outcome,
            run_id: at.to_string(),
            failure: Failure::default(),
            every: Some(Duration::from_mins(1)),
        };
        ("failed".into(), run)
    }

    fn incident(system: &str, rule: &str, at: i64, class: Option<&str>, form: Form) -> Incident {
        Incident {
            id: format!("{rule}.{system}.{at}"),
            rule: rule.into(),
            series: series(system, "j"),
            impact: Impact::Critical,
            started_at: second(at),
            run_id: String::new(),
            failure: Failure {
                class: class.map(str::to_owned),
                ..Failure::default()
            },
            form,
            end: None::<End>,
        }
    }

    fn told(overview: &Overview) -> Vec<String> {
        standings(
            overview,
            &BTreeSet::from(["failed".to_owned()]),
            second(10_000),
        )
        .into_iter()
        .map(|standing| {
            let since = standing
                .since
                .map_or("-".into(), |at| at.as_second().to_string());
            format!(
                "{} {} {} {since}",
                standing.impact,
                standing.system,
                standing.state.name()
            )
        })
        .collect()
    }

    #[test]
    fn every_row_of_the_table() {
        let overview = Overview {
            runs: vec![
                run("down", 9_990, Outcome::Failed),
                run("well", 9_990, Outcome::Ok),
                run("recovered", 9_990, Outcome::Slow),
                run("stale", 9_000, Outcome::Ok),
                run("unmeasured", 9_990, Outcome::Unmeasured),
                run("slow", 9_990, Outcome::Slow),
                run("suspicious", 9_980, Outcome::Failed),
                run("local", 9_990, Outcome::Failed),
            ],
            open: vec![
                incident(
                    "down",
                    "failed",
                    9_000,
                    Some("element_missing"),
                    Form::Failing,
                ),
                incident("down", "slow", 8_000, Some("slow"), Form::Failing),
                incident("slow", "slow", 9_500, Some("slow"), Form::Failing),
                incident(
                    "local",
                    "failed",
                    9_600,
                    None,
                    Form::Local(vec!["q".into()]),
                ),
                incident("server", "disk", 9_700, Some("disk"), Form::Failing),
            ],
            ended: vec![
                ("recovered".into(), second(5_000)),
                ("down".into(), second(1)),
            ],
            ..Overview::default()
        };
        assert_eq!(
            told(&overview),
            [
                "critical down down 9000",
                "critical local degraded 9600",
                "critical server degraded 9700",
                "critical slow degraded 9500",
                "high stale unknown 9000",
                "high unmeasured unknown 9990",
                "high suspicious suspicious 9980",
                "high recovered well 5000",
                "high well well -",
            ]
        );
    }

    #[test]
    fn while_the_monitoring_is_blind_nothing_is_well() {
        let overview = Overview {
            runs: vec![
                run("well", 9_990, Outcome::Ok),
                run("down", 9_990, Outcome::Failed),
            ],
            open: vec![
                incident("down", "failed", 9_000, None, Form::Failing),
                incident(OURS, monitoring::RULE, 9_995, Some("blind"), Form::Failing),
            ],
            ..Overview::default()
        };
        assert_eq!(
            told(&overview),
            ["critical down down 9000", "high well unknown 9990"]
        );
    }
}
