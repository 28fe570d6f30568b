//! What a trial came to, counted: by day, channel and impact, and which journeys are told of most.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, civil::Date, tz::TimeZone};
use serde::Serialize;
use vigia_contract::data_model::Impact;

use super::feed::Part;
use crate::{flux::Series, store::rehearsal::Rehearsed};

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// How many runs.
    pub runs: usize,
    /// Of which journeys, seen from where.
    pub series: BTreeSet<Series>,
    /// How many questions about other things were answered.
    pub answers: usize,
}

impl Measured {
    pub(super) fn add(&mut self, part: &Part) {
        let portion = match part {
            Part::Runs(portion) => portion,
            Part::Answer(..) => {
                self.answers += 1;
                return;
            }
            Part::Durations(_) | Part::End(_) => return,
        };
        for (series, line) in &portion.lines {
            self.runs += line.marks.len();
            if !self.series.contains(series) {
                self.series.insert(series.clone());
            }
        }
    }
}

/// The incidents of one rule.
#[derive(Clone, Debug, Default)]
pub struct RuleTally {
    /// How many opened.
    pub opened: usize,
    /// How long those lasted that ended, the shortest first.
    pub lasted: Vec<SignedDuration>,
}

/// A rule of which not everything that it would have sent is counted.
#[derive(Clone, Debug, Serialize)]
pub struct Incomplete {
    /// Its name.
    pub rule: String,
    /// Why.
    pub why: String,
}

/// What one configuration would have done.
#[derive(Clone, Debug)]
pub struct Tally {
    /// By the rules' names.
    pub incidents: BTreeMap<String, RuleTally>,
    /// Of how many incidents nobody would have been told.
    pub untold: i64,
    /// The messages.
    pub sent: Vec<Rehearsed>,
    /// The rules of which not everything is in these figures.
    pub incomplete: Vec<Incomplete>,
}

/// What is counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell<'a> {
    /// The day, by the clock of those who read.
    pub day: Date,
    /// The channel's name.
    pub channel: &'a str,
    /// How much the message's first incident matters.
    pub impact: Impact,
}

impl Tally {
    /// How many messages there are of each day, channel and impact.
    #[must_use]
    pub fn cells(&self, time_zone: &TimeZone) -> BTreeMap<Cell<'_>, usize> {
        let mut cells = BTreeMap::new();
        for message in &self.sent {
            let Some(lead) = message.incidents.first() else {
                continue;
            };
            let cell = Cell {
                day: message.at.to_zoned(time_zone.clone()).date(),
                channel: &message.channel,
                impact: lead.impact,
            };
            *cells.entry(cell).or_insert(0) += 1;
        }
        cells
    }

    /// The journeys with the most messages, the noisiest first, with how many messages.
    #[must_use]
    pub fn noisiest(&self, most: usize) -> Vec<(&str, &str, usize)> {
        let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for message in &self.sent {
            if let Some(lead) = message.incidents.first() {
                let series = &lead.series;
                *counts.entry((&series.system, &series.journey)).or_insert(0) += 1;
            }
        }
        let mut counts: Vec<_> = counts
            .into_iter()
            .map(|((system, journey), count)| (system, journey, count))
            .collect();
        counts.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.cmp(b)));
        counts.truncate(most);
        counts
    }
}
