//! Slack's Web API and its incoming webhooks.
//!
//! Follows <https://docs.slack.dev/reference/methods> for `chat.postMessage`, `chat.update`, `files.getUploadURLExternal`,
//! `files.completeUploadExternal` and `files.info`, and <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>.
//! The published `OpenAPI` document is of 2021 and does not have the uploads; these are after the text of the documentation.
//! Lengths that Slack cuts (`text` after 40 000 characters) are refused here.

use serde_json::{Value, json};

use super::{Aim, Answer, Picture, Post, Refusal, Request, Room, request::value};

/// No secret: of this server only.
pub const TOKEN: &str = "xoxb-0000000000-testbed";
/// The path of the incoming webhook.
pub const WEBHOOK: &str = "/services/T00000000/B00000000/testbedtestbedtestbed";
/// A channel by name, and what Slack calls it.
pub const CHANNEL: &str = "#alertas";
pub const CHANNEL_ID: &str = "C0ALERTAS";

const LONGEST_TEXT: usize = 40_000;
const MOST_BLOCKS: usize = 50;
const LONGEST_SECTION: usize = 3000;
const LONGEST_HEADER: usize = 150;
const LONGEST_BUTTON: usize = 75;
const LONGEST_ADDRESS: usize = 3000;
/// Measured by others: <https://github.com/slackapi/bolt-js/issues/2509>.
const LONGEST_BLOCKS: usize = 13_200;

pub fn aim(request: &Request) -> Aim {
    match request.path.as_str() {
        "/api/chat.postMessage" | "/api/chat.update" | WEBHOOK => Aim::Message,
        path if path.starts_with("/upload/") => Aim::Picture,
        _ => Aim::Question,
    }
}

pub fn refusal(request: &Request, refusal: Refusal) -> Answer {
    if request.path == WEBHOOK {
        return match refusal {
            Refusal::TooMany(seconds) => Answer::json(
                429,
                &json!({ "ok": false, "error": "rate_limited", "retry_after": seconds }),
            )
            .with("retry-after", seconds.to_string()),
            Refusal::Revoked => Answer::text(404, "no_service"),
            Refusal::Gone => Answer::text(410, "channel_is_archived"),
            _ => Answer::text(400, "invalid_payload"),
        };
    }
    match refusal {
        Refusal::TooMany(seconds) => {
            let body = json!({ "ok": false, "error": "ratelimited" });
            Answer::json(429, &body).with("retry-after", seconds.to_string())
        }
        Refusal::Revoked => error("token_revoked"),
        Refusal::Gone => error("channel_not_found"),
        Refusal::TooBig => Answer::text(413, "file too large"),
        _ => Answer::text(400, "upload not accepted"),
    }
}

pub fn answer(room: &mut Room, request: &Request) -> Answer {
    if request.path == WEBHOOK {
        return webhook(room, request);
    }
    if let Some(file) = request.path.strip_prefix("/upload/v1/") {
        return upload(room, request, file);
    }
    let Some(method) = request.path.strip_prefix("/api/") else {
        return Answer::text(404, "not found");
    };
    match request.bearer() {
        None => return error("not_authed"),
        Some(TOKEN) => {}
        Some(_) => return error("invalid_auth"),
    }
    match (request.method.as_str(), method) {
        ("POST", "chat.postMessage") => post_message(room, request),
        ("POST", "chat.update") => update(room, request),
        ("GET" | "POST", "files.getUploadURLExternal") => upload_address(room, request),
        ("POST", "files.completeUploadExternal") => complete_upload(room, request),
        ("GET" | "POST", "files.info") => file_info(room, request),
        _ => error("unknown_method"),
    }
}

/// Slack's errors are successes of HTTP.
fn error(name: &str) -> Answer {
    Answer::json(200, &json!({ "ok": false, "error": name }))
}

fn post_message(room: &mut Room, request: &Request) -> Answer {
    let Some(body) = request.json() else {
        return error("invalid_json");
    };
    let Some(place) = place(&body["channel"]) else {
        return error("channel_not_found");
    };
    let mut post = match content(&body) {
        Ok(post) => post,
        Err(name) => return error(name),
    };
    if let Some(thread) = body["thread_ts"].as_str() {
        match room.post(thread) {
            Some(first) if first.place == place => post.thread = Some(thread.to_owned()),
            _ => return error("thread_not_found"),
        }
    } else if !body["thread_ts"].is_null() {
        return error("invalid_thread_ts");
    }
    place.clone_into(&mut post.place);
    let ts = keep(room, post);
    Answer::json(200, &json!({ "ok": true, "channel": place, "ts": ts }))
}

fn update(room: &mut Room, request: &Request) -> Answer {
    let Some(body) = request.json() else {
        return error("invalid_json");
    };
    // By its id only, unlike a new message.
    if body["channel"] != CHANNEL_ID {
        return error("channel_not_found");
    }
    let post = match content(&body) {
        Ok(post) => post,
        Err(name) => return error(name),
    };
    let ts = body["ts"].as_str().unwrap_or_default();
    if !room.edit(ts, post.text) {
        return error("message_not_found");
    }
    Answer::json(200, &json!({ "ok": true, "channel": CHANNEL_ID, "ts": ts }))
}

fn webhook(room: &mut Room, request: &Request) -> Answer {
    let Some(body) = request.json() else {
        return Answer::text(400, "invalid_payload");
    };
    match content(&body) {
        Ok(mut post) => {
            CHANNEL_ID.clone_into(&mut post.place);
            keep(room, post);
            Answer::text(200, "ok")
        }
        Err(name @ ("no_text" | "invalid_blocks")) => Answer::text(400, name),
        Err(_) => Answer::text(400, "invalid_payload"),
    }
}

/// The channel's id, where there is such a channel.
fn place(channel: &Value) -> Option<&'static str> {
    [CHANNEL, CHANNEL_ID, "alertas"]
        .contains(&channel.as_str()?)
        .then_some(CHANNEL_ID)
}

fn keep(room: &mut Room, mut post: Post) -> String {
    let number = room.next_number();
    post.id = format!("1764300000.{number:06}");
    let ts = post.id.clone();
    room.posts.push(post);
    ts
}

/// What people read of a message: its blocks, or its text where it has none.
fn content(body: &Value) -> Result<Post, &'static str> {
    let text = body["text"].as_str().unwrap_or_default();
    if text.chars().count() > LONGEST_TEXT {
        return Err("msg_too_long");
    }
    let mut seen = Seen::default();
    match body["blocks"].as_array() {
        Some(blocks) if !blocks.is_empty() => {
            if blocks.len() > MOST_BLOCKS {
                return Err("invalid_blocks");
            }
            for block in blocks {
                seen.block(block).ok_or("invalid_blocks")?;
            }
            if seen.text.chars().count() > LONGEST_BLOCKS {
                return Err("msg_blocks_too_long");
            }
            // It is what a locked phone shows.
            if text.is_empty() {
                return Err("no_text");
            }
        }
        _ if text.is_empty() => return Err("no_text"),
        _ => seen.markup(text),
    }
    for attachment in body["attachments"].as_array().into_iter().flatten() {
        let text = |name: &str| attachment[name].as_str();
        // What is read where it cannot be shown; a picture that cannot be fetched is left out without a word.
        let (Some(link), Some(read)) = (text("image_url"), text("fallback")) else {
            return Err("invalid_attachments");
        };
        seen.markup(text("title").unwrap_or_default());
        seen.linked.push((link.to_owned(), unescaped(read)));
    }
    let mut preview = Seen::default();
    preview.markup(text);
    Ok(Post {
        preview: preview.text,
        text: seen.text,
        mentions: seen.mentions,
        links: seen.links,
        linked: seen.linked,
        ..Post::default()
    })
}

#[derive(Default)]
struct Seen {
    text: String,
    mentions: Vec<String>,
    links: Vec<String>,
    linked: Vec<(String, String)>,
}

impl Seen {
    /// One of the blocks that messages of alerts are made of; nothing where Slack would refuse it.
    fn block(&mut self, block: &Value) -> Option<()> {
        match block["type"].as_str()? {
            "header" => {
                let text = &block["text"];
                (text["type"] == "plain_text").then_some(())?;
                self.text_object(text, LONGEST_HEADER)
            }
            "section" => {
                let fields = block["fields"].as_array();
                (block["text"].is_object() || fields.is_some()).then_some(())?;
                if block["text"].is_object() {
                    self.text_object(&block["text"], LONGEST_SECTION)?;
                }
                let fields = fields.map(Vec::as_slice).unwrap_or_default();
                (fields.len() <= 10).then_some(())?;
                fields
                    .iter()
                    .try_for_each(|field| self.text_object(field, 2000))
            }
            "context" => {
                let elements = block["elements"].as_array()?;
                ((1..=10).contains(&elements.len())).then_some(())?;
                elements
                    .iter()
                    .try_for_each(|element| self.text_object(element, LONGEST_SECTION))
            }
            "actions" => {
                let elements = block["elements"].as_array()?;
                ((1..=25).contains(&elements.len())).then_some(())?;
                elements.iter().try_for_each(|element| {
                    (element["type"] == "button").then_some(())?;
                    self.text_object(&element["text"], LONGEST_BUTTON)?;
                    let link = element["url"].as_str()?;
                    (link.len() <= LONGEST_ADDRESS).then_some(())?;
                    self.links.push(link.to_owned());
                    Some(())
                })
            }
            "image" => {
                // Of the two ways to name a picture exactly one; a file of Slack's is only known after a while.
                let link = block["image_url"].as_str()?;
                let alternative = block["alt_text"].as_str()?;
                (block["slack_file"].is_null()
                    && link.len() <= LONGEST_ADDRESS
                    && alternative.chars().count() <= 2000)
                    .then_some(())?;
                self.links.push(link.to_owned());
                Some(())
            }
            "divider" => Some(()),
            _ => None,
        }
    }

    fn text_object(&mut self, object: &Value, longest: usize) -> Option<()> {
        let text = object["text"].as_str()?;
        (!text.is_empty() && text.chars().count() <= longest).then_some(())?;
        match object["type"].as_str()? {
            "plain_text" => self.line(text),
            "mrkdwn" => self.markup(text),
            _ => return None,
        }
        Some(())
    }

    /// Text as Slack reads it: what stands between angle brackets is a mention or a link, `&amp;` and its like are signs.
    fn markup(&mut self, text: &str) {
        let mut shown = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('<') {
            shown += before;
            let Some((inside, behind)) = after.split_once('>') else {
                shown.push('<');
                rest = after;
                continue;
            };
            let (target, label) = inside.split_once('|').unwrap_or((inside, inside));
            match target.chars().next() {
                Some('!') if !target.starts_with("!date") => self.mentions.push("everybody".into()),
                Some('@' | '#') => self.mentions.push(target.into()),
                _ => self.links.push(unescaped(target)),
            }
            shown += label;
            rest = behind;
        }
        shown += rest;
        let shown = unescaped(&shown);
        self.line(&shown);
    }

    fn line(&mut self, text: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text += text;
    }
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// The first of three steps. Takes no JSON: <https://docs.slack.dev/reference/methods/files.getUploadURLExternal>.
fn upload_address(room: &mut Room, request: &Request) -> Answer {
    let fields = match request.method.as_str() {
        "GET" => request.query.clone(),
        _ => request.form(),
    };
    let length = value(&fields, "length").and_then(|length| length.parse().ok());
    let (Some(name), Some(length @ 1_usize..)) = (value(&fields, "filename"), length) else {
        return error("invalid_arguments");
    };
    let file = format!("F{:08}", room.next_number());
    let address = format!("{}/upload/v1/{file}-{length}", room.address);
    let picture = Picture {
        name: name.to_owned(),
        description: value(&fields, "alt_txt").map(str::to_owned),
        ..Picture::default()
    };
    room.uploads.insert(file.clone(), picture);
    Answer::json(
        200,
        &json!({ "ok": true, "upload_url": address, "file_id": file }),
    )
}

fn upload(room: &mut Room, request: &Request, file: &str) -> Answer {
    let (file, length) = file.split_once('-').unwrap_or((file, ""));
    let bytes = match request.parts.first() {
        Some(part) => &part.bytes,
        None => &request.body,
    };
    let Some(picture) = room.uploads.get_mut(file) else {
        return Answer::text(404, "no such upload");
    };
    if request.method != "POST" || length.parse() != Ok(bytes.len()) {
        return Answer::text(400, "upload not accepted");
    }
    picture.bytes.clone_from(bytes);
    Answer::text(200, &format!("OK - {length}"))
}

fn complete_upload(room: &mut Room, request: &Request) -> Answer {
    let Some(body) = request.json() else {
        return error("invalid_json");
    };
    let files = body["files"].as_array().cloned().unwrap_or_default();
    if files.is_empty() {
        return error("invalid_arguments");
    }
    // Only by its id: a name is no channel here.
    if body["channel_id"] != CHANNEL_ID {
        return error("invalid_channel");
    }
    let thread = body["thread_ts"].as_str();
    if thread.is_some_and(|thread| room.post(thread).is_none()) {
        return error("invalid_arguments");
    }
    let mut pictures = Vec::new();
    let mut seen = Seen::default();
    seen.markup(body["initial_comment"].as_str().unwrap_or_default());
    for file in &files {
        let id = file["id"].as_str().unwrap_or_default();
        match room.uploads.get(id) {
            Some(picture) if !picture.bytes.is_empty() => pictures.push(picture.clone()),
            _ => return error("file_not_found"),
        }
    }
    for file in &files {
        room.uploads.remove(file["id"].as_str().unwrap_or_default());
    }
    let post = Post {
        place: CHANNEL_ID.into(),
        text: seen.text,
        mentions: seen.mentions,
        thread: thread.map(str::to_owned),
        pictures,
        ..Post::default()
    };
    let ts = keep(room, post);
    for file in &files {
        let id = file["id"].as_str().unwrap_or_default();
        room.repeats.insert(id.to_owned(), ts.clone());
    }
    Answer::json(200, &json!({ "ok": true, "files": files }))
}

fn file_info(room: &Room, request: &Request) -> Answer {
    let fields = match request.method.as_str() {
        "GET" => request.query.clone(),
        _ => request.form(),
    };
    let file = value(&fields, "file").unwrap_or_default();
    let shares = match room.repeats.get(file) {
        Some(ts) => json!({ "public": { CHANNEL_ID: [{ "ts": ts }] } }),
        None if room.uploads.contains_key(file) => json!({}),
        None => return error("file_not_found"),
    };
    Answer::json(
        200,
        &json!({ "ok": true, "file": { "id": file, "shares": shares } }),
    )
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Fault, Kind, Service, client, picture},
        *,
    };

    async fn call(service: &Service, method: &str, body: &Value) -> Value {
        let address = format!("{}/api/{method}", service.address);
        let request = client().post(address).bearer_auth(TOKEN).json(body);
        request.send().await.unwrap().json().await.unwrap()
    }

    #[tokio::test]
    async fn a_message_its_answer_and_its_change_are_seen_in_their_thread() {
        let slack = Service::start(Kind::Slack).await;
        let first =
            json!({ "channel": CHANNEL, "text": "CRÍTICO &lt;b&gt; <https://a.example|ver>" });
        let first = call(&slack, "chat.postMessage", &first).await;
        let ts = &first["ts"];
        assert_eq!(
            first,
            json!({ "ok": true, "channel": CHANNEL_ID, "ts": ts })
        );
        let body = json!({ "channel": CHANNEL_ID, "thread_ts": ts, "text": "<!channel> <@U1>" });
        call(&slack, "chat.postMessage", &body).await;
        let body = json!({ "channel": CHANNEL_ID, "ts": ts, "text": "Restablecido" });
        assert_eq!(call(&slack, "chat.update", &body).await["ok"], true);

        let posts = slack.posts();
        assert_eq!(posts[0].text, "Restablecido");
        assert_eq!(posts[0].edits, ["CRÍTICO <b> ver"]);
        assert_eq!(posts[0].links, ["https://a.example"]);
        assert_eq!(posts[1].thread.as_deref(), ts.as_str());
        assert_eq!(posts[1].mentions, ["everybody", "@U1"]);
    }

    #[tokio::test]
    async fn what_slack_refuses_is_refused_inside_a_success() {
        let slack = Service::start(Kind::Slack).await;
        let long = "x".repeat(LONGEST_SECTION + 1);
        let section =
            |text: &str| json!([{ "type": "section", "text": { "type": "mrkdwn", "text": text } }]);
        let many: Vec<_> = (0..5).map(|_| section(&long[1..])[0].clone()).collect();
        for (body, expected) in [
            (
                json!({ "channel": "#other", "text": "a" }),
                "channel_not_found",
            ),
            (json!({ "channel": CHANNEL }), "no_text"),
            (
                json!({ "channel": CHANNEL, "text": "a", "thread_ts": "1.2" }),
                "thread_not_found",
            ),
            (
                json!({ "channel": CHANNEL, "text": "a", "thread_ts": 1.2 }),
                "invalid_thread_ts",
            ),
            (
                json!({ "channel": CHANNEL, "text": "a", "blocks": section(&long) }),
                "invalid_blocks",
            ),
            (
                json!({ "channel": CHANNEL, "text": "a", "blocks": many }),
                "msg_blocks_too_long",
            ),
            (
                json!({ "channel": CHANNEL, "text": "a", "blocks": [{ "type": "image", "slack_file": { "id": "F1" }, "alt_text": "a" }] }),
                "invalid_blocks",
            ),
        ] {
            assert_eq!(
                call(&slack, "chat.postMessage", &body).await,
                json!({ "ok": false, "error": expected })
            );
        }
        slack.next(Fault::Message(Refusal::Revoked));
        let body = json!({ "channel": CHANNEL, "text": "a" });
        assert_eq!(
            call(&slack, "chat.postMessage", &body).await["error"],
            "token_revoked"
        );
        assert_eq!(slack.posts(), []);
    }

    #[tokio::test]
    async fn a_picture_is_brought_in_three_steps_and_shown_in_the_thread() {
        let slack = Service::start(Kind::Slack).await;
        let first = json!({ "channel": CHANNEL, "text": "a" });
        let first = call(&slack, "chat.postMessage", &first).await;
        let png = picture(20, 10);
        assert_eq!(
            call(
                &slack,
                "files.getUploadURLExternal",
                &json!({ "filename": "a.png", "length": png.len() })
            )
            .await["error"],
            "invalid_arguments"
        );
        let length = png.len().to_string();
        let place = client()
            .post(format!("{}/api/files.getUploadURLExternal", slack.address))
            .bearer_auth(TOKEN)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("filename=a.png&length={length}"));
        let place: Value = place.send().await.unwrap().json().await.unwrap();
        let address = place["upload_url"].as_str().unwrap();
        let wrong = client().post(address).body("short").send().await.unwrap();
        assert_eq!(wrong.status(), 400);
        client()
            .post(address)
            .body(png.clone())
            .send()
            .await
            .unwrap();
        let body = json!({ "files": [{ "id": place["file_id"] }], "channel_id": CHANNEL_ID, "thread_ts": first["ts"] });
        assert_eq!(
            call(&slack, "files.completeUploadExternal", &body).await["ok"],
            true
        );

        let posts = slack.posts();
        assert_eq!(posts[1].pictures[0].bytes, png);
        assert_eq!(posts[1].thread.as_deref(), first["ts"].as_str());
        assert_eq!(slack.uploads(), []);
    }

    #[tokio::test]
    async fn an_incoming_webhook_answers_in_words() {
        let slack = Service::start(Kind::Slack).await;
        let post = async |body: &Value| {
            let address = format!("{}{WEBHOOK}", slack.address);
            let answer = client().post(address).json(body).send().await.unwrap();
            let status = answer.status().as_u16();
            let wait = answer.headers().get("retry-after").cloned();
            (status, wait, answer.text().await.unwrap())
        };
        assert_eq!(
            post(&json!({ "text": "a" })).await,
            (200, None, "ok".into())
        );
        assert_eq!(post(&json!({})).await, (400, None, "no_text".into()));
        slack.next(Fault::Message(Refusal::Gone));
        assert_eq!(
            post(&json!({ "text": "a" })).await,
            (410, None, "channel_is_archived".into())
        );
        slack.next(Fault::Message(Refusal::TooMany(3)));
        let (status, wait, _) = post(&json!({ "text": "a" })).await;
        assert_eq!((status, wait.unwrap().to_str().unwrap()), (429, "3"));
        assert_eq!(slack.posts().len(), 1);
    }
}
