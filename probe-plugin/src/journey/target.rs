//! What an action is done to: one selector, or several that are tried together.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, SeqAccess, Visitor},
};
use serde_json::Value;

use super::Selector;

/// One element, by the selector that is meant and by those that stand in for it. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(Vec<Selector>);

impl Target {
    /// The selectors, the one that is meant first.
    pub fn selectors(&self) -> &[Selector] {
        &self.0
    }

    /// What the script in the page takes.
    pub fn for_script(&self) -> Value {
        self.0.iter().map(Selector::for_script).collect()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0[0], formatter)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TargetVisitor)
    }
}

struct TargetVisitor;

impl<'de> Visitor<'de> for TargetVisitor {
    type Value = Target;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a selector, or a list of selectors")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Target, E> {
        Selector::parse(text)
            .map(|selector| Target(vec![selector]))
            .map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Target, A::Error> {
        let mut selectors = Vec::new();
        while let Some(selector) = sequence.next_element()? {
            selectors.push(selector);
        }
        if selectors.is_empty() {
            return Err(A::Error::custom(
                "the list has no selector\nhint: write for example \"label=Usuario\"",
            ));
        }
        Ok(Target(selectors))
    }
}
