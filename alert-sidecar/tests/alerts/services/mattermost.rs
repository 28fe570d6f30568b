//! Mattermost: a bot's API and incoming webhooks.
//!
//! Follows `api/v4/source/posts.yaml` and `files.yaml` of <https://github.com/mattermost/mattermost> and
//! <https://developers.mattermost.com/integrate/webhooks/incoming/>. What the documents do not say (the words of refusals,
//! that a `pending_post_id` is known again for half a minute) is how its server does it. It cuts a long webhook's text into
//! several posts; here that is refused.

use serde_json::{Value, json};

use super::{Aim, Answer, Picture, Post, Refusal, Request, Room, markup};

/// No secret: of this server only.
pub const TOKEN: &str = "testbedtestbedtestbedtestb";
pub const WEBHOOK: &str = "/hooks/testbedtestbedtestbedhook1";
pub const CHANNEL: &str = "4xp9fdt77pncbef59f4k1qe83o";

const LONGEST_TEXT: usize = 16_383;
const MOST_FILES: usize = 10;
const LARGEST_FILE_BYTES: usize = 20 * 1024 * 1024;

pub fn aim(request: &Request) -> Aim {
    match request.path.as_str() {
        "/api/v4/files" => Aim::Picture,
        "/api/v4/posts" if has_files(request) => Aim::Picture,
        "/api/v4/posts" | WEBHOOK => Aim::Message,
        path if path.ends_with("/patch") => Aim::Message,
        _ => Aim::Question,
    }
}

fn has_files(request: &Request) -> bool {
    let files = request.json().map(|body| body["file_ids"].clone());
    files.is_some_and(|files| files.as_array().is_some_and(|files| !files.is_empty()))
}

pub fn refusal(request: &Request, refusal: Refusal) -> Answer {
    let is_webhook = request.path == WEBHOOK;
    match refusal {
        Refusal::TooMany(seconds) => Answer::text(429, "limit exceeded\n")
            .with("retry-after", seconds.to_string())
            .with("x-ratelimit-remaining", "0"),
        Refusal::Revoked if is_webhook => error(
            400,
            "web.incoming_webhook.invalid.app_error",
            "Invalid webhook.",
        ),
        Refusal::Revoked => no_session(),
        Refusal::Gone if is_webhook => error(
            404,
            "web.incoming_webhook.channel.app_error",
            "Couldn't find the channel.",
        ),
        Refusal::Gone => error(
            400,
            "api.post.create_post.can_not_post_to_deleted.error",
            "Can not post to deleted channel.",
        ),
        Refusal::TooBig => too_large(),
        Refusal::NotTaken | Refusal::Unavailable => error(
            501,
            "api.file.attachments.disabled.app_error",
            "File attachments have been disabled on this server.",
        ),
    }
}

fn error(status: u16, id: &str, message: &str) -> Answer {
    let body = json!({ "id": id, "message": message, "detailed_error": "", "request_id": "r", "status_code": status });
    Answer::json(status, &body)
}

fn no_session() -> Answer {
    error(
        401,
        "api.context.session_expired.app_error",
        "Invalid or expired session, please login again.",
    )
}

fn no_permission() -> Answer {
    error(
        403,
        "api.context.permissions.app_error",
        "You do not have the appropriate permissions.",
    )
}

fn too_large() -> Answer {
    error(
        413,
        "api.file.upload_file.too_large_detailed.app_error",
        "Unable to upload file. File is too large.",
    )
}

fn too_long() -> Answer {
    error(
        400,
        "model.post.is_valid.message_length.app_error",
        "Post Message property is longer than the maximum permitted length.",
    )
}

pub fn answer(room: &mut Room, request: &Request) -> Answer {
    if request.path == WEBHOOK {
        return webhook(room, request);
    }
    if request.bearer() != Some(TOKEN) {
        return no_session();
    }
    let done = match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/api/v4/posts") => create(room, request),
        ("POST", "/api/v4/files") => upload(room, request),
        ("PUT", path) => patch(room, request, path),
        _ => Err(error(
            404,
            "api.context.404.app_error",
            "Sorry, we could not find the page.",
        )),
    };
    done.unwrap_or_else(|refused| refused)
}

fn body(request: &Request) -> Result<Value, Answer> {
    serde_json::from_slice(&request.body).map_err(|_| {
        error(
            400,
            "api.context.invalid_body_param.app_error",
            "Invalid or missing post in request body.",
        )
    })
}

fn create(room: &mut Room, request: &Request) -> Result<Answer, Answer> {
    let body = body(request)?;
    let key = body["pending_post_id"].as_str().unwrap_or_default();
    if let Some(id) = room.repeats.get(key) {
        return Ok(Answer::json(
            201,
            &json!({ "id": id, "channel_id": CHANNEL }),
        ));
    }
    if body["channel_id"] != CHANNEL {
        return Err(no_permission());
    }
    let text = body["message"].as_str().unwrap_or_default();
    if text.chars().count() > LONGEST_TEXT {
        return Err(too_long());
    }
    let first = body["root_id"].as_str().filter(|id| !id.is_empty());
    // An answer is to the first post of a thread and to no other.
    if first.is_some_and(|id| room.post(id).is_none_or(|post| post.thread.is_some())) {
        return Err(error(
            400,
            "api.post.create_post.root_id.app_error",
            "Invalid RootId parameter.",
        ));
    }
    let files = body["file_ids"].as_array().cloned().unwrap_or_default();
    if files.len() > MOST_FILES || (text.is_empty() && files.is_empty()) {
        return Err(error(
            400,
            "model.post.is_valid.file_ids.app_error",
            "Invalid file ids.",
        ));
    }
    let files = files.iter().filter_map(|file| file.as_str());
    // What is no file, or another post's, is left out without a word.
    let pictures = files.filter_map(|file| room.uploads.remove(file)).collect();
    let post = Post {
        thread: first.map(str::to_owned),
        pictures,
        ..shown(room, text)
    };
    let id = post.id.clone();
    if !key.is_empty() {
        room.repeats.insert(key.to_owned(), id.clone());
    }
    room.posts.push(post);
    Ok(Answer::json(
        201,
        &json!({ "id": id, "channel_id": CHANNEL }),
    ))
}

fn shown(room: &mut Room, text: &str) -> Post {
    Post {
        id: format!("{:026}", room.next_number()),
        place: CHANNEL.into(),
        preview: markup::unescaped(text.lines().next().unwrap_or_default()),
        text: markup::unescaped(text),
        mentions: markup::called(text, &["channel", "all", "here"]),
        links: markup::links(text),
        ..Post::default()
    }
}

fn patch(room: &mut Room, request: &Request, path: &str) -> Result<Answer, Answer> {
    let id = path
        .strip_prefix("/api/v4/posts/")
        .and_then(|rest| rest.strip_suffix("/patch"))
        .unwrap_or_default();
    let body = body(request)?;
    let text = body["message"].as_str().unwrap_or_default();
    if text.chars().count() > LONGEST_TEXT {
        return Err(too_long());
    }
    if !room.edit(id, markup::unescaped(text)) {
        return Err(no_permission());
    }
    Ok(Answer::json(200, &json!({ "id": id })))
}

/// Of a raw body with its name in the query, or of a form.
fn upload(room: &mut Room, request: &Request) -> Result<Answer, Answer> {
    let form = request.form();
    let place = request
        .query("channel_id")
        .or_else(|| super::request::value(&form, "channel_id"));
    if place != Some(CHANNEL) {
        return Err(no_permission());
    }
    let (name, bytes) = match (request.query("filename"), request.file("files")) {
        (Some(name), _) => (name.to_owned(), request.body.clone()),
        (None, Some(file)) => (
            file.file_name.clone().unwrap_or_default(),
            file.bytes.clone(),
        ),
        (None, None) => {
            let message = "Unable to upload file. No file was found.";
            return Err(error(
                400,
                "api.file.upload_file.no_file.app_error",
                message,
            ));
        }
    };
    if bytes.len() > LARGEST_FILE_BYTES {
        return Err(too_large());
    }
    let id = format!("file{:022}", room.next_number());
    let picture = Picture {
        name,
        bytes,
        description: None,
    };
    room.uploads.insert(id.clone(), picture);
    Ok(Answer::json(
        201,
        &json!({ "file_infos": [{ "id": id }], "client_ids": [] }),
    ))
}

fn webhook(room: &mut Room, request: &Request) -> Answer {
    let Ok(body) = serde_json::from_slice::<Value>(&request.body) else {
        let message = "Unable to parse incoming data.";
        return error(400, "web.incoming_webhook.parse.app_error", message);
    };
    let text = body["text"].as_str().unwrap_or_default();
    if text.is_empty() {
        let message = "No text specified.";
        return error(400, "web.incoming_webhook.text.app_error", message);
    }
    if text.chars().count() > LONGEST_TEXT {
        return too_long();
    }
    let mut post = shown(room, text);
    for attachment in body["attachments"].as_array().into_iter().flatten() {
        let text = |name: &str| attachment[name].as_str().unwrap_or_default();
        post.text = format!("{}\n{}", post.text, text("title"));
        let read = text("fallback").to_owned();
        post.linked.push((text("image_url").to_owned(), read));
    }
    room.posts.push(post);
    Answer::text(200, "ok")
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Fault, Kind, Service, client, picture},
        *,
    };

    async fn call(service: &Service, method: &str, path: &str, body: Vec<u8>) -> (u16, Value) {
        let request = client()
            .request(
                method.parse().unwrap(),
                format!("{}{path}", service.address),
            )
            .bearer_auth(TOKEN)
            .body(body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    #[tokio::test]
    async fn posts_files_threads_and_changes_are_kept() {
        let mattermost = Service::start(Kind::Mattermost).await;
        let post = async |body: Value| {
            let body = body.to_string().into_bytes();
            call(&mattermost, "POST", "/api/v4/posts", body).await
        };
        let first = json!({ "channel_id": CHANNEL, "message": r"CRÍTICO \*x\* @all", "pending_post_id": "p" });
        let (status, answer) = post(first.clone()).await;
        assert_eq!((status, &post(first).await.1), (201, &answer));
        let root = answer["id"].as_str().unwrap();
        let upload = format!("/api/v4/files?channel_id={CHANNEL}&filename=a.png");
        let (status, file) = call(&mattermost, "POST", &upload, picture(9, 9)).await;
        assert_eq!(status, 201);
        let file = &file["file_infos"][0]["id"];
        post(json!({ "channel_id": CHANNEL, "message": "", "root_id": root, "file_ids": [file] }))
            .await;
        let patch = format!("/api/v4/posts/{root}/patch");
        let body = json!({ "message": "Restablecido" }).to_string();
        assert_eq!(call(&mattermost, "PUT", &patch, body.into()).await.0, 200);

        let posts = mattermost.posts();
        assert_eq!(posts.len(), 2);
        assert_eq!(posts[0].edits, ["CRÍTICO *x* @all"]);
        assert_eq!(posts[0].mentions, ["all"]);
        assert_eq!(posts[1].thread.as_deref(), Some(root));
        assert_eq!(posts[1].pictures[0].bytes, picture(9, 9));
    }

    #[tokio::test]
    async fn refusals_are_its_own() {
        let mattermost = Service::start(Kind::Mattermost).await;
        for (body, status, id) in [
            (
                json!({ "channel_id": "other", "message": "a" }),
                403,
                "api.context.permissions.app_error",
            ),
            (
                json!({ "channel_id": CHANNEL, "message": "a".repeat(16_384) }),
                400,
                "model.post.is_valid.message_length.app_error",
            ),
            (
                json!({ "channel_id": CHANNEL, "message": "a", "root_id": "b" }),
                400,
                "api.post.create_post.root_id.app_error",
            ),
        ] {
            let (said, answer) = call(
                &mattermost,
                "POST",
                "/api/v4/posts",
                body.to_string().into(),
            )
            .await;
            assert_eq!((said, answer["id"].as_str()), (status, Some(id)));
        }
        let hook = async |body: Value| {
            let address = format!("{}{WEBHOOK}", mattermost.address);
            let answer = client().post(address).json(&body).send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        assert_eq!(hook(json!({ "text": "a" })).await, (200, "ok".into()));
        assert_eq!(hook(json!({})).await.0, 400);
        mattermost.next(Fault::Message(Refusal::Revoked));
        assert_eq!(hook(json!({ "text": "a" })).await.0, 400);
        mattermost.next(Fault::Message(Refusal::TooMany(2)));
        assert_eq!(
            hook(json!({ "text": "a" })).await,
            (429, "limit exceeded\n".into())
        );
        assert_eq!(mattermost.posts().len(), 1);
    }
}
