//! The report at the end of a month: what users could and could not do, for those who answer for it.
//!
//! [`records`] reads the points of the month, [`figures`] makes numbers of them, [`page`] and [`tables`] set the same numbers as
//! HTML and CSV, and [`print`] makes a PDF of the page. [`mailing`] mails, as [`schedule`] says, what [`letter`] writes.

pub mod availability;
mod charts;
pub mod figures;
pub mod letter;
pub mod mailing;
pub mod month;
pub mod page;
pub mod print;
pub mod records;
pub mod schedule;
pub mod summary;
pub mod tables;
pub mod timeline;
pub mod words;

use std::{sync::Arc, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use tokio::task::JoinSet;

use self::{
    figures::{Figures, Terms},
    letter::{Enclosed, Letter},
    month::Month,
    page::Pictures,
    records::ReadError,
    words::Words,
};
use crate::{
    config::Config,
    flux::{InfluxDb, Rule, ShippedQuery, client},
    judge::Probes,
    render,
    route::maintenance::Maintenance,
};

/// A query over two months may take this long; alerts have a shorter deadline.
const QUERY_DEADLINE: Duration = Duration::from_mins(2);

/// The most pictures of incidents; at 60 kB each they are 2.5 MB at most.
const MOST_PICTURES: usize = 40;

/// How reports are made.
#[derive(Clone, Debug)]
pub struct Maker {
    influxdb: Arc<InfluxDb>,
    style: render::Style,
    targets: Vec<figures::Goal>,
    maintenance: Vec<Maintenance>,
    rule: Rule,
    pdf: print::Settings,
}

/// A report, ready to be set.
#[derive(Debug)]
pub struct Report {
    /// Its numbers.
    pub figures: Figures,
    pictures: Pictures,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// Nothing of the month is over.
    #[error("{0} has not begun\nhint: ask for a month that has, for example the last one")]
    NotBegun(Month),
    /// Its points could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl Maker {
    /// As the configuration says.
    pub fn new(config: &Config) -> Result<Self, anyhow::Error> {
        let settings = client::Settings {
            timeout: config.influxdb.timeout.max(QUERY_DEADLINE),
            ..config.influxdb.clone()
        };
        Ok(Self {
            influxdb: Arc::new(InfluxDb::new(&settings, &config.influxdb_token)?),
            style: config.style.clone(),
            targets: config.targets.clone(),
            maintenance: config.policy.maintenance.clone(),
            rule: about_journeys(&config.rules),
            pdf: config.pdf.clone(),
        })
    }

    /// Reads everything and works out the figures: of these systems, or of all.
    pub async fn make(
        &self,
        month: Month,
        systems: Option<&[String]>,
        now: Timestamp,
    ) -> Result<Report, MakeError> {
        let terms = Terms {
            month,
            time_zone: &self.style.time_zone,
            now,
            probes: self.probes(),
            targets: &self.targets,
            maintenance: &self.maintenance,
            rule: &self.rule.name,
            systems,
        };
        if terms.period().from >= terms.period().to {
            return Err(MakeError::NotBegun(month));
        }
        let records = records::read(&self.influxdb, terms.period(), terms.before()).await?;
        let figures = figures::figures(&records, terms);
        let pictures = self.pictures(&figures).await;
        Ok(Report { figures, pictures })
    }

    /// The pictures of the incidents that are shown. One that cannot be had is left out.
    async fn pictures(&self, figures: &Figures) -> Pictures {
        let mut asked = JoinSet::new();
        let runs = page::shown_incidents(figures)
            .into_iter()
            .filter_map(|(_, incident)| incident.picture.clone());
        for (at, series) in runs.take(MOST_PICTURES) {
            let influxdb = Arc::clone(&self.influxdb);
            asked.spawn(async move {
                let found = records::picture(&influxdb, at, &series).await;
                ((at, series), found)
            });
        }
        let mut pictures = Pictures::new();
        while let Some(answer) = asked.join_next().await {
            match answer {
                Ok((run, Ok(Some(picture)))) => drop(pictures.insert(run, picture)),
                Ok((_, Ok(None))) => {}
                Ok((_, Err(error))) => tracing::warn!(%error, "the report goes without a picture"),
                Err(error) => tracing::warn!(%error, "the report goes without a picture"),
            }
        }
        pictures
    }

    /// The page.
    pub fn html(&self, report: &Report) -> Result<String, minijinja::Error> {
        let words = self.words();
        let language = self.style.language.code();
        page::write(
            &report.figures,
            &report.pictures,
            self.page_style(&words),
            language,
        )
    }

    /// The clock of those who read reports.
    #[must_use]
    pub const fn time_zone(&self) -> &TimeZone {
        &self.style.time_zone
    }

    /// The report as a mail.
    pub fn letter(&self, report: &Report, enclosed: Enclosed) -> Result<Letter, minijinja::Error> {
        let words = self.words();
        let language = self.style.language.code();
        letter::write(&report.figures, self.page_style(&words), language, enclosed)
    }

    fn words(&self) -> Words {
        Words::new(self.style.language, self.style.time_zone.clone())
    }

    const fn page_style<'a>(&'a self, words: &'a Words) -> page::Style<'a> {
        page::Style {
            words,
            names: &self.style.names,
            probes: self.probes(),
        }
    }

    /// How many probes the alerts ask for before users count as affected.
    const fn probes(&self) -> usize {
        match self.rule.criteria.probes {
            Probes::Each => 1,
            Probes::Together(probes) => probes,
        }
    }

    /// The page, printed.
    pub async fn pdf(&self, html: &str) -> Result<Vec<u8>, print::PrintError> {
        print::print(&self.pdf, html).await
    }

    /// Everything behind it.
    pub fn tables(&self, report: &Report) -> Result<Vec<tables::File>, csv::Error> {
        tables::write(&report.figures, &self.style.time_zone)
    }
}

/// The rule that tells of journeys that fail; as it is shipped where there is none.
fn about_journeys(rules: &[Rule]) -> Rule {
    let about_journeys = rules.iter().find(|rule| rule.meaning.trouble.is_none());
    about_journeys
        .cloned()
        .unwrap_or_else(|| Rule::shipped("journeys-failed", ShippedQuery::JourneysFailed))
}
