//! What there is to say about a delivery, as the templates use it: names that people know, times on their clock.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::Serialize;

use super::words::Words;
use crate::{
    flux::observation::OURS,
    incident::{Form, Incident},
};

/// The names by which people know systems and journeys, by their names in the data.
pub type Names = BTreeMap<String, String>;

/// What a template of the words may use.
#[derive(Clone, Debug, Serialize)]
pub struct Facts {
    /// How much it matters, in words.
    pub impact: String,
    /// What people call the system.
    pub system: String,
    /// What people call the journey.
    pub journey: String,
    /// What it is about, as the data has it where no name is given: a file system, a service, a rule.
    pub name: String,
    /// Where it was seen from; of a server, its host.
    pub probe: String,
    /// The probes for which the journey gets through meanwhile; empty where nobody knows of any.
    pub elsewhere: String,
    /// Why, technical, in English; empty where nobody says.
    pub error: String,
    /// The step that failed, where one is known.
    pub step: Option<String>,
    /// The HTTP status of the page, where it is an error.
    pub http_status: Option<i64>,
    /// What was missing or would not react, where the error names it.
    pub thing: Option<String>,
    /// The day of the beginning, in words: today, or a date.
    pub day: String,
    /// The time of day of the beginning.
    pub since: String,
    /// The beginning as a span is told: to the second where it was short, with the date where it was long.
    pub from: String,
    /// The end, in the same way; empty while there is none.
    pub to: String,
    /// How long it lasted, or has lasted.
    pub duration: String,
    /// Why, in a few words; made of the facts above.
    pub brief_reason: String,
    /// Why, as a sentence; made of the facts above.
    pub long_reason: String,
}

impl Facts {
    /// Collects those that are not made of others.
    #[must_use]
    pub fn new(
        incident: &Incident,
        words: &Words,
        names: &Names,
        time_zone: &TimeZone,
        now: Timestamp,
    ) -> Self {
        let local = |time: Timestamp| time.to_zoned(time_zone.clone());
        let started = local(incident.started_at);
        let is_today = started.date() == local(now).date();
        let lasted = incident.duration(now);
        let precise = match lasted.as_secs() {
            ..600 => "%H:%M:%S".to_owned(),
            600..43_200 => "%H:%M".to_owned(),
            _ => format!("{} %H:%M", words.date),
        };
        Self {
            impact: words.impact.of(incident.impact).to_owned(),
            system: system(incident, names),
            name: named(&incident.series.journey, names),
            probe: incident.series.probe.clone(),
            elsewhere: match &incident.form {
                Form::Local(elsewhere) => elsewhere.join(", "),
                Form::Failing | Form::Flapping => String::new(),
            },
            error: incident.failure.error.clone().unwrap_or_default(),
            journey: shown(&incident.series.journey, names),
            step: incident.failure.step.clone(),
            http_status: incident.failure.http_status.filter(|status| *status >= 400),
            thing: incident.failure.error.as_deref().and_then(thing),
            day: if is_today {
                words.today.clone()
            } else {
                started.strftime(&words.on_date).to_string()
            },
            since: started.strftime("%H:%M").to_string(),
            from: started.strftime(&precise).to_string(),
            to: incident
                .end
                .as_ref()
                .map(|end| local(end.at).strftime(&precise).to_string())
                .unwrap_or_default(),
            duration: duration(lasted),
            brief_reason: String::new(),
            long_reason: String::new(),
        }
    }
}

/// A server is called as it calls itself; what the monitoring itself suffers has the product's name.
fn system(incident: &Incident, names: &Names) -> String {
    let system = &incident.series.system;
    match incident.trouble() {
        _ if system == OURS => names.get(system).map_or("Vigía", String::as_str).to_owned(),
        Some(trouble) if !trouble.is_about_a_journey() => named(system, names),
        _ => shown(system, names),
    }
}

/// The name that people know, or the name in the data as it stands.
fn named(name: &str, names: &Names) -> String {
    names.get(name).cloned().unwrap_or_else(|| name.to_owned())
}

/// The name that people know, or the name in the data made readable.
#[must_use]
pub fn shown(name: &str, names: &Names) -> String {
    names.get(name).cloned().unwrap_or_else(|| {
        let spaced = name.replace(['-', '_'], " ");
        let mut letters = spaced.chars();
        letters.next().map_or(String::new(), |first| {
            first.to_uppercase().chain(letters).collect()
        })
    })
}

/// The two largest units, as people say it in both languages.
fn duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// The longest name of a thing that a subject has room for.
const THING_MAX_CHARACTERS: usize = 40;

/// What an error is about, as a person would call it: what the page does not show, or else the first thing that the error
/// quotes. A CSS selector is nothing that a person would recognise, and what is still there is not missing.
fn thing(error: &str) -> Option<String> {
    if error.contains("is still visible") {
        return None;
    }
    let error = error
        .split_once("does not show ")
        .map_or(error, |(_, missing)| missing);
    let start = error.find(['`', '"', '«', '“'])?;
    let mut rest = error[start..].chars();
    let close = match rest.next()? {
        '«' => '»',
        '“' => '”',
        quote => quote,
    };
    let quoted = rest.as_str().split_once(close)?.0.trim();
    let name = match quoted.split_once('=') {
        Some(("text" | "label" | "placeholder", name)) => name,
        Some((kind, _)) if kind.starts_with("role") => quoted.split('\'').nth(1)?,
        Some(_) => return None,
        None if quoted.starts_with(['#', '.', '[', '/']) || quoted.contains(['>', '{']) => {
            return None;
        }
        None => quoted,
    };
    let name = name.trim_matches(['\'', '"']);
    (!name.is_empty() && name.chars().count() <= THING_MAX_CHARACTERS).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errors_thing_is_called_what_a_person_would_call_it() {
        for (error, expected) in [
            (
                "the page “Portal” does not show “Bienvenido” (waited 5.0 s)",
                Some("Bienvenido"),
            ),
            ("`text=Cargando` is still visible (waited 5.0 s)", None),
            ("the text `Bienvenido` did not appear", Some("Bienvenido")),
            ("the text \"Bienvenido\" did not appear", Some("Bienvenido")),
            (
                "`role=button[name='Ingresar']` is not on the page",
                Some("Ingresar"),
            ),
            ("`label=Clave` is not on the page", Some("Clave")),
            ("`#main > .x` is not on the page", None),
            ("`css=div.box` is not on the page", None),
            ("the page did not answer", None),
            ("an open `quote", None),
        ] {
            assert_eq!(thing(error).as_deref(), expected, "{error}");
        }
    }

    #[test]
    fn a_duration_is_said_in_its_two_largest_units() {
        for (seconds, expected) in [
            (7, "7 s"),
            (252, "4 min 12 s"),
            (3_900, "1 h 5 min"),
            (97_200, "1 d 3 h"),
        ] {
            assert_eq!(duration(SignedDuration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn a_system_without_a_name_is_readable_all_the_same() {
        let names = Names::from([("tramites".to_owned(), "Trámites".to_owned())]);
        assert_eq!(shown("tramites", &names), "Trámites");
        assert_eq!(shown("consultar-tramite", &names), "Consultar tramite");
        assert_eq!(shown("", &names), "");
    }
}
