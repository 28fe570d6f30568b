//! Slack through an incoming webhook: text only. It has no threads, no pictures and no key to know a repeat by.

use serde::Deserialize;
use vigia_contract::secret::{ExposeSecret, SecretString, Template};

use super::{
    Abilities, Attempt, Outgoing, Pace, Pictures, Receipt,
    http::Http,
    slack::{Slack, body, seconds_in},
};

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
    /// The way there.
    pub http: Http,
    /// The secret address.
    pub url: SecretString,
}

impl SlackWebhook {
    pub(super) const ABILITIES: Abilities = Abilities {
        pictures: Pictures::Never,
        pace: Pace::ONE_A_SECOND,
        ..Slack::ABILITIES
    };

    pub(super) async fn send(&self, outgoing: &Outgoing<'_>) -> Attempt {
        let request = self.http.post(self.url.expose_secret());
        let answer = match self.http.ask(request.json(&body(outgoing.message))).await {
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
