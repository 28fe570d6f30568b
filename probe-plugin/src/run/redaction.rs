//! Takes secrets out of what is told: the address of a page, an error that quotes it.

use vigia_contract::secret::{ExposeSecret, SecretPlaces, SecretString};

use crate::journey::Journey;

/// What stands where a secret stood.
const MASK: &str = "***";

/// The secrets of one journey.
#[derive(Debug)]
pub struct Redaction(Vec<SecretString>);

impl Redaction {
    /// One that cannot be had cannot be told either.
    pub fn of(journey: &Journey, places: &SecretPlaces) -> Self {
        let names = journey
            .steps
            .iter()
            .flat_map(|step| &step.actions)
            .flat_map(|action| action.secrets());
        Self(names.filter_map(|name| places.find(name).ok()).collect())
    }

    /// The text with a mask in the place of every secret.
    pub fn apply(&self, text: &str) -> String {
        self.0
            .iter()
            .map(ExposeSecret::expose_secret)
            .filter(|secret| !secret.is_empty())
            .fold(text.to_owned(), |text, secret| text.replace(secret, MASK))
    }
}
