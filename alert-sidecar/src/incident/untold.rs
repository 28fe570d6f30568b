//! Something critical that nobody was told of is an incident of its own, of the system that Vigía itself is. Pure.

use jiff::Timestamp;
use vigia_contract::data_model::{Impact, Outcome};

use super::{Change, End, Form, Incident};
use crate::flux::{
    Observation, Series, Trouble,
    observation::{Failure, OURS},
};

/// The rule whose incidents these are. No rule of an operator's has this name: it is refused.
pub const RULE: &str = "telling";

/// What stands in the place of a probe: it is seen from here.
const HERE: &str = "vigia-alert";

/// The incident that this one was told to nobody; its run is the identity of this one.
#[must_use]
pub fn untold(incident: &Incident) -> Incident {
    let series = &incident.series;
    let first = Observation {
        series: Series {
            system: OURS.to_owned(),
            journey: format!("{}/{}/{}", series.system, series.journey, series.probe),
            probe: HERE.to_owned(),
        },
        at: incident.started_at,
        impact: Impact::Critical,
        outcome: Outcome::Failed,
        run_id: incident.id.clone(),
        failure: Failure {
            class: Some(Trouble::Untold.name().to_owned()),
            error: Some(incident.id.clone()),
            ..Failure::default()
        },
        every: None,
    };
    Incident::open(RULE, &first, Form::Failing)
}

/// The identity of that incident.
#[must_use]
pub fn id_of(incident: &Incident) -> String {
    untold(incident).id
}

/// Somebody was told, or it is over.
#[must_use]
pub fn is_over(mut untold: Incident, now: Timestamp) -> Change {
    untold.end = Some(End {
        at: now,
        run_id: now.to_string(),
    });
    Change::Closed(untold)
}
