//! What a person mutes, and what nobody may mute by accident. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::matcher::{Labels, Matcher};

/// The longest that a silence lasts. What is muted for longer belongs into the configuration.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The longest that everything, or every critical system, is muted.
pub const LONGEST_OF_EVERYTHING: SignedDuration = SignedDuration::from_hours(4);

/// What a person muted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Its identity.
    pub id: String,
    /// Which incidents.
    pub matcher: Matcher,
    /// From then.
    pub starts: Timestamp,
    /// Until then.
    pub ends: Timestamp,
    /// Who muted it.
    pub author: String,
    /// Why.
    pub comment: String,
}

impl Silence {
    /// Whether it mutes this now.
    #[must_use]
    pub fn mutes(&self, labels: Labels<'_>, now: Timestamp) -> bool {
        self.is_active(now) && self.matcher.takes(labels)
    }

    /// Whether it mutes anything now.
    #[must_use]
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.starts <= now && now < self.ends
    }
}

/// What a person wants to mute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Which incidents.
    pub matcher: Matcher,
    /// From then.
    pub starts: Timestamp,
    /// Until then.
    pub ends: Timestamp,
    /// Who mutes it.
    pub author: String,
    /// Why.
    pub comment: String,
    /// Whether it may mute everything, or every critical system: the explicit word.
    pub may_mute_everything: bool,
}

/// Why a silence is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It asks for nothing.
    #[error("it names nothing, so it would mute everything")]
    Everything,
    /// No critical system would be told of.
    #[error("it would mute every critical system")]
    EveryCritical,
    /// The word was said, and it lasts too long.
    #[error("what mutes everything, or every critical system, ends after four hours at the latest")]
    EverythingForLong,
    /// Nobody remembers it for so long.
    #[error("a silence ends after thirty days at the latest")]
    Long,
    /// It ends before it begins, or before now.
    #[error("it would be over before it begins")]
    Over,
    /// Nobody says who it is.
    #[error("it does not say who mutes")]
    Nobody,
    /// Nobody says why.
    #[error("it does not say why")]
    Why,
}

impl Refusal {
    /// What to do.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Everything => "name a system, a journey, a probe, a rule or an impact",
            Self::EveryCritical => {
                "name fewer systems, or say that everything may be muted, for four hours at most"
            }
            Self::EverythingForLong => "let it end sooner",
            Self::Long => "let it end sooner, and renew it when it is still needed",
            Self::Over => "let it end after it begins, and after now",
            Self::Nobody => "give a name, on the command line with --by NAME",
            Self::Why => "write a comment for those who wonder why nobody was told",
        }
    }
}

/// Takes a silence, or says everything that is wrong with it. `critical` is what is known to be critical.
pub fn accept(
    draft: Draft,
    id: String,
    critical: &BTreeSet<Labels<'_>>,
    now: Timestamp,
) -> Result<Silence, Vec<Refusal>> {
    let mut refusals = Vec::new();
    let lasts = draft.ends.duration_since(draft.starts.max(now));
    let breadth = if draft.matcher.takes_everything() {
        Some(Refusal::Everything)
    } else if mutes_every_critical_system(&draft.matcher, critical) {
        Some(Refusal::EveryCritical)
    } else {
        None
    };
    match breadth {
        Some(refusal) if !draft.may_mute_everything => refusals.push(refusal),
        Some(_) if lasts > LONGEST_OF_EVERYTHING => refusals.push(Refusal::EverythingForLong),
        _ if lasts > LONGEST => refusals.push(Refusal::Long),
        _ => {}
    }
    if draft.ends <= draft.starts || draft.ends <= now {
        refusals.push(Refusal::Over);
    }
    if draft.author.trim().is_empty() {
        refusals.push(Refusal::Nobody);
    }
    if draft.comment.trim().is_empty() {
        refusals.push(Refusal::Why);
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    Ok(Silence {
        id,
        matcher: draft.matcher,
        starts: draft.starts,
        ends: draft.ends,
        author: draft.author.trim().to_owned(),
        comment: draft.comment.trim().to_owned(),
    })
}

/// Whether of every critical system, whatever some rule finds of it would be told to nobody.
fn mutes_every_critical_system(matcher: &Matcher, critical: &BTreeSet<Labels<'_>>) -> bool {
    let mut is_muted: BTreeMap<(&str, &str), bool> = BTreeMap::new();
    for labels in critical {
        let muted = is_muted.entry((labels.system, labels.rule)).or_insert(true);
        *muted &= matcher.takes(*labels);
    }
    let systems: BTreeSet<&str> = critical.iter().map(|labels| labels.system).collect();
    let mut muted = is_muted.iter().filter(|(_, is_muted)| **is_muted);
    let muted: BTreeSet<&str> = muted.by_ref().map(|((system, _), _)| *system).collect();
    !systems.is_empty() && muted == systems
}

#[cfg(test)]
mod tests {
    use vigia_contract::data_model::Impact;

    use super::*;

    fn labels<'a>(rule: &'a str, system: &'a str, probe: &'a str) -> Labels<'a> {
        Labels {
            rule,
            system,
            journey: "j",
            probe,
            impact: Impact::Critical,
        }
    }

    fn refused(matcher: Matcher, hours: i64, may_mute_everything: bool) -> Vec<Refusal> {
        let now = Timestamp::UNIX_EPOCH;
        let known = BTreeSet::from([
            labels("failed", "tramites", "sede"),
            labels("failed", "tramites", "nube"),
            labels("failed", "pagos", "sede"),
            labels("slow", "pagos", "sede"),
        ]);
        let draft = Draft {
            matcher,
            starts: now,
            ends: now + SignedDuration::from_hours(hours),
            author: "Ana".into(),
            comment: "cambio de disco".into(),
            may_mute_everything,
        };
        accept(draft, "s".into(), &known, now)
            .err()
            .unwrap_or_default()
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn nobody_mutes_everything_by_accident() {
        let systems = |of: &[&str]| Matcher {
            system: Some(names(of)),
            ..Matcher::default()
        };
        let impact = |of| Matcher {
            impact: Some(vec![of]),
            ..Matcher::default()
        };
        let probe = |of: &[&str]| Matcher {
            probe: Some(names(of)),
            ..Matcher::default()
        };
        let rule = |of: &[&str]| Matcher {
            rule: Some(names(of)),
            ..Matcher::default()
        };
        for (matcher, expected) in [
            (Matcher::default(), vec![Refusal::Everything]),
            (systems(&["*"]), vec![Refusal::Everything]),
            (
                systems(&["tramites", "pagos"]),
                vec![Refusal::EveryCritical],
            ),
            (systems(&["?"]), vec![]),
            (systems(&["*a*"]), vec![Refusal::EveryCritical]),
            (systems(&["tramites"]), vec![]),
            (impact(Impact::Critical), vec![Refusal::EveryCritical]),
            (impact(Impact::Low), vec![]),
            (probe(&["sede"]), vec![]),
            (probe(&["sede", "nube"]), vec![Refusal::EveryCritical]),
            (rule(&["failed"]), vec![Refusal::EveryCritical]),
            (rule(&["slow"]), vec![]),
        ] {
            assert_eq!(refused(matcher.clone(), 2, false), expected, "{matcher:?}");
            let with_the_word = refused(matcher.clone(), 5, true);
            let too_long = vec![Refusal::EverythingForLong; expected.len()];
            assert_eq!(with_the_word, too_long, "{matcher:?}");
            assert_eq!(refused(matcher, 4, true), []);
        }
    }

    #[test]
    fn a_silence_says_who_and_why_and_ends() {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(9);
        let draft = Draft {
            matcher: Matcher {
                system: Some(names(&["tramites"])),
                ..Matcher::default()
            },
            starts: now,
            ends: now,
            author: " ".into(),
            comment: String::new(),
            may_mute_everything: false,
        };
        let said = accept(draft.clone(), "s".into(), &BTreeSet::new(), now);
        assert_eq!(
            said.unwrap_err(),
            [Refusal::Over, Refusal::Nobody, Refusal::Why]
        );
        let long = Draft {
            ends: now + LONGEST + SignedDuration::from_secs(1),
            author: "Ana".into(),
            comment: "c".into(),
            ..draft
        };
        let said = accept(long, "s".into(), &BTreeSet::new(), now);
        assert_eq!(said.unwrap_err(), [Refusal::Long]);
    }
}
