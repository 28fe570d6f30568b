//! PagerDuty by its Events API, version 2 (<https://developer.pagerduty.com/docs/events-api-v2-overview>): an incident opens
//! an alert there and its end resolves it. It knows both again by the conversation. It shows pictures that it finds on the
//! web.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use vigia_contract::{
    data_model::Impact,
    secret::{ExposeSecret, SecretString, Template},
};

use super::{
    Abilities, Attempt, Outgoing, Pace, Pictures, Receipt,
    http::{Http, digest},
};
use crate::{
    render::{Markup, Room, cut},
    store::outbox::Kind,
};

/// The value `pagerduty` of a `[[channel]]`, as the operator writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The integration key of an "Events API v2" integration, as `${secret:NAME}`.
    pub routing_key: toml::Spanned<Template>,
    /// Where the Events API is. Default `https://events.pagerduty.com`; in Europe `https://events.eu.pagerduty.com`.
    pub api: Option<toml::Spanned<String>>,
}

/// Where the Events API is.
pub const API: &str = "https://events.pagerduty.com";

/// More is refused.
const SUMMARY_MAX_CHARACTERS: usize = 1024;

/// It says "preferably with a backoff of a few minutes" and no figure.
const REST: Duration = Duration::from_mins(1);

/// An integration, ready to send.
#[derive(Debug)]
pub struct PagerDuty {
    /// The way there.
    pub http: Http,
    /// Where the Events API is, without a slash at the end.
    pub api: String,
    /// The integration's key.
    pub routing_key: SecretString,
}

impl PagerDuty {
    pub(super) const ABILITIES: Abilities = Abilities {
        markup: Markup::Plain,
        room: Room::Letters(20_000),
        pictures: Pictures::Linked,
        keeps_threads: true,
        recognises_repeats: true,
        pace: Pace::new(120, Duration::from_mins(1)),
    };

    pub(super) async fn send(&self, outgoing: &Outgoing<'_>) -> Attempt {
        let actions: &[&str] = match outgoing.kind {
            Kind::Closed => &["resolve"],
            // It was over before anybody could be told, or asks for nothing: it is on record there, and calls nobody for long.
            Kind::Whole | Kind::Digest => &["trigger", "resolve"],
            _ => &["trigger"],
        };
        let mut last = Attempt::failed("nothing was to be sent");
        for action in actions {
            last = self.enqueue(action, outgoing).await;
            if !matches!(last, Attempt::Accepted(_)) {
                break;
            }
        }
        last
    }

    async fn enqueue(&self, action: &str, outgoing: &Outgoing<'_>) -> Attempt {
        let mut event = event(action, outgoing);
        event["routing_key"] = self.routing_key.expose_secret().into();
        let request = self.http.post(&format!("{}/v2/enqueue", self.api));
        match self.http.ask(request.json(&event)).await {
            Ok(answer) if answer.status.is_success() => Attempt::Accepted(Receipt {
                answer: answer.said(),
                ..Receipt::default()
            }),
            Ok(answer) if answer.status.as_u16() == 429 => {
                answer.failure_after(answer.retry_after.or(Some(REST)))
            }
            Ok(answer) => answer.failure(),
            Err(trouble) => trouble.into(),
        }
    }
}

fn event(action: &str, outgoing: &Outgoing<'_>) -> Json {
    let parts = &outgoing.message.parts;
    let mut details: Map<String, Json> = parts
        .details
        .iter()
        .map(|(label, value)| (label.clone(), value.as_str().into()))
        .collect();
    details.insert("text".to_owned(), outgoing.message.text.as_str().into());
    let first = parts.members.first();
    let links: Vec<Json> = parts
        .links
        .iter()
        .map(|link| json!({ "href": link.address, "text": link.label }))
        .collect();
    let images: Vec<Json> = parts
        .pictures
        .iter()
        .map(|picture| json!({ "src": picture.address, "href": picture.address, "alt": picture.caption }))
        .collect();
    json!({
        "event_action": action,
        // At most 255 characters.
        "dedup_key": digest(outgoing.conversation),
        "client": "Vigía",
        "links": links,
        "images": images,
        "payload": {
            "summary": cut(&outgoing.message.subject, SUMMARY_MAX_CHARACTERS),
            "source": parts.system,
            "severity": severity(outgoing),
            "timestamp": first.map(|member| member.started_at.to_string()),
            "component": first.map(|member| &member.journey),
            "group": first.map(|member| &member.system),
            "class": first.map(|member| &member.rule),
            "custom_details": details,
        },
    })
}

const fn severity(outgoing: &Outgoing<'_>) -> &'static str {
    match (outgoing.kind, outgoing.impact) {
        (Kind::Digest, _) => "info",
        (_, Impact::Critical) => "critical",
        (_, Impact::High) => "error",
        (_, Impact::Low) => "warning",
    }
}
