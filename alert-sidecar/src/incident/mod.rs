//! What users suffer: from the first failed run to the first one that got through. Pure: what is known and the runs go in,
//! changes come out.
//!
//! | standing | the runs are judged | becomes | change |
//! |---|---|---|---|
//! | no incident | failing | open | [`Change::Opened`], at the first failed run |
//! | no incident | well, suspicious, unknown | no incident | |
//! | open | well | no incident | [`Change::Closed`], at the first run that got through |
//! | open | failing, suspicious, unknown | open | |
//!
//! A closed incident never opens again: what fails later is another one, and the runs of the earlier one do not count
//! towards it.

use jiff::{SignedDuration, Timestamp};
use vigia_contract::{data_model::Impact, slug::slug};

use crate::{
    flux::{Observation, Series, observation::Failure},
    judge::{Threshold, Verdict, judge},
};

/// One incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Made of what it is about and when it began: the same incident found again has the same identity.
    pub id: String,
    /// The rule that opened it.
    pub rule: String,
    /// Which journey, seen from where.
    pub series: Series,
    /// How much the system mattered when it opened.
    pub impact: Impact,
    /// When the first failed run began.
    pub started_at: Timestamp,
    /// That run.
    pub run_id: String,
    /// Why that run failed.
    pub failure: Failure,
    /// Nothing while users still suffer.
    pub end: Option<End>,
}

/// How an incident ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// When the first run that got through began.
    pub at: Timestamp,
    /// That run.
    pub run_id: String,
}

impl Incident {
    fn open(rule: &str, first: &Observation) -> Self {
        let Series {
            system,
            journey,
            probe,
        } = &first.series;
        let names = [rule, system, journey, probe].map(slug).join(".");
        Self {
            id: format!("{names}.{}", first.at.as_nanosecond()),
            rule: rule.to_owned(),
            series: first.series.clone(),
            impact: first.impact,
            started_at: first.at,
            run_id: first.run_id.clone(),
            failure: first.failure.clone(),
            end: None,
        }
    }

    /// How long it lasted, or has lasted until now.
    #[must_use]
    pub fn duration(&self, now: Timestamp) -> SignedDuration {
        self.end
            .as_ref()
            .map_or(now, |end| end.at)
            .duration_since(self.started_at)
    }
}

/// What happened to an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Users began to suffer.
    Opened(Incident),
    /// Users can work again.
    Closed(Incident),
}

/// Follows the runs of one series to its changes, in the order of their time.
///
/// `runs` are those since the last incident ended, or since the open one began and as many before it as the threshold looks
/// back, the newest last. Those up to `judged_until` were judged before; runs that arrive later than that change the
/// judgement of the present, never that of the past.
#[must_use]
pub fn follow(
    rule: &str,
    threshold: Threshold,
    mut open: Option<Incident>,
    runs: &[Observation],
    judged_until: Option<Timestamp>,
) -> Vec<Change> {
    let judged = runs.partition_point(|run| Some(run.at) <= judged_until);
    let first_step = judged.min(runs.len().saturating_sub(1));
    let mut changes = Vec::new();
    let mut from = 0;
    for newest in first_step..runs.len() {
        match (judge(&runs[from..=newest], threshold), open.take()) {
            (Verdict::Failing { first }, None) => {
                let incident = Incident::open(rule, first);
                changes.push(Change::Opened(incident.clone()));
                open = Some(incident);
            }
            (Verdict::Well { run }, Some(mut incident)) => {
                incident.end = Some(End {
                    at: run.at,
                    run_id: run.run_id.clone(),
                });
                changes.push(Change::Closed(incident));
                from = newest + 1;
            }
            (_, unchanged) => open = unchanged,
        }
    }
    changes
}
