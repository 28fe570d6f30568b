//! Telegram's Bot API.
//!
//! Follows <https://core.telegram.org/bots/api> for `sendMessage`, `sendPhoto`, `sendDocument`, `editMessageText` and
//! `editMessageCaption`, with the answers of the public server. Of the markup languages only HTML is known here: what is no
//! tag of its list is an error there, and so it is here. Lengths are counted after the markup was read, as documented.

use serde_json::{Value, json};

use super::{Aim, Answer, Picture, Post, Refusal, Request, Room, image};

/// No secret: of this server only.
pub const TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
pub const CHAT: i64 = -100_123_456_789;
/// What the chat was called before it became a larger kind of group; such chats get a new id.
pub const OLD_CHAT: i64 = -123_456_789;

const LONGEST_TEXT: usize = 4096;
const LONGEST_CAPTION: usize = 1024;
const LARGEST_PHOTO_BYTES: usize = 10 * 1024 * 1024;
const LARGEST_DOCUMENT_BYTES: usize = 50 * 1024 * 1024;

pub fn aim(request: &Request) -> Aim {
    match request.path.rsplit('/').next() {
        Some("sendMessage" | "editMessageText" | "editMessageCaption") => Aim::Message,
        Some("sendPhoto" | "sendDocument" | "sendMediaGroup") => Aim::Picture,
        _ => Aim::Question,
    }
}

pub fn refusal(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::TooMany(seconds) => error_with(
            429,
            &format!("Too Many Requests: retry after {seconds}"),
            &json!({ "retry_after": seconds }),
        ),
        Refusal::Revoked => error(401, "Unauthorized"),
        Refusal::Gone => error(403, "Forbidden: bot was kicked from the supergroup chat"),
        Refusal::TooBig => error(413, "Request Entity Too Large"),
        Refusal::NotTaken | Refusal::Unavailable => error(400, "Bad Request: IMAGE_PROCESS_FAILED"),
    }
}

pub fn answer(room: &mut Room, request: &Request) -> Answer {
    let Some(rest) = request.path.strip_prefix("/bot") else {
        return error(404, "Not Found");
    };
    let Some((token, method)) = rest.split_once('/') else {
        return error(404, "Not Found");
    };
    if token != TOKEN {
        return error(401, "Unauthorized");
    }
    let fields = fields(request);
    let done = match method {
        "sendMessage" => send_message(room, &fields),
        "sendPhoto" => send_file(room, request, &fields, "photo"),
        "sendDocument" => send_file(room, request, &fields, "document"),
        "editMessageText" => edit(room, &fields, "text", LONGEST_TEXT),
        "editMessageCaption" => edit(room, &fields, "caption", LONGEST_CAPTION),
        _ => Err(error(404, "Not Found")),
    };
    done.unwrap_or_else(|refused| refused)
}

/// Of a JSON body, or of a form, whose fields are text and where objects are written as JSON.
fn fields(request: &Request) -> Value {
    if let Some(json) = request.json() {
        return json;
    }
    let fields = request.form().into_iter().map(|(name, text)| {
        let is_structure = text.starts_with('{') || text.starts_with('[');
        let structure = is_structure.then(|| serde_json::from_str(&text).ok());
        let value = structure.flatten().unwrap_or(Value::String(text));
        (name, value)
    });
    Value::Object(fields.collect())
}

fn error(status: u16, description: &str) -> Answer {
    let body = json!({ "ok": false, "error_code": status, "description": description });
    Answer::json(status, &body)
}

fn error_with(status: u16, description: &str, parameters: &Value) -> Answer {
    let body = json!({ "ok": false, "error_code": status, "description": description, "parameters": parameters });
    Answer::json(status, &body)
}

fn bad_request(why: &str) -> Answer {
    error(400, &format!("Bad Request: {why}"))
}

/// Whole numbers may be written as text.
fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn chat(fields: &Value) -> Result<i64, Answer> {
    match number(&fields["chat_id"]) {
        Some(CHAT) => Ok(CHAT),
        Some(OLD_CHAT) => Err(error_with(
            400,
            "Bad Request: group chat was upgraded to a supergroup chat",
            &json!({ "migrate_to_chat_id": CHAT }),
        )),
        None if fields["chat_id"].is_null() => Err(bad_request("chat_id is empty")),
        _ => Err(bad_request("chat not found")),
    }
}

/// The post that is answered to.
fn thread(room: &Room, fields: &Value) -> Result<Option<String>, Answer> {
    let parameters = &fields["reply_parameters"];
    let Some(id) = number(&parameters["message_id"]) else {
        return Ok(None);
    };
    let id = id.to_string();
    if room.post(&id).is_some() {
        return Ok(Some(id));
    }
    if parameters["allow_sending_without_reply"] == true {
        return Ok(None);
    }
    Err(bad_request("message to be replied not found"))
}

fn send_message(room: &mut Room, fields: &Value) -> Result<Answer, Answer> {
    chat(fields)?;
    let seen = read(fields, "text", LONGEST_TEXT)?;
    if seen.text.trim().is_empty() {
        return Err(bad_request("message text is empty"));
    }
    let post = Post {
        thread: thread(room, fields)?,
        ..with_buttons(seen, fields)?
    };
    Ok(keep(room, post))
}

fn send_file(
    room: &mut Room,
    request: &Request,
    fields: &Value,
    field: &str,
) -> Result<Answer, Answer> {
    chat(fields)?;
    let Some(file) = request.file(field) else {
        return Err(bad_request(&format!("there is no {field} in the request")));
    };
    let is_photo = field == "photo";
    let largest = if is_photo {
        LARGEST_PHOTO_BYTES
    } else {
        LARGEST_DOCUMENT_BYTES
    };
    if file.bytes.len() > largest {
        return Err(error(413, "Request Entity Too Large"));
    }
    if is_photo {
        let (width, height) =
            image::size(&file.bytes).ok_or_else(|| bad_request("IMAGE_PROCESS_FAILED"))?;
        let (shorter, longer) = (width.min(height), width.max(height));
        if width + height > 10_000 || longer > 20 * shorter {
            return Err(bad_request("PHOTO_INVALID_DIMENSIONS"));
        }
    }
    let picture = Picture {
        name: file.file_name.clone().unwrap_or_default(),
        bytes: file.bytes.clone(),
        description: None,
    };
    let seen = read(fields, "caption", LONGEST_CAPTION)?;
    let post = Post {
        thread: thread(room, fields)?,
        pictures: vec![picture],
        ..with_buttons(seen, fields)?
    };
    Ok(keep(room, post))
}

fn edit(room: &mut Room, fields: &Value, field: &str, longest: usize) -> Result<Answer, Answer> {
    chat(fields)?;
    let id = number(&fields["message_id"])
        .unwrap_or_default()
        .to_string();
    let seen = read(fields, field, longest)?;
    match room.post(&id) {
        None => Err(bad_request("message to edit not found")),
        Some(post) if post.text == seen.text => Err(bad_request(
            "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
        )),
        Some(_) => {
            room.edit(&id, seen.text);
            Ok(sent(&id))
        }
    }
}

fn keep(room: &mut Room, mut post: Post) -> Answer {
    post.id = room.next_number().to_string();
    post.place = CHAT.to_string();
    post.text
        .lines()
        .next()
        .unwrap_or_default()
        .clone_into(&mut post.preview);
    let answer = sent(&post.id);
    room.posts.push(post);
    answer
}

fn sent(id: &str) -> Answer {
    let id: i64 = id.parse().unwrap_or_default();
    let message = json!({ "message_id": id, "date": 1_764_300_000, "chat": { "id": CHAT, "type": "supergroup" } });
    Answer::json(200, &json!({ "ok": true, "result": message }))
}

/// The buttons under a message, each in a row of rows.
fn with_buttons(mut post: Post, fields: &Value) -> Result<Post, Answer> {
    let rows = fields["reply_markup"]["inline_keyboard"].as_array();
    for button in rows
        .into_iter()
        .flatten()
        .flat_map(|row| row.as_array().into_iter().flatten())
    {
        let (Some(_), Some(link)) = (button["text"].as_str(), button["url"].as_str()) else {
            return Err(bad_request(
                "Text buttons are unallowed in the inline keyboard",
            ));
        };
        if !link.starts_with("http") || link.contains("://localhost") {
            return Err(bad_request(&format!(
                "inline keyboard button URL '{link}' is invalid: Wrong HTTP URL"
            )));
        }
        post.links.push(link.to_owned());
    }
    Ok(post)
}

fn read(fields: &Value, field: &str, longest: usize) -> Result<Post, Answer> {
    let text = fields[field].as_str().unwrap_or_default();
    let post = match fields["parse_mode"].as_str() {
        None | Some("") => Post {
            text: text.to_owned(),
            ..Post::default()
        },
        Some("HTML") => {
            html(text).map_err(|why| bad_request(&format!("can't parse entities: {why}")))?
        }
        Some(_) => return Err(bad_request("unsupported parse_mode")),
    };
    if post.text.chars().count() > longest {
        return Err(bad_request(if field == "caption" {
            "message caption is too long"
        } else {
            "message is too long"
        }));
    }
    Ok(post)
}

/// What is between the tags, and whom and what they name.
fn html(text: &str) -> Result<Post, String> {
    let mut post = Post::default();
    let mut open: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(place) = rest.find(['<', '&']) {
        let (before, after) = rest.split_at(place);
        post.text += before;
        let offset = text.len() - after.len();
        if let Some(entity) = after.strip_prefix('&') {
            let (sign, length) = signs(entity);
            post.text.push(sign);
            rest = &entity[length..];
            continue;
        }
        let Some((tag, behind)) = after[1..].split_once('>') else {
            return Err(format!("Unclosed start tag at byte offset {offset}"));
        };
        if let Some(name) = tag.strip_prefix('/') {
            match open.pop() {
                Some(expected) if expected == name => {}
                Some(expected) => {
                    return Err(format!(
                        "Unmatched end tag at byte offset {offset}, expected \"</{expected}>\", found \"</{name}>\""
                    ));
                }
                None => return Err(format!("Unexpected end tag at byte offset {offset}")),
            }
        } else {
            let (name, attributes) = tag.split_once(' ').unwrap_or((tag, ""));
            if !TAGS.contains(&name) {
                return Err(format!(
                    "Unsupported start tag \"{name}\" at byte offset {offset}"
                ));
            }
            open.push(name.to_owned());
            if let Some(target) = attributes.strip_prefix("href=\"") {
                let target = html(target.split('"').next().unwrap_or_default())?.text;
                match target.strip_prefix("tg://user?id=") {
                    Some(user) => post.mentions.push(user.to_owned()),
                    None => post.links.push(target),
                }
            }
        }
        rest = behind;
    }
    post.text += rest;
    match open.pop() {
        Some(name) => Err(format!(
            "Can't find end tag corresponding to start tag \"{name}\""
        )),
        None => Ok(post),
    }
}

const TAGS: [&str; 16] = [
    "b",
    "strong",
    "i",
    "em",
    "u",
    "ins",
    "s",
    "strike",
    "del",
    "span",
    "tg-spoiler",
    "a",
    "code",
    "pre",
    "blockquote",
    "tg-emoji",
];

/// The sign that an entity stands for, and how many bytes follow the `&`. What is no entity is an ampersand.
fn signs(entity: &str) -> (char, usize) {
    for (name, sign) in [("lt;", '<'), ("gt;", '>'), ("amp;", '&'), ("quot;", '"')] {
        if entity.starts_with(name) {
            return (sign, name.len());
        }
    }
    let numbered = entity.strip_prefix('#').and_then(|rest| {
        let (digits, _) = rest.split_once(';')?;
        let code = match digits.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => digits.parse().ok()?,
        };
        Some((char::from_u32(code)?, digits.len() + 2))
    });
    numbered.unwrap_or(('&', 0))
}

#[cfg(test)]
mod tests {
    use reqwest::multipart::{Form, Part};

    use super::{
        super::{Fault, Kind, Service, client, picture},
        *,
    };

    async fn call(service: &Service, method: &str, body: &Value) -> (u16, Value) {
        let address = format!("{}/bot{TOKEN}/{method}", service.address);
        let answer = client().post(address).json(body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    #[tokio::test]
    async fn a_message_is_what_is_between_its_tags() {
        let telegram = Service::start(Kind::Telegram).await;
        let body = json!({ "chat_id": CHAT, "parse_mode": "HTML", "text": "<b>CRÍTICO</b> &lt;script&gt; a & b &#39;<a href=\"https://a.example/?a=1&amp;b=2\">ver</a>" });
        let (status, first) = call(&telegram, "sendMessage", &body).await;
        assert_eq!((status, &first["result"]["message_id"]), (200, &json!(1)));
        let body =
            json!({ "chat_id": CHAT, "text": "<b>", "reply_parameters": { "message_id": 1 } });
        call(&telegram, "sendMessage", &body).await;
        let body = json!({ "chat_id": CHAT, "message_id": 1, "text": "Restablecido" });
        call(&telegram, "editMessageText", &body).await;

        let posts = telegram.posts();
        assert_eq!(posts[0].edits, ["CRÍTICO <script> a & b 'ver"]);
        assert_eq!(posts[0].links, ["https://a.example/?a=1&b=2"]);
        assert_eq!(
            (posts[1].text.as_str(), posts[1].thread.as_deref()),
            ("<b>", Some("1"))
        );
    }

    #[tokio::test]
    async fn what_telegram_refuses_is_refused_with_its_words() {
        let telegram = Service::start(Kind::Telegram).await;
        let text = |text: &str| json!({ "chat_id": CHAT, "parse_mode": "HTML", "text": text });
        for (body, code, description) in [
            (
                json!({ "chat_id": 5, "text": "a" }),
                400,
                "Bad Request: chat not found",
            ),
            (
                json!({ "chat_id": OLD_CHAT, "text": "a" }),
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
            ),
            (text(""), 400, "Bad Request: message text is empty"),
            (
                text(&"é".repeat(LONGEST_TEXT + 1)),
                400,
                "Bad Request: message is too long",
            ),
            (
                text("a <script>"),
                400,
                "Bad Request: can't parse entities: Unsupported start tag \"script\" at byte offset 2",
            ),
            (
                text("<b>a"),
                400,
                "Bad Request: can't parse entities: Can't find end tag corresponding to start tag \"b\"",
            ),
            (
                text("<b>a</i>"),
                400,
                "Bad Request: can't parse entities: Unmatched end tag at byte offset 4, expected \"</b>\", found \"</i>\"",
            ),
            (
                json!({ "chat_id": CHAT, "text": "a", "reply_parameters": { "message_id": 9 } }),
                400,
                "Bad Request: message to be replied not found",
            ),
        ] {
            let (status, answer) = call(&telegram, "sendMessage", &body).await;
            assert_eq!(
                (status, answer["description"].as_str()),
                (code, Some(description))
            );
        }
        telegram.next(Fault::Message(Refusal::TooMany(7)));
        let (status, answer) = call(&telegram, "sendMessage", &text("a")).await;
        assert_eq!(
            (status, &answer["parameters"]["retry_after"]),
            (429, &json!(7))
        );
        let (status, _) = call(&telegram, "sendMessage", &text(&"é".repeat(LONGEST_TEXT))).await;
        assert_eq!((status, telegram.posts().len()), (200, 1));
    }

    #[tokio::test]
    async fn a_photo_must_be_one_and_of_a_bearable_shape() {
        let telegram = Service::start(Kind::Telegram).await;
        let send = async |field: &'static str, bytes: Vec<u8>| {
            let form = Form::new()
                .text("chat_id", CHAT.to_string())
                .text(
                    "reply_parameters",
                    json!({ "message_id": 1, "allow_sending_without_reply": true }).to_string(),
                )
                .part(field, Part::bytes(bytes).file_name("page.png"));
            let method = if field == "photo" {
                "sendPhoto"
            } else {
                "sendDocument"
            };
            let address = format!("{}/bot{TOKEN}/{method}", telegram.address);
            let answer = client().post(address).multipart(form).send().await.unwrap();
            let answer: Value = answer.json().await.unwrap();
            answer["description"].as_str().map(str::to_owned)
        };
        assert_eq!(send("photo", picture(30, 20)).await, None);
        let shape = Some("Bad Request: PHOTO_INVALID_DIMENSIONS".to_owned());
        assert_eq!(send("photo", picture(10, 201)).await, shape);
        assert_eq!(send("photo", picture(6000, 4001)).await, shape);
        assert_eq!(
            send("photo", b"no picture".to_vec()).await,
            Some("Bad Request: IMAGE_PROCESS_FAILED".into())
        );
        assert_eq!(
            send("photo", vec![0; LARGEST_PHOTO_BYTES + 1]).await,
            Some("Request Entity Too Large".into())
        );
        assert_eq!(send("document", picture(10, 201)).await, None);
        let posts = telegram.posts();
        assert_eq!(posts.len(), 2);
        assert_eq!(posts[0].pictures[0].bytes, picture(30, 20));
    }
}
