//! What the requests of a page were answered with, for whoever expects an answer. Pure: events in, answers out.

use std::collections::HashMap;

use super::network::OfRequest;

/// A page may ask without end.
const KEPT_MAX: usize = 2000;

/// So much of an address is kept.
const URL_MAX_CHARACTERS: usize = 2000;

/// A request that has come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// What was asked for.
    pub url: String,
    /// The status, or why there is none.
    pub status: Result<i64, String>,
}

/// The answers since the last time that they were forgotten, and what is still on its way.
#[derive(Clone, Debug, Default)]
pub struct ResponseLog {
    answered: Vec<Response>,
    under_way: HashMap<String, String>,
}

impl ResponseLog {
    /// In the order in which they came.
    pub fn answered(&self) -> &[Response] {
        &self.answered
    }

    /// What was answered until now is of no interest any more.
    pub fn forget(&mut self) {
        self.answered.clear();
    }

    /// Takes in what was told of a request.
    pub fn apply(&mut self, about: &OfRequest) {
        // The browser's own question whether the request may be made.
        if about.r#type.as_deref() == Some("Preflight") {
            return;
        }
        if let Some(answered) = about.redirect_response.as_ref().or(about.response.as_ref()) {
            self.under_way.remove(&about.request_id);
            self.keep(&answered.url, Ok(answered.status));
        }
        if let Some(request) = &about.request
            && !request.url.starts_with("data:")
        {
            self.under_way
                .insert(about.request_id.clone(), shortened(&request.url));
        } else if let Some(error) = &about.error_text
            && let Some(url) = self.under_way.remove(&about.request_id)
        {
            self.keep(&url, Err(error.clone()));
        }
    }

    fn keep(&mut self, url: &str, status: Result<i64, String>) {
        if self.answered.len() < KEPT_MAX && !url.starts_with("data:") {
            let url = shortened(url);
            self.answered.push(Response { url, status });
        }
    }
}

fn shortened(url: &str) -> String {
    url.chars().take(URL_MAX_CHARACTERS).collect()
}
