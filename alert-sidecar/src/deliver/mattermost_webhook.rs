//! Mattermost through an incoming webhook: text, and pictures that those who read it fetch. It has no threads, no uploads and no
//! key to know a repeat by.

use serde::Deserialize;
use serde_json::{Value as Json, json};
use vigia_contract::secret::Template;

use super::{
    Abilities, Attempt, Outgoing, Pictures, Receipt, mattermost::Mattermost, service::Hook,
};
use crate::render::Markup;

/// The value `mattermost_webhook` of a `[[channel]]`, as the operator writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The address that Mattermost gave, as `${secret:NAME}`: who knows it can post.
    pub url: toml::Spanned<Template>,
}

/// A webhook, ready to send.
#[derive(Debug)]
pub struct MattermostWebhook {
    /// The webhook.
    pub hook: Hook,
}

impl MattermostWebhook {
    pub(super) const ABILITIES: Abilities = Abilities {
        pictures: Pictures::Linked,
        keeps_threads: false,
        ..Mattermost::ABILITIES
    };

    pub(super) async fn send(&self, outgoing: &Outgoing<'_>) -> Attempt {
        let request = self.hook.post();
        let mut body = json!({ "text": outgoing.message.marked });
        let pictures = outgoing.message.parts.pictures.iter();
        let attachments: Vec<Json> = pictures
            .map(|picture| {
                let caption = Markup::Markdown.escape(&picture.caption);
                json!({ "fallback": caption, "title": caption, "title_link": picture.address, "image_url": picture.address })
            })
            .collect();
        if !attachments.is_empty() {
            body["attachments"] = attachments.into();
        }
        match self.hook.http.ask(request.json(&body)).await {
            Ok(answer) if answer.status.is_success() && answer.body.trim() == "ok" => {
                Attempt::Accepted(Receipt {
                    answer: answer.said(),
                    ..Receipt::default()
                })
            }
            Ok(answer) if answer.status.is_success() => Attempt::Uncertain(answer.said()),
            Ok(answer) => answer.failure(),
            Err(trouble) => trouble.into(),
        }
    }
}
