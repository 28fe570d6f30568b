//! The report as a mail: what the first page says and a line a system, in HTML that mail programs show, and as plain text.
//! Everything else is attached.

use std::{cmp::Reverse, collections::BTreeMap};

use minijinja::{context, value::Serde};
use serde::Serialize;

use super::{
    figures::{Figures, System, Verdict},
    page::{self, Style},
    summary::{self, Summary},
    words::duration,
};

/// The most systems in a mail: Gmail cuts what is longer than 102 kB of HTML.
const MOST_SYSTEMS: usize = 120;

/// A report as a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Stands alone on a locked phone.
    pub subject: String,
    /// For those who read plain text.
    pub text: String,
    /// For those who do not; no pictures.
    pub html: String,
}

/// What is attached to it besides the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enclosed {
    /// The PDF.
    Pdf,
    /// The page, because there is no PDF.
    Page,
}

#[derive(Serialize)]
struct Sheet<'a> {
    language: &'a str,
    texts: &'a BTreeMap<String, String>,
    heading: String,
    period: String,
    greeting: String,
    summary: &'a Summary,
    systems: Vec<Line>,
    more: Option<String>,
}

#[derive(Serialize)]
struct Line {
    name: String,
    availability: String,
    target: Option<String>,
    verdict: String,
    colour: &'static str,
    down: String,
}

/// Writes it.
pub fn write(
    figures: &Figures,
    style: Style<'_>,
    language: &str,
    enclosed: Enclosed,
) -> Result<Letter, minijinja::Error> {
    let words = style.words;
    let summary = summary::summary(figures, style)?;
    let month = words.month(figures.month)?;
    let greeting = match enclosed {
        Enclosed::Pdf => "mail_greeting",
        Enclosed::Page => "mail_greeting_no_pdf",
    };
    // Those that missed their targets must not be among those that are left out.
    let mut systems: Vec<&System> = figures.systems.iter().collect();
    systems.sort_by_key(|system| {
        let urgency = match system.verdict() {
            Verdict::Missed => 0,
            Verdict::NoData => 1,
            Verdict::Met | Verdict::NoTarget => 2,
        };
        (urgency, Reverse(system.times.down_ns))
    });
    let more = systems.len().saturating_sub(MOST_SYSTEMS);
    systems.truncate(MOST_SYSTEMS);
    let sheet = Sheet {
        language,
        texts: words.plain(),
        heading: month.clone(),
        period: page::period(figures, words)?,
        greeting: words.say(greeting, context! { month => &month })?,
        summary: &summary,
        systems: systems
            .into_iter()
            .map(|system| line(system, style))
            .collect(),
        more: match more {
            0 => None,
            count => Some(words.say("mail_more", context! { count })?),
        },
    };
    let mut environment = page::environment()?;
    environment.add_template("letter.html", include_str!("templates/letter.html"))?;
    environment.add_template("letter.txt", include_str!("templates/letter.txt"))?;
    Ok(Letter {
        subject: words.say(
            "subject",
            context! { month => &month, summary => &summary.line },
        )?,
        text: environment
            .get_template("letter.txt")?
            .render(Serde(&sheet))?,
        html: environment
            .get_template("letter.html")?
            .render(Serde(&sheet))?,
    })
}

fn line(system: &System, style: Style<'_>) -> Line {
    let words = style.words;
    Line {
        name: summary::shown(&system.name, style.names),
        availability: system.availability.map_or_else(
            || words.text("none").to_owned(),
            |availability| words.availability(availability, system.target),
        ),
        target: system
            .target
            .map(|target| words.percent(&target.to_string())),
        verdict: words.text(system.verdict().name()).to_owned(),
        colour: match system.verdict() {
            Verdict::Met => "#176c39",
            Verdict::Missed => "#a3211a",
            Verdict::NoTarget | Verdict::NoData => "#4a5561",
        },
        down: match system.availability {
            Some(_) => duration(system.times.down_ns),
            None => words.text("none").to_owned(),
        },
    }
}
