//! Planned windows, in which what breaks is nobody's alarm. Pure: a moment goes in.

use std::{ops::Range, time::Duration};

use croner::Cron;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::Deserialize;
use toml::Spanned;
use vigia_contract::data_model::Impact;

use super::matcher::{Labels, Matcher};

/// A `[[maintenance]]`, as the operator writes it. What it mutes is written as for a route.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "what they take is as in a route")]
pub struct Settings {
    /// Its name, which explains why nobody was told.
    pub name: Spanned<String>,
    pub impact: Option<Vec<Impact>>,
    pub system: Option<Vec<String>>,
    pub journey: Option<Vec<String>>,
    pub probe: Option<Vec<String>>,
    pub rule: Option<Vec<Spanned<String>>>,
    /// Whether it may mute everything. Default `false`.
    #[serde(default)]
    pub everything: bool,
    /// When it begins again and again, as cron has it, for example `0 2 * * SUN`; with `lasts`.
    pub every: Option<Spanned<String>>,
    /// How long it lasts.
    #[serde(
        default,
        deserialize_with = "vigia_contract::duration::deserialize_some"
    )]
    pub lasts: Option<Duration>,
    /// When it begins, where it is only once, for example `2026-12-05T22:00`; with `to`.
    pub from: Option<Spanned<String>>,
    /// When it ends, where it is only once.
    pub to: Option<Spanned<String>>,
    /// The clock. Default: that of the whole file.
    pub time_zone: Option<Spanned<String>>,
}

/// A planned window, once or again and again.
#[derive(Clone, Debug)]
pub struct Maintenance {
    /// Its name.
    pub name: String,
    /// Which incidents.
    pub matcher: Matcher,
    /// When.
    pub window: Window,
}

/// When.
#[derive(Clone, Debug)]
pub enum Window {
    /// From the one moment until the other.
    Once(Timestamp, Timestamp),
    /// Whenever the clock of this zone comes to this, for so long by the stopwatch.
    Again {
        /// When it begins.
        cron: Box<Cron>,
        /// How long it lasts.
        lasts: SignedDuration,
        /// The clock.
        time_zone: TimeZone,
    },
}

impl Maintenance {
    /// Until when this is muted, where it is now.
    #[must_use]
    pub fn mutes(&self, labels: Labels<'_>, now: Timestamp) -> Option<Timestamp> {
        if self.matcher.takes(labels) {
            self.window.until(now)
        } else {
            None
        }
    }
}

impl Window {
    /// When it ends, where it is now.
    #[must_use]
    pub fn until(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Once(from, to) => (*from <= now && now < *to).then_some(*to),
            Self::Again {
                cron,
                lasts,
                time_zone,
            } => {
                let now_there = now.to_zoned(time_zone.clone());
                let began = cron.find_previous_occurrence(&now_there, true).ok()?;
                let ends = began.timestamp() + *lasts;
                (now < ends).then_some(ends)
            }
        }
    }

    /// When it is inside a period, in the order of time; what overlaps is one.
    #[must_use]
    pub fn within(&self, period: &Range<Timestamp>) -> Vec<Range<Timestamp>> {
        let clip = |from: Timestamp, to: Timestamp| {
            let clipped = from.max(period.start)..to.min(period.end);
            (!clipped.is_empty()).then_some(clipped)
        };
        match self {
            Self::Once(from, to) => clip(*from, *to).into_iter().collect(),
            Self::Again {
                cron,
                lasts,
                time_zone,
            } => {
                let mut windows: Vec<Range<Timestamp>> = Vec::new();
                let mut after = (period.start - *lasts).to_zoned(time_zone.clone());
                while let Ok(began) = cron.find_next_occurrence(&after, false) {
                    let from = began.timestamp();
                    let Some(window) = clip(from, from + *lasts) else {
                        break;
                    };
                    match windows.last_mut() {
                        Some(last) if window.start <= last.end => last.end = window.end,
                        _ => windows.push(window),
                    }
                    after = began;
                }
                windows
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(cron: &str, hours: i64, zone: &str) -> Window {
        Window::Again {
            cron: Box::new(cron.parse().unwrap()),
            lasts: SignedDuration::from_hours(hours),
            time_zone: TimeZone::get(zone).unwrap(),
        }
    }

    fn until(window: &Window, now: &str) -> Option<String> {
        let now: Timestamp = now.parse().unwrap();
        window.until(now).map(|end| end.to_string())
    }

    #[test]
    fn a_window_begins_by_the_clock_of_its_place_and_ends_by_the_stopwatch() {
        let sundays = again("0 2 * * SUN", 2, "Europe/Madrid");
        for (now, expected) in [
            ("2026-03-22T00:59:59Z", None),
            ("2026-03-22T01:00:00Z", Some("2026-03-22T03:00:00Z")),
            ("2026-03-22T02:59:59Z", Some("2026-03-22T03:00:00Z")),
            ("2026-03-22T03:00:00Z", None),
            // In this night the clocks go from two to three: the window begins at three.
            ("2026-03-29T00:59:59Z", None),
            ("2026-03-29T01:00:00Z", Some("2026-03-29T03:00:00Z")),
            ("2026-03-29T03:00:00Z", None),
            // Summer time.
            ("2026-04-05T00:00:00Z", Some("2026-04-05T02:00:00Z")),
            // In this night it is two o'clock once, and between two and three twice.
            ("2026-10-24T23:59:59Z", None),
            ("2026-10-25T00:00:00Z", Some("2026-10-25T02:00:00Z")),
            ("2026-10-25T01:59:59Z", Some("2026-10-25T02:00:00Z")),
            ("2026-10-25T02:00:00Z", None),
        ] {
            assert_eq!(until(&sundays, now).as_deref(), expected, "{now}");
        }
    }

    #[test]
    fn the_windows_of_a_period_are_those_that_are_open_at_its_moments() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let period = at("2026-10-18T01:00:00Z")..at("2026-11-01T01:30:00Z");
        let shown = |window: &Window| -> Vec<String> {
            let windows = window.within(&period).into_iter();
            windows
                .map(|window| format!("{} {}", window.start, window.end))
                .collect()
        };
        // One is open when the period begins, one when it ends, and in between clocks are set back.
        assert_eq!(
            shown(&again("0 2 * * SUN", 2, "Europe/Madrid")),
            [
                "2026-10-18T01:00:00Z 2026-10-18T02:00:00Z",
                "2026-10-25T00:00:00Z 2026-10-25T02:00:00Z",
                "2026-11-01T01:00:00Z 2026-11-01T01:30:00Z",
            ]
        );
        assert_eq!(
            shown(&again("0 */6 * * *", 7, "UTC")),
            ["2026-10-18T01:00:00Z 2026-11-01T01:30:00Z"]
        );
        assert_eq!(
            shown(&Window::Once(
                at("2026-09-30T00:00:00Z"),
                at("2026-10-18T01:00:01Z")
            )),
            ["2026-10-18T01:00:00Z 2026-10-18T01:00:01Z"]
        );
        for window in [
            again("0 2 * * SUN", 2, "Europe/Madrid"),
            again("30 22 * * *", 3, "America/Montevideo"),
        ] {
            let windows = window.within(&period);
            let mut moment = period.start;
            while moment < period.end {
                let inside = windows.iter().any(|window| window.contains(&moment));
                assert_eq!(inside, window.until(moment).is_some(), "{moment}");
                moment += SignedDuration::from_mins(10);
            }
        }
    }

    #[test]
    fn a_window_may_go_over_midnight_and_days() {
        let nights = again("0 22 * * FRI", 60, "America/Montevideo");
        assert_eq!(
            until(&nights, "2026-11-30T12:59:00Z").as_deref(),
            Some("2026-11-30T13:00:00Z")
        );
        assert_eq!(until(&nights, "2026-11-30T13:00:00Z"), None);
    }
}
