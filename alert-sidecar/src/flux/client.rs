//! The connection to InfluxDB's API: a query with its parameters, and a write, each with a deadline.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::{
    StatusCode,
    header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER},
};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use tokio::sync::Semaphore;
use vigia_contract::secret::{ExposeSecret, SecretString, Template};

use super::annotated_csv::{self, CsvError, Row};

/// InfluxDB 2 has no limit of its own that would protect the dashboards from us; four are plenty for rules that run in
/// milliseconds.
const QUERIES_AT_ONCE: usize = 4;

/// The table `[influxdb]`, as the operator writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where InfluxDB answers, for example `http://127.0.0.1:8086`.
    pub url: toml::Spanned<String>,
    /// The organization that owns the bucket.
    pub organization: String,
    /// The bucket that the journeys are written to; the incidents are written to it too.
    pub bucket: String,
    /// A token that may read and write the bucket, as `${secret:NAME}`.
    pub token: toml::Spanned<Template>,
    /// How long one query may take. Default `10s`.
    #[serde(
        default = "default_timeout",
        deserialize_with = "vigia_contract::duration::deserialize"
    )]
    pub timeout: Duration,
    /// After how long without an answer the monitoring counts as blind, and somebody is told. Default `1m`.
    #[serde(
        default = "default_blind_after",
        deserialize_with = "vigia_contract::duration::deserialize"
    )]
    pub blind_after: Duration,
}

const fn default_blind_after() -> Duration {
    Duration::from_mins(1)
}

const fn default_timeout() -> Duration {
    Duration::from_secs(10)
}

/// Why InfluxDB gave no usable answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// It could not be reached, or the connection broke.
    #[error("failed to reach InfluxDB: {}", innermost(.0))]
    Unreachable(#[source] reqwest::Error),
    /// It did not answer in time.
    #[error("InfluxDB did not answer within its deadline")]
    TooSlow,
    /// It answered that it will not or cannot.
    #[error("InfluxDB answered {status}: {message}")]
    Refused {
        /// The HTTP status.
        status: StatusCode,
        /// What it says about it.
        message: String,
        /// For how long it wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// It answered something that cannot be read whole.
    #[error(transparent)]
    Unreadable(#[from] CsvError),
}

impl QueryError {
    /// For how long InfluxDB wants to be left alone, where it said so.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

/// The innermost cause says what happened; the outer ones repeat the address.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

impl From<reqwest::Error> for QueryError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            Self::TooSlow
        } else {
            Self::Unreachable(error)
        }
    }
}

/// A query and what it is asked about. The names of the parameters are those that InfluxDB's own data explorer sets, so
/// that a rule can be tried there as it stands.
#[derive(Clone, Debug)]
pub struct Query<'a> {
    /// Flux that refers to `v.defaultBucket`, `v.timeRangeStart` and [`Query::texts`].
    pub flux: &'a str,
    /// `v.timeRangeStart`.
    pub since: Timestamp,
    /// `v.timeRangeStop`.
    pub until: Timestamp,
    /// `now()`: fixed, so that the same question has the same answer.
    pub now: Timestamp,
    /// `v.windowPeriod`: queries that tell the newest point only tell the newest of each such stretch. Nothing: the whole
    /// range is one.
    pub window: Option<Duration>,
    /// Further members of `v`.
    pub texts: &'a [(&'a str, &'a str)],
}

/// One InfluxDB.
#[derive(Debug)]
pub struct InfluxDb {
    http: reqwest::Client,
    url: String,
    organization: String,
    bucket: String,
    permits: Semaphore,
}

impl InfluxDb {
    /// Prepares the connection; nothing is sent yet.
    pub fn new(settings: &Settings, token: &SecretString) -> Result<Self, anyhow::Error> {
        let mut authorization = HeaderValue::from_str(&format!("Token {}", token.expose_secret()))
            .map_err(|_| {
                anyhow::anyhow!("the token of InfluxDB holds a character that no header can have")
            })?;
        authorization.set_sensitive(true);
        let http = reqwest::Client::builder()
            .default_headers(HeaderMap::from_iter([(AUTHORIZATION, authorization)]))
            .timeout(settings.timeout)
            .build()?;
        Ok(Self {
            http,
            url: settings.url.as_ref().trim_end_matches('/').to_owned(),
            organization: settings.organization.clone(),
            bucket: settings.bucket.clone(),
            permits: Semaphore::new(QUERIES_AT_ONCE),
        })
    }

    /// Asks, and reads the whole answer.
    pub async fn query(&self, query: &Query<'_>) -> Result<Vec<Row>, QueryError> {
        Ok(annotated_csv::read(&self.answer(query).await?)?)
    }

    /// Asks, and gives the whole answer as it came.
    pub async fn answer(&self, query: &Query<'_>) -> Result<String, QueryError> {
        let _permit = self
            .permits
            .acquire()
            .await
            .expect("the semaphore is never closed");
        let request = self.http.post(format!("{}/api/v2/query", self.url));
        let response = request
            .query(&[("org", &self.organization)])
            .json(&json!({
                "query": query.flux,
                "type": "flux",
                "now": query.now.to_string(),
                "extern": parameters(&self.bucket, query),
                "dialect": {"annotations": ["datatype", "group", "default"]},
            }))
            .send()
            .await?;
        let body = accepted(response).await?.bytes().await?;
        // InfluxDB answers in UTF-8. Of what it was told that is none, it is better to have the rest than nothing.
        Ok(String::from_utf8(body.into())
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    /// Asks next to nothing, to know whether the bucket can be asked at all.
    pub async fn answers(&self, now: Timestamp) -> Result<(), QueryError> {
        let query = Query {
            flux: include_str!("queries/answers.flux"),
            since: now - Duration::from_secs(1),
            until: now,
            now,
            window: None,
            texts: &[],
        };
        self.query(&query).await.map(drop)
    }

    /// Writes points.
    pub async fn write(&self, lines: Vec<u8>) -> Result<(), QueryError> {
        let request = self.http.post(format!("{}/api/v2/write", self.url));
        let response = request
            .query(&[("org", &self.organization), ("bucket", &self.bucket)])
            .body(lines)
            .send()
            .await?;
        accepted(response).await.map(drop)
    }
}

/// What InfluxDB says when it refuses; the code beside it says no more than the status.
#[derive(Deserialize)]
struct Refusal {
    message: String,
}

async fn accepted(response: reqwest::Response) -> Result<reqwest::Response, QueryError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| retry_after(value.to_str().ok()?, Timestamp::now()));
    let body = response.text().await?;
    let mut message = serde_json::from_str::<Refusal>(&body).map_or_else(
        |_| body.chars().take(200).collect(),
        |refusal| refusal.message,
    );
    // InfluxDB answers this, too, where the bucket is there and the token may not read it.
    if message.contains("could not find bucket") {
        message.push_str(": it does not exist, or the token may not read it");
    }
    Err(QueryError::Refused {
        status,
        message,
        retry_after,
    })
}

/// The header `Retry-After`: seconds, or a date.
fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(value.trim()).ok()?.timestamp();
    Duration::try_from(date.duration_since(now)).ok()
}

/// `option v = {...}` as the syntax tree that InfluxDB takes beside a query: values cannot break out of it, as they could
/// out of a text that is put together.
fn parameters(bucket: &str, query: &Query<'_>) -> Json {
    let property = |name: &str, value: Json| json!({"type": "Property", "key": {"type": "Identifier", "name": name}, "value": value});
    let text = |value: &str| json!({"type": "StringLiteral", "value": value});
    let time = |value: Timestamp| json!({"type": "DateTimeLiteral", "value": value.to_string()});
    let whole = || json!({"type": "Identifier", "name": "inf"});
    let duration = |duration: Duration| {
        // No configuration can say what is longer than the 292 years that fit.
        let ns = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        json!({"type": "DurationLiteral", "values": [{"magnitude": ns, "unit": "ns"}]})
    };
    let fixed = [
        property("defaultBucket", text(bucket)),
        property("timeRangeStart", time(query.since)),
        property("timeRangeStop", time(query.until)),
        property("windowPeriod", query.window.map_or_else(whole, duration)),
    ];
    let texts = query
        .texts
        .iter()
        .map(|(name, value)| property(name, text(value)));
    json!({
        "type": "File",
        "package": null,
        "imports": null,
        "body": [{
            "type": "OptionStatement",
            "assignment": {
                "type": "VariableAssignment",
                "id": {"type": "Identifier", "name": "v"},
                "init": {"type": "ObjectExpression", "properties": fixed.into_iter().chain(texts).collect::<Vec<_>>()},
            },
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_told_in_seconds_or_as_a_date() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        for (value, seconds) in [
            ("7", Some(7)),
            ("Sun, 22 Nov 2026 10:00:30 GMT", Some(30)),
            ("Sun, 22 Nov 2026 09:00:00 GMT", None),
            ("soon", None),
        ] {
            assert_eq!(
                retry_after(value, now),
                seconds.map(Duration::from_secs),
                "{value}"
            );
        }
    }
}
