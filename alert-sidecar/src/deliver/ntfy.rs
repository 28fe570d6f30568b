//! ntfy, a server of one's own or ntfy.sh (<https://docs.ntfy.sh/publish>): a push to phones, the picture as a second, quiet
//! one. It has no threads and no key to know a repeat by.

use std::time::Duration;

use reqwest::{RequestBuilder, header::HeaderValue};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use vigia_contract::{
    data_model::Impact,
    secret::{ExposeSecret, SecretString, Template},
};

use super::{Abilities, Attempt, Outgoing, Pace, Pictures, Receipt, http::Http};
use crate::render::{Markup, Room};

/// The value `ntfy` of a `[[channel]]`, as the operator writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The server, for example `https://ntfy.agency.example`. On a public one who guesses a topic reads it.
    pub server: toml::Spanned<String>,
    /// The topics that are told.
    pub to: Vec<toml::Spanned<String>>,
    /// An access token, as `${secret:NAME}`; without it nobody logs in.
    pub token: Option<toml::Spanned<Template>>,
}

/// It takes three.
const MOST_ACTIONS: usize = 3;

/// Quiet: the message has rung already.
const PRIORITY_OF_PICTURES: &str = "2";

/// A server, ready to send to.
#[derive(Debug)]
pub struct Ntfy {
    /// The way there.
    pub http: Http,
    /// The server, without a slash at the end.
    pub server: String,
    /// The topics that are told.
    pub to: Vec<String>,
    /// What lets us in.
    pub token: Option<SecretString>,
}

impl Ntfy {
    pub(super) const ABILITIES: Abilities = Abilities {
        markup: Markup::Plain,
        // What is longer becomes a file.
        room: Room::Bytes(4096),
        pictures: Pictures::After,
        keeps_threads: false,
        recognises_repeats: false,
        // <https://docs.ntfy.sh/publish/#limitations>: 60 at once, then one every five seconds.
        pace: Pace::new(60, Duration::from_mins(5)),
    };

    pub(super) async fn send(&self, outgoing: &Outgoing<'_>) -> Attempt {
        self.ask(self.http.post(&self.server).json(&body(outgoing)))
            .await
    }

    /// Sends the picture after its message.
    pub(super) async fn illustrate(&self, outgoing: &Outgoing<'_>, _receipt: &Receipt) -> Attempt {
        // One push more is enough: that of the failing page.
        let Some((picture, caption)) = outgoing.illustrations().next() else {
            return Attempt::Refused("there is no picture".into());
        };
        let parts = &outgoing.message.parts;
        let mut request = self
            .http
            .put(&format!("{}/{}", self.server, outgoing.recipient))
            .body(picture.bytes.clone());
        for (name, value) in [
            ("Filename", picture.file_name()),
            ("Title", format!("{}: {}", parts.system, parts.headline)),
            ("Message", caption.to_owned()),
            ("Priority", PRIORITY_OF_PICTURES.to_owned()),
        ] {
            // ntfy reads UTF-8 in headers; a line feed is nothing that one can hold.
            let line = value.split_whitespace().collect::<Vec<_>>().join(" ");
            match HeaderValue::from_bytes(line.as_bytes()) {
                Ok(value) => request = request.header(name, value),
                Err(error) => return Attempt::Refused(error.to_string()),
            }
        }
        self.ask(request).await
    }

    async fn ask(&self, mut request: RequestBuilder) -> Attempt {
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.expose_secret());
        }
        match self.http.ask(request).await {
            Ok(answer) if answer.status.is_success() => Attempt::Accepted(Receipt {
                answer: answer.json()["id"].as_str().unwrap_or_default().to_owned(),
                ..Receipt::default()
            }),
            Ok(answer) => answer.failure(),
            Err(trouble) => trouble.into(),
        }
    }
}

fn body(outgoing: &Outgoing<'_>) -> Json {
    let parts = &outgoing.message.parts;
    let (priority, tag) = match (parts.is_over, outgoing.impact) {
        (true, _) => (3, "white_check_mark"),
        (false, Impact::Critical) => (5, "rotating_light"),
        (false, Impact::High) => (4, "warning"),
        (false, Impact::Low) => (2, "information_source"),
    };
    let link = |purpose: &str| parts.links.iter().find(|link| link.purpose == purpose);
    let actions: Vec<Json> = ["acknowledge", "silence", "dashboard"]
        .into_iter()
        .filter_map(link)
        .take(MOST_ACTIONS)
        .map(|link| json!({ "action": "view", "label": link.label, "url": link.address }))
        .collect();
    let mut body = json!({
        "topic": outgoing.recipient,
        "title": outgoing.message.subject,
        "message": outgoing.message.text,
        "priority": priority,
        "tags": [tag],
        "actions": actions,
    });
    if let Some(dashboard) = link("dashboard") {
        body["click"] = dashboard.address.as_str().into();
    }
    body
}
