//! Google Chat through an incoming webhook: text in threads, and a card below it with the pictures, which Google fetches. What
//! follows:
//! <https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create>.
//!
//! A request with an ID that it has seen gives the message that came of it.

use serde::Deserialize;
use serde_json::{Value as Json, json};
use vigia_contract::secret::Template;

use super::{Abilities, Attempt, Outgoing, Pace, Pictures, Receipt, http::digest, service::Hook};
use crate::render::{Markup, Parts, Room};

/// The value `google_chat` of a `[[channel]]`, as the operator writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The address that Google Chat gave, as `${secret:NAME}`: who knows it can post.
    pub url: toml::Spanned<Template>,
}

/// A webhook of a space, ready to send.
#[derive(Debug)]
pub struct GoogleChat {
    /// The webhook.
    pub hook: Hook,
}

impl GoogleChat {
    pub(super) const ABILITIES: Abilities = Abilities {
        markup: Markup::GoogleChat,
        room: Room::Letters(4000),
        pictures: Pictures::Linked,
        keeps_threads: true,
        recognises_repeats: true,
        pace: Pace::ONE_A_SECOND,
    };

    pub(super) async fn send(&self, outgoing: &Outgoing<'_>) -> Attempt {
        let thread = digest(outgoing.conversation);
        let request = self.hook.post().query(&[
            // Without it the thread's key is not looked at.
            ("messageReplyOption", "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"),
            ("requestId", digest(outgoing.id).as_str()),
        ]);
        let mut body =
            json!({ "text": outgoing.message.marked, "thread": { "threadKey": thread } });
        if let Some(card) = card(&outgoing.message.parts) {
            body["cardsV2"] = json!([card]);
        }
        let answer = match self.hook.http.ask(request.json(&body)).await {
            Ok(answer) => answer,
            Err(trouble) => return trouble.into(),
        };
        if !answer.status.is_success() {
            return answer.failure();
        }
        match answer.json()["name"].as_str() {
            None => Attempt::Uncertain(answer.said()),
            Some(name) => Attempt::Accepted(Receipt {
                answer: name.to_owned(),
                thread: Some(thread),
                message: Some(name.to_owned()),
            }),
        }
    }
}

/// The pictures, each below what it shows; nothing where there are none.
fn card(parts: &Parts) -> Option<Json> {
    let sections: Vec<Json> = parts
        .pictures
        .iter()
        .map(|picture| {
            let image = json!({
                "imageUrl": picture.address,
                "altText": picture.caption,
                "onClick": { "openLink": { "url": picture.address } },
            });
            json!({ "header": picture.caption, "widgets": [{ "image": image }] })
        })
        .collect();
    (!sections.is_empty())
        .then(|| json!({ "cardId": "pictures", "card": { "sections": sections } }))
}
