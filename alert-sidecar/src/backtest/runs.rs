//! What is read of runs of journeys, as small as it gets, and how it is read from InfluxDB's answers. Pure.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;
use vigia_contract::data_model::{Impact, Outcome, tag};

use super::usual::Lasted;
use crate::flux::{
    Observation, Series,
    annotated_csv::{self, CsvError, Row},
    observation::Failure,
};

/// What one run came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When it began.
    pub at: Timestamp,
    /// What it came to.
    pub outcome: Outcome,
    /// How much its system mattered.
    pub impact: Impact,
}

/// A journey as one probe sees it.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// Its runs, in the order of their time.
    pub marks: Vec<Mark>,
    /// How often it runs, from when on, where its points say so.
    pub intervals: Vec<(Timestamp, Duration)>,
    /// When another selector had to stand in for the one that is meant.
    pub drifts: BTreeSet<Timestamp>,
}

impl Line {
    /// A run that was heard, which is all that counts where silence is looked for.
    pub fn heard(&self, series: &Series, mark: Mark, impact: Impact) -> Observation {
        Observation {
            series: series.clone(),
            at: mark.at,
            impact,
            outcome: Outcome::Ok,
            run_id: String::new(),
            failure: Failure::default(),
            every: self.every(mark.at),
        }
    }

    /// How often it ran at this moment, where its points say so.
    pub fn every(&self, at: Timestamp) -> Option<Duration> {
        let begun = self.intervals.partition_point(|(since, _)| *since <= at);
        let interval = self.intervals.get(begun.saturating_sub(1));
        interval.map(|(_, every)| *every)
    }
}

/// The runs of a stretch of time.
#[derive(Clone, Debug)]
pub struct Portion {
    /// When it ends.
    pub until: Timestamp,
    /// By what they are of.
    pub lines: BTreeMap<Series, Line>,
}

/// What runs are of, and how much it mattered meanwhile.
pub type Of = (Series, Impact);

/// What was read, by what it is of.
pub type By<T> = BTreeMap<Of, Vec<T>>;

/// Reads an answer whose rows say what they are of. Those that differ in another tag, for example the host, come together.
pub fn by_series<T>(
    body: &str,
    read: impl Fn(&Row, Impact) -> Option<T>,
) -> Result<By<T>, CsvError> {
    let mut found: By<T> = BTreeMap::new();
    // Rows of one series follow each other, by the thousand.
    let mut current: Option<(Of, Vec<T>)> = None;
    let mut strange = None;
    annotated_csv::each(body, |row| {
        if !current.as_ref().is_some_and(|(of, _)| is_of(row, of)) {
            add(&mut found, current.take());
            current = of(row).map(|of| (of, Vec::new()));
        }
        let value = current
            .as_mut()
            .and_then(|((_, impact), values)| Some((read(row, *impact)?, values)));
        match value {
            Some((value, values)) => values.push(value),
            None => strange = strange.take().or_else(|| Some(format!("{row:?}"))),
        }
    })?;
    add(&mut found, current);
    match strange {
        Some(row) => Err(CsvError::Malformed {
            record: 0,
            what: format!("a run has names, an impact, a time and a value: {row}"),
        }),
        None => Ok(found),
    }
}

/// Adds to what is there already, in its order.
pub fn add<T>(found: &mut By<T>, more: impl IntoIterator<Item = (Of, Vec<T>)>) {
    for (of, mut values) in more {
        found.entry(of).or_default().append(&mut values);
    }
}

fn of(row: &Row) -> Option<Of> {
    Some((series(row)?, Impact::from_name(row.text(tag::IMPACT)?)?))
}

fn is_of(row: &Row, (series, impact): &Of) -> bool {
    row.text(tag::JOURNEY) == Some(&series.journey)
        && row.text(tag::SYSTEM) == Some(&series.system)
        && row.text(tag::PROBE) == Some(&series.probe)
        && row.text(tag::IMPACT) == Some(impact.name())
}

/// What is read of runs where it is known from elsewhere which were completed.
#[derive(Clone, Copy, Debug)]
pub enum Told {
    /// A run that was not good.
    Other(Mark),
    /// So many runs there were.
    All(usize),
}

impl Told {
    /// Reads one of them.
    pub fn read(row: &Row, impact: Impact) -> Option<Self> {
        match row.integer("_value") {
            Some(count) => usize::try_from(count).ok().map(Self::All),
            None => mark(row, impact).map(Self::Other),
        }
    }
}

/// All runs: a completed one of which nothing else is told was good. Nothing where that is not so of all, because a run did not
/// say how long it took, or two hosts told of the same moment.
pub fn with_completed(told: By<Told>, completed: &By<Lasted>) -> Option<By<Mark>> {
    if completed.keys().any(|of| !told.contains_key(of)) {
        return None;
    }
    let mut runs = BTreeMap::new();
    for (of, told) in told {
        let (mut marks, mut all) = (Vec::new(), 0);
        for told in told {
            match told {
                Told::Other(mark) => marks.push(mark),
                Told::All(count) => all += count,
            }
        }
        let not_good: BTreeSet<Timestamp> = marks.iter().map(|mark| mark.at).collect();
        for run in completed.get(&of).into_iter().flatten() {
            let at = Timestamp::from_nanosecond(run.at_ns.into()).ok()?;
            if !not_good.contains(&at) {
                marks.push(Mark {
                    at,
                    outcome: Outcome::Ok,
                    impact: of.1,
                });
            }
        }
        if marks.len() != all {
            return None;
        }
        runs.insert(of, marks);
    }
    Some(runs)
}

/// Reads what a run came to.
pub fn mark(row: &Row, impact: Impact) -> Option<Mark> {
    Some(Mark {
        at: row.time("_time")?,
        outcome: Outcome::from_name(row.text("_value")?)?,
        impact,
    })
}

/// Reads how long a run took.
pub fn lasted(row: &Row, _: Impact) -> Option<Lasted> {
    Some(Lasted {
        at_ns: row.time("_time")?.as_nanosecond().try_into().ok()?,
        ms: row.number("_value")?,
    })
}

/// Reads how often a journey runs.
pub fn interval(row: &Row) -> Option<Duration> {
    let every = Duration::try_from_secs_f64(row.number("_value")?).ok()?;
    Some(every).filter(|every| !every.is_zero())
}

/// Reads which journey a row is of.
pub fn series(row: &Row) -> Option<Series> {
    Some(Series {
        system: row.text(tag::SYSTEM)?.to_owned(),
        journey: row.text(tag::JOURNEY)?.to_owned(),
        probe: row.text(tag::PROBE)?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn of() -> Of {
        let series = Series {
            system: "s".to_owned(),
            journey: "j".to_owned(),
            probe: "p".to_owned(),
        };
        (series, Impact::High)
    }

    fn lasted(seconds: &[i64]) -> By<Lasted> {
        let lasted = |second: &i64| Lasted {
            at_ns: second * 1_000_000_000,
            ms: 730.5,
        };
        BTreeMap::from([(of(), seconds.iter().map(lasted).collect())])
    }

    /// The run at 60 was slow, that at 120 failed, and there are so many.
    fn told(all: usize) -> By<Told> {
        let body = format!(
            "#datatype,string,long,dateTime:RFC3339,string,string,string,string,string\r\n#default,others,,,,,,,\r\n\
             ,result,table,_time,_value,system,journey,probe,impact\r\n\
             ,,0,1970-01-01T00:01:00Z,slow,s,j,p,high\r\n,,0,1970-01-01T00:02:00Z,failed,s,j,p,high\r\n\r\n\
             #datatype,string,long,long,string,string,string,string\r\n#default,all,,,,,,\r\n\
             ,result,table,_value,system,journey,probe,impact\r\n,,0,{all},s,j,p,high\r\n\r\n"
        );
        by_series(&body, Told::read).unwrap()
    }

    #[test]
    fn a_completed_run_that_is_nothing_else_was_good() {
        let mut runs = with_completed(told(4), &lasted(&[0, 60, 180])).unwrap();
        let marks = runs.get_mut(&of()).unwrap();
        marks.sort_by_key(|mark| mark.at);
        let outcomes: Vec<_> = marks.iter().map(|mark| (mark.at, mark.outcome)).collect();
        assert_eq!(
            outcomes,
            [
                (second(0), Outcome::Ok),
                (second(60), Outcome::Slow),
                (second(120), Outcome::Failed),
                (second(180), Outcome::Ok)
            ]
        );
    }

    #[test]
    fn a_run_that_does_not_say_how_long_it_took_is_noticed_by_its_absence() {
        let completed = lasted(&[0, 60]);
        assert!(with_completed(told(4), &completed).is_none());
        assert!(with_completed(told(3), &completed).is_some());
        // Nothing is known of those.
        assert!(with_completed(BTreeMap::new(), &completed).is_none());
    }
}
