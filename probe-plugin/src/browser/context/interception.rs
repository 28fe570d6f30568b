//! What is added to a run's requests on their way: headers, the answer to a server that asks for a name and a password, a
//! client certificate.
//!
//! Only requests to the addresses that something is for are stopped on their way; each hop of a redirect is a request of
//! its own. What a run adds for one host is never seen by another.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use headless_chrome::protocol::cdp::Fetch;
use serde::Deserialize;
use tokio::task::JoinSet;
use vigia_contract::secret::{ExposeSecret, SecretString};

use super::send;
use crate::browser::{
    SessionId,
    certified::{BLOCKED, Certified, CertifiedFault, CertifiedRequest},
    connection::{Connection, Event},
};

/// What one run adds.
#[derive(Debug, Default)]
pub struct Interception {
    /// For servers that ask.
    pub credentials: Vec<Credentials>,
    /// For the proxy, where it asks.
    pub proxy: Option<ProxyCredentials>,
    /// With every request.
    pub headers: Vec<AddedHeaders>,
    /// For servers that want to see one.
    pub certificates: Vec<Arc<Certified>>,
    /// The requests that were answered with a name and a password: who asks again has refused them.
    answered: HashSet<String>,
    /// The requests that are made here and not by the browser; they end with the run.
    own: JoinSet<()>,
    /// Why the last one of those failed that the protocol has no word for.
    own_fault: Arc<Mutex<Option<&'static str>>>,
}

/// A name and a password.
#[derive(Debug)]
pub struct Credentials {
    /// What the addresses begin with: a whole origin at least, as the browser writes it.
    pub addresses: String,
    /// The name.
    pub user: SecretString,
    /// The password.
    pub password: SecretString,
}

/// A name and a password for the one proxy that there is.
#[derive(Debug)]
pub struct ProxyCredentials {
    /// The name.
    pub user: SecretString,
    /// The password.
    pub password: SecretString,
}

/// Names and values.
#[derive(Debug)]
pub struct AddedHeaders {
    /// What the addresses begin with: a whole origin at least, as the browser writes it.
    pub addresses: String,
    /// The headers.
    pub set: Vec<(String, SecretString)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Paused {
    request_id: String,
    request: Request,
    auth_challenge: Option<Challenge>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    method: String,
    url: String,
    headers: BTreeMap<String, String>,
    #[serde(default)]
    has_post_data: bool,
    #[serde(default)]
    post_data_entries: Vec<PostData>,
}

/// A part of what a request sends; a file that is sent from the disk has no bytes here.
#[derive(Deserialize)]
struct PostData {
    bytes: Option<String>,
}

#[derive(Deserialize)]
struct Challenge {
    source: Option<String>,
    origin: String,
}

impl Interception {
    /// There is nothing to add.
    pub fn is_empty(&self) -> bool {
        self.credentials.is_empty()
            && self.proxy.is_none()
            && self.headers.is_empty()
            && self.certificates.is_empty()
    }

    /// What a name and a password look like in a header.
    pub fn encoded_credentials(&self) -> Vec<SecretString> {
        let encoded = |(user, password): (&SecretString, &SecretString)| {
            let both = format!("{}:{}", user.expose_secret(), password.expose_secret());
            STANDARD.encode(both).into()
        };
        let own = self.credentials.iter();
        let own = own.map(|own| (&own.user, &own.password));
        let proxy = self.proxy.iter().map(|own| (&own.user, &own.password));
        own.chain(proxy).map(encoded).collect()
    }

    /// Stops the requests of a session that something is to be added to.
    pub fn enable(&self, connection: &Connection, session: &SessionId) {
        if self.is_empty() {
            return;
        }
        let addresses = self.credentials.iter().map(|own| &own.addresses);
        let addresses = addresses.chain(self.headers.iter().map(|own| &own.addresses));
        let certified = self.certificates.iter().map(|own| own.addresses());
        let addresses = addresses.map(String::as_str).chain(certified);
        let mut patterns: Vec<Fetch::RequestPattern> = addresses.map(pattern).collect();
        if self.proxy.is_some() {
            // Nobody knows which request is the first to come to it.
            patterns.push(pattern(""));
        }
        let enable = Fetch::Enable {
            patterns: Some(patterns),
            handle_auth_requests: Some(!self.credentials.is_empty() || self.proxy.is_some()),
        };
        send(connection, session, &enable);
    }

    /// A request is stopped: sends it on.
    pub fn take(&mut self, connection: &Connection, event: &Event) {
        let Some(paused) = event.read::<Paused>() else {
            return;
        };
        if let Some(challenge) = &paused.auth_challenge {
            let answer = Fetch::ContinueWithAuth {
                auth_challenge_response: self.answer(&paused, challenge),
                request_id: paused.request_id,
            };
            send(connection, &event.session, &answer);
        } else if let Some(certified) = self.certified(&paused.request.url) {
            self.fetch(connection.clone(), event.session.clone(), certified, paused);
        } else {
            let go_on = Fetch::ContinueRequest {
                headers: self.with_headers(&paused.request),
                request_id: paused.request_id,
                url: None,
                method: None,
                post_data: None,
                intercept_response: None,
            };
            send(connection, &event.session, &go_on);
        }
    }

    fn certified(&self, url: &str) -> Option<Arc<Certified>> {
        let mut certificates = self.certificates.iter();
        certificates
            .find(|own| url.starts_with(own.addresses()))
            .cloned()
    }

    /// Makes a request in the browser's place and gives it the answer.
    fn fetch(
        &mut self,
        connection: Connection,
        session: SessionId,
        certified: Arc<Certified>,
        paused: Paused,
    ) {
        // Those that have ended.
        while self.own.try_join_next().is_some() {}
        let headers = self.with_headers(&paused.request).map(|headers| {
            let pairs = headers.into_iter().map(|entry| (entry.name, entry.value));
            pairs.collect()
        });
        let request = body(&paused.request).map(|body| CertifiedRequest {
            headers: headers.unwrap_or(paused.request.headers),
            method: paused.request.method,
            url: paused.request.url,
            body,
        });
        let own_fault = Arc::clone(&self.own_fault);
        self.own.spawn(async move {
            let request_id = paused.request_id;
            let answer = match request {
                Some(request) => certified.fetch(request).await,
                None => Err(BLOCKED),
            };
            match answer {
                Ok(answer) => {
                    let fulfil = Fetch::FulfillRequest {
                        request_id,
                        response_code: answer.status.into(),
                        response_headers: Some(answer.headers),
                        binary_response_headers: None,
                        body: Some(STANDARD.encode(answer.body)),
                        response_phrase: None,
                    };
                    send(&connection, &session, &fulfil);
                }
                Err(CertifiedFault { reason, name }) => {
                    *own_fault.lock().unwrap_or_else(PoisonError::into_inner) = name;
                    let fail = Fetch::FailRequest {
                        request_id,
                        error_reason: reason,
                    };
                    send(&connection, &session, &fail);
                }
            }
        });
    }

    /// What lies behind an error of the network: one of a request that was made here is known better here.
    pub fn behind<'a>(&self, error: &'a str) -> &'a str {
        let own_fault = self.own_fault.lock();
        match *own_fault.unwrap_or_else(PoisonError::into_inner) {
            Some(name) if error == "net::ERR_FAILED" => name,
            _ => error,
        }
    }

    /// A name and a password for who they are meant for, once; nobody else gets any.
    fn answer(&mut self, paused: &Paused, challenge: &Challenge) -> Fetch::AuthChallengeResponse {
        let is_proxy = challenge.source.as_deref() == Some("Proxy");
        let key = format!("{} {is_proxy}", paused.request_id);
        let own = if is_proxy {
            let own = self.proxy.as_ref();
            own.map(|own| (&own.user, &own.password))
        } else {
            let mut own = self.credentials.iter();
            own.find(|own| {
                paused.request.url.starts_with(&own.addresses)
                    && own.addresses.starts_with(&format!("{}/", challenge.origin))
            })
            .map(|own| (&own.user, &own.password))
        };
        match own {
            Some((user, password)) if self.answered.insert(key) => Fetch::AuthChallengeResponse {
                response: Fetch::AuthChallengeResponseResponse::ProvideCredentials,
                username: Some(user.expose_secret().to_owned()),
                password: Some(password.expose_secret().to_owned()),
            },
            _ => Fetch::AuthChallengeResponse {
                response: Fetch::AuthChallengeResponseResponse::CancelAuth,
                username: None,
                password: None,
            },
        }
    }

    fn with_headers(&self, request: &Request) -> Option<Vec<Fetch::HeaderEntry>> {
        let mut headers = request.headers.clone();
        let mut added = false;
        for own in &self.headers {
            if request.url.starts_with(&own.addresses) {
                for (name, value) in &own.set {
                    headers.retain(|known, _| !known.eq_ignore_ascii_case(name));
                    headers.insert(name.clone(), value.expose_secret().to_owned());
                    added = true;
                }
            }
        }
        added.then(|| {
            headers
                .into_iter()
                .map(|(name, value)| Fetch::HeaderEntry { name, value })
                .collect()
        })
    }
}

/// What a request sends; nothing where the protocol does not tell all of it.
fn body(request: &Request) -> Option<Vec<u8>> {
    if request.has_post_data && request.post_data_entries.is_empty() {
        return None;
    }
    let mut body = Vec::new();
    for part in &request.post_data_entries {
        body.extend(STANDARD.decode(part.bytes.as_ref()?).ok()?);
    }
    Some(body)
}

/// The protocol's patterns know `*`, `?` and `\`, all of which an address may hold.
fn pattern(beginning: &str) -> Fetch::RequestPattern {
    let mut pattern = String::new();
    for character in beginning.chars() {
        if "*?\\".contains(character) {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('*');
    Fetch::RequestPattern {
        url_pattern: Some(pattern),
        resource_Type: None,
        request_stage: None,
    }
}
