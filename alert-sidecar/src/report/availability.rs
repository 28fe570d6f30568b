//! Availability as an exact ratio, and what it is held against. It is never rounded up: what misses its target by a
//! second has missed it, and does not look as if it had not.

use std::fmt;

use serde::{Deserialize, Deserializer};

/// How much of the measured time users could work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Availability {
    up_ns: i64,
    measured_ns: i64,
}

/// A target, in millionths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target(i64);

/// A percent in the unit of [`Target`].
const PERCENT: i64 = 1_000_000;

/// Digits behind the point that a percentage is shown with; a target that has more is held against as many.
pub const DECIMALS: u32 = 3;

/// Why a number cannot be a target.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a target is above 0 and at most 100 percent, with at most 6 digits behind the point")]
pub struct NotATarget;

impl Target {
    /// A percentage, such as 99.9.
    pub fn of_percent(percent: f64) -> Result<Self, NotATarget> {
        // The shortest text that means this number is what was written.
        let text = percent.to_string();
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        if fraction.len() > 6 {
            return Err(NotATarget);
        }
        let units = format!("{whole}{fraction:0<6}")
            .parse()
            .map_err(|_| NotATarget)?;
        (1..=100 * PERCENT)
            .contains(&units)
            .then_some(Self(units))
            .ok_or(NotATarget)
    }

    /// Digits behind its point.
    fn decimals(self) -> u32 {
        (0..=6)
            .find(|decimals| self.0 % (PERCENT / 10_i64.pow(*decimals)) == 0)
            .unwrap_or(6)
    }

    /// How long users may be without, of so much time.
    #[must_use]
    pub fn allowance_ns(self, measured_ns: i64) -> i64 {
        let allowed = i128::from(measured_ns) * i128::from(100 * PERCENT - self.0);
        narrow(allowed / i128::from(100 * PERCENT))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&decimal(self.0.into(), 6, self.decimals()))
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let percent = f64::deserialize(deserializer)?;
        Self::of_percent(percent).map_err(|error| {
            serde::de::Error::custom(format!("{error}\nhint: write for example 99.9"))
        })
    }
}

impl Availability {
    /// Nothing where nothing was measured.
    #[must_use]
    pub fn new(up_ns: i64, down_ns: i64) -> Option<Self> {
        let measured_ns = up_ns + down_ns;
        (measured_ns > 0).then_some(Self { up_ns, measured_ns })
    }

    /// Whether it is as good as the target, to the nanosecond.
    #[must_use]
    pub fn meets(self, target: Target) -> bool {
        i128::from(self.up_ns) * i128::from(100 * PERCENT)
            >= i128::from(self.measured_ns) * i128::from(target.0)
    }

    /// The percentage with a point, cut and never rounded: as many digits as [`DECIMALS`], or as the target has.
    #[must_use]
    pub fn percent(self, target: Option<Target>) -> String {
        let decimals = target.map_or(DECIMALS, |target| target.decimals().max(DECIMALS));
        decimal(self.units(decimals), decimals, decimals)
    }

    /// How many points of a percent it is above another, as both are shown: with a sign, or `0`.
    #[must_use]
    pub fn points_above(self, before: Self) -> String {
        let difference = self.units(DECIMALS) - before.units(DECIMALS);
        let sign = match difference {
            0 => return "0".into(),
            1.. => "+",
            _ => "-",
        };
        format!("{sign}{}", decimal(difference.abs(), DECIMALS, DECIMALS))
    }

    /// The order of two as they are shown.
    #[must_use]
    pub fn shown_order(self, other: Self) -> std::cmp::Ordering {
        self.units(DECIMALS).cmp(&other.units(DECIMALS))
    }

    fn units(self, decimals: u32) -> i128 {
        i128::from(self.up_ns) * 100 * 10_i128.pow(decimals) / i128::from(self.measured_ns)
    }
}

/// A number of units, of which `10^scale` are one, with so many digits behind the point; what is beyond is cut.
fn decimal(units: i128, scale: u32, decimals: u32) -> String {
    let units = units / 10_i128.pow(scale - decimals);
    let one = 10_i128.pow(decimals);
    if decimals == 0 {
        return units.to_string();
    }
    let width = usize::try_from(decimals).unwrap_or(0);
    format!("{}.{:0width$}", units / one, units % one)
}

fn narrow(number: i128) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A share as a percentage with one digit, cut and never rounded up.
#[must_use]
pub fn share(part_ns: i64, whole_ns: i64) -> Option<String> {
    (whole_ns > 0).then(|| decimal(i128::from(part_ns) * 1000 / i128::from(whole_ns), 1, 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn target(percent: f64) -> Target {
        Target::of_percent(percent).unwrap()
    }

    #[test]
    fn a_target_that_is_missed_by_one_second_is_missed_and_looks_so() {
        let month = 30 * 86_400 * SECOND;
        // 43 minutes and 12 seconds.
        let allowed = target(99.9).allowance_ns(month);
        assert_eq!(allowed, 2592 * SECOND);
        let just = Availability::new(month - allowed, allowed).unwrap();
        assert!(just.meets(target(99.9)));
        assert_eq!(just.percent(Some(target(99.9))), "99.900");
        let missed = Availability::new(month - allowed - SECOND, allowed + SECOND).unwrap();
        assert!(!missed.meets(target(99.9)));
        assert_eq!(missed.percent(Some(target(99.9))), "99.899");
    }

    #[test]
    fn a_second_of_a_year_is_not_a_hundred_percent() {
        let year = 365 * 86_400 * SECOND;
        let almost = Availability::new(year - SECOND, SECOND).unwrap();
        assert_eq!(almost.percent(None), "99.999");
        assert!(!almost.meets(target(100.0)));
        assert_eq!(Availability::new(year, 0).unwrap().percent(None), "100.000");
        assert_eq!(Availability::new(0, 0), None);
    }

    #[test]
    fn a_target_is_shown_as_it_was_written() {
        for (percent, shown) in [
            (99.9, "99.9"),
            (99.0, "99"),
            (99.995, "99.995"),
            (100.0, "100"),
            (99.9999, "99.9999"),
        ] {
            assert_eq!(target(percent).to_string(), shown);
        }
        for wrong in [0.0, -1.0, 100.1, 99.999_999_9, f64::NAN, f64::INFINITY] {
            assert_eq!(Target::of_percent(wrong), Err(NotATarget), "{wrong}");
        }
    }

    proptest! {
        /// What is shown never says more than what is, and never meets a target that was missed.
        #[test]
        fn what_is_shown_is_never_above_what_is(up in 0..3_000_000_000_000_000_i64, down in 0..3_000_000_000_000_000_i64, target in 1..100_000_000_i64) {
            prop_assume!(up + down > 0);
            let (availability, target) = (Availability::new(up, down).unwrap(), Target(target));
            let shown: f64 = availability.percent(Some(target)).parse().unwrap();
            let written: f64 = target.to_string().parse().unwrap();
            prop_assert_eq!(availability.meets(target), shown >= written, "{} {}", shown, written);
        }
    }
}
