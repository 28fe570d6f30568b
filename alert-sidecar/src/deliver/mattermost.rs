//! Mattermost by a bot: messages in threads, pictures uploaded.
//! What follows: <https://developers.mattermost.com/api-documentation/>.
//!
//! It knows a post again by its `pending_post_id`, but only for half a minute (`PendingPostIDsCacheTTL` of its server), so that
//! a repeat is marked all the same.

use reqwest::RequestBuilder;
use serde::Deserialize;
use serde_json::{Value as Json, json};
use vigia_contract::secret::{ExposeSecret, Template};

use super::{Abilities, Attempt, Outgoing, Pace, Pictures, Receipt, http::Answer, service::Bot};
use crate::render::{Markup, Room};

/// The value `mattermost` of a `[[channel]]`, as the operator writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The server, for example `https://chat.agency.example`.
    pub server: toml::Spanned<String>,
    /// The bot's access token, as `${secret:NAME}`.
    pub token: toml::Spanned<Template>,
    /// The channels that are told, by the IDs that Mattermost shows under "View Info".
    pub to: Vec<toml::Spanned<String>>,
}

/// The longest post that Mattermost takes, in letters.
const ROOM: Room = Room::Letters(16_000);

/// A bot on a server, ready to send.
#[derive(Debug)]
pub struct Mattermost {
    /// The bot, and whom it tells.
    pub bot: Bot,
}

impl Mattermost {
    pub(super) const ABILITIES: Abilities = Abilities {
        markup: Markup::Markdown,
        room: ROOM,
        pictures: Pictures::After,
        keeps_threads: true,
        recognises_repeats: false,
        pace: Pace::ONE_A_SECOND,
    };

    pub(super) async fn send(&self, outgoing: &Outgoing<'_>) -> Attempt {
        let mut body = json!({
            "channel_id": outgoing.recipient,
            "message": outgoing.message.marked,
            "root_id": outgoing.thread.unwrap_or_default(),
            "pending_post_id": outgoing.id,
        });
        let attempt = match self.post(&body).await {
            Ok(answer) if outgoing.thread.is_some() && is_about_the_thread(&answer) => {
                tracing::warn!(
                    "a first message in Mattermost is gone; its conversation goes on in another thread"
                );
                body["root_id"] = "".into();
                self.post(&body).await
            }
            attempt => attempt,
        };
        match attempt {
            Ok(answer) => posted(&answer, outgoing.thread),
            Err(attempt) => attempt,
        }
    }

    /// Answers the first message with the pictures.
    pub(super) async fn illustrate(&self, outgoing: &Outgoing<'_>, receipt: &Receipt) -> Attempt {
        let Some(root) = outgoing.thread.or(receipt.message.as_deref()) else {
            return Attempt::Refused("Mattermost did not say what the message is called".into());
        };
        let mut files = Vec::new();
        let mut captions = Vec::new();
        for (picture, caption) in outgoing.illustrations() {
            let name = picture.file_name();
            let query = [
                ("channel_id", outgoing.recipient),
                ("filename", name.as_str()),
            ];
            let upload = self.ask(self.bot.post("api/v4/files"));
            let upload = upload.query(&query).body(picture.bytes.clone());
            let answer = match self.bot.http.ask(upload).await {
                Ok(answer) => answer,
                Err(trouble) => return trouble.into(),
            };
            let Some(file) = answer.json()["file_infos"][0]["id"]
                .as_str()
                .map(str::to_owned)
            else {
                return failure(&answer);
            };
            files.push(file);
            captions.push(Markup::Markdown.escape(caption));
        }
        let body = json!({
            "channel_id": outgoing.recipient,
            "message": captions.join("\n"),
            "root_id": root,
            "file_ids": files,
        });
        match self.post(&body).await {
            Ok(answer) => posted(&answer, None),
            Err(attempt) => attempt,
        }
    }

    async fn post(&self, body: &Json) -> Result<Answer, Attempt> {
        let request = self.ask(self.bot.post("api/v4/posts"));
        self.bot
            .http
            .ask(request.json(body))
            .await
            .map_err(Attempt::from)
    }

    fn ask(&self, request: RequestBuilder) -> RequestBuilder {
        request.bearer_auth(self.bot.token.expose_secret())
    }
}

/// What an answer to a post means. The thread is that of the first message; answers to answers there are none.
fn posted(answer: &Answer, thread: Option<&str>) -> Attempt {
    if !answer.status.is_success() {
        return failure(answer);
    }
    let body = answer.json();
    let Some(id) = body["id"].as_str() else {
        return Attempt::Uncertain(answer.said());
    };
    let root = body["root_id"].as_str().filter(|root| !root.is_empty());
    Attempt::Accepted(Receipt {
        answer: id.to_owned(),
        thread: Some(root.or(thread).unwrap_or(id).to_owned()),
        message: Some(id.to_owned()),
    })
}

fn failure(answer: &Answer) -> Attempt {
    match answer.status.as_u16() {
        // No files are taken here; that is a setting, and no trouble that passes.
        501 => Attempt::Refused(answer.said()),
        200..300 => Attempt::Uncertain(answer.said()),
        _ => answer.failure(),
    }
}

fn is_about_the_thread(answer: &Answer) -> bool {
    !answer.status.is_success() && answer.body.contains("root_id")
}
