//! Whose turn it is. Pure: a moment goes in.

use serde::Deserialize;
use toml::Spanned;

use jiff::{Timestamp, Unit, civil::DateTime, tz::TimeZone};

/// An `[[on_call]]`, as the operator writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Its name, which routes use as that of a channel.
    pub name: Spanned<String>,
    /// The channels, in the order of their turns.
    pub channels: Vec<Spanned<String>>,
    /// When the turn of the first begins, for example `2026-11-30T09:00`.
    pub since: Spanned<String>,
    /// How many days a turn lasts. Default `7`.
    pub days: Option<Spanned<i64>>,
    /// The clock. Default: that of the whole file.
    pub time_zone: Option<Spanned<String>>,
    /// Who stands in for whom, the later ones before the earlier ones.
    #[serde(default)]
    pub instead: Vec<InsteadSettings>,
}

/// One of `instead`, as the operator writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InsteadSettings {
    /// From then, for example `2026-12-24T09:00`.
    pub from: Spanned<String>,
    /// Until then.
    pub to: Spanned<String>,
    /// The channel of who stands in.
    pub channel: Spanned<String>,
}

/// A rotation: each is on call for so many days, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnCall {
    /// Its name, which routes use as that of a channel.
    pub name: String,
    /// The channels, in the order of their turns; at least one.
    pub channels: Vec<String>,
    /// When the first turn of the first began, by the clock of the place.
    pub since: DateTime,
    /// How many days a turn lasts.
    pub days: i64,
    /// The clock.
    pub time_zone: TimeZone,
    /// Who stands in for whom.
    pub instead: Vec<Instead>,
}

/// Somebody else's turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instead {
    /// From then, by the clock of the place.
    pub from: DateTime,
    /// Until then.
    pub to: DateTime,
    /// Who.
    pub channel: String,
}

impl OnCall {
    /// The channel of who is on call now.
    #[must_use]
    pub fn now(&self, now: Timestamp) -> &str {
        let now = now.to_zoned(self.time_zone.clone()).datetime();
        let stands_in = |instead: &&Instead| instead.from <= now && now < instead.to;
        if let Some(instead) = self.instead.iter().rev().find(stands_in) {
            return &instead.channel;
        }
        // Whole days by the clock of the place: the turn changes at the same time of day in summer and in winter.
        let days = now
            .since((Unit::Day, self.since))
            .map_or(0, |span| i64::from(span.get_days()));
        // Before the first turn it is as if the rotation had gone on for ever.
        let is_before = now < self.since && self.since.time() != now.time();
        let turn = (days - i64::from(is_before)).div_euclid(self.days);
        let count = i64::try_from(self.channels.len()).unwrap_or(i64::MAX);
        let index = usize::try_from(turn.rem_euclid(count)).unwrap_or_default();
        &self.channels[index]
    }

    /// Whether this channel is one of the rotation.
    #[must_use]
    pub fn includes(&self, channel: &str) -> bool {
        self.channels.iter().any(|name| name == channel)
            || self
                .instead
                .iter()
                .any(|instead| instead.channel == channel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_change_at_the_same_time_of_day_and_somebody_may_stand_in() {
        let guard = OnCall {
            name: "guardia".into(),
            channels: ["ana", "beto", "carla"].map(String::from).into(),
            since: "2026-03-16T09:00".parse().unwrap(),
            days: 7,
            time_zone: TimeZone::get("Europe/Madrid").unwrap(),
            instead: vec![Instead {
                from: "2026-04-01T00:00".parse().unwrap(),
                to: "2026-04-02T00:00".parse().unwrap(),
                channel: "carla".into(),
            }],
        };
        for (now, expected) in [
            ("2026-03-16T08:00:00Z", "ana"),
            ("2026-03-23T07:59:59Z", "ana"),
            ("2026-03-23T08:00:00Z", "beto"),
            // The clocks went forward in between.
            ("2026-03-30T06:59:59Z", "beto"),
            ("2026-03-30T07:00:00Z", "carla"),
            ("2026-04-06T07:00:00Z", "ana"),
            ("2026-04-13T07:00:00Z", "beto"),
            ("2026-04-01T12:00:00Z", "carla"),
            ("2026-03-16T07:59:59Z", "carla"),
            ("2026-03-09T08:00:00Z", "carla"),
            ("2026-03-09T07:59:59Z", "beto"),
        ] {
            assert_eq!(guard.now(now.parse().unwrap()), expected, "{now}");
        }
    }
}
