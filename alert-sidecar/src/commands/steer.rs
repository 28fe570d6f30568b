//! `vigia-alert incidents`, `ack` and `silence`: what a person sees and steers from a terminal.

use std::{io::Write, path::Path, time::Duration};

use jiff::{Timestamp, tz::TimeZone};

use super::{Exit, check::say, terminal};
use crate::{
    config::{self, Config},
    control::{
        Answer, Question, Wish,
        ask::{AskError, ask},
    },
};

/// `incidents`.
#[derive(Debug, clap::Args)]
pub(super) struct Incidents {
    #[command(flatten)]
    config: super::ConfigArgument,
    /// Those that ended within this time, too, for example `24h` or `7d`.
    #[arg(long, value_parser = vigia_contract::duration::parse, value_name = "TIME")]
    ended: Option<Duration>,
    /// Prints JSON, for programs.
    #[arg(long)]
    json: bool,
}

/// `ack`.
#[derive(Debug, clap::Args)]
pub(super) struct Acknowledge {
    /// The incident's identity, as `incidents` shows it; or that of a conversation.
    incident: String,
    /// Who takes care of it. By default the user who types this.
    #[arg(long, value_name = "NAME", default_value_t = whoever_types())]
    by: String,
    /// What they say.
    #[arg(long, default_value = "")]
    comment: String,
    #[command(flatten)]
    config: super::ConfigArgument,
    /// Prints JSON, for programs.
    #[arg(long)]
    json: bool,
}

/// `silence`.
#[derive(Debug, clap::Args)]
pub(super) struct Silence {
    #[command(subcommand)]
    action: SilenceAction,
}

#[derive(Debug, clap::Subcommand)]
enum SilenceAction {
    /// Mutes what is named, for a while.
    Add(Add),
    /// Shows what is muted, now or later.
    List(List),
    /// Ends a silence now.
    Expire(Expire),
}

#[derive(Debug, clap::Args)]
struct Add {
    /// This system; may be given more than once, and `*` stands for any letters.
    #[arg(long)]
    system: Vec<String>,
    /// This journey.
    #[arg(long)]
    journey: Vec<String>,
    /// Seen from this probe.
    #[arg(long)]
    probe: Vec<String>,
    /// Found by this rule.
    #[arg(long)]
    rule: Vec<String>,
    /// Of this impact: critical, high or low.
    #[arg(long)]
    impact: Vec<String>,
    /// For how long, for example `2h`; at most 30 days.
    #[arg(long = "for", value_parser = vigia_contract::duration::parse, value_name = "TIME")]
    lasts: Duration,
    /// From when on, for example `2026-11-28T22:00:00-03:00`. By default from now on.
    #[arg(long, value_name = "TIME")]
    starts: Option<Timestamp>,
    /// Why: whoever wonders why nobody was told reads it.
    #[arg(long)]
    comment: String,
    /// Who mutes. By default the user who types this.
    #[arg(long, value_name = "NAME", default_value_t = whoever_types())]
    by: String,
    /// It may mute everything, or every critical system; for four hours at most.
    #[arg(long)]
    everything: bool,
    #[command(flatten)]
    config: super::ConfigArgument,
    /// Prints JSON, for programs.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    config: super::ConfigArgument,
    /// Prints JSON, for programs.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Expire {
    /// The silence's identity, as `silence list` shows it.
    silence: String,
    #[command(flatten)]
    config: super::ConfigArgument,
    /// Prints JSON, for programs.
    #[arg(long)]
    json: bool,
}

pub(super) fn incidents(arguments: &Incidents) -> Exit {
    let now = Timestamp::now();
    let question = Question::Incidents {
        ended_since: arguments.ended.map(|ended| now - ended),
    };
    put(&arguments.config.config, question, arguments.json)
}

pub(super) fn acknowledge(arguments: Acknowledge) -> Exit {
    if arguments.by.is_empty() {
        say("nobody says who takes care of it\nhint: add --by NAME");
        return Exit::Refused;
    }
    let question = Question::Acknowledge {
        about: arguments.incident,
        person: arguments.by,
        comment: arguments.comment,
    };
    put(&arguments.config.config, question, arguments.json)
}

pub(super) fn silence(arguments: Silence) -> Exit {
    match arguments.action {
        SilenceAction::Add(add) => {
            let some = |names: Vec<String>| (!names.is_empty()).then_some(names);
            let question = Question::Silence(Wish {
                impact: some(add.impact),
                system: some(add.system),
                journey: some(add.journey),
                probe: some(add.probe),
                rule: some(add.rule),
                starts: add.starts,
                lasts_s: add.lasts.as_secs(),
                author: add.by,
                comment: add.comment,
                everything: add.everything,
            });
            put(&add.config.config, question, add.json)
        }
        SilenceAction::List(list) => put(&list.config.config, Question::Silences, list.json),
        SilenceAction::Expire(expire) => {
            let question = Question::EndSilence { id: expire.silence };
            put(&expire.config.config, question, expire.json)
        }
    }
}

/// The user who types this, also through sudo; nobody where no variable says so, which is refused.
fn whoever_types() -> String {
    let names = ["SUDO_USER", "USER", "LOGNAME"].into_iter();
    names
        .filter_map(|name| std::env::var(name).ok())
        .find(|name| !name.is_empty())
        .unwrap_or_default()
}

/// Puts a question, and prints what is answered.
fn put(path: &Path, question: Question, is_json: bool) -> Exit {
    let config = match config::read(path) {
        Ok(config) => config,
        Err(mistakes) => {
            say(&mistakes.to_string());
            return Exit::Configuration;
        }
    };
    let time_zone = config.style.time_zone.clone();
    let answer = match answer_of(&config, question) {
        Ok(answer) => answer,
        Err(error) => {
            say(&error.to_string());
            return match error {
                AskError::Open(_) | AskError::Store(_) => Exit::Store,
                AskError::Program(_) | AskError::Socket(..) => Exit::Failure,
            };
        }
    };
    let exit = match &answer {
        Answer::Failed(error) => {
            say(&format!("the store did not answer: {error}"));
            return Exit::Store;
        }
        Answer::Refused(_) | Answer::Ended(false) => Exit::Refused,
        Answer::Acknowledged(incidents) if incidents.is_empty() => Exit::Refused,
        _ => Exit::Success,
    };
    let text = if is_json {
        match serde_json::to_string_pretty(&answer) {
            Ok(text) => text,
            Err(error) => {
                say(&format!("the answer could not be written: {error}"));
                return Exit::Failure;
            }
        }
    } else {
        told(&answer, &time_zone)
    };
    print(&text);
    exit
}

fn answer_of(config: &Config, question: Question) -> Result<Answer, AskError> {
    let failed = |error: anyhow::Error| AskError::Program(format!("{error:#}"));
    let runtime = super::runtime().map_err(|error| failed(error.into()))?;
    runtime.block_on(ask(&config.store, config.policy.clone(), question))
}

/// What is asked for goes to stdout, where a program may read it.
pub(super) fn print(text: &str) {
    drop(writeln!(std::io::stdout(), "{}", text.trim_end()));
}

fn told(answer: &Answer, time_zone: &TimeZone) -> String {
    match answer {
        Answer::Incidents(incidents) if incidents.is_empty() => "no incident is open".to_owned(),
        Answer::Incidents(incidents) => {
            let incidents = incidents.iter();
            let texts: Vec<_> = incidents
                .map(|incident| terminal::brief(incident, time_zone, Timestamp::now()))
                .collect();
            texts.join("\n")
        }
        Answer::Acknowledged(incidents) if incidents.is_empty() => {
            "nothing of this identity is open\nhint: `vigia-alert incidents` shows what is".to_owned()
        }
        Answer::Acknowledged(incidents) => format!("taken care of: {}", incidents.join(", ")),
        Answer::Silenced(silence) => format!("silenced: {}", terminal::silence(silence, time_zone)),
        Answer::Refused(reasons) => {
            let reasons = reasons.iter();
            let lines: Vec<_> = reasons
                .map(|(what, hint)| format!("nothing was silenced: {what}\nhint: {hint}"))
                .collect();
            lines.join("\n")
        }
        Answer::Silences(silences) if silences.is_empty() => "nothing is silenced".to_owned(),
        Answer::Silences(silences) => {
            let silences = silences.iter();
            let lines: Vec<_> = silences
                .map(|silence| terminal::silence(silence, time_zone))
                .collect();
            lines.join("\n")
        }
        Answer::Ended(true) => "the silence is over".to_owned(),
        Answer::Ended(false) => {
            "there is no silence of this identity\nhint: `vigia-alert silence list` shows those that there are".to_owned()
        }
        Answer::Failed(error) => error.clone(),
    }
}
