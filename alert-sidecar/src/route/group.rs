//! Which incidents are told in one message, and when it goes. Pure.

use jiff::{SignedDuration, Timestamp};
use vigia_contract::data_model::Impact;

use serde::{Deserialize, Deserializer, de::Error};

use super::matcher::Labels;
use crate::flux::observation::OURS;

/// The table `[grouping]`, as the operator writes it. `"0s"` is none.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What incidents must have in common to be told together, beside the channel and the impact: `system`, `journey`, `probe`,
    /// `rule`. Default: nothing.
    #[serde(default)]
    pub by: Vec<Label>,
    /// How long the first message waits for others, at most `5s`. Default `1s`.
    #[serde(default, deserialize_with = "moment")]
    pub wait: Option<SignedDuration>,
    /// How long after its beginning others may join a conversation. Default `5m`; `0s` tells each by itself.
    #[serde(default, deserialize_with = "duration")]
    pub join: Option<SignedDuration>,
    /// How long after its last message a conversation is silent about those who come and go; where they are critical, for ten
    /// seconds at most. Default `30s`.
    #[serde(default, deserialize_with = "duration")]
    pub again: Option<SignedDuration>,
    /// How long after a cause is over what followed from it may go on failing before that is told. Default `2m`.
    #[serde(default, deserialize_with = "duration")]
    pub after_cause: Option<SignedDuration>,
}

/// Longer than nothing, or nothing.
fn duration<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SignedDuration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text == "0s" {
        return Ok(Some(SignedDuration::ZERO));
    }
    let read = vigia_contract::duration::parse(&text).map_err(D::Error::custom)?;
    SignedDuration::try_from(read)
        .map(Some)
        .map_err(D::Error::custom)
}

fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SignedDuration>, D::Error> {
    let wait = duration(deserializer)?;
    if wait > Some(SignedDuration::from_secs(5)) {
        return Err(D::Error::custom(
            "nobody would be told in time\nhint: write at most \"5s\"; who fails later joins the conversation",
        ));
    }
    Ok(wait)
}

impl From<Settings> for Grouping {
    fn from(settings: Settings) -> Self {
        let shipped = Self::default();
        Self {
            by: settings.by,
            wait: settings.wait.unwrap_or(shipped.wait),
            join: settings.join.unwrap_or(shipped.join),
            again: settings.again.unwrap_or(shipped.again),
            after_cause: settings.after_cause.unwrap_or(shipped.after_cause),
        }
    }
}

/// What incidents must have in common to be told together, beside the channel and the impact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Label {
    /// The system.
    System,
    /// The journey.
    Journey,
    /// The probe.
    Probe,
    /// The rule.
    Rule,
}

/// How incidents are put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grouping {
    /// What they must have in common.
    pub by: Vec<Label>,
    /// How long the first message waits for others.
    pub wait: SignedDuration,
    /// How long after its beginning others may join a conversation.
    pub join: SignedDuration,
    /// How long after its last message a conversation is silent about those who come and go.
    pub again: SignedDuration,
    /// How long after a cause is over what followed from it may still fail without a word.
    pub after_cause: SignedDuration,
}

impl Grouping {
    /// Each incident is told by itself, at once.
    pub const EACH_ALONE: Self = Self {
        by: Vec::new(),
        wait: SignedDuration::ZERO,
        join: SignedDuration::ZERO,
        again: SignedDuration::ZERO,
        after_cause: SignedDuration::ZERO,
    };

    /// What this incident has in common with those that it is told together with.
    #[must_use]
    pub fn common(&self, labels: Labels<'_>) -> String {
        let ours = (labels.system == OURS).then_some(OURS);
        let named = self.by.iter().map(|label| match label {
            Label::System => labels.system,
            Label::Journey => labels.journey,
            Label::Probe => labels.probe,
            Label::Rule => labels.rule,
        });
        [labels.impact.name()]
            .into_iter()
            .chain(ours)
            .chain(named)
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Whether a conversation that began then takes in another incident now.
    #[must_use]
    pub fn is_joined(&self, began: Timestamp, now: Timestamp) -> bool {
        // A clock that was set back must not end that.
        now.duration_since(began) < self.join
    }

    /// When it is told that another one joined, where the conversation's newest message is of then.
    #[must_use]
    pub fn told_of_joining(&self, impact: Impact, told: Timestamp, now: Timestamp) -> Timestamp {
        let silent_for = match impact {
            Impact::Critical => self.again.min(CRITICAL_AGAIN),
            Impact::High | Impact::Low => self.again,
        };
        (told + silent_for).max(now + self.wait)
    }
}

/// More critical systems that fail are told of this soon after the message before.
const CRITICAL_AGAIN: SignedDuration = SignedDuration::from_secs(10);

impl Default for Grouping {
    fn default() -> Self {
        Self {
            by: Vec::new(),
            wait: SignedDuration::from_secs(1),
            join: SignedDuration::from_mins(5),
            again: SignedDuration::from_secs(30),
            after_cause: SignedDuration::from_mins(2),
        }
    }
}
