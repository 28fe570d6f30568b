//! `vigia-alert check`: every mistake of a configuration at once; where InfluxDB can be reached, it tries the rules, too.

use std::{io::Write, path::Path};

use jiff::Timestamp;

use super::Exit;
use crate::{
    config::{self, Config},
    deliver::Pictures,
    flux::{InfluxDb, QueryError, client::Query},
};

pub(super) fn check(path: &Path) -> Exit {
    let config = match config::read(path) {
        Ok(config) => config,
        Err(mistakes) => {
            say(&mistakes.to_string());
            return Exit::Configuration;
        }
    };
    let (rules, channels, routes) = (
        config.rules.len(),
        config.channels.len(),
        config.policy.routes.len(),
    );
    for name in without_pictures(&config) {
        say(&format!(
            "the channel `{name}` shows no pictures: its service fetches them, and there is no page that it could fetch them from\n\
             hint: give [page] a url with https:// that the service can reach, and a link_key; docs/channels.md says more"
        ));
    }
    match tried(&config) {
        Ok(Trial::Understood) => {}
        Ok(Trial::Unreachable(error)) => {
            say(&format!("the rules were not tried: {error}"));
        }
        Ok(Trial::Refused(refusals)) => {
            for refusal in refusals {
                say(&format!("{}: {refusal}", path.display()));
            }
            return Exit::Configuration;
        }
        Err(error) => {
            say(&format!("{error:#}"));
            return Exit::Failure;
        }
    }
    say(&format!(
        "{}: good (rules: {rules}, channels: {channels}, routes: {routes})",
        path.display()
    ));
    Exit::Success
}

/// The channels whose services fetch pictures, and have nowhere to.
fn without_pictures(config: &Config) -> impl Iterator<Item = &str> {
    let has_page = config.style.links_pictures();
    config
        .channels
        .iter()
        .filter(move |(_, paced)| {
            !has_page && paced.channel.abilities().pictures == Pictures::Linked
        })
        .map(|(name, _)| name.as_str())
}

/// What InfluxDB makes of the rules.
enum Trial {
    Understood,
    Unreachable(QueryError),
    /// Each with what to do.
    Refused(Vec<String>),
}

fn tried(config: &Config) -> Result<Trial, anyhow::Error> {
    let influxdb = InfluxDb::new(&config.influxdb, &config.influxdb_token)?;
    super::runtime()?.block_on(async {
        let now = Timestamp::now();
        match influxdb.answers(now).await {
            Ok(()) => {}
            Err(error @ QueryError::Refused { .. }) => {
                let hint = "hint: look at organization, bucket and token under [influxdb]";
                return Ok(Trial::Refused(vec![format!("{error}\n{hint}")]));
            }
            Err(error) => return Ok(Trial::Unreachable(error)),
        }
        let mut refusals = Vec::new();
        for rule in &config.rules {
            let query = Query {
                flux: &rule.flux,
                // As far back as a poll asks: some queries take whole minutes.
                since: now - rule.overlap,
                until: now,
                now,
                window: None,
                texts: &[],
            };
            match influxdb.query(&query).await {
                Ok(_) => {}
                Err(error @ (QueryError::Unreachable(_) | QueryError::TooSlow)) => {
                    return Ok(Trial::Unreachable(error));
                }
                Err(error) => refusals.push(format!(
                    "the rule `{}` cannot be asked: {error}\nhint: try the query in InfluxDB's data explorer",
                    rule.name
                )),
            }
        }
        Ok(if refusals.is_empty() {
            Trial::Understood
        } else {
            Trial::Refused(refusals)
        })
    })
}

/// The answer goes to stderr, as every word of this program does; where nobody reads it, the exit code still says it.
pub(super) fn say(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}
