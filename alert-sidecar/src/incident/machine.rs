//! The machine that follows a journey through its incidents.
//!
//! | standing | the runs are judged | becomes | change |
//! |---|---|---|---|
//! | no incident | failing | failing; flapping where it is one incident too many in a short time | [`Change::Opened`], at the first failed run |
//! | no incident | local | local | [`Change::Opened`], one step less urgent |
//! | no incident | well, undecided | no incident | |
//! | failing | well | no incident | [`Change::Closed`], at the first run that got through |
//! | failing | failing, local, undecided | failing | |
//! | local | failing | failing | [`Change::Became`] |
//! | local | well | no incident | [`Change::Closed`] |
//! | local | local, undecided | local | |
//! | flapping | well for the span of calm | no incident | [`Change::Closed`], at the first run of the calm |
//! | flapping | failing without a break for the span of calm | failing | [`Change::Became`], at the first run of the calm |
//! | flapping | anything else | flapping | |
//!
//! A closed incident never opens again: what fails later is another one, and the runs of the earlier one do not count
//! towards it.

use jiff::{SignedDuration, Timestamp};

use super::{Change, Form, Incident};
use crate::{
    flux::Observation,
    judge::{Criteria, Verdict, judge, lasts},
};

/// What is known of one journey.
#[derive(Clone, Debug)]
pub struct History<'a> {
    /// The incident that is open.
    pub open: Option<Incident>,
    /// When its earlier incidents began, as far back as [`crate::judge::Flapping::within`].
    pub beginnings: Vec<Timestamp>,
    /// The runs since the last incident ended, the one before the open one where one is open; of every probe whose view
    /// counts, the newest last.
    pub runs: &'a [Observation],
    /// Runs up to this one were judged before; those that arrive later than that change the judgement of the present, never
    /// that of the past.
    pub judged_until: Option<Timestamp>,
}

/// Follows the runs of one journey to its changes, in the order of their time.
#[must_use]
pub fn follow(rule: &str, criteria: Criteria, history: History<'_>) -> Vec<Change> {
    let History {
        mut open,
        mut beginnings,
        runs,
        judged_until,
    } = history;
    let judged = runs.partition_point(|run| Some(run.at) <= judged_until);
    let first_step = judged.min(runs.len().saturating_sub(1));
    let mut changes = Vec::new();
    let mut from = 0;
    for newest in first_step..runs.len() {
        let known = &runs[from..=newest];
        let verdict = judge(known, criteria);
        let Some(change) = step(rule, criteria, open.as_ref(), &beginnings, known, &verdict) else {
            continue;
        };
        match &change {
            Change::Opened(incident) => {
                beginnings.push(incident.started_at);
                open = Some(incident.clone());
            }
            Change::Closed(incident) => {
                let ended = incident.end.as_ref().map(|end| end.at);
                from = runs.partition_point(|run| Some(run.at) <= ended);
                open = None;
            }
            Change::Became { present, .. } => {
                beginnings.push(present.started_at);
                open = Some(Incident::clone(present));
            }
        }
        changes.push(change);
    }
    changes
}

/// The table above, a row an arm.
fn step(
    rule: &str,
    criteria: Criteria,
    open: Option<&Incident>,
    beginnings: &[Timestamp],
    known: &[Observation],
    verdict: &Verdict<'_>,
) -> Option<Change> {
    match (open, verdict) {
        (None, Verdict::Failing { first, .. }) => {
            let form = if flaps(criteria, beginnings, first.at) {
                Form::Flapping
            } else {
                Form::Failing
            };
            Some(Change::Opened(Incident::open(rule, first, form)))
        }
        (None, Verdict::Local { first, elsewhere }) => {
            let elsewhere = elsewhere.iter().map(ToString::to_string).collect();
            let form = Form::Local(elsewhere);
            Some(Change::Opened(Incident::open(rule, first, form)))
        }
        (None, Verdict::Well { .. } | Verdict::Undecided) => None,
        (Some(incident), verdict) => match (&incident.form, verdict) {
            (Form::Failing | Form::Local(_), Verdict::Well { run }) => {
                Some(Change::Closed(incident.clone().closed(run)))
            }
            (Form::Local(_), Verdict::Failing { first, .. }) => {
                // Two incidents that begin with the same run would be one.
                (first.at > incident.started_at).then(|| became(rule, incident, first))
            }
            (Form::Flapping, Verdict::Well { .. }) => {
                let (first, newest) = calm(known, |_| true)?;
                lasts(first, newest, criteria.flapping.calm)
                    .then(|| Change::Closed(incident.clone().closed(first)))
            }
            (Form::Flapping, Verdict::Failing { newest, .. }) => {
                let (first, newest) = calm(known, |run| run.series == newest.series)?;
                (lasts(first, newest, criteria.flapping.calm) && first.at > incident.started_at)
                    .then(|| became(rule, incident, first))
            }
            (Form::Failing, Verdict::Failing { .. })
            | (Form::Failing | Form::Local(_) | Form::Flapping, Verdict::Local { .. })
            | (_, Verdict::Undecided) => None,
        },
    }
}

fn became(rule: &str, former: &Incident, first: &Observation) -> Change {
    Change::Became {
        former: Box::new(former.clone().closed(first)),
        present: Box::new(Incident::open(rule, first, Form::Failing)),
    }
}

/// Whether an incident that begins now would be one too many.
fn flaps(criteria: Criteria, beginnings: &[Timestamp], at: Timestamp) -> bool {
    let flapping = criteria.flapping;
    let within = SignedDuration::try_from(flapping.within).unwrap_or(SignedDuration::MAX);
    let recent = beginnings
        .iter()
        .filter(|began| **began <= at && at.duration_since(**began) <= within);
    recent.count() + 1 >= flapping.after
}

/// The first and the newest run of the unbroken row, good or bad, that the chosen runs end with.
fn calm(
    known: &[Observation],
    chosen: impl Fn(&Observation) -> bool,
) -> Option<(&Observation, &Observation)> {
    let mut counted = known
        .iter()
        .rev()
        .filter(|run| run.outcome.is_valid() && chosen(run));
    let newest = counted.next()?;
    let first = counted
        .take_while(|run| run.outcome.is_ok() == newest.outcome.is_ok())
        .last();
    Some((first.unwrap_or(newest), newest))
}
