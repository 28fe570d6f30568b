//! What people see and steer by commands: a question goes in, an answer comes out.
//!
//! A command asks the program that works with the store, through the socket beside it; where none runs, it opens the store
//! itself ([`ask`]). Both ways the same function answers, and what it answers is what `--json` prints.

pub mod ask;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use vigia_contract::data_model::Impact;

use crate::{
    incident::Form,
    route::{
        matcher::Matcher,
        silence::{Draft, Silence},
    },
    store::{
        StoreError,
        decisions::{Acknowledgement, Case},
        ledger::Ledger,
        outbox::State,
    },
};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Question {
    /// The incidents that are open, and those that ended since this moment.
    Incidents {
        /// Nothing: only the open ones.
        ended_since: Option<Timestamp>,
    },
    /// One incident, open or not.
    Incident {
        /// Its identity.
        id: String,
    },
    /// Somebody takes care of an incident, or of a conversation.
    Acknowledge {
        /// Its identity.
        about: String,
        /// Who.
        person: String,
        /// What they say.
        comment: String,
    },
    /// Something is to be muted.
    Silence(Wish),
    /// What is muted now, or later.
    Silences,
    /// A silence is to end now.
    EndSilence {
        /// Its identity.
        id: String,
    },
}

/// What is to be muted. What is not named is not asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// These impacts, by name.
    pub impact: Option<Vec<String>>,
    /// These systems.
    pub system: Option<Vec<String>>,
    /// These journeys.
    pub journey: Option<Vec<String>>,
    /// Seen from these probes.
    pub probe: Option<Vec<String>>,
    /// Found by these rules.
    pub rule: Option<Vec<String>>,
    /// From when on. Nothing: from now on.
    pub starts: Option<Timestamp>,
    /// For how many seconds.
    pub lasts_s: u64,
    /// Who.
    pub author: String,
    /// Why.
    pub comment: String,
    /// Whether it may mute everything.
    pub everything: bool,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// These incidents, the oldest first.
    Incidents(Vec<Report>),
    /// It is taken care of: the identities of the incidents; none where nothing of this identity is open.
    Acknowledged(Vec<String>),
    /// It is muted.
    Silenced(SilenceReport),
    /// It is not, for these reasons, each with what to do.
    Refused(Vec<(String, String)>),
    /// These silences.
    Silences(Vec<SilenceReport>),
    /// Whether there was one to end.
    Ended(bool),
    /// The store did not answer.
    Failed(String),
}

/// Everything about one incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "named like the fields of an incident, and of what was done about it"
)]
pub struct Report {
    pub id: String,
    pub rule: String,
    pub system: String,
    pub journey: String,
    pub probe: String,
    pub impact: String,
    /// `failing`, `flapping` or `local`.
    pub form: String,
    /// The probes from which it works meanwhile.
    pub elsewhere: Vec<String>,
    pub started: Timestamp,
    pub ended: Option<Timestamp>,
    pub run_id: String,
    pub failed_step: Option<String>,
    pub error_class: Option<String>,
    pub error: Option<String>,
    pub url: Option<String>,
    pub http_status: Option<i64>,
    pub decisions: Vec<DecisionReport>,
    pub messages: Vec<MessageReport>,
    pub acknowledgements: Vec<AcknowledgementReport>,
}

/// Why somebody was told, or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "named like the fields of a decision")]
pub struct DecisionReport {
    pub at: Timestamp,
    pub verdict: String,
    pub channel: Option<String>,
    pub reason: String,
    pub sentence: String,
}

/// How far a message came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "named like the fields of a delivery")]
pub struct MessageReport {
    pub conversation: String,
    pub channel: String,
    pub recipient: String,
    pub kind: String,
    pub state: String,
    pub attempts: usize,
    pub intended: Timestamp,
    pub settled: Option<Timestamp>,
    pub next_attempt: Option<Timestamp>,
    pub answer: Option<String>,
}

/// Who takes care of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "named like the fields of an acknowledgement")]
pub struct AcknowledgementReport {
    pub at: Timestamp,
    pub person: String,
    pub comment: String,
}

/// What is muted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "named like the fields of a silence")]
pub struct SilenceReport {
    pub id: String,
    pub impact: Option<Vec<String>>,
    pub system: Option<Vec<String>>,
    pub journey: Option<Vec<String>>,
    pub probe: Option<Vec<String>>,
    pub rule: Option<Vec<String>>,
    pub starts: Timestamp,
    pub ends: Timestamp,
    pub author: String,
    pub comment: String,
}

/// Answers.
pub async fn answer(ledger: &Ledger, question: Question, now: Timestamp) -> Answer {
    match try_to_answer(ledger, question, now).await {
        Ok(answer) => answer,
        Err(error) => Answer::Failed(error.to_string()),
    }
}

async fn try_to_answer(
    ledger: &Ledger,
    question: Question,
    now: Timestamp,
) -> Result<Answer, StoreError> {
    Ok(match question {
        Question::Incidents { ended_since } => {
            let mut cases = match ended_since {
                Some(since) => ledger.ended_cases(since).await?,
                None => Vec::new(),
            };
            cases.extend(ledger.open_cases().await?);
            Answer::Incidents(cases.iter().map(report).collect())
        }
        Question::Incident { id } => {
            let case = ledger.case(&id).await?;
            Answer::Incidents(case.iter().map(report).collect())
        }
        Question::Acknowledge {
            about,
            person,
            comment,
        } => {
            let acknowledgement = Acknowledgement {
                at: now,
                person,
                comment,
            };
            Answer::Acknowledged(ledger.acknowledge(&about, acknowledgement).await?)
        }
        Question::Silence(wish) => match draft(wish, now) {
            Ok(draft) => match ledger.silence(draft, now).await? {
                Ok(silence) => Answer::Silenced(silence_report(&silence)),
                Err(refusals) => Answer::Refused(
                    refusals
                        .into_iter()
                        .map(|refusal| (refusal.to_string(), refusal.hint().to_owned()))
                        .collect(),
                ),
            },
            Err(refusal) => Answer::Refused(vec![refusal]),
        },
        Question::Silences => {
            let silences = ledger.silences(now).await?;
            Answer::Silences(silences.iter().map(silence_report).collect())
        }
        Question::EndSilence { id } => Answer::Ended(ledger.end_silence(&id, now).await?),
    })
}

fn draft(wish: Wish, now: Timestamp) -> Result<Draft, (String, String)> {
    let known = |name: String| {
        Impact::from_name(&name).ok_or_else(|| {
            (
                format!("there is no impact `{name}`"),
                "write critical, high or low".to_owned(),
            )
        })
    };
    let impact = match wish.impact {
        Some(names) => Some(names.into_iter().map(known).collect::<Result<_, _>>()?),
        None => None,
    };
    let starts = wish.starts.unwrap_or(now);
    let lasts = SignedDuration::try_from(Duration::from_secs(wish.lasts_s)).ok();
    let ends = lasts.and_then(|lasts| starts.checked_add(lasts).ok());
    Ok(Draft {
        matcher: Matcher {
            impact,
            system: wish.system,
            journey: wish.journey,
            probe: wish.probe,
            rule: wish.rule,
        },
        starts,
        ends: ends.unwrap_or(Timestamp::MAX),
        author: wish.author,
        comment: wish.comment,
        may_mute_everything: wish.everything,
    })
}

fn report(case: &Case) -> Report {
    let incident = &case.incident;
    let (form, elsewhere) = match &incident.form {
        Form::Failing => ("failing", Vec::new()),
        Form::Flapping => ("flapping", Vec::new()),
        Form::Local(elsewhere) => ("local", elsewhere.clone()),
    };
    Report {
        id: incident.id.clone(),
        rule: incident.rule.clone(),
        system: incident.series.system.clone(),
        journey: incident.series.journey.clone(),
        probe: incident.series.probe.clone(),
        impact: incident.impact.to_string(),
        form: form.to_owned(),
        elsewhere,
        started: incident.started_at,
        ended: incident.end.as_ref().map(|end| end.at),
        run_id: incident.run_id.clone(),
        failed_step: incident.failure.step.clone(),
        error_class: incident.failure.class.clone(),
        error: incident.failure.error.clone(),
        url: incident.failure.url.clone(),
        http_status: incident.failure.http_status,
        decisions: case
            .decisions
            .iter()
            .map(|decision| DecisionReport {
                at: decision.at,
                verdict: decision.verdict.name().to_owned(),
                channel: decision.channel.clone(),
                reason: decision.reason.clone(),
                sentence: decision.sentence.clone(),
            })
            .collect(),
        messages: case
            .deliveries
            .iter()
            .map(|sent| MessageReport {
                conversation: sent.conversation.clone(),
                channel: sent.channel.clone(),
                recipient: sent.recipient.clone(),
                kind: sent.kind.name().to_owned(),
                state: sent.state.name().to_owned(),
                attempts: sent.attempts,
                intended: sent.intended_at,
                settled: sent.settled_at,
                next_attempt: (sent.state == State::Pending).then_some(sent.next_attempt),
                answer: sent.answer.clone(),
            })
            .collect(),
        acknowledgements: case
            .acknowledgements
            .iter()
            .map(|acknowledgement| AcknowledgementReport {
                at: acknowledgement.at,
                person: acknowledgement.person.clone(),
                comment: acknowledgement.comment.clone(),
            })
            .collect(),
    }
}

fn silence_report(silence: &Silence) -> SilenceReport {
    let matcher = &silence.matcher;
    let impacts = matcher.impact.as_ref();
    SilenceReport {
        id: silence.id.clone(),
        impact: impacts.map(|impacts| impacts.iter().map(ToString::to_string).collect()),
        system: matcher.system.clone(),
        journey: matcher.journey.clone(),
        probe: matcher.probe.clone(),
        rule: matcher.rule.clone(),
        starts: silence.starts,
        ends: silence.ends,
        author: silence.author.clone(),
        comment: silence.comment.clone(),
    }
}
