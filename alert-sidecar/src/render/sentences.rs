//! What is said of an incident where there is no message: on the page, and in the terminal.

use jiff::Timestamp;

use super::Renderer;
use crate::incident::Incident;

/// The sentences, as plain text.
#[derive(Clone, Debug)]
pub struct Sentences {
    /// How much it matters.
    pub impact: String,
    /// What people call the system.
    pub system: String,
    /// What users cannot do; of an incident that is over, that they can again.
    pub headline: String,
    /// Since when, or from when to when.
    pub when: String,
    /// Why.
    pub reason: String,
    /// How long it lasted, or has lasted.
    pub duration: String,
}

impl Renderer {
    /// Says what there is to say of an incident, as it stands now.
    pub fn sentences(
        &self,
        incident: &Incident,
        now: Timestamp,
    ) -> Result<Sentences, minijinja::Error> {
        let facts = self.facts(incident, now)?;
        let about = self.about(incident, &facts)?;
        let (headline, when) = if incident.end.is_some() {
            (about.restored, &self.words.when_closed)
        } else {
            (about.headline, &self.words.when_opened)
        };
        Ok(Sentences {
            when: self.say(when, &facts)?,
            headline,
            reason: about.reason,
            impact: facts.impact,
            system: facts.system,
            duration: facts.duration,
        })
    }
}
