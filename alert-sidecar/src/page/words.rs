//! The words of the page, in each language.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::render::Language;

/// The texts by their names; those in tables by the name of the table and theirs.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    pub title: String,
    pub well: String,
    pub well_detail: String,
    pub down: String,
    pub down_critical: String,
    pub degraded: String,
    pub unknown: String,
    pub other: String,
    pub suspicious: String,
    pub blind: String,
    pub blind_detail: String,
    pub nothing: String,
    pub nothing_detail: String,
    pub complaint: String,
    pub as_of: String,
    pub incidents: String,
    pub incident: String,
    pub systems: String,
    pub messages: String,
    pub no_messages: String,
    pub since: String,
    pub never: String,
    pub looked: String,
    pub picture: String,
    pub no_picture: String,
    pub picture_hidden: String,
    pub details: String,
    pub technical: String,
    pub told: String,
    pub told_nobody: String,
    pub why: String,
    pub step: String,
    pub probe: String,
    pub rule: String,
    pub url: String,
    pub token: String,
    pub enter: String,
    pub login: String,
    pub login_wrong: String,
    pub proxy_only: String,
    pub back: String,
    pub gone: String,
    pub gone_detail: String,
    pub refused: String,
    pub refused_detail: String,
    pub away: String,
    pub link_invalid: String,
    pub link_invalid_detail: String,
    pub link_expired: String,
    pub link_expired_detail: String,
    pub moment: String,
    pub short: String,
    pub clock: String,
    pub acknowledge: String,
    pub take_over: String,
    pub acknowledge_detail: String,
    pub acknowledged: String,
    pub acknowledged_nothing: String,
    pub acknowledged_by: String,
    pub silence: String,
    pub silence_detail: String,
    pub silenced: String,
    pub silences: String,
    pub until: String,
    pub person: String,
    pub comment: String,
    pub lasts: String,
    pub other_language: String,
    pub impact: BTreeMap<String, String>,
    pub state: BTreeMap<String, String>,
    pub kind: BTreeMap<String, String>,
    pub sent: BTreeMap<String, String>,
    pub span: BTreeMap<String, String>,
    pub refusal: BTreeMap<String, String>,
    pub verdict: BTreeMap<String, String>,
    pub reason: BTreeMap<String, String>,
    pub complaints: BTreeMap<String, String>,
}

impl Words {
    /// Those of this language.
    #[must_use]
    pub fn of(language: Language) -> Self {
        let text = match language {
            Language::Spanish => include_str!("words/es.toml"),
            Language::English => include_str!("words/en.toml"),
        };
        toml::from_str(text).expect("the shipped words are complete: a test reads them")
    }

    /// The text of this name in a table, or the name itself where a later version wrote it.
    #[must_use]
    pub fn named<'a>(table: &'a BTreeMap<String, String>, name: &'a str) -> &'a str {
        table.get(name).map_or(name, String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_complete_in_both_languages() {
        let (spanish, english) = (Words::of(Language::Spanish), Words::of(Language::English));
        for (one, other) in [
            (&spanish.impact, &english.impact),
            (&spanish.state, &english.state),
            (&spanish.kind, &english.kind),
            (&spanish.sent, &english.sent),
            (&spanish.span, &english.span),
            (&spanish.refusal, &english.refusal),
            (&spanish.verdict, &english.verdict),
            (&spanish.reason, &english.reason),
            (&spanish.complaints, &english.complaints),
        ] {
            assert!(one.keys().eq(other.keys()), "{one:?} {other:?}");
        }
    }
}
