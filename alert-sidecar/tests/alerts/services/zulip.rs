//! Zulip's API for a bot.
//!
//! Follows `zerver/openapi/zulip.yaml` of <https://github.com/zulip/zulip> for sending and changing messages and for
//! uploads. What Zulip cuts without a word (a topic after 60 characters, a text after 10 000) is refused here. How long to
//! wait is a number with a fraction, in the body and in the header.

use serde_json::json;

use super::{Aim, Answer, Picture, Post, Refusal, Request, Room, markup, request::value};

pub const BOT: &str = "vigia-bot@zulip.example";
/// No secret: of this server only.
pub const KEY: &str = "testbedtestbedtestbedtestbed0001";
pub const CHANNEL: &str = "alertas";

const LONGEST_TOPIC: usize = 60;
const LONGEST_TEXT: usize = 10_000;
const LARGEST_FILE_BYTES: usize = 20 * 1024 * 1024;

pub fn aim(request: &Request) -> Aim {
    match request.path.as_str() {
        "/api/v1/messages" if shows_picture(request) => Aim::Picture,
        "/api/v1/user_uploads" => Aim::Picture,
        path if path.starts_with("/api/v1/messages") => Aim::Message,
        _ => Aim::Question,
    }
}

fn shows_picture(request: &Request) -> bool {
    value(&request.form(), "content").is_some_and(|text| text.contains("(/user_uploads/"))
}

pub fn refusal(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::TooMany(seconds) => {
            let wait = f64::from(u32::try_from(seconds).unwrap_or(u32::MAX)) - 0.25;
            let body = json!({ "result": "error", "msg": "API usage exceeded rate limit", "code": "RATE_LIMIT_HIT", "retry-after": wait });
            Answer::json(429, &body).with("retry-after", wait.to_string())
        }
        Refusal::Revoked => error(401, "INVALID_API_KEY", "Invalid API key"),
        Refusal::Gone => error(
            400,
            "STREAM_DOES_NOT_EXIST",
            "Channel 'alertas' does not exist",
        ),
        Refusal::TooBig => error(
            413,
            "BAD_REQUEST",
            "Uploaded file is larger than the allowed limit of 20 MiB",
        ),
        Refusal::NotTaken | Refusal::Unavailable => {
            error(400, "BAD_REQUEST", "You must specify a file to upload")
        }
    }
}

fn error(status: u16, code: &str, text: &str) -> Answer {
    Answer::json(
        status,
        &json!({ "result": "error", "msg": text, "code": code }),
    )
}

pub fn answer(room: &mut Room, request: &Request) -> Answer {
    use base64::{Engine, prelude::BASE64_STANDARD};

    let login = format!("Basic {}", BASE64_STANDARD.encode(format!("{BOT}:{KEY}")));
    if request.header("authorization") != Some(&login) {
        return refusal(Refusal::Revoked);
    }
    let done = match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/api/v1/messages") => send(room, request),
        ("POST", "/api/v1/user_uploads") => upload(room, request),
        ("PATCH", path) => edit(room, request, path),
        _ => Err(error(404, "BAD_REQUEST", "not found")),
    };
    done.unwrap_or_else(|refused| refused)
}

fn text(form: &[(String, String)]) -> Result<&str, Answer> {
    match value(form, "content") {
        None => Err(error(
            400,
            "REQUEST_VARIABLE_MISSING",
            "Missing 'content' argument",
        )),
        Some(text) if text.trim().is_empty() => {
            Err(error(400, "BAD_REQUEST", "Message must not be empty"))
        }
        Some(text) if text.chars().count() > LONGEST_TEXT => {
            Err(error(400, "BAD_REQUEST", "Message is too long"))
        }
        Some(text) => Ok(text),
    }
}

fn send(room: &mut Room, request: &Request) -> Result<Answer, Answer> {
    let form = request.form();
    if !["stream", "channel"].contains(&value(&form, "type").unwrap_or_default()) {
        return Err(error(400, "BAD_REQUEST", "Invalid type"));
    }
    if value(&form, "to").is_none_or(|to| to.trim_matches('"') != CHANNEL) {
        return Err(refusal(Refusal::Gone));
    }
    let topic = value(&form, "topic").unwrap_or_default();
    if topic.is_empty() || topic.chars().count() > LONGEST_TOPIC {
        return Err(error(400, "BAD_REQUEST", "Invalid topic"));
    }
    let content = text(&form)?;
    let mut links = markup::links(content);
    let mut pictures = Vec::new();
    links.retain(|link| match room.uploads.remove(link) {
        Some(picture) => {
            pictures.push(picture);
            false
        }
        None => true,
    });
    let id = room.next_number();
    let thread = room.thread(topic, &id.to_string());
    room.posts.push(Post {
        id: id.to_string(),
        place: CHANNEL.into(),
        preview: markup::unescaped(content.lines().next().unwrap_or_default()),
        text: markup::unescaped(content),
        thread,
        pictures,
        mentions: mentions(content),
        links,
        ..Post::default()
    });
    Ok(Answer::json(
        200,
        &json!({ "result": "success", "msg": "", "id": id }),
    ))
}

/// Names between `@**` and `**`; `@_**` names somebody without calling.
fn mentions(text: &str) -> Vec<String> {
    ["@**", "@*"]
        .iter()
        .flat_map(|mark| text.split(mark).skip(1))
        .filter_map(|rest| rest.split('*').next())
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

fn upload(room: &mut Room, request: &Request) -> Result<Answer, Answer> {
    let file = request
        .parts
        .iter()
        .find(|part| part.file_name.is_some())
        .ok_or_else(|| refusal(Refusal::NotTaken))?;
    if file.bytes.len() > LARGEST_FILE_BYTES {
        return Err(refusal(Refusal::TooBig));
    }
    let name = file.file_name.clone().unwrap_or_default();
    let address = format!("/user_uploads/1/{}/{name}", room.next_number());
    let picture = Picture {
        name: name.clone(),
        bytes: file.bytes.clone(),
        description: None,
    };
    room.uploads.insert(address.clone(), picture);
    let body =
        json!({ "result": "success", "msg": "", "uri": address, "url": address, "filename": name });
    Ok(Answer::json(200, &body))
}

fn edit(room: &mut Room, request: &Request, path: &str) -> Result<Answer, Answer> {
    let form = request.form();
    let content = text(&form)?;
    let id = path.rsplit('/').next().unwrap_or_default();
    if !room.edit(id, markup::unescaped(content)) {
        return Err(error(400, "BAD_REQUEST", "Invalid message(s)"));
    }
    Ok(Answer::json(
        200,
        &json!({ "result": "success", "msg": "" }),
    ))
}

#[cfg(test)]
mod tests {
    use reqwest::multipart::{Form, Part};
    use serde_json::Value;

    use super::{
        super::{Fault, Kind, Service, client, picture},
        *,
    };

    async fn send(service: &Service, fields: &[(&'static str, &str)]) -> (u16, Value) {
        let mut form = Form::new();
        for (name, text) in fields {
            form = form.text(*name, (*text).to_owned());
        }
        let request = client().post(format!("{}/api/v1/messages", service.address));
        let answer = request
            .basic_auth(BOT, Some(KEY))
            .multipart(form)
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    #[tokio::test]
    async fn a_topic_is_the_thread_and_an_upload_is_shown_by_its_link() {
        let zulip = Service::start(Kind::Zulip).await;
        let place = [("type", "stream"), ("to", CHANNEL), ("topic", "Trámites")];
        send(
            &zulip,
            &[&place[..], &[("content", "CRÍTICO @**all** @_**ana**")]].concat(),
        )
        .await;
        let form = Form::new().part("filename", Part::bytes(picture(9, 9)).file_name("a.png"));
        let request = client().post(format!("{}/api/v1/user_uploads", zulip.address));
        let upload = request
            .basic_auth(BOT, Some(KEY))
            .multipart(form)
            .send()
            .await
            .unwrap();
        let upload: Value = upload.json().await.unwrap();
        let link = format!("[a.png]({})", upload["url"].as_str().unwrap());
        assert_eq!(
            send(&zulip, &[&place[..], &[("content", &link)]].concat())
                .await
                .0,
            200
        );

        let posts = zulip.posts();
        assert_eq!(
            (&posts[0].thread, &posts[1].thread),
            (&None, &Some(posts[0].id.clone()))
        );
        assert_eq!(posts[0].mentions, ["all"]);
        assert_eq!(posts[1].pictures[0].bytes, picture(9, 9));
    }

    #[tokio::test]
    async fn what_would_be_cut_is_refused() {
        let zulip = Service::start(Kind::Zulip).await;
        let (topic, text) = ("t".repeat(61), "a".repeat(10_001));
        for fields in [
            [
                ("type", "stream"),
                ("to", CHANNEL),
                ("topic", topic.as_str()),
                ("content", "a"),
            ],
            [
                ("type", "stream"),
                ("to", CHANNEL),
                ("topic", "t"),
                ("content", text.as_str()),
            ],
            [
                ("type", "stream"),
                ("to", "other"),
                ("topic", "t"),
                ("content", "a"),
            ],
        ] {
            assert_eq!(send(&zulip, &fields).await.0, 400);
        }
        zulip.next(Fault::Message(Refusal::TooMany(3)));
        let (status, answer) = send(&zulip, &[("content", "a")]).await;
        assert_eq!((status, &answer["retry-after"]), (429, &json!(2.75)));
        assert_eq!(zulip.posts(), []);
    }
}
