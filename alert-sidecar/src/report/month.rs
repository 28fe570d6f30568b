//! A month on the clock of those who read the report: where it begins and ends, and its days, of which one may have 23 or
//! 25 hours.

use std::{fmt, str::FromStr};

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};

use super::timeline::Interval;

/// A month of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    first: Date,
}

/// What is not a month.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a month\nhint: write year and month, for example 2026-10")]
pub struct NotAMonth(String);

impl FromStr for Month {
    type Err = NotAMonth;

    fn from_str(text: &str) -> Result<Self, NotAMonth> {
        let wrong = || NotAMonth(text.to_owned());
        // A date is read by its own rules; a month is what lacks the day.
        if text.len() != 7 {
            return Err(wrong());
        }
        let first: Date = format!("{text}-01").parse().map_err(|_| wrong())?;
        (2000..=2200)
            .contains(&first.year())
            .then_some(Self { first })
            .ok_or_else(wrong)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:04}-{:02}",
            self.first.year(),
            self.first.month()
        )
    }
}

impl Month {
    /// The one in which this day lies.
    #[must_use]
    pub fn of(day: Date) -> Self {
        Self {
            first: day.first_of_month(),
        }
    }

    /// Its first day.
    #[must_use]
    pub const fn first(self) -> Date {
        self.first
    }

    /// The month before.
    #[must_use]
    pub fn before(self) -> Self {
        Self {
            first: self.first.saturating_sub(1.month()),
        }
    }

    /// The month after.
    #[must_use]
    pub fn after(self) -> Self {
        Self {
            first: self.first.saturating_add(1.month()),
        }
    }

    /// From its first moment to the first one of the next.
    #[must_use]
    pub fn interval(self, time_zone: &TimeZone) -> Interval {
        Interval {
            from: beginning(self.first, time_zone),
            to: beginning(self.first.saturating_add(1.month()), time_zone),
        }
    }

    /// Its days, each with its own beginning and end.
    #[must_use]
    pub fn days(self, time_zone: &TimeZone) -> Vec<(Date, Interval)> {
        (0..i32::from(self.first.days_in_month()))
            .map(|number| {
                let day = self.first.saturating_add(number.days());
                let interval = Interval {
                    from: beginning(day, time_zone),
                    to: beginning(day.saturating_add(1.day()), time_zone),
                };
                (day, interval)
            })
            .collect()
    }
}

/// The first moment of a day, which is not midnight where clocks are set forward at midnight.
fn beginning(day: Date, time_zone: &TimeZone) -> Timestamp {
    moment(day.to_datetime(Time::midnight()), time_zone)
}

/// When a clock shows this; where it skips it, as soon as it shows more.
#[must_use]
pub fn moment(shown: DateTime, time_zone: &TimeZone) -> Timestamp {
    shown
        .to_zoned(time_zone.clone())
        .map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_read_as_it_is_written_and_nothing_else_is() {
        assert_eq!("2026-10".parse::<Month>().unwrap().to_string(), "2026-10");
        for wrong in [
            "2026-13",
            "2026-1",
            "10-2026",
            "2026-10-01",
            "",
            "0001-01",
            "octubre",
        ] {
            assert_eq!(wrong.parse::<Month>(), Err(NotAMonth(wrong.into())));
        }
    }

    #[test]
    fn a_month_is_as_long_as_its_clocks_make_it() {
        for (zone, month, hours) in [
            ("America/Montevideo", "2026-10", 744),
            ("Europe/Madrid", "2026-10", 745),
            ("Europe/Madrid", "2026-03", 743),
            // Clocks are set forward at midnight: the day begins at one.
            ("America/Santiago", "2026-09", 719),
            ("UTC", "2028-02", 696),
        ] {
            let zone = TimeZone::get(zone).unwrap();
            let month: Month = month.parse().unwrap();
            let interval = month.interval(&zone);
            assert_eq!(interval.duration_ns(), hours * 3_600_000_000_000, "{month}");
            let days = month.days(&zone);
            assert_eq!(days[0].1.from, interval.from);
            assert_eq!(days.last().unwrap().1.to, interval.to);
            assert!(days.windows(2).all(|pair| pair[0].1.to == pair[1].1.from));
        }
    }

    #[test]
    fn the_month_before_january_is_december() {
        let january: Month = "2027-01".parse().unwrap();
        assert_eq!(january.before().to_string(), "2026-12");
    }
}
