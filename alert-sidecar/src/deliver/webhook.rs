//! Any program that takes what Alertmanager posts: version 4 of its payload
//! (<https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>), signed as Standard Webhooks asks
//! (<https://www.standardwebhooks.com>), so that the receiver knows who sent it and knows a repeat by `webhook-id`.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use ring::hmac;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use vigia_contract::secret::{ExposeSecret, SecretString, Template};

use super::{
    Abilities, Attempt, Outgoing, Pace, Pictures, Receipt,
    http::{Http, digest},
};
use crate::render::{Markup, Member, Parts, Room};

/// The value `webhook` of a `[[channel]]`, as the operator writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where it is posted to, as `${secret:NAME}` where who knows it can post.
    pub url: toml::Spanned<Template>,
    /// What it is signed with, `whsec_` and Base64, as `${secret:NAME}`; without it nothing is signed.
    pub signing_secret: Option<toml::Spanned<Template>>,
    /// A header `Authorization`, for example `Bearer ${secret:NAME}`.
    pub authorization: Option<toml::Spanned<Template>>,
    /// Whether the picture is in the payload, as a `data:` address in the annotation `picture`. The message waits up to a
    /// second for it. Default false.
    #[serde(default)]
    pub picture: bool,
}

/// A receiver, ready to be sent to.
#[derive(Debug)]
pub struct Webhook {
    /// The way there.
    pub http: Http,
    /// Where it is posted to.
    pub url: SecretString,
    /// What it is signed with.
    pub key: Option<hmac::Key>,
    /// The header `Authorization`.
    pub authorization: Option<SecretString>,
    /// Whether the picture is in the payload.
    pub picture: bool,
    /// The channel's name, which receivers know as the receiver's.
    pub name: String,
}

impl Webhook {
    pub(super) const fn abilities(&self) -> Abilities {
        Abilities {
            markup: Markup::Plain,
            room: Room::Unlimited,
            pictures: if self.picture {
                Pictures::Inside
            } else {
                Pictures::Never
            },
            keeps_threads: true,
            recognises_repeats: true,
            pace: Pace::new(10, Duration::from_secs(1)),
        }
    }

    pub(super) async fn send(&self, outgoing: &Outgoing<'_>) -> Attempt {
        let body = payload(&self.name, outgoing).to_string();
        // Not the identity itself: an address is in it.
        let id = format!("msg_{}", digest(outgoing.id));
        let at = Timestamp::now().as_second().to_string();
        let mut request = self
            .http
            .post(self.url.expose_secret())
            .header("content-type", "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", &at)
            .header("idempotency-key", &id);
        if let Some(key) = &self.key {
            request = request.header("webhook-signature", signature(key, &id, &at, &body));
        }
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization.expose_secret());
        }
        match self.http.ask(request.body(body)).await {
            Ok(answer) if answer.status.is_success() => Attempt::Accepted(Receipt {
                answer: answer.said(),
                ..Receipt::default()
            }),
            // Standard Webhooks: the receiver wants nothing of this any more; and a gateway that did not wait may have passed it on.
            Ok(answer) => answer.failure(),
            Err(trouble) => trouble.into(),
        }
    }
}

/// The key of a signing secret as it is written, where it is one.
#[must_use]
pub fn key(secret: &str) -> Option<hmac::Key> {
    let key = BASE64_STANDARD
        .decode(secret.strip_prefix("whsec_")?)
        .ok()?;
    (!key.is_empty()).then(|| hmac::Key::new(hmac::HMAC_SHA256, &key))
}

fn signature(key: &hmac::Key, id: &str, at: &str, body: &str) -> String {
    let code = hmac::sign(key, format!("{id}.{at}.{body}").as_bytes());
    format!("v1,{}", BASE64_STANDARD.encode(code))
}

fn payload(receiver: &str, outgoing: &Outgoing<'_>) -> Json {
    let parts = &outgoing.message.parts;
    let alerts: Vec<Json> = parts
        .members
        .iter()
        .map(|member| alert(member, outgoing))
        .collect();
    let is_over = parts.members.iter().all(|member| member.ended_at.is_some());
    json!({
        "version": "4",
        "groupKey": outgoing.conversation,
        "truncatedAlerts": 0,
        "status": status(is_over),
        "receiver": receiver,
        "groupLabels": {},
        "commonLabels": common(parts),
        "commonAnnotations": {},
        "externalURL": link(parts, "status").or(link(parts, "dashboard")).unwrap_or_default(),
        "notification_reason": outgoing.kind.name(),
        "alerts": alerts,
    })
}

fn alert(member: &Member, outgoing: &Outgoing<'_>) -> Json {
    let parts = &outgoing.message.parts;
    let mut annotations = json!({
        "summary": member.line,
        "description": outgoing.message.text,
        "reason": parts.reason,
    });
    for purpose in ["acknowledge", "silence"] {
        if let Some(address) = link(parts, purpose) {
            annotations[purpose] = address.into();
        }
    }
    if let Some(picture) = outgoing.pictures.first() {
        annotations["picture"] = picture.data_uri().into();
    }
    json!({
        "status": status(member.ended_at.is_some()),
        "labels": labels(member),
        "annotations": annotations,
        "startsAt": member.started_at.to_string(),
        // What Alertmanager writes while nothing is over.
        "endsAt": member.ended_at.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), |at| at.to_string()),
        "generatorURL": link(parts, "dashboard").unwrap_or_default(),
        "fingerprint": digest(&member.id)[..16],
    })
}

fn labels(member: &Member) -> Json {
    json!({
        "alertname": member.rule,
        "system": member.system,
        "journey": member.journey,
        "probe": member.probe,
        "impact": member.impact.name(),
        "severity": member.impact.name(),
    })
}

/// The labels that all have in common.
fn common(parts: &Parts) -> Json {
    let all: Vec<Json> = parts.members.iter().map(labels).collect();
    let Some(Json::Object(mut first)) = all.first().cloned() else {
        return json!({});
    };
    first.retain(|name, value| all.iter().all(|labels| labels[name] == *value));
    Json::Object(first)
}

const fn status(is_over: bool) -> &'static str {
    if is_over { "resolved" } else { "firing" }
}

fn link<'a>(parts: &'a Parts, purpose: &str) -> Option<&'a str> {
    let found = parts.links.iter().find(|link| link.purpose == purpose);
    found.map(|link| link.address.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.
    #[test]
    fn it_signs_as_standard_webhooks_does() {
        let key = key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = r#"{"test": 2432232314}"#;
        assert_eq!(
            signature(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        for wrong in ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_?", "whsec_"] {
            assert!(super::key(wrong).is_none(), "{wrong}");
        }
    }
}
