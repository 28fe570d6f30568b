//! What stands on the page: how everything stands goes in, HTML comes out. Pure.
//!
//! The layouts escape every text once, so that nothing that a page, a probe or a mail server says can become markup; and there
//! is no script on any page, nor may there be one.

use std::collections::BTreeSet;

use jiff::{Timestamp, tz::TimeZone};
use minijinja::{
    Environment, UndefinedBehavior, context,
    syntax::SyntaxConfig,
    value::{Serde, Value},
};
use serde::Serialize;
use vigia_contract::data_model::Impact;

use super::{
    act::SPANS,
    standing::{self, Standing, State},
    words::Words,
};
use crate::{
    health::Complaint,
    incident::Incident,
    render::{Language, Names, Renderer, Style, link::Action},
    route::{
        decision::Recorded,
        silence::{Refusal, Silence},
    },
    store::{
        conversations::Conversation,
        decisions::Case,
        outbox::{Progress, State as Sending},
        overview::Overview,
    },
};

/// After how many seconds a browser looks again.
const REFRESH_S: u32 = 30;

/// Writes pages in one language.
#[derive(Debug)]
pub struct View {
    environment: Environment<'static>,
    words: Words,
    language: Language,
    names: Names,
    time_zone: TimeZone,
    renderer: Renderer,
    base: String,
}

/// What stands in the frame around every page.
#[derive(Clone, Copy, Debug)]
struct Head<'a> {
    colour: &'a str,
    heading: &'a str,
    detail: &'a str,
}

#[derive(Serialize)]
struct IncidentCard {
    id: String,
    class: &'static str,
    impact: String,
    system: String,
    headline: String,
    when: String,
    duration: String,
    reason: String,
    picture: bool,
    acknowledged: Option<String>,
    is_open: bool,
}

#[derive(Serialize)]
struct Group<'a> {
    name: &'a str,
    systems: Vec<SystemRow<'a>>,
}

#[derive(Serialize)]
struct SystemRow<'a> {
    name: String,
    state: &'a str,
    word: &'a str,
    mark: &'a str,
    since: Option<String>,
    looked: Option<String>,
}

#[derive(Serialize)]
struct MessageRow<'a> {
    class: &'a str,
    state: &'a str,
    at: String,
    kind: &'a str,
    headline: Option<String>,
    system: Option<String>,
    /// How many other incidents it is about.
    more: usize,
    channel: &'a str,
    recipient: &'a str,
    answer: Option<&'a str>,
}

#[derive(Serialize)]
struct SilenceRow {
    id: String,
    what: String,
    until: String,
    author: String,
    comment: String,
}

#[derive(Serialize)]
struct DecisionRow {
    at: String,
    text: String,
}

/// The form of [`super::act`].
#[derive(Clone, Copy, Debug)]
pub struct ActForm<'a> {
    /// What it does.
    pub action: Action,
    /// About what.
    pub about: &'a str,
    /// The end and the signature of the link that it came by.
    pub link: Option<(i64, &'a str)>,
    /// The mark of the page, where it came by no link.
    pub mark: Option<&'a str>,
    /// Who.
    pub person: &'a str,
    /// Why.
    pub comment: &'a str,
    /// What was wrong with it.
    pub refusals: &'a [Refusal],
}

/// What was done.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// This.
    pub action: Action,
    /// To so many.
    pub count: usize,
    /// By whom.
    pub person: String,
    /// Whether whoever did it may look at the other pages.
    pub leads_back: bool,
}

/// Why a page says that it has nothing to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// There is no such thing.
    Gone,
    /// The form was not ours, or too old.
    Refused,
    /// The store does not answer.
    Away,
    /// The link is not ours.
    LinkInvalid,
    /// The link is too old.
    LinkExpired,
}

impl View {
    /// Pages in this language, under this path.
    pub fn new(style: &Style, language: Language, base: &str) -> Result<Self, minijinja::Error> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_syntax(
            SyntaxConfig::builder()
                .trim_blocks(true)
                .lstrip_blocks(true)
                .build()?,
        );
        for (name, text) in [
            ("frame.html", include_str!("templates/frame.html")),
            ("status.html", include_str!("templates/status.html")),
            ("incident.html", include_str!("templates/incident.html")),
            ("act.html", include_str!("templates/act.html")),
            ("login.html", include_str!("templates/login.html")),
            ("notice.html", include_str!("templates/notice.html")),
        ] {
            environment.add_template(name, text)?;
        }
        let style = Style {
            language,
            ..style.clone()
        };
        Ok(Self {
            environment,
            words: Words::of(language),
            language,
            names: style.names.clone(),
            time_zone: style.time_zone.clone(),
            renderer: Renderer::new(style)?,
            base: base.to_owned(),
        })
    }

    /// Whether there is a problem.
    pub fn status(
        &self,
        overview: &Overview,
        journey_rules: &BTreeSet<String>,
        complaints: &[Complaint],
        now: Timestamp,
    ) -> Result<String, minijinja::Error> {
        let standings = standing::standings(overview, journey_rules, now);
        let (state, heading, detail) = self.verdict(overview, &standings)?;
        let mut open: Vec<&Incident> = overview.open.iter().collect();
        open.sort_by_key(|incident| (incident.impact, incident.started_at));
        let incidents = open
            .into_iter()
            .map(|incident| {
                let by = overview.acknowledged.get(&incident.id);
                self.card(incident, by.map(String::as_str), now)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let messages = overview
            .messages
            .iter()
            .map(|(sent, about)| self.message(sent, Some(about), now))
            .collect::<Result<Vec<_>, _>>()?;
        let head = Head {
            colour: state.name(),
            heading: &heading,
            detail: &detail,
        };
        let complaints = complaints
            .iter()
            .map(|complaint| self.complaint(complaint, now))
            .collect::<Result<Vec<_>, _>>()?;
        let page = context! {
            refresh => REFRESH_S,
            now => self.say(&self.words.as_of, context! { now => self.time(now, &self.words.moment) })?,
            complaints,
            incidents => Value::from(Serde(&incidents)),
            impacts => Value::from(Serde(&self.groups(&standings, now)?)),
            silences => Value::from(Serde(&self.silences(&overview.silences, now)?)),
            messages => Value::from(Serde(&messages)),
        };
        self.page("status.html", head, page)
    }

    /// Everything about one incident.
    pub fn incident(&self, case: &Case, now: Timestamp) -> Result<String, minijinja::Error> {
        let incident = &case.incident;
        let by = case.acknowledgements.last();
        let card = self.card(incident, by.map(|by| by.person.as_str()), now)?;
        let failure = &incident.failure;
        let words = &self.words;
        let details: Vec<(String, String)> = [
            (&words.step, failure.step.as_ref()),
            (&words.url, failure.url.as_ref()),
            (&words.technical, failure.error.as_ref()),
            (&words.probe, Some(&incident.series.probe)),
            (&words.rule, Some(&incident.rule)),
            (&words.incident, Some(&incident.id)),
        ]
        .into_iter()
        .filter_map(|(label, value)| Some((label.clone(), value?.clone())))
        .collect();
        let messages = case
            .deliveries
            .iter()
            .map(|sent| self.message(sent, None, now))
            .collect::<Result<Vec<_>, _>>()?;
        let decisions: Vec<_> = case
            .decisions
            .iter()
            .map(|decision| {
                Ok(DecisionRow {
                    at: self.time(decision.at, &words.moment),
                    text: self.decision(decision, now)?,
                })
            })
            .collect::<Result<_, minijinja::Error>>()?;
        let heading = card.headline.clone();
        let detail = format!("{} ({})", card.when, card.duration);
        let head = Head {
            colour: match (&incident.end, incident.trouble()) {
                (Some(_), _) => State::Well.name(),
                (None, None) => State::Down.name(),
                (None, Some(_)) => State::Degraded.name(),
            },
            heading: &heading,
            detail: &detail,
        };
        let page = context! {
            incident => Value::from(Serde(&card)),
            details,
            messages => Value::from(Serde(&messages)),
            decisions => Value::from(Serde(&decisions)),
        };
        self.page("incident.html", head, page)
    }

    /// Asks who acknowledges or silences, and why.
    pub fn act(
        &self,
        form: &ActForm<'_>,
        incidents: &[Incident],
        now: Timestamp,
    ) -> Result<String, minijinja::Error> {
        let words = &self.words;
        let (heading, detail) = match form.action {
            Action::Acknowledge => (&words.acknowledge, &words.acknowledge_detail),
            Action::Silence => (&words.silence, &words.silence_detail),
        };
        let cards = incidents
            .iter()
            .map(|incident| self.card(incident, None, now))
            .collect::<Result<Vec<_>, _>>()?;
        let refusals: Vec<String> = form
            .refusals
            .iter()
            .map(|refusal| Words::named(&words.refusal, refusal_name(*refusal)).to_owned())
            .collect();
        let spans: Vec<_> = SPANS
            .iter()
            .map(|(name, _)| (*name, Words::named(&words.span, name).to_owned()))
            .collect();
        let head = Head {
            colour: "plain",
            heading,
            detail,
        };
        let page = context! {
            action => form.action.name(),
            is_silence => form.action == Action::Silence,
            about => form.about,
            until => form.link.map(|(until, _)| until),
            signature => form.link.map(|(_, signature)| signature),
            mark => form.mark,
            person => form.person,
            comment => form.comment,
            refusals,
            spans,
            incidents => Value::from(Serde(&cards)),
        };
        self.page("act.html", head, page)
    }

    /// Says what was done.
    pub fn done(&self, outcome: &Outcome) -> Result<String, minijinja::Error> {
        let words = &self.words;
        let text = match (outcome.action, outcome.count) {
            (Action::Acknowledge, 0) => &words.acknowledged_nothing,
            (Action::Acknowledge, _) => &words.acknowledged,
            (Action::Silence, _) => &words.silenced,
        };
        let head = Head {
            colour: if outcome.count > 0 { "well" } else { "plain" },
            heading: &self.say(text, context! { person => &outcome.person })?,
            detail: "",
        };
        self.page(
            "notice.html",
            head,
            context! { no_way_back => !outcome.leads_back },
        )
    }

    /// Asks for the token.
    pub fn login(&self, has_token: bool, is_wrong: bool) -> Result<String, minijinja::Error> {
        let head = Head {
            colour: "plain",
            heading: &self.words.title,
            detail: "",
        };
        self.page("login.html", head, context! { has_token, is_wrong })
    }

    /// Says why there is nothing to show.
    pub fn notice(&self, notice: Notice) -> Result<String, minijinja::Error> {
        let words = &self.words;
        let (heading, detail) = match notice {
            Notice::Gone => (&words.gone, words.gone_detail.as_str()),
            Notice::Refused => (&words.refused, words.refused_detail.as_str()),
            Notice::Away => (&words.away, ""),
            Notice::LinkInvalid => (&words.link_invalid, words.link_invalid_detail.as_str()),
            Notice::LinkExpired => (&words.link_expired, words.link_expired_detail.as_str()),
        };
        let head = Head {
            colour: "plain",
            heading,
            detail,
        };
        self.page("notice.html", head, context! {})
    }

    fn page(
        &self,
        template: &str,
        head: Head<'_>,
        page: Value,
    ) -> Result<String, minijinja::Error> {
        let other = match self.language {
            Language::Spanish => Language::English,
            Language::English => Language::Spanish,
        };
        let frame = context! {
            language => self.language.code(),
            other_language => if template == "status.html" { Some(other.code()) } else { None },
            base => &self.base,
            words => Value::from(Serde(&self.words)),
            colour => head.colour,
            heading => head.heading,
            detail => head.detail,
            refresh => Value::UNDEFINED,
            now => Value::UNDEFINED,
        };
        self.environment
            .get_template(template)?
            .render(context! { ..page, ..frame })
    }

    /// The answer to the question that people come with.
    fn verdict(
        &self,
        overview: &Overview,
        standings: &[Standing],
    ) -> Result<(State, String, String), minijinja::Error> {
        let words = &self.words;
        let count = |wanted: State| {
            standings
                .iter()
                .filter(|standing| standing.state == wanted)
                .count()
        };
        let counted = |text: &str, count: usize| self.say(text, context! { count });
        let down = count(State::Down);
        let critical = standings
            .iter()
            .filter(|standing| standing.state == State::Down && standing.impact == Impact::Critical)
            .count();
        let mut said = Vec::new();
        if critical > 0 {
            said.push((State::Down, counted(&words.down_critical, critical)?));
        }
        if down > critical {
            said.push((State::Down, counted(&words.down, down - critical)?));
        }
        if standing::is_blind(&overview.open) {
            said.push((State::Unknown, words.blind.clone()));
        } else if count(State::Unknown) > 0 {
            said.push((
                State::Unknown,
                counted(&words.unknown, count(State::Unknown))?,
            ));
        }
        if count(State::Degraded) > 0 {
            said.push((
                State::Degraded,
                counted(&words.degraded, count(State::Degraded))?,
            ));
        }
        if count(State::Suspicious) > 0 {
            said.push((
                State::Suspicious,
                counted(&words.suspicious, count(State::Suspicious))?,
            ));
        }
        if said.is_empty() && !overview.open.is_empty() {
            said.push((State::Degraded, counted(&words.other, overview.open.len())?));
        }
        let mut said = said.into_iter();
        Ok(match said.next() {
            Some((state, heading)) => {
                let rest: Vec<String> = said.map(|(_, text)| text).collect();
                (state, heading, rest.join(" · "))
            }
            None if standings.is_empty() => (
                State::Unknown,
                words.nothing.clone(),
                words.nothing_detail.clone(),
            ),
            None => (State::Well, words.well.clone(), words.well_detail.clone()),
        })
    }

    fn groups(
        &self,
        standings: &[Standing],
        now: Timestamp,
    ) -> Result<Vec<Group<'_>>, minijinja::Error> {
        let mut groups = Vec::new();
        for impact in Impact::ALL {
            let systems = standings
                .iter()
                .filter(|standing| standing.impact == impact)
                .map(|standing| self.system(standing, now))
                .collect::<Result<Vec<_>, _>>()?;
            if !systems.is_empty() {
                groups.push(Group {
                    name: Words::named(&self.words.impact, impact.name()),
                    systems,
                });
            }
        }
        Ok(groups)
    }

    fn system(
        &self,
        standing: &Standing,
        now: Timestamp,
    ) -> Result<SystemRow<'_>, minijinja::Error> {
        let words = &self.words;
        let since = match (standing.since, standing.state) {
            (Some(at), _) => Some(self.say(&words.since, context! { at => self.brief(at, now) })?),
            (None, State::Well) => Some(words.never.clone()),
            (None, _) => None,
        };
        let looked = standing
            .looked
            .map(|at| self.say(&words.looked, context! { at => self.brief(at, now) }))
            .transpose()?;
        Ok(SystemRow {
            name: crate::render::facts::shown(&standing.system, &self.names),
            state: standing.state.name(),
            word: Words::named(&words.state, standing.state.name()),
            mark: mark(standing.state),
            since,
            looked,
        })
    }

    fn card(
        &self,
        incident: &Incident,
        by: Option<&str>,
        now: Timestamp,
    ) -> Result<IncidentCard, minijinja::Error> {
        let said = self.renderer.sentences(incident, now)?;
        Ok(IncidentCard {
            id: incident.id.clone(),
            class: incident.impact.name(),
            impact: said.impact,
            system: said.system,
            headline: said.headline,
            when: said.when,
            duration: said.duration,
            reason: said.reason,
            picture: incident.has_page(),
            acknowledged: by
                .map(|person| self.say(&self.words.acknowledged_by, context! { person }))
                .transpose()?,
            is_open: incident.end.is_none(),
        })
    }

    /// What was decided, and why, in the language of the page.
    fn decision(&self, decision: &Recorded, now: Timestamp) -> Result<String, minijinja::Error> {
        let words = &self.words;
        let Some(reason) = words.reason.get(&decision.reason) else {
            // An earlier version wrote it, and only so.
            return Ok(decision.sentence.clone());
        };
        let verdict = Words::named(&words.verdict, decision.verdict.name());
        let names = context! {
            channel => &decision.channel,
            about => &decision.about,
            until => decision.until.map(|until| self.brief(until, now)),
        };
        let said = self.say(&format!("{verdict}{reason}"), names)?;
        let mut letters = said.chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        Ok(first.chain(letters).collect())
    }

    fn complaint(&self, complaint: &Complaint, now: Timestamp) -> Result<String, minijinja::Error> {
        let (name, about, at) = match complaint {
            Complaint::Waiting => ("waiting", None, None),
            Complaint::Store(error) => ("store", Some(error), None),
            Complaint::Blind { rule, since } => ("blind", Some(rule), Some(*since)),
            Complaint::Failing { channel, since } => ("failing", Some(channel), Some(*since)),
            Complaint::Refusing { channel, at } => ("refusing", Some(channel), Some(*at)),
        };
        let names = context! { about, at => at.map(|at| self.brief(at, now)) };
        self.say(Words::named(&self.words.complaints, name), names)
    }

    /// What stands where the robot kept no picture: a picture of these words.
    pub fn no_picture(&self) -> String {
        let words = &self.words.no_picture;
        format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 56" width="320" height="56"><text x="160" y="33" text-anchor="middle" font-family="system-ui, sans-serif" font-size="15" fill="#7b8698">{words}</text></svg>"##
        )
    }

    fn silences(
        &self,
        silences: &[Silence],
        now: Timestamp,
    ) -> Result<Vec<SilenceRow>, minijinja::Error> {
        silences
            .iter()
            .map(|silence| {
                let until = context! { at => self.brief(silence.ends, now) };
                Ok(SilenceRow {
                    id: silence.id.clone(),
                    what: what_is_muted(silence),
                    until: self.say(&self.words.until, until)?,
                    author: silence.author.clone(),
                    comment: silence.comment.clone(),
                })
            })
            .collect()
    }

    fn message<'a>(
        &'a self,
        sent: &'a Progress,
        about: Option<&Conversation>,
        now: Timestamp,
    ) -> Result<MessageRow<'a>, minijinja::Error> {
        let lead = about.and_then(|about| about.incidents.first());
        let said = lead
            .map(|incident| self.renderer.sentences(incident, now))
            .transpose()?;
        let class = match sent.state {
            Sending::Pending if sent.answer.is_some() => "failing",
            state => state.name(),
        };
        Ok(MessageRow {
            class,
            state: Words::named(&self.words.sent, class),
            at: self.brief(sent.settled_at.unwrap_or(sent.intended_at), now),
            kind: Words::named(&self.words.kind, sent.kind.name()),
            headline: said.as_ref().map(|said| said.headline.clone()),
            system: said.map(|said| said.system),
            more: about.map_or(0, |about| about.incidents.len().saturating_sub(1)),
            channel: &sent.channel,
            recipient: &sent.recipient,
            // What a service says when it takes a message is of no use to anybody here.
            answer: sent
                .answer
                .as_deref()
                .filter(|_| sent.state != Sending::Accepted),
        })
    }

    fn say(&self, text: &str, names: Value) -> Result<String, minijinja::Error> {
        self.environment.render_str(text, names)
    }

    /// A moment of today by its clock, another with its date.
    fn brief(&self, at: Timestamp, now: Timestamp) -> String {
        let is_today = at.to_zoned(self.time_zone.clone()).date()
            == now.to_zoned(self.time_zone.clone()).date();
        self.time(
            at,
            if is_today {
                &self.words.clock
            } else {
                &self.words.short
            },
        )
    }

    fn time(&self, at: Timestamp, format: &str) -> String {
        at.to_zoned(self.time_zone.clone())
            .strftime(format)
            .to_string()
    }
}

/// What a silence names, as it was written.
fn what_is_muted(silence: &Silence) -> String {
    let matcher = &silence.matcher;
    let impacts = matcher.impact.as_ref();
    let impacts = impacts.map(|impacts| impacts.iter().map(ToString::to_string).collect());
    let named = [
        ("system", &matcher.system),
        ("journey", &matcher.journey),
        ("probe", &matcher.probe),
        ("rule", &matcher.rule),
        ("impact", &impacts),
    ];
    let named = named.into_iter().filter_map(|(name, values)| {
        let values: &Vec<String> = values.as_ref()?;
        Some(format!("{name}: {}", values.join(", ")))
    });
    named.collect::<Vec<_>>().join(" · ")
}

/// The name of a refusal in the words.
const fn refusal_name(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Everything => "everything",
        Refusal::EveryCritical => "every_critical",
        Refusal::EverythingForLong => "everything_for_long",
        Refusal::Long => "long",
        Refusal::Over => "over",
        Refusal::Nobody => "nobody",
        Refusal::Why => "why",
    }
}

/// Told apart without colour, too.
const fn mark(state: State) -> &'static str {
    match state {
        State::Down => "✕",
        State::Unknown => "?",
        State::Degraded => "!",
        State::Suspicious => "~",
        State::Well => "✓",
    }
}
