//! Slack through an incoming webhook: text, and pictures that Slack fetches. It has no threads, no uploads and no key to know a
//! repeat by.

use serde::Deserialize;
use serde_json::{Value as Json, json};
use vigia_contract::secret::Template;

use super::{
    Abilities, Attempt, Outgoing, Pace, Pictures, Receipt,
    service::Hook,
    slack::{Slack, body, seconds_in},
};
use crate::render::{Markup, Parts};

/// The value `slack_webhook` of a `[[channel]]`, as the operator writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The address that Slack gave, as `${secret:NAME}`: who knows it can post.
    pub url: toml::Spanned<Template>,
}

/// A webhook, ready to send.
#[derive(Debug)]
pub struct SlackWebhook {
    /// The webhook.
    pub hook: Hook,
}

impl SlackWebhook {
    pub(super) const ABILITIES: Abilities = Abilities {
        pictures: Pictures::Linked,
        keeps_threads: false,
        pace: Pace::ONE_A_SECOND,
        ..Slack::ABILITIES
    };

    pub(super) async fn send(&self, outgoing: &Outgoing<'_>) -> Attempt {
        let mut body = body(outgoing.message);
        let pictures = attachments(&outgoing.message.parts);
        if pictures.is_empty() {
            return self.post(&body).await;
        }
        let text = body.clone();
        body["attachments"] = pictures.into();
        match self.post(&body).await {
            Attempt::Refused(answer) => {
                tracing::info!(
                    answer,
                    "Slack refuses a message with its picture; it goes without"
                );
                self.post(&text).await
            }
            attempt => attempt,
        }
    }

    async fn post(&self, body: &Json) -> Attempt {
        let request = self.hook.post();
        let answer = match self.hook.http.ask(request.json(body)).await {
            Ok(answer) => answer,
            Err(trouble) => return trouble.into(),
        };
        if answer.status.is_success() {
            return Attempt::Accepted(Receipt {
                answer: answer.said(),
                ..Receipt::default()
            });
        }
        answer.failure_after(answer.retry_after.or(seconds_in(&answer.json())))
    }
}

/// The pictures below the text. As a block, Slack would fetch one before it takes the message, and refuse the message where it
/// cannot; of an attachment it fetches it when somebody looks.
fn attachments(parts: &Parts) -> Vec<Json> {
    let pictures = parts.pictures.iter();
    pictures
        .map(|picture| {
            let caption = Markup::Slack.escape(&picture.caption);
            json!({ "fallback": caption, "title": caption, "title_link": picture.address, "image_url": picture.address })
        })
        .collect()
}
