//! The hours in which people work. Pure: a moment goes in.

use std::path::PathBuf;

use jiff::{
    Timestamp,
    civil::{Date, Time, Weekday},
    tz::TimeZone,
};

use serde::Deserialize;
use toml::Spanned;

use super::holidays::Holidays;

/// The days that are looked ahead: longer than any row of days on which nobody works.
const AHEAD: i32 = 400;

/// A `[[hours]]`, as the operator writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The name by which routes use it.
    pub name: Spanned<String>,
    /// The days on which they begin. Default `["mon", "tue", "wed", "thu", "fri"]`.
    pub days: Option<Vec<Day>>,
    /// When they begin, for example `09:00`.
    pub from: Spanned<String>,
    /// When they end, for example `18:00`; where that is not after the beginning, the next day.
    pub to: Spanned<String>,
    /// The clock. Default: that of the whole file.
    pub time_zone: Option<Spanned<String>>,
    /// A calendar (iCalendar) with the days on which they do not begin, relative to the configuration file.
    pub holidays: Option<Spanned<PathBuf>>,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "they are days of the week")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl From<Day> for Weekday {
    fn from(day: Day) -> Self {
        match day {
            Day::Mon => Self::Monday,
            Day::Tue => Self::Tuesday,
            Day::Wed => Self::Wednesday,
            Day::Thu => Self::Thursday,
            Day::Fri => Self::Friday,
            Day::Sat => Self::Saturday,
            Day::Sun => Self::Sunday,
        }
    }
}

/// Working hours, of the same length every day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    /// Their name.
    pub name: String,
    /// The days on which they begin.
    pub days: Vec<Weekday>,
    /// When they begin.
    pub from: Time,
    /// When they end; the next day, where that is not after the beginning.
    pub to: Time,
    /// The clock.
    pub time_zone: TimeZone,
    /// The days on which they do not begin.
    pub holidays: Holidays,
}

impl Hours {
    /// Whether this moment is inside them.
    #[must_use]
    pub fn contain(&self, now: Timestamp) -> bool {
        self.end(now).is_some()
    }

    /// When they begin next; nothing where they do not within a year.
    #[must_use]
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let today = now.to_zoned(self.time_zone.clone()).date();
        (0..AHEAD).find_map(|days| {
            let day = today.checked_add(jiff::Span::new().days(days)).ok()?;
            self.of(day)
                .map(|(from, _)| from)
                .filter(|from| *from > now)
        })
    }

    /// When they end, where they are now.
    #[must_use]
    pub fn end(&self, now: Timestamp) -> Option<Timestamp> {
        let today = now.to_zoned(self.time_zone.clone()).date();
        let yesterday = today.yesterday().unwrap_or(today);
        let mut open = [yesterday, today]
            .into_iter()
            .filter_map(|day| self.of(day));
        open.find(|(from, to)| *from <= now && now < *to)
            .map(|(_, to)| to)
    }

    /// Those that begin on this day.
    fn of(&self, day: Date) -> Option<(Timestamp, Timestamp)> {
        if !self.days.contains(&day.weekday()) || self.holidays.contains(day) {
            return None;
        }
        let last = if self.to > self.from {
            day
        } else {
            day.tomorrow().ok()?
        };
        // An hour that the clocks leave out is the one after it.
        let moment = |day: Date, time: Time| {
            let zoned = day.to_datetime(time).to_zoned(self.time_zone.clone());
            zoned.ok().map(|zoned| zoned.timestamp())
        };
        Some((moment(day, self.from)?, moment(last, self.to)?))
    }
}

/// The first moment after this one at which the clock of this zone shows this time of day.
#[must_use]
pub fn next_at(time: Time, time_zone: &TimeZone, after: Timestamp) -> Timestamp {
    let today = after.to_zoned(time_zone.clone()).date();
    (0..3)
        .filter_map(|days| {
            let day = today.checked_add(jiff::Span::new().days(days)).ok()?;
            let zoned = day.to_datetime(time).to_zoned(time_zone.clone()).ok()?;
            Some(zoned.timestamp())
        })
        .find(|moment| *moment > after)
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(from: &str, to: &str, zone: &str) -> Hours {
        let christmas =
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261225\nEND:VEVENT\nEND:VCALENDAR";
        Hours {
            name: "oficina".into(),
            days: vec![
                Weekday::Monday,
                Weekday::Tuesday,
                Weekday::Wednesday,
                Weekday::Thursday,
                Weekday::Friday,
            ],
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            time_zone: TimeZone::get(zone).unwrap(),
            holidays: Holidays::read(christmas).unwrap(),
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn hours_follow_the_clock_of_their_place_its_weekends_and_its_holidays() {
        let office = hours("09:00", "18:00", "America/Montevideo");
        for (now, inside, next) in [
            ("2026-11-27T11:59:59Z", false, "2026-11-27T12:00:00Z"),
            ("2026-11-27T12:00:00Z", true, "2026-11-30T12:00:00Z"),
            ("2026-11-27T20:59:59Z", true, "2026-11-30T12:00:00Z"),
            ("2026-11-27T21:00:00Z", false, "2026-11-30T12:00:00Z"),
            ("2026-12-25T15:00:00Z", false, "2026-12-28T12:00:00Z"),
        ] {
            assert_eq!(office.contain(at(now)), inside, "{now}");
            assert_eq!(office.next(at(now)), Some(at(next)), "{now}");
        }
    }

    #[test]
    fn a_night_ends_the_next_day_and_summer_time_moves_it() {
        let night = hours("22:00", "06:00", "Europe/Madrid");
        // Friday's night lasts until Saturday's morning; the clocks go forward on Sunday 29 March 2026.
        for (now, inside) in [
            ("2026-03-28T04:59:59Z", true),
            ("2026-03-28T05:00:00Z", false),
            ("2026-03-28T22:00:00Z", false),
            ("2026-03-30T19:59:59Z", false),
            ("2026-03-30T20:00:00Z", true),
        ] {
            assert_eq!(night.contain(at(now)), inside, "{now}");
        }
        let madrid = TimeZone::get("Europe/Madrid").unwrap();
        let hour = "02:30".parse().unwrap();
        // There is no half past two in that night.
        assert_eq!(
            next_at(hour, &madrid, at("2026-03-28T12:00:00Z")),
            at("2026-03-29T01:30:00Z")
        );
        assert_eq!(
            next_at(hour, &madrid, at("2026-03-29T01:30:00Z")),
            at("2026-03-30T00:30:00Z")
        );
    }
}
