//! Google Chat's incoming webhooks.
//!
//! Follows <https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create> and
//! <https://developers.google.com/workspace/chat/quickstart/webhooks>. No file is taken; a card shows pictures by their
//! address. A `requestId` that was seen gives the message that came of it.

use serde_json::{Value, json};

use super::{Aim, Answer, Post, Refusal, Request, Room};

const PATH: &str = "/v1/spaces/AAAAtestbed/messages";
/// What follows the service's address. No secret: of this server only.
pub const WEBHOOK: &str = "/v1/spaces/AAAAtestbed/messages?key=testbed-key&token=testbed-token";

const LARGEST_MESSAGE_BYTES: usize = 32_000;

pub fn aim(request: &Request) -> Aim {
    match request.path.as_str() {
        PATH => Aim::Message,
        _ => Aim::Question,
    }
}

pub fn refusal(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::TooMany(_) => error(
            429,
            "RESOURCE_EXHAUSTED",
            "Resource has been exhausted (e.g. check quota).",
        ),
        Refusal::Revoked => error(
            401,
            "UNAUTHENTICATED",
            "The request does not have valid authentication credentials.",
        ),
        Refusal::Gone => error(404, "NOT_FOUND", "Space not found."),
        _ => error(
            400,
            "INVALID_ARGUMENT",
            "Request contains an invalid argument.",
        ),
    }
}

fn error(status: u16, name: &str, text: &str) -> Answer {
    let body = json!({ "error": { "code": status, "message": text, "status": name } });
    Answer::json(status, &body)
}

pub fn answer(room: &mut Room, request: &Request) -> Answer {
    if !request.is("POST", PATH) {
        return refusal(Refusal::Gone);
    }
    let secrets = (request.query("key"), request.query("token"));
    if secrets != (Some("testbed-key"), Some("testbed-token")) {
        return error(
            400,
            "INVALID_ARGUMENT",
            "API key not valid. Please pass a valid API key.",
        );
    }
    let Some(body) = request.json() else {
        return error(400, "INVALID_ARGUMENT", "Invalid JSON payload received.");
    };
    let key = request.query("requestId").unwrap_or_default();
    if let Some(id) = room.repeats.get(key) {
        return Answer::json(200, &json!({ "name": id }));
    }
    if request.body.len() > LARGEST_MESSAGE_BYTES {
        return error(400, "INVALID_ARGUMENT", "Message is too long.");
    }
    let known = ["text", "cardsV2", "thread", "fallbackText"];
    let fields = body.as_object().into_iter().flatten();
    if let Some((name, _)) = fields
        .into_iter()
        .find(|(name, _)| !known.contains(&name.as_str()))
    {
        let text =
            format!("Invalid JSON payload received. Unknown name \"{name}\": Cannot find field.");
        return error(400, "INVALID_ARGUMENT", &text);
    }
    let mut seen = Seen::default();
    seen.markup(body["text"].as_str().unwrap_or_default());
    for card in body["cardsV2"].as_array().into_iter().flatten() {
        if card["cardId"].as_str().is_none() || !card["card"].is_object() {
            return error(400, "INVALID_ARGUMENT", "Invalid card.");
        }
        seen.card(&card["card"]);
    }
    if seen.text.trim().is_empty() {
        return error(400, "INVALID_ARGUMENT", "Message cannot be empty.");
    }
    // A thread's key without this option begins a thread each time.
    let is_reply = request
        .query("messageReplyOption")
        .is_some_and(|option| option.starts_with("REPLY_MESSAGE"));
    let name = body["thread"]["threadKey"].as_str().filter(|_| is_reply);
    let id = format!("spaces/AAAAtestbed/messages/{}", room.next_number());
    let thread = name.and_then(|name| room.thread(name, &id));
    if !key.is_empty() {
        room.repeats.insert(key.to_owned(), id.clone());
    }
    let preview = body["text"].as_str().or(body["fallbackText"].as_str());
    room.posts.push(Post {
        id: id.clone(),
        place: "spaces/AAAAtestbed".into(),
        preview: preview
            .and_then(|text| text.lines().next())
            .unwrap_or_default()
            .to_owned(),
        text: seen.text,
        thread: thread.clone(),
        mentions: seen.mentions,
        links: seen.links,
        linked: seen.linked,
        ..Post::default()
    });
    let thread =
        json!({ "name": format!("spaces/AAAAtestbed/threads/{}", thread.as_ref().unwrap_or(&id)) });
    Answer::json(200, &json!({ "name": id, "thread": thread }))
}

#[derive(Default)]
struct Seen {
    text: String,
    mentions: Vec<String>,
    links: Vec<String>,
    linked: Vec<(String, String)>,
}

impl Seen {
    /// What stands between angle brackets is a mention or a link with its label; nothing takes that apart but a blank.
    fn markup(&mut self, text: &str) {
        for part in text.split('<').skip(1) {
            let Some((inside, _)) = part.split_once('>') else {
                continue;
            };
            let target = inside.split('|').next().unwrap_or_default();
            if target.starts_with("users/") {
                self.mentions.push(target.to_owned());
            } else if target.contains("://") {
                self.links.push(target.to_owned());
            }
        }
        self.line(text);
    }

    fn line(&mut self, text: &str) {
        if !text.is_empty() {
            self.text += text;
            self.text.push('\n');
        }
    }

    /// Every text of a card, and where its buttons and pictures lead.
    fn card(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match (name.as_str(), value) {
                        ("url", Value::String(link)) => self.links.push(link.clone()),
                        ("imageUrl", Value::String(link)) => {
                            let read = fields.get("altText").and_then(Value::as_str);
                            self.linked
                                .push((link.clone(), read.unwrap_or_default().to_owned()));
                        }
                        (
                            "text" | "title" | "subtitle" | "topLabel" | "bottomLabel" | "header",
                            Value::String(text),
                        ) => {
                            self.line(text);
                        }
                        _ => self.card(value),
                    }
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.card(value)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Fault, Kind, Service, client},
        *,
    };

    async fn send(service: &Service, more: &str, body: &Value) -> (u16, Value) {
        let address = format!("{}{WEBHOOK}{more}", service.address);
        let answer = client().post(address).json(body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    #[tokio::test]
    async fn messages_with_one_key_are_one_thread_where_that_is_asked_for() {
        let chat = Service::start(Kind::GoogleChat).await;
        let body = json!({ "text": "CRÍTICO <users/all> <https://a.example|ver>", "thread": { "threadKey": "i1" } });
        let option = "&messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD&requestId=";
        for request in ["r1", "r1", "r2"] {
            assert_eq!(
                send(&chat, &format!("{option}{request}"), &body).await.0,
                200
            );
        }
        assert_eq!(send(&chat, "", &body).await.0, 200);
        let card = json!({ "cardsV2": [{ "cardId": "a", "card": { "header": { "title": "T" }, "sections": [{ "widgets": [{ "image": { "imageUrl": "https://a.example/p.png" } }] }] } }] });
        assert_eq!(send(&chat, "", &card).await.0, 200);

        let posts = chat.posts();
        assert_eq!(posts.len(), 4);
        assert_eq!(posts[0].thread, None);
        assert_eq!(posts[1].thread.as_ref(), Some(&posts[0].id));
        assert_eq!(posts[0].mentions, ["users/all"]);
        assert_eq!(posts[2].thread, None);
        assert_eq!(
            (posts[3].text.as_str(), posts[3].linked[0].0.as_str()),
            ("T\n", "https://a.example/p.png")
        );
    }

    #[tokio::test]
    async fn refusals_are_statuses_with_names() {
        let chat = Service::start(Kind::GoogleChat).await;
        for (body, status, name) in [
            (json!({}), 400, "INVALID_ARGUMENT"),
            (
                json!({ "text": "a", "blocks": [] }),
                400,
                "INVALID_ARGUMENT",
            ),
            (
                json!({ "text": "a".repeat(32_001) }),
                400,
                "INVALID_ARGUMENT",
            ),
        ] {
            let (said, answer) = send(&chat, "", &body).await;
            assert_eq!((said, &answer["error"]["status"]), (status, &json!(name)));
        }
        chat.next(Fault::Message(Refusal::TooMany(1)));
        let (said, answer) = send(&chat, "", &json!({ "text": "a" })).await;
        assert_eq!(
            (said, &answer["error"]["status"]),
            (429, &json!("RESOURCE_EXHAUSTED"))
        );
        assert_eq!(chat.posts(), []);
    }
}
