//! When a rule would have been asked.

use std::time::Duration;

use jiff::Timestamp;

/// The first question after this moment of a rule that is asked every so often. Which of all such rows of moments a program would
/// have kept depends on when it was started: this is the one that begins with 1970, as windows in Flux do.
#[must_use]
pub fn question_after(at: Timestamp, every: Duration) -> Timestamp {
    let every_ns = i128::try_from(every.as_nanos()).unwrap_or(i128::MAX).max(1);
    let next_ns = (at.as_nanosecond().div_euclid(every_ns) + 1).saturating_mul(every_ns);
    Timestamp::from_nanosecond(next_ns).unwrap_or(Timestamp::MAX)
}

/// Cuts a time into pieces.
pub fn cut(
    since: Timestamp,
    until: Timestamp,
    length: Duration,
) -> impl Iterator<Item = (Timestamp, Timestamp)> {
    let begins = std::iter::successors(Some(since), move |begin| Some(*begin + length));
    let begins = begins.take_while(move |begin| *begin < until);
    begins.map(move |begin| (begin, (begin + length).min(until)))
}
