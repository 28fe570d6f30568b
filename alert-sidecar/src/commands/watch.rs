//! Asks one rule again and again, and hands what it brings to the keeper of the store.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, sleep_until},
};

use super::sight::Report;
use crate::{
    flux::{
        InfluxDb, Observation, QueryError, Rule, Series,
        poll::{self, Judged},
    },
    incident::monitoring::Blindness,
    store::{StoreError, ledger::Ledger},
};

/// While InfluxDB or the store fails, a rule is asked again at least this often, unless InfluxDB wants to be left alone.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// InfluxDB is left alone for no longer than this: a proxy's `Retry-After` of a day must not blind anybody for a day.
const LONGEST_REST: Duration = Duration::from_mins(5);

/// The beginnings of rules that are asked as often as each other are spread over this much at most.
const LONGEST_SPREAD: Duration = Duration::from_secs(30);

/// A clock that differs by more than this from what passed since the last question was set, or the machine slept.
const CLOCK_STEP: SignedDuration = SignedDuration::from_secs(5);

/// Why a rule could not be judged.
#[derive(Debug, thiserror::Error)]
enum WatchError {
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What watching a rule needs.
pub(super) struct Watch {
    /// The rule.
    pub rule: Rule,
    /// Who is asked.
    pub influxdb: Arc<InfluxDb>,
    /// The store.
    pub ledger: Ledger,
    /// Who hears whether it could be asked.
    pub reports: mpsc::Sender<Report>,
}

/// What is remembered between two questions.
#[derive(Debug, Default)]
struct Memory {
    /// The newest run of each series.
    newest: BTreeMap<Series, Timestamp>,
    /// The runs of the last answer, where they are written down.
    judged: Judged,
    /// The failed runs of the last answer that do not say why.
    withheld: BTreeSet<(Series, Timestamp)>,
    /// The newest point of each series that may fall silent.
    last: BTreeMap<Series, Observation>,
}

impl Watch {
    /// Watches until `stop` is set.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut trouble = Trouble::new(&self.rule);
        let mut memory = None;
        tokio::select! {
            _ = stop.changed() => return,
            () = sleep(spread(&self.rule)) => {}
        }
        while !*stop.borrow() {
            let asked = Instant::now();
            let at = Timestamp::now();
            let answer = tokio::select! {
                answer = self.ask(&mut memory, trouble.seeing_since(asked, at), at) => answer,
                _ = stop.changed() => return,
            };
            let (pause, report) = match answer {
                Ok(complaint) => trouble.is_over(complaint),
                Err(WatchError::Query(error)) => {
                    let blindness = tokio::select! {
                        blindness = self.blindness(&error) => blindness,
                        _ = stop.changed() => return,
                    };
                    let rest = error.retry_after().unwrap_or_default();
                    let pause = trouble.continues(&error, at).max(rest.min(LONGEST_REST));
                    (pause, Some(Err(blindness)))
                }
                // What the store cannot take is nothing that could be written down.
                Err(WatchError::Store(error)) => (trouble.continues(&error, at), None),
            };
            if let Some(answer) = report {
                let rule = self.rule.name.clone();
                // Nobody hears it any more when the program stops.
                drop(self.reports.send(Report { rule, answer, at }).await);
            }
            tokio::select! {
                _ = stop.changed() => {}
                () = sleep_until(asked + pause) => {}
            }
        }
    }

    /// Whether this rule alone is not answered.
    async fn blindness(&self, error: &QueryError) -> Blindness {
        // Who wants to be left alone is not asked whether it would answer.
        if matches!(error, QueryError::Unreachable(_)) || error.retry_after().is_some() {
            return Blindness::Everything(error.to_string());
        }
        match self.influxdb.answers(Timestamp::now()).await {
            Ok(()) => Blindness::Rule(error.to_string()),
            Err(nobody) => Blindness::Everything(nobody.to_string()),
        }
    }

    /// One question and its judgement; says what about the rows cannot be used.
    async fn ask(
        &self,
        memory: &mut Option<Memory>,
        seeing_since: Timestamp,
        now: Timestamp,
    ) -> Result<Option<String>, WatchError> {
        let Self {
            rule,
            influxdb,
            ledger,
            ..
        } = self;
        let memory = match memory {
            Some(memory) => memory,
            None => memory.insert(remember(ledger, rule).await?),
        };
        let read_until = ledger.read_until(&rule.name).await?;
        // What is not written down in the end is to be read again.
        let judged = std::mem::take(&mut memory.judged);
        let mut answer = poll::ask(influxdb, rule, &judged, read_until, now).await?;
        let (newest, judged) = if let Some(silence) = &rule.silence {
            for point in answer.runs.drain(..) {
                let known = memory.last.get(&point.series);
                if known.is_none_or(|known| known.at < point.at) {
                    memory.last.insert(point.series.clone(), point);
                }
            }
            for point in memory.last.values_mut() {
                // Of a clock that was ahead: whoever falls silent now is not to be missed only when that time has come.
                if point.at > now + rule.overlap {
                    point.at = now;
                }
            }
            let last: Vec<Observation> = memory.last.values().cloned().collect();
            answer.runs = silence.rows(&last, seeing_since, now);
            answer.runs.sort_by_key(|run| run.at);
            (Vec::new(), Judged::default())
        } else {
            poll::fill_gaps(influxdb, rule, &memory.newest, read_until, now, &mut answer).await?;
            answer.runs = poll::withhold(answer.runs, &mut memory.withheld);
            let runs = answer.runs.iter();
            let newest = runs.map(|run| (run.series.clone(), run.at)).collect();
            (newest, answer.once_judged())
        };
        let unusable = answer.unusable.as_ref().map(ToString::to_string);
        ledger.judge(rule, answer, now).await?;
        // Only what is written down is known: what was not is to be fetched again. The runs are in the order of their time.
        memory.judged = judged;
        for (series, at) in newest {
            let known = memory.newest.entry(series).or_insert(at);
            *known = at.max(*known);
        }
        Ok(unusable)
    }
}

async fn remember(ledger: &Ledger, rule: &Rule) -> Result<Memory, StoreError> {
    if rule.silence.is_none() {
        return Ok(Memory {
            newest: ledger.newest(&rule.name).await?.into_iter().collect(),
            ..Memory::default()
        });
    }
    let points = ledger.newest_good(&rule.name).await?.into_iter();
    Ok(Memory {
        last: points.map(|point| (point.series.clone(), point)).collect(),
        ..Memory::default()
    })
}

/// How long a rule waits before it is asked first: by its name, so that it is the same at every start.
fn spread(rule: &Rule) -> Duration {
    let mut hasher = DefaultHasher::new();
    rule.name.hash(&mut hasher);
    let whole = u64::try_from(rule.every.min(LONGEST_SPREAD).as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(hasher.finish() % whole.max(1))
}

/// What was said about a rule's failures, so that each is said once when it begins and once when it ends.
struct Trouble<'a> {
    rule: &'a Rule,
    since: Option<(Timestamp, ExponentialBackoff)>,
    seeing_since: Option<Timestamp>,
    /// When the last question was asked, by the clock that nobody can set and by the other one.
    asked: Option<(Instant, Timestamp)>,
    complaint: Option<String>,
}

impl<'a> Trouble<'a> {
    const fn new(rule: &'a Rule) -> Self {
        Self {
            rule,
            since: None,
            seeing_since: None,
            asked: None,
            complaint: None,
        }
    }

    /// Since when InfluxDB has answered without a break, by a clock that nobody set meanwhile; if it answers now.
    fn seeing_since(&mut self, asked: Instant, now: Timestamp) -> Timestamp {
        if let Some((last_asked, last)) = self.asked.replace((asked, now)) {
            let passed = SignedDuration::try_from(asked - last_asked).unwrap_or_default();
            let set_by = now.duration_since(last) - passed;
            if set_by.abs() > CLOCK_STEP {
                tracing::warn!(
                    rule = self.rule.name,
                    set_by_s = set_by.as_secs(),
                    "the clock was set, or this machine slept: nobody is missed before there was time to be heard again"
                );
                self.seeing_since = None;
            }
        }
        *self.seeing_since.get_or_insert(now)
    }

    fn continues(&mut self, error: &impl Display, now: Timestamp) -> Duration {
        self.seeing_since = None;
        let (_, pauses) = self.since.get_or_insert_with(|| {
            tracing::error!(rule = self.rule.name, %error, "the rule cannot be judged: nobody is told of anything until it can");
            let pauses = ExponentialBuilder::default()
                .with_min_delay(self.rule.every.min(LONGEST_PAUSE))
                .with_max_delay(LONGEST_PAUSE)
                .without_max_times();
            (now, pauses.build())
        });
        tracing::debug!(rule = self.rule.name, %error, "still not");
        pauses.next().unwrap_or(LONGEST_PAUSE)
    }

    fn is_over(&mut self, complaint: Option<String>) -> (Duration, Option<Result<(), Blindness>>) {
        if let Some((since, _)) = self.since.take() {
            tracing::info!(rule = self.rule.name, %since, "the rule can be judged again; what was missed is judged now");
        }
        let report = complaint.as_ref().map_or(Ok(()), |complaint| {
            let reason = format!("some rows cannot be used: {complaint}");
            Err(Blindness::Rule(reason))
        });
        if complaint != self.complaint {
            if let Some(complaint) = &complaint {
                tracing::error!(rule = self.rule.name, complaint, "some rows cannot be used");
            }
            self.complaint = complaint;
        }
        (self.rule.every, Some(report))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flux::ShippedQuery;

    #[test]
    fn rules_do_not_all_ask_at_once_and_each_has_its_place() {
        let shipped = |name: &str| Rule::shipped(name, ShippedQuery::JourneysFailed);
        let rules: Vec<_> = (0..10).map(|number| shipped(&number.to_string())).collect();
        let mut places: Vec<_> = rules.iter().map(spread).collect();
        assert_eq!(places, rules.iter().map(spread).collect::<Vec<_>>());
        assert!(places.iter().all(|place| *place < rules[0].every));
        places.sort();
        places.dedup();
        assert!(places.len() > 5, "{places:?}");
    }
}
