//! Slack by a bot: messages in threads, pictures uploaded. What follows: <https://docs.slack.dev/reference/methods>.
//!
//! Slack answers 200 to what it refuses, has no key to know a repeat by, and shows an uploaded picture some seconds after
//! it said that it has it.

use std::time::Duration;

use reqwest::RequestBuilder;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use vigia_contract::secret::{ExposeSecret, Template};

use super::{
    Abilities, Attempt, Outgoing, Pace, Pictures, Receipt,
    http::{Answer, Trouble},
    service::Bot,
};
use crate::{
    flux::picture::Picture,
    render::{Markup, Message, Room},
};

/// The value `slack` of a `[[channel]]`, as the operator writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The bot's token, `xoxb-...`, as `${secret:NAME}`; it needs the scopes `chat:write` and `files:write`.
    pub token: toml::Spanned<Template>,
    /// The channels that are told, by their IDs (`C0123456789`) or names (`#alerts`).
    pub to: Vec<toml::Spanned<String>>,
    /// Where the Web API is. Default `https://slack.com/api`.
    pub api: Option<toml::Spanned<String>>,
}

/// Where the Web API is.
pub const API: &str = "https://slack.com/api";

/// A section takes 3000 letters.
const ROOM: Room = Room::Letters(2900);

/// A bot in a workspace, ready to send.
#[derive(Debug)]
pub struct Slack {
    /// The bot, and whom it tells.
    pub bot: Bot,
}

impl Slack {
    pub(super) const ABILITIES: Abilities = Abilities {
        markup: Markup::Slack,
        room: ROOM,
        pictures: Pictures::After,
        keeps_threads: true,
        recognises_repeats: false,
        pace: Pace::ONE_A_SECOND,
    };

    pub(super) async fn send(&self, outgoing: &Outgoing<'_>) -> Attempt {
        let thread = outgoing.thread.and_then(place);
        let Outgoing {
            message, recipient, ..
        } = outgoing;
        let mut body = body(message);
        // The channel's ID, once it is known: a name may be given to another.
        body["channel"] = thread.map_or(*recipient, |(channel, _)| channel).into();
        if let Some((_, first)) = thread {
            body["thread_ts"] = first.into();
        }
        match self.post(&body).await {
            // Somebody deleted the first message.
            Err(error) if body.get("thread_ts").is_some() && is_about_the_thread(&error) => {
                if let Some(body) = body.as_object_mut() {
                    body.remove("thread_ts");
                }
                self.post(&body).await
            }
            Err(error) if is_about_the_layout(&error) => {
                tracing::warn!(%error, "Slack refuses the layout; the message goes as plain text");
                body["text"] = Markup::Slack.escape(&message.text).into();
                if let Some(body) = body.as_object_mut() {
                    body.remove("blocks");
                }
                self.post(&body).await
            }
            posted => posted,
        }
        .map_or_else(Into::into, Attempt::Accepted)
    }

    async fn post(&self, body: &Json) -> Result<Receipt, Refusal> {
        let answer = self
            .call(self.method("chat.postMessage").json(body))
            .await?;
        let place = match (answer["channel"].as_str(), answer["ts"].as_str()) {
            (Some(channel), Some(ts)) => Some(format!("{channel} {ts}")),
            _ => None,
        };
        Ok(Receipt {
            answer: place.clone().unwrap_or_default(),
            thread: place.clone(),
            message: place,
        })
    }

    /// Brings the pictures into the thread of their message.
    pub(super) async fn illustrate(&self, outgoing: &Outgoing<'_>, receipt: &Receipt) -> Attempt {
        // Where the thread is known, everything of it goes under its first message.
        let thread = outgoing.thread.or(receipt.message.as_deref());
        let Some((channel, ts)) = thread.and_then(place) else {
            return Attempt::Refused("Slack did not say where the message is".into());
        };
        let uploads = async {
            let mut files = Vec::new();
            for (picture, caption) in outgoing.illustrations() {
                let id = self.upload(picture, caption).await?;
                files.push(json!({ "id": id, "title": caption }));
            }
            let complete = json!({ "files": files, "channel_id": channel, "thread_ts": ts });
            self.call(self.method("files.completeUploadExternal").json(&complete))
                .await
        };
        uploads.await.map_or_else(Into::into, |_| {
            Attempt::Accepted(Receipt {
                answer: "uploaded".into(),
                ..Receipt::default()
            })
        })
    }

    async fn upload(&self, picture: &Picture, caption: &str) -> Result<String, Refusal> {
        let place = self.method("files.getUploadURLExternal").form(&[
            ("filename", picture.file_name().as_str()),
            ("length", &picture.bytes.len().to_string()),
            ("alt_txt", caption),
        ]);
        let place = self.call(place).await?;
        let (Some(address), Some(id)) = (place["upload_url"].as_str(), place["file_id"].as_str())
        else {
            return Err(Attempt::failed("Slack did not say where to upload the picture").into());
        };
        let upload = self.bot.http.post(address).body(picture.bytes.clone());
        let answer = self.bot.http.ask(upload).await?;
        if !answer.status.is_success() {
            return Err(answer.failure().into());
        }
        Ok(id.to_owned())
    }

    fn method(&self, name: &str) -> RequestBuilder {
        self.bot
            .post(name)
            .bearer_auth(self.bot.token.expose_secret())
    }

    /// Asks the Web API; what it refuses inside a success is a refusal.
    async fn call(&self, request: RequestBuilder) -> Result<Json, Refusal> {
        let answer = self.bot.http.ask(request).await?;
        if !answer.status.is_success() {
            return Err(answer.failure().into());
        }
        let body = answer.json();
        if body["ok"] == true {
            return Ok(body);
        }
        Err(refusal(&answer, body["error"].as_str().unwrap_or_default()))
    }
}

/// What Slack would not do.
#[derive(Debug)]
struct Refusal {
    /// Its word for it, where it said one.
    error: String,
    attempt: Attempt,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.error)
    }
}

impl From<Attempt> for Refusal {
    fn from(attempt: Attempt) -> Self {
        Self {
            error: String::new(),
            attempt,
        }
    }
}

impl From<Trouble> for Refusal {
    fn from(trouble: Trouble) -> Self {
        Attempt::from(trouble).into()
    }
}

impl From<Refusal> for Attempt {
    fn from(refusal: Refusal) -> Self {
        refusal.attempt
    }
}

fn refusal(answer: &Answer, error: &str) -> Refusal {
    let attempt = match error {
        // An answer that nobody can read may be to a message that was posted.
        "" => Attempt::Uncertain(answer.said()),
        "ratelimited"
        | "rate_limited"
        | "internal_error"
        | "fatal_error"
        | "service_unavailable"
        | "request_timeout"
        | "team_added_to_org" => Attempt::Failed {
            reason: answer.said(),
            retry_after: answer.retry_after,
        },
        _ => Attempt::Refused(format!("Slack answered `{error}`")),
    };
    Refusal {
        error: error.to_owned(),
        attempt,
    }
}

fn is_about_the_thread(refusal: &Refusal) -> bool {
    matches!(
        refusal.error.as_str(),
        "thread_not_found" | "invalid_thread_ts" | "cannot_reply_to_message"
    )
}

fn is_about_the_layout(refusal: &Refusal) -> bool {
    matches!(
        refusal.error.as_str(),
        "invalid_blocks" | "invalid_blocks_format" | "msg_blocks_too_long" | "invalid_attachments"
    )
}

/// A channel and a message in it.
fn place(text: &str) -> Option<(&str, &str)> {
    text.split_once(' ')
}

/// What is posted, by a bot or through a webhook. `text` is what a locked phone shows.
pub(super) fn body(message: &Message) -> Json {
    json!({
        "text": Markup::Slack.escape(&message.subject),
        "blocks": [{ "type": "section", "expand": true, "text": { "type": "mrkdwn", "text": message.marked, "verbatim": true } }],
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

/// Slack answers a webhook in words.
pub(super) fn seconds_in(body: &Json) -> Option<Duration> {
    super::http::seconds_of(body["retry_after"].as_f64()?)
}
