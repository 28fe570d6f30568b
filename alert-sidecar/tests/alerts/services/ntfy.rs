//! ntfy, a server of one's own or ntfy.sh.
//!
//! Follows <https://docs.ntfy.sh/publish/>: a message is the body of a request with headers, or JSON to the root; a file is a
//! body with a `Filename`. A text of more than 4096 bytes becomes a file that nobody reads on a locked phone, as there.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Aim, Answer, Picture, Post, Refusal, Request, Room};

/// No secret: of this server only.
pub const TOKEN: &str = "tk_testbedtestbedtestbedtestbed1";
pub const TOPIC: &str = "alertas";

const LONGEST_MESSAGE_BYTES: usize = 4096;
const LARGEST_FILE_BYTES: usize = 15 * 1024 * 1024;
const MOST_ACTIONS: usize = 3;

pub fn aim(request: &Request) -> Aim {
    if request.method == "GET" {
        Aim::Question
    } else if field(request, "filename").is_some() {
        Aim::Picture
    } else {
        Aim::Message
    }
}

pub fn refusal(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::TooMany(_) => error(429, 42901, "limit reached: too many requests"),
        Refusal::Revoked => error(401, 40101, "unauthorized"),
        Refusal::Gone => error(403, 40301, "forbidden"),
        Refusal::TooBig => error(
            413,
            41301,
            "attachment too large, or bandwidth limit reached",
        ),
        Refusal::NotTaken | Refusal::Unavailable => {
            error(400, 40014, "invalid request: attachments not allowed")
        }
    }
}

fn error(status: u16, code: u32, text: &str) -> Answer {
    let body = json!({ "code": code, "http": status, "error": text, "link": "https://ntfy.sh/docs/publish/" });
    Answer::json(status, &body)
}

/// Of the header with this name or with `X-` before it, or of the query. Headers may hold UTF-8 here.
fn field(request: &Request, name: &str) -> Option<String> {
    let header = request
        .headers
        .get(name)
        .or_else(|| request.headers.get(format!("x-{name}")))
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    header.or_else(|| request.query(name).map(str::to_owned))
}

pub fn answer(room: &mut Room, request: &Request) -> Answer {
    if request.bearer() != Some(TOKEN) {
        return refusal(Refusal::Revoked);
    }
    if !["POST", "PUT"].contains(&request.method.as_str()) {
        return error(404, 40401, "page not found");
    }
    let done = match request.path.as_str() {
        "/" => published(request),
        path if path[1..] == *TOPIC => posted(request),
        _ => Err(refusal(Refusal::Gone)),
    };
    match done {
        Err(refused) => refused,
        Ok(mut post) => {
            post.id = format!("{:012}", room.next_number());
            TOPIC.clone_into(&mut post.place);
            let answer =
                json!({ "id": post.id, "event": "message", "topic": TOPIC, "message": post.text });
            room.posts.push(post);
            Answer::json(200, &answer)
        }
    }
}

/// A message in JSON.
fn published(request: &Request) -> Result<Post, Answer> {
    let body: Value = serde_json::from_slice(&request.body).map_err(|_| {
        error(
            400,
            40024,
            "invalid request: request body must be message JSON",
        )
    })?;
    if body["topic"] != TOPIC {
        return Err(refusal(Refusal::Gone));
    }
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let actions = body["actions"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let actions = actions.iter().map(|action| {
        let is_whole = ["view", "http"]
            .iter()
            .any(|kind| action["action"] == *kind)
            && action["label"].is_string();
        is_whole
            .then(|| action["url"].as_str())
            .flatten()
            .map(str::to_owned)
    });
    shown(
        text("title"),
        text("message").unwrap_or_default(),
        body["priority"].as_i64(),
        text("click"),
        actions.collect(),
    )
}

/// A message whose text is the body, or a file.
fn posted(request: &Request) -> Result<Post, Answer> {
    let names = ["title", "message", "priority", "click", "filename"];
    let fields: BTreeMap<_, _> = names
        .iter()
        .filter_map(|name| Some((*name, field(request, name)?)))
        .collect();
    let get = |name: &str| fields.get(name).cloned();
    let priority = get("priority").and_then(|priority| priority.parse().ok());
    let Some(name) = get("filename") else {
        let text = String::from_utf8_lossy(&request.body).into_owned();
        return shown(get("title"), text, priority, get("click"), Vec::new());
    };
    if request.body.len() > LARGEST_FILE_BYTES {
        return Err(refusal(Refusal::TooBig));
    }
    let text = get("message").unwrap_or_else(|| format!("You received a file: {name}"));
    let picture = Picture {
        name,
        bytes: request.body.clone(),
        description: None,
    };
    Ok(Post {
        pictures: vec![picture],
        ..shown(get("title"), text, priority, get("click"), Vec::new())?
    })
}

fn shown(
    title: Option<String>,
    text: String,
    priority: Option<i64>,
    click: Option<String>,
    actions: Vec<Option<String>>,
) -> Result<Post, Answer> {
    if priority.is_some_and(|priority| !(1..=5).contains(&priority)) {
        return Err(error(400, 40007, "invalid request: priority invalid"));
    }
    if actions.len() > MOST_ACTIONS || actions.contains(&None) {
        return Err(error(400, 40018, "invalid request: actions invalid"));
    }
    let text = if text.len() > LONGEST_MESSAGE_BYTES {
        "You received a file: attachment.txt".to_owned()
    } else {
        text
    };
    let preview = title.unwrap_or_default();
    Ok(Post {
        text: if preview.is_empty() {
            text
        } else {
            format!("{preview}\n{text}")
        },
        preview,
        links: click
            .into_iter()
            .chain(actions.into_iter().flatten())
            .collect(),
        ..Post::default()
    })
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Fault, Kind, Service, client, picture},
        *,
    };

    #[tokio::test]
    async fn messages_in_json_and_files_with_headers_are_shown() {
        let ntfy = Service::start(Kind::Ntfy).await;
        let publish = async |body: Value| {
            let request = client().post(&ntfy.address).bearer_auth(TOKEN).json(&body);
            request.send().await.unwrap().status().as_u16()
        };
        let body = json!({ "topic": TOPIC, "title": "CRÍTICO", "message": "a", "priority": 5, "actions": [{ "action": "view", "label": "Ver", "url": "https://a.example" }] });
        assert_eq!(publish(body).await, 200);
        assert_eq!(
            publish(json!({ "topic": TOPIC, "message": "a".repeat(4097) })).await,
            200
        );
        assert_eq!(
            publish(json!({ "topic": TOPIC, "message": "a", "priority": 6 })).await,
            400
        );
        let action = json!({ "action": "view", "label": "a", "url": "https://a.example" });
        assert_eq!(publish(json!({ "topic": TOPIC, "message": "a", "actions": [action, action, action, action] })).await, 400);
        assert_eq!(
            publish(json!({ "topic": "other", "message": "a" })).await,
            403
        );
        let file = client()
            .put(format!("{}/{TOPIC}", ntfy.address))
            .bearer_auth(TOKEN)
            .header("filename", "a.png")
            .header("title", "Página".as_bytes())
            .body(picture(9, 9));
        assert_eq!(file.send().await.unwrap().status(), 200);
        ntfy.next(Fault::Message(Refusal::TooMany(1)));
        assert_eq!(
            publish(json!({ "topic": TOPIC, "message": "a" })).await,
            429
        );

        let posts = ntfy.posts();
        assert_eq!(posts.len(), 3);
        assert_eq!(
            (posts[0].preview.as_str(), posts[0].text.as_str()),
            ("CRÍTICO", "CRÍTICO\na")
        );
        assert_eq!(posts[1].text, "You received a file: attachment.txt");
        assert_eq!(
            (posts[2].preview.as_str(), &posts[2].pictures[0].bytes),
            ("Página", &picture(9, 9))
        );
    }
}
