//! From the records of a month to its figures. Pure: every number of the report, whatever its form, is one of these.
//!
//! A run says how things are until the next one, for at most two of its intervals; what no run says is not known, and
//! counts neither way. A journey is down while as many probes see it fail as the alerts ask for, or all that see it where
//! there are fewer; a system is down while one of its journeys is.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use serde::Deserialize;
use vigia_contract::data_model::{Impact, Outcome};

use super::{
    availability::{Availability, Target},
    month::Month,
    records::{Counts, Failure, HOLDS_FOR, Records, Run, Spread, Told},
    timeline::{Interval, Outage, Span, State, Timeline, Times, nanoseconds, outages, together},
};
use crate::{
    flux::Series,
    route::{maintenance::Maintenance, matcher::Labels},
};

/// How often a journey is taken to run whose points do not say so.
const UNSAID_INTERVAL: SignedDuration = SignedDuration::from_mins(5);

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// Which month.
    pub month: Month,
    /// On whose clock.
    pub time_zone: &'a TimeZone,
    /// Nothing is said of what comes after this moment.
    pub now: Timestamp,
    /// How many probes must see a journey fail for users to count as affected.
    pub probes: usize,
    /// What availability is held against; the first that fits a system counts.
    pub targets: &'a [Goal],
    /// The planned windows of those who are told.
    pub maintenance: &'a [Maintenance],
    /// The name of the rule that tells of journeys that fail, where a window is only for one rule.
    pub rule: &'a str,
    /// These systems only, each of them whether anything is known of it or not. Nothing: all that are known.
    pub systems: Option<&'a [String]>,
}

impl Terms<'_> {
    /// The part of the month that is over.
    #[must_use]
    pub fn period(&self) -> Interval {
        let whole = self.month.interval(self.time_zone);
        Interval {
            from: whole.from,
            to: whole.to.min(self.now.max(whole.from)),
        }
    }

    /// The month before.
    #[must_use]
    pub fn before(&self) -> Interval {
        self.month.before().interval(self.time_zone)
    }
}

/// A `[[target]]`: what availability is held against, and of which systems.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    /// How much of the measured time users are to be able to work, in percent.
    pub availability: Target,
    /// For systems of these impacts; nothing: of every impact.
    pub impact: Option<Vec<Impact>>,
    /// For these systems; nothing: for every system.
    pub system: Option<Vec<String>>,
}

impl Goal {
    fn is_of(&self, system: &str, impact: Option<Impact>) -> bool {
        let by_impact = self
            .impact
            .as_ref()
            .is_none_or(|impacts| impact.is_some_and(|impact| impacts.contains(&impact)));
        let by_name = self
            .system
            .as_ref()
            .is_none_or(|systems| systems.iter().any(|name| name == system));
        by_impact && by_name
    }
}

/// All that the report says.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// Which month.
    pub month: Month,
    /// The part of it that is over.
    pub period: Interval,
    /// Whether that is all of it.
    pub is_whole: bool,
    /// By their names.
    pub systems: Vec<System>,
}

/// What there is to say about a system.
#[derive(Clone, Debug, PartialEq)]
pub struct System {
    /// Its name in the data.
    pub name: String,
    /// The most urgent that it was; nothing where nothing is known of it.
    pub impact: Option<Impact>,
    /// What it is held against.
    pub target: Option<Target>,
    /// How long it was how.
    pub times: Times,
    /// Nothing where it was not measured.
    pub availability: Option<Availability>,
    /// In the month before.
    pub before: Option<Availability>,
    /// Of all its journeys.
    pub counts: Counts,
    /// Its days, as far as they are over.
    pub days: Vec<(Date, Times)>,
    /// In the order of their beginnings.
    pub incidents: Vec<Incident>,
    /// By their names.
    pub journeys: Vec<Journey>,
    /// How it was, from moment to moment.
    pub timeline: Timeline,
}

/// What there is to say about a journey.
#[derive(Clone, Debug, PartialEq)]
pub struct Journey {
    /// Its name in the data.
    pub name: String,
    /// How long it was how.
    pub times: Times,
    /// Nothing where it was not measured.
    pub availability: Option<Availability>,
    /// What its runs came to.
    pub counts: Counts,
    /// How long it took.
    pub spread: Option<Spread>,
    /// How long it took in the month before.
    pub before: Option<Spread>,
    /// Its steps, the slowest first.
    pub steps: Vec<(String, Spread)>,
}

/// From the first failed run of a system to the first moment at which none of its journeys failed any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// All of it, up to the end of the period where it goes on.
    pub outage: Outage,
    /// What of it lies in the month.
    pub within: Interval,
    /// For how long of that it was measured that users could not work.
    pub down_ns: i64,
    /// The journeys that failed, in the order in which they did.
    pub journeys: Vec<String>,
    /// Why the first of its runs that says so failed.
    pub cause: Option<Failure>,
    /// The identities of what people were told.
    pub ids: Vec<String>,
    /// From its beginning to the first message that arrived.
    pub detected_ns: Option<i64>,
    /// From its beginning to when somebody said that they care for it.
    pub acknowledged_ns: Option<i64>,
    /// Who.
    pub acknowledged_by: Option<String>,
    /// The run that left the first picture.
    pub picture: Option<(Timestamp, Series)>,
}

impl Incident {
    /// Whether it had begun when the month did.
    #[must_use]
    pub fn began_before(&self) -> bool {
        self.outage.interval.from < self.within.from
    }

    /// From its beginning to its end, where it ended.
    #[must_use]
    pub fn recovered_ns(&self) -> Option<i64> {
        self.outage
            .is_over
            .then(|| self.outage.interval.duration_ns())
    }
}

/// What came of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was met.
    Met,
    /// It was missed.
    Missed,
    /// There is none.
    NoTarget,
    /// Nothing was measured.
    NoData,
}

impl Verdict {
    /// Its name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "missed",
            Self::NoTarget => "no_target",
            Self::NoData => "no_data",
        }
    }
}

impl System {
    /// What came of its target.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match (self.availability, self.target) {
            (None, _) => Verdict::NoData,
            (Some(_), None) => Verdict::NoTarget,
            (Some(availability), Some(target)) if availability.meets(target) => Verdict::Met,
            _ => Verdict::Missed,
        }
    }

    /// How much of the downtime that its target leaves it is left; below zero where it took more.
    #[must_use]
    pub fn budget_left_ns(&self) -> Option<i64> {
        let allowed = self.target?.allowance_ns(self.times.measured_ns());
        self.availability.map(|_| allowed - self.times.down_ns)
    }

    /// The mean of what incidents say of themselves, and how many say it.
    #[must_use]
    pub fn mean(&self, of: impl Fn(&Incident) -> Option<i64>) -> Option<(i64, usize)> {
        mean(self.incidents.iter().filter_map(of))
    }
}

/// The mean, cut to a nanosecond, and of how many.
pub fn mean(numbers: impl Iterator<Item = i64>) -> Option<(i64, usize)> {
    let numbers: Vec<i128> = numbers.map(i128::from).collect();
    let count = i128::try_from(numbers.len())
        .ok()
        .filter(|count| *count > 0)?;
    let mean = numbers.iter().sum::<i128>() / count;
    Some((i64::try_from(mean).ok()?, numbers.len()))
}

/// Works out the figures.
#[must_use]
pub fn figures(records: &Records, terms: Terms<'_>) -> Figures {
    let (period, before) = (terms.period(), terms.before());
    let journeys = journeys(records, terms);
    let known = journeys.keys().map(|(system, _)| system.as_str());
    let aimed_at = terms
        .targets
        .iter()
        .flat_map(|goal| goal.system.iter().flatten().map(String::as_str));
    let names: BTreeSet<&str> = match terms.systems {
        Some(systems) => systems.iter().map(String::as_str).collect(),
        None => known.chain(aimed_at).collect(),
    };
    let both = Interval {
        from: before.from,
        to: period.to,
    };
    let systems = names
        .into_iter()
        .map(|name| {
            let lines: BTreeMap<&str, &Timeline> = journeys
                .iter()
                .filter(|((system, _), _)| system == name)
                .map(|((_, journey), line)| (journey.as_str(), line))
                .collect();
            system(name, &lines, records, terms, both)
        })
        .collect();
    Figures {
        month: terms.month,
        period,
        is_whole: period == terms.month.interval(terms.time_zone),
        systems,
    }
}

/// How each journey was, in both months.
fn journeys(records: &Records, terms: Terms<'_>) -> BTreeMap<(String, String), Timeline> {
    let both = Interval {
        from: terms.before().from,
        to: terms.period().to,
    };
    let mut views: BTreeMap<(String, String), Vec<Timeline>> = BTreeMap::new();
    for (series, runs) in &records.runs {
        // What was heard of only before both months is no system of today.
        let seen = seen(runs, |at| is_planned(records, series, at));
        if seen.last().is_some_and(|span| span.interval.to > both.from) {
            let seen = with_windows(seen, series, records, terms, both);
            let journey = (series.system.clone(), series.journey.clone());
            views.entry(journey).or_default().push(seen);
        }
    }
    let together = views.into_iter().map(|(journey, views)| {
        let line = together(&views, both, |states| of_probes(states, terms.probes));
        (journey, line)
    });
    together.collect()
}

/// What one probe saw; where a window was planned for it, whatever it saw is nobody's fault.
fn with_windows(
    seen: Timeline,
    series: &Series,
    records: &Records,
    terms: Terms<'_>,
    both: Interval,
) -> Timeline {
    let Some(impact) = records.impacts.get(&series.system) else {
        return seen;
    };
    let labels = Labels {
        rule: terms.rule,
        system: &series.system,
        journey: &series.journey,
        probe: &series.probe,
        impact: *impact,
    };
    let windows = terms
        .maintenance
        .iter()
        .filter(|planned| planned.matcher.takes(labels))
        .map(|planned| {
            let spans = planned.window.within(&(both.from..both.to)).into_iter();
            let span = |window: Range<Timestamp>| Span {
                interval: Interval {
                    from: window.start,
                    to: window.end,
                },
                state: State::Maintenance,
            };
            spans.map(span).collect()
        });
    let views: Vec<Timeline> = [seen].into_iter().chain(windows).collect();
    if views.len() == 1 {
        return views.into_iter().flatten().collect();
    }
    together(&views, both, |states| {
        if states.contains(&State::Maintenance) {
            State::Maintenance
        } else {
            states[0]
        }
    })
}

/// Whether a run that was not measured was not because of planned work: its point says so by how its error begins.
fn is_planned(records: &Records, series: &Series, at: Timestamp) -> bool {
    let failure = records.failures.get(&(series.clone(), at));
    failure
        .and_then(|failure| failure.error.as_deref())
        .is_some_and(|error| error.starts_with("maintenance: "))
}

/// What the runs of one probe say, from moment to moment.
fn seen(runs: &[Run], is_planned: impl Fn(Timestamp) -> bool) -> Timeline {
    let mut timeline: Timeline = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        let every = if run.every.is_zero() {
            UNSAID_INTERVAL
        } else {
            run.every
        };
        let holds = run.at + every.saturating_mul(HOLDS_FOR);
        let to = runs.get(index + 1).map_or(holds, |next| next.at.min(holds));
        let state = match run.outcome {
            Outcome::Ok | Outcome::Slow => State::Up,
            Outcome::Failed => State::Down,
            Outcome::Unmeasured if is_planned(run.at) => State::Maintenance,
            Outcome::Unmeasured => State::Unmeasured,
            Outcome::Missed => State::Missed,
        };
        match timeline.last_mut() {
            _ if to <= run.at => {}
            Some(last) if last.state == state && last.interval.to == run.at => {
                last.interval.to = to;
            }
            _ => timeline.push(Span {
                interval: Interval { from: run.at, to },
                state,
            }),
        }
    }
    timeline
}

/// What several probes make of a journey.
fn of_probes(states: &[State], needed: usize) -> State {
    let count = |state| states.iter().filter(|other| **other == state).count();
    let (failing, good) = (count(State::Down), count(State::Up));
    match failing + good {
        0 => [State::Maintenance, State::Unmeasured, State::Missed]
            .into_iter()
            .find(|state| states.contains(state))
            .unwrap_or(State::Silent),
        known if failing > 0 && failing >= needed.min(known) => State::Down,
        _ if failing > 0 => State::Local,
        _ => State::Up,
    }
}

/// How a system was. A journey that was seen failing and is not measured since may still fail: as long as nobody knows
/// better, the system is not taken to be well because of its other journeys.
fn of_system(lines: &BTreeMap<&str, &Timeline>, both: Interval) -> Timeline {
    let journeys = lines.values().map(|line| (*line).clone());
    let doubts = lines.values().map(|line| doubts(line));
    let views: Vec<Timeline> = journeys.chain(doubts).collect();
    together(&views, both, |states| {
        let (journeys, doubts) = states.split_at(lines.len());
        let in_doubt = journeys
            .iter()
            .zip(doubts)
            .filter(|(_, doubt)| **doubt == State::Down)
            .map(|(state, _)| *state)
            .min();
        match in_doubt {
            Some(state) if !journeys.contains(&State::Down) => state,
            _ => of_journeys(journeys),
        }
    })
}

/// When a journey was not measured after it had been seen failing.
fn doubts(line: &Timeline) -> Timeline {
    let within = outages(line).into_iter().flat_map(|outage| {
        super::timeline::clip(line, outage.interval)
            .filter(|span| !span.state.is_measured() && span.state != State::Maintenance)
            .collect::<Vec<_>>()
    });
    let as_down = |span: Span| Span {
        state: State::Down,
        ..span
    };
    within.map(as_down).collect()
}

/// What several journeys make of a system.
fn of_journeys(states: &[State]) -> State {
    [
        State::Down,
        State::Local,
        State::Up,
        State::Maintenance,
        State::Unmeasured,
        State::Missed,
    ]
    .into_iter()
    .find(|state| states.contains(state))
    .unwrap_or(State::Silent)
}

fn availability(times: &Times) -> Option<Availability> {
    Availability::new(times.up_ns + times.local_ns, times.down_ns)
}

fn system(
    name: &str,
    lines: &BTreeMap<&str, &Timeline>,
    records: &Records,
    terms: Terms<'_>,
    both: Interval,
) -> System {
    let (period, before) = (terms.period(), terms.before());
    let timeline = of_system(lines, both);
    let times = Times::of(&timeline, period);
    let impact = records.impacts.get(name).copied();
    let goal = terms.targets.iter().find(|goal| goal.is_of(name, impact));
    let journeys: Vec<Journey> = lines
        .iter()
        .map(|(journey, line)| of_journey(name, journey, line, records, period))
        .collect();
    let mut counts = Counts::default();
    for run in runs_within(records, period, |series| series.system == name) {
        counts.add(run.outcome);
    }
    let days = terms
        .month
        .days(terms.time_zone)
        .into_iter()
        .filter_map(|(day, interval)| Some((day, Times::of(&timeline, interval.within(period)?))))
        .collect();
    let incidents = outages(&timeline)
        .into_iter()
        .filter_map(|outage| Some((outage, outage.interval.within(period)?)))
        .map(|(outage, within)| incident(name, outage, within, &timeline, lines, records))
        .collect();
    System {
        name: name.to_owned(),
        impact,
        target: goal.map(|goal| goal.availability),
        times,
        availability: availability(&times),
        before: availability(&Times::of(&timeline, before)),
        counts,
        days,
        incidents,
        journeys,
        timeline: super::timeline::clip(&timeline, period).collect(),
    }
}

fn runs_within(
    records: &Records,
    period: Interval,
    of: impl Fn(&Series) -> bool,
) -> impl Iterator<Item = &Run> {
    let of_series = records.runs.iter().filter(move |(series, _)| of(series));
    of_series.flat_map(move |(_, runs)| {
        let from = runs.partition_point(|run| run.at < period.from);
        let to = runs.partition_point(|run| run.at < period.to);
        &runs[from..to]
    })
}

fn of_journey(
    system: &str,
    name: &str,
    line: &Timeline,
    records: &Records,
    period: Interval,
) -> Journey {
    let times = Times::of(line, period);
    let key = (system.to_owned(), name.to_owned());
    let mut counts = Counts::default();
    for run in runs_within(records, period, |series| {
        series.system == system && series.journey == name
    }) {
        counts.add(run.outcome);
    }
    let mut steps: Vec<(String, Spread)> = records
        .steps
        .iter()
        .filter(|((of_system, of_journey, _), _)| of_system == system && of_journey == name)
        .map(|((_, _, step), spread)| (step.clone(), *spread))
        .collect();
    steps.sort_by(|(one, one_took), (other, other_took)| {
        let slowest_first = other_took.p95_ms.total_cmp(&one_took.p95_ms);
        slowest_first.then_with(|| one.cmp(other))
    });
    Journey {
        name: name.to_owned(),
        times,
        availability: availability(&times),
        counts,
        spread: records.durations.get(&key).copied(),
        before: records.durations_before.get(&key).copied(),
        steps,
    }
}

fn incident(
    system: &str,
    outage: Outage,
    within: Interval,
    timeline: &Timeline,
    lines: &BTreeMap<&str, &Timeline>,
    records: &Records,
) -> Incident {
    let whole = outage.interval;
    let is_part = |at: Timestamp| whole.from <= at && at < whole.to;
    let mut failed: Vec<(Timestamp, &str)> = lines
        .iter()
        .filter_map(|(journey, line)| {
            let down = super::timeline::clip(line, whole).find(|span| span.state == State::Down)?;
            Some((down.interval.from, *journey))
        })
        .collect();
    failed.sort_unstable();
    let cause = records
        .failures
        .iter()
        .filter(|((series, at), _)| series.system == system && is_part(*at))
        .filter(|((series, _), _)| failed.iter().any(|(_, journey)| *journey == series.journey))
        .min_by_key(|((series, at), _)| (*at, series))
        .map(|(_, failure)| failure.clone());
    let told: Vec<&Told> = records
        .told
        .iter()
        .filter(|told| told.system == system && is_part(told.started_at))
        .collect();
    let since = |at: Timestamp| nanoseconds(at.duration_since(whole.from)).max(0);
    let acknowledged_at = told.iter().filter_map(|told| told.acknowledged_at).min();
    let acknowledged_by = told.iter().find_map(|told| told.acknowledged_by.clone());
    Incident {
        outage,
        within,
        down_ns: Times::of(timeline, within).down_ns,
        journeys: failed
            .into_iter()
            .map(|(_, journey)| journey.to_owned())
            .collect(),
        cause,
        ids: told.iter().map(|told| told.id.clone()).collect(),
        detected_ns: told.iter().filter_map(|told| told.told_at).min().map(since),
        acknowledged_ns: acknowledged_at.map(since),
        acknowledged_by,
        picture: records
            .pictures
            .iter()
            .find(|(at, series)| series.system == system && is_part(*at))
            .cloned(),
    }
}
