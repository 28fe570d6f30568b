//! The requests of a run, put together from what the browser told of each. Pure: events in, requests out.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::browser::Event;

/// A document of a tab, and when it was there.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The identity of its load.
    pub loader: String,
    /// Its address.
    pub url: String,
    /// By the browser's own clock, in seconds.
    pub content_at: Option<f64>,
    /// By the browser's own clock, in seconds.
    pub loaded_at: Option<f64>,
}

/// One request; each hop of a redirect is one.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The load that it is for.
    pub loader: String,
    /// `GET` and the like.
    pub method: String,
    /// The whole address, without its fragment.
    pub url: String,
    /// What it is for, in the browser's word: `Document`, `Script`, `XHR`.
    pub sort: String,
    /// As the page gave them.
    pub headers: Map<String, Value>,
    /// It has a body; what is in it is not kept.
    pub has_body: bool,
    /// Since 1970, in seconds.
    pub wall_time: f64,
    /// By the browser's own clock, in seconds.
    pub began: f64,
    /// By the browser's own clock, in seconds.
    pub ended: Option<f64>,
    /// Nothing where none came.
    pub response: Option<Response>,
    /// Over the network, with headers, as compressed.
    pub transferred_bytes: Option<f64>,
    /// Why it did not come to its end.
    pub error: Option<String>,
    /// The page gave it up itself.
    pub canceled: bool,
}

/// What was answered.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// The status.
    pub status: i64,
    /// What stands behind it.
    #[serde(default)]
    pub status_text: String,
    /// Names and values.
    #[serde(default)]
    pub headers: Map<String, Value>,
    /// Of the content.
    #[serde(default)]
    pub mime_type: String,
    /// `http/1.1`, `h2`, `h3`.
    #[serde(default)]
    pub protocol: String,
    /// Where it came from.
    #[serde(rename = "remoteIPAddress")]
    pub remote_ip_address: Option<String>,
    /// Nothing where it did not come over the network.
    pub timing: Option<Timing>,
}

/// Milliseconds since `request_time`; -1 where there was no such part.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Timing {
    /// By the browser's own clock, in seconds.
    pub request_time: f64,
    /// The look for the address.
    pub dns_start: f64,
    /// Its end.
    pub dns_end: f64,
    /// The connection, TLS with it.
    pub connect_start: f64,
    /// Its end.
    pub connect_end: f64,
    /// TLS.
    pub ssl_start: f64,
    /// Its end.
    pub ssl_end: f64,
    /// The request.
    pub send_start: f64,
    /// Its end.
    pub send_end: f64,
    /// All headers of the answer were there.
    pub receive_headers_end: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WillBeSent {
    request_id: String,
    #[serde(default)]
    loader_id: String,
    request: Sent,
    timestamp: f64,
    wall_time: f64,
    r#type: Option<String>,
    redirect_response: Option<Response>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    url: String,
    method: String,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    has_post_data: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfRequest {
    request_id: String,
    timestamp: Option<f64>,
    response: Option<Response>,
    encoded_data_length: Option<f64>,
    error_text: Option<String>,
    canceled: Option<bool>,
    blocked_reason: Option<String>,
    cors_error_status: Option<CorsErrorStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CorsErrorStatus {
    cors_error: String,
}

#[derive(Deserialize)]
struct FrameNavigated {
    frame: Frame,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Frame {
    parent_id: Option<String>,
    loader_id: String,
    url: String,
    unreachable_url: Option<String>,
}

/// `Page.domContentEventFired`, `Page.loadEventFired`: of a session's outermost frame.
#[derive(Deserialize)]
struct Fired {
    timestamp: f64,
}

/// The documents that filled a tab, and all requests, in their order.
pub fn read(events: &[Event]) -> (Vec<Shown>, Vec<Request>) {
    let mut documents: Vec<Shown> = Vec::new();
    let mut shown_in: BTreeMap<&str, usize> = BTreeMap::new();
    let mut requests: Vec<Request> = Vec::new();
    let mut under_way: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for event in events {
        let session = event.session.0.as_str();
        match event.method.as_str() {
            "Page.frameNavigated" => {
                if let Some(FrameNavigated { frame }) = event.read()
                    && frame.parent_id.is_none()
                {
                    shown_in.insert(session, documents.len());
                    documents.push(Shown {
                        loader: frame.loader_id,
                        url: frame.unreachable_url.unwrap_or(frame.url),
                        content_at: None,
                        loaded_at: None,
                    });
                }
            }
            method @ ("Page.domContentEventFired" | "Page.loadEventFired") => {
                if let Some(Fired { timestamp }) = event.read()
                    && let Some(shown) = shown_in.get(session).map(|index| &mut documents[*index])
                {
                    let at = match method {
                        "Page.loadEventFired" => &mut shown.loaded_at,
                        _ => &mut shown.content_at,
                    };
                    *at = Some(timestamp);
                }
            }
            "Network.requestWillBeSent" => {
                let Some(sent) = event.read::<WillBeSent>() else {
                    continue;
                };
                if sent.request.url.starts_with("data:") {
                    continue;
                }
                let key = (session, sent.request_id.clone());
                if let Some(redirect) = sent.redirect_response.clone()
                    && let Some(hop) = under_way.get(&key)
                {
                    requests[*hop].response = Some(redirect);
                    requests[*hop].ended = Some(sent.timestamp);
                }
                under_way.insert(key, requests.len());
                requests.push(sent.into());
            }
            method => {
                let Some(about) = event.read::<OfRequest>() else {
                    continue;
                };
                let key = (session, about.request_id.clone());
                if let Some(request) = under_way.get(&key).map(|index| &mut requests[*index]) {
                    request.apply(method, about);
                }
            }
        }
    }
    (documents, requests)
}

impl From<WillBeSent> for Request {
    fn from(sent: WillBeSent) -> Self {
        Self {
            loader: sent.loader_id,
            method: sent.request.method,
            url: sent.request.url,
            sort: sent.r#type.unwrap_or_default(),
            headers: sent.request.headers,
            has_body: sent.request.has_post_data,
            wall_time: sent.wall_time,
            began: sent.timestamp,
            ..Self::default()
        }
    }
}

impl Request {
    fn apply(&mut self, method: &str, about: OfRequest) {
        match method {
            "Network.responseReceived" => self.response = about.response,
            "Network.loadingFinished" => {
                self.ended = about.timestamp;
                self.transferred_bytes = about.encoded_data_length;
            }
            "Network.loadingFailed" => {
                self.ended = about.timestamp;
                self.canceled = about.canceled == Some(true);
                let error = about.error_text.unwrap_or_default();
                let why = about
                    .blocked_reason
                    .or(about.cors_error_status.map(|status| status.cors_error));
                self.error = Some(match why {
                    Some(why) => format!("{error} ({why})"),
                    None => error,
                });
            }
            _ => {}
        }
    }

    /// In one line, where it did not get what it asked for.
    pub fn failed(&self) -> Option<String> {
        let told = match (&self.error, &self.response) {
            // What the page did with such an answer afterwards is not why.
            (_, Some(response)) if response.status >= 400 => {
                format!("HTTP {} {}", response.status, response.status_text)
                    .trim_end()
                    .to_owned()
            }
            (Some(error), _) if self.canceled => format!("given up by the page: {error}"),
            (Some(error), _) => error.clone(),
            (None, None) => "no answer until the end of the run".to_owned(),
            (None, Some(_)) => return None,
        };
        Some(format!(
            "{} {}: {told} ({})",
            self.method, self.url, self.sort
        ))
    }
}
