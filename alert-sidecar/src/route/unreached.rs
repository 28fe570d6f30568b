//! The routes that nobody reaches, whatever happens. Pure.
//!
//! What may happen is known as far as the rules go: which of them there are, and how much what they find can matter. The names of
//! systems, journeys and probes come with the data, so of those only what the routes themselves say of each other counts. What
//! is reported is certain; not everything that is never reached can be known.

use std::collections::{BTreeMap, BTreeSet};

use vigia_contract::data_model::Impact;

use super::{
    matcher::{Matcher, covers, may_meet},
    tree::Route,
};
use crate::flux::observation::OURS;

/// What some incident may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The rule that opens it.
    pub rule: &'a str,
    /// How much it matters.
    pub impact: Impact,
    /// Whether it is of the system that Vigía itself is.
    pub is_ours: bool,
}

/// Where a route stands: its number among its neighbours, after those of the routes around it.
pub type Place = Vec<usize>;

/// Why nobody reaches a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// No rule brings an incident that it takes.
    NothingBrings,
    /// The routes around it take nothing that it takes.
    Around,
    /// The route at this place comes before it, takes what it would take, and ends the search.
    Before(Place),
    /// It is reached, and its channels are not: the routes inside take over all that it takes.
    Inside,
}

/// The routes that nobody reaches, with the reason; of those inside such a one nothing is said.
#[must_use]
pub fn unreached(routes: &[Route], origins: &[Origin<'_>]) -> Vec<(Place, Why)> {
    let mut seen = Seen::default();
    for origin in origins {
        let is_reserved = origin.is_ours && routes.iter().any(|route| names_us(route, *origin));
        let walk = Walk {
            origin: *origin,
            is_reserved,
            around: Vec::new(),
            stops: Vec::new(),
        };
        walk.through(routes, &[], &mut seen);
    }
    let mut found = Vec::new();
    judge(routes, &[], origins, &seen, &mut found);
    found
}

/// What came of all walks.
#[derive(Debug, Default)]
struct Seen {
    reached: BTreeSet<Place>,
    /// Those whose own channels are told.
    told: BTreeSet<Place>,
    stopped_by: BTreeMap<Place, Place>,
}

/// The way of what has one origin through the routes, as [`super::tree::takers`] goes it.
#[derive(Clone)]
struct Walk<'a> {
    origin: Origin<'a>,
    /// Only routes that name the system take it.
    is_reserved: bool,
    /// What the routes around ask for.
    around: Vec<&'a Matcher>,
    /// The routes before, which end the search where they take it.
    stops: Vec<(Place, &'a Matcher)>,
}

impl<'a> Walk<'a> {
    fn through(mut self, routes: &'a [Route], around: &[usize], seen: &mut Seen) {
        for (number, route) in routes.iter().enumerate() {
            let place: Place = around.iter().copied().chain([number]).collect();
            if !self.may_take(route) {
                continue;
            }
            let inside = self.inside(route);
            let mut stops = self.stops.iter();
            if let Some((stop, _)) = stops.find(|(_, stop)| inside.is_all_for(stop)) {
                seen.stopped_by.entry(place).or_insert_with(|| stop.clone());
                continue;
            }
            seen.reached.insert(place.clone());
            let mut more_particular = route.inside.iter();
            let is_taken_over = more_particular.any(|route| {
                inside.may_take(route) && inside.is_all_for(&route.matcher) && tells(route)
            });
            if !is_taken_over {
                seen.told.insert(place.clone());
            }
            inside.through(&route.inside, &place, seen);
            if route.is_last && tells(route) {
                self.stops.push((place, &route.matcher));
            }
        }
    }

    /// The same inside this route.
    fn inside(&self, route: &'a Route) -> Self {
        let mut inside = self.clone();
        inside.around.push(&route.matcher);
        inside.is_reserved &= route.matcher.system.is_none();
        inside
    }

    fn may_take(&self, route: &Route) -> bool {
        asks_for(&route.matcher, self.origin)
            && (!self.is_reserved || names_us(route, self.origin))
            && self.around.iter().all(|around| {
                let names = names(around).into_iter().zip(names(&route.matcher));
                names
                    .filter_map(|(around, own)| Some((around?, own?)))
                    .all(|(around, own)| meet(around, own))
            })
    }

    /// Whether a route that asks for this takes all that is left here.
    fn is_all_for(&self, matcher: &Matcher) -> bool {
        if !asks_for(matcher, self.origin) {
            return false;
        }
        let asked = names(matcher).into_iter().enumerate();
        let mut asked = asked.filter_map(|(kind, asked)| Some((kind, asked?)));
        asked.all(|(kind, asked)| {
            let is_known = self.origin.is_ours && kind == SYSTEM;
            is_known
                || self.around.iter().any(|around| {
                    names(around)[kind].is_some_and(|names| {
                        let mut names = names.iter();
                        names.all(|name| asked.iter().any(|pattern| covers(pattern, name)))
                    })
                })
        })
    }
}

/// The place of the system in what [`names`] gives.
const SYSTEM: usize = 0;

/// The names that come with the data.
fn names(matcher: &Matcher) -> [Option<&[String]>; 3] {
    [&matcher.system, &matcher.journey, &matcher.probe].map(Option::as_deref)
}

/// Whether some name may fit both.
fn meet(some: &[String], others: &[String]) -> bool {
    let mut some = some.iter();
    some.any(|some| others.iter().any(|other| may_meet(some, other)))
}

/// Whether it asks for something of this origin, whatever its other names are.
fn asks_for(matcher: &Matcher, origin: Origin<'_>) -> bool {
    let fits = |names: &Option<Vec<String>>, name: &str| {
        let mut names = names.iter().flatten();
        names.any(|pattern| covers(pattern, name))
    };
    let impacts = matcher.impact.as_ref();
    impacts.is_none_or(|impacts| impacts.contains(&origin.impact))
        && (matcher.rule.is_none() || fits(&matcher.rule, origin.rule))
        && names(matcher)
            .into_iter()
            .flatten()
            .all(|names| !names.is_empty())
        && (!origin.is_ours || matcher.system.is_none() || fits(&matcher.system, OURS))
}

/// Whether it, or one inside it, names the system that Vigía itself is.
fn names_us(route: &Route, origin: Origin<'_>) -> bool {
    asks_for(&route.matcher, origin)
        && (route.matcher.system.is_some()
            || route.inside.iter().any(|inside| names_us(inside, origin)))
}

/// Whether somebody is told of everything that it takes.
fn tells(route: &Route) -> bool {
    let mut inside = route.inside.iter();
    !route.channels.is_empty()
        || inside.any(|inside| inside.matcher.takes_everything() && tells(inside))
}

fn judge(
    routes: &[Route],
    around: &[usize],
    origins: &[Origin<'_>],
    seen: &Seen,
    found: &mut Vec<(Place, Why)>,
) {
    for (number, route) in routes.iter().enumerate() {
        let place: Place = around.iter().copied().chain([number]).collect();
        if seen.reached.contains(&place) {
            judge(&route.inside, &place, origins, seen, found);
            if !route.channels.is_empty() && !seen.told.contains(&place) {
                found.push((place, Why::Inside));
            }
            continue;
        }
        let mut origins = origins.iter();
        let why = match seen.stopped_by.get(&place) {
            Some(stop) => Why::Before(stop.clone()),
            None if origins.any(|origin| asks_for(&route.matcher, *origin)) => Why::Around,
            None => Why::NothingBrings,
        };
        found.push((place, why));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::tree::Target;

    const ORIGINS: [Origin<'static>; 4] = [
        Origin {
            rule: "failed",
            impact: Impact::Critical,
            is_ours: false,
        },
        Origin {
            rule: "failed",
            impact: Impact::High,
            is_ours: false,
        },
        Origin {
            rule: "drifting",
            impact: Impact::Low,
            is_ours: false,
        },
        Origin {
            rule: "monitoring",
            impact: Impact::Critical,
            is_ours: true,
        },
    ];

    fn route(systems: &[&str]) -> Route {
        let systems: Vec<String> = systems.iter().map(ToString::to_string).collect();
        Route {
            matcher: Matcher {
                system: (!systems.is_empty()).then_some(systems),
                ..Matcher::default()
            },
            channels: vec![Target::Channel("mail".into())],
            ..Route::default()
        }
    }

    fn last(route: Route) -> Route {
        Route {
            is_last: true,
            ..route
        }
    }

    fn of(route: Route, impacts: &[Impact], rules: &[&str]) -> Route {
        let rules: Vec<String> = rules.iter().map(ToString::to_string).collect();
        Route {
            matcher: Matcher {
                impact: (!impacts.is_empty()).then(|| impacts.to_vec()),
                rule: (!rules.is_empty()).then_some(rules),
                ..route.matcher
            },
            ..route
        }
    }

    fn with(route: Route, inside: Vec<Route>) -> Route {
        Route { inside, ..route }
    }

    fn found(routes: &[Route]) -> Vec<(Place, Why)> {
        unreached(routes, &ORIGINS)
    }

    #[test]
    fn a_route_after_one_that_takes_all_of_it_and_ends_the_search_is_never_reached() {
        let before = |place: usize| Why::Before(vec![place]);
        let all = || last(route(&[]));
        assert_eq!(found(&[all(), route(&["a"])]), [(vec![1], before(0))]);
        assert_eq!(found(&[all(), route(&[])]), [(vec![1], before(0))]);
        assert_eq!(found(&[route(&[]), route(&["a"])]), []);
        assert_eq!(found(&[last(route(&["a"])), route(&[])]), []);
        let web = || last(route(&["web-*", "b"]));
        assert_eq!(
            found(&[web(), route(&["web-1*", "b"])]),
            [(vec![1], before(0))]
        );
        assert_eq!(found(&[web(), route(&["web*"])]), []);
        assert_eq!(found(&[web(), route(&["web-1", "c"])]), []);
        // One that tells nobody ends nothing.
        let mut silent = all();
        silent.channels.clear();
        assert_eq!(found(&[silent, route(&["a"])]), []);
    }

    #[test]
    fn several_routes_together_may_take_all_of_what_one_takes() {
        let critical = || last(of(route(&[]), &[Impact::Critical], &[]));
        let others = || last(of(route(&[]), &[Impact::High, Impact::Low], &[]));
        let third = (vec![2], Why::Before(vec![0]));
        assert_eq!(found(&[critical(), others(), route(&["a"])]), [third]);
        assert_eq!(found(&[critical(), route(&["a"])]), []);
        // What is critical is taken, and the only rule with anything low is another one.
        let failed = of(route(&[]), &[Impact::Critical, Impact::Low], &["fail*"]);
        assert_eq!(
            found(&[critical(), failed]),
            [(vec![1], Why::Before(vec![0]))]
        );
    }

    #[test]
    fn what_no_rule_brings_is_never_reached() {
        for unbrought in [
            of(route(&[]), &[Impact::High], &["drifting"]),
            of(route(&[]), &[], &["unknown"]),
            of(route(&["vigia"]), &[Impact::Low], &["monitoring"]),
            Route {
                matcher: Matcher {
                    system: Some(Vec::new()),
                    ..Matcher::default()
                },
                ..route(&[])
            },
        ] {
            let shown = format!("{unbrought:?}");
            assert_eq!(
                found(&[unbrought]),
                [(vec![0], Why::NothingBrings)],
                "{shown}"
            );
        }
        assert_eq!(
            found(&[of(route(&[]), &[Impact::Critical], &["moni*"])]),
            []
        );
    }

    #[test]
    fn a_route_inside_asks_beside_what_the_one_around_it_asks() {
        let around = with(
            route(&["a", "web-*"]),
            vec![route(&["b"]), route(&["web-1"])],
        );
        assert_eq!(found(&[around]), [(vec![0, 0], Why::Around)]);
        let critical = of(route(&[]), &[Impact::Critical], &[]);
        let low = of(route(&[]), &[Impact::Low], &[]);
        assert_eq!(
            found(&[with(critical, vec![low])]),
            [(vec![0, 0], Why::Around)]
        );
        // Of those inside one that is not reached nothing is said.
        let around = with(
            route(&["a"]),
            vec![with(route(&["b"]), vec![route(&["c"])])],
        );
        assert_eq!(found(&[around]), [(vec![0, 0], Why::Around)]);
        // What ends the search inside ends it there only.
        let inside = with(route(&["a"]), vec![last(route(&["a"])), route(&[])]);
        let after = route(&["a"]);
        assert_eq!(
            found(&[inside, after]),
            [
                (vec![0, 1], Why::Before(vec![0, 0])),
                (vec![0], Why::Inside)
            ]
        );
    }

    #[test]
    fn channels_are_never_told_where_the_routes_inside_take_over_all() {
        let taken_over = |inside| found(&[with(route(&["a", "b"]), vec![inside])]);
        assert_eq!(taken_over(route(&["*"])), [(vec![0], Why::Inside)]);
        assert_eq!(taken_over(route(&["a", "b"])), [(vec![0], Why::Inside)]);
        assert_eq!(taken_over(route(&["a"])), []);
        assert_eq!(taken_over(of(route(&[]), &[Impact::Critical], &[])), []);
    }

    #[test]
    fn who_asks_for_what_the_monitoring_suffers_gets_it_though_another_takes_everything() {
        assert_eq!(found(&[last(route(&[])), route(&["vigia"])]), []);
        let everything = last(route(&["*"]));
        let ours = (vec![1], Why::Before(vec![0]));
        assert_eq!(found(&[everything, route(&["vigia"])]), [ours]);
    }
}
