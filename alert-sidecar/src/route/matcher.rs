//! Which incidents are meant: by routes, silences and maintenance windows alike.

use vigia_contract::data_model::Impact;

use crate::incident::Incident;

/// What it does not name, it does not ask for. Names may hold `*` for any letters, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matcher {
    /// One of these impacts.
    pub impact: Option<Vec<Impact>>,
    /// One of these systems.
    pub system: Option<Vec<String>>,
    /// One of these journeys.
    pub journey: Option<Vec<String>>,
    /// Seen by one of these probes.
    pub probe: Option<Vec<String>>,
    /// Found by one of these rules.
    pub rule: Option<Vec<String>>,
}

/// What an incident is matched by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are those of the data model")]
pub struct Labels<'a> {
    pub rule: &'a str,
    pub system: &'a str,
    pub journey: &'a str,
    pub probe: &'a str,
    pub impact: Impact,
}

impl<'a> From<&'a Incident> for Labels<'a> {
    fn from(incident: &'a Incident) -> Self {
        Self {
            rule: &incident.rule,
            system: &incident.series.system,
            journey: &incident.series.journey,
            probe: &incident.series.probe,
            impact: incident.impact,
        }
    }
}

impl Matcher {
    /// Whether these are meant.
    #[must_use]
    pub fn takes(&self, labels: Labels<'_>) -> bool {
        let asks = |names: &Option<Vec<String>>, name: &str| {
            names
                .as_ref()
                .is_none_or(|names| names.iter().any(|pattern| fits(pattern, name)))
        };
        self.impact
            .as_ref()
            .is_none_or(|impacts| impacts.contains(&labels.impact))
            && asks(&self.system, labels.system)
            && asks(&self.journey, labels.journey)
            && asks(&self.probe, labels.probe)
            && asks(&self.rule, labels.rule)
    }

    /// Whether it asks for nothing, and so takes everything.
    #[must_use]
    pub fn takes_everything(&self) -> bool {
        let is_idle = |names: &Option<Vec<String>>| {
            names
                .as_ref()
                .is_none_or(|names| names.iter().any(|pattern| is_any(pattern)))
        };
        self.impact.as_ref().is_none_or(|impacts| {
            [Impact::Critical, Impact::High, Impact::Low]
                .iter()
                .all(|impact| impacts.contains(impact))
        }) && [&self.system, &self.journey, &self.probe, &self.rule]
            .into_iter()
            .all(is_idle)
    }
}

/// Whether every name that fits the one pattern fits the other, `wide`. A name is a pattern of itself.
#[must_use]
pub fn covers(wide: &str, pattern: &str) -> bool {
    // Whatever a star of the one stands for, only a star of the other can stand for it.
    fits(wide, pattern)
}

/// Whether a name may fit both; where both hold stars that is not looked into.
#[must_use]
pub fn may_meet(one: &str, other: &str) -> bool {
    fits(one, other) || fits(other, one) || (one.contains('*') && other.contains('*'))
}

fn is_any(pattern: &str) -> bool {
    !pattern.is_empty() && pattern.bytes().all(|letter| letter == b'*')
}

/// Whether a name fits a pattern: `*` stands for any letters, everything else for itself.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((head, mut rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut name) = name.strip_prefix(head) else {
        return false;
    };
    while let Some((piece, after)) = rest.split_once('*') {
        let Some(found) = name.find(piece) else {
            return false;
        };
        name = &name[found + piece.len()..];
        rest = after;
    }
    name.ends_with(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_letters() {
        for (pattern, name, expected) in [
            ("tramites", "tramites", true),
            ("tramites", "tramites-2", false),
            ("web-*", "web-01", true),
            ("web-*", "web", false),
            ("*-01", "web-01", true),
            ("w*b-*1", "web-01", true),
            ("a*a", "a", false),
            ("*", "", true),
            ("", "x", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn what_takes_everything_is_known_however_it_is_written() {
        let all = |names: &[&str]| Some(names.iter().map(ToString::to_string).collect());
        let systems = |names| Matcher {
            system: all(names),
            ..Matcher::default()
        };
        assert!(Matcher::default().takes_everything());
        assert!(systems(&["a", "*"]).takes_everything());
        assert!(systems(&["**"]).takes_everything());
        assert!(!systems(&["a*"]).takes_everything());
        assert!(!systems(&[]).takes_everything());
        let impacts = Matcher {
            impact: Some(vec![Impact::Low, Impact::High, Impact::Critical]),
            ..Matcher::default()
        };
        assert!(impacts.takes_everything());
    }
}
