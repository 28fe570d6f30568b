//! The moment, by both of the machine's clocks: only together they tell a clock that was set from a machine that slept.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustix::time::{ClockId, clock_gettime};

/// Less than this is no setting of the clock but its being kept right, bit by bit.
const STEP_MIN: SignedDuration = SignedDuration::from_secs(1);

/// A moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The time of day, which people and programs set.
    pub wall: Timestamp,
    /// Since the machine was started, its sleep included; nobody sets it.
    pub elapsed: Duration,
}

impl Now {
    /// Reads the clocks.
    pub fn read() -> Self {
        let since_boot = clock_gettime(ClockId::Boottime);
        let seconds = u64::try_from(since_boot.tv_sec).unwrap_or_default();
        let nanoseconds = u32::try_from(since_boot.tv_nsec).unwrap_or_default();
        Self {
            wall: Timestamp::now(),
            elapsed: Duration::new(seconds, nanoseconds),
        }
    }

    /// How far the time of day was set since an earlier moment; nothing where it only went on.
    pub fn set_since(self, earlier: Self) -> Option<SignedDuration> {
        let passed = self.elapsed.saturating_sub(earlier.elapsed);
        let step = self.wall.duration_since(earlier.wall) - signed(passed);
        (step.abs() >= STEP_MIN).then_some(step)
    }

    /// How much time has really passed since this time of day, by a clock that was not set in between.
    pub fn since(self, wall: Timestamp) -> Duration {
        let passed = self.wall.duration_since(wall);
        passed.try_into().unwrap_or(Duration::ZERO)
    }
}

/// No machine runs for the 292 thousand million years that a signed duration cannot hold.
fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(wall: i64, elapsed: u64) -> Now {
        Now {
            wall: Timestamp::from_second(wall).unwrap(),
            elapsed: Duration::from_secs(elapsed),
        }
    }

    #[test]
    fn a_clock_that_was_set_is_told_from_a_machine_that_slept() {
        let before = moment(1_000_000, 500);
        let hour = SignedDuration::from_hours(1);
        assert_eq!(moment(1_003_600, 4_100).set_since(before), None);
        assert_eq!(moment(1_003_601, 501).set_since(before), Some(hour));
        assert_eq!(moment(996_401, 501).set_since(before), Some(-hour));
    }

    #[test]
    fn the_clocks_of_this_machine_go_on_together() {
        let before = Now::read();
        assert_eq!(Now::read().set_since(before), None);
    }
}
