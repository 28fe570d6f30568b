//! A rule's settings, made ready to be asked: what is left out is as the shipped query has it.

use std::{num::NonZeroU32, time::Duration};

use vigia_contract::config_file::Spanned;

use super::Findings;
use crate::{
    flux::{
        Rule, ShippedQuery,
        rule::{Settings, Weight},
    },
    incident::{monitoring, undelivered, untold},
    judge::{Probes, threshold::MOST_RUNS},
};

/// Without any, all that are shipped.
pub(super) fn resolve_all(rules: Vec<Settings>, findings: &mut Findings) -> Vec<Rule> {
    if rules.is_empty() {
        let shipped = ShippedQuery::ALL.into_iter();
        return shipped
            .map(|query| Rule::shipped(query.name(), query))
            .collect();
    }
    rules
        .into_iter()
        .filter_map(|settings| resolve(settings, findings))
        .collect()
}

fn resolve(settings: Settings, findings: &mut Findings) -> Option<Rule> {
    let name = settings.name.as_ref().clone();
    if [monitoring::RULE, undelivered::RULE, untold::RULE].contains(&name.as_str()) {
        findings.add(
            &settings.name,
            format!("a rule cannot have the name `{name}`"),
            "choose another: this one is that of what the monitoring itself suffers",
        );
    }
    let at_least_one = [&settings.recovers_after, &settings.probes];
    for number in at_least_one.into_iter().flatten() {
        if !(1..=MOST_RUNS).contains(number.as_ref()) {
            findings.add(
                number,
                format!("`{}` cannot be met, or always is", number.as_ref()),
                format!("write a number from 1 to {MOST_RUNS}"),
            );
        }
    }
    let mut rule = asked(&settings, findings)?;
    let criteria = &mut rule.criteria;
    rule.every = settings.every.unwrap_or(rule.every);
    rule.overlap = settings.overlap.unwrap_or(rule.overlap);
    rule.meaning.limit = settings.limit.or(rule.meaning.limit);
    rule.meaning.weight = settings.impact.map_or(rule.meaning.weight, Weight::Fixed);
    criteria.fails_after = settings.fails_after.unwrap_or(criteria.fails_after);
    criteria.recovers_after = settings
        .recovers_after
        .map_or(criteria.recovers_after, Spanned::into_inner);
    criteria.lasting = settings.lasting.unwrap_or(criteria.lasting);
    criteria.probes = settings.probes.map_or(criteria.probes, |probes| {
        Probes::Together(probes.into_inner())
    });
    criteria.flapping = settings.flapping.unwrap_or(criteria.flapping);
    if let Some(written) = settings.silence {
        match &mut rule.silence {
            Some(silence) => {
                let written = written.into_inner();
                silence.intervals = written.intervals.map_or(silence.intervals, NonZeroU32::get);
                silence.slack = written.slack.unwrap_or(silence.slack);
                silence.retired = written.retired;
            }
            None => findings.add(
                &written,
                "this rule is not about silence",
                "take it out, or write use = \"journeys-silent\"",
            ),
        }
    }
    if criteria.reach() > LONGEST_MEMORY {
        findings.add(
            &settings.name,
            "this rule looks back further than a day",
            "write `for` and the `calm` of `flapping` with a day or less",
        );
    }
    Some(rule)
}

/// What every query is judged by is kept in the store.
const LONGEST_MEMORY: Duration = Duration::from_hours(24);

/// The rule as its query is shipped, or as an operator's own begins.
fn asked(settings: &Settings, findings: &mut Findings) -> Option<Rule> {
    let name = settings.name.as_ref();
    match (settings.query, &settings.file, &settings.flux) {
        (Some(query), None, None) => Some(Rule::shipped(name, query)),
        (None, Some(file), None) => {
            let path = findings.folder.join(file.as_ref());
            match std::fs::read_to_string(&path) {
                Ok(flux) => Some(Rule::custom(name, flux)),
                Err(error) => {
                    findings.add(
                        file,
                        format!("the query `{}` cannot be read: {error}", path.display()),
                        "name a file with Flux, relative to this file",
                    );
                    None
                }
            }
        }
        (None, None, Some(flux)) => Some(Rule::custom(name, flux.as_ref().clone())),
        (None, None, None) => {
            findings.add(
                &settings.name,
                format!("the rule `{name}` does not say what it asks"),
                "add use = \"journeys-failed\", file = \"rules/queue.flux\" or flux = \"...\"",
            );
            None
        }
        _ => {
            findings.add(
                &settings.name,
                format!("the rule `{name}` asks more than one query"),
                "keep one of use, file and flux",
            );
            None
        }
    }
}
