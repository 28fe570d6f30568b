//! What the browser tells of a page's requests, read once for all that keep something of it.

use serde::Deserialize;

use super::connection::Event;

/// The events of a request's way.
const READ: [&str; 4] = [
    "Network.requestWillBeSent",
    "Network.responseReceived",
    "Network.loadingFinished",
    "Network.loadingFailed",
];

/// One of these events: each has a part of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OfRequest {
    /// Whose way it is; a redirect keeps it.
    pub request_id: String,
    /// The load of the document that wants it. A document's own is its request.
    pub loader_id: Option<String>,
    /// What it is for: `Document`, `Preflight`.
    pub r#type: Option<String>,
    /// What is asked for.
    pub request: Option<Request>,
    /// What the request before the redirect was answered with.
    pub redirect_response: Option<Response>,
    /// What it was answered with.
    pub response: Option<Response>,
    /// Over the network, with headers, as compressed.
    pub encoded_data_length: Option<f64>,
    /// Why there is no answer.
    pub error_text: Option<String>,
    /// The page did not want it any more.
    pub canceled: Option<bool>,
}

/// What is asked for.
#[derive(Debug, Deserialize)]
pub struct Request {
    /// Where.
    pub url: String,
}

/// An answer over HTTP.
#[derive(Debug, Deserialize)]
pub struct Response {
    /// From where.
    pub url: String,
    /// HTTP's.
    pub status: i64,
}

impl OfRequest {
    /// Nothing of an event that is about something else.
    pub fn read(event: &Event) -> Option<Self> {
        let of_request = READ.contains(&event.method.as_str());
        of_request.then(|| event.read()).flatten()
    }
}
