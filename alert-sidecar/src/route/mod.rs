//! Who is told of an incident. Pure: the incident and the routes go in, channels or the reason for none come out.

pub mod decision;
pub mod matcher;
pub mod silence;

use std::collections::BTreeSet;

use serde::Deserialize;
use vigia_contract::data_model::Impact;

use self::decision::Reason;
use crate::{flux::observation::OURS, incident::Incident};

/// A `[[route]]`: what it does not name, it does not ask for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Incidents of these impacts. Default: of every impact.
    pub impact: Option<Vec<Impact>>,
    /// Incidents of these systems. Default: of every system.
    pub system: Option<Vec<String>>,
    /// The names of the channels that are told.
    pub channels: Vec<toml::Spanned<String>>,
}

impl Route {
    fn matches(&self, incident: &Incident) -> bool {
        self.impact
            .as_ref()
            .is_none_or(|impacts| impacts.contains(&incident.impact))
            && self
                .system
                .as_ref()
                .is_none_or(|systems| systems.contains(&incident.series.system))
    }
}

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience<'a> {
    /// These channels, each once.
    Channels(BTreeSet<&'a str>),
    /// Nobody, and why.
    Nobody(Reason),
}

/// Every route that matches adds its channels. What the monitoring itself suffers is of the system `vigia`: it goes to the
/// routes that name this system, and where none does, to all that match.
#[must_use]
pub fn route<'a>(incident: &Incident, routes: &'a [Route]) -> Audience<'a> {
    let system = &incident.series.system;
    let named = |route: &&Route| {
        route
            .system
            .as_ref()
            .is_some_and(|names| names.contains(system))
    };
    let is_reserved = system == OURS && routes.iter().any(|route| named(&route));
    let matching = routes
        .iter()
        .filter(|route| route.matches(incident) && (!is_reserved || named(route)));
    let channels: BTreeSet<_> = matching
        .flat_map(|route| &route.channels)
        .map(|name| name.as_ref().as_str())
        .collect();
    if channels.is_empty() {
        Audience::Nobody(Reason::NoRoute(format!(
            "the impact `{}` of the system `{}`",
            incident.impact, incident.series.system
        )))
    } else {
        Audience::Channels(channels)
    }
}
