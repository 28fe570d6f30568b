//! `vigia-alert explain`: why somebody was told, or nobody; and what each rule makes of a journey at a moment.

use std::{path::PathBuf, time::Duration};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::{
    Exit,
    check::say,
    steer::print,
    terminal::{self, moment},
};
use crate::{
    config::{self, Config},
    control::{Answer, Question, Report, ask::ask},
    flux::{
        InfluxDb, Observation, QueryError, Rule,
        client::Query,
        observation::{OURS, RowError},
    },
    judge::{Criteria, Probes, Verdict, judge},
};

/// So many of the newest runs are shown.
const RUNS_SHOWN: usize = 12;

/// How long before the moment an incident may have ended that is still told of.
const RECENT: SignedDuration = SignedDuration::from_hours(24);

/// `explain`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The incident's identity, as `incidents` shows it; or a journey, as `system/journey` or by its name.
    what: String,
    /// The moment, for example `2026-11-28T10:02:00-03:00`. By default that of the incident's beginning, or now.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    #[command(flatten)]
    config: super::ConfigArgument,
}

pub(super) fn explain(arguments: &Arguments) -> Exit {
    let path: &PathBuf = &arguments.config.config;
    let config = match config::read(path) {
        Ok(config) => config,
        Err(mistakes) => {
            say(&mistakes.to_string());
            return Exit::Configuration;
        }
    };
    match run(&config, &arguments.what, arguments.at) {
        Ok(Some(text)) => {
            print(&text);
            Exit::Success
        }
        Ok(None) => {
            say(&format!(
                "there is no incident and no journey `{}`\nhint: `vigia-alert incidents --ended 24h` shows the incidents; a journey is written system/journey",
                arguments.what
            ));
            Exit::Refused
        }
        Err(error) => {
            say(&format!("{error:#}"));
            Exit::Failure
        }
    }
}

fn run(
    config: &Config,
    what: &str,
    at: Option<Timestamp>,
) -> Result<Option<String>, anyhow::Error> {
    let influxdb = InfluxDb::new(&config.influxdb, &config.influxdb_token)?;
    super::runtime()?.block_on(async {
        let question = Question::Incident {
            id: what.to_owned(),
        };
        let found = incidents(config, question).await?;
        if let Some(incident) = found.first() {
            return Ok(Some(of_incident(config, &influxdb, incident, at).await));
        }
        of_journey(config, &influxdb, what, at.unwrap_or_else(Timestamp::now)).await
    })
}

async fn incidents(config: &Config, question: Question) -> Result<Vec<Report>, anyhow::Error> {
    match ask(&config.store, config.policy.clone(), question).await? {
        Answer::Incidents(incidents) => Ok(incidents),
        Answer::Failed(error) => anyhow::bail!("the store did not answer: {error}"),
        other => anyhow::bail!("the program answered something else: {other:?}"),
    }
}

async fn of_incident(
    config: &Config,
    influxdb: &InfluxDb,
    incident: &Report,
    at: Option<Timestamp>,
) -> String {
    let time_zone = &config.style.time_zone;
    let now = Timestamp::now();
    let mut lines = vec![terminal::headline(incident, time_zone, now)];
    lines.extend(terminal::why(incident).map(|why| format!("  {why}")));
    lines.extend(incident.url.as_ref().map(|url| format!("  page {url}")));
    lines.push(format!(
        "  run {}, incident {}",
        incident.run_id, incident.id
    ));
    lines.push(String::new());
    match config.rules.iter().find(|rule| rule.name == incident.rule) {
        Some(rule) => {
            // The run that opened it was followed by those that made it certain.
            let at = at.unwrap_or_else(|| certain_at(incident) + rule.every.max(ANSWER));
            let of = (incident.system.as_str(), incident.journey.as_str());
            match rows(influxdb, rule, at).await {
                Ok(rows) => lines.extend(of_rule(rule, &rows, of, at, time_zone)),
                Err(error) => lines.push(format!(
                    "Rule {}: its rows cannot be read: {error}",
                    rule.name
                )),
            }
        }
        None => lines.push(format!(
            "Rule {}: it is not in the configuration (any more)",
            incident.rule
        )),
    }
    lines.extend(who(incident, time_zone));
    lines.join("\n")
}

/// A decision bears the time of its question, and runs that ended while the question was answered counted.
const ANSWER: Duration = Duration::from_secs(1);

/// When its first decision was made; where none is known, when it began.
fn certain_at(incident: &Report) -> Timestamp {
    incident
        .decisions
        .first()
        .map_or(incident.started, |decision| decision.at)
}

/// Who was told, and why, and what came of it.
fn who(incident: &Report, time_zone: &TimeZone) -> Vec<String> {
    let mut lines = vec![String::new(), "Decisions".to_owned()];
    for decision in &incident.decisions {
        lines.push(format!(
            "  {} {}",
            moment(decision.at, time_zone),
            decision.sentence
        ));
    }
    if incident.decisions.is_empty() {
        lines.push("  none was recorded".to_owned());
    }
    lines.extend([String::new(), "Messages".to_owned()]);
    for message in &incident.messages {
        lines.push(format!("  {}", terminal::message(message, time_zone)));
    }
    if incident.messages.is_empty() {
        lines.push("  none".to_owned());
    }
    for taken in &incident.acknowledgements {
        let comment = if taken.comment.is_empty() { "" } else { ": " };
        lines.push(format!(
            "  {} {} takes care of it{comment}{}",
            moment(taken.at, time_zone),
            taken.person,
            taken.comment
        ));
    }
    lines
}

/// What every rule makes of a journey, its incidents, and what is muted.
async fn of_journey(
    config: &Config,
    influxdb: &InfluxDb,
    what: &str,
    at: Timestamp,
) -> Result<Option<String>, anyhow::Error> {
    let time_zone = &config.style.time_zone;
    let mut lines = vec![
        format!("{what} at {}", moment(at, time_zone)),
        String::new(),
    ];
    let mut is_known = false;
    for rule in &config.rules {
        let rows = match rows(influxdb, rule, at).await {
            Ok(rows) => rows,
            Err(error) => {
                lines.push(format!(
                    "Rule {}: its rows cannot be read: {error}",
                    rule.name
                ));
                continue;
            }
        };
        let mut names: Vec<(&str, &str)> = rows
            .runs
            .iter()
            .map(|run| (run.series.system.as_str(), run.series.journey.as_str()))
            .filter(|name| is_meant(what, *name))
            .collect();
        names.sort_unstable();
        names.dedup();
        is_known |= !names.is_empty();
        if names.is_empty() {
            lines.push(format!("Rule {}: no row about it", rule.name));
        }
        for name in names {
            lines.extend(of_rule(rule, &rows, name, at, time_zone));
        }
    }
    let question = Question::Incidents {
        ended_since: Some(at - RECENT),
    };
    let incidents = incidents(config, question).await?;
    let incidents = incidents.iter().filter(|incident| {
        is_meant(what, (incident.system.as_str(), incident.journey.as_str()))
            && incident.started <= at
    });
    lines.extend([String::new(), "Incidents".to_owned()]);
    let before = lines.len();
    for incident in incidents {
        is_known = true;
        lines.push(format!(
            "  {}",
            terminal::headline(incident, time_zone, Timestamp::now())
        ));
        for decision in &incident.decisions {
            lines.push(format!(
                "    {} {}",
                moment(decision.at, time_zone),
                decision.sentence
            ));
        }
        for message in &incident.messages {
            lines.push(format!("    {}", terminal::message(message, time_zone)));
        }
        lines.push(format!("    {}", incident.id));
    }
    if lines.len() == before {
        lines.push("  none was open then, and none had ended in the day before".to_owned());
    }
    if let Answer::Silences(silences) =
        ask(&config.store, config.policy.clone(), Question::Silences).await?
    {
        lines.extend([String::new(), "Silences".to_owned()]);
        if silences.is_empty() {
            lines.push("  none".to_owned());
        }
        for silence in &silences {
            lines.push(format!("  {}", terminal::silence(silence, time_zone)));
        }
    }
    Ok(is_known.then(|| lines.join("\n")))
}

fn is_meant(what: &str, (system, journey): (&str, &str)) -> bool {
    what == journey || what.split_once('/') == Some((system, journey))
}

/// What a rule read.
struct Rows {
    runs: Vec<Observation>,
    unusable: Option<RowError>,
}

/// The rows that a rule knew at this moment.
async fn rows(influxdb: &InfluxDb, rule: &Rule, at: Timestamp) -> Result<Rows, QueryError> {
    let rows = influxdb
        .query(&Query {
            flux: &rule.flux,
            since: at - rule.memory(),
            until: at + SignedDuration::from_nanos(1),
            now: at,
            window: None,
            texts: &[],
        })
        .await?;
    let mut read = Rows {
        runs: Vec::new(),
        unusable: None,
    };
    for row in &rows {
        match Observation::from_row(row, rule) {
            Ok(run) => read.runs.push(run),
            Err(error) => read.unusable = read.unusable.take().or(Some(error)),
        }
    }
    read.runs.sort_by_key(|run| run.at);
    Ok(read)
}

/// What a rule asks for, the rows that it had, and what it makes of them.
fn of_rule(
    rule: &Rule,
    rows: &Rows,
    (system, journey): (&str, &str),
    at: Timestamp,
    time_zone: &TimeZone,
) -> Vec<String> {
    let mut lines = vec![format!(
        "Rule {} for {system} / {journey}: {}",
        rule.name,
        asks(rule.criteria)
    )];
    let runs: Vec<Observation> = rows
        .runs
        .iter()
        .filter(|run| run.series.system == system && run.series.journey == journey)
        .cloned()
        .collect();
    let hidden = runs.len().saturating_sub(RUNS_SHOWN);
    if hidden > 0 {
        lines.push(format!("  {hidden} earlier rows"));
    }
    for run in &runs[hidden..] {
        let why = match (&run.failure.step, &run.failure.error) {
            (Some(step), Some(error)) => format!("  step {step:?}: {error}"),
            (Some(step), None) => format!("  step {step:?}"),
            (None, Some(error)) => format!("  {error}"),
            (None, None) => String::new(),
        };
        lines.push(format!(
            "  {}  {:<10} from {}{why}",
            moment(run.at, time_zone),
            run.outcome.name(),
            run.series.probe
        ));
    }
    lines.extend(
        rows.unusable
            .iter()
            .map(|error| format!("  some rows cannot be used: {error}")),
    );
    let verdicts = match &rule.silence {
        _ if runs.is_empty() => vec![format!("no row until {}", moment(at, time_zone))],
        Some(silence) => {
            let judged = silence.rows(&rows.runs, at - rule.memory(), at);
            heard(&judged, (system, journey), time_zone)
        }
        None => judged(rule, &runs, time_zone),
    };
    lines.extend(
        verdicts
            .into_iter()
            .map(|verdict| format!("  => {verdict}")),
    );
    lines
}

/// Whether anything is silent, of what was judged by the clock.
fn heard(
    judged: &[Observation],
    (system, journey): (&str, &str),
    time_zone: &TimeZone,
) -> Vec<String> {
    let silent = judged.iter().filter(|row| {
        let is_of_it = row.series.system == system && row.series.journey == journey;
        !row.outcome.is_ok() && (is_of_it || row.series.system == OURS)
    });
    let silent: Vec<String> = silent
        .map(|row| {
            format!(
                "silent since {}, seen from {}",
                moment(row.at, time_zone),
                row.series.probe
            )
        })
        .collect();
    if silent.is_empty() {
        return vec!["heard in time".to_owned()];
    }
    silent
}

/// What the runs mean: of all probes together, or of each by itself.
fn judged(rule: &Rule, runs: &[Observation], time_zone: &TimeZone) -> Vec<String> {
    let mut probes: Vec<&str> = runs.iter().map(|run| run.series.probe.as_str()).collect();
    probes.sort_unstable();
    probes.dedup();
    match rule.criteria.probes {
        Probes::Together(_) => vec![said(&judge(runs, rule.criteria), time_zone)],
        Probes::Each => probes
            .into_iter()
            .map(|probe| {
                let seen = runs.iter().filter(|run| run.series.probe == probe);
                let seen: Vec<Observation> = seen.cloned().collect();
                format!(
                    "from {probe}: {}",
                    said(&judge(&seen, rule.criteria), time_zone)
                )
            })
            .collect(),
    }
}

fn said(verdict: &Verdict<'_>, time_zone: &TimeZone) -> String {
    let moment = |at| moment(at, time_zone);
    match verdict {
        Verdict::Failing { first, newest } => format!(
            "failing: since the run of {} from {}; the newest bad one is that of {}",
            moment(first.at),
            first.series.probe,
            moment(newest.at)
        ),
        Verdict::Local { first, elsewhere } => format!(
            "failing from {} alone, since {}; it works from {}",
            first.series.probe,
            moment(first.at),
            elsewhere.join(", ")
        ),
        Verdict::Well { run } => format!("well: since the run of {}", moment(run.at)),
        Verdict::Undecided => "undecided: neither enough bad runs nor enough good ones".to_owned(),
    }
}

/// What a rule asks for, in words.
fn asks(criteria: Criteria) -> String {
    let mut asks = vec![format!("{} runs must be bad", criteria.fails_after)];
    if let Probes::Together(probes) = criteria.probes {
        asks.push(format!(
            "for {probes} probes, all of them where there are fewer"
        ));
    }
    if !criteria.lasting.is_zero() {
        asks.push(format!("for at least {:?}", criteria.lasting));
    }
    asks.push(match criteria.recovers_after {
        1 => "a good one ends it".to_owned(),
        runs => format!("{runs} good ones in a row end it"),
    });
    asks.join("; ")
}
