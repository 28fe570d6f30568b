//! Puts a delivery into words: subject, plain text and HTML, in the language of those who read it.
//!
//! First every sentence is made as plain text, then the layouts set the sentences; so a layout escapes each text once, and
//! what a page or a probe says can never become markup.

pub mod facts;
pub mod words;

use jiff::{Timestamp, tz::TimeZone};
use minijinja::{
    Environment, UndefinedBehavior, context,
    syntax::SyntaxConfig,
    value::{Serde, Value},
};
use serde::Serialize;
use vigia_contract::data_model::Impact;

use self::{
    facts::Facts,
    words::{Labels, Words},
};
pub use self::{facts::Names, words::Language};
use crate::{
    incident::Incident,
    store::outbox::{Delivery, Kind},
};

/// What a channel brings to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Stands alone on a locked phone. Messages of one incident share it, apart from what stands before it.
    pub subject: String,
    /// For those who read plain text.
    pub text: String,
    /// For those who do not; its picture, where there is one, is `cid:picture`.
    pub html: String,
}

/// The identity by which [`Message::html`] refers to its picture.
pub const PICTURE_ID: &str = "picture";

/// Whether the channel brings a picture beside a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Illustration {
    /// It does.
    Picture,
    /// There is none, and the message says so.
    None,
}

/// How the operator wants messages.
#[derive(Clone, Debug)]
pub struct Style {
    /// Their language.
    pub language: Language,
    /// The clock of those who read them.
    pub time_zone: TimeZone,
    /// The names that people know.
    pub names: Names,
    /// A template of the address of a dashboard; it may use `system`, `journey` and `probe` as they stand in the data.
    pub dashboard: Option<String>,
}

/// Writes messages.
#[derive(Debug)]
pub struct Renderer {
    environment: Environment<'static>,
    words: Words,
    style: Style,
}

/// What the layouts set.
#[derive(Serialize)]
struct Page<'a> {
    language: &'a str,
    colour: &'a str,
    badge: &'a str,
    system: &'a str,
    headline: String,
    when: String,
    reason: String,
    is_over: bool,
    repeat: Option<&'a str>,
    picture: Option<&'a str>,
    picture_id: &'a str,
    /// Nothing where nobody would expect a picture.
    no_picture: Option<&'a str>,
    details: Vec<(&'a str, String)>,
    technical: Option<&'a str>,
    dashboard: Option<String>,
    labels: &'a Labels,
    footer: &'a str,
    automatic: &'a str,
}

/// The sentences about an incident.
struct Said {
    subject: String,
    headline: String,
    restored: String,
    reason: String,
}

impl Renderer {
    /// Reads the layouts.
    pub fn new(style: Style) -> Result<Self, minijinja::Error> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_syntax(
            SyntaxConfig::builder()
                .trim_blocks(true)
                .lstrip_blocks(true)
                .build()?,
        );
        environment.add_template("message.txt", include_str!("templates/message.txt"))?;
        environment.add_template("message.html", include_str!("templates/message.html"))?;
        Ok(Self {
            environment,
            words: style.language.words(),
            style,
        })
    }

    /// Writes one message.
    pub fn render(
        &self,
        delivery: &Delivery,
        illustration: Illustration,
        now: Timestamp,
    ) -> Result<Message, minijinja::Error> {
        let (incident, words) = (delivery.conversation.lead(), &self.words);
        let facts = self.facts(incident, now)?;
        // Where the beginning may have arrived, nobody can say that this is the first that is told.
        let kind = match delivery.kind {
            Kind::Whole if delivery.is_repeat => Kind::Closed,
            kind => kind,
        };
        let [subject, when] = words.of(kind);
        let about = self.about(incident, &facts)?;
        let is_over = delivery.kind.is_end();
        let failure = &incident.failure;
        let labels = &words.labels;
        let moment = |time: Timestamp| {
            time.to_zoned(self.style.time_zone.clone())
                .strftime(&words.moment)
                .to_string()
        };
        let details = [
            (&labels.step, failure.step.clone()),
            (&labels.since, Some(moment(incident.started_at))),
            (
                &labels.until,
                incident
                    .end
                    .as_ref()
                    .filter(|_| is_over)
                    .map(|end| moment(end.at)),
            ),
            (&labels.url, failure.url.clone()),
            (&labels.probe, Some(incident.series.probe.clone())),
            (
                &labels.run,
                incident.has_page().then(|| incident.run_id.clone()),
            ),
        ];
        let page = Page {
            language: self.style.language.code(),
            colour: colour(incident.impact, delivery.kind),
            badge: if is_over {
                &words.impact.restored
            } else {
                &facts.impact
            },
            system: &facts.system,
            headline: if is_over {
                about.restored
            } else {
                about.headline
            },
            when: self.say(when, &facts)?,
            reason: about.reason,
            is_over,
            repeat: delivery.is_repeat.then_some(&words.repeat),
            picture: (illustration == Illustration::Picture).then_some(if is_over {
                &words.picture_closed
            } else {
                &words.picture_opened
            }),
            picture_id: PICTURE_ID,
            no_picture: incident.trouble().is_none().then_some(&words.no_picture),
            details: details
                .into_iter()
                .filter_map(|(label, value)| Some((label.as_str(), value?)))
                .collect(),
            technical: failure.error.as_deref(),
            dashboard: self.dashboard(incident)?,
            labels,
            footer: if is_over {
                &words.footer_closed
            } else {
                &words.footer_opened
            },
            automatic: &words.automatic,
        };
        // A thread keeps its subject, so the clock in it is that of the first message.
        let first = self.facts(incident, incident.started_at)?;
        let thread_subject = self.about(incident, &first)?.subject;
        let subject = self.environment.render_str(
            subject,
            context! { thread_subject, ..Value::from(Serde(&first)) },
        )?;
        Ok(Message {
            // One line, whatever the step is called.
            subject: subject.split_whitespace().collect::<Vec<_>>().join(" "),
            text: self
                .environment
                .get_template("message.txt")?
                .render(Serde(&page))?,
            html: self
                .environment
                .get_template("message.html")?
                .render(Serde(&page))?,
        })
    }

    /// The facts, with the reasons said out of the others.
    fn facts(&self, incident: &Incident, now: Timestamp) -> Result<Facts, minijinja::Error> {
        let mut facts = Facts::new(
            incident,
            &self.words,
            &self.style.names,
            &self.style.time_zone,
            now,
        );
        let class = incident.failure.class.as_deref();
        facts.brief_reason = self.say(self.words.brief_reason.of(class), &facts)?;
        facts.long_reason = self.say(self.words.long_reason.of(class), &facts)?;
        Ok(facts)
    }

    /// What is said of the incident, and what its form makes of it.
    fn about(&self, incident: &Incident, facts: &Facts) -> Result<Said, minijinja::Error> {
        let about = self.words.about(incident);
        let said = Said {
            subject: self.say(about.subject, facts)?,
            headline: self.say(about.headline, facts)?,
            restored: self.say(about.restored, facts)?,
            reason: self.say(about.reason, facts)?,
        };
        let Some(form) = self.words.form(&incident.form) else {
            return Ok(said);
        };
        let formed = |text: &str| {
            let Said {
                subject,
                headline,
                reason,
                ..
            } = &said;
            let names = context! { subject, headline, reason, ..Value::from(Serde(facts)) };
            self.environment.render_str(text, names)
        };
        Ok(Said {
            subject: formed(&form.subject)?,
            headline: formed(&form.headline)?,
            reason: formed(&form.reason)?,
            restored: said.restored,
        })
    }

    fn say(&self, text: &str, facts: &Facts) -> Result<String, minijinja::Error> {
        self.environment.render_str(text, Serde(facts))
    }

    fn dashboard(&self, incident: &Incident) -> Result<Option<String>, minijinja::Error> {
        let series = &incident.series;
        let names = context! { system => &series.system, journey => &series.journey, probe => &series.probe };
        self.style
            .dashboard
            .as_ref()
            .map(|address| self.environment.render_str(address, names))
            .transpose()
    }
}

/// The colour of the band on top; white is read on each of them, by day and by night.
const fn colour(impact: Impact, kind: Kind) -> &'static str {
    match (kind, impact) {
        (Kind::Closed | Kind::Whole, _) => "#1b7a43",
        (_, Impact::Critical) => "#b3261e",
        (_, Impact::High) => "#b45309",
        (_, Impact::Low) => "#4a5568",
    }
}
