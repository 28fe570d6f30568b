//! Asks one rule.
//!
//! Each question reaches back before what was read last, because points arrive late and out of order; what was known
//! already is known by its series and time, so nothing counts twice. It reaches ahead as far, because a probe's clock may be
//! ahead of ours. Where the points of one probe stayed away for longer than that, while others came, [`fill_gaps`] fetches
//! what came late of them.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use jiff::Timestamp;
use vigia_contract::data_model::Outcome;

use super::{
    Observation, QueryError, Rule, Series,
    annotated_csv::{self, CsvError},
    client::{InfluxDb, Query},
    observation::{Origin, RowError},
};

/// The most that one question goes on from where the last one ended: what days out of service left behind would not be
/// answered within any deadline at once. As far back, points that come late are fetched.
const LONGEST_STRETCH: Duration = Duration::from_hours(6);

/// What one question brought.
#[derive(Debug, Default)]
pub struct Answer {
    /// The runs, in the order of their time.
    pub runs: Vec<Observation>,
    /// How far the rule has read with it, in the time of its points; nothing when it brought none.
    pub read_until: Option<Timestamp>,
    /// What the first row that could not be used lacks.
    pub unusable: Option<RowError>,
    /// The runs that it brought again: they are not among [`Answer::runs`].
    pub again: Judged,
}

/// The runs that an answer brought and that are judged and written down: most of the next answer is the same, and it is not
/// read again.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    hashes: RandomState,
    runs: HashSet<(u64, Timestamp)>,
    newest: Option<Timestamp>,
}

impl Judged {
    /// What is known of a run. Two of the same nanosecond whose series have the same hash would be taken for one: that any two of
    /// ten thousand series have the same of 2^64 hashes has a chance of 3 in 10^12.
    fn known(&self, origin: Origin<'_>) -> (u64, Timestamp) {
        let Origin {
            system,
            journey,
            probe,
            at,
        } = origin;
        (self.hashes.hash_one((system, journey, probe)), at)
    }

    fn add(&mut self, run: (u64, Timestamp)) {
        self.newest = self.newest.max(Some(run.1));
        self.runs.insert(run);
    }
}

impl Answer {
    /// Reads what InfluxDB answered to a rule; without what is judged already.
    pub fn read(body: &str, rule: &Rule, judged: &Judged) -> Result<Self, CsvError> {
        Self::read_until(body, rule, judged, Timestamp::MAX)
    }

    fn read_until(
        body: &str,
        rule: &Rule,
        judged: &Judged,
        until: Timestamp,
    ) -> Result<Self, CsvError> {
        let mut answer = Self::default();
        answer.again.hashes = judged.hashes.clone();
        answer.again.runs.reserve(judged.runs.len());
        // A query of the operator's own may bring more than it was asked for.
        answer.add(body, rule, judged, |run| run.at <= until)?;
        Ok(answer)
    }

    /// Takes out all that will be judged once this answer is.
    #[must_use]
    pub fn once_judged(&mut self) -> Judged {
        let mut judged = std::mem::take(&mut self.again);
        for run in &self.runs {
            judged.add(judged.known(run.into()));
        }
        judged
    }

    fn add(
        &mut self,
        body: &str,
        rule: &Rule,
        judged: &Judged,
        is_wanted: impl Fn(Origin<'_>) -> bool,
    ) -> Result<(), CsvError> {
        annotated_csv::each(body, |row| {
            let run = match Origin::of_row(row, rule) {
                Ok(origin) if !is_wanted(origin) => return,
                Ok(origin) => {
                    let known = judged.known(origin);
                    if judged.runs.contains(&known) {
                        return self.again.add(known);
                    }
                    Observation::of(origin, row, rule)
                }
                Err(error) => Err(error),
            };
            match run {
                Ok(run) => self.runs.push(run),
                Err(error) => self.unusable = self.unusable.take().or(Some(error)),
            }
        })?;
        // Others wait with theirs to be judged.
        self.runs.shrink_to_fit();
        self.runs.sort_by_key(|run| run.at);
        Ok(())
    }
}

/// Where a question begins that goes on from what was read before.
fn since(rule: &Rule, read_until: Option<Timestamp>, now: Timestamp) -> Timestamp {
    read_until.unwrap_or(now).min(now) - rule.overlap
}

/// Asks a rule once, for what is not judged. Without an earlier answer it reaches back by its overlap.
pub async fn ask(
    influxdb: &InfluxDb,
    rule: &Rule,
    judged: &Judged,
    read_until: Option<Timestamp>,
    now: Timestamp,
) -> Result<Answer, QueryError> {
    let since = since(rule, read_until, now);
    let stretch_end = since + rule.overlap + LONGEST_STRETCH;
    let until = stretch_end.min(now + rule.overlap);
    let body = influxdb
        .answer(&Query {
            flux: &rule.flux,
            since,
            until,
            now: until.min(now),
            window: None,
            texts: &[],
        })
        .await?;
    let mut answer = Answer::read_until(&body, rule, judged, until)?;
    answer.read_until = if stretch_end < now {
        Some(stretch_end)
    } else {
        // A probe whose clock is ahead must not make the points of the others look late.
        let newest = answer.runs.last().map(|run| run.at);
        newest.max(answer.again.newest).map(|at| at.min(now))
    };
    Ok(answer)
}

/// Where a series reports again after a gap, its runs of the gap may have come late, all at once: Telegraf keeps what it
/// could not write. They are fetched and added, so that they are judged before those after them.
///
/// `known` has the newest run of every series, before this answer.
pub async fn fill_gaps(
    influxdb: &InfluxDb,
    rule: &Rule,
    known: &BTreeMap<Series, Timestamp>,
    read_until: Option<Timestamp>,
    now: Timestamp,
    answer: &mut Answer,
) -> Result<(), QueryError> {
    let asked_since = since(rule, read_until, now);
    let mut gaps: BTreeMap<&Series, Timestamp> = BTreeMap::new();
    let mut seen: BTreeSet<&Series> = BTreeSet::new();
    for run in &answer.runs {
        let is_first = seen.insert(&run.series);
        if let Some(newest) = known.get(&run.series)
            && is_first
            && *newest < asked_since
            && is_gap(*newest, run)
        {
            gaps.insert(&run.series, *newest);
        }
    }
    let Some(oldest) = gaps.values().min() else {
        return Ok(());
    };
    let from = (*oldest).max(asked_since - LONGEST_STRETCH);
    let body = influxdb
        .answer(&Query {
            flux: &rule.flux,
            since: from,
            until: asked_since,
            now: asked_since,
            window: None,
            texts: &[],
        })
        .await?;
    let gaps: BTreeMap<Series, Timestamp> = gaps
        .into_iter()
        .map(|(series, newest)| (series.clone(), newest))
        .collect();
    answer.add(&body, rule, &Judged::default(), |run| {
        gaps.get(&run.series())
            .is_some_and(|newest| run.at > *newest)
    })?;
    Ok(())
}

/// Leaves out, once, what may not be there whole yet: InfluxDB shows the fields of a point one by one while it is written, and
/// a failed run has always both a class and an error. Who never writes them is judged when the next question brings the same.
///
/// `withheld` remembers, from one answer to the next.
#[must_use]
pub fn withhold(
    mut runs: Vec<Observation>,
    withheld: &mut BTreeSet<(Series, Timestamp)>,
) -> Vec<Observation> {
    let before = std::mem::take(withheld);
    runs.retain(|run| {
        let failure = &run.failure;
        let is_whole = failure.class.is_some() && failure.error.is_some();
        if is_whole || run.outcome != Outcome::Failed {
            return true;
        }
        let name = (run.series.clone(), run.at);
        let is_known = before.contains(&name);
        withheld.insert(name);
        is_known
    });
    runs
}

/// A journey that runs once an hour has no gap between two of its runs.
fn is_gap(newest: Timestamp, run: &Observation) -> bool {
    run.every.is_none_or(|every| {
        let expected = newest + every.saturating_mul(3) / 2;
        run.at > expected
    })
}
