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
    /// How long after its first message a conversation is silent about those who come and go; where critical ones come, for ten
    /// seconds at most. Each update doubles that, up to eight times as long. Default `30s`.
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
    /// How long after its first message a conversation is silent about those who come and go.
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

    /// When it is told that another one joined.
    #[must_use]
    pub fn told_of_joining(&self, impact: Impact, told: Told, now: Timestamp) -> Timestamp {
        let silent_for = match impact {
            Impact::Critical => self.again.min(CRITICAL_AGAIN),
            Impact::High | Impact::Low => self.again,
        };
        told.silent_until(silent_for).max(now + self.wait)
    }

    /// When it is told that one left while others go on.
    #[must_use]
    pub fn told_of_leaving(&self, told: Told, now: Timestamp) -> Timestamp {
        told.silent_until(self.again).max(now + self.again)
    }
}

/// What was told in a conversation so far.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    /// When its newest message went.
    pub last: Timestamp,
    /// How many messages said that others came or went.
    pub updates: u32,
}

impl Told {
    /// Who comes and goes and comes again must not fill a person's mailbox: each update doubles the silence after it.
    fn silent_until(self, first: SignedDuration) -> Timestamp {
        let longer = 2_i32.pow(self.updates.min(MOST_DOUBLINGS));
        self.last + first.saturating_mul(longer)
    }
}

/// More critical systems that fail are told of this soon after the first message.
const CRITICAL_AGAIN: SignedDuration = SignedDuration::from_secs(10);

/// The longest silence is eight times the first one: with the shipped defaults 80 s where something critical joins, else 4
/// minutes.
const MOST_DOUBLINGS: u32 = 3;

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

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Timestamp = Timestamp::UNIX_EPOCH;

    /// How many seconds after the message before each update goes, where somebody comes or goes all the time.
    fn pauses(due: impl Fn(Told) -> Timestamp) -> Vec<i64> {
        let mut told = Told {
            last: FIRST,
            updates: 0,
        };
        let mut pauses = Vec::new();
        for _ in 0..6 {
            let next = due(told);
            pauses.push(next.duration_since(told.last).as_secs());
            told = Told {
                last: next,
                updates: told.updates + 1,
            };
        }
        pauses
    }

    #[test]
    fn each_update_doubles_the_silence_after_it() {
        let grouping = Grouping::default();
        let critical = |told: Told| grouping.told_of_joining(Impact::Critical, told, told.last);
        let low = |told: Told| grouping.told_of_joining(Impact::Low, told, told.last);
        let left = |told: Told| grouping.told_of_leaving(told, told.last);
        assert_eq!(pauses(critical), [10, 20, 40, 80, 80, 80]);
        assert_eq!(pauses(low), [30, 60, 120, 240, 240, 240]);
        assert_eq!(pauses(left), [30, 60, 120, 240, 240, 240]);
    }

    #[test]
    fn who_joins_after_the_silence_waits_for_others_like_the_first() {
        let grouping = Grouping::default();
        let told = Told {
            last: FIRST,
            updates: 9,
        };
        let now = FIRST + SignedDuration::from_hours(1);
        assert_eq!(
            grouping.told_of_joining(Impact::Critical, told, now),
            now + grouping.wait
        );
    }
}
