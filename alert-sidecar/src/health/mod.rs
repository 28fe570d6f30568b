//! Whether this program really sees and really can tell. Pure: what the rules and the channels came to goes in, complaints
//! come out; without any, the heartbeat beats and `/readyz` says ready.

pub mod heartbeat;
pub mod metrics;

use std::{collections::BTreeMap, fmt, time::Duration};

use jiff::{SignedDuration, Timestamp};

use crate::store::overview::Overview;

/// A rule that is asked every two seconds may be a little late without anybody worrying.
const LATE_INTERVALS: u32 = 3;

/// A message that was tried in vain for this long is a fault of its channel and no hiccup.
pub const FAILING_FOR: SignedDuration = SignedDuration::from_mins(5);

/// How the rules fare, since this process began.
#[derive(Clone, Debug)]
pub struct Seen {
    /// When it began.
    pub since: Timestamp,
    /// See [`crate::flux::Settings::blind_after`].
    pub blind_after: Duration,
    /// By the rules' names.
    pub rules: BTreeMap<String, RuleSeen>,
}

/// How one rule fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleSeen {
    /// How often it is asked.
    pub every: Duration,
    /// When it was answered last.
    pub answered: Option<Timestamp>,
    /// How often it was answered.
    pub answers: u64,
    /// How often it was not.
    pub failures: u64,
}

impl Seen {
    /// Nothing was asked yet.
    #[must_use]
    pub fn new(
        rules: impl IntoIterator<Item = (String, Duration)>,
        blind_after: Duration,
        now: Timestamp,
    ) -> Self {
        let rules = rules.into_iter().map(|(name, every)| {
            let rule = RuleSeen {
                every,
                answered: None,
                answers: 0,
                failures: 0,
            };
            (name, rule)
        });
        Self {
            since: now,
            blind_after,
            rules: rules.collect(),
        }
    }

    /// A rule was asked, and answered or not.
    pub fn hear(&mut self, rule: &str, is_answered: bool, now: Timestamp) {
        let Some(rule) = self.rules.get_mut(rule) else {
            return;
        };
        if is_answered {
            rule.answered = Some(now);
            rule.answers += 1;
        } else {
            rule.failures += 1;
        }
    }
}

/// Why this program cannot be relied on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Complaint {
    /// It waits while another one works with the store, or it is starting.
    Waiting,
    /// What is known cannot be read.
    Store(String),
    /// This rule was not answered since then.
    Blind {
        /// Its name.
        rule: String,
        /// Since then.
        since: Timestamp,
    },
    /// What this channel is to bring has been tried in vain since then.
    Failing {
        /// Its name.
        channel: String,
        /// Since then.
        since: Timestamp,
    },
    /// What this channel was to bring last was refused for good, at this moment.
    Refusing {
        /// Its name.
        channel: String,
        /// Then.
        at: Timestamp,
    },
}

impl fmt::Display for Complaint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting => formatter.write_str(
                "this vigia-alert does not work with the store: it starts, or another one works",
            ),
            Self::Store(error) => write!(formatter, "the store cannot be read: {error}"),
            Self::Blind { rule, since } => write!(
                formatter,
                "the rule `{rule}` has had no answer since {since}"
            ),
            Self::Failing { channel, since } => write!(
                formatter,
                "messages through the channel `{channel}` have failed since {since}"
            ),
            Self::Refusing { channel, at } => write!(
                formatter,
                "the channel `{channel}` refused its last message for good, at {at}"
            ),
        }
    }
}

/// Everything that keeps this program from seeing or from telling.
#[must_use]
pub fn complaints(seen: &Seen, overview: &Overview, now: Timestamp) -> Vec<Complaint> {
    let blind = seen.rules.iter().filter_map(|(name, rule)| {
        let since = rule.answered.unwrap_or(seen.since);
        let patience = seen
            .blind_after
            .saturating_add(rule.every.saturating_mul(LATE_INTERVALS));
        let patience = SignedDuration::try_from(patience).unwrap_or(SignedDuration::MAX);
        (now.duration_since(since) > patience).then(|| Complaint::Blind {
            rule: name.clone(),
            since,
        })
    });
    let channels = overview.channels.iter().filter_map(|channel| {
        if let Some(since) = channel.failing_since
            && now.duration_since(since) > FAILING_FOR
        {
            return Some(Complaint::Failing {
                channel: channel.name.clone(),
                since,
            });
        }
        let at = channel
            .refused
            .filter(|refused| Some(*refused) > channel.accepted)?;
        Some(Complaint::Refusing {
            channel: channel.name.clone(),
            at,
        })
    });
    blind.chain(channels).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::overview::ChannelStanding;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn seen() -> Seen {
        let rules = [("often", 2), ("seldom", 600)]
            .map(|(name, every)| (name.to_owned(), Duration::from_secs(every)));
        Seen::new(rules, Duration::from_mins(1), second(1000))
    }

    fn channel(failing: Option<i64>, accepted: Option<i64>, refused: Option<i64>) -> Overview {
        Overview {
            channels: vec![ChannelStanding {
                name: "mail".into(),
                waiting: 1,
                failing_since: failing.map(second),
                accepted: accepted.map(second),
                refused: refused.map(second),
                accepted_total: 0,
                refused_total: 0,
            }],
            ..Overview::default()
        }
    }

    fn told(seen: &Seen, overview: &Overview, now: i64) -> Vec<String> {
        complaints(seen, overview, second(now))
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_rule_without_an_answer_is_complained_of_after_its_own_time() {
        let mut seen = seen();
        let nothing = Overview::default();
        assert_eq!(told(&seen, &nothing, 1066), [""; 0]);
        assert_eq!(
            told(&seen, &nothing, 1067),
            ["the rule `often` has had no answer since 1970-01-01T00:16:40Z"]
        );
        seen.hear("often", true, second(1060));
        seen.hear("often", false, second(1062));
        seen.hear("nobody's", true, second(1062));
        assert_eq!(told(&seen, &nothing, 1126), [""; 0]);
        assert_eq!(told(&seen, &nothing, 4000).len(), 2);
        assert_eq!(
            (seen.rules["often"].answers, seen.rules["often"].failures),
            (1, 1)
        );
    }

    #[test]
    fn a_channel_that_cannot_bring_what_it_is_given_is_complained_of() {
        let mut seen = seen();
        for rule in ["often", "seldom"] {
            seen.hear(rule, true, second(2000));
        }
        assert_eq!(told(&seen, &channel(Some(1700), None, None), 2000), [""; 0]);
        assert_eq!(told(&seen, &channel(Some(1699), None, None), 2000).len(), 1);
        assert_eq!(
            told(&seen, &channel(None, Some(20), Some(10)), 2000),
            [""; 0]
        );
        assert_eq!(
            told(&seen, &channel(None, Some(10), Some(20)), 2000),
            ["the channel `mail` refused its last message for good, at 1970-01-01T00:00:20Z"]
        );
    }
}
