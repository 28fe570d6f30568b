//! Matrix: messages in threads, pictures uploaded to the homeserver. What follows: the client-server API of
//! <https://spec.matrix.org/latest/client-server-api/>. Rooms that are encrypted end to end get what is sent in the clear.
//!
//! A transaction is one message however often it is sent.

use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
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

/// The value `matrix` of a `[[channel]]`, as the operator writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The homeserver, for example `https://matrix.agency.example`.
    pub server: toml::Spanned<String>,
    /// The access token of the robot's account, as `${secret:NAME}`.
    pub token: toml::Spanned<Template>,
    /// The rooms that are told, by their IDs (`!abcdefg:agency.example`); the account must have joined them.
    pub to: Vec<toml::Spanned<String>>,
}

/// An account on a homeserver, ready to send.
#[derive(Debug)]
pub struct Matrix {
    /// The bot, and whom it tells.
    pub bot: Bot,
}

impl Matrix {
    pub(super) const ABILITIES: Abilities = Abilities {
        markup: Markup::Matrix,
        // An event may have 65 536 bytes, and holds the text twice, escaped as JSON is.
        room: Room::Bytes(20_000),
        pictures: Pictures::After,
        keeps_threads: true,
        recognises_repeats: true,
        pace: Pace::ONE_A_SECOND,
    };

    pub(super) async fn send(&self, outgoing: &Outgoing<'_>) -> Attempt {
        let mut content = json!({
            // Not `m.notice`, which by the usual rules wakes nobody.
            "msgtype": "m.text",
            "body": outgoing.message.text,
            "format": "org.matrix.custom.html",
            "formatted_body": outgoing.message.marked,
            // Nobody is called, whatever the text says.
            "m.mentions": {},
        });
        if let Some(first) = outgoing.thread {
            content["m.relates_to"] = thread(first);
        }
        let transaction = digest(outgoing.id);
        let mut answer = self.event(outgoing.recipient, &transaction, &content).await;
        if let (Ok(refused), Some(fields), true) =
            (&answer, content.as_object_mut(), outgoing.thread.is_some())
            && refused.status.as_u16() == 400
        {
            tracing::warn!(
                answer = refused.said(),
                "Matrix refuses a message in its thread; it goes outside of it"
            );
            fields.remove("m.relates_to");
            answer = self.event(outgoing.recipient, &transaction, &content).await;
        }
        match answer {
            Ok(answer) => judge(&answer, outgoing.thread),
            Err(attempt) => attempt,
        }
    }

    /// Answers the first message with the pictures.
    pub(super) async fn illustrate(&self, outgoing: &Outgoing<'_>, receipt: &Receipt) -> Attempt {
        let Some(first) = outgoing.thread.or(receipt.message.as_deref()) else {
            return Attempt::Refused("Matrix did not say what the message is called".into());
        };
        let mut last = Attempt::Refused("there is no picture".into());
        for (number, (picture, caption)) in outgoing.illustrations().enumerate() {
            let address = match self.upload(picture).await {
                Ok(address) => address,
                Err(attempt) => return attempt,
            };
            let mut info =
                json!({ "mimetype": picture.format.media_type(), "size": picture.bytes.len() });
            // So programs keep its place free while they fetch it.
            if let Some((width, height)) = picture.size() {
                info["w"] = width.into();
                info["h"] = height.into();
            }
            let content = json!({
                "msgtype": "m.image",
                "url": address,
                "body": caption,
                "filename": picture.file_name(),
                "info": info,
                "m.mentions": {},
                "m.relates_to": thread(first),
            });
            let transaction = digest(&format!("{} picture {number}", outgoing.id));
            last = match self.event(outgoing.recipient, &transaction, &content).await {
                Ok(answer) => judge(&answer, None),
                Err(attempt) => attempt,
            };
            if !matches!(last, Attempt::Accepted(_)) {
                return last;
            }
        }
        last
    }

    async fn upload(&self, picture: &Picture) -> Result<String, Attempt> {
        let request = self
            .bot
            .post("_matrix/media/v3/upload")
            .bearer_auth(self.bot.token.expose_secret())
            .query(&[("filename", picture.file_name())])
            .header(CONTENT_TYPE, picture.format.media_type())
            .body(picture.bytes.clone());
        let answer = self.bot.http.ask(request).await?;
        match answer.json()["content_uri"].as_str() {
            Some(address) if answer.status.is_success() => Ok(address.to_owned()),
            _ if answer.status.is_success() => Err(Attempt::Uncertain(answer.said())),
            _ => Err(failure(&answer)),
        }
    }

    async fn event(
        &self,
        room: &str,
        transaction: &str,
        content: &Json,
    ) -> Result<Answer, Attempt> {
        let address = address(&self.bot.address, room, transaction)
            .ok_or_else(|| Attempt::Refused("the address of the homeserver is none".into()))?;
        let request = self
            .bot
            .http
            .put(&address)
            .bearer_auth(self.bot.token.expose_secret())
            .json(content);
        Ok(self.bot.http.ask(request).await?)
    }
}

/// The room's name may hold whatever its server wanted.
fn address(server: &str, room: &str, transaction: &str) -> Option<String> {
    let mut url = url::Url::parse(server).ok()?;
    let path = [
        "_matrix",
        "client",
        "v3",
        "rooms",
        room,
        "send",
        "m.room.message",
        transaction,
    ];
    url.path_segments_mut().ok()?.pop_if_empty().extend(path);
    Some(url.into())
}

/// Programs that know no threads show it as an answer.
fn thread(first: &str) -> Json {
    json!({
        "rel_type": "m.thread",
        "event_id": first,
        "is_falling_back": true,
        "m.in_reply_to": { "event_id": first },
    })
}

fn judge(answer: &Answer, thread: Option<&str>) -> Attempt {
    if !answer.status.is_success() {
        return failure(answer);
    }
    let body = answer.json();
    let Some(event) = body["event_id"].as_str() else {
        return Attempt::Uncertain(answer.said());
    };
    Attempt::Accepted(Receipt {
        answer: event.to_owned(),
        thread: Some(thread.unwrap_or(event).to_owned()),
        message: Some(event.to_owned()),
    })
}

/// Servers of before 2024 say in the body only how long to wait.
fn failure(answer: &Answer) -> Attempt {
    let wait_ms = answer.json()["retry_after_ms"].as_u64();
    let wait = wait_ms.map(Duration::from_millis);
    answer.failure_after(answer.retry_after.or(wait))
}
