//! Telegram by a bot: messages that answer the first one, pictures sent as photos, or as files where they are too tall for
//! one. What follows: <https://core.telegram.org/bots/api>. It has no key to know a repeat by.

use reqwest::multipart::{Form, Part};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::time::Duration;
use vigia_contract::{
    data_model::Impact,
    secret::{ExposeSecret, Template},
};

use super::{
    Abilities, Attempt, Outgoing, Pace, Pictures, Receipt,
    http::{Answer, seconds_of},
    service::Bot,
};
use crate::{
    flux::picture::Picture,
    render::{Markup, Room, cut},
};

/// The value `telegram` of a `[[channel]]`, as the operator writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The bot's token, as `${secret:NAME}`.
    pub token: toml::Spanned<Template>,
    /// The chats that are told: an id (`-1001234567890`), a public name (`@agency_alerts`), or an id and a topic of the
    /// chat (`-1001234567890/45`).
    pub to: Vec<toml::Spanned<String>>,
    /// Where the Bot API is. Default `https://api.telegram.org`.
    pub api: Option<toml::Spanned<String>>,
}

/// Where the Bot API is.
pub const API: &str = "https://api.telegram.org";

/// Counted with the tags, of which Telegram counts none: 4096 are allowed.
const ROOM: Room = Room::Letters(4096);

/// Counted as Telegram counts; what is longer is cut.
const CAPTION_MAX_CHARACTERS: usize = 1000;

/// A bot, ready to send.
#[derive(Debug)]
pub struct Telegram {
    /// The bot, and whom it tells.
    pub bot: Bot,
}

impl Telegram {
    pub(super) const ABILITIES: Abilities = Abilities {
        markup: Markup::Telegram,
        room: ROOM,
        pictures: Pictures::After,
        keeps_threads: true,
        recognises_repeats: false,
        // <https://core.telegram.org/bots/faq#broadcasting-to-users>: the limit of a group.
        pace: Pace::new(20, Duration::from_mins(1)),
    };

    pub(super) async fn send(&self, outgoing: &Outgoing<'_>) -> Attempt {
        let (chat, topic) = chat(outgoing.recipient);
        let mut body = json!({
            "chat_id": chat,
            "text": outgoing.message.marked,
            "parse_mode": "HTML",
            "link_preview_options": { "is_disabled": true },
            "disable_notification": outgoing.impact == Impact::Low,
        });
        if let Some(topic) = topic {
            body["message_thread_id"] = number(topic);
        }
        if let Some((chat, first)) = outgoing.thread.and_then(place) {
            // The chat that the first message went to, which may have got another id since.
            body["chat_id"] = chat.into();
            body["reply_parameters"] =
                json!({ "message_id": number(first), "allow_sending_without_reply": true });
        }
        let mut answer = self.post_message(&body).await;
        if let Ok(refused) = &answer
            && let Some(moved_to) = moved_to(refused)
        {
            tracing::warn!(
                chat,
                moved_to,
                "the Telegram chat has a new id: write it into the configuration"
            );
            body["chat_id"] = moved_to.into();
            answer = self.post_message(&body).await;
        }
        if let Ok(refused) = &answer
            && is_about_the_layout(refused)
        {
            tracing::warn!(
                answer = refused.said(),
                "Telegram refuses the layout; the message goes as plain text"
            );
            body["text"] = outgoing.message.text.as_str().into();
            if let Some(body) = body.as_object_mut() {
                body.remove("parse_mode");
            }
            answer = self.post_message(&body).await;
        }
        match answer {
            Ok(answer) => judge(&answer),
            Err(attempt) => attempt,
        }
    }

    async fn post_message(&self, body: &Json) -> Result<Answer, Attempt> {
        let request = self.bot.http.post(&self.address("sendMessage")).json(body);
        self.bot.http.ask(request).await.map_err(Attempt::from)
    }

    /// Answers the message with its pictures.
    pub(super) async fn illustrate(&self, outgoing: &Outgoing<'_>, receipt: &Receipt) -> Attempt {
        let mut last = Attempt::Refused("there is no picture".into());
        for illustration in outgoing.illustrations() {
            last = self.photo(outgoing, receipt, illustration).await;
            if !matches!(last, Attempt::Accepted(_)) {
                return last;
            }
        }
        last
    }

    async fn photo(
        &self,
        outgoing: &Outgoing<'_>,
        receipt: &Receipt,
        illustration: (&Picture, &str),
    ) -> Attempt {
        for (method, field) in [("sendPhoto", "photo"), ("sendDocument", "document")] {
            let form = match form(outgoing, receipt, illustration, field) {
                Ok(form) => form,
                Err(error) => return Attempt::Refused(error.to_string()),
            };
            let request = self.bot.http.post(&self.address(method)).multipart(form);
            let answer = match self.bot.http.ask(request).await {
                Ok(answer) => answer,
                Err(trouble) => return trouble.into(),
            };
            let attempt = judge(&answer);
            // What is no photo to Telegram is a file all the same: too tall, too large, or not to be read.
            if field == "photo"
                && matches!(attempt, Attempt::Refused(_))
                && is_about_the_photo(&answer)
            {
                continue;
            }
            return attempt;
        }
        Attempt::Refused("Telegram takes the picture neither as a photo nor as a file".into())
    }

    fn address(&self, method: &str) -> String {
        self.bot
            .at(&format!("bot{}/{method}", self.bot.token.expose_secret()))
    }
}

fn form(
    outgoing: &Outgoing<'_>,
    receipt: &Receipt,
    (picture, caption): (&Picture, &str),
    field: &'static str,
) -> Result<Form, reqwest::Error> {
    let (chat, topic) = chat(outgoing.recipient);
    let message = receipt.message.as_deref().and_then(place);
    let file = Part::bytes(picture.bytes.clone())
        .file_name(picture.file_name())
        .mime_str(picture.format.media_type())?;
    let caption = cut(caption, CAPTION_MAX_CHARACTERS);
    let mut form = Form::new()
        .text("chat_id", message.map_or(chat, |(chat, _)| chat).to_owned())
        .text("caption", caption)
        .text("disable_notification", "true")
        .part(field, file);
    if let Some(topic) = topic {
        form = form.text("message_thread_id", topic.to_owned());
    }
    if let Some((_, message)) = message {
        let parameters =
            json!({ "message_id": number(message), "allow_sending_without_reply": true });
        form = form.text("reply_parameters", parameters.to_string());
    }
    Ok(form)
}

/// What Telegram's answer means.
fn judge(answer: &Answer) -> Attempt {
    let body = answer.json();
    if answer.status.is_success() && body["ok"] == true {
        let message = &body["result"];
        let place = format!("{} {}", message["chat"]["id"], message["message_id"]);
        return Attempt::Accepted(Receipt {
            answer: place.clone(),
            thread: Some(place.clone()),
            message: Some(place),
        });
    }
    if answer.status.is_success() {
        return Attempt::Uncertain(answer.said());
    }
    let retry_after = body["parameters"]["retry_after"]
        .as_f64()
        .and_then(seconds_of);
    answer.failure_after(retry_after.or(answer.retry_after))
}

/// The id that the chat has now.
fn moved_to(answer: &Answer) -> Option<i64> {
    answer.json()["parameters"]["migrate_to_chat_id"].as_i64()
}

fn is_about_the_layout(answer: &Answer) -> bool {
    answer.status.as_u16() == 400
        && (answer.body.contains("parse entities") || answer.body.contains("too long"))
}

fn is_about_the_photo(answer: &Answer) -> bool {
    answer.status.as_u16() == 413
        || [
            "PHOTO_",
            "IMAGE_PROCESS_FAILED",
            "wrong type of the web page",
        ]
        .iter()
        .any(|sign| answer.body.contains(sign))
}

/// A chat, and the topic in it.
fn chat(recipient: &str) -> (&str, Option<&str>) {
    match recipient.split_once('/') {
        Some((chat, topic)) => (chat, Some(topic)),
        None => (recipient, None),
    }
}

/// Telegram's names of topics and messages are numbers.
fn number(name: &str) -> Json {
    name.parse::<i64>().map_or_else(|_| name.into(), Json::from)
}

/// A chat and a message in it.
fn place(text: &str) -> Option<(&str, &str)> {
    text.split_once(' ')
}
