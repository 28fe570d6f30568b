//! Planned windows in which nothing is measured: the system is being worked on, and nobody is to be told of it.
//!
//! In a window no run starts, and one that a window begins in the middle of says nothing about the system.

use std::{str::FromStr, time::Duration};

use croner::Cron;
use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};
use serde::Deserialize;
use vigia_contract::{
    config_file::Spanned,
    duration,
    mistake::{Mistake, Source},
};

/// One window, or one that comes again and again.
#[derive(Clone, Debug)]
pub struct Maintenance {
    /// What people call it; it is told with what was not measured.
    pub name: String,
    /// Nothing: all journeys.
    covers: Option<Vec<String>>,
    when: When,
}

#[derive(Clone, Debug)]
enum When {
    Once {
        from: Timestamp,
        until: Timestamp,
    },
    Recurring {
        /// When it begins, by the clocks of this time zone.
        begins: Box<Cron>,
        time_zone: TimeZone,
        lasts: SignedDuration,
    },
}

/// A table `[[maintenance]]` as it is typed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaintenanceTable {
    name: Spanned<String>,
    /// Systems, and journeys as `system/journey`.
    of: Option<Spanned<Vec<String>>>,
    from: Option<Spanned<String>>,
    until: Option<Spanned<String>>,
    cron: Option<Spanned<String>>,
    lasts: Option<Spanned<Lasts>>,
    time_zone: Option<Spanned<String>>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(transparent)]
struct Lasts(#[serde(deserialize_with = "duration::deserialize")] Duration);

impl Maintenance {
    /// Whether the window is there at any moment between these two.
    pub fn is_between(&self, from: Timestamp, until: Timestamp) -> bool {
        match &self.when {
            When::Once {
                from: begin,
                until: end,
            } => *begin <= until && from < *end,
            When::Recurring {
                begins,
                time_zone,
                lasts,
            } => {
                // All of them last as long, so the last one to begin is the last one to end.
                let until = until.to_zoned(time_zone.clone());
                let begun = begins.find_previous_occurrence(&until, true);
                begun.is_ok_and(|begun| from.duration_since(begun.timestamp()) < *lasts)
            }
        }
    }

    /// Whether it is about this journey.
    pub fn covers(&self, system: &str, journey: &str) -> bool {
        let is_it = |name: &String| {
            name.strip_prefix(system)
                .is_some_and(|rest| rest.is_empty() || rest.strip_prefix('/') == Some(journey))
        };
        self.covers
            .as_ref()
            .is_none_or(|covers| covers.iter().any(is_it))
    }
}

impl MaintenanceTable {
    /// Reads its times, or says all that is wrong. `is_known` is told whether a system or journey of this name is there.
    pub fn ready(
        self,
        source: &Source,
        is_known: impl Fn(&str) -> bool,
    ) -> Result<Maintenance, Vec<Mistake>> {
        let mut mistakes = Vec::new();
        if self.name.get_ref().trim().is_empty() {
            mistakes.push(source.mistake(
                self.name.span(),
                "the maintenance window has no name",
                "write what is done in it: it is told with what is not measured",
            ));
        }
        if let Some(of) = &self.of {
            for name in of.get_ref().iter().filter(|name| !is_known(name)) {
                mistakes.push(source.mistake(
                    of.span(),
                    format!("no journey is of `{name}`"),
                    "write systems as journeys have them, and single journeys as \"system/journey\"",
                ));
            }
        }
        let when = self.when(source);
        match when {
            Ok(when) if mistakes.is_empty() => Ok(Maintenance {
                name: self.name.into_inner(),
                covers: self.of.map(Spanned::into_inner),
                when,
            }),
            Ok(_) => Err(mistakes),
            Err(others) => {
                mistakes.extend(others);
                Err(mistakes)
            }
        }
    }

    fn when(&self, source: &Source) -> Result<When, Vec<Mistake>> {
        let time_zone = match &self.time_zone {
            None => Ok(TimeZone::system()),
            Some(name) => TimeZone::get(name.get_ref()).map_err(|_| {
                vec![source.mistake(
                    name.span(),
                    format!("`{}` is no time zone", name.get_ref()),
                    "write its name in the IANA database, for example \"America/Montevideo\"",
                )]
            }),
        };
        match (&self.from, &self.until, &self.cron, &self.lasts) {
            (Some(from), Some(until), None, None) => once(from, until, &time_zone?, source),
            (None, None, Some(cron), Some(lasts)) => {
                recurring(cron, lasts.get_ref().0, time_zone, source)
            }
            _ => {
                let mut mistakes = time_zone.err().unwrap_or_default();
                mistakes.push(source.mistake(
                    self.name.span(),
                    format!("it is not clear when `{}` is", self.name.get_ref()),
                    "write `from` and `until` for a single window, or `cron` and `lasts` for one that comes again",
                ));
                Err(mistakes)
            }
        }
    }
}

fn once(
    from: &Spanned<String>,
    until: &Spanned<String>,
    time_zone: &TimeZone,
    source: &Source,
) -> Result<When, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let mut read = |text: &Spanned<String>| {
        let at = moment(text.get_ref(), time_zone);
        if at.is_none() {
            mistakes.push(source.mistake(
                text.span(),
                format!("`{}` is no moment", text.get_ref()),
                "write a date and a time, for example \"2026-12-05 22:00\" with `time_zone`, or \"2026-12-05T22:00-03:00\"",
            ));
        }
        at
    };
    match (read(from), read(until)) {
        (Some(from), Some(until)) if from < until => Ok(When::Once { from, until }),
        (Some(_), Some(_)) => Err(vec![source.mistake(
            until.span(),
            "the maintenance window ends before it begins",
            "write an `until` that is later than `from`",
        )]),
        _ => Err(mistakes),
    }
}

/// With an offset of its own, or by the clocks of the time zone.
fn moment(text: &str, time_zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let civil: civil::DateTime = text.parse().ok()?;
    let zoned = civil.to_zoned(time_zone.clone()).ok()?;
    Some(zoned.timestamp())
}

fn recurring(
    cron: &Spanned<String>,
    lasts: Duration,
    time_zone: Result<TimeZone, Vec<Mistake>>,
    source: &Source,
) -> Result<When, Vec<Mistake>> {
    let begins = Cron::from_str(cron.get_ref()).map_err(|error| {
        vec![source.mistake(
            cron.span(),
            format!("`{}` cannot be read: {error}", cron.get_ref()),
            "write minute, hour, day, month and day of the week: \"0 2 * * SUN\" is Sundays at two",
        )]
    });
    match (begins, time_zone) {
        (Ok(begins), Ok(time_zone)) => Ok(When::Recurring {
            begins: Box::new(begins),
            time_zone,
            lasts: SignedDuration::try_from(lasts).unwrap_or(SignedDuration::MAX),
        }),
        (begins, time_zone) => {
            let mut mistakes = begins.err().unwrap_or_default();
            mistakes.extend(time_zone.err().unwrap_or_default());
            Err(mistakes)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(table: &str) -> Maintenance {
        let source = Source {
            path: "probe.toml".into(),
            text: table.into(),
        };
        let table: MaintenanceTable = toml::from_str(table).unwrap();
        table.ready(&source, |_| true).unwrap()
    }

    fn is_at(window: &Maintenance, moment: &str) -> bool {
        let at: Timestamp = moment.parse().unwrap();
        window.is_between(at, at)
    }

    #[test]
    fn a_single_window_is_there_from_its_beginning_and_no_longer_at_its_end() {
        for table in [
            "name = 'x'\nfrom = '2026-12-05 22:00'\nuntil = '2026-12-06 01:30'\ntime_zone = 'America/Montevideo'",
            "name = 'x'\nfrom = '2026-12-05T22:00-03:00'\nuntil = '2026-12-06T04:30Z'",
        ] {
            let window = window(table);
            assert!(!is_at(&window, "2026-12-06T00:59:59Z"));
            assert!(is_at(&window, "2026-12-06T01:00:00Z"));
            assert!(is_at(&window, "2026-12-06T04:29:59Z"));
            assert!(!is_at(&window, "2026-12-06T04:30:00Z"));
        }
    }

    #[test]
    fn a_window_that_comes_again_follows_the_clocks_of_its_time_zone() {
        let window = window(
            "name = 'x'\ncron = '0 2 * * SUN'\nlasts = '90m'\ntime_zone = 'America/Santiago'",
        );
        // Summer: three hours behind Greenwich. Winter: four.
        assert!(is_at(&window, "2026-01-11T05:00:00Z"));
        assert!(!is_at(&window, "2026-01-11T06:30:00Z"));
        assert!(!is_at(&window, "2026-07-12T05:30:00Z"));
        assert!(is_at(&window, "2026-07-12T06:00:00Z"));
        assert!(is_at(&window, "2026-07-12T07:29:59Z"));
        assert!(!is_at(&window, "2026-07-13T06:30:00Z"), "a Monday");
    }

    #[test]
    fn an_hour_that_the_clocks_leave_out_or_show_twice_has_one_window_that_lasts_as_long() {
        // On 2026-09-06 the clocks of Santiago go from 00:00 to 01:00 (04:00 UTC), on 2026-04-05 from 00:00 back to 23:00
        // of the day before (03:00 UTC).
        let window = window(
            "name = 'x'\ncron = '30 23 * * *'\nlasts = '1h'\ntime_zone = 'America/Santiago'",
        );
        let minutes = |from: &str| {
            let from: Timestamp = from.parse().unwrap();
            let at = |minute| from + SignedDuration::from_mins(minute);
            (0..24 * 60)
                .filter(|&minute| window.is_between(at(minute), at(minute)))
                .count()
        };
        assert_eq!(minutes("2026-09-05T16:00:00Z"), 60);
        assert!((60..=120).contains(&minutes("2026-04-04T16:00:00Z")));
    }

    #[test]
    fn a_window_that_begins_in_the_middle_of_a_run_is_between_its_ends() {
        let window = window("name = 'x'\nfrom = '2026-12-05T22:00Z'\nuntil = '2026-12-05T23:00Z'");
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert!(window.is_between(at("2026-12-05T21:59:50Z"), at("2026-12-05T22:00:10Z")));
        assert!(window.is_between(at("2026-12-05T22:59:59Z"), at("2026-12-05T23:00:10Z")));
        assert!(!window.is_between(at("2026-12-05T23:00:00Z"), at("2026-12-05T23:00:10Z")));
    }

    #[test]
    fn a_window_is_about_whole_systems_and_single_journeys() {
        let times = "cron = '0 2 * * *'\nlasts = '1h'\nname = 'x'";
        let all = window(times);
        assert!(all.covers("tramites", "consultar"));
        let some = window(&format!("{times}\nof = ['tramites', 'turnos/reservar']"));
        assert!(some.covers("tramites", "consultar"));
        assert!(some.covers("turnos", "reservar"));
        assert!(!some.covers("turnos", "cancelar"));
        assert!(!some.covers("tramites-viejos", "consultar"));
    }
}
