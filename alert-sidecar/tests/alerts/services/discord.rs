//! Discord's webhooks.
//!
//! Follows <https://docs.discord.com/developers/resources/webhook>, `/resources/message` (limits of embeds) and
//! `/topics/rate-limits`, and the operations `execute_webhook` and `update_webhook_message` of
//! <https://github.com/discord/discord-api-spec>. How long to wait is a number with a fraction in the body, and a whole one in
//! the header.

use serde_json::{Value, json};

use super::{Aim, Answer, Picture, Post, Refusal, Request, Room, markup};

/// No secret: of this server only.
pub const WEBHOOK: &str = "/api/webhooks/223704706495545344/testbed-webhook-token";
const VERSIONED: &str = "/api/v10/webhooks/223704706495545344/testbed-webhook-token";
const CHANNEL: &str = "199737254929760256";

const LONGEST_CONTENT: usize = 2000;
const MOST_EMBEDS: usize = 10;
const MOST_FIELDS: usize = 25;
const LONGEST_EMBEDS: usize = 6000;
const LONGEST_THREAD_NAME: usize = 100;
const LARGEST_FILE_BYTES: usize = 10 * 1024 * 1024;

pub fn aim(request: &Request) -> Aim {
    let is_picture = request.parts.iter().any(|part| part.file_name.is_some());
    if is_picture {
        Aim::Picture
    } else if path(request).is_some() {
        Aim::Message
    } else {
        Aim::Question
    }
}

/// What follows the webhook's address.
fn path(request: &Request) -> Option<&str> {
    let path = request.path.as_str();
    path.strip_prefix(WEBHOOK)
        .or_else(|| path.strip_prefix(VERSIONED))
}

pub fn refusal(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::TooMany(seconds) => {
            let wait = f64::from(u32::try_from(seconds).unwrap_or(u32::MAX)) - 0.35;
            let body = json!({ "message": "You are being rate limited.", "retry_after": wait, "global": false });
            Answer::json(429, &body)
                .with("retry-after", seconds.to_string())
                .with("x-ratelimit-remaining", "0")
                .with("x-ratelimit-reset-after", wait.to_string())
        }
        Refusal::Revoked => error(401, 50027, "Invalid Webhook Token"),
        Refusal::Gone => error(404, 10015, "Unknown Webhook"),
        Refusal::TooBig => error(413, 40005, "Request entity too large"),
        Refusal::NotTaken | Refusal::Unavailable => error(400, 50046, "Invalid asset"),
    }
}

fn error(status: u16, code: u32, text: &str) -> Answer {
    Answer::json(status, &json!({ "message": text, "code": code }))
}

fn invalid(what: &str) -> Answer {
    let body = json!({ "message": "Invalid Form Body", "code": 50035, "errors": { what: { "_errors": [{ "code": "BASE_TYPE_BAD_LENGTH" }] } } });
    Answer::json(400, &body)
}

pub fn answer(room: &mut Room, request: &Request) -> Answer {
    let Some(path) = path(request) else {
        return error(404, 10015, "Unknown Webhook");
    };
    let done = match (request.method.as_str(), path.strip_prefix("/messages/")) {
        ("POST", None) if path.is_empty() => execute(room, request),
        ("PATCH", Some(id)) => edit(room, request, id),
        _ => Err(error(405, 0, "405: Method Not Allowed")),
    };
    done.unwrap_or_else(|refused| refused)
}

fn body(request: &Request) -> Result<Value, Answer> {
    let payload = request
        .parts
        .iter()
        .find(|part| part.name == "payload_json");
    let body = match payload {
        Some(part) => serde_json::from_slice(&part.bytes).ok(),
        None => request.json(),
    };
    body.ok_or_else(|| error(400, 50109, "The request body contains invalid JSON."))
}

fn execute(room: &mut Room, request: &Request) -> Result<Answer, Answer> {
    let body = body(request)?;
    let mut post = shown(&body)?;
    post.pictures = pictures(request, &body)?;
    if post.text.trim().is_empty() && post.pictures.is_empty() {
        return Err(error(400, 50006, "Cannot send an empty message"));
    }
    // A channel that is a forum: each conversation is a thread there, made by its name.
    let name = body["thread_name"].as_str();
    if name.is_some_and(|name| name.is_empty() || name.chars().count() > LONGEST_THREAD_NAME) {
        return Err(invalid("thread_name"));
    }
    let thread = request.query("thread_id");
    if thread.is_some_and(|thread| !room.repeats.contains_key(thread)) {
        return Err(error(404, 10003, "Unknown Channel"));
    }
    let id = format!(
        "{}",
        334_385_199_974_967_042_u64 + room.next_number() as u64
    );
    if name.is_some() {
        room.repeats.insert(id.clone(), id.clone());
        post.thread = Some(id.clone());
    } else {
        post.thread = thread.map(str::to_owned);
    }
    let channel = post.thread.clone().unwrap_or_else(|| CHANNEL.into());
    post.id.clone_from(&id);
    channel.clone_into(&mut post.place);
    room.posts.push(post);
    if request.query("wait") != Some("true") {
        return Ok(Answer::text(204, ""));
    }
    Ok(Answer::json(
        200,
        &json!({ "id": id, "channel_id": channel }),
    ))
}

fn edit(room: &mut Room, request: &Request, id: &str) -> Result<Answer, Answer> {
    let body = body(request)?;
    let changed = shown(&body)?;
    let pictures = pictures(request, &body)?;
    let Some(post) = room.posts.iter_mut().find(|post| post.id == id) else {
        return Err(error(404, 10008, "Unknown Message"));
    };
    post.pictures.extend(pictures);
    if !changed.text.is_empty() {
        room.edit(id, changed.text);
    }
    Ok(Answer::json(
        200,
        &json!({ "id": id, "channel_id": CHANNEL }),
    ))
}

fn pictures(request: &Request, body: &Value) -> Result<Vec<Picture>, Answer> {
    let mut pictures = Vec::new();
    for (number, part) in request
        .parts
        .iter()
        .filter(|part| part.file_name.is_some())
        .enumerate()
    {
        if part.bytes.len() > LARGEST_FILE_BYTES {
            return Err(refusal(Refusal::TooBig));
        }
        if part.name != format!("files[{number}]") {
            return Err(invalid("files"));
        }
        let attachments = body["attachments"].as_array().into_iter().flatten();
        let mut described =
            attachments.filter(|attachment| attachment["id"].as_u64() == Some(number as u64));
        pictures.push(Picture {
            name: part.file_name.clone().unwrap_or_default(),
            bytes: part.bytes.clone(),
            description: described
                .find_map(|attachment| attachment["description"].as_str().map(str::to_owned)),
        });
    }
    Ok(pictures)
}

fn shown(body: &Value) -> Result<Post, Answer> {
    let mut parts: Vec<&str> = Vec::new();
    let mut links: Vec<String> = Vec::new();
    let content = body["content"].as_str().unwrap_or_default();
    if content.chars().count() > LONGEST_CONTENT {
        return Err(invalid("content"));
    }
    parts.push(content);
    let embeds = body["embeds"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    if embeds.len() > MOST_EMBEDS {
        return Err(invalid("embeds"));
    }
    let mut total = 0;
    for embed in embeds {
        let mut texts = vec![
            (&embed["title"], 256),
            (&embed["description"], 4096),
            (&embed["footer"]["text"], 2048),
            (&embed["author"]["name"], 256),
        ];
        let fields = embed["fields"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        if fields.len() > MOST_FIELDS {
            return Err(invalid("fields"));
        }
        for field in fields {
            if field["name"].as_str().is_none_or(str::is_empty)
                || field["value"].as_str().is_none_or(str::is_empty)
            {
                return Err(invalid("fields"));
            }
            texts.extend([(&field["name"], 256), (&field["value"], 1024)]);
        }
        for (text, longest) in texts {
            let text = text.as_str().unwrap_or_default();
            if text.chars().count() > longest {
                return Err(invalid("embeds"));
            }
            total += text.chars().count();
            parts.push(text);
        }
        links.extend(embed["url"].as_str().map(str::to_owned));
    }
    if total > LONGEST_EMBEDS {
        return Err(invalid("embeds"));
    }
    let text = parts
        .into_iter()
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("\n");
    links.extend(markup::links(&text));
    // Only the content calls anybody, and only whom the sender lets it call.
    let allowed = body["allowed_mentions"]["parse"].as_array();
    let may_call = allowed.is_none_or(|allowed| allowed.iter().any(|kind| kind == "everyone"));
    let called = markup::called(content, &["everyone", "here"]);
    Ok(Post {
        preview: markup::unescaped(content.lines().next().unwrap_or_default()),
        text: markup::unescaped(&text),
        mentions: if may_call { called } else { Vec::new() },
        links,
        ..Post::default()
    })
}

#[cfg(test)]
mod tests {
    use reqwest::multipart::{Form, Part};

    use super::{
        super::{Fault, Kind, Service, client, picture},
        *,
    };

    async fn send(service: &Service, query: &str, body: &Value) -> (u16, String) {
        let address = format!("{}{WEBHOOK}{query}", service.address);
        let answer = client().post(address).json(body).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    #[tokio::test]
    async fn messages_pictures_and_changes_are_kept() {
        let discord = Service::start(Kind::Discord).await;
        let (_, answer) = send(&discord, "?wait=true", &json!({ "content": "@everyone a" })).await;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let quiet = json!({ "content": "@everyone", "allowed_mentions": { "parse": [] } });
        assert_eq!(send(&discord, "", &quiet).await.0, 204);
        let payload = json!({ "attachments": [{ "id": 0, "description": "La página" }] });
        let form = Form::new()
            .part(
                "payload_json",
                Part::text(payload.to_string())
                    .mime_str("application/json")
                    .unwrap(),
            )
            .part("files[0]", Part::bytes(picture(9, 9)).file_name("a.png"));
        let message = format!(
            "{}{VERSIONED}/messages/{}",
            discord.address,
            answer["id"].as_str().unwrap()
        );
        let edited = client()
            .patch(message)
            .multipart(form)
            .send()
            .await
            .unwrap();
        assert_eq!(edited.status(), 200);

        let posts = discord.posts();
        assert_eq!(posts[0].mentions, ["everyone"]);
        assert_eq!(
            posts[0].pictures[0].description.as_deref(),
            Some("La página")
        );
        assert_eq!(posts[1].mentions.len(), 0);
    }

    #[tokio::test]
    async fn a_forum_has_a_thread_for_each_name() {
        let discord = Service::start(Kind::Discord).await;
        let (_, answer) = send(
            &discord,
            "?wait=true",
            &json!({ "content": "a", "thread_name": "T" }),
        )
        .await;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        let thread = answer["channel_id"].as_str().unwrap();
        assert_eq!(
            send(
                &discord,
                &format!("?thread_id={thread}"),
                &json!({ "content": "b" })
            )
            .await
            .0,
            204
        );
        assert_eq!(
            send(&discord, "?thread_id=5", &json!({ "content": "b" }))
                .await
                .0,
            404
        );
        let posts = discord.posts();
        assert_eq!((posts.len(), &posts[0].thread), (2, &posts[1].thread));
    }

    #[tokio::test]
    async fn refusals_have_numbers() {
        let discord = Service::start(Kind::Discord).await;
        let long = "a".repeat(2001);
        for body in [
            json!({ "content": long }),
            json!({ "embeds": [{ "description": "a".repeat(4096) }, { "description": long }] }),
            json!({ "embeds": [{ "fields": [{ "name": "", "value": "a" }] }] }),
        ] {
            let (status, answer) = send(&discord, "", &body).await;
            assert_eq!((status, answer.contains("50035")), (400, true), "{answer}");
        }
        assert!(send(&discord, "", &json!({})).await.1.contains("50006"));
        discord.next(Fault::Message(Refusal::TooMany(1)));
        assert!(
            send(&discord, "", &json!({ "content": "a" }))
                .await
                .1
                .contains("\"retry_after\":0.65")
        );
        assert_eq!(discord.posts(), []);
    }
}
