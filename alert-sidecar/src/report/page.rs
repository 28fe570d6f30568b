//! Sets the figures as a page of HTML that needs nothing else: for the screen, and for the printer that makes the PDF of it.

use std::{cmp::Reverse, collections::BTreeMap};

use jiff::{Timestamp, civil::Date};
use minijinja::{Environment, UndefinedBehavior, context, syntax::SyntaxConfig, value::Serde};
use serde::Serialize;

use super::{
    availability::share,
    charts,
    figures::{Figures, Incident, Journey, System},
    records::Spread,
    summary::{self, Names, Summary},
    timeline::Times,
    words::{Words, duration},
};
use crate::flux::Series;

/// The longest list of incidents in the page; the others are in their file.
pub const MOST_INCIDENTS: usize = 40;

/// The most steps in the list of the slowest.
const MOST_STEPS: usize = 12;

/// The pictures of incidents, as `data:` URIs, by the runs that left them.
pub type Pictures = BTreeMap<(Timestamp, Series), String>;

/// How the report is written.
#[derive(Clone, Copy, Debug)]
pub struct Style<'a> {
    /// In which words.
    pub words: &'a Words,
    /// The names that people know.
    pub names: &'a Names,
    /// How many probes must see a journey fail.
    pub probes: usize,
}

/// What the layout sets.
#[derive(Serialize)]
struct Page<'a> {
    language: &'a str,
    texts: &'a BTreeMap<String, String>,
    heading: String,
    period: String,
    footer: String,
    summary: &'a Summary,
    contents: Vec<(String, String)>,
    systems: Vec<SystemView>,
    incidents_about: String,
    incidents: Vec<IncidentView>,
    slowest: Vec<StepView>,
    method: Vec<String>,
}

#[derive(Serialize)]
struct SystemView {
    anchor: String,
    name: String,
    impact: Option<String>,
    availability: Option<String>,
    target: Option<String>,
    verdict: &'static str,
    verdict_text: String,
    down: String,
    allowance: Option<String>,
    allowance_chart: String,
    incidents: usize,
    longest: Option<String>,
    before: Option<String>,
    change: Option<String>,
    coverage: Option<String>,
    days: String,
    sentences: Vec<String>,
    journeys: Vec<JourneyView>,
}

#[derive(Serialize)]
struct JourneyView {
    name: String,
    availability: Option<String>,
    coverage: Option<String>,
    runs: String,
    ok: String,
    slow: String,
    failed: String,
    unmeasured: String,
    p50: Option<String>,
    p95: Option<String>,
    change: Option<String>,
    worst: Option<String>,
}

#[derive(Serialize)]
struct IncidentView {
    system: String,
    span: String,
    lasted: String,
    down: String,
    cause: String,
    technical: Option<String>,
    journeys: String,
    detected: String,
    acknowledged: String,
    recovered: String,
    picture: Option<String>,
}

#[derive(Serialize)]
struct StepView {
    system: String,
    journey: String,
    step: String,
    runs: i64,
    p50: String,
    p95: String,
    chart: String,
}

/// The incidents that the page shows, the longest first.
#[must_use]
pub fn shown_incidents(figures: &Figures) -> Vec<(&System, &Incident)> {
    let mut incidents: Vec<_> = figures
        .systems
        .iter()
        .flat_map(|system| {
            system
                .incidents
                .iter()
                .map(move |incident| (system, incident))
        })
        .collect();
    incidents.sort_by_key(|(_, incident)| {
        (Reverse(incident.within.duration_ns()), incident.within.from)
    });
    incidents.truncate(MOST_INCIDENTS);
    incidents
}

/// Writes the page.
pub fn write(
    figures: &Figures,
    pictures: &Pictures,
    style: Style<'_>,
    language: &str,
) -> Result<String, minijinja::Error> {
    let words = style.words;
    let summary = summary::summary(figures, style)?;
    let month = words.month(figures.month)?;
    let incidents = shown_incidents(figures);
    let all: usize = figures
        .systems
        .iter()
        .map(|system| system.incidents.len())
        .sum();
    let page = Page {
        language,
        texts: words.plain(),
        heading: month.clone(),
        period: period(figures, words)?,
        footer: words.say("footer", context! { month })?,
        summary: &summary,
        contents: ["systems", "incidents", "slowest", "details", "method_title"]
            .map(|name| (name.to_owned(), words.text(name).to_owned()))
            .into(),
        systems: figures
            .systems
            .iter()
            .enumerate()
            .map(|(index, system)| system_view(index, system, figures, style))
            .collect::<Result<_, _>>()?,
        incidents_about: words.say(
            "incidents_about",
            context! { shown => incidents.len(), all },
        )?,
        incidents: incidents
            .into_iter()
            .map(|(system, incident)| incident_view(system, incident, pictures, style))
            .collect::<Result<_, _>>()?,
        slowest: slowest(figures, style),
        method: words
            .method()
            .iter()
            .map(|text| text.replace("{{ probes }}", &style.probes.to_string()))
            .collect(),
    };
    let mut environment = environment()?;
    environment.add_template("report.html", include_str!("templates/report.html"))?;
    environment
        .get_template("report.html")?
        .render(Serde(&page))
}

/// What sets the layouts: a name that is not there is an error, and what is set is escaped as the layout's name says.
pub(super) fn environment() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()?,
    );
    Ok(environment)
}

/// Of what the report tells.
pub fn period(figures: &Figures, words: &Words) -> Result<String, minijinja::Error> {
    let zone = words.clock();
    if figures.is_whole {
        let days = figures.month.first();
        let format = words.text("day_of_year");
        let day = |day: Date| day.strftime(format).to_string();
        words.say(
            "period",
            context! { from => day(days), to => day(days.last_of_month()), zone },
        )
    } else {
        let to = words.moment(figures.period.to, "moment_of_year");
        words.say("until_now", context! { to, zone })
    }
}

fn system_view(
    index: usize,
    system: &System,
    figures: &Figures,
    style: Style<'_>,
) -> Result<SystemView, minijinja::Error> {
    let words = style.words;
    let name = summary::shown(&system.name, style.names);
    let down = duration(system.times.down_ns);
    let bad_days = system
        .days
        .iter()
        .filter(|(_, times)| times.down_ns > 0)
        .count();
    let label = words.say(
        "days_label",
        context! { system => &name, down => &down, days => bad_days },
    )?;
    let days: Vec<Times> = system.days.iter().map(|(_, times)| *times).collect();
    let of_month = usize::try_from(figures.month.first().days_in_month()).unwrap_or(31);
    let (allowance, allowance_chart) = allowance(system, words)?;
    Ok(SystemView {
        anchor: format!("system-{index}"),
        impact: system
            .impact
            .map(|impact| words.text(&format!("impact_{impact}")).to_owned()),
        availability: system
            .availability
            .map(|availability| words.availability(availability, system.target)),
        target: system
            .target
            .map(|target| words.percent(&target.to_string())),
        verdict: system.verdict().name(),
        verdict_text: words.text(system.verdict().name()).to_owned(),
        allowance,
        allowance_chart,
        incidents: system.incidents.len(),
        longest: system
            .incidents
            .iter()
            .map(|incident| incident.within.duration_ns())
            .max()
            .map(duration),
        before: system
            .before
            .map(|before| words.availability(before, system.target)),
        change: system
            .availability
            .zip(system.before)
            .map(|(now, before)| words.decimal(&now.points_above(before))),
        coverage: summary::coverage(&system.times).map(|share| words.percent(&share)),
        days: charts::days(&days, of_month, &label),
        sentences: sentences(system, words)?,
        journeys: system
            .journeys
            .iter()
            .map(|journey| journey_view(system, journey, style))
            .collect::<Result<_, _>>()?,
        name,
        down,
    })
}

/// What is left of what the target allows, and the bar of it.
fn allowance(system: &System, words: &Words) -> Result<(Option<String>, String), minijinja::Error> {
    let (Some(left), Some(target)) = (system.budget_left_ns(), system.target) else {
        return Ok((None, String::new()));
    };
    let allowed = target.allowance_ns(system.times.measured_ns());
    let down = system.times.down_ns;
    let text = if left >= 0 {
        // What is left is told no longer than it is.
        duration(left - left % 1_000_000_000)
    } else {
        words.say("exceeded_by", context! { by => duration(-left) })?
    };
    let used = share(down, allowed).unwrap_or_else(|| "0".into());
    let label = words.say("budget_label", context! { used => words.percent(&used) })?;
    Ok((Some(text), charts::allowance(down, allowed, &label)))
}

fn sentences(system: &System, words: &Words) -> Result<Vec<String>, minijinja::Error> {
    let Some(availability) = system.availability else {
        return Ok(vec![words.text("system_nothing").to_owned()]);
    };
    let times = &system.times;
    let mut sentences = vec![words.say(
        "system_line",
        context! {
            availability => words.availability(availability, system.target),
            target => system.target.map(|target| words.percent(&target.to_string())),
            verdict => words.text(system.verdict().name()),
            down => duration(times.down_ns),
            coverage => summary::coverage(times).map(|share| words.percent(&share)),
        },
    )?];
    if times.local_ns > 0 {
        sentences.push(words.say(
            "system_local",
            context! { local => duration(times.local_ns) },
        )?);
    }
    if times.maintenance_ns > 0 {
        let maintenance = duration(times.maintenance_ns);
        sentences.push(words.say("system_maintenance", context! { maintenance })?);
    }
    if !system.incidents.is_empty() {
        let mean = |of: fn(&Incident) -> Option<i64>| match system.mean(of) {
            Some((mean, count)) => {
                words.say("of_incidents", context! { mean => duration(mean), count })
            }
            None => Ok(words.text("none").to_owned()),
        };
        sentences.push(words.say(
            "system_times",
            context! {
                detected => mean(|incident| incident.detected_ns)?,
                acknowledged => mean(|incident| incident.acknowledged_ns)?,
                recovered => mean(Incident::recovered_ns)?,
            },
        )?);
    }
    Ok(sentences)
}

fn journey_view(
    system: &System,
    journey: &Journey,
    style: Style<'_>,
) -> Result<JourneyView, minijinja::Error> {
    let words = style.words;
    let counts = &journey.counts;
    Ok(JourneyView {
        name: summary::shown(&journey.name, style.names),
        availability: journey
            .availability
            .map(|availability| words.availability(availability, system.target)),
        coverage: summary::coverage(&journey.times).map(|share| words.percent(&share)),
        runs: counts.all.to_string(),
        ok: counts.ok().to_string(),
        slow: counts.slow.to_string(),
        failed: counts.failed.to_string(),
        unmeasured: (counts.unmeasured + counts.missed).to_string(),
        p50: journey.spread.map(|spread| words.took(spread.p50_ms)),
        p95: journey.spread.map(|spread| words.took(spread.p95_ms)),
        change: match (journey.spread, journey.before) {
            (Some(now), Some(before)) => Some(change(now, before, words)?),
            _ => None,
        },
        worst: journey.steps.first().map(|(step, spread)| {
            format!(
                "{} ({})",
                summary::shown(step, style.names),
                words.took(spread.p95_ms)
            )
        }),
    })
}

/// How the 95th of 100 changed.
fn change(now: Spread, before: Spread, words: &Words) -> Result<String, minijinja::Error> {
    let percent = summary::change_percent(now, before);
    let name = match percent {
        Some(percent) if percent <= -0.5 => "faster",
        Some(percent) if percent >= 0.5 => "slower",
        _ => return Ok(words.text("as_before").to_owned()),
    };
    let percent = words.percent(&format!("{:.0}", percent.unwrap_or_default().abs()));
    words.say(name, context! { percent })
}

fn incident_view(
    system: &System,
    incident: &Incident,
    pictures: &Pictures,
    style: Style<'_>,
) -> Result<IncidentView, minijinja::Error> {
    let words = style.words;
    let cause = incident.cause.as_ref();
    let after = |some: &str, none: &str, ns: Option<i64>| match ns {
        Some(ns) => words.say(
            some,
            context! { after => duration(ns), by => &incident.acknowledged_by },
        ),
        None => Ok(words.text(none).to_owned()),
    };
    let is_part = incident.began_before() || !incident.outage.is_over;
    let lasted = if is_part {
        "incident_in_month"
    } else {
        "incident_duration"
    };
    let by = incident.acknowledged_by.as_ref();
    let acknowledged = match (incident.acknowledged_ns, by) {
        (Some(_), Some(_)) => after("acknowledged_by", "none", incident.acknowledged_ns)?,
        (None, Some(by)) => words.say("acknowledged_whom", context! { by })?,
        (ns, None) => after("acknowledged_after", "acknowledged_never", ns)?,
    };
    let journeys: Vec<String> = incident
        .journeys
        .iter()
        .map(|journey| summary::shown(journey, style.names))
        .collect();
    Ok(IncidentView {
        system: summary::shown(&system.name, style.names),
        span: summary::span(incident, words)?,
        lasted: words.say(
            lasted,
            context! { duration => duration(incident.within.duration_ns()) },
        )?,
        down: words.say(
            "incident_down",
            context! { down => duration(incident.down_ns) },
        )?,
        cause: summary::cause(cause, words)?.unwrap_or_else(|| words.text("cause_unknown").into()),
        technical: cause.and_then(|cause| cause.error.clone()),
        journeys: words.list(&journeys),
        detected: after("detected_after", "detected_never", incident.detected_ns)?,
        acknowledged,
        recovered: after("recovered_after", "recovered_not", incident.recovered_ns())?,
        picture: incident
            .picture
            .as_ref()
            .and_then(|run| pictures.get(run))
            .cloned(),
    })
}

fn slowest(figures: &Figures, style: Style<'_>) -> Vec<StepView> {
    let mut steps: Vec<(&System, &Journey, &str, Spread)> = figures
        .systems
        .iter()
        .flat_map(|system| system.journeys.iter().map(move |journey| (system, journey)))
        .flat_map(|(system, journey)| {
            let steps = journey.steps.iter();
            steps.map(move |(step, spread)| (system, journey, step.as_str(), *spread))
        })
        .collect();
    steps.sort_by(|(.., one), (.., other)| other.p95_ms.total_cmp(&one.p95_ms));
    steps.truncate(MOST_STEPS);
    let longest = steps.first().map_or(0.0, |(.., spread)| spread.p95_ms);
    steps
        .into_iter()
        .map(|(system, journey, step, spread)| {
            let p95 = style.words.took(spread.p95_ms);
            StepView {
                system: summary::shown(&system.name, style.names),
                journey: summary::shown(&journey.name, style.names),
                step: summary::shown(step, style.names),
                runs: spread.runs,
                p50: style.words.took(spread.p50_ms),
                chart: charts::bar(spread.p95_ms, longest, &p95),
                p95,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::report::figures::Verdict;

    /// Their colours are there, by their names.
    #[test]
    fn the_layout_knows_every_verdict() {
        let layout = include_str!("templates/report.html");
        for verdict in [
            Verdict::Met,
            Verdict::Missed,
            Verdict::NoTarget,
            Verdict::NoData,
        ] {
            let name = verdict.name();
            assert!(layout.contains(&format!(".{name}")), "{name}");
        }
    }
}
