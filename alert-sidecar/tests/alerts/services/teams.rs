//! A Teams workflow that starts with a web request and posts the card that it was sent.
//!
//! Follows <https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook>
//! and <https://adaptivecards.io/explorer/>. As the service does, it answers 202 before it looks at the card: one that is too
//! large or wrong is seen by nobody, and its sender is not told.

use serde_json::{Value, json};

use super::{Aim, Answer, Post, Refusal, Request, Room, markup};

const PATH: &str =
    "/powerautomate/automations/direct/workflows/0a1b2c/triggers/manual/paths/invoke";
/// What follows the service's address. No secret: of this server only.
pub const WEBHOOK: &str = "/powerautomate/automations/direct/workflows/0a1b2c/triggers/manual/paths/invoke?api-version=1&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=testbed-signature";

/// For the whole request, pictures and all.
const LARGEST_MESSAGE_BYTES: usize = 28 * 1024;

pub fn aim(request: &Request) -> Aim {
    match request.path.as_str() {
        PATH => Aim::Message,
        _ => Aim::Question,
    }
}

pub fn refusal(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::TooMany(seconds) => error(429, "TooManyRequests", "Rate limit is exceeded.")
            .with("retry-after", seconds.to_string()),
        Refusal::Revoked => error(
            401,
            "DirectApiAuthorizationRequired",
            "The request must be authenticated only by Shared Access scheme.",
        ),
        Refusal::Gone => error(404, "WorkflowNotFound", "The workflow could not be found."),
        _ => error(
            400,
            "TriggerInputSchemaMismatch",
            "The input body for trigger 'manual' of type 'Request' did not match its schema definition.",
        ),
    }
}

fn error(status: u16, code: &str, text: &str) -> Answer {
    Answer::json(
        status,
        &json!({ "error": { "code": code, "message": text } }),
    )
}

pub fn answer(room: &mut Room, request: &Request) -> Answer {
    if !request.is("POST", PATH) {
        return refusal(Refusal::Gone);
    }
    if request.query("sig") != Some("testbed-signature") {
        return refusal(Refusal::Revoked);
    }
    let Some(body) = request.json() else {
        return refusal(Refusal::NotTaken);
    };
    if request.body.len() <= LARGEST_MESSAGE_BYTES
        && let Some(mut post) = shown(&body)
    {
        post.id = room.next_number().to_string();
        room.posts.push(post);
    }
    Answer::text(202, "")
}

fn shown(body: &Value) -> Option<Post> {
    let attachment = &body["attachments"][0];
    let card = &attachment["content"];
    let is_card = body["type"] == "message"
        && attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        && card["type"] == "AdaptiveCard"
        && matches!(
            card["version"].as_str()?,
            "1.0" | "1.1" | "1.2" | "1.3" | "1.4" | "1.5"
        );
    is_card.then_some(())?;
    let mut post = Post {
        place: "teams".into(),
        preview: card["fallbackText"]
            .as_str()
            .or(body["summary"].as_str())
            .unwrap_or_default()
            .to_owned(),
        ..Post::default()
    };
    elements(&card["body"], &mut post)?;
    actions(&card["actions"], &mut post)?;
    let entities = card["msteams"]["entities"].as_array();
    post.mentions = entities
        .into_iter()
        .flatten()
        .filter_map(|entity| entity["text"].as_str().map(str::to_owned))
        .collect();
    Some(post)
}

/// The elements of a card's body, of a container or of a column.
fn elements(list: &Value, post: &mut Post) -> Option<()> {
    for element in list.as_array()? {
        match element["type"].as_str()? {
            "TextBlock" => line(&element["text"], post)?,
            "FactSet" => {
                for fact in element["facts"].as_array()? {
                    line(&fact["title"], post)?;
                    line(&fact["value"], post)?;
                }
            }
            "Image" => {
                let link = element["url"].as_str()?;
                (link.starts_with("https://") || link.starts_with("data:image/")).then_some(())?;
                let read = element["altText"].as_str().unwrap_or_default();
                post.linked.push((link.to_owned(), read.to_owned()));
            }
            "Container" | "Column" => elements(&element["items"], post)?,
            "ColumnSet" => elements(&element["columns"], post)?,
            "ActionSet" => actions(&element["actions"], post)?,
            _ => return None,
        }
    }
    Some(())
}

fn line(text: &Value, post: &mut Post) -> Option<()> {
    let text = text.as_str()?;
    post.links.extend(markup::links(text));
    post.text += &markup::unescaped(text);
    post.text.push('\n');
    Some(())
}

fn actions(list: &Value, post: &mut Post) -> Option<()> {
    for action in list.as_array().into_iter().flatten() {
        (action["type"] == "Action.OpenUrl" && action["title"].is_string()).then_some(())?;
        post.links.push(action["url"].as_str()?.to_owned());
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Fault, Kind, Service, client},
        *,
    };

    async fn send(service: &Service, elements: Value) -> u16 {
        let card = json!({ "type": "AdaptiveCard", "version": "1.4", "fallbackText": "CRÍTICO", "body": elements,
            "actions": [{ "type": "Action.OpenUrl", "title": "Ver", "url": "https://a.example" }] });
        let body = json!({ "type": "message", "attachments": [{ "contentType": "application/vnd.microsoft.card.adaptive", "content": card }] });
        let address = format!("{}{WEBHOOK}", service.address);
        client()
            .post(address)
            .json(&body)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    }

    #[tokio::test]
    async fn whatever_becomes_of_a_card_its_sender_hears_that_it_was_accepted() {
        let teams = Service::start(Kind::Teams).await;
        let text = |text: &str| json!([{ "type": "TextBlock", "text": text }]);
        assert_eq!(
            send(&teams, text(r"CRÍTICO \[x\] [y](https://y.example)")).await,
            202
        );
        assert_eq!(
            send(&teams, text(&"a".repeat(LARGEST_MESSAGE_BYTES))).await,
            202
        );
        assert_eq!(send(&teams, json!([{ "type": "Marquee" }])).await, 202);
        teams.next(Fault::Message(Refusal::TooMany(5)));
        assert_eq!(send(&teams, text("a")).await, 429);
        teams.next(Fault::Message(Refusal::Revoked));
        assert_eq!(send(&teams, text("a")).await, 401);

        let posts = teams.posts();
        assert_eq!(posts.len(), 1);
        assert_eq!(posts[0].text, "CRÍTICO [x] [y](https://y.example)\n");
        assert_eq!(posts[0].links, ["https://y.example", "https://a.example"]);
    }
}
