//! A rule: a query, how often it is asked, and how many failed runs mean that users are affected.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error};

use crate::judge::Threshold;

/// The queries that are shipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShippedQuery {
    /// Every run of every journey; those that failed count.
    JourneysFailed,
}

impl ShippedQuery {
    /// Its Flux.
    #[must_use]
    pub const fn flux(self) -> &'static str {
        match self {
            Self::JourneysFailed => include_str!("queries/journeys-failed.flux"),
        }
    }
}

/// A `[[rule]]`, as the operator writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Its name in logs, in the store and in the points of incidents. Renaming it begins a new history.
    pub name: toml::Spanned<String>,
    /// The shipped query that it asks: `journeys-failed`.
    #[serde(rename = "use")]
    pub query: ShippedQuery,
    /// How often it is asked, at most `1d`. Default `2s`.
    #[serde(default = "default_every", deserialize_with = "at_most_a_day")]
    pub every: Duration,
    /// How many of how many runs must fail before users count as affected. Default `2 of 3`.
    #[serde(default)]
    pub fails_after: Threshold,
    /// How late a point may arrive and still be judged, at most `1d`: every query reads this much again. A run's point bears
    /// the time of its beginning, so this is longer than the longest journey takes. Default `5m`.
    #[serde(default = "default_overlap", deserialize_with = "at_most_a_day")]
    pub overlap: Duration,
}

/// Longer is a mistake: nobody would be told in time, or every query would read days again.
fn at_most_a_day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let duration = vigia_contract::duration::deserialize(deserializer)?;
    if duration > Duration::from_hours(24) {
        return Err(D::Error::custom(
            "this is longer than a day\nhint: write for example \"2s\" or \"5m\"",
        ));
    }
    Ok(duration)
}

const fn default_every() -> Duration {
    Duration::from_secs(2)
}

const fn default_overlap() -> Duration {
    Duration::from_mins(5)
}

/// A rule as it runs.
#[derive(Clone, Debug)]
pub struct Rule {
    /// See [`Settings::name`].
    pub name: String,
    /// See [`Settings::query`].
    pub query: ShippedQuery,
    /// See [`Settings::every`].
    pub every: Duration,
    /// See [`Settings::fails_after`].
    pub fails_after: Threshold,
    /// See [`Settings::overlap`].
    pub overlap: Duration,
}

impl From<Settings> for Rule {
    fn from(settings: Settings) -> Self {
        Self {
            name: settings.name.into_inner(),
            query: settings.query,
            every: settings.every,
            fails_after: settings.fails_after,
            overlap: settings.overlap,
        }
    }
}
