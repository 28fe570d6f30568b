//! What the channels to one kind of service have in common: a bot that posts where it may, or the secret address of a webhook.

use reqwest::RequestBuilder;
use vigia_contract::secret::{ExposeSecret, SecretString};

use super::http::Http;

/// A bot at a service.
#[derive(Debug)]
pub struct Bot {
    /// The way there.
    pub http: Http,
    /// Where the service is, without a slash at the end.
    pub address: String,
    /// What proves that it is this bot.
    pub token: SecretString,
    /// Who is told: channels, chats or rooms, as the service calls them.
    pub to: Vec<String>,
}

impl Bot {
    /// Where this is at the service.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}/{path}", self.address)
    }

    /// A request with a body, for this place at the service; it holds no token yet.
    pub(super) fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(&self.at(path))
    }
}

/// The webhook of one place at a service.
#[derive(Debug)]
pub struct Hook {
    /// The way there.
    pub http: Http,
    /// The secret address: who knows it can post.
    pub url: SecretString,
}

impl Hook {
    /// A request with a body, for its place.
    pub(super) fn post(&self) -> RequestBuilder {
        self.http.post(self.url.expose_secret())
    }
}
