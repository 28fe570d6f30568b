//! `vigia-alert backtest`: what these rules and routes would have sent, counted, and the difference to another configuration.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Value as Json, json};
use vigia_contract::data_model::Impact;

use super::{
    Exit,
    check::say,
    steer::print,
    terminal::{duration, moment},
};
use crate::{
    backtest::{
        self, Trial,
        tally::{Cell, Measured, Tally},
    },
    config::{self, Config},
    flux::InfluxDb,
};

/// What is over so soon that nothing needs to be said before.
const LONG: SignedDuration = SignedDuration::from_hours(24);

/// How many of the noisiest journeys are shown.
const NOISIEST: usize = 10;

/// `backtest`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: super::ConfigArgument,
    /// How far back, for example `30d` or `12h`.
    #[arg(long, value_parser = vigia_contract::duration::parse, default_value = "30d", value_name = "TIME")]
    since: Duration,
    /// Another configuration, to be held against this one on the same data.
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// A rule that is left out, by its name; may be given again for others.
    #[arg(long, value_name = "RULE")]
    without: Vec<String>,
    /// Prints JSON, for programs.
    #[arg(long)]
    json: bool,
}

pub(super) fn backtest(arguments: &Arguments) -> Exit {
    let paths: Vec<&Path> = [Some(&arguments.config.config), arguments.against.as_ref()]
        .into_iter()
        .flatten()
        .map(PathBuf::as_path)
        .collect();
    let mut configs = Vec::new();
    for path in &paths {
        match config::read(path) {
            Ok(config) => configs.push(config),
            Err(mistakes) => {
                say(&mistakes.to_string());
                return Exit::Configuration;
            }
        }
    }
    if let Err(unknown) = leave_out(&mut configs, &arguments.without) {
        say(&unknown);
        return Exit::Refused;
    }
    let began = Instant::now();
    let until = Timestamp::now();
    let since = until - arguments.since;
    say_what_takes_long(&configs, since, until);
    match run(&configs, since, until) {
        Ok((measured, tallies)) => {
            let shown = Shown {
                since,
                until,
                time_zone: &configs[0].style.time_zone,
                measured: &measured,
                tallies: &tallies,
                left_out: &arguments.without,
                took: began.elapsed(),
            };
            if arguments.json {
                print(&format!("{:#}", shown.json()));
            } else {
                print(&shown.text(&paths));
            }
            Exit::Success
        }
        Err(error) => {
            say(&format!("{error:#}"));
            Exit::Failure
        }
    }
}

/// Takes rules out of every configuration that has them.
fn leave_out(configs: &mut [Config], without: &[String]) -> Result<(), String> {
    for name in without {
        let mut rules = configs.iter().flat_map(|config| &config.rules);
        if !rules.any(|rule| rule.name == *name) {
            let known: BTreeSet<&str> = configs
                .iter()
                .flat_map(|config| config.rules.iter().map(|rule| rule.name.as_str()))
                .collect();
            let known: Vec<&str> = known.into_iter().collect();
            return Err(format!(
                "no rule has the name `{name}`, so it cannot be left out\nhint: write one of {}",
                known.join(", ")
            ));
        }
    }
    for config in configs {
        config.rules.retain(|rule| !without.contains(&rule.name));
    }
    Ok(())
}

/// Before it begins: nobody who waits for minutes should have to guess for what.
fn say_what_takes_long(configs: &[Config], since: Timestamp, until: Timestamp) {
    let costs: BTreeSet<(String, String)> = configs
        .iter()
        .flat_map(|config| backtest::costs(&config.rules, since, until))
        .collect();
    if until.duration_since(since) < LONG || costs.is_empty() {
        return;
    }
    say("these rules take longer than others; `--without` leaves one out");
    for (rule, cost) in costs {
        say(&format!("  {rule}: {cost}"));
    }
}

fn run(
    configs: &[Config],
    since: Timestamp,
    until: Timestamp,
) -> Result<(Measured, Vec<Tally>), anyhow::Error> {
    let influxdb = InfluxDb::new(&configs[0].influxdb, &configs[0].influxdb_token)?;
    let trials = configs.iter().map(|config| Trial {
        rules: config.rules.clone(),
        policy: config.policy.clone(),
    });
    let trials = trials.collect();
    let outcome =
        super::runtime()?.block_on(backtest::run(Arc::new(influxdb), trials, since, until));
    Ok(outcome?)
}

/// What is shown of a backtest.
struct Shown<'a> {
    since: Timestamp,
    until: Timestamp,
    time_zone: &'a TimeZone,
    measured: &'a Measured,
    /// One, or two to be compared.
    tallies: &'a [Tally],
    left_out: &'a [String],
    took: Duration,
}

impl Shown<'_> {
    fn text(&self, paths: &[&Path]) -> String {
        let mut lines = vec![format!(
            "{} to {}: {} runs of {} journeys seen by {} probes, and {} answers about what else is measured, judged in {:.1} s",
            moment(self.since, self.time_zone),
            moment(self.until, self.time_zone),
            self.measured.runs,
            self.journeys(),
            self.probes(),
            self.measured.answers,
            self.took.as_secs_f64()
        )];
        if !self.left_out.is_empty() {
            lines.push(format!("Left out: {}", self.left_out.join(", ")));
        }
        for (path, tally) in paths.iter().zip(self.tallies) {
            if self.tallies.len() > 1 {
                lines.extend([String::new(), format!("== {}", path.display())]);
            }
            self.one(&mut lines, tally);
        }
        if let [these, others] = self.tallies {
            self.difference(&mut lines, these, others);
        }
        lines.join("\n")
    }

    fn journeys(&self) -> usize {
        let series = self.measured.series.iter();
        series
            .map(|series| (&series.system, &series.journey))
            .collect::<BTreeSet<_>>()
            .len()
    }

    fn probes(&self) -> usize {
        let series = self.measured.series.iter();
        series
            .map(|series| &series.probe)
            .collect::<BTreeSet<_>>()
            .len()
    }

    fn one(&self, lines: &mut Vec<String>, tally: &Tally) {
        lines.extend([String::new(), "Incidents".to_owned()]);
        for (rule, incidents) in &tally.incidents {
            let lasted = &incidents.lasted;
            let lasting = match (lasted.get(lasted.len() / 2), lasted.last()) {
                (Some(median), Some(longest)) => format!(
                    ", median {}, longest {}",
                    duration(*median),
                    duration(*longest)
                ),
                _ => String::new(),
            };
            let open = incidents.opened.saturating_sub(lasted.len());
            lines.push(format!(
                "  {rule}: {} ({open} still open){lasting}",
                incidents.opened
            ));
        }
        if tally.untold > 0 {
            lines.push(format!(
                "  of {} of them nobody would have been told",
                tally.untold
            ));
        }
        self.days(lines, tally);
        let noisiest = tally.noisiest(NOISIEST);
        if !noisiest.is_empty() {
            lines.extend([String::new(), "Most messages".to_owned()]);
            for (system, journey, count) in noisiest {
                lines.push(format!("{count:>7}  {system} / {journey}"));
            }
        }
        if !tally.incomplete.is_empty() {
            let head = "Not everything that these rules would have sent is in the figures above";
            lines.extend([String::new(), head.to_owned()]);
            for rule in &tally.incomplete {
                lines.push(format!("  {}: {}", rule.rule, rule.why));
            }
        }
    }

    /// A line a day, a column for each channel and impact that has any message.
    fn days(&self, lines: &mut Vec<String>, tally: &Tally) {
        let cells = tally.cells(self.time_zone);
        let columns: BTreeSet<(&str, Impact)> = cells
            .keys()
            .map(|cell| (cell.channel, cell.impact))
            .collect();
        lines.extend([String::new(), "Messages".to_owned()]);
        if columns.is_empty() {
            lines.push("  none".to_owned());
            return;
        }
        let titles: Vec<String> = columns
            .iter()
            .map(|(channel, impact)| format!("{channel} {impact}"))
            .collect();
        let row = |first: &str, values: Vec<String>| {
            let padded = titles.iter().zip(values);
            let padded = padded.map(|(title, value)| {
                let width = title.chars().count().max(6);
                format!("  {value:>width$}")
            });
            format!("  {first:<10}{}", padded.collect::<String>())
        };
        lines.push(row("day", titles.clone()));
        let first = self.since.to_zoned(self.time_zone.clone()).date();
        let last = self.until.to_zoned(self.time_zone.clone()).date();
        let days = first
            .series(jiff::Span::new().days(1))
            .take_while(|day| *day <= last);
        let mut totals = vec![0; columns.len()];
        for day in days {
            let counts = columns.iter().map(|(channel, impact)| {
                let cell = Cell {
                    day,
                    channel,
                    impact: *impact,
                };
                cells.get(&cell).copied().unwrap_or(0)
            });
            let counts: Vec<usize> = counts.collect();
            for (total, count) in totals.iter_mut().zip(&counts) {
                *total += count;
            }
            let counts = counts.iter().map(ToString::to_string).collect();
            lines.push(row(&day.to_string(), counts));
        }
        let totals = totals.iter().map(ToString::to_string).collect();
        lines.push(row("total", totals));
    }

    /// What the first would have sent beside the second, in all.
    fn difference(&self, lines: &mut Vec<String>, these: &Tally, others: &Tally) {
        let head =
            "Difference: messages of the first, of the second, and how many more the first sends";
        lines.extend([String::new(), head.to_owned()]);
        let (these, others) = (self.totals(these), self.totals(others));
        let keys: BTreeSet<_> = these.keys().chain(others.keys()).collect();
        for key in keys {
            let count = |totals: &Totals| totals.get(key).copied().unwrap_or(0);
            let (one, other) = (count(&these), count(&others));
            let (channel, impact) = key;
            lines.push(format!(
                "  {channel} {impact}: {one}, {other}, {:+}",
                one - other
            ));
        }
    }

    fn totals(&self, tally: &Tally) -> Totals {
        let mut totals = Totals::new();
        for (cell, count) in tally.cells(self.time_zone) {
            let key = (cell.channel.to_owned(), cell.impact);
            *totals.entry(key).or_insert(0) += i64::try_from(count).unwrap_or(i64::MAX);
        }
        totals
    }

    fn json(&self) -> Json {
        let tallies = self.tallies.iter().map(|tally| {
            let incidents = tally.incidents.iter().map(|(rule, incidents)| {
                let lasted: Vec<f64> = incidents.lasted.iter().map(SignedDuration::as_secs_f64).collect();
                json!({"rule": rule, "opened": incidents.opened, "lasted_s": lasted})
            });
            let messages = tally.cells(self.time_zone).into_iter().map(|(cell, count)| {
                json!({"day": cell.day, "channel": cell.channel, "impact": cell.impact.name(), "messages": count})
            });
            let noisiest = tally.noisiest(NOISIEST).into_iter().map(|(system, journey, count)| {
                json!({"system": system, "journey": journey, "messages": count})
            });
            json!({
                "incidents": incidents.collect::<Vec<_>>(),
                "untold": tally.untold,
                "messages": messages.collect::<Vec<_>>(),
                "noisiest": noisiest.collect::<Vec<_>>(),
                "incomplete": tally.incomplete,
            })
        });
        json!({
            "since": self.since,
            "until": self.until,
            "runs": self.measured.runs,
            "journeys": self.journeys(),
            "probes": self.probes(),
            "answers": self.measured.answers,
            "left_out": self.left_out,
            "took_s": self.took.as_secs_f64(),
            "configurations": tallies.collect::<Vec<_>>(),
        })
    }
}

type Totals = std::collections::BTreeMap<(String, Impact), i64>;
