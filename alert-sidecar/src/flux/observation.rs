//! A row of a rule, as what it means: one run of one journey and what it came to.

use std::time::Duration;

use jiff::Timestamp;
use vigia_contract::data_model::{ERROR_MAX_CHARACTERS, Impact, Outcome, field, tag};

use super::{
    Rule, Trouble,
    annotated_csv::Row,
    rule::{Bad, Weight},
};

/// What is watched: a journey, seen from one probe.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Series {
    /// What users call the thing that they use.
    pub system: String,
    /// The workflow.
    pub journey: String,
    /// Where it was seen from.
    pub probe: String,
}

/// The system of what the monitoring itself suffers.
pub const OURS: &str = "vigia";

/// One run; of a rule that is not about journeys, one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Which journey, seen from where.
    pub series: Series,
    /// When the run began.
    pub at: Timestamp,
    /// How much the system matters.
    pub impact: Impact,
    /// What the run came to.
    pub outcome: Outcome,
    /// The run's identity; of a run that has none, its moment.
    pub run_id: String,
    /// Why, where it failed.
    pub failure: Failure,
    /// How often the journey runs, where its point says so.
    pub every: Option<Duration>,
}

/// Why a run failed: what its point says, which may be little.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// The step's name, as a person reads it.
    pub step: Option<String>,
    /// The value of the field `error_class`.
    pub class: Option<String>,
    /// One line, technical, in English.
    pub error: Option<String>,
    /// The page's address at the end.
    pub url: Option<String>,
    /// The HTTP status of the last document.
    pub http_status: Option<i64>,
    /// The key of the run's artifacts, where any were kept.
    pub artifact: Option<String>,
}

/// The longest name of a step that a message has room for.
const STEP_MAX_CHARACTERS: usize = 120;

/// The longest address that is told.
const URL_MAX_CHARACTERS: usize = 1000;

/// The longest key of artifacts: that of [`vigia_contract::artifact::ArtifactKey`] is far shorter.
const ARTIFACT_MAX_CHARACTERS: usize = 1000;

/// A row that is not what the rule promises: a column was renamed, or somebody else writes this measurement.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// There is no value in this column.
    #[error("a row has no `{0}`")]
    Missing(&'static str),
    /// There is a value, and nothing says what it means.
    #[error("a row has a `value`, and the rule has no `limit`")]
    NoLimit,
    /// The value is outside its closed set.
    #[error("a row has the {column} `{value}`, which is none that exists")]
    Unknown {
        /// Which column.
        column: &'static str,
        /// What stands there.
        value: String,
    },
}

impl Observation {
    /// Reads a row of a rule.
    pub fn from_row(row: &Row, rule: &Rule) -> Result<Self, RowError> {
        Self::of(Origin::of_row(row, rule)?, row, rule)
    }

    /// Reads the rest of a row whose origin is known.
    pub(super) fn of(origin: Origin<'_>, row: &Row, rule: &Rule) -> Result<Self, RowError> {
        let at = origin.at;
        let meaning = &rule.meaning;
        let line = |column, longest| row.text(column).map(|text| one_line(text, longest));
        let class = match meaning.trouble {
            Some(Trouble::Custom) | None => row.text(field::ERROR_CLASS).map(str::to_owned),
            Some(_) => None,
        };
        Ok(Self {
            series: origin.series(),
            at,
            impact: impact(row, meaning.weight)?,
            outcome: outcome(row, rule)?,
            // A run that was missed never began, so it has no identity; a row of a server neither.
            run_id: row
                .text(field::RUN_ID)
                .map_or_else(|| at.to_string(), str::to_owned),
            failure: Failure {
                step: line(field::FAILED_STEP, STEP_MAX_CHARACTERS),
                class: class.or_else(|| meaning.trouble.map(|trouble| trouble.name().to_owned())),
                error: line(field::ERROR, ERROR_MAX_CHARACTERS),
                url: line(field::URL, URL_MAX_CHARACTERS),
                http_status: row.integer(field::HTTP_STATUS),
                artifact: line(field::ARTIFACT, ARTIFACT_MAX_CHARACTERS),
            },
            every: row
                .number(field::EVERY_S)
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
                .filter(|every| !every.is_zero()),
        })
    }
}

/// What a row is about: its journey, seen from one probe, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are those of the data model")]
pub struct Origin<'a> {
    pub system: &'a str,
    pub journey: &'a str,
    pub probe: &'a str,
    pub at: Timestamp,
}

impl<'a> Origin<'a> {
    /// Reads them from a row of a rule.
    pub fn of_row(row: &'a Row, rule: &'a Rule) -> Result<Self, RowError> {
        let is_custom = rule.meaning.trouble == Some(Trouble::Custom);
        let text = |column| row.text(column).ok_or(RowError::Missing(column));
        // What a server measures has its host for a system, unless the operator's Telegraf says which system it serves.
        let or_host = |missing| row.text("host").ok_or(missing);
        Ok(Self {
            at: row.time("_time").ok_or(RowError::Missing("_time"))?,
            system: text(tag::SYSTEM).or_else(or_host)?,
            journey: match text(tag::JOURNEY) {
                Err(_) if is_custom => rule.name.as_str(),
                journey => journey?,
            },
            probe: match text(tag::PROBE).or_else(or_host) {
                Err(_) if is_custom => OURS,
                probe => probe?,
            },
        })
    }
}

impl Origin<'_> {
    /// The journey, seen from one probe.
    #[must_use]
    pub fn series(self) -> Series {
        Series {
            system: self.system.to_owned(),
            journey: self.journey.to_owned(),
            probe: self.probe.to_owned(),
        }
    }
}

impl<'a> From<&'a Observation> for Origin<'a> {
    fn from(run: &'a Observation) -> Self {
        Self {
            system: &run.series.system,
            journey: &run.series.journey,
            probe: &run.series.probe,
            at: run.at,
        }
    }
}

fn impact(row: &Row, weight: Weight) -> Result<Impact, RowError> {
    let tagged = || match row.text(tag::IMPACT) {
        Some(name) => Impact::from_name(name)
            .map(Some)
            .ok_or_else(|| unknown(tag::IMPACT, name)),
        None => Ok(None),
    };
    let missing = RowError::Missing(tag::IMPACT);
    match weight {
        Weight::AsTagged => tagged()?.ok_or(missing),
        Weight::OneLower => tagged()?.map(Impact::lowered).ok_or(missing),
        Weight::TaggedOrLow => Ok(tagged()?.unwrap_or(Impact::Low)),
        Weight::Fixed(impact) => Ok(impact),
    }
}

/// What the row means to its rule: bad is what it is about, good is the opposite, anything else says nothing.
fn outcome(row: &Row, rule: &Rule) -> Result<Outcome, RowError> {
    let outcome = match (row.text(field::RESULT), row.number("value")) {
        (Some(name), _) => Outcome::from_name(name).ok_or_else(|| unknown(field::RESULT, name))?,
        (None, Some(value)) => match rule.meaning.limit {
            Some(limit) => limit.outcome(value),
            None => return Err(RowError::NoLimit),
        },
        (None, None) if rule.meaning.limit.is_some() => return Err(RowError::Missing("value")),
        (None, None) => return Err(RowError::Missing(field::RESULT)),
    };
    Ok(match (rule.meaning.bad, outcome) {
        (Bad::Slow, Outcome::Slow) => Outcome::Failed,
        (Bad::Slow, Outcome::Failed) => Outcome::Unmeasured,
        (_, outcome) => outcome,
    })
}

fn unknown(column: &'static str, value: &str) -> RowError {
    RowError::Unknown {
        column,
        value: value.to_owned(),
    }
}

/// Whoever writes the points, a text of a message is one line and not endless.
fn one_line(text: &str, longest: usize) -> String {
    // Nearly all of them are.
    let is_plain = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    if text.len() <= longest && text.bytes().all(is_plain) && !text.contains("  ") {
        return text.trim().to_owned();
    }
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(longest) {
        None => line,
        Some(_) => line.chars().take(longest - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flux::{ShippedQuery, annotated_csv};

    fn read(result: &str, run_id: &str, error: &str) -> Observation {
        let body = format!(
            "#datatype,string,long,dateTime:RFC3339,string,string,string,string,string,string,string\r\n\
             #group,false,false,false,true,true,true,true,false,false,false\r\n\
             #default,_result,,,,,,,,,\r\n\
             ,result,table,_time,system,journey,probe,impact,result,run_id,error\r\n\
             ,,0,2026-11-22T13:32:05Z,tramites,consultar,sede,critical,{result},{run_id},\"{error}\"\r\n\r\n"
        );
        let rows = annotated_csv::read(&body).unwrap();
        Observation::from_row(&rows[0], &Rule::shipped("r", ShippedQuery::JourneysFailed)).unwrap()
    }

    #[test]
    fn a_missed_run_has_no_identity_and_is_a_run_all_the_same() {
        let missed = read("missed", "", "every slot was taken");
        assert_eq!(
            (missed.outcome, missed.run_id.as_str()),
            (Outcome::Missed, "2026-11-22T13:32:05Z")
        );
    }

    #[test]
    fn an_endless_text_of_many_lines_becomes_one_that_can_be_told() {
        let endless = format!("first\nsecond {}", "x".repeat(100_000));
        let error = read("failed", "r1", &endless).failure.error.unwrap();
        assert_eq!(error.chars().count(), ERROR_MAX_CHARACTERS);
        assert!(
            error.starts_with("first second xxx") && error.ends_with("x…"),
            "{error}"
        );
    }
}
