//! Requests that show a client certificate.
//!
//! Chromium's headless modes cannot show one (`SelectClientCertificate` in its `headless_content_browser_client.cc` goes on
//! without), so the robot makes these requests itself, and the browser takes their answers as it takes those of the network:
//! cookies, redirects and what a page may do stay its own.

use std::{collections::BTreeMap, error::Error, io, iter::successors};

use headless_chrome::protocol::cdp::{Fetch::HeaderEntry, Network::ErrorReason};
use reqwest::{
    Client, Identity,
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect,
};
use rustls::{AlertDescription, CertificateError};
use vigia_contract::secret::{ExposeSecret, SecretString};

/// What the body of an answer may have: it is held in memory as a whole.
const BODY_MAX_BYTES: usize = 64 << 20;

/// What the client says itself. Answers come as they are: what is taken apart by the browser's network does not pass it.
const OWN_HEADERS: [&str; 4] = ["accept-encoding", "connection", "content-length", "host"];

/// What belongs to the way that an answer took, and not to the answer.
const HEADERS_OF_THE_WAY: [&str; 4] = [
    "connection",
    "content-length",
    "keep-alive",
    "transfer-encoding",
];

/// Who shows a certificate to some addresses.
#[derive(Debug)]
pub struct Certified {
    addresses: String,
    http: Client,
}

/// What a page asks for.
#[derive(Debug)]
pub struct CertifiedRequest {
    /// For example `POST`.
    pub method: String,
    /// Where.
    pub url: String,
    /// Its headers, cookies among them.
    pub headers: BTreeMap<String, String>,
    /// What it sends.
    pub body: Vec<u8>,
}

/// What the server answered.
#[derive(Debug)]
pub struct CertifiedAnswer {
    /// The HTTP status.
    pub status: u16,
    /// Those of several times stay several.
    pub headers: Vec<HeaderEntry>,
    /// As a whole.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq)]
pub struct CertifiedFault {
    /// What the browser is told.
    pub reason: ErrorReason,
    /// Chromium's own name for it, which the protocol has no reason for.
    pub name: Option<&'static str>,
}

impl Certified {
    /// For all addresses that begin so; `pem` holds the certificate, those that vouch for it, and its key.
    pub fn new(addresses: String, pem: &SecretString) -> Result<Self, reqwest::Error> {
        // One library for the whole process: whoever was first has installed the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = Client::builder()
            .identity(Identity::from_pem(pem.expose_secret().as_bytes())?)
            .https_only(true)
            // The browser follows, by its own rules and with its own cookies.
            .redirect(redirect::Policy::none())
            // The browser is given no proxy by the environment either.
            .no_proxy()
            .build()?;
        Ok(Self { addresses, http })
    }

    /// What the addresses begin with.
    pub fn addresses(&self) -> &str {
        &self.addresses
    }

    /// Makes a request. It has no deadline: it ends with the run that waits for it.
    pub async fn fetch(
        &self,
        request: CertifiedRequest,
    ) -> Result<CertifiedAnswer, CertifiedFault> {
        let method = request.method.parse().map_err(|_| BLOCKED)?;
        let mut headers = HeaderMap::new();
        for (name, value) in &request.headers {
            let name = HeaderName::try_from(name).map_err(|_| BLOCKED)?;
            if !OWN_HEADERS.contains(&name.as_str()) {
                let value = HeaderValue::try_from(value).map_err(|_| BLOCKED)?;
                headers.insert(name, value);
            }
        }
        let sent = self.http.request(method, &request.url).headers(headers);
        let mut response = sent
            .body(request.body)
            .send()
            .await
            .map_err(|error| fault(&error))?;
        let status = response.status().as_u16();
        let headers = response.headers().iter();
        let headers = headers
            .filter(|(name, _)| !HEADERS_OF_THE_WAY.contains(&name.as_str()))
            .map(|(name, value)| HeaderEntry {
                name: name.to_string(),
                value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
            })
            .collect();
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(|error| fault(&error))? {
            body.extend_from_slice(&part);
            if body.len() > BODY_MAX_BYTES {
                return Err(CertifiedFault {
                    reason: ErrorReason::Failed,
                    name: Some("net::ERR_INSUFFICIENT_RESOURCES"),
                });
            }
        }
        Ok(CertifiedAnswer {
            status,
            headers,
            body,
        })
    }
}

/// The robot cannot make this request.
pub const BLOCKED: CertifiedFault = CertifiedFault {
    reason: ErrorReason::BlockedByClient,
    name: None,
};

/// What Chromium would have called it.
fn fault(error: &reqwest::Error) -> CertifiedFault {
    let first: &(dyn Error + 'static) = error;
    let mut reason = ErrorReason::ConnectionFailed;
    for error in successors(Some(first), |&error| cause(error)) {
        if let Some(error) = error.downcast_ref() {
            return CertifiedFault {
                reason: ErrorReason::Failed,
                name: Some(name(error)),
            };
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            reason = match error.kind() {
                io::ErrorKind::ConnectionRefused => ErrorReason::ConnectionRefused,
                io::ErrorKind::ConnectionReset => ErrorReason::ConnectionReset,
                io::ErrorKind::ConnectionAborted => ErrorReason::ConnectionAborted,
                io::ErrorKind::UnexpectedEof => ErrorReason::ConnectionClosed,
                io::ErrorKind::TimedOut => ErrorReason::TimedOut,
                io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                    ErrorReason::AddressUnreachable
                }
                _ => reason,
            };
        } else if error.to_string() == "dns error" {
            // hyper-util's words; it has no type for it. What follows is the resolver's own error.
            return CertifiedFault {
                reason: ErrorReason::NameNotResolved,
                name: None,
            };
        }
    }
    CertifiedFault { reason, name: None }
}

/// What a library wraps into an input error is its inner part, and no source of it.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

/// Of an error in the encryption.
fn name(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::InvalidCertificate(error) => match error {
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => "net::ERR_CERT_DATE_INVALID",
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "net::ERR_CERT_COMMON_NAME_INVALID"
            }
            CertificateError::UnknownIssuer => "net::ERR_CERT_AUTHORITY_INVALID",
            CertificateError::Revoked => "net::ERR_CERT_REVOKED",
            _ => "net::ERR_CERT_INVALID",
        },
        rustls::Error::AlertReceived(
            AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::DecryptError
            | AlertDescription::AccessDenied
            | AlertDescription::CertificateRequired,
        ) => "net::ERR_BAD_SSL_CLIENT_AUTH_CERT",
        _ => "net::ERR_SSL_PROTOCOL_ERROR",
    }
}
