//! A row of a rule, as what it means: one run of one journey and what it came to.

use jiff::Timestamp;
use vigia_contract::data_model::{Impact, Outcome, field, tag};

use super::annotated_csv::Row;

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

/// One run.
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
    /// The run's identity.
    pub run_id: String,
    /// Why, where it failed.
    pub failure: Failure,
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
}

/// A row that is not what the rule promises: a column was renamed, or somebody else writes this measurement.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// There is no value in this column.
    #[error("a row has no `{0}`")]
    Missing(&'static str),
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
    /// Reads a row of the rule `journeys-failed`.
    pub fn from_row(row: &Row) -> Result<Self, RowError> {
        let text = |column| row.text(column).ok_or(RowError::Missing(column));
        let own = |column| row.text(column).map(str::to_owned);
        let unknown = |column, value: &str| RowError::Unknown {
            column,
            value: value.to_owned(),
        };
        let impact = text(tag::IMPACT)?;
        let outcome = text(field::RESULT)?;
        Ok(Self {
            series: Series {
                system: text(tag::SYSTEM)?.to_owned(),
                journey: text(tag::JOURNEY)?.to_owned(),
                probe: text(tag::PROBE)?.to_owned(),
            },
            at: row.time("_time").ok_or(RowError::Missing("_time"))?,
            impact: Impact::from_name(impact).ok_or_else(|| unknown(tag::IMPACT, impact))?,
            outcome: Outcome::from_name(outcome).ok_or_else(|| unknown(field::RESULT, outcome))?,
            run_id: text(field::RUN_ID)?.to_owned(),
            failure: Failure {
                step: own(field::FAILED_STEP),
                class: own(field::ERROR_CLASS),
                error: own(field::ERROR),
                url: own(field::URL),
                http_status: row.integer(field::HTTP_STATUS),
            },
        })
    }
}
