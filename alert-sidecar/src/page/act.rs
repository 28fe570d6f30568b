//! What a person does from the page or from a link in a message: acknowledge, and silence.
//!
//! Opening an address shows a form and changes nothing, because programs that scan mail open every link. The form acts with
//! the mark of the page that gave it, or with the signature of the link.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::{
    Form,
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{
    Asked, Page,
    access::Visitor,
    html, in_time,
    view::{ActForm, Notice, Outcome},
};
use crate::{
    health::Complaint,
    incident::Incident,
    render::link::{Action, Link, LinkError, Purpose},
    route::{
        matcher::Matcher,
        silence::{Draft, Refusal},
    },
    store::decisions::Acknowledgement,
};

/// How long a silence may last that is made here.
pub(super) const SPANS: [(&str, Duration); 4] = [
    ("1h", Duration::from_hours(1)),
    ("4h", Duration::from_hours(4)),
    ("24h", Duration::from_hours(24)),
    ("7d", Duration::from_hours(7 * 24)),
];

/// The longest name and the longest comment, in characters.
const PERSON_MAX: usize = 100;
const COMMENT_MAX: usize = 500;

/// What is asked for, by an address or a form.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Wish {
    #[serde(rename = "do")]
    action: Action,
    about: String,
    until: Option<i64>,
    signature: Option<String>,
}

/// What a form holds besides.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Filled {
    #[serde(rename = "do")]
    action: Action,
    about: String,
    until: Option<i64>,
    signature: Option<String>,
    mark: Option<String>,
    person: String,
    #[serde(default)]
    comment: String,
    #[serde(default, rename = "for")]
    lasts: String,
}

/// By what right somebody acts.
enum Warrant {
    Visitor(Visitor),
    Link,
}

/// Shows the form.
pub(super) async fn show(
    State(page): State<Arc<Page>>,
    asked: Asked,
    wish: Result<Query<Wish>, QueryRejection>,
) -> Response {
    let Ok(Query(wish)) = wish else {
        return page.say(&asked, StatusCode::NOT_FOUND, Notice::LinkInvalid);
    };
    let warrant = match warrant(&page, &asked, wish.clone()) {
        Ok(warrant) => warrant,
        Err(refusal) => return *refusal,
    };
    form(&page, &asked, &wish, &warrant, &[], None).await
}

/// Does what a form says.
pub(super) async fn act(
    State(page): State<Arc<Page>>,
    asked: Asked,
    Form(filled): Form<Filled>,
) -> Response {
    let wish = Wish {
        action: filled.action,
        about: filled.about.clone(),
        until: filled.until,
        signature: filled.signature.clone(),
    };
    let warrant = match warrant(&page, &asked, wish.clone()) {
        Ok(warrant) => warrant,
        Err(refusal) => return *refusal,
    };
    if let Warrant::Visitor(visitor) = &warrant {
        let mark = filled.mark.as_deref().unwrap_or_default();
        if !page.access.is_form(mark, visitor, asked.now) {
            return page.say(&asked, StatusCode::FORBIDDEN, Notice::Refused);
        }
    }
    let done = match filled.action {
        Action::Acknowledge => acknowledge(&page, &asked, &filled).await,
        Action::Silence => silence(&page, &asked, &filled).await,
    };
    match done {
        Ok(Done::Yes(count)) => {
            let outcome = Outcome {
                action: filled.action,
                count,
                person: one_line(&filled.person, PERSON_MAX),
                // A link opens no other page.
                leads_back: matches!(warrant, Warrant::Visitor(_)),
            };
            html(page.view(asked.language).done(&outcome))
        }
        Ok(Done::No(refusals)) => {
            form(&page, &asked, &wish, &warrant, &refusals, Some(&filled)).await
        }
        Err(complaint) => page.away(&asked, &complaint),
    }
}

fn warrant(page: &Page, asked: &Asked, wish: Wish) -> Result<Warrant, Box<Response>> {
    let (Some(until), Some(signature)) = (wish.until, wish.signature) else {
        return match &asked.visitor {
            Some(visitor) => Ok(Warrant::Visitor(visitor.clone())),
            None => Err(Box::new(page.ask_who(asked, false))),
        };
    };
    let link = Link {
        purpose: Purpose::Do(wish.action),
        about: wish.about,
        until,
        signature,
    };
    let verified = match &page.signer {
        Some(signer) => signer.verify(&link, asked.now),
        None => Err(LinkError::NotOurs),
    };
    let (status, notice) = match verified {
        Ok(()) => return Ok(Warrant::Link),
        Err(LinkError::NotOurs) => (StatusCode::FORBIDDEN, Notice::LinkInvalid),
        Err(LinkError::Expired) => (StatusCode::GONE, Notice::LinkExpired),
    };
    Err(Box::new(page.say(asked, status, notice)))
}

async fn form(
    page: &Page,
    asked: &Asked,
    wish: &Wish,
    warrant: &Warrant,
    refusals: &[Refusal],
    filled: Option<&Filled>,
) -> Response {
    let incidents = match page.incidents_of(&wish.about).await {
        Ok(incidents) => incidents,
        Err(complaint) => return page.away(asked, &complaint),
    };
    if incidents.is_empty() {
        return page.say(asked, StatusCode::NOT_FOUND, Notice::Gone);
    }
    let (mark, name) = match warrant {
        Warrant::Visitor(visitor) => (Some(page.access.form(visitor, asked.now)), visitor.name()),
        Warrant::Link => (None, None),
    };
    let form = ActForm {
        action: wish.action,
        about: &wish.about,
        link: wish.until.zip(wish.signature.as_deref()),
        mark: mark.as_deref(),
        person: filled.map_or(name.unwrap_or_default(), |filled| &filled.person),
        comment: filled.map_or("", |filled| &filled.comment),
        refusals,
    };
    let status = if refusals.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    (
        status,
        html(page.view(asked.language).act(&form, &incidents, asked.now)),
    )
        .into_response()
}

/// What came of it.
enum Done {
    /// So many incidents are concerned.
    Yes(usize),
    /// This is wrong with what was asked for.
    No(Vec<Refusal>),
}

async fn acknowledge(page: &Page, asked: &Asked, filled: &Filled) -> Result<Done, Complaint> {
    let person = one_line(&filled.person, PERSON_MAX);
    if person.is_empty() {
        return Ok(Done::No(vec![Refusal::Nobody]));
    }
    let acknowledgement = Acknowledgement {
        at: asked.now,
        person,
        comment: one_line(&filled.comment, COMMENT_MAX),
    };
    let done = page.ledger()?;
    let done = in_time(done.acknowledge(&filled.about, acknowledgement)).await?;
    Ok(Done::Yes(done.len()))
}

/// A silence for each thing that fails, and for nothing else.
async fn silence(page: &Page, asked: &Asked, filled: &Filled) -> Result<Done, Complaint> {
    let lasts = SPANS.into_iter().find(|(name, _)| *name == filled.lasts);
    let (_, lasts) = lasts.unwrap_or(SPANS[0]);
    let incidents = page.incidents_of(&filled.about).await?;
    let things: BTreeSet<_> = incidents.iter().map(thing).collect();
    let ledger = page.ledger()?;
    for (rule, system, journey) in &things {
        let draft = Draft {
            matcher: Matcher {
                rule: Some(vec![(*rule).to_owned()]),
                system: Some(vec![(*system).to_owned()]),
                journey: Some(vec![(*journey).to_owned()]),
                ..Matcher::default()
            },
            starts: asked.now,
            ends: asked.now + lasts,
            author: one_line(&filled.person, PERSON_MAX),
            comment: one_line(&filled.comment, COMMENT_MAX),
            may_mute_everything: false,
        };
        if let Err(refusals) = in_time(ledger.silence(draft, asked.now)).await? {
            return Ok(Done::No(refusals));
        }
    }
    Ok(Done::Yes(things.len()))
}

fn thing(incident: &Incident) -> (&str, &str, &str) {
    let series = &incident.series;
    (&incident.rule, &series.system, &series.journey)
}

/// What a person typed, as it may stand in a message.
fn one_line(text: &str, longest: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(longest).collect()
}
