//! When the report of a month is mailed. Pure.

use jiff::{Timestamp, civil::Time, tz::TimeZone};
use serde::Deserialize;
use toml::Spanned;

use super::month::{Month, moment};

/// A `[[report]]`, as the operator writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Its name: what was sent under it is not sent again.
    pub name: Spanned<String>,
    /// The mail channels that it goes to.
    pub channels: Vec<Spanned<String>>,
    /// The day of the month after, from 1 to 28. Default 1.
    pub day: Option<Spanned<i8>>,
    /// The time of that day, for example `"07:00"`, which is the default.
    pub at: Option<Spanned<String>>,
    /// Of these systems only. Default: of all.
    pub system: Option<Vec<String>>,
}

/// A report that is mailed every month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Its name.
    pub name: String,
    /// The names of the channels that it goes to.
    pub channels: Vec<String>,
    /// The day of the month after.
    pub day: i8,
    /// The time of that day.
    pub at: Time,
    /// Of which systems; nothing: of all.
    pub systems: Option<Vec<String>>,
}

impl Schedule {
    /// When a month's report is due.
    #[must_use]
    pub fn due(&self, month: Month, time_zone: &TimeZone) -> Timestamp {
        let day = month.after().first().with().day(self.day).build();
        let day = day.unwrap_or_else(|_| month.after().first());
        moment(day.to_datetime(self.at), time_zone)
    }

    /// The newest month whose report is due.
    #[must_use]
    pub fn newest_due(&self, now: Timestamp, time_zone: &TimeZone) -> Month {
        let this = Month::of(now.to_zoned(time_zone.clone()).date());
        let last = this.before();
        if self.due(last, time_zone) <= now {
            last
        } else {
            last.before()
        }
    }

    /// When the next one is due.
    #[must_use]
    pub fn next(&self, now: Timestamp, time_zone: &TimeZone) -> Timestamp {
        self.due(self.newest_due(now, time_zone).after(), time_zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_due_on_its_day_and_not_a_second_before() {
        let zone = TimeZone::get("America/Montevideo").unwrap();
        let schedule = Schedule {
            name: "mensual".into(),
            channels: Vec::new(),
            day: 2,
            at: Time::constant(7, 0, 0, 0),
            systems: None,
        };
        for (now, newest, next) in [
            ("2026-11-02T09:59:59Z", "2026-09", "2026-11-02T10:00:00Z"),
            ("2026-11-02T10:00:00Z", "2026-10", "2026-12-02T10:00:00Z"),
            ("2027-01-01T02:00:00Z", "2026-11", "2027-01-02T10:00:00Z"),
        ] {
            let now: Timestamp = now.parse().unwrap();
            assert_eq!(schedule.newest_due(now, &zone).to_string(), newest, "{now}");
            assert_eq!(schedule.next(now, &zone).to_string(), next, "{now}");
        }
    }
}
