//! Puts a delivery into words: subject, plain text and the channel's markup, in the language of those who read it.
//!
//! First every sentence is made as plain text ([`parts`]), then the layouts set the sentences; so a layout escapes each text
//! once ([`markup`]), and what a page or a probe says can never become markup.

pub mod facts;
pub mod link;
pub mod markup;
pub mod parts;
pub mod sample;
mod sentences;
pub mod templates;
pub mod words;

use jiff::{Timestamp, tz::TimeZone};
use minijinja::{
    Environment, Template, UndefinedBehavior, context,
    syntax::SyntaxConfig,
    value::{Serde, Value},
};
use vigia_contract::data_model::Impact;

use self::{
    facts::Facts,
    link::{Action, Purpose, Shown, Signer},
    parts::MEASURES,
    words::{Labels, Words},
};
pub use self::{
    facts::Names,
    markup::{Markup, Room, cut},
    parts::{Link, Member, Parts, PictureLink},
    sentences::Sentences,
    templates::Templates,
    words::Language,
};
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
    /// In the channel's markup, within its room. Of [`Markup::Html`] the first picture, where there is one, is `cid:picture`, the
    /// second is `cid:picture-2`.
    pub marked: String,
    /// What [`Message::marked`] is made of, for services that ask for fields.
    pub parts: Parts,
}

/// The identity by which a page refers to its picture.
pub const PICTURE_ID: &str = "picture";

/// Whether the channel brings a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Illustration {
    /// So many are in the message.
    Pictures(usize),
    /// So many are there, and the message says where.
    Linked(usize),
    /// There is none, and the message says so.
    None,
    /// After the message, if there is one: it says nothing of it.
    Later,
}

/// How a channel wants a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Its markup.
    pub markup: Markup,
    /// How long it may be.
    pub room: Room,
    /// Whether there is a picture.
    pub illustration: Illustration,
    /// Whether what follows goes where the first message went.
    pub is_one_thread: bool,
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
    /// The operator's own templates, by their names.
    pub templates: Templates,
    /// A template of the address of a dashboard; it may use `system`, `journey` and `probe` as they stand in the data.
    pub dashboard: Option<String>,
    /// Where people reach the status page, without a slash at the end.
    pub page: Option<String>,
    /// Signs the links by which whoever got a message acknowledges and silences; without it messages have none.
    pub signer: Option<Signer>,
}

impl Style {
    /// Whether messages can say where services find pictures.
    #[must_use]
    pub fn links_pictures(&self) -> bool {
        self.signer.as_ref().is_some_and(Signer::shows_pictures)
    }
}

/// Writes messages.
#[derive(Debug)]
pub struct Renderer {
    environment: Environment<'static>,
    /// The operator's own templates.
    own: Environment<'static>,
    words: Words,
    style: Style,
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
        let mut shipped = environment()?;
        for markup in Markup::ALL {
            shipped.add_template(markup.template(), markup.shipped())?;
        }
        let mut own = environment()?;
        for (name, text) in &style.templates {
            own.add_template_owned(*name, text.clone())?;
        }
        Ok(Self {
            environment: shipped,
            own,
            words: style.language.words(),
            style,
        })
    }

    /// Whether it can say where services find pictures.
    #[must_use]
    pub fn links_pictures(&self) -> bool {
        self.style.links_pictures()
    }

    /// Writes one message.
    pub fn render(
        &self,
        delivery: &Delivery,
        layout: Layout,
        now: Timestamp,
    ) -> Result<Message, minijinja::Error> {
        let parts = self.parts(delivery, layout, now)?;
        let (text, _) = self.set(Markup::Plain, layout.room, &parts)?;
        let (marked, parts) = self.set(layout.markup, layout.room, &parts)?;
        Ok(Message {
            subject: self.subject(delivery, now)?,
            text,
            marked,
            parts,
        })
    }

    /// What the operator's own template says of a message.
    fn render_own(
        &self,
        delivery: &Delivery,
        layout: Layout,
        now: Timestamp,
    ) -> Result<String, minijinja::Error> {
        let parts = self.parts(delivery, layout, now)?;
        let own = self.own.get_template(layout.markup.template())?;
        own.render(Serde(&parts))
    }

    /// The parts in this markup, and no more of them than there is room for; with those that were kept. What the operator's
    /// own template cannot say is said by the shipped one.
    fn set(
        &self,
        markup: Markup,
        room: Room,
        parts: &Parts,
    ) -> Result<(String, Parts), minijinja::Error> {
        if let Ok(own) = self.own.get_template(markup.template()) {
            let trouble = match self.fit(&own, room, parts) {
                Ok(Some(set)) => return Ok(set),
                Ok(None) => "it is too long however little it is given".to_owned(),
                Err(error) => error.to_string(),
            };
            let template = markup.template();
            tracing::warn!(
                template,
                trouble,
                "a template of yours fails; the shipped one stands in"
            );
        }
        let template = self.environment.get_template(markup.template())?;
        if let Some(set) = self.fit(&template, room, parts)? {
            return Ok(set);
        }
        let most = match room {
            Room::Unlimited => usize::MAX,
            // A letter may need an escape of six, and be shown as two.
            Room::Letters(most) | Room::Bytes(most) => most / 12,
        };
        let headline = cut(&parts.headline, most);
        Ok((markup.escape(&headline), parts.clone()))
    }

    /// As much as there is room for, if there is room for anything.
    fn fit(
        &self,
        template: &Template<'_, '_>,
        room: Room,
        parts: &Parts,
    ) -> Result<Option<(String, Parts)>, minijinja::Error> {
        let whole = template.render(Serde(parts))?;
        if room.takes(&whole) {
            return Ok(Some((whole, parts.clone())));
        }
        for measure in MEASURES {
            let kept = parts.within(measure, &self.words.shortened, &self.words.more);
            let less = template.render(Serde(&kept))?;
            if room.takes(&less) {
                return Ok(Some((less, kept)));
            }
        }
        Ok(None)
    }

    fn parts(
        &self,
        delivery: &Delivery,
        layout: Layout,
        now: Timestamp,
    ) -> Result<Parts, minijinja::Error> {
        let illustration = layout.illustration;
        let (incident, words) = (delivery.conversation.lead(), &self.words);
        let incidents = &delivery.conversation.incidents;
        let facts = self.facts(incident, now)?;
        // Where the beginning may have arrived, nobody can say that this is the first that is told.
        let kind = match delivery.kind {
            Kind::Whole if delivery.is_repeat => Kind::Closed,
            kind => kind,
        };
        let is_digest = kind == Kind::Digest;
        let is_over = kind.is_end();
        let about = self.about(incident, &facts)?;
        let told = words.of(kind);
        let failure = &incident.failure;
        let (colour, symbol) = colour(incident.impact, kind);
        let (captions, pictures) = self.illustrate(incident, is_over, illustration, now);
        let members = incidents
            .iter()
            .map(|incident| self.member(incident))
            .collect::<Result<Vec<_>, _>>()?;
        let lead = usize::from(!is_digest);
        let headline = match (is_digest, is_over) {
            (true, _) => self.count(&words.digest.headline, &members)?,
            (false, true) => about.restored,
            (false, false) => about.headline,
        };
        Ok(Parts {
            language: self.style.language.code(),
            kind: delivery.kind.name(),
            impact: incident.impact,
            colour,
            symbol,
            badge: match (is_digest, is_over) {
                (true, _) => words.digest.badge.clone(),
                (false, true) => words.impact.restored.clone(),
                (false, false) => facts.impact.clone(),
            },
            system: if is_digest {
                words.digest.system.clone()
            } else {
                self.system(&facts, &members)?
            },
            headline,
            when: self.say(told.when, &facts)?,
            reason: if is_digest {
                words.digest.reason.clone()
            } else {
                about.reason
            },
            is_over,
            repeat: delivery.is_repeat.then(|| words.repeat.clone()),
            captions,
            pictures,
            has_pictures: matches!(illustration, Illustration::Pictures(_)),
            picture_id: PICTURE_ID,
            no_picture: (illustration == Illustration::None
                && incident.trouble().is_none()
                && !is_digest)
                .then(|| words.no_picture.clone()),
            details: if is_digest {
                Vec::new()
            } else {
                self.details(incident, is_over)
            },
            technical: failure.error.clone().filter(|_| !is_over && !is_digest),
            others: members
                .iter()
                .skip(lead)
                .map(|member| member.line.clone())
                .collect(),
            links: self.links(delivery, now)?,
            shortened: None,
            footer: if is_over || is_digest || layout.is_one_thread {
                told.footer.to_owned()
            } else {
                words.footer_apart.clone()
            },
            automatic: words.automatic.clone(),
            labels: self.labels(is_digest, &members[lead.min(members.len())..]),
            members,
        })
    }

    /// What stands before parts; before the others, what they have in common.
    fn labels(&self, is_digest: bool, others: &[Member]) -> Labels {
        let words = &self.words;
        let mut labels = words.labels.clone();
        let over = others.iter().filter(|member| member.ended_at.is_some());
        let over = over.count();
        if is_digest {
            labels.others.clone_from(&words.digest.others);
        } else if over > 0 && over == others.len() {
            labels.others.clone_from(&words.labels.others_over);
        } else if over > 0 {
            labels.others.clone_from(&words.labels.others_mixed);
        }
        labels
    }

    /// What each picture shows, and where services find those that they fetch.
    fn illustrate(
        &self,
        incident: &Incident,
        is_over: bool,
        illustration: Illustration,
        now: Timestamp,
    ) -> (Vec<String>, Vec<PictureLink>) {
        let words = &self.words;
        let shown = if is_over {
            vec![(Shown::Restored, &words.picture_closed)]
        } else {
            vec![
                (Shown::Failed, &words.picture_opened),
                (Shown::Before, &words.picture_before),
            ]
        };
        let most = match illustration {
            Illustration::Pictures(most) | Illustration::Linked(most) => most,
            Illustration::None | Illustration::Later => shown.len(),
        };
        let shown = shown.into_iter().take(most);
        let captions = shown.clone().map(|(_, caption)| caption.clone()).collect();
        let signer = self.style.signer.as_ref();
        let signer = signer.filter(|signer| {
            signer.shows_pictures() && matches!(illustration, Illustration::Linked(_))
        });
        let pictures = signer.into_iter().flat_map(|signer| {
            shown.clone().map(|(picture, caption)| PictureLink {
                address: signer.address(Purpose::Show(picture), &incident.id, now),
                caption: caption.clone(),
            })
        });
        (captions, pictures.collect())
    }

    fn member(&self, incident: &Incident) -> Result<Member, minijinja::Error> {
        let facts = self.facts(incident, incident.started_at)?;
        let mut line = self.about(incident, &facts)?.subject;
        if let Some(end) = &incident.end {
            let facts = self.facts(incident, end.at)?;
            let duration = facts.duration;
            let names = context! { subject => line, duration };
            line = self
                .environment
                .render_str(&self.words.member_over, names)?;
        }
        Ok(Member {
            id: incident.id.clone(),
            rule: incident.rule.clone(),
            system: incident.series.system.clone(),
            journey: incident.series.journey.clone(),
            probe: incident.series.probe.clone(),
            impact: incident.impact,
            started_at: incident.started_at,
            ended_at: incident.end.as_ref().map(|end| end.at),
            line,
        })
    }

    /// The system, and how many more incidents there are.
    fn system(&self, facts: &Facts, members: &[Member]) -> Result<String, minijinja::Error> {
        match members.len().saturating_sub(1) {
            0 => Ok(facts.system.clone()),
            count => {
                let names = context! { system => &facts.system, count };
                self.environment.render_str(&self.words.and_more, names)
            }
        }
    }

    fn count(&self, text: &str, members: &[Member]) -> Result<String, minijinja::Error> {
        self.environment
            .render_str(text, context! { count => members.len() })
    }

    /// What stands in the data, with a label before each.
    fn details(&self, incident: &Incident, is_over: bool) -> Vec<(String, String)> {
        let labels = &self.words.labels;
        let moment = |time: Timestamp| {
            time.to_zoned(self.style.time_zone.clone())
                .strftime(&self.words.moment)
                .to_string()
        };
        let end = incident.end.as_ref().filter(|_| is_over);
        let details = [
            (&labels.step, incident.failure.step.clone()),
            (&labels.since, Some(moment(incident.started_at))),
            (&labels.until, end.map(|end| moment(end.at))),
            (&labels.url, incident.failure.url.clone()),
            (&labels.probe, Some(incident.series.probe.clone())),
            (
                &labels.run,
                incident.has_page().then(|| incident.run_id.clone()),
            ),
        ];
        details
            .into_iter()
            .filter_map(|(label, value)| Some((label.clone(), value?)))
            .collect()
    }

    /// One line that stands alone.
    fn subject(&self, delivery: &Delivery, now: Timestamp) -> Result<String, minijinja::Error> {
        let incident = delivery.conversation.lead();
        let count = delivery.conversation.incidents.len();
        let facts = self.facts(incident, now)?;
        // A thread keeps its subject, so the clock in it is that of the first message.
        let mut first = self.facts(incident, incident.started_at)?;
        if count > 1 {
            let names = context! { system => &first.system, count => count - 1 };
            first.system = self.environment.render_str(&self.words.and_more, names)?;
        }
        let thread_subject = self.about(incident, &first)?.subject;
        let names = context! { thread_subject, count, ..Value::from(Serde(&facts)) };
        let subject = self.words.of(delivery.kind).subject;
        let subject = self.environment.render_str(subject, names)?;
        // One line, whatever the step is called.
        Ok(subject.split_whitespace().collect::<Vec<_>>().join(" "))
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

    /// The ways on: first what somebody can do about it while it lasts, then where to look.
    fn links(&self, delivery: &Delivery, now: Timestamp) -> Result<Vec<Link>, minijinja::Error> {
        let labels = &self.words.labels;
        let series = &delivery.conversation.lead().series;
        let names = context! { system => &series.system, journey => &series.journey, probe => &series.probe };
        let dashboard = self
            .style
            .dashboard
            .as_ref()
            .map(|address| self.environment.render_str(address, names))
            .transpose()?;
        let lasts = !delivery.kind.is_end() && delivery.kind != Kind::Digest;
        let acts = self
            .style
            .signer
            .iter()
            .filter(|_| lasts)
            .flat_map(|signer| {
                let to =
                    |action| signer.address(Purpose::Do(action), &delivery.conversation.id, now);
                [
                    (
                        Action::Acknowledge.name(),
                        &labels.acknowledge,
                        to(Action::Acknowledge),
                    ),
                    (Action::Silence.name(), &labels.silence, to(Action::Silence)),
                ]
            });
        let dashboard = dashboard.map(|address| ("dashboard", &labels.dashboard, address));
        let page = self.style.page.clone();
        let status = page.map(|address| ("status", &labels.status, address));
        let links = acts.chain(dashboard).chain(status);
        Ok(links
            .map(|(purpose, label, address)| Link {
                purpose,
                label: label.clone(),
                address,
            })
            .collect())
    }
}

/// What layouts are read in.
fn environment() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()?,
    );
    environment.set_auto_escape_callback(markup::auto_escape);
    environment.set_formatter(markup::print);
    environment.add_function("link", markup::link);
    Ok(environment)
}

/// The colour of the band on top, and a sign for those who have no colours; white is read on each colour, by day and by night.
const fn colour(impact: Impact, kind: Kind) -> (&'static str, &'static str) {
    match (kind, impact) {
        (Kind::Closed | Kind::Whole, _) => ("#1b7a43", "🟢"),
        (Kind::Digest, _) => ("#4a5568", "📋"),
        (_, Impact::Critical) => ("#b3261e", "🔴"),
        (_, Impact::High) => ("#b45309", "🟠"),
        (_, Impact::Low) => ("#4a5568", "⚪"),
    }
}
