//! A Matrix homeserver, for the faults that a real one does not have on demand.
//!
//! Follows the client-server API of <https://spec.matrix.org/v1.15/client-server-api/> for sending events, uploading and
//! threads. As older servers do, it says how long to wait in the body only.

use serde_json::{Value, json};

use super::{Aim, Answer, Picture, Post, Refusal, Request, Room};

/// No secret: of this server only.
pub const TOKEN: &str = "syt_dmlnaWE_testbed_0";
pub const ROOM: &str = "!alertas:agency.example";

const LARGEST_EVENT_BYTES: usize = 65_536;
const LARGEST_FILE_BYTES: usize = 20 * 1024 * 1024;

pub fn aim(request: &Request) -> Aim {
    if request.path.contains("/media/") {
        return Aim::Picture;
    }
    match event(request) {
        Some((_, _, content)) if content["msgtype"] == "m.image" => Aim::Picture,
        Some(_) => Aim::Message,
        None => Aim::Question,
    }
}

pub fn refusal(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::TooMany(seconds) => {
            let body = json!({ "errcode": "M_LIMIT_EXCEEDED", "error": "Too Many Requests", "retry_after_ms": seconds * 1000 });
            Answer::json(429, &body)
        }
        Refusal::Revoked => error(401, "M_UNKNOWN_TOKEN", "Invalid access token passed."),
        Refusal::Gone => error(
            403,
            "M_FORBIDDEN",
            "User @vigia:agency.example not in room !alertas:agency.example",
        ),
        Refusal::TooBig => too_large(),
        Refusal::NotTaken | Refusal::Unavailable => {
            error(403, "M_FORBIDDEN", "Requested media was not accepted")
        }
    }
}

fn error(status: u16, code: &str, text: &str) -> Answer {
    Answer::json(status, &json!({ "errcode": code, "error": text }))
}

fn too_large() -> Answer {
    error(413, "M_TOO_LARGE", "Upload request body is too large")
}

/// Room, transaction and content of an event that is being sent.
fn event(request: &Request) -> Option<(String, String, Value)> {
    let rest = request.path.strip_prefix("/_matrix/client/v3/rooms/")?;
    let (room, rest) = rest.split_once("/send/m.room.message/")?;
    let room = room.replace("%21", "!").replace("%3A", ":");
    let content = serde_json::from_slice(&request.body).ok()?;
    Some((room, rest.to_owned(), content))
}

pub fn answer(room: &mut Room, request: &Request) -> Answer {
    match request.bearer() {
        None => return error(401, "M_MISSING_TOKEN", "Missing access token"),
        Some(TOKEN) => {}
        Some(_) => return error(401, "M_UNKNOWN_TOKEN", "Invalid access token passed."),
    }
    if request.is("POST", "/_matrix/media/v3/upload") {
        return upload(room, request);
    }
    match event(request) {
        Some((place, transaction, content)) if request.method == "PUT" => {
            send(room, request, &place, transaction, &content).unwrap_or_else(|refused| refused)
        }
        _ => error(404, "M_UNRECOGNIZED", "Unrecognized request"),
    }
}

fn upload(room: &mut Room, request: &Request) -> Answer {
    if request.body.len() > LARGEST_FILE_BYTES {
        return too_large();
    }
    let address = format!("mxc://agency.example/{}", room.next_number());
    let picture = Picture {
        name: request.query("filename").unwrap_or_default().to_owned(),
        bytes: request.body.clone(),
        description: None,
    };
    room.uploads.insert(address.clone(), picture);
    Answer::json(200, &json!({ "content_uri": address }))
}

fn send(
    room: &mut Room,
    request: &Request,
    place: &str,
    transaction: String,
    content: &Value,
) -> Result<Answer, Answer> {
    if place != ROOM {
        return Err(refusal(Refusal::Gone));
    }
    if let Some(id) = room.repeats.get(&transaction) {
        return Ok(Answer::json(200, &json!({ "event_id": id })));
    }
    if request.body.len() > LARGEST_EVENT_BYTES {
        return Err(error(413, "M_TOO_LARGE", "event too large"));
    }
    let Some(body) = content["body"].as_str() else {
        return Err(error(400, "M_BAD_JSON", "'body' not in content"));
    };
    let relation = &content["m.relates_to"];
    let target = relation["event_id"].as_str();
    if target.is_some_and(|target| room.post(target).is_none()) {
        return Err(error(
            400,
            "M_UNKNOWN",
            "Can't send relation to unknown event",
        ));
    }
    let id = format!("${:043}", room.next_number());
    room.repeats.insert(transaction, id.clone());
    let answer = Answer::json(200, &json!({ "event_id": id }));
    if relation["rel_type"] == "m.replace" {
        let text = content["m.new_content"]["body"]
            .as_str()
            .unwrap_or_default();
        room.edit(target.unwrap_or_default(), text.to_owned());
        return Ok(answer);
    }
    let html = match content["format"].as_str() {
        Some("org.matrix.custom.html") => content["formatted_body"].as_str().unwrap_or_default(),
        _ => "",
    };
    let mut post = Post {
        id,
        place: place.to_owned(),
        preview: body.lines().next().unwrap_or_default().to_owned(),
        text: if html.is_empty() {
            body.to_owned()
        } else {
            without_tags(html)
        },
        mentions: mentions(content, body),
        links: targets(html),
        ..Post::default()
    };
    if relation["rel_type"] == "m.thread" {
        post.thread = target.map(str::to_owned);
    }
    if content["msgtype"] == "m.image" {
        let address = content["url"].as_str().unwrap_or_default();
        let picture = room.uploads.remove(address);
        post.pictures
            .push(picture.ok_or_else(|| error(400, "M_BAD_JSON", "no such media"))?);
    }
    room.posts.push(post);
    Ok(answer)
}

/// Without `m.mentions` the text itself is searched, as it was before that existed.
fn mentions(content: &Value, body: &str) -> Vec<String> {
    let Some(intended) = content["m.mentions"].as_object() else {
        return super::markup::called(body, &["room"]);
    };
    let users = intended.get("user_ids").and_then(Value::as_array);
    let users = users.into_iter().flatten().filter_map(Value::as_str);
    let everybody = (intended.get("room") == Some(&Value::Bool(true))).then_some("room");
    users.chain(everybody).map(str::to_owned).collect()
}

/// What is between the tags.
fn without_tags(html: &str) -> String {
    let mut parts = html.split('<');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text += part.split_once('>').map_or(part, |(_, text)| text);
    }
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}

fn targets(html: &str) -> Vec<String> {
    html.split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(|target| target.replace("&amp;", "&").replace("&#x2f;", "/"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Fault, Kind, Service, client, picture},
        *,
    };

    async fn send(service: &Service, transaction: &str, content: &Value) -> (u16, Value) {
        let path = format!("/_matrix/client/v3/rooms/{ROOM}/send/m.room.message/{transaction}");
        let request = client().put(format!("{}{path}", service.address));
        let answer = request
            .bearer_auth(TOKEN)
            .json(content)
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    #[tokio::test]
    async fn a_transaction_is_one_message() {
        let matrix = Service::start(Kind::Matrix).await;
        let first = json!({ "msgtype": "m.text", "body": "CRÍTICO @room", "m.mentions": {} });
        let (_, answer) = send(&matrix, "t1", &first).await;
        assert_eq!(send(&matrix, "t1", &first).await, (200, answer.clone()));
        let upload = client().post(format!(
            "{}/_matrix/media/v3/upload?filename=a.png",
            matrix.address
        ));
        let upload = upload
            .bearer_auth(TOKEN)
            .body(picture(9, 9))
            .send()
            .await
            .unwrap();
        let upload: Value = upload.json().await.unwrap();
        let relation = json!({ "rel_type": "m.thread", "event_id": answer["event_id"] });
        let image = json!({ "msgtype": "m.image", "body": "a.png", "url": upload["content_uri"], "m.relates_to": relation });
        assert_eq!(send(&matrix, "t2", &image).await.0, 200);
        send(
            &matrix,
            "t3",
            &json!({ "msgtype": "m.text", "body": "@room" }),
        )
        .await;

        let posts = matrix.posts();
        assert_eq!(posts.len(), 3);
        assert_eq!(posts[1].thread.as_deref(), answer["event_id"].as_str());
        assert_eq!(posts[1].pictures[0].bytes, picture(9, 9));
        assert_eq!((posts[0].mentions.len(), posts[2].mentions.len()), (0, 1));
    }

    #[tokio::test]
    async fn refusals_have_codes() {
        let matrix = Service::start(Kind::Matrix).await;
        let text = json!({ "msgtype": "m.text", "body": "a" });
        matrix.next(Fault::Message(Refusal::TooMany(2)));
        let (status, answer) = send(&matrix, "t", &text).await;
        assert_eq!((status, &answer["retry_after_ms"]), (429, &json!(2000)));
        let long = json!({ "msgtype": "m.text", "body": "a".repeat(65_600) });
        assert_eq!(send(&matrix, "t", &long).await.1["errcode"], "M_TOO_LARGE");
        let lost = json!({ "msgtype": "m.text", "body": "a", "m.relates_to": { "rel_type": "m.thread", "event_id": "$x" } });
        assert_eq!(send(&matrix, "t", &lost).await.1["errcode"], "M_UNKNOWN");
        assert_eq!(matrix.posts(), []);
    }
}
