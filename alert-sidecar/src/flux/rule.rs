//! A rule: a query, how often it is asked, what its rows mean, and when users count as affected.

use std::{collections::BTreeSet, num::NonZeroU32, path::PathBuf, time::Duration};

use serde::{Deserialize, Deserializer, de::Error};
use toml::Spanned;
use vigia_contract::data_model::Impact;

use super::{Series, ShippedQuery, Trouble};
use crate::judge::{
    Criteria, Flapping, Limit, Probes, Threshold,
    silence::{Retired, Silence},
};

/// A `[[rule]]`, as the operator writes it. What is left out is as the shipped query has it; the table in `docs/rules.md` has
/// it for each.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Its name in logs, in the store and in the points of incidents. Renaming it begins a new history.
    pub name: Spanned<String>,
    /// The shipped query that it asks, for example `journeys-failed`; or else `file` or `flux`.
    #[serde(rename = "use")]
    pub query: Option<ShippedQuery>,
    /// A file with Flux, relative to the configuration file.
    pub file: Option<Spanned<PathBuf>>,
    /// Flux, in place.
    pub flux: Option<Spanned<String>>,
    /// How often it is asked, at most `1d`.
    #[serde(default, deserialize_with = "at_most_a_day")]
    pub every: Option<Duration>,
    /// How late a point may arrive and still be judged, at most `1d`: every query reads this much again. A run's point bears
    /// the time of its beginning, so this is longer than the longest journey takes.
    #[serde(default, deserialize_with = "at_most_a_day")]
    pub overlap: Option<Duration>,
    /// How many of how many runs must fail before users count as affected, for example `2 of 3`.
    pub fails_after: Option<Threshold>,
    /// How many runs in a row must get through before an incident is over.
    pub recovers_after: Option<Spanned<usize>>,
    /// How long the runs must have failed, at most `1d`. Default: no longer than `fails_after` takes.
    #[serde(rename = "for", default, deserialize_with = "at_most_a_day")]
    pub lasting: Option<Duration>,
    /// How many probes must see a journey fail, all of them where there are fewer. Without it, where the query is not one of
    /// the shipped ones about journeys, what each sees is an incident of its own.
    pub probes: Option<Spanned<usize>>,
    /// When a journey comes and goes, for example `{ after = 3, within = "1h", calm = "15m" }`.
    pub flapping: Option<Flapping>,
    /// Where the column `value` turns bad and where it is good again, for example `{ above = 90, until = 85 }`.
    pub limit: Option<Limit>,
    /// How much its incidents matter. Default: as much as the journeys that they are about.
    pub impact: Option<Impact>,
    /// Of `journeys-silent`: what counts as silence, and who was taken out on purpose.
    pub silence: Option<Spanned<SilenceSettings>>,
}

/// The table `silence` of a rule, as the operator writes it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SilenceSettings {
    /// For how many intervals nothing may come from a journey. Default `3`.
    pub intervals: Option<NonZeroU32>,
    /// How much later than that a point may still come, at most `1d`: longer than Telegraf's `flush_interval` and the longest
    /// run. Default `30s`.
    #[serde(default, deserialize_with = "at_most_a_day")]
    pub slack: Option<Duration>,
    /// The journeys that were taken out on purpose: nobody is told that they are silent.
    #[serde(default)]
    pub retired: Vec<Retired>,
}

/// Longer is a mistake: nobody would be told in time, or every query would read days again.
fn at_most_a_day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let duration = vigia_contract::duration::deserialize(deserializer)?;
    if duration > Duration::from_hours(24) {
        return Err(D::Error::custom(
            "this is longer than a day\nhint: write for example \"2s\" or \"5m\"",
        ));
    }
    Ok(Some(duration))
}

/// A rule as it runs.
#[derive(Clone, Debug)]
pub struct Rule {
    /// See [`Settings::name`].
    pub name: String,
    /// The query.
    pub flux: String,
    /// See [`Settings::every`].
    pub every: Duration,
    /// See [`Settings::overlap`].
    pub overlap: Duration,
    /// What a row means.
    pub meaning: Meaning,
    /// When users count as affected.
    pub criteria: Criteria,
    /// What counts as silence, where the rule is about silence.
    pub silence: Option<Silence>,
}

/// What a row of a rule means.
#[derive(Clone, Debug, PartialEq)]
pub struct Meaning {
    /// Which outcome is the bad one.
    pub bad: Bad,
    /// Where a value turns bad.
    pub limit: Option<Limit>,
    /// How much it matters.
    pub weight: Weight,
    /// What kind of trouble it tells of; nothing for journeys that fail.
    pub trouble: Option<Trouble>,
}

/// Which outcome of a run is the bad one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bad {
    /// A run that failed.
    Failed,
    /// A run that was slow. One that failed is neither slow nor as usual.
    Slow,
}

/// How much a row matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// As its tag says, which must be there.
    AsTagged,
    /// One step less urgent than its tag says, which must be there.
    OneLower,
    /// As its tag says, or low where there is none.
    TaggedOrLow,
    /// As the operator wrote.
    Fixed(Impact),
}

impl Weight {
    /// How much a row with this tag matters.
    #[must_use]
    pub fn of(self, tagged: Impact) -> Impact {
        match self {
            Self::AsTagged | Self::TaggedOrLow => tagged,
            Self::OneLower => tagged.lowered(),
            Self::Fixed(impact) => impact,
        }
    }
}

impl Rule {
    /// A rule that asks a shipped query, as it is shipped.
    #[must_use]
    pub fn shipped(name: &str, query: ShippedQuery) -> Self {
        query.rule(name)
    }

    /// A rule that asks an operator's own query; without further settings every row that says `failed` counts.
    #[must_use]
    pub fn custom(name: &str, flux: String) -> Self {
        Self {
            name: name.to_owned(),
            flux,
            every: Duration::from_secs(30),
            overlap: Duration::from_mins(5),
            meaning: Meaning {
                bad: Bad::Failed,
                limit: None,
                weight: Weight::TaggedOrLow,
                trouble: Some(Trouble::Custom),
            },
            criteria: Criteria::FIRST,
            silence: None,
        }
    }

    /// How much what it finds may matter.
    #[must_use]
    pub fn impacts(&self) -> BTreeSet<Impact> {
        const EVERY: [Impact; 3] = [Impact::Critical, Impact::High, Impact::Low];
        let mut impacts: BTreeSet<Impact> = match self.meaning.weight {
            Weight::AsTagged | Weight::TaggedOrLow => EVERY.into(),
            Weight::OneLower => EVERY.map(Impact::lowered).into(),
            Weight::Fixed(impact) => [impact].into(),
        };
        // What fails for one probe only matters less.
        if self.puts_probes_together() {
            impacts.extend(impacts.clone().into_iter().map(Impact::lowered));
        }
        impacts
    }

    /// Whether what several probes see of a journey is one incident.
    #[must_use]
    pub const fn puts_probes_together(&self) -> bool {
        matches!(self.criteria.probes, Probes::Together(_))
    }

    /// What a series is judged as: a journey seen from everywhere, which has no probe, or what one probe sees.
    #[must_use]
    pub fn judges_as(&self, series: &Series) -> Series {
        let mut judged = series.clone();
        if self.puts_probes_together() {
            judged.probe.clear();
        }
        judged
    }

    /// How far back runs must be known: twice the overlap, because what a query still brings again must be known again, and
    /// as far as the criteria look.
    #[must_use]
    pub fn memory(&self) -> Duration {
        self.overlap * 2 + self.criteria.reach()
    }
}
