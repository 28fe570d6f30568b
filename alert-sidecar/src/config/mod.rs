//! Reads what the operator wrote: all of it, or all the mistakes in it at once.
//!
//! Each part's own settings stand beside that part; here they are composed and checked against each other.

pub mod channels;
mod check;
mod email;
mod page;
mod reach;
mod report;
mod routing;
mod rule;
mod templates;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use jiff::tz::TimeZone;
use serde::Deserialize;
use vigia_contract::{
    config_file::{self, Spanned},
    mistake::{Mistakes, Source},
    secret::{SecretPlaces, SecretString},
};

use crate::{
    flux::{self, Rule},
    health::heartbeat::{self, Heartbeat},
    render::{Language, Names, Style, Templates},
    report::{
        figures::Goal,
        print,
        schedule::{self, Schedule},
    },
    route::{dependency::Dependencies, group, hours, maintenance, on_call, tree},
    store::{
        judgement::Policy,
        place::{self, Place},
    },
};

/// The file, as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// The language of messages: `es` or `en`. Default `es`.
    #[serde(default)]
    language: Language,
    /// The clock of those who read them, for example `America/Montevideo`.
    time_zone: Spanned<String>,
    /// A folder with one file for each secret, relative to this file.
    secrets_folder: Option<PathBuf>,
    influxdb: flux::Settings,
    store: Spanned<place::Settings>,
    /// The names that people know, by the names of systems and journeys in the data.
    #[serde(default)]
    names: Names,
    /// A folder with templates of one's own, relative to this file. Default: none, and the shipped ones are used.
    templates: Option<Spanned<PathBuf>>,
    #[serde(default)]
    links: Links,
    /// What is asked. Default: every shipped query, as it is shipped.
    #[serde(default)]
    rule: Vec<flux::rule::Settings>,
    #[serde(default)]
    channel: Vec<channels::Settings>,
    /// What the availability of systems is held against in reports; the first that fits a system counts.
    #[serde(default)]
    target: Vec<Goal>,
    /// What is mailed every month.
    #[serde(default)]
    report: Vec<schedule::Settings>,
    #[serde(default)]
    pdf: print::Settings,
    #[serde(default)]
    route: Vec<Spanned<tree::Settings>>,
    /// When people work.
    #[serde(default)]
    hours: Vec<hours::Settings>,
    /// Whose turn it is.
    #[serde(default)]
    on_call: Vec<on_call::Settings>,
    /// The planned windows.
    #[serde(default)]
    maintenance: Vec<maintenance::Settings>,
    /// Of each system, those that it needs.
    depends_on: Option<Spanned<BTreeMap<String, Vec<String>>>>,
    /// What is told together.
    #[serde(default)]
    grouping: group::Settings,
    /// The page for people, and for the programs that watch this one. Default: nothing listens.
    page: Option<Spanned<crate::page::Settings>>,
    /// Where it is told that this program works. Default: nowhere.
    heartbeat: Option<heartbeat::Settings>,
}

/// The table `[links]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Links {
    /// The address of a dashboard; `{{ system }}`, `{{ journey }}` and `{{ probe }}` are filled in.
    dashboard: Option<Spanned<String>>,
}

/// The configuration, as it is used.
#[derive(Debug)]
pub struct Config {
    /// Where InfluxDB is.
    pub influxdb: flux::Settings,
    /// What opens it.
    pub influxdb_token: SecretString,
    /// Where the store is.
    pub store: Place,
    /// How messages are written.
    pub style: Style,
    /// What is asked.
    pub rules: Vec<Rule>,
    /// The ways to people, by name.
    pub channels: BTreeMap<String, channels::Paced>,
    /// What reports hold availability against.
    pub targets: Vec<Goal>,
    /// Those that are mailed.
    pub reports: Vec<Schedule>,
    /// What prints them.
    pub pdf: print::Settings,
    /// Who is told, and how.
    pub policy: Policy,
    /// The page.
    pub page: Option<crate::page::Config>,
    /// The heartbeat.
    pub heartbeat: Option<Heartbeat>,
}

/// Reads the file at this path, and what it refers to.
pub fn read(path: &Path) -> Result<Config, Mistakes> {
    let source = Source::read(path).map_err(|mistake| Mistakes(vec![mistake]))?;
    let file: File = config_file::read(&source).map_err(Mistakes)?;
    resolve(file, &source).map_err(Mistakes)
}

/// What is being checked, and what was found so far.
struct Findings<'a> {
    source: &'a Source,
    folder: &'a Path,
    secrets: SecretPlaces,
    mistakes: Vec<vigia_contract::mistake::Mistake>,
}

impl Findings<'_> {
    fn add<T>(&mut self, at: &Spanned<T>, what: impl Into<String>, hint: impl Into<String>) {
        self.mistakes
            .push(self.source.mistake(at.span(), what, hint));
    }

    /// The line on which this stands.
    fn line<T>(&self, at: &Spanned<T>) -> usize {
        self.source.text[..at.span().start].matches('\n').count() + 1
    }
}

fn resolve(file: File, source: &Source) -> Result<Config, Vec<vigia_contract::mistake::Mistake>> {
    let folder = source.path.parent().unwrap_or(Path::new(""));
    let mut findings = Findings {
        source,
        folder,
        secrets: SecretPlaces::of_this_process(
            file.secrets_folder
                .as_ref()
                .map(|secrets| folder.join(secrets)),
        ),
        mistakes: Vec::new(),
    };
    let time_zone = check::time_zone(&file.time_zone, &mut findings);
    let influxdb_token = check::influxdb(&file.influxdb, &mut findings);
    let store = check::store(&file.store, &mut findings);
    check::dashboard(file.links.dashboard.as_ref(), &mut findings);
    check::rules(&file.rule, &mut findings);
    check::routes(
        &file.route,
        &file.on_call,
        &file.report,
        &file.channel,
        &mut findings,
    );
    let zone = time_zone.clone().unwrap_or(TimeZone::UTC);
    let names = routing::names(
        &file.channel,
        &file.on_call,
        &file.hours,
        zone,
        &mut findings,
    );
    let count = file.rule.len();
    let rules = rule::resolve_all(file.rule, &mut findings);
    // Of a rule with mistakes it is not known what it brings.
    let are_rules_known = count == 0 || rules.len() == count;
    if are_rules_known {
        reach::rules_named(&file.route, &file.maintenance, &rules, &mut findings);
    }
    let mut policy = Policy {
        routes: routing::routes(&file.route, &names, &mut findings),
        maintenance: routing::maintenance(file.maintenance, &names, &mut findings),
        dependencies: file
            .depends_on
            .as_ref()
            .map_or_else(Dependencies::default, |needs| {
                routing::dependencies(needs, &mut findings)
            }),
        grouping: file.grouping.into(),
        recipients: BTreeMap::new(),
    };
    if are_rules_known {
        reach::routes(&file.route, &policy.routes, &rules, &mut findings);
    }
    let channels = channels::resolve_all(file.channel, &mut findings);
    let reports = report::resolve_all(file.report, &channels, &mut findings);
    let page = file
        .page
        .and_then(|page| page::resolve(page, &mut findings));
    let heartbeat = file
        .heartbeat
        .and_then(|heartbeat| page::heartbeat(&heartbeat, &mut findings));
    let style = time_zone.map(|time_zone| Style {
        language: file.language,
        time_zone,
        names: file.names,
        templates: Templates::new(),
        dashboard: file.links.dashboard.map(Spanned::into_inner),
        page: page.as_ref().and_then(|page| page.url.clone()),
        signer: page.as_ref().and_then(|page| page.signer.clone()),
    });
    let style = style.map(|style| templates::read(file.templates.as_ref(), style, &mut findings));
    let (Some(style), Some(influxdb_token), Some(store), []) =
        (style, influxdb_token, store, findings.mistakes.as_slice())
    else {
        findings.mistakes.sort_by_key(|mistake| {
            mistake
                .place
                .as_ref()
                .map(|place| (place.line, place.column))
        });
        return Err(findings.mistakes);
    };
    policy.recipients = channels
        .iter()
        .map(|(name, paced)| (name.clone(), paced.channel.recipients()))
        .collect();
    Ok(Config {
        influxdb: file.influxdb,
        influxdb_token,
        store,
        style,
        rules,
        channels,
        targets: file.target,
        reports,
        pdf: file.pdf,
        policy,
        page,
        heartbeat,
    })
}
