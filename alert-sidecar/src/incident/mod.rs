//! What users suffer: from the first failed run to the first one that got through. Pure: what is known and the runs go in
//! ([`follow`]), changes come out. What the monitoring itself suffers becomes incidents in [`monitoring`], [`undelivered`] and
//! [`untold`].

pub mod machine;
pub mod monitoring;
pub mod undelivered;
pub mod untold;

use jiff::{SignedDuration, Timestamp};
use vigia_contract::{data_model::Impact, slug::slug};

pub use self::machine::{History, follow};
use crate::flux::{Observation, Series, Trouble, observation::Failure};

/// One incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Made of what it is about and when it began: the same incident found again has the same identity.
    pub id: String,
    /// The rule that opened it.
    pub rule: String,
    /// Which journey; the probe is the one whose run opened it.
    pub series: Series,
    /// How much the system mattered when it opened.
    pub impact: Impact,
    /// When the first failed run began.
    pub started_at: Timestamp,
    /// That run.
    pub run_id: String,
    /// Why that run failed.
    pub failure: Failure,
    /// In what way users suffer.
    pub form: Form,
    /// Nothing while users still suffer.
    pub end: Option<End>,
}

/// In what way users suffer. It never changes within an incident: another form is another incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// They cannot work.
    Failing,
    /// It comes and goes.
    Flapping,
    /// It fails for one probe, and not for these.
    Local(Vec<String>),
}

/// How an incident ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// When the first run that got through began.
    pub at: Timestamp,
    /// That run.
    pub run_id: String,
}

impl Incident {
    fn open(rule: &str, first: &Observation, form: Form) -> Self {
        let Series {
            system,
            journey,
            probe,
        } = &first.series;
        let names = [rule, system, journey, probe].map(slug).join(".");
        Self {
            id: format!("{names}.{}", first.at.as_nanosecond()),
            rule: rule.to_owned(),
            series: first.series.clone(),
            impact: match form {
                // Whoever works anywhere else is not affected.
                Form::Local(_) => first.impact.lowered(),
                Form::Failing | Form::Flapping => first.impact,
            },
            started_at: first.at,
            run_id: first.run_id.clone(),
            failure: first.failure.clone(),
            form,
            end: None,
        }
    }

    fn closed(mut self, run: &Observation) -> Self {
        self.end = Some(End {
            at: run.at,
            run_id: run.run_id.clone(),
        });
        self
    }

    /// What kind of trouble it is, where it is not a journey that failed.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        Trouble::from_name(self.failure.class.as_deref()?)
    }

    /// Whether there may be a picture of the page.
    #[must_use]
    pub fn has_page(&self) -> bool {
        self.trouble().is_none_or(Trouble::is_seen_in_a_run)
    }

    /// How long it lasted, or has lasted until now. Where the clock was set back meanwhile, nobody knows, and it is nothing.
    #[must_use]
    pub fn duration(&self, now: Timestamp) -> SignedDuration {
        self.end
            .as_ref()
            .map_or(now, |end| end.at)
            .duration_since(self.started_at)
            .max(SignedDuration::ZERO)
    }
}

/// What happened to an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Users began to suffer.
    Opened(Incident),
    /// Users can work again.
    Closed(Incident),
    /// They suffer in another way: what follows tells the present state, so the end of the former is not told.
    Became {
        /// The one that ended.
        former: Box<Incident>,
        /// The one that goes on.
        present: Box<Incident>,
    },
}

/// What both began and ended longer ago than this before it was known of is no news: it is written down and not told.
pub const NEWS_FOR: SignedDuration = SignedDuration::from_mins(15);

/// Whether the changes of one judgement tell of something that was over long before its runs arrived: then people who are
/// told of it now could do nothing but wonder.
#[must_use]
pub fn is_old_news(incident: &Incident, changes: &[Change], now: Timestamp) -> bool {
    let began_here = changes.iter().any(|change| match change {
        Change::Opened(opened) => opened.id == incident.id,
        Change::Became { present, .. } => present.id == incident.id,
        Change::Closed(_) => false,
    });
    let ended_at = changes.iter().find_map(|change| match change {
        Change::Closed(ended) if ended.id == incident.id => ended.end.as_ref(),
        Change::Became { former, .. } if former.id == incident.id => former.end.as_ref(),
        _ => None,
    });
    let ended_at = ended_at.map(|end| end.at);
    began_here && ended_at.is_some_and(|at| now.duration_since(at) > NEWS_FOR)
}
