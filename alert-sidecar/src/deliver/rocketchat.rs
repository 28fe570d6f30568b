//! Rocket.Chat by a bot: messages in threads, pictures uploaded.
//! What follows: <https://developer.rocket.chat/apidocs/rocketchat-api>.
//!
//! A message has the name that we give it, and one whose name exists is not posted again. What Rocket.Chat answers then is
//! an error like another, so that it is asked whether it has the message before anything is called refused.

use std::time::Duration;

use reqwest::{
    RequestBuilder,
    multipart::{Form, Part},
};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use vigia_contract::secret::{ExposeSecret, Template};

use super::{
    Abilities, Attempt, Outgoing, Pace, Pictures, Receipt,
    http::{Answer, digest},
    service::Bot,
};
use crate::{
    flux::picture::Picture,
    render::{Markup, Room},
};

/// The value `rocketchat` of a `[[channel]]`, as the operator writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The server, for example `https://chat.agency.example`.
    pub server: toml::Spanned<String>,
    /// The ID of the bot's user.
    pub user: toml::Spanned<String>,
    /// The bot's personal access token, as `${secret:NAME}`.
    pub token: toml::Spanned<Template>,
    /// The rooms that are told, by their IDs.
    pub to: Vec<toml::Spanned<String>>,
}

/// A bot on a server, ready to send.
#[derive(Debug)]
pub struct RocketChat {
    /// The bot, and whom it tells.
    pub bot: Bot,
    /// The bot's user.
    pub user: String,
}

impl RocketChat {
    pub(super) const ABILITIES: Abilities = Abilities {
        markup: Markup::BareMarkdown,
        // As it is installed (`Message_MaxAllowedSize`).
        room: Room::Letters(5000),
        pictures: Pictures::After,
        keeps_threads: true,
        recognises_repeats: true,
        // As its limiter is installed: 10 calls of one method in a minute.
        pace: Pace::new(10, Duration::from_mins(1)),
    };

    pub(super) async fn send(&self, outgoing: &Outgoing<'_>) -> Attempt {
        let id = digest(outgoing.id);
        let mut message = json!({
            "_id": id,
            "rid": outgoing.recipient,
            "msg": outgoing.message.marked,
        });
        if let Some(thread) = outgoing.thread {
            message["tmid"] = thread.into();
        }
        let mut attempt = self.post(&message, &id).await;
        if let (Attempt::Refused(reason), Some(fields), true) =
            (&attempt, message.as_object_mut(), outgoing.thread.is_some())
        {
            // Somebody may have deleted the first message.
            tracing::warn!(
                reason,
                "Rocket.Chat refuses a message in its thread; it goes outside of it"
            );
            fields.remove("tmid");
            attempt = self.post(&message, &id).await;
        }
        match attempt {
            Attempt::Accepted(receipt) => Attempt::Accepted(Receipt {
                thread: Some(outgoing.thread.unwrap_or(&id).to_owned()),
                ..receipt
            }),
            attempt => attempt,
        }
    }

    async fn post(&self, message: &Json, id: &str) -> Attempt {
        let request = self.ask(self.bot.http.post(&self.method("chat.sendMessage")));
        let answer = match self
            .bot
            .http
            .ask(request.json(&json!({ "message": message })))
            .await
        {
            Ok(answer) => answer,
            Err(trouble) => return trouble.into(),
        };
        let attempt = judge(&answer);
        match attempt {
            Attempt::Refused(_) if self.has(id).await => Attempt::Accepted(Receipt {
                answer: format!("{id}, which it had already"),
                message: Some(id.to_owned()),
                thread: None,
            }),
            attempt => attempt,
        }
    }

    async fn has(&self, id: &str) -> bool {
        let request = self.ask(self.bot.http.get(&self.method("chat.getMessage")));
        let answer = self.bot.http.ask(request.query(&[("msgId", id)])).await;
        answer.is_ok_and(|answer| answer.json()["message"]["_id"] == id)
    }

    /// Brings the pictures into the thread of their message.
    pub(super) async fn illustrate(&self, outgoing: &Outgoing<'_>, receipt: &Receipt) -> Attempt {
        let Some(thread) = outgoing.thread.or(receipt.message.as_deref()) else {
            return Attempt::Refused("Rocket.Chat did not say what the message is called".into());
        };
        let mut last = Attempt::Refused("there is no picture".into());
        for (picture, caption) in outgoing.illustrations() {
            last = match self.upload(outgoing.recipient, picture).await {
                Ok(file) => {
                    let path = format!("rooms.mediaConfirm/{}/{file}", outgoing.recipient);
                    let caption = Markup::BareMarkdown.escape(caption);
                    let request = self.ask(self.bot.http.post(&self.method(&path)));
                    let body = json!({ "msg": caption, "tmid": thread });
                    match self.bot.http.ask(request.json(&body)).await {
                        Ok(answer) => judge(&answer),
                        Err(trouble) => trouble.into(),
                    }
                }
                Err(attempt) => attempt,
            };
            if !matches!(last, Attempt::Accepted(_)) {
                return last;
            }
        }
        last
    }

    /// Brings a file that nobody is shown yet, and gives its name.
    async fn upload(&self, room: &str, picture: &Picture) -> Result<String, Attempt> {
        let file = Part::bytes(picture.bytes.clone())
            .file_name(picture.file_name())
            .mime_str(picture.format.media_type())
            .map_err(|error| Attempt::Refused(error.to_string()))?;
        let request = self.ask(
            self.bot
                .http
                .post(&self.method(&format!("rooms.media/{room}"))),
        );
        let answer = self
            .bot
            .http
            .ask(request.multipart(Form::new().part("file", file)))
            .await?;
        match answer.json()["file"]["_id"].as_str() {
            Some(file) if answer.status.is_success() => Ok(file.to_owned()),
            _ => Err(match judge(&answer) {
                Attempt::Accepted(_) => Attempt::Uncertain(answer.said()),
                attempt => attempt,
            }),
        }
    }

    fn method(&self, name: &str) -> String {
        self.bot.at(&format!("api/v1/{name}"))
    }

    fn ask(&self, request: RequestBuilder) -> RequestBuilder {
        request
            .header("X-Auth-Token", self.bot.token.expose_secret())
            .header("X-User-Id", &self.user)
    }
}

fn judge(answer: &Answer) -> Attempt {
    let body = answer.json();
    if !answer.status.is_success() {
        return answer.failure_after(answer.retry_after.or_else(|| rest(answer)));
    }
    if body["success"] == false {
        return Attempt::Refused(answer.said());
    }
    let message = body["message"]["_id"].as_str();
    if body["success"] != true {
        return Attempt::Uncertain(answer.said());
    }
    Attempt::Accepted(Receipt {
        answer: message.unwrap_or_default().to_owned(),
        message: message.map(str::to_owned),
        thread: None,
    })
}

/// Its limiter says how long to wait in words: `You must wait 42 seconds before trying this endpoint again`.
fn rest(answer: &Answer) -> Option<Duration> {
    let (_, after) = answer.body.split_once("must wait ")?;
    let seconds = after.split(' ').next()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}
