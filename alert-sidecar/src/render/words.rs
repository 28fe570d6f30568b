//! The words of each language that messages are written in.

use std::collections::BTreeMap;

use serde::Deserialize;
use vigia_contract::data_model::Impact;

use crate::{
    flux::Trouble,
    incident::{Form, Incident},
    store::outbox::Kind,
};

/// The languages of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Language {
    /// Spanish.
    #[default]
    #[serde(rename = "es")]
    Spanish,
    /// English.
    #[serde(rename = "en")]
    English,
}

impl Language {
    /// The code that HTML states.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Spanish => "es",
            Self::English => "en",
        }
    }

    /// Its words.
    #[must_use]
    pub fn words(self) -> Words {
        let text = match self {
            Self::Spanish => include_str!("words/es.toml"),
            Self::English => include_str!("words/en.toml"),
        };
        toml::from_str(text).expect("the shipped words are complete: a test reads them")
    }
}

/// Every text that a message is made of; each is a template.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "the names say where each text stands; the texts themselves are in words/"
)]
pub struct Words {
    pub subject_opened: String,
    pub subject_closed: String,
    pub subject_whole: String,
    pub subject_updated: String,
    pub subject_reminder: String,
    pub subject_escalated: String,
    pub subject_notice: String,
    /// The system of several incidents; uses `system` and `count`.
    pub and_more: String,
    /// The line of one of several incidents that is over; uses `subject` and `duration`.
    pub member_over: String,
    pub headline_opened: String,
    pub headline_closed: String,
    pub when_opened: String,
    pub when_closed: String,
    pub when_whole: String,
    pub when_reminder: String,
    pub when_escalated: String,
    pub reason: String,
    pub repeat: String,
    pub no_picture: String,
    pub shortened: String,
    /// Uses `{n}`, which is no template: it is counted last.
    pub more: String,
    pub picture_opened: String,
    pub picture_closed: String,
    pub picture_before: String,
    pub footer_opened: String,
    /// Where what follows goes elsewhere than the first message.
    pub footer_apart: String,
    pub footer_closed: String,
    pub automatic: String,
    pub date: String,
    pub on_date: String,
    pub today: String,
    pub moment: String,
    pub flapping: FormWords,
    pub local: FormWords,
    pub digest: DigestWords,
    pub test: TestWords,
    pub impact: ImpactWords,
    pub labels: Labels,
    /// By the name of the trouble.
    pub trouble: BTreeMap<String, TroubleWords>,
    pub brief_reason: Reasons,
    pub long_reason: Reasons,
}

impl Words {
    /// What is said of this incident, whatever its form.
    #[must_use]
    pub fn about(&self, incident: &Incident) -> About<'_> {
        let trouble = incident.trouble().map(Trouble::name);
        match trouble.and_then(|name| self.trouble.get(name)) {
            Some(words) => About {
                subject: &words.subject,
                headline: &words.headline,
                restored: &words.restored,
                reason: &words.reason,
            },
            None => About {
                subject: &self.subject_opened,
                headline: &self.headline_opened,
                restored: &self.headline_closed,
                reason: &self.reason,
            },
        }
    }

    /// What the form adds to it.
    #[must_use]
    pub const fn form(&self, form: &Form) -> Option<&FormWords> {
        match form {
            Form::Failing => None,
            Form::Flapping => Some(&self.flapping),
            Form::Local(_) => Some(&self.local),
        }
    }

    /// What a message of this kind says, whatever it is about.
    #[must_use]
    pub fn of(&self, kind: Kind) -> Told<'_> {
        let told = |subject, when, footer| Told {
            subject,
            when,
            footer,
        };
        let (when, footer) = (self.when_opened.as_str(), self.footer_opened.as_str());
        match kind {
            Kind::Opened => told("{{ thread_subject }}", when, footer),
            Kind::Updated => told(&self.subject_updated, when, footer),
            Kind::Closed => told(&self.subject_closed, &self.when_closed, &self.footer_closed),
            Kind::Whole => told(&self.subject_whole, &self.when_whole, &self.footer_closed),
            Kind::Reminder => told(&self.subject_reminder, &self.when_reminder, footer),
            Kind::Escalated => told(&self.subject_escalated, &self.when_escalated, footer),
            Kind::Digest => told(&self.digest.subject, &self.digest.when, &self.digest.footer),
            Kind::Notice => told(&self.subject_notice, when, footer),
        }
    }
}

/// What a kind of message says; each is a template.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// Made of `thread_subject`, that of the conversation's first message.
    pub subject: &'a str,
    /// Since when, or how long it lasted.
    pub when: &'a str,
    /// What happens next; no template.
    pub footer: &'a str,
}

/// The texts about one kind of trouble; each is a template.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// Stands alone on a locked phone.
    pub subject: &'a str,
    /// While it lasts.
    pub headline: &'a str,
    /// When it is over.
    pub restored: &'a str,
    /// Why, as a sentence.
    pub reason: &'a str,
}

/// What is said of a kind of trouble that is not a journey that failed; see [`About`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "named like the fields of `About`")]
pub struct TroubleWords {
    pub subject: String,
    pub headline: String,
    pub restored: String,
    pub reason: String,
}

/// What a form makes of the texts, which it may use as `subject`, `headline` and `reason`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "named like what they replace")]
pub struct FormWords {
    pub subject: String,
    pub headline: String,
    pub reason: String,
}

/// What a digest says besides its incidents; `subject` and `headline` use `count`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "named like the parts of a message")]
pub struct DigestWords {
    pub subject: String,
    pub badge: String,
    pub system: String,
    pub headline: String,
    pub when: String,
    pub reason: String,
    pub footer: String,
    /// What stands before its incidents.
    pub others: String,
}

/// What the system and the journey of a test are called, so that nobody takes it for an incident.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "named like what they stand for")]
pub struct TestWords {
    pub system: String,
    pub journey: String,
}

/// How much it matters, and that it is over.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "named like the impacts")]
pub struct ImpactWords {
    pub critical: String,
    pub high: String,
    pub low: String,
    pub restored: String,
}

impl ImpactWords {
    /// The word for this impact.
    #[must_use]
    pub fn of(&self, impact: Impact) -> &str {
        match impact {
            Impact::Critical => &self.critical,
            Impact::High => &self.high,
            Impact::Low => &self.low,
        }
    }
}

/// What stands before the details.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "named like what they stand before")]
pub struct Labels {
    pub step: String,
    pub probe: String,
    pub since: String,
    pub until: String,
    pub url: String,
    pub run: String,
    pub acknowledge: String,
    pub silence: String,
    pub dashboard: String,
    pub status: String,
    /// In place of a picture that is not shown; its caption stands below it.
    pub picture: String,
    pub technical: String,
    pub others: String,
    pub was: String,
    /// In place of `others`, where all of them are over.
    pub others_over: String,
    /// In place of `others`, where some of them are over.
    pub others_mixed: String,
}

/// A reason for each class of error that the system itself can cause.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "named like the classes of `vigia_contract::data_model::ErrorClass`"
)]
pub struct Reasons {
    pub dns: String,
    pub connect: String,
    pub tls: String,
    pub http_status: String,
    pub timeout: String,
    pub element_missing: String,
    pub not_actionable: String,
    pub assertion: String,
    pub script: String,
    pub dialog: String,
    pub download: String,
    pub crash: String,
    pub other: String,
}

impl Reasons {
    /// The reason for the class of this name; a probe of a later version may know more classes.
    #[must_use]
    pub fn of(&self, class: Option<&str>) -> &str {
        match class {
            Some("dns") => &self.dns,
            Some("connect") => &self.connect,
            Some("tls") => &self.tls,
            Some("http_status") => &self.http_status,
            Some("timeout") => &self.timeout,
            Some("element_missing") => &self.element_missing,
            Some("not_actionable") => &self.not_actionable,
            Some("assertion") => &self.assertion,
            Some("script") => &self.script,
            Some("dialog") => &self.dialog,
            Some("download") => &self.download,
            Some("crash") => &self.crash,
            _ => &self.other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trouble_has_its_words_in_every_language_and_no_other_has() {
        for language in [Language::Spanish, Language::English] {
            let words = language.words();
            let mut named: Vec<&str> = words.trouble.keys().map(String::as_str).collect();
            let mut troubles = Trouble::ALL.map(Trouble::name).to_vec();
            named.sort_unstable();
            troubles.sort_unstable();
            assert_eq!(named, troubles, "{language:?}");
        }
    }
}
