//! The first page: what worked, what did not, for how long, what changed, and what is not known. In whole sentences, for
//! somebody who reads nothing else.

use std::cmp::Reverse;

use minijinja::context;
use serde::Serialize;

use super::{
    availability::share,
    figures::{Figures, Incident, System, Verdict},
    page::Style,
    records::{Failure, Spread},
    timeline::Times,
    words::{Words, duration},
};
pub use crate::render::facts::{Names, shown};

/// The most systems that are told of one by one.
const MOST_TOLD: usize = 5;

/// Nobody is told of a change of speed below this.
const NOTABLE_PERCENT: f64 = 20.0;

/// Nor where it was measured less often than this.
const NOTABLE_RUNS: i64 = 100;

/// The first page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// All of it in a few words.
    pub line: String,
    /// The same as a sentence.
    pub sentence: String,
    /// Numbers, and what each is.
    pub tiles: Vec<(String, String, &'static str)>,
    /// What there is to say, under headings.
    pub parts: Vec<(String, Vec<String>)>,
}

/// Writes it.
pub fn summary(figures: &Figures, style: Style<'_>) -> Result<Summary, minijinja::Error> {
    let words = style.words;
    let before = words.month(figures.month.before())?;
    let line = line(figures, words)?;
    Ok(Summary {
        sentence: sentence(&line),
        line,
        tiles: tiles(figures, words),
        parts: vec![
            (words.text("failed").to_owned(), failed(figures, style)?),
            (words.text("worked").to_owned(), worked(figures, style)?),
            (
                words.say("changed", context! { month => before })?,
                changed(figures, style)?,
            ),
            (words.text("unknown").to_owned(), unknown(figures, style)?),
        ],
    })
}

fn count(figures: &Figures, verdict: Verdict) -> usize {
    let with = figures
        .systems
        .iter()
        .filter(|system| system.verdict() == verdict);
    with.count()
}

fn line(figures: &Figures, words: &Words) -> Result<String, minijinja::Error> {
    let met = count(figures, Verdict::Met);
    let of = met + count(figures, Verdict::Missed);
    let measured = of + count(figures, Verdict::NoTarget);
    match (measured, of) {
        (0, _) => Ok(words.text("summary_nothing").to_owned()),
        (_, 0) => words.say("summary_no_targets", context! { of => measured }),
        _ if met == of => words.say("summary_all_met", context! { of }),
        _ => words.say("summary_met", context! { met, of }),
    }
}

fn sentence(line: &str) -> String {
    let mut letters = line.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).chain(['.']).collect()
}

fn tiles(figures: &Figures, words: &Words) -> Vec<(String, String, &'static str)> {
    let incidents: usize = figures
        .systems
        .iter()
        .map(|system| system.incidents.len())
        .sum();
    let tile =
        |number: usize, text: &str, class| (number.to_string(), words.text(text).to_owned(), class);
    let counted = [
        (Verdict::Met, "tile_met"),
        (Verdict::Missed, "tile_missed"),
        (Verdict::NoTarget, "tile_no_target"),
        (Verdict::NoData, "tile_no_data"),
    ];
    let mut tiles: Vec<_> = counted
        .into_iter()
        .map(|(verdict, text)| tile(count(figures, verdict), text, verdict.name()))
        .filter(|(number, ..)| number != "0")
        .collect();
    tiles.push(tile(incidents, "tile_incidents", "plain"));
    tiles
}

fn names<'a>(systems: impl IntoIterator<Item = &'a System>, style: Style<'_>) -> (usize, String) {
    let names: Vec<String> = systems
        .into_iter()
        .map(|system| shown(&system.name, style.names))
        .collect();
    (names.len(), style.words.list(&names))
}

fn failed(figures: &Figures, style: Style<'_>) -> Result<Vec<String>, minijinja::Error> {
    let words = style.words;
    let mut systems: Vec<&System> = figures
        .systems
        .iter()
        .filter(|system| system.times.down_ns > 0)
        .collect();
    // Those that missed their targets first.
    systems.sort_by_key(|system| {
        (
            system.verdict() != Verdict::Missed,
            Reverse(system.times.down_ns),
        )
    });
    if systems.is_empty() {
        return Ok(vec![words.text("failed_none").to_owned()]);
    }
    let (told, more) = systems.split_at(systems.len().min(MOST_TOLD));
    let mut sentences = told
        .iter()
        .map(|system| failed_system(system, style))
        .collect::<Result<Vec<_>, _>>()?;
    if !more.is_empty() {
        let (count, names) = names(more.iter().copied(), style);
        sentences.push(words.say("failed_more", context! { count, names })?);
    }
    Ok(sentences)
}

fn failed_system(system: &System, style: Style<'_>) -> Result<String, minijinja::Error> {
    let words = style.words;
    let longest = system
        .incidents
        .iter()
        .max_by_key(|incident| (incident.within.duration_ns(), Reverse(incident.within.from)));
    let (span, why) = match longest {
        Some(incident) => (
            self::span(incident, words)?,
            cause(incident.cause.as_ref(), words)?,
        ),
        None => (String::new(), None),
    };
    words.say(
        "failed_system",
        context! {
            system => shown(&system.name, style.names),
            down => duration(system.times.down_ns),
            incidents => system.incidents.len(),
            longest => span,
            why,
            availability => system.availability.map(|availability| words.availability(availability, system.target)),
            target => system.target.map(|target| words.percent(&target.to_string())),
        },
    )
}

fn worked(figures: &Figures, style: Style<'_>) -> Result<Vec<String>, minijinja::Error> {
    let words = style.words;
    let measured: Vec<&System> = figures
        .systems
        .iter()
        .filter(|system| system.availability.is_some())
        .collect();
    if measured.is_empty() {
        return Ok(vec![sentence(words.text("summary_nothing"))]);
    }
    let is_well = |system: &&&System| system.times.down_ns == 0;
    let well: Vec<&System> = measured.iter().filter(is_well).copied().collect();
    if well.len() == measured.len() {
        return Ok(vec![words.text("worked_all").to_owned()]);
    }
    let mut sentences = Vec::new();
    if well.is_empty() {
        sentences.push(words.text("worked_none").to_owned());
    } else {
        let (count, names) = names(well, style);
        sentences.push(words.say("worked_some", context! { count, names })?);
    }
    let (count, names) = names(
        measured
            .into_iter()
            .filter(|system| system.times.down_ns > 0 && system.verdict() == Verdict::Met),
        style,
    );
    if count > 0 {
        sentences.push(words.say("worked_met", context! { count, names })?);
    }
    Ok(sentences)
}

fn changed(figures: &Figures, style: Style<'_>) -> Result<Vec<String>, minijinja::Error> {
    let words = style.words;
    let mut compared: Vec<_> = figures
        .systems
        .iter()
        .filter_map(|system| Some((system, system.availability?, system.before?)))
        .collect();
    if compared.is_empty() {
        return Ok(vec![words.text("changed_unknown").to_owned()]);
    }
    compared.sort_by_key(|(system, ..)| Reverse(system.times.down_ns));
    let mut sentences = Vec::new();
    for (name, wanted) in [
        ("changed_worse", std::cmp::Ordering::Less),
        ("changed_better", std::cmp::Ordering::Greater),
    ] {
        let systems = compared
            .iter()
            .filter(|(_, now, before)| now.shown_order(*before) == wanted)
            .take(MOST_TOLD)
            .map(|(system, now, before)| {
                words.say(
                    "changed_system",
                    context! {
                        system => shown(&system.name, style.names),
                        change => words.decimal(&now.points_above(*before)),
                        availability => words.availability(*now, system.target),
                    },
                )
            })
            .collect::<Result<Vec<_>, _>>()?;
        if !systems.is_empty() {
            sentences.push(words.say(name, context! { systems => words.list(&systems) })?);
        }
    }
    sentences.extend(changed_speed(figures, style)?);
    if sentences.is_empty() {
        sentences.push(words.text("changed_none").to_owned());
    }
    Ok(sentences)
}

fn changed_speed(figures: &Figures, style: Style<'_>) -> Result<Vec<String>, minijinja::Error> {
    let words = style.words;
    let mut journeys: Vec<_> = figures
        .systems
        .iter()
        .flat_map(|system| system.journeys.iter().map(move |journey| (system, journey)))
        .filter_map(|(system, journey)| {
            let (now, before) = (journey.spread?, journey.before?);
            let is_enough = now.runs.min(before.runs) >= NOTABLE_RUNS;
            let percent = change_percent(now, before).filter(|_| is_enough)?;
            (percent.abs() >= NOTABLE_PERCENT).then_some((percent, system, journey, now, before))
        })
        .collect();
    journeys.sort_by(|(one, ..), (other, ..)| other.abs().total_cmp(&one.abs()));
    let mut sentences = Vec::new();
    for (name, is_wanted) in [
        ("changed_slower", f64::is_sign_positive as fn(f64) -> bool),
        ("changed_faster", f64::is_sign_negative),
    ] {
        let told = journeys
            .iter()
            .filter(|(percent, ..)| is_wanted(*percent))
            .take(MOST_TOLD)
            .map(|(_, system, journey, now, before)| {
                words.say(
                    "changed_journey",
                    context! {
                        journey => shown(&journey.name, style.names),
                        system => shown(&system.name, style.names),
                        now => words.took(now.p95_ms),
                        before => words.took(before.p95_ms),
                    },
                )
            })
            .collect::<Result<Vec<_>, _>>()?;
        if !told.is_empty() {
            sentences.push(words.say(name, context! { journeys => words.list(&told) })?);
        }
    }
    Ok(sentences)
}

/// By how much of a hundred the 95th of 100 takes longer than before.
#[must_use]
pub fn change_percent(now: Spread, before: Spread) -> Option<f64> {
    (before.p95_ms > 0.0).then(|| (now.p95_ms / before.p95_ms - 1.0) * 100.0)
}

fn unknown(figures: &Figures, style: Style<'_>) -> Result<Vec<String>, minijinja::Error> {
    let words = style.words;
    let mut sentences = Vec::new();
    let without = figures
        .systems
        .iter()
        .filter(|system| system.verdict() == Verdict::NoData);
    let (count, names) = names(without, style);
    if count > 0 {
        sentences.push(words.say("unknown_no_data", context! { names })?);
    }
    let mut in_part: Vec<(&System, String)> = figures
        .systems
        .iter()
        .filter(|system| system.verdict() != Verdict::NoData)
        .filter(|system| system.times.measured_ns() < system.times.expected_ns())
        .filter_map(|system| Some((system, coverage(&system.times)?)))
        .collect();
    // Those of which least is known come first.
    in_part.sort_by_key(|(system, _)| {
        Reverse(system.times.expected_ns() - system.times.measured_ns())
    });
    let more = in_part.len().saturating_sub(MOST_TOLD);
    let mut told = in_part
        .into_iter()
        .take(MOST_TOLD)
        .map(|(system, share)| {
            words.say(
                "unknown_system",
                context! {
                    system => shown(&system.name, style.names),
                    coverage => words.percent(&share),
                },
            )
        })
        .collect::<Result<Vec<_>, _>>()?;
    if more > 0 {
        told.push(words.say("unknown_more", context! { count => more })?);
    }
    if !told.is_empty() {
        let systems = words.list(&told);
        sentences.push(words.say("unknown_coverage", context! { systems })?);
    }
    if sentences.is_empty() {
        sentences.push(words.text("unknown_none").to_owned());
    }
    Ok(sentences)
}

/// How much of the time it is known whether users could work.
#[must_use]
pub fn coverage(times: &Times) -> Option<String> {
    share(times.measured_ns(), times.expected_ns())
}

/// From when to when an incident was.
pub fn span(incident: &Incident, words: &Words) -> Result<String, minijinja::Error> {
    let name = match (incident.began_before(), incident.outage.is_over) {
        (false, true) => "incident_span",
        (true, true) => "incident_from_before",
        (false, false) => "incident_goes_on",
        (true, false) => "incident_all_month",
    };
    let moment = |at| words.moment(at, "moment");
    words.say(
        name,
        context! { from => moment(incident.within.from), to => moment(incident.within.to) },
    )
}

/// Why, as people say it.
pub fn cause(cause: Option<&Failure>, words: &Words) -> Result<Option<String>, minijinja::Error> {
    let Some(cause) = cause else { return Ok(None) };
    let class = words.cause(cause.class.as_deref().unwrap_or("other"));
    match &cause.step {
        Some(step) => words
            .say("cause_step", context! { step, cause => class })
            .map(Some),
        None => Ok(Some(class.to_owned())),
    }
}
