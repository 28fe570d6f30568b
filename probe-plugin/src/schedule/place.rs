//! Where a name has its place: in its interval, and among several probes. The same in every version and on every machine.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The first of the name's own places in an interval of this length that is later than `now`.
pub fn next_start(name: &str, every: Duration, now: Timestamp) -> Timestamp {
    let every_ns = i128::try_from(every.as_nanos()).unwrap_or(i128::MAX).max(1);
    let place_ns = i128::from(hash(name)).rem_euclid(every_ns);
    let past_ns = (now.as_nanosecond() - place_ns).rem_euclid(every_ns);
    let wait_ns = i64::try_from(every_ns - past_ns).unwrap_or(i64::MAX);
    now.checked_add(SignedDuration::from_nanos(wait_ns))
        .unwrap_or(Timestamp::MAX)
}

/// FNV-1a with 64 bits, which the standard library does not promise to keep. Source of the two constants:
/// draft-eastlake-fnv.
pub fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    #[test]
    fn the_starts_of_many_journeys_are_spread_over_their_interval() {
        let mut per_second = [0_usize; 60];
        for number in 0..600 {
            let name = format!("sistema-{number}/consultar");
            let wait = next_start(&name, Duration::from_mins(1), at(0)).duration_since(at(0));
            per_second[usize::try_from(wait.as_secs()).unwrap() % 60] += 1;
        }
        assert!(
            per_second.iter().all(|count| (1..=30).contains(count)),
            "{per_second:?}"
        );
    }

    #[test]
    fn a_journey_keeps_its_place_when_the_probe_is_restarted() {
        let every = Duration::from_mins(1);
        let first = next_start("tramites/consultar", every, at(0));
        let later = next_start("tramites/consultar", every, at(600));
        assert_eq!(later.duration_since(first).as_secs() % 60, 0);
    }
}
