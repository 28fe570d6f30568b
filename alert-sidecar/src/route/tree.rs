//! The routes: which of them take an incident, and what they want done with it. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, civil::Time, tz::TimeZone};
use serde::Deserialize;
use toml::Spanned;
use vigia_contract::data_model::Impact;

use super::{
    hours::Hours,
    matcher::{Labels, Matcher},
    on_call::OnCall,
};
use crate::flux::observation::OURS;

/// A `[[route]]`, as the operator writes it: what it does not name, it does not ask for. Names may hold `*` for any letters.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Incidents of these impacts. Default: of every impact.
    pub impact: Option<Vec<Impact>>,
    /// Incidents of these systems. Default: of every system.
    pub system: Option<Vec<String>>,
    /// Incidents of these journeys. Default: of every journey.
    pub journey: Option<Vec<String>>,
    /// Incidents seen by these probes. Default: by every probe.
    pub probe: Option<Vec<String>>,
    /// Incidents found by these rules. Default: by every rule.
    pub rule: Option<Vec<Spanned<String>>>,
    /// The names of the channels that are told, or of `[[on_call]]`.
    #[serde(default)]
    pub channels: Vec<Spanned<String>>,
    /// The `[[hours]]` in which they are told; outside of them it waits. Default: at any hour.
    pub hours: Option<Spanned<String>>,
    /// The `[[hours]]` outside of which they are told; in them it waits.
    pub outside_hours: Option<Spanned<String>>,
    /// The time of day at which they are told of everything at once, for example `08:00`. Not for what is critical.
    pub digest: Option<Spanned<String>>,
    /// How often they are told again until somebody acknowledges. Default: never.
    #[serde(
        default,
        deserialize_with = "vigia_contract::duration::deserialize_some"
    )]
    pub repeat: Option<Duration>,
    /// Who is told next while nobody acknowledges.
    #[serde(default)]
    pub escalate: Vec<EscalationSettings>,
    /// Whether the routes after it are asked, too, where it takes something. Default `true`.
    #[serde(rename = "continue", default = "yes")]
    pub goes_on: bool,
    /// More particular routes: where one of them takes it, this one does not tell.
    #[serde(default)]
    pub route: Vec<Spanned<Settings>>,
}

/// One of `escalate`, as the operator writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EscalationSettings {
    /// How long after the first were told.
    #[serde(deserialize_with = "vigia_contract::duration::deserialize")]
    pub after: Duration,
    /// The names of channels, or of `[[on_call]]`.
    pub channels: Vec<Spanned<String>>,
}

const fn yes() -> bool {
    true
}

/// A route, ready to be asked.
#[derive(Clone, Debug, Default)]
pub struct Route {
    /// What it takes.
    pub matcher: Matcher,
    /// Who is told, where none of the routes inside takes it.
    pub channels: Vec<Target>,
    /// When they are told.
    pub when: When,
    /// How often they are told again until somebody says that they take care of it.
    pub repeat: Option<SignedDuration>,
    /// Who is told next while nobody says so.
    pub escalate: Vec<Escalation>,
    /// Whether the routes after it are not asked where it takes something.
    pub is_last: bool,
    /// More particular routes, which take it over.
    pub inside: Vec<Route>,
}

/// Who is told: a channel, or whoever is on call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The channel of this name.
    Channel(String),
    /// The rotation.
    OnCall(OnCall),
}

impl Route {
    /// Everything goes to this channel.
    #[must_use]
    pub fn of_everything(channel: &str) -> Self {
        Self {
            channels: vec![Target::Channel(channel.to_owned())],
            ..Self::default()
        }
    }
}

impl Target {
    /// The channel at this moment.
    #[must_use]
    pub fn channel(&self, now: Timestamp) -> &str {
        match self {
            Self::Channel(name) => name,
            Self::OnCall(on_call) => on_call.now(now),
        }
    }

    /// Whether who is told through this channel was meant.
    #[must_use]
    pub fn is_reached_by(&self, channel: &str) -> bool {
        match self {
            Self::Channel(name) => name == channel,
            Self::OnCall(on_call) => on_call.includes(channel),
        }
    }
}

/// When a route's channels are told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// At once.
    #[default]
    Now,
    /// In these hours; outside of them it waits for their beginning.
    In(Hours),
    /// Outside of these hours; in them it waits for their end.
    Outside(Hours),
    /// Once a day, at this hour, together with everything else.
    Digest(Time, TimeZone),
}

/// Who is told next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalation {
    /// How long after the first were told.
    pub after: SignedDuration,
    /// Who.
    pub channels: Vec<Target>,
}

/// The routes that take this, the most particular ones. What the monitoring itself suffers goes to the routes that name its
/// system, and where none does, to all that match.
#[must_use]
pub fn takers<'a>(labels: Labels<'_>, routes: &'a [Route]) -> Vec<&'a Route> {
    let is_reserved = labels.system == OURS && routes.iter().any(|route| names(route, labels));
    let mut found = Vec::new();
    collect(labels, routes, is_reserved, &mut found);
    found
}

fn collect<'a>(
    labels: Labels<'_>,
    routes: &'a [Route],
    is_reserved: bool,
    found: &mut Vec<&'a Route>,
) {
    for route in routes {
        if !route.matcher.takes(labels) || (is_reserved && !names(route, labels)) {
            continue;
        }
        let before = found.len();
        // Once a route that names the system is found, those inside it need not name it again.
        let is_reserved = is_reserved && route.matcher.system.is_none();
        collect(labels, &route.inside, is_reserved, found);
        if found.len() == before && !route.channels.is_empty() {
            found.push(route);
        }
        if route.is_last && found.len() > before {
            return;
        }
    }
}

/// Whether it, or one inside it, names the system.
fn names(route: &Route, labels: Labels<'_>) -> bool {
    route.matcher.takes(labels)
        && (route.matcher.system.is_some()
            || route.inside.iter().any(|inside| names(inside, labels)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(channel: &str, systems: &[&str], inside: Vec<Route>) -> Route {
        let systems: Vec<String> = systems.iter().map(ToString::to_string).collect();
        Route {
            matcher: Matcher {
                system: (!systems.is_empty()).then_some(systems),
                ..Matcher::default()
            },
            channels: (!channel.is_empty())
                .then(|| Target::Channel(channel.to_owned()))
                .into_iter()
                .collect(),
            inside,
            ..Route::default()
        }
    }

    fn told(routes: &[Route], system: &str) -> String {
        let labels = Labels {
            rule: "r",
            system,
            journey: "j",
            probe: "p",
            impact: Impact::Critical,
        };
        let channels = takers(labels, routes).into_iter().flat_map(|route| {
            let targets = route.channels.iter();
            targets.map(|target| target.channel(Timestamp::UNIX_EPOCH).to_owned())
        });
        channels.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_route_that_matches_adds_its_channels_and_those_inside_take_over() {
        let flat = [
            route("all", &[], vec![]),
            route("tramites", &["tramites"], vec![]),
        ];
        assert_eq!(told(&flat, "tramites"), "all tramites");
        assert_eq!(told(&flat, "pagos"), "all");

        let nested = [route(
            "chiefs",
            &[],
            vec![
                route(
                    "owners",
                    &["tramites"],
                    vec![route("night", &["tramites"], vec![])],
                ),
                route("cash", &["pagos", "caja*"], vec![]),
            ],
        )];
        assert_eq!(told(&nested, "tramites"), "night");
        assert_eq!(told(&nested, "caja-3"), "cash");
        assert_eq!(told(&nested, "portal"), "chiefs");
    }

    #[test]
    fn a_last_route_ends_the_search_only_where_it_tells_somebody() {
        let mut first = route("first", &["tramites"], vec![]);
        first.is_last = true;
        let routes = [first, route("second", &[], vec![])];
        assert_eq!(told(&routes, "tramites"), "first");
        assert_eq!(told(&routes, "pagos"), "second");

        let mut nobody = route("", &[], vec![route("inside", &["pagos"], vec![])]);
        nobody.is_last = true;
        let routes = [nobody, route("second", &[], vec![])];
        assert_eq!(told(&routes, "pagos"), "inside");
        assert_eq!(told(&routes, "tramites"), "second");
    }

    #[test]
    fn what_the_monitoring_suffers_goes_to_those_who_asked_for_it() {
        let all = [
            route("all", &[], vec![]),
            route("other", &["pagos"], vec![]),
        ];
        assert_eq!(told(&all, OURS), "all");
        let operators = [
            route("all", &[], vec![route("operators", &[OURS], vec![])]),
            route("others", &[], vec![]),
        ];
        assert_eq!(told(&operators, OURS), "operators");
    }
}
