//! The words of each language that the report is written in, and how it writes numbers, durations and times.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use minijinja::{Environment, UndefinedBehavior, Value};
use serde::Deserialize;

use super::{
    availability::{Availability, Target},
    month::Month,
};
use crate::render::Language;

/// Every text of the report; one with braces is a template.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vocabulary {
    months: Vec<String>,
    method: Vec<String>,
    texts: BTreeMap<String, String>,
    /// By the class of error.
    causes: BTreeMap<String, String>,
}

/// The words of a language, on somebody's clock.
#[derive(Debug)]
pub struct Words {
    texts: Vocabulary,
    environment: Environment<'static>,
    time_zone: TimeZone,
}

impl Words {
    /// Those of this language.
    #[must_use]
    pub fn new(language: Language, time_zone: TimeZone) -> Self {
        let text = match language {
            Language::Spanish => include_str!("words/es.toml"),
            Language::English => include_str!("words/en.toml"),
        };
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        Self {
            texts: toml::from_str(text).expect("the shipped words are complete: a test reads them"),
            environment,
            time_zone,
        }
    }

    /// The texts that need nothing filled in, for the layouts.
    #[must_use]
    pub const fn plain(&self) -> &BTreeMap<String, String> {
        &self.texts.texts
    }

    /// How the figures are worked out, a paragraph each.
    #[must_use]
    pub fn method(&self) -> &[String] {
        &self.texts.method
    }

    /// A text with what it needs filled in, as plain text.
    pub fn say(&self, name: &str, with: Value) -> Result<String, minijinja::Error> {
        self.environment.render_str(self.text(name), with)
    }

    /// A text that needs nothing.
    #[must_use]
    pub fn text<'a>(&'a self, name: &'a str) -> &'a str {
        self.texts.texts.get(name).map_or(name, String::as_str)
    }

    /// What a class of error means.
    #[must_use]
    pub fn cause<'a>(&'a self, class: &'a str) -> &'a str {
        let causes = &self.texts.causes;
        causes
            .get(class)
            .or_else(|| causes.get("other"))
            .map_or(class, String::as_str)
    }

    /// A month, such as `octubre de 2026`.
    pub fn month(&self, month: Month) -> Result<String, minijinja::Error> {
        let first = month.first();
        let name = usize::try_from(first.month() - 1)
            .ok()
            .and_then(|index| self.texts.months.get(index));
        self.say(
            "month",
            minijinja::context! { month => name, year => first.year() },
        )
    }

    /// A percentage, cut and never rounded up.
    #[must_use]
    pub fn availability(&self, availability: Availability, target: Option<Target>) -> String {
        self.percent(&availability.percent(target))
    }

    /// A number that was written with a point, as a percentage.
    #[must_use]
    pub fn percent(&self, number: &str) -> String {
        format!("{} %", self.decimal(number))
    }

    /// A number that was written with a point.
    #[must_use]
    pub fn decimal(&self, number: &str) -> String {
        // A hyphen is no minus.
        number
            .replace('.', self.text("decimal_point"))
            .replace('-', "−")
    }

    /// How long something took.
    #[must_use]
    pub fn took(&self, ms: f64) -> String {
        if ms < 999.5 {
            format!("{ms:.0} ms")
        } else {
            format!("{} s", self.decimal(&format!("{:.2}", ms / 1000.0)))
        }
    }

    /// Several names as people list them.
    #[must_use]
    pub fn list(&self, names: &[String]) -> String {
        match names {
            [] => String::new(),
            [one] => one.clone(),
            [first @ .., last] => format!("{}{}{last}", first.join(", "), self.text("and")),
        }
    }

    /// A day of the month.
    #[must_use]
    pub fn day(&self, day: Date) -> String {
        day.strftime(self.text("day")).to_string()
    }

    /// A moment, in this way of writing one.
    #[must_use]
    pub fn moment(&self, at: Timestamp, way: &str) -> String {
        at.to_zoned(self.time_zone.clone())
            .strftime(self.text(way))
            .to_string()
    }

    /// The clock's name.
    #[must_use]
    pub fn clock(&self) -> &str {
        self.time_zone.iana_name().unwrap_or("UTC")
    }
}

/// The two largest units; what is left over makes the smaller one full, so that no time is told shorter than it was.
#[must_use]
pub fn duration(ns: i64) -> String {
    let seconds = u64::try_from(ns).unwrap_or(0).div_ceil(1_000_000_000);
    let minutes = seconds.div_ceil(60);
    let hours = seconds.div_ceil(3600);
    match (seconds, minutes, hours) {
        (0..60, ..) => format!("{seconds} s"),
        (60..3600, ..) => match seconds % 60 {
            0 => format!("{} min", seconds / 60),
            rest => format!("{} min {rest} s", seconds / 60),
        },
        (_, 0..1440, _) => match minutes % 60 {
            0 => format!("{} h", minutes / 60),
            rest => format!("{} h {rest} min", minutes / 60),
        },
        _ => match hours % 24 {
            0 => format!("{} d", hours / 24),
            rest => format!("{} d {rest} h", hours / 24),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(language: Language) -> Words {
        Words::new(language, TimeZone::UTC)
    }

    #[test]
    fn both_languages_have_the_same_texts() {
        let [spanish, english] = [Language::Spanish, Language::English].map(|language| {
            let Vocabulary {
                months,
                method,
                texts,
                causes,
            } = words(language).texts;
            assert_eq!(months.len(), 12);
            let names = |map: BTreeMap<String, String>| map.into_keys().collect::<Vec<_>>();
            (method.len(), names(texts), names(causes))
        });
        assert_eq!(spanish, english);
    }

    #[test]
    fn no_time_is_told_shorter_than_it_was() {
        const SECOND: i64 = 1_000_000_000;
        for (ns, told) in [
            (0, "0 s"),
            (1, "1 s"),
            (59 * SECOND, "59 s"),
            (60 * SECOND, "1 min"),
            (2593 * SECOND, "43 min 13 s"),
            (3600 * SECOND, "1 h"),
            (3601 * SECOND, "1 h 1 min"),
            (86_399 * SECOND, "1 d"),
            (90_001 * SECOND, "1 d 2 h"),
            (2_678_400 * SECOND, "31 d"),
        ] {
            assert_eq!(duration(ns), told);
        }
    }

    #[test]
    fn numbers_and_lists_are_written_as_the_language_does() {
        let spanish = words(Language::Spanish);
        assert_eq!(spanish.percent("99.899"), "99,899 %");
        assert_eq!(spanish.decimal("-0.1"), "−0,1");
        assert_eq!(spanish.took(1249.0), "1,25 s");
        let names = ["a", "b", "c"].map(String::from);
        assert_eq!(spanish.list(&names), "a, b y c");
        assert_eq!(words(Language::English).list(&names[..1]), "a");
        let month = "2026-10".parse().unwrap();
        assert_eq!(spanish.month(month).unwrap(), "octubre de 2026");
    }
}
