//! When a channel may send again: no more often than the service wants, and not before it wants.

use std::time::Duration;

use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use serde::Deserialize;
use tokio::time::Instant;

use super::Pace;

/// The value `rate` of a `[[channel]]`, as the operator writes it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// How many messages, at least one.
    pub messages: std::num::NonZeroU32,
    /// In how long.
    #[serde(deserialize_with = "vigia_contract::duration::deserialize")]
    pub per: Duration,
}

impl From<Settings> for Pace {
    fn from(settings: Settings) -> Self {
        Self {
            messages: settings.messages,
            per: settings.per,
        }
    }
}

/// The turns of one channel.
#[derive(Debug)]
pub struct Turns {
    limiter: DefaultDirectRateLimiter,
    clock: DefaultClock,
    /// A turn that was given and not taken yet.
    is_given: bool,
    rest_until: Option<Instant>,
}

impl Turns {
    /// All turns are there at first.
    #[must_use]
    pub fn new(pace: Pace) -> Self {
        // Never nothing: a pace is at least a nanosecond for a message.
        let one = (pace.per / pace.messages.get()).max(Duration::from_nanos(1));
        let quota = Quota::with_period(one).unwrap_or(Quota::per_second(pace.messages));
        Self {
            limiter: RateLimiter::direct(quota.allow_burst(pace.messages)),
            clock: DefaultClock::default(),
            is_given: false,
            rest_until: None,
        }
    }

    /// How long to wait for the next turn; nothing where it is there. It is there until it is taken.
    pub fn wait(&mut self, now: Instant) -> Option<Duration> {
        let rest = self
            .rest_until
            .and_then(|until| until.checked_duration_since(now));
        if let Some(rest) = rest.filter(|rest| !rest.is_zero()) {
            return Some(rest);
        }
        self.rest_until = None;
        if !self.is_given {
            match self.limiter.check() {
                Ok(()) => self.is_given = true,
                Err(not_yet) => return Some(not_yet.wait_time_from(self.clock.now())),
            }
        }
        None
    }

    /// Takes the turn.
    pub const fn take(&mut self) {
        self.is_given = false;
    }

    /// Leaves the service alone for so long.
    pub fn rest(&mut self, now: Instant, rest: Duration) {
        self.rest_until = Some(now + rest).max(self.rest_until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_there_until_it_is_taken_and_then_it_is_waited_for() {
        let now = Instant::now();
        let mut turns = Turns::new(Pace::new(2, Duration::from_hours(2)));
        for _ in 0..2 {
            assert_eq!(turns.wait(now), None);
            assert_eq!(turns.wait(now), None);
            turns.take();
        }
        let wait = turns.wait(now).unwrap();
        assert!(wait > Duration::from_mins(59), "{wait:?}");
        assert!(wait <= Duration::from_hours(1), "{wait:?}");
    }

    #[test]
    fn a_rest_is_longer_than_any_turn() {
        let now = Instant::now();
        let mut turns = Turns::new(Pace::ONE_A_SECOND);
        turns.rest(now, Duration::from_secs(30));
        turns.rest(now, Duration::from_secs(10));
        assert_eq!(turns.wait(now), Some(Duration::from_secs(30)));
        assert_eq!(turns.wait(now + Duration::from_secs(30)), None);
    }
}
