//! A rule: a query, how often it is asked, and how many failed runs mean that users are affected.

use std::time::Duration;

use serde::Deserialize;

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
    /// How often it is asked. Default `2s`.
    #[serde(
        default = "default_every",
        deserialize_with = "vigia_contract::duration::deserialize"
    )]
    pub every: Duration,
    /// How many of how many runs must fail before users count as affected. Default `2 of 3`.
    #[serde(default)]
    pub fails_after: Threshold,
    /// How late a point may arrive and still be judged: every query reads this much again. Default `5m`.
    #[serde(
        default = "default_overlap",
        deserialize_with = "vigia_contract::duration::deserialize"
    )]
    pub overlap: Duration,
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
