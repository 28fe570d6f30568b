//! Zulip by a bot: each conversation in its topic, pictures uploaded. What follows: <https://zulip.com/api/>.
//!
//! It has no key to know a repeat by.

use reqwest::{
    RequestBuilder,
    multipart::{Form, Part},
};
use serde::Deserialize;
use vigia_contract::secret::{ExposeSecret, Template};

use super::{
    Abilities, Attempt, Outgoing, Pace, Pictures, Receipt,
    http::{Answer, seconds_of},
    service::Bot,
};
use crate::{
    flux::picture::Picture,
    render::{Markup, Room, cut},
};

/// The value `zulip` of a `[[channel]]`, as the operator writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The server, for example `https://zulip.agency.example`.
    pub server: toml::Spanned<String>,
    /// The bot's mail address.
    pub bot: toml::Spanned<String>,
    /// The bot's API key, as `${secret:NAME}`.
    pub key: toml::Spanned<Template>,
    /// The channels that are told, by their names.
    pub to: Vec<toml::Spanned<String>>,
}

/// What is longer Zulip cuts without a word.
const TOPIC_MAX_CHARACTERS: usize = 60;

/// A bot on a server, ready to send.
#[derive(Debug)]
pub struct Zulip {
    /// The bot, and whom it tells.
    pub bot: Bot,
    /// The bot's address.
    pub account: String,
}

impl Zulip {
    pub(super) const ABILITIES: Abilities = Abilities {
        markup: Markup::BareMarkdown,
        // What is longer than 10 000 letters Zulip cuts without a word.
        room: Room::Letters(9900),
        pictures: Pictures::After,
        keeps_threads: true,
        recognises_repeats: false,
        pace: Pace::ONE_A_SECOND,
    };

    pub(super) async fn send(&self, outgoing: &Outgoing<'_>) -> Attempt {
        let topic = topic(outgoing);
        let attempt = self
            .post(outgoing.recipient, &topic, &outgoing.message.marked)
            .await;
        match attempt {
            Attempt::Accepted(receipt) => Attempt::Accepted(Receipt {
                thread: Some(topic),
                ..receipt
            }),
            attempt => attempt,
        }
    }

    async fn post(&self, channel: &str, topic: &str, content: &str) -> Attempt {
        let form = [
            ("type", "stream"),
            ("to", channel),
            ("topic", topic),
            ("content", content),
        ];
        let request = self.ask(self.bot.post("api/v1/messages"));
        let answer = match self.bot.http.ask(request.form(&form)).await {
            Ok(answer) => answer,
            Err(trouble) => return trouble.into(),
        };
        if !answer.status.is_success() {
            return failure(&answer);
        }
        match answer.json()["id"].as_u64() {
            None => Attempt::Uncertain(answer.said()),
            Some(id) => Attempt::Accepted(Receipt {
                answer: id.to_string(),
                message: Some(id.to_string()),
                thread: None,
            }),
        }
    }

    /// Shows the pictures in the topic of their message.
    pub(super) async fn illustrate(&self, outgoing: &Outgoing<'_>, receipt: &Receipt) -> Attempt {
        let topic = receipt.thread.clone().unwrap_or_else(|| topic(outgoing));
        let mut lines = Vec::new();
        for (picture, caption) in outgoing.illustrations() {
            match self.upload(picture).await {
                Ok(address) => {
                    // The label of a link, and shown as a picture under it.
                    let caption = Markup::BareMarkdown.escape(caption);
                    let label = if caption.is_empty() {
                        picture.file_name()
                    } else {
                        caption
                    };
                    lines.push(format!("[{label}]({address})"));
                }
                Err(attempt) => return attempt,
            }
        }
        self.post(outgoing.recipient, &topic, &lines.join("\n"))
            .await
    }

    async fn upload(&self, picture: &Picture) -> Result<String, Attempt> {
        let file = Part::bytes(picture.bytes.clone())
            .file_name(picture.file_name())
            .mime_str(picture.format.media_type())
            .map_err(|error| Attempt::Refused(error.to_string()))?;
        let request = self.ask(self.bot.post("api/v1/user_uploads"));
        let form = Form::new().part("filename", file);
        let answer = self.bot.http.ask(request.multipart(form)).await?;
        let body = answer.json();
        // Before version 9 it was called `uri`.
        let address = body["url"].as_str().or(body["uri"].as_str());
        match address {
            Some(address) if answer.status.is_success() => Ok(address.to_owned()),
            _ if answer.status.is_success() => Err(Attempt::Uncertain(answer.said())),
            _ => Err(failure(&answer)),
        }
    }

    fn ask(&self, request: RequestBuilder) -> RequestBuilder {
        request.basic_auth(&self.account, Some(self.bot.token.expose_secret()))
    }
}

/// That of the conversation; the first message makes one that people know again.
fn topic(outgoing: &Outgoing<'_>) -> String {
    if let Some(topic) = outgoing.thread {
        return topic.to_owned();
    }
    let parts = &outgoing.message.parts;
    let topic = format!("{}: {}", parts.system, parts.headline);
    let line = topic.split_whitespace().collect::<Vec<_>>().join(" ");
    cut(&line, TOPIC_MAX_CHARACTERS)
}

fn failure(answer: &Answer) -> Attempt {
    let retry_after = answer.json()["retry-after"].as_f64().and_then(seconds_of);
    answer.failure_after(retry_after.or(answer.retry_after))
}
