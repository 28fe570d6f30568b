//! `PagerDuty`'s Events API, version 2.
//!
//! Follows <https://developer.pagerduty.com/docs/events-api-v2-overview> and `/docs/send-alert-event`. A `trigger` for an alert
//! that is open changes that alert and calls nobody; how long to wait is not said.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Aim, Answer, Post, Refusal, Request, Room};

const PATH: &str = "/v2/enqueue";
/// No secret: of this server only.
pub const ROUTING_KEY: &str = "0123456789abcdef0123456789abcdef";

const LARGEST_EVENT_BYTES: usize = 512 * 1024;
const LONGEST_SUMMARY: usize = 1024;
const LONGEST_KEY: usize = 255;

pub fn aim(request: &Request) -> Aim {
    match request.path.as_str() {
        PATH => Aim::Message,
        _ => Aim::Question,
    }
}

pub fn refusal(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::TooMany(_) => {
            let text = "Requests for this service are arriving too quickly. Please retry later.";
            Answer::json(
                429,
                &json!({ "status": "throttle exceeded", "message": text }),
            )
        }
        Refusal::TooBig => Answer::json(
            413,
            &json!({ "status": "invalid event", "message": "Event is too large" }),
        ),
        _ => invalid(&["Invalid routing key"]),
    }
}

fn invalid(errors: &[&str]) -> Answer {
    let body = json!({ "status": "invalid event", "message": "Event object is invalid", "errors": errors });
    Answer::json(400, &body)
}

pub fn answer(room: &mut Room, request: &Request) -> Answer {
    if !request.is("POST", PATH) {
        return Answer::text(404, "Not Found");
    }
    if request.body.len() > LARGEST_EVENT_BYTES {
        return refusal(Refusal::TooBig);
    }
    let Some(body) = request.json() else {
        return invalid(&["Invalid JSON"]);
    };
    if body["routing_key"] != ROUTING_KEY {
        return invalid(&["Invalid routing key"]);
    }
    let action = body["event_action"].as_str().unwrap_or_default();
    let key = body["dedup_key"].as_str().map(str::to_owned);
    if key
        .as_deref()
        .is_some_and(|key| key.chars().count() > LONGEST_KEY)
    {
        return invalid(&["'dedup_key' is too long (maximum is 255 characters)"]);
    }
    let key = match (action, key) {
        ("trigger", key) => {
            let errors = errors(&body);
            if !errors.is_empty() {
                return invalid(&errors);
            }
            key.unwrap_or_else(|| format!("generated-{}", room.next_number()))
        }
        ("acknowledge" | "resolve", Some(key)) => key,
        ("acknowledge" | "resolve", None) => return invalid(&["'dedup_key' is missing or blank"]),
        _ => return invalid(&["'event_action' must be trigger, acknowledge or resolve"]),
    };
    room.happened(action, &key, &body);
    let answer = json!({ "status": "success", "message": "Event processed", "dedup_key": key });
    Answer::json(202, &answer)
}

fn errors(body: &Value) -> Vec<&'static str> {
    let payload = &body["payload"];
    let mut errors = Vec::new();
    match payload["summary"].as_str() {
        None | Some("") => errors.push("'payload.summary' is missing or blank"),
        Some(summary) if summary.chars().count() > LONGEST_SUMMARY => {
            errors.push("'payload.summary' is too long (maximum is 1024 characters)");
        }
        Some(_) => {}
    }
    if payload["source"].as_str().is_none_or(str::is_empty) {
        errors.push("'payload.source' is missing or blank");
    }
    let severity = payload["severity"].as_str().unwrap_or_default();
    if !["critical", "error", "warning", "info"].contains(&severity) {
        errors.push("'payload.severity' is invalid");
    }
    let time = &payload["timestamp"];
    if !time.is_null()
        && time
            .as_str()
            .is_none_or(|time| time.parse::<Timestamp>().is_err())
    {
        errors.push("'payload.timestamp' is invalid");
    }
    let are_secure = |list: &Value, name: &str| {
        let mut entries = list.as_array().into_iter().flatten();
        entries.all(|entry| {
            entry[name]
                .as_str()
                .is_some_and(|link| link.starts_with("https://"))
        })
    };
    if !are_secure(&body["images"], "src") {
        errors.push("'images.src' must be served via HTTPS");
    }
    if !body["links"]
        .as_array()
        .into_iter()
        .flatten()
        .all(|link| link["href"].is_string())
    {
        errors.push("'links.href' is missing or blank");
    }
    errors
}

impl Room {
    /// What an event does to the alert of this key.
    fn happened(&mut self, action: &str, key: &str, body: &Value) {
        let is_open =
            |post: &&mut Post| post.thread.as_deref() == Some(key) && post.place == "open";
        let open = self.posts.iter_mut().find(is_open);
        let images = body["images"].as_array().into_iter().flatten();
        let linked = images.map(|image| {
            let text = |name: &str| image[name].as_str().unwrap_or_default().to_owned();
            (text("src"), text("alt"))
        });
        let linked = linked.collect();
        let summary = body["payload"]["summary"]
            .as_str()
            .unwrap_or(action)
            .to_owned();
        let text = format!("{action} {summary}\n{}", body["payload"]["custom_details"]);
        match (action, open) {
            ("trigger", Some(alert)) => {
                let before = std::mem::replace(&mut alert.text, text);
                alert.edits.push(before);
            }
            ("acknowledge" | "resolve", None) => {}
            (_, open) => {
                if let Some(alert) = open
                    && action == "resolve"
                {
                    alert.place = "resolved".into();
                }
                let links = body["links"].as_array().into_iter().flatten();
                let post = Post {
                    id: format!("{:06}", self.next_number()),
                    place: if action == "trigger" { "open" } else { action }.into(),
                    preview: summary,
                    text,
                    thread: Some(key.to_owned()),
                    linked,
                    links: links
                        .filter_map(|link| link["href"].as_str().map(str::to_owned))
                        .collect(),
                    ..Post::default()
                };
                self.posts.push(post);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Fault, Kind, Service, client},
        *,
    };

    async fn send(service: &Service, body: &Value) -> (u16, Value) {
        let address = format!("{}{PATH}", service.address);
        let answer = client().post(address).json(body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    fn trigger(key: &str, severity: &str) -> Value {
        json!({ "routing_key": ROUTING_KEY, "event_action": "trigger", "dedup_key": key,
            "payload": { "summary": "CRÍTICO", "source": "tramites", "severity": severity } })
    }

    #[tokio::test]
    async fn an_alert_is_opened_once_and_resolved() {
        let pagerduty = Service::start(Kind::PagerDuty).await;
        assert_eq!(send(&pagerduty, &trigger("i1", "critical")).await.0, 202);
        assert_eq!(send(&pagerduty, &trigger("i1", "critical")).await.0, 202);
        let resolve =
            json!({ "routing_key": ROUTING_KEY, "event_action": "resolve", "dedup_key": "i1" });
        assert_eq!(send(&pagerduty, &resolve).await.0, 202);
        let posts = pagerduty.posts();
        assert_eq!(posts.len(), 2);
        assert_eq!(
            (posts[0].place.as_str(), posts[0].edits.len()),
            ("resolved", 1)
        );
        assert_eq!(posts[1].place, "resolve");
    }

    #[tokio::test]
    async fn every_mistake_is_named() {
        let pagerduty = Service::start(Kind::PagerDuty).await;
        let mut event = trigger("i1", "bad");
        event["payload"]["summary"] = "".into();
        event["images"] = json!([{ "src": "http://a.example/a.png" }]);
        let (status, answer) = send(&pagerduty, &event).await;
        assert_eq!(status, 400);
        assert_eq!(
            answer["errors"],
            json!([
                "'payload.summary' is missing or blank",
                "'payload.severity' is invalid",
                "'images.src' must be served via HTTPS"
            ])
        );
        pagerduty.next(Fault::Message(Refusal::TooMany(1)));
        assert_eq!(send(&pagerduty, &trigger("i1", "critical")).await.0, 429);
        pagerduty.next(Fault::Message(Refusal::Unavailable));
        let address = format!("{}{PATH}", pagerduty.address);
        assert_eq!(client().post(address).send().await.unwrap().status(), 503);
        assert_eq!(pagerduty.posts(), []);
    }
}
