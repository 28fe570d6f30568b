//! Rocket.Chat's REST API for a bot.
//!
//! Follows `messaging.yaml` and `rooms.yaml` of <https://github.com/RocketChat/Rocket.Chat-Open-API> for `chat.sendMessage`,
//! `chat.getMessage`, `chat.update`, `rooms.media` and `rooms.mediaConfirm`. A message whose `_id` exists is not posted
//! again, and its sender gets an error; the limiter gives the time of its end in milliseconds and no `Retry-After`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Aim, Answer, Picture, Post, Refusal, Request, Room, markup};

/// No secret: of this server only.
pub const TOKEN: &str = "testbed-rocketchat-token";
pub const USER: &str = "rbAXPnMktTFbNpwtJ";
pub const ROOM: &str = "GENERAL";

/// `Message_MaxAllowedSize` as installed.
const LONGEST_TEXT: usize = 5000;
/// `FileUpload_MaxFileSize`; as installed it is 100 MiB.
const LARGEST_FILE_BYTES: usize = 20 * 1024 * 1024;

pub fn aim(request: &Request) -> Aim {
    match request.path.strip_prefix("/api/v1/").unwrap_or_default() {
        "chat.sendMessage" | "chat.postMessage" | "chat.update" => Aim::Message,
        path if path.starts_with("rooms.media") => Aim::Picture,
        _ => Aim::Question,
    }
}

pub fn refusal(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::TooMany(seconds) => {
            let end = Timestamp::now().as_millisecond()
                + i64::try_from(seconds).unwrap_or_default() * 1000;
            let text = format!(
                "Error, too many requests. Please slow down. You must wait {seconds} seconds before trying this endpoint again. [error-too-many-requests]"
            );
            Answer::json(429, &json!({ "success": false, "error": text }))
                .with("x-ratelimit-remaining", "0")
                .with("x-ratelimit-reset", end.to_string())
        }
        Refusal::Revoked => logged_out(),
        Refusal::Gone => error("error-invalid-room", "Invalid room"),
        Refusal::TooBig => error("error-file-too-large", "File is too large"),
        Refusal::NotTaken | Refusal::Unavailable => {
            error("error-invalid-file-type", "File type is not accepted.")
        }
    }
}

fn logged_out() -> Answer {
    let body = json!({ "status": "error", "message": "You must be logged in to do this." });
    Answer::json(401, &body)
}

fn error(kind: &str, text: &str) -> Answer {
    let body = json!({ "success": false, "error": format!("{text} [{kind}]"), "errorType": kind });
    Answer::json(400, &body)
}

pub fn answer(room: &mut Room, request: &Request) -> Answer {
    let who = (request.header("x-auth-token"), request.header("x-user-id"));
    if who != (Some(TOKEN), Some(USER)) {
        return logged_out();
    }
    let Some(path) = request.path.strip_prefix("/api/v1/") else {
        return Answer::text(404, "not found");
    };
    let done = match (request.method.as_str(), path) {
        ("POST", "chat.sendMessage") => send(room, request),
        ("GET", "chat.getMessage") => get(room, request),
        ("POST", "chat.update") => update(room, request),
        ("POST", path) => media(room, request, path),
        _ => Err(Answer::json(
            404,
            &json!({ "success": false, "error": "API endpoint not found" }),
        )),
    };
    done.unwrap_or_else(|refused| refused)
}

fn body(request: &Request) -> Result<Value, Answer> {
    request
        .json()
        .ok_or_else(|| error("invalid-params", "must be object"))
}

fn success(message: &Value) -> Answer {
    Answer::json(200, &json!({ "success": true, "message": message }))
}

fn send(room: &mut Room, request: &Request) -> Result<Answer, Answer> {
    let body = body(request)?;
    let message = &body["message"];
    if message["rid"] != ROOM {
        return Err(error("error-invalid-room", "Invalid room"));
    }
    let id = message["_id"].as_str().map(str::to_owned);
    if id.as_deref().is_some_and(|id| room.post(id).is_some()) {
        let text = "Cannot read properties of undefined (reading 'u')";
        return Err(Answer::json(
            400,
            &json!({ "success": false, "error": text }),
        ));
    }
    let text = message["msg"].as_str().unwrap_or_default();
    let mut post = shown(room, message, text)?;
    if text.is_empty() {
        return Err(error("invalid-params", "The 'msg' is required"));
    }
    if let Some(id) = id {
        post.id = id;
    }
    let answer = success(&json!({ "_id": post.id, "rid": ROOM, "msg": text }));
    room.posts.push(post);
    Ok(answer)
}

/// What people see of a text that may answer to another.
fn shown(room: &mut Room, message: &Value, text: &str) -> Result<Post, Answer> {
    if text.chars().count() > LONGEST_TEXT {
        return Err(error(
            "error-message-size-exceeded",
            "Message size exceeds Message_MaxAllowedSize",
        ));
    }
    let thread = message["tmid"].as_str();
    if thread.is_some_and(|thread| room.post(thread).is_none()) {
        return Err(error("error-invalid-message", "Invalid message"));
    }
    Ok(Post {
        id: format!("{:017}", room.next_number()),
        place: ROOM.into(),
        preview: markup::unescaped(text.lines().next().unwrap_or_default()),
        text: markup::unescaped(text),
        thread: thread.map(str::to_owned),
        mentions: markup::called(text, &["all", "here"]),
        links: markup::links(text),
        ..Post::default()
    })
}

fn get(room: &Room, request: &Request) -> Result<Answer, Answer> {
    let id = request.query("msgId").unwrap_or_default();
    let post = room
        .post(id)
        .ok_or_else(|| Answer::json(400, &json!({ "success": false })))?;
    Ok(success(
        &json!({ "_id": id, "rid": ROOM, "msg": post.text }),
    ))
}

fn update(room: &mut Room, request: &Request) -> Result<Answer, Answer> {
    let body = body(request)?;
    let (id, text) = (
        body["msgId"].as_str().unwrap_or_default(),
        body["text"].as_str().unwrap_or_default(),
    );
    if body["roomId"] != ROOM || !room.edit(id, markup::unescaped(text)) {
        return Err(error(
            "error-invalid-message",
            "No message found with the id.",
        ));
    }
    Ok(success(&json!({ "_id": id })))
}

fn media(room: &mut Room, request: &Request, path: &str) -> Result<Answer, Answer> {
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        ["rooms.media", ROOM] => {
            let file = request
                .file("file")
                .ok_or_else(|| error("invalid-field", "No file uploaded"))?;
            if file.bytes.len() > LARGEST_FILE_BYTES {
                return Err(refusal(Refusal::TooBig));
            }
            let id = format!("file{}", room.next_number());
            let picture = Picture {
                name: file.file_name.clone().unwrap_or_default(),
                bytes: file.bytes.clone(),
                description: None,
            };
            room.uploads.insert(id.clone(), picture);
            let file = json!({ "_id": id, "url": format!("/file-upload/{id}/a.png") });
            Ok(Answer::json(200, &json!({ "success": true, "file": file })))
        }
        ["rooms.mediaConfirm", ROOM, file] => {
            let body = body(request)?;
            let text = body["msg"].as_str().unwrap_or_default();
            let mut post = shown(room, &body, text)?;
            let mut picture = room
                .uploads
                .remove(*file)
                .ok_or_else(|| error("invalid-file", "File not found"))?;
            picture.description = body["description"].as_str().map(str::to_owned);
            post.pictures.push(picture);
            let id = post.id.clone();
            room.posts.push(post);
            Ok(success(&json!({ "_id": id, "rid": ROOM })))
        }
        _ => Err(error("error-invalid-room", "Invalid room")),
    }
}

#[cfg(test)]
mod tests {
    use reqwest::multipart::{Form, Part};

    use super::{
        super::{Fault, Kind, Service, client, picture},
        *,
    };

    fn ask(service: &Service, path: &str) -> reqwest::RequestBuilder {
        client()
            .post(format!("{}/api/v1/{path}", service.address))
            .header("x-auth-token", TOKEN)
            .header("x-user-id", USER)
    }

    #[tokio::test]
    async fn a_message_is_posted_once_and_its_picture_follows_in_the_thread() {
        let rocketchat = Service::start(Kind::RocketChat).await;
        let send = async |message: Value| {
            let request = ask(&rocketchat, "chat.sendMessage").json(&json!({ "message": message }));
            request.send().await.unwrap().status().as_u16()
        };
        assert_eq!(
            send(json!({ "_id": "a", "rid": ROOM, "msg": "CRÍTICO @here" })).await,
            200
        );
        assert_eq!(
            send(json!({ "_id": "a", "rid": ROOM, "msg": "CRÍTICO @here" })).await,
            400
        );
        assert_eq!(
            send(json!({ "rid": ROOM, "msg": "a", "tmid": "b" })).await,
            400
        );
        assert_eq!(send(json!({ "rid": "OTHER", "msg": "a" })).await, 400);
        assert_eq!(
            send(json!({ "rid": ROOM, "msg": "a".repeat(5001) })).await,
            400
        );
        let form = Form::new().part("file", Part::bytes(picture(9, 9)).file_name("a.png"));
        let file = ask(&rocketchat, "rooms.media/GENERAL")
            .multipart(form)
            .send();
        let file: Value = file.await.unwrap().json().await.unwrap();
        let path = format!(
            "rooms.mediaConfirm/GENERAL/{}",
            file["file"]["_id"].as_str().unwrap()
        );
        let shown = ask(&rocketchat, &path).json(&json!({ "tmid": "a" })).send();
        assert_eq!(shown.await.unwrap().status(), 200);

        let posts = rocketchat.posts();
        assert_eq!(posts.len(), 2);
        assert_eq!(posts[0].mentions, ["here"]);
        assert_eq!(posts[1].thread.as_deref(), Some("a"));
        assert_eq!(posts[1].pictures[0].bytes, picture(9, 9));
    }

    #[tokio::test]
    async fn the_limiter_says_when_it_ends_in_milliseconds() {
        let rocketchat = Service::start(Kind::RocketChat).await;
        rocketchat.next(Fault::Message(Refusal::TooMany(40)));
        let answer = ask(&rocketchat, "chat.sendMessage").send().await.unwrap();
        let end: i64 = answer.headers()["x-ratelimit-reset"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        let wait = end - Timestamp::now().as_millisecond();
        assert!((30_000..=40_000).contains(&wait), "{wait}");
        let stranger = client()
            .post(format!("{}/api/v1/chat.sendMessage", rocketchat.address))
            .send();
        assert_eq!(stranger.await.unwrap().status(), 401);
    }
}
