//! How often a run is tried before it has failed, and what may be tried again.

use std::{collections::BTreeSet, num::NonZeroU32};

use vigia_contract::data_model::ErrorClass;

/// More would hide what users suffer.
pub const ATTEMPTS_MAX: u32 = 5;

/// What is tried again where the journey does not say: what may be a moment's weakness. A page that shows something wrong,
/// throws, or asks an unexpected question is none, and a configuration does not mend itself.
const DEFAULT: [ErrorClass; 10] = [
    ErrorClass::Dns,
    ErrorClass::Connect,
    ErrorClass::Tls,
    ErrorClass::HttpStatus,
    ErrorClass::Timeout,
    ErrorClass::ElementMissing,
    ErrorClass::NotActionable,
    ErrorClass::Download,
    ErrorClass::Crash,
    ErrorClass::Browser,
];

/// How often, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// All attempts of a run together.
    attempts: NonZeroU32,
    on: BTreeSet<ErrorClass>,
}

impl Default for Retry {
    /// One attempt.
    fn default() -> Self {
        Self {
            attempts: NonZeroU32::MIN,
            on: DEFAULT.into(),
        }
    }
}

impl Retry {
    /// `on` instead of what is tried again by default.
    pub fn new(attempts: NonZeroU32, on: Option<BTreeSet<ErrorClass>>) -> Self {
        Self {
            attempts,
            on: on.unwrap_or_else(|| DEFAULT.into()),
        }
    }

    /// How many attempts a run may have.
    pub const fn attempts(&self) -> u32 {
        self.attempts.get()
    }

    /// Whether there is another attempt after this one, counted from 1, that failed for this reason.
    pub fn goes_on(&self, attempt: u32, failure: ErrorClass) -> bool {
        attempt < self.attempts.get() && self.on.contains(&failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_value_is_tried_again_only_where_it_is_asked_for() {
        let two = NonZeroU32::new(2).unwrap();
        let usual = Retry::new(two, None);
        assert!(usual.goes_on(1, ErrorClass::Connect));
        assert!(usual.goes_on(1, ErrorClass::ElementMissing));
        assert!(!usual.goes_on(2, ErrorClass::Connect));
        for never in [
            ErrorClass::Assertion,
            ErrorClass::Script,
            ErrorClass::Dialog,
            ErrorClass::Config,
        ] {
            assert!(!usual.goes_on(1, never), "{never:?}");
        }
        let asked = Retry::new(two, Some([ErrorClass::Assertion].into()));
        assert!(asked.goes_on(1, ErrorClass::Assertion));
        assert!(!asked.goes_on(1, ErrorClass::Connect));
        assert!(!Retry::default().goes_on(1, ErrorClass::Connect));
    }
}
