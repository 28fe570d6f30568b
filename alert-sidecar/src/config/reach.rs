//! Says which routes nobody reaches, and which rules are asked for that there are not.

use std::collections::BTreeSet;

use vigia_contract::{config_file::Spanned, data_model::Impact};

use super::Findings;
use crate::{
    flux::Rule,
    incident::{monitoring, undelivered, untold},
    route::{
        maintenance, matcher,
        tree::{self, Route},
        unreached::{Origin, Place, Why, unreached},
    },
};

/// What the monitoring itself suffers, and how much that matters.
const OURS: [(&str, &[Impact]); 3] = [
    (monitoring::RULE, &[Impact::Critical, Impact::High]),
    (undelivered::RULE, &[Impact::High]),
    (untold::RULE, &[Impact::Critical]),
];

/// Looks at the routes as they are written and as they are resolved, which have the same shape.
pub(super) fn routes(
    written: &[Spanned<tree::Settings>],
    routes: &[Route],
    rules: &[Rule],
    findings: &mut Findings,
) {
    let ours = OURS.iter().flat_map(|(rule, impacts)| {
        impacts.iter().map(|impact| Origin {
            rule,
            impact: *impact,
            is_ours: true,
        })
    });
    let theirs = rules.iter().flat_map(|rule| {
        rule.impacts().into_iter().map(|impact| Origin {
            rule: &rule.name,
            impact,
            is_ours: false,
        })
    });
    let origins: Vec<_> = ours.chain(theirs).collect();
    for (place, why) in unreached(routes, &origins) {
        let Some(route) = at(written, &place) else {
            continue;
        };
        match why {
            Why::NothingBrings => nothing_brings(route, &origins, findings),
            Why::Around => findings.add(
                route,
                "nobody reaches this route: the route around it takes nothing of what it takes",
                "a route inside another only gets what both take: write it beside that one, or mend what it asks for",
            ),
            Why::Before(stop) => {
                let line = at(written, &stop).map_or(0, |stop| findings.line(stop));
                findings.add(
                    route,
                    format!("nobody reaches this route: the one in line {line} takes all of it, with continue = false"),
                    "write it before that one, or take continue = false out there",
                );
            }
            Why::Inside => findings.add(
                route,
                "the channels of this route are never told: the routes inside it take over all that it takes",
                "take its channels out, or let a route inside it take less",
            ),
        }
    }
}

fn at<'a>(
    written: &'a [Spanned<tree::Settings>],
    place: &Place,
) -> Option<&'a Spanned<tree::Settings>> {
    let (last, around) = place.split_last()?;
    let mut routes = written;
    for number in around {
        routes = &routes.get(*number)?.as_ref().route;
    }
    routes.get(*last)
}

fn nothing_brings(
    route: &Spanned<tree::Settings>,
    origins: &[Origin<'_>],
    findings: &mut Findings,
) {
    let rules = route.as_ref().rule.as_deref();
    let is_asked = |origin: &&Origin<'_>| {
        rules.is_none_or(|rules| {
            let mut rules = rules.iter();
            rules.any(|rule| matcher::covers(rule.as_ref(), origin.rule))
        })
    };
    let impacts: BTreeSet<Impact> = origins
        .iter()
        .filter(is_asked)
        .map(|origin| origin.impact)
        .collect();
    // Where there is none of the rules, that was said.
    if impacts.is_empty() && rules.is_some_and(|rules| !rules.is_empty()) {
        return;
    }
    let impacts: Vec<_> = impacts
        .iter()
        .map(|impact| format!("`{}`", impact.name()))
        .collect();
    findings.add(
        route,
        "nobody reaches this route: no rule finds what it takes",
        match (rules, impacts.as_slice()) {
            (Some(_), [_, ..]) => format!("what these rules find is {}", impacts.join(" or ")),
            _ => "name what it takes: a list without names takes nothing".to_owned(),
        },
    );
}

/// Says of each rule that a route or a window asks for whether there is one.
pub(super) fn rules_named(
    routes: &[Spanned<tree::Settings>],
    windows: &[maintenance::Settings],
    rules: &[Rule],
    findings: &mut Findings,
) {
    let there = OURS.iter().map(|(rule, _)| *rule);
    let there: Vec<&str> = rules
        .iter()
        .map(|rule| rule.name.as_str())
        .chain(there)
        .collect();
    let mut named: Vec<&Spanned<String>> = Vec::new();
    let mut open: Vec<&tree::Settings> = routes.iter().map(AsRef::as_ref).collect();
    while let Some(route) = open.pop() {
        named.extend(route.rule.iter().flatten());
        open.extend(route.route.iter().map(AsRef::as_ref));
    }
    named.extend(windows.iter().flat_map(|window| &window.rule).flatten());
    for name in named {
        if !there
            .iter()
            .any(|rule| matcher::covers(name.as_ref(), rule))
        {
            let there: Vec<_> = there.iter().map(|rule| format!("`{rule}`")).collect();
            findings.add(
                name,
                format!("there is no rule `{}`", name.as_ref()),
                format!("there are the rules {}", there.join(", ")),
            );
        }
    }
}
