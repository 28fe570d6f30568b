//! A channel that brings nothing to somebody is an incident of its own, of the system that Vigía itself is: it is told through
//! the other channels. Pure: what came of each message goes in, changes come out.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use vigia_contract::data_model::{Impact, Outcome};

use super::{Change, End, Form, Incident};
use crate::flux::{
    Observation, Series, Trouble,
    observation::{Failure, OURS},
};

/// The rule whose incidents these are. No rule of an operator's has this name: it is refused.
pub const RULE: &str = "delivering";

/// A channel that fails for no longer than this is only tried again.
const SILENT_FOR: SignedDuration = SignedDuration::from_mins(10);

/// What came of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate<'a> {
    /// It was accepted.
    Accepted,
    /// It was refused for good, for this reason.
    Refused(&'a str),
    /// It did not arrive, or nobody knows, for this reason.
    Failed(&'a str),
}

/// How one channel stands with each of those whom it brings messages to.
#[derive(Clone, Debug)]
pub struct Standing {
    channel: String,
    /// By the recipient: since when every message failed.
    failing: BTreeMap<String, Timestamp>,
    /// By the recipient.
    open: BTreeMap<String, Incident>,
}

impl Standing {
    /// Nothing was sent yet; `open` is what an earlier process left open, of whatever channel.
    #[must_use]
    pub fn new(channel: &str, open: Vec<Incident>) -> Self {
        let mine = open
            .into_iter()
            .filter(|incident| incident.series.journey == channel);
        Self {
            channel: channel.to_owned(),
            failing: BTreeMap::new(),
            open: mine
                .map(|incident| (incident.series.probe.clone(), incident))
                .collect(),
        }
    }

    /// What follows from what came of a message to somebody.
    pub fn hear(&mut self, recipient: &str, fate: Fate<'_>, now: Timestamp) -> Option<Change> {
        let reason = match fate {
            Fate::Accepted => {
                self.failing.remove(recipient);
                let mut incident = self.open.remove(recipient)?;
                incident.end = Some(End {
                    at: now,
                    run_id: now.to_string(),
                });
                return Some(Change::Closed(incident));
            }
            Fate::Refused(reason) | Fate::Failed(reason) => reason,
        };
        let since = *self.failing.entry(recipient.to_owned()).or_insert(now);
        let is_for_good = matches!(fate, Fate::Refused(_));
        let is_long = now.duration_since(since) >= SILENT_FOR;
        if self.open.contains_key(recipient) || !(is_for_good || is_long) {
            return None;
        }
        let incident = opened(&self.channel, recipient, reason, since);
        self.open.insert(recipient.to_owned(), incident.clone());
        Some(Change::Opened(incident))
    }
}

fn opened(channel: &str, recipient: &str, reason: &str, since: Timestamp) -> Incident {
    let first = Observation {
        series: Series {
            system: OURS.to_owned(),
            journey: channel.to_owned(),
            probe: recipient.to_owned(),
        },
        at: since,
        impact: Impact::High,
        outcome: Outcome::Failed,
        run_id: since.to_string(),
        failure: Failure {
            class: Some(Trouble::Undelivered.name().to_owned()),
            error: Some(reason.to_owned()),
            ..Failure::default()
        },
        every: None,
    };
    Incident::open(RULE, &first, Form::Failing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)
    }

    #[test]
    fn a_refusal_is_told_at_once_and_its_end_when_a_message_arrives() {
        let mut standing = Standing::new("chat", Vec::new());
        let Some(Change::Opened(opened)) =
            standing.hear("a", Fate::Refused("token_revoked"), at(0))
        else {
            panic!("nothing was told");
        };
        assert_eq!(opened.failure.error.as_deref(), Some("token_revoked"));
        assert_eq!(standing.hear("a", Fate::Refused("again"), at(1)), None);
        assert_eq!(standing.hear("b", Fate::Accepted, at(1)), None);

        // Another process goes on with it.
        let mut standing = Standing::new("chat", vec![opened.clone()]);
        assert_eq!(standing.hear("a", Fate::Refused("again"), at(2)), None);
        let Some(Change::Closed(closed)) = standing.hear("a", Fate::Accepted, at(3)) else {
            panic!("its end was not told");
        };
        assert_eq!(
            (closed.id, closed.end.map(|end| end.at)),
            (opened.id, Some(at(3)))
        );
    }

    #[test]
    fn who_fails_is_told_of_when_it_lasts() {
        let mut standing = Standing::new("chat", Vec::new());
        for minute in 0..10 {
            assert_eq!(standing.hear("a", Fate::Failed("503"), at(minute)), None);
        }
        assert_eq!(standing.hear("a", Fate::Accepted, at(9)), None);
        assert_eq!(standing.hear("a", Fate::Failed("503"), at(10)), None);
        let told = standing.hear("a", Fate::Failed("503"), at(20));
        assert!(matches!(told, Some(Change::Opened(incident)) if incident.started_at == at(10)));
    }
}
