//! The way to services that speak HTTP: one client a channel, with deadlines, a proxy and an authority where the operator
//! names them, and answers read to a limit. What it says of a failure holds neither an address nor a secret.

use std::{error::Error, time::Duration};

use jiff::{Timestamp, fmt::rfc2822};
use reqwest::{
    Certificate, Client, Proxy, RequestBuilder, StatusCode,
    header::{HeaderMap, RETRY_AFTER},
    redirect::Policy,
};
use serde_json::Value as Json;
use url::{Position, Url};
use vigia_contract::secret::{ExposeSecret, SecretString};

use super::Attempt;

/// Until the connection stands, names looked up and encryption agreed on.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);

/// From the first packet to the last byte of the answer. Nobody who is to be told of an outage can wait longer.
const DEADLINE: Duration = Duration::from_secs(30);

/// A connection that was idle for longer may have been closed by the other side without a word.
const IDLE: Duration = Duration::from_secs(15);

/// More of an answer is not read.
const ANSWER_MAX_BYTES: usize = 256 * 1024;

/// More of an answer is not told.
const SAID_MAX_CHARACTERS: usize = 300;

/// A secret that is shorter than this is not looked for in answers: it would be found everywhere.
const SECRET_MIN_BYTES: usize = 6;

/// A shorter part of an address is a word of the service's.
const KEY_MIN_BYTES: usize = 16;

/// How services are reached.
#[derive(Debug, Default)]
pub struct Way {
    /// A proxy, with its password where it wants one.
    pub proxy: Option<SecretString>,
    /// Authorities to trust besides those of the system, PEM.
    pub authorities: Vec<u8>,
}

/// A client of one service.
#[derive(Debug)]
pub struct Http {
    client: Client,
    secrets: Vec<SecretString>,
}

/// What a service answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// For how long it wants to be left alone, by its header.
    pub retry_after: Option<Duration>,
    /// The body, as text.
    pub body: String,
    secrets: Vec<SecretString>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The service was not reached: nothing was handed over.
    Unreached(String),
    /// It was, and did not answer to the end.
    Unanswered(String),
}

impl From<Trouble> for Attempt {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Unreached(reason) => Self::failed(reason),
            Trouble::Unanswered(reason) => Self::Uncertain(reason),
        }
    }
}

impl Http {
    /// Prepares the client; nothing is sent yet. What the secrets are is never told, whatever a service answers.
    pub fn new(way: &Way, secrets: Vec<SecretString>) -> Result<Self, anyhow::Error> {
        let mut builder = Client::builder()
            .user_agent(concat!("Vigia/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_DEADLINE)
            .timeout(DEADLINE)
            .pool_idle_timeout(IDLE)
            // A message that is repeated somewhere else may show its secret address there.
            .redirect(Policy::none())
            .referer(false);
        if let Some(proxy) = &way.proxy {
            let proxy = Proxy::all(proxy.expose_secret()).map_err(|_| {
                anyhow::anyhow!(
                    "it is not the address of a proxy, such as `http://proxy.agency.example:3128`"
                )
            })?;
            builder = builder.proxy(proxy);
        }
        if !way.authorities.is_empty() {
            let authorities = Certificate::from_pem_bundle(&way.authorities)?;
            if authorities.is_empty() {
                anyhow::bail!("there is no certificate in PEM format in the file of authorities");
            }
            builder = builder.tls_certs_merge(authorities);
        }
        Ok(Self {
            client: builder.build()?,
            secrets: secrets.into_iter().flat_map(hidden).collect(),
        })
    }

    /// A request that only asks.
    pub fn get(&self, address: &str) -> RequestBuilder {
        self.client.get(address)
    }

    /// A request with a body.
    pub fn post(&self, address: &str) -> RequestBuilder {
        self.client.post(address)
    }

    /// A request that may be repeated with the same effect.
    pub fn put(&self, address: &str) -> RequestBuilder {
        self.client.put(address)
    }

    /// A request that changes a part.
    pub fn patch(&self, address: &str) -> RequestBuilder {
        self.client.patch(address)
    }

    /// Sends it and reads the whole answer.
    pub async fn ask(&self, request: RequestBuilder) -> Result<Answer, Trouble> {
        let mut response = request.send().await.map_err(|error| self.trouble(&error))?;
        let status = response.status();
        let retry_after = retry_after(response.headers(), Timestamp::now());
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() < ANSWER_MAX_BYTES => body.extend_from_slice(&chunk),
                Ok(_) => break,
                // It has said what it does with the message; what else it wanted to say can only be missed.
                Err(_) if !status.is_success() => break,
                Err(error) => return Err(Trouble::Unanswered(self.told(&error))),
            }
        }
        Ok(Answer {
            status,
            retry_after,
            body: String::from_utf8_lossy(&body).into_owned(),
            secrets: self.secrets.clone(),
        })
    }

    fn trouble(&self, error: &reqwest::Error) -> Trouble {
        let told = self.told(error);
        if error.is_connect() || error.is_builder() {
            Trouble::Unreached(told)
        } else {
            Trouble::Unanswered(told)
        }
    }

    fn told(&self, error: &reqwest::Error) -> String {
        let said = if error.is_timeout() && error.is_connect() {
            "the service could not be reached in time".to_owned()
        } else if error.is_timeout() {
            "the service did not answer in time".to_owned()
        } else {
            // The outer errors repeat the address.
            let mut cause: &dyn Error = error;
            while let Some(source) = cause.source() {
                cause = source;
            }
            let what = if error.is_connect() {
                "the service could not be reached"
            } else {
                "the connection broke before the service answered"
            };
            match cause.downcast_ref::<reqwest::Error>() {
                Some(_) => what.to_owned(),
                None => format!("{what}: {cause}"),
            }
        };
        without(&said, &self.secrets)
    }
}

impl Answer {
    /// Its body, where it is JSON.
    #[must_use]
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// What it said, in one line that may be told.
    #[must_use]
    pub fn said(&self) -> String {
        let line = self.body.split_whitespace().collect::<Vec<_>>().join(" ");
        let line = without(&line, &self.secrets);
        let status = self.status.as_u16();
        match line.char_indices().nth(SAID_MAX_CHARACTERS) {
            _ if line.is_empty() => format!("{status}"),
            Some((end, _)) => format!("{status}: {}…", &line[..end]),
            None => format!("{status}: {line}"),
        }
    }

    /// What an answer that is no success means, by its status.
    #[must_use]
    pub fn failure(&self) -> Attempt {
        self.failure_after(self.retry_after)
    }

    /// The same, where the service says in its own way how long it wants to be left alone.
    #[must_use]
    pub fn failure_after(&self, retry_after: Option<Duration>) -> Attempt {
        match self.status.as_u16() {
            301 | 308 => Attempt::Refused(format!(
                "{}: the service has moved, and a redirect is not followed with a message: write its new address",
                self.status.as_u16()
            )),
            // A page to log in at, of a proxy or a network: the service itself did not see the message.
            300..400 => Attempt::Failed {
                reason: format!(
                    "{}: a redirect is not followed with a message",
                    self.status.as_u16()
                ),
                retry_after,
            },
            // A gateway did not wait for the service, which may have it.
            504 => Attempt::Uncertain(self.said()),
            408 | 425 | 429 | 500.. => Attempt::Failed {
                reason: self.said(),
                retry_after,
            },
            _ => Attempt::Refused(self.said()),
        }
    }
}

/// RFC 9110 10.2.3: seconds, or a date. Some services write a fraction.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return seconds_of(seconds);
    }
    let at = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Duration::try_from(at.duration_since(now)).ok()
}

/// Seconds, as services state them in a body; nothing where they make no sense.
#[must_use]
pub fn seconds_of(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok()
}

/// A name of fixed length made of another: 32 hexadecimal digits.
#[must_use]
pub fn digest(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let (half, _) = digest.as_ref().split_at(16);
    half.iter().fold(String::new(), |digits, byte| {
        digits + &format!("{byte:02x}")
    })
}

/// The secret, and where it is an address what of it a proxy or a server may repeat: the path that it was asked for, with and
/// without its query, and what in them is long enough to be a key. The longest come first, so that nothing of them is left.
fn hidden(secret: SecretString) -> Vec<SecretString> {
    let Ok(address) = Url::parse(secret.expose_secret()) else {
        return vec![secret];
    };
    let mut parts = vec![
        address[Position::BeforePath..Position::AfterQuery].to_owned(),
        address.path().to_owned(),
    ];
    let segments = address.path_segments().into_iter().flatten();
    let long = segments.filter(|segment| segment.len() >= KEY_MIN_BYTES);
    parts.extend(long.map(str::to_owned));
    parts.extend(address.query_pairs().map(|(_, value)| value.into_owned()));
    std::iter::once(secret)
        .chain(parts.into_iter().map(SecretString::from))
        .collect()
}

/// The text without what is secret.
fn without(text: &str, secrets: &[SecretString]) -> String {
    secrets
        .iter()
        .map(ExposeSecret::expose_secret)
        .filter(|secret| secret.len() >= SECRET_MIN_BYTES)
        .fold(text.to_owned(), |text, secret| {
            text.replace(secret, "(secret)")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_is_read_as_each_service_writes_it() {
        let now: Timestamp = "2026-11-28T10:00:00Z".parse().unwrap();
        let read = |text: &str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            retry_after(&headers, now)
        };
        assert_eq!(read("30"), Some(Duration::from_secs(30)));
        assert_eq!(read("1.5"), Some(Duration::from_millis(1500)));
        assert_eq!(
            read("Sat, 28 Nov 2026 10:02:00 GMT"),
            Some(Duration::from_mins(2))
        );
        for nonsense in ["", "soon", "-3", "NaN", "Sat, 28 Nov 2026 09:00:00 GMT"] {
            assert_eq!(read(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn what_is_secret_is_not_told() {
        let secrets = ["xoxb-1234".into(), "abc".into()];
        assert_eq!(
            without("no such token xoxb-1234, abc", &secrets),
            "no such token (secret), abc"
        );
        let address = "https://chat.example/services/T0/a-key-of-a-webhook?token=ab-cd-ef";
        let hidden = hidden(address.into());
        for (said, told) in [
            (
                "POST /services/T0/a-key-of-a-webhook?token=ab-cd-ef",
                "POST (secret)",
            ),
            (
                "no route for /services/T0/a-key-of-a-webhook",
                "no route for (secret)",
            ),
            ("no hook a-key-of-a-webhook", "no hook (secret)"),
            ("bad token ab-cd-ef", "bad token (secret)"),
            (
                "no services for chat.example",
                "no services for chat.example",
            ),
        ] {
            assert_eq!(without(said, &hidden), told);
        }
    }
}
