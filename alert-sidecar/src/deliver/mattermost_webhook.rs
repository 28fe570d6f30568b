//! Mattermost through an incoming webhook: text only. It has no threads, no pictures and no key to know a repeat by.

use serde::Deserialize;
use serde_json::json;
use vigia_contract::secret::{ExposeSecret, SecretString, Template};

use super::{Abilities, Attempt, Outgoing, Pictures, Receipt, http::Http, mattermost::Mattermost};

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
    /// The way there.
    pub http: Http,
    /// The secret address.
    pub url: SecretString,
}

impl MattermostWebhook {
    pub(super) const ABILITIES: Abilities = Abilities {
        pictures: Pictures::Never,
        ..Mattermost::ABILITIES
    };

    pub(super) async fn send(&self, outgoing: &Outgoing<'_>) -> Attempt {
        let request = self.http.post(self.url.expose_secret());
        let body = json!({ "text": outgoing.message.marked });
        match self.http.ask(request.json(&body)).await {
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
