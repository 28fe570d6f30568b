//! What follows from what. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    flux::Trouble,
    incident::{Form, Incident},
};

/// The systems that each system needs, as the operator wrote it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependencies(BTreeMap<String, BTreeSet<String>>);

impl Dependencies {
    /// Of each system, those that it needs at first hand.
    #[must_use]
    pub fn new(needs: BTreeMap<String, Vec<String>>) -> Self {
        Self(
            needs
                .into_iter()
                .map(|(system, needed)| (system, needed.into_iter().collect()))
                .collect(),
        )
    }

    /// Whether nothing depends on anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Everything that a system needs, at first hand or further.
    #[must_use]
    pub fn of(&self, system: &str) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        let mut open = vec![system];
        while let Some(next) = open.pop() {
            for needed in self.0.get(next).into_iter().flatten() {
                if found.insert(needed.as_str()) {
                    open.push(needed);
                }
            }
        }
        found
    }

    /// A system that needs itself, where there is one, and what it needs for that.
    #[must_use]
    pub fn circle(&self) -> Option<&str> {
        self.0
            .keys()
            .map(String::as_str)
            .find(|system| self.of(system).contains(system))
    }

    /// Whether the one incident may follow from the other: its system needs the other's, which cannot be used, and matters at
    /// least as much.
    #[must_use]
    pub fn explains(&self, cause: &Incident, effect: &Incident) -> bool {
        cause.end.is_none()
            && cause.impact <= effect.impact
            && !matches!(cause.form, Form::Local(_))
            && makes_unusable(cause)
            && self
                .of(&effect.series.system)
                .contains(cause.series.system.as_str())
    }
}

/// What is only slow, or near its end, is no reason why something else fails.
fn makes_unusable(incident: &Incident) -> bool {
    match incident.trouble() {
        None => true,
        Some(trouble) => matches!(
            trouble,
            Trouble::Service | Trouble::Process | Trouble::Http | Trouble::Port
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_further_on_is_needed_and_a_circle_is_found() {
        let needs = |pairs: &[(&str, &str)]| {
            let mut needs: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (system, needed) in pairs {
                needs
                    .entry((*system).into())
                    .or_default()
                    .push((*needed).into());
            }
            Dependencies::new(needs)
        };
        let chain = needs(&[
            ("tramites", "identidad"),
            ("identidad", "red"),
            ("pagos", "red"),
        ]);
        assert_eq!(chain.of("tramites"), BTreeSet::from(["identidad", "red"]));
        assert_eq!(chain.of("red"), BTreeSet::new());
        assert_eq!(chain.circle(), None);
        let round = needs(&[("a", "b"), ("b", "c"), ("c", "a")]);
        assert_eq!(round.circle(), Some("a"));
    }
}
