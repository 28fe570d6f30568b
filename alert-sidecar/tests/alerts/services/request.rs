//! A request as a service reads it, and an answer as it writes one.

use axum::{
    body::to_bytes,
    extract::{FromRequest, Multipart},
    http::HeaderMap,
};
use serde_json::Value;
use url::form_urlencoded;

/// More than any service takes, so that it is the service that refuses.
const LONGEST_BODY_BYTES: usize = 64 * 1024 * 1024;

/// A part of a `multipart/form-data` body.
#[derive(Debug)]
pub struct Part {
    pub name: String,
    /// Only a file has one.
    pub file_name: Option<String>,
    pub bytes: Vec<u8>,
}

#[derive(Debug)]
pub struct Request {
    pub method: String,
    /// As it was sent, without the query.
    pub path: String,
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// Of a multipart body that can be read.
    pub parts: Vec<Part>,
}

impl Request {
    pub async fn read(request: axum::extract::Request) -> Self {
        let (head, body) = request.into_parts();
        let body = to_bytes(body, LONGEST_BODY_BYTES).await.unwrap_or_default();
        let copy = axum::extract::Request::from_parts(head.clone(), body.clone().into());
        let mut parts = Vec::new();
        if let Ok(mut multipart) = Multipart::from_request(copy, &()).await {
            while let Ok(Some(field)) = multipart.next_field().await {
                parts.push(Part {
                    name: field.name().unwrap_or_default().to_owned(),
                    file_name: field.file_name().map(str::to_owned),
                    bytes: field.bytes().await.map_or_else(|_| Vec::new(), Vec::from),
                });
            }
        }
        let query = head.uri.query().unwrap_or_default().as_bytes();
        Self {
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            query: pairs(query),
            headers: head.headers,
            body: body.to_vec(),
            parts,
        }
    }

    pub fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path == path
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The token of `Authorization: Bearer`.
    pub fn bearer(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }

    /// What kind of body it says it has, without parameters.
    pub fn media_type(&self) -> &str {
        let kind = self.header("content-type").unwrap_or_default();
        kind.split(';').next().unwrap_or_default().trim()
    }

    pub fn query(&self, name: &str) -> Option<&str> {
        value(&self.query, name)
    }

    /// The body, where it is JSON and says so.
    pub fn json(&self) -> Option<Value> {
        (self.media_type() == "application/json")
            .then(|| serde_json::from_slice(&self.body).ok())
            .flatten()
    }

    /// The fields of a form, of either kind; none of them a file.
    pub fn form(&self) -> Vec<(String, String)> {
        match self.media_type() {
            "application/x-www-form-urlencoded" => pairs(&self.body),
            _ => self
                .parts
                .iter()
                .filter(|part| part.file_name.is_none())
                .map(|part| {
                    let text = String::from_utf8_lossy(&part.bytes).into_owned();
                    (part.name.clone(), text)
                })
                .collect(),
        }
    }

    /// The file in this field.
    pub fn file(&self, field: &str) -> Option<&Part> {
        let is_it = |part: &&Part| part.name == field && part.file_name.is_some();
        self.parts.iter().find(is_it)
    }
}

/// The value of a field.
pub fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let (_, value) = pairs.iter().find(|(key, _)| key == name)?;
    Some(value)
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(text).into_owned().collect()
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub media_type: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Answer {
    pub fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            media_type: "application/json; charset=utf-8",
            headers: Vec::new(),
            body: body.to_string(),
        }
    }

    pub fn text(status: u16, body: &str) -> Self {
        Self {
            status,
            media_type: "text/plain; charset=utf-8",
            headers: Vec::new(),
            body: body.to_owned(),
        }
    }

    /// What the machines before a service say when it is gone.
    pub fn unavailable() -> Self {
        Self {
            media_type: "text/html",
            ..Self::text(
                503,
                "<html><body><h1>503 Service Unavailable</h1></body></html>",
            )
        }
    }

    pub fn with(mut self, header: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((header, value.into()));
        self
    }
}
