//! A receiver of webhooks in Alertmanager's format (version 4), signed as Standard Webhooks says.
//!
//! Follows <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config> and
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>. A message whose id it has
//! seen is acknowledged and not shown again. When it is busy it gives a date, as `Retry-After` allows.

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use ring::hmac;
use serde::Deserialize;
use serde_json::json;

use super::{Aim, Answer, Picture, Post, Refusal, Request, Room};

pub const PATH: &str = "/alerts/hook";
/// No secret: of this server only. `testbed-signing-secret-of-32-byte`, as such secrets are written.
pub const SECRET: &str = "whsec_dGVzdGJlZC1zaWduaW5nLXNlY3JldC1vZi0zMi1ieXRl";

/// How far the sender's clock may be off.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
const LARGEST_BODY_BYTES: usize = 1024 * 1024;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    version: String,
    group_key: String,
    truncated_alerts: u64,
    status: Status,
    receiver: String,
    group_labels: Map,
    common_labels: Map,
    common_annotations: Map,
    #[serde(rename = "externalURL")]
    external_url: String,
    alerts: Vec<Alert>,
}

type Map = std::collections::BTreeMap<String, String>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Firing,
    Resolved,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    status: Status,
    labels: Map,
    annotations: Map,
    starts_at: Timestamp,
    /// The year 1 where it has not ended.
    ends_at: Timestamp,
    #[serde(rename = "generatorURL")]
    generator_url: String,
    fingerprint: String,
}

pub fn aim(request: &Request) -> Aim {
    match request.path.as_str() {
        PATH => Aim::Message,
        _ => Aim::Question,
    }
}

pub fn refusal(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::TooMany(seconds) => {
            let seconds = SignedDuration::from_secs(seconds.try_into().unwrap_or(i64::MAX));
            let time = rfc2822::DateTimePrinter::new()
                .timestamp_to_rfc9110_string(&(Timestamp::now() + seconds))
                .unwrap_or_default();
            Answer::text(429, "too many requests\n").with("retry-after", time)
        }
        Refusal::Unavailable => Answer::unavailable(),
        Refusal::Revoked => Answer::text(401, "unauthorized\n"),
        Refusal::Gone => Answer::text(410, "gone\n"),
        Refusal::TooBig => Answer::text(413, "request body too large\n"),
        Refusal::NotTaken => Answer::text(415, "unsupported media type\n"),
    }
}

pub fn answer(room: &mut Room, request: &Request) -> Answer {
    if !request.is("POST", PATH) {
        return Answer::text(404, "not found\n");
    }
    if request.body.len() > LARGEST_BODY_BYTES {
        return refusal(Refusal::TooBig);
    }
    let id = match verified(request, Timestamp::now()) {
        Ok(id) => id,
        Err(why) => return Answer::json(401, &json!({ "error": why })),
    };
    if room.repeats.contains_key(&id) {
        return Answer::json(200, &json!({ "seen": true }));
    }
    if request.json().is_none() {
        return refusal(Refusal::NotTaken);
    }
    let payload: Payload = match serde_json::from_slice(&request.body) {
        Ok(payload) => payload,
        Err(error) => return Answer::json(400, &json!({ "error": error.to_string() })),
    };
    if let Err(why) = payload.is_sound() {
        return Answer::json(400, &json!({ "error": why }));
    }
    let mut post = payload.shown(&id);
    post.thread = room.thread(&payload.group_key, &id);
    room.repeats.insert(id, post.id.clone());
    room.posts.push(post);
    Answer::json(200, &json!({}))
}

impl Payload {
    fn is_sound(&self) -> Result<(), &'static str> {
        let any_fires = self
            .alerts
            .iter()
            .any(|alert| alert.status == Status::Firing);
        if self.version != "4" {
            Err("unsupported version")
        } else if self.alerts.is_empty() && self.truncated_alerts == 0 {
            Err("empty notification")
        } else if any_fires != (self.status == Status::Firing) {
            Err("the group fires where one of its alerts does")
        } else if self.receiver.is_empty() || self.group_key.is_empty() {
            Err("no receiver or no group")
        } else if self.alerts.iter().any(Alert::is_twisted) {
            Err("an alert without a name or fingerprint, or that ended before it began")
        } else if !self.are_common(&self.group_labels) || !self.are_common(&self.common_labels) {
            Err("a common label that an alert does not have")
        } else {
            Ok(())
        }
    }

    fn are_common(&self, labels: &Map) -> bool {
        let has = |(name, value)| {
            let mut alerts = self.alerts.iter();
            alerts.all(|alert| alert.labels.get(name) == Some(value))
        };
        labels.iter().all(has)
    }

    fn shown(&self, id: &str) -> Post {
        let mut post = Post {
            id: id.to_owned(),
            place: self.receiver.clone(),
            ..Post::default()
        };
        let mut parts = vec![format!("{:?}", self.status)];
        let annotations = self
            .alerts
            .iter()
            .flat_map(|alert| alert.annotations.values());
        parts.extend(self.common_annotations.values().chain(annotations).cloned());
        post.text = parts.join("\n");
        let links = self.alerts.iter().map(|alert| alert.generator_url.clone());
        post.links = std::iter::once(self.external_url.clone())
            .chain(links)
            .filter(|link| !link.is_empty())
            .collect();
        post.pictures = self.pictures();
        post
    }

    /// Of annotations that hold a picture in their address (`data:image/…;base64,`).
    fn pictures(&self) -> Vec<Picture> {
        let texts = self
            .alerts
            .iter()
            .flat_map(|alert| alert.annotations.iter());
        texts
            .filter_map(|(name, text)| {
                let (_, base64) = text.strip_prefix("data:image/")?.split_once(";base64,")?;
                Some(Picture {
                    name: name.clone(),
                    bytes: BASE64_STANDARD.decode(base64).ok()?,
                    description: None,
                })
            })
            .collect()
    }
}

impl Alert {
    fn is_twisted(&self) -> bool {
        self.fingerprint.is_empty()
            || !self.labels.contains_key("alertname")
            || (self.status == Status::Resolved && self.ends_at < self.starts_at)
    }
}

/// The id of a message whose signature is right and fresh.
fn verified(request: &Request, now: Timestamp) -> Result<String, &'static str> {
    let header = |name| request.header(name).filter(|value| !value.is_empty());
    let (Some(id), Some(sent), Some(signatures)) = (
        header("webhook-id"),
        header("webhook-timestamp"),
        header("webhook-signature"),
    ) else {
        return Err("missing required headers");
    };
    let time = sent
        .parse()
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .ok_or("invalid timestamp")?;
    if now.duration_since(time).abs() > TOLERANCE {
        return Err("message timestamp too old or too new");
    }
    let secret = SECRET.trim_start_matches("whsec_");
    let secret = BASE64_STANDARD.decode(secret).map_err(|_| "bad secret")?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    let mut signed = format!("{id}.{sent}.").into_bytes();
    signed.extend(&request.body);
    let is_right = signatures.split(' ').any(|signature| {
        let bytes = signature
            .strip_prefix("v1,")
            .and_then(|base64| BASE64_STANDARD.decode(base64).ok());
        bytes.is_some_and(|bytes| hmac::verify(&key, &signed, &bytes).is_ok())
    });
    is_right
        .then(|| id.to_owned())
        .ok_or("no matching signature found")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{
        super::{Fault, Kind, Service, client},
        *,
    };

    fn firing() -> Value {
        json!({
            "version": "4", "groupKey": "g", "truncatedAlerts": 0, "status": "firing", "receiver": "ops",
            "groupLabels": {}, "commonLabels": { "alertname": "a" }, "commonAnnotations": { "summary": "CRÍTICO" }, "externalURL": "",
            "alerts": [{ "status": "firing", "labels": { "alertname": "a" }, "annotations": {}, "startsAt": "2026-11-28T10:00:00Z",
                "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "https://a.example", "fingerprint": "f" }],
        })
    }

    /// Sends it signed for a message that is named so.
    async fn send(service: &Service, id: &str, body: &str, time: Timestamp) -> (u16, String) {
        let secret = BASE64_STANDARD.decode(&SECRET[6..]).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let seconds = time.as_second();
        let tag = hmac::sign(&key, format!("{id}.{seconds}.{body}").as_bytes());
        let answer = client()
            .post(format!("{}{PATH}", service.address))
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", seconds.to_string())
            .header(
                "webhook-signature",
                format!("v1,{}", BASE64_STANDARD.encode(tag)),
            )
            .body(body.to_owned());
        let answer = answer.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    #[tokio::test]
    async fn a_signed_message_is_taken_once() {
        let receiver = Service::start(Kind::Webhook).await;
        let (now, body) = (Timestamp::now(), firing().to_string());
        assert_eq!(send(&receiver, "m1", &body, now).await, (200, "{}".into()));
        assert_eq!(
            send(&receiver, "m1", &body, now).await.1,
            r#"{"seen":true}"#
        );
        let posts = receiver.posts();
        assert_eq!(posts.len(), 1);
        assert_eq!(posts[0].text, "Firing\nCRÍTICO");
        assert_eq!(posts[0].thread, None);
    }

    #[tokio::test]
    async fn what_is_not_signed_or_not_sound_is_refused() {
        let receiver = Service::start(Kind::Webhook).await;
        let now = Timestamp::now();
        let late = now - SignedDuration::from_mins(6);
        let sound = firing().to_string();
        let twisted = sound.replacen("firing", "resolved", 1);
        let unknown = sound.replacen("\"fingerprint\"", "\"finger\"", 1);
        for (body, time, expected) in [
            (
                &sound,
                late,
                r#"{"error":"message timestamp too old or too new"}"#,
            ),
            (
                &twisted,
                now,
                r#"{"error":"the group fires where one of its alerts does"}"#,
            ),
            (
                &unknown,
                now,
                r#"{"error":"missing field `fingerprint` at line 1 column 188"}"#,
            ),
        ] {
            assert_eq!(send(&receiver, "m1", body, time).await.1, expected);
        }
        let bare = client()
            .post(format!("{}{PATH}", receiver.address))
            .json(&firing());
        assert_eq!(bare.send().await.unwrap().status(), 401);
        receiver.next(Fault::Message(Refusal::Gone));
        assert_eq!(send(&receiver, "m1", &sound, now).await.0, 410);
        assert_eq!(receiver.posts(), []);
    }

    #[tokio::test]
    async fn it_says_by_a_date_when_to_come_again() {
        let receiver = Service::start(Kind::Webhook).await;
        receiver.next(Fault::Message(Refusal::TooMany(60)));
        let answer = client().post(format!("{}{PATH}", receiver.address)).send();
        let answer = answer.await.unwrap();
        let date = answer.headers()["retry-after"].to_str().unwrap();
        let date = rfc2822::parse(date).unwrap().timestamp();
        let wait = date.duration_since(Timestamp::now()).as_secs();
        assert!((55..=60).contains(&wait), "{wait}");
    }
}
