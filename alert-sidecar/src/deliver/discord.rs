//! Discord through a webhook: the picture is put under its message afterwards. In a forum each conversation is a post of its
//! own. What follows: <https://docs.discord.com/developers/resources/webhook>. It has no key to know a repeat by.

use std::time::Duration;

use reqwest::multipart::{Form, Part};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use vigia_contract::secret::{ExposeSecret, Template};

use super::{
    Abilities, Attempt, Outgoing, Pace, Pictures, Receipt,
    http::{Answer, seconds_of},
    service::Hook,
};
use crate::render::{Markup, Room, cut};

/// The value `discord` of a `[[channel]]`, as the operator writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The webhook's address, as `${secret:NAME}`: who knows it can post.
    pub url: toml::Spanned<Template>,
    /// Whether the webhook is that of a forum, where each conversation gets a post of its own. Default false.
    #[serde(default)]
    pub forum: bool,
}

/// The title of a post in a forum.
const TITLE_MAX_CHARACTERS: usize = 100;

/// What is read to those who do not see a picture.
const DESCRIPTION_MAX_CHARACTERS: usize = 1024;

/// A webhook, ready to send.
#[derive(Debug)]
pub struct Discord {
    /// The webhook.
    pub hook: Hook,
    /// Whether it is that of a forum.
    pub forum: bool,
}

impl Discord {
    pub(super) const fn abilities(&self) -> Abilities {
        Abilities {
            markup: Markup::Markdown,
            room: Room::Letters(2000),
            pictures: Pictures::After,
            keeps_threads: self.forum,
            recognises_repeats: false,
            // What its answers say of a webhook's limit.
            pace: Pace::new(5, Duration::from_secs(2)),
        }
    }

    pub(super) async fn send(&self, outgoing: &Outgoing<'_>) -> Attempt {
        let mut body = json!({
            "content": outgoing.message.marked,
            // SUPPRESS_EMBEDS: no preview of what is linked.
            "flags": 4,
            // Nobody is called, whatever the text says.
            "allowed_mentions": { "parse": [] },
        });
        let first = Asked {
            thread: outgoing.thread,
            title: self.title(outgoing),
        };
        let posted = self.post(&mut body, &first).await;
        match posted {
            // Somebody deleted the post of the forum: this message opens another.
            Err(Attempt::Refused(reason)) if first.thread.is_some() => {
                tracing::warn!(
                    reason,
                    "a conversation in Discord is gone; it goes on in another"
                );
                let anew = Asked {
                    thread: None,
                    ..first
                };
                self.post(&mut body, &anew).await
            }
            posted => posted,
        }
        .map_or_else(|attempt| attempt, Attempt::Accepted)
    }

    fn title(&self, outgoing: &Outgoing<'_>) -> Option<String> {
        let parts = &outgoing.message.parts;
        let title = || format!("{}: {}", parts.system, parts.headline);
        self.forum.then(|| cut(&title(), TITLE_MAX_CHARACTERS))
    }

    async fn post(&self, body: &mut Json, asked: &Asked<'_>) -> Result<Receipt, Attempt> {
        // Without it a message that was not kept would be no error.
        let mut query = vec![("wait", "true")];
        match (asked.thread, &asked.title) {
            (Some(thread), _) => query.push(("thread_id", thread)),
            (None, Some(title)) => body["thread_name"] = title.as_str().into(),
            (None, None) => {}
        }
        let request = self.hook.post().query(&query);
        let answer = self.hook.http.ask(request.json(body)).await?;
        if !answer.status.is_success() {
            return Err(failure(&answer));
        }
        let said = answer.json();
        let Some(message) = said["id"].as_str() else {
            return Err(Attempt::Uncertain(answer.said()));
        };
        let thread = self.forum.then(|| said["channel_id"].as_str()).flatten();
        Ok(Receipt {
            answer: message.to_owned(),
            thread: thread.map(str::to_owned),
            message: Some(format!("{message} {}", thread.unwrap_or_default())),
        })
    }

    /// Puts the pictures under the message.
    pub(super) async fn illustrate(&self, outgoing: &Outgoing<'_>, receipt: &Receipt) -> Attempt {
        let place = receipt
            .message
            .as_deref()
            .and_then(|place| place.split_once(' '));
        let Some((message, thread)) = place else {
            return Attempt::Refused("Discord did not say where the message is".into());
        };
        let pictures = outgoing.illustrations().enumerate();
        let attachments: Vec<Json> = pictures
            .clone()
            .map(|(number, (picture, caption))| {
                let description = cut(caption, DESCRIPTION_MAX_CHARACTERS);
                json!({ "id": number, "filename": picture.file_name(), "description": description })
            })
            .collect();
        let mut form = Form::new().text(
            "payload_json",
            json!({ "attachments": attachments }).to_string(),
        );
        for (number, (picture, _)) in pictures {
            let file = Part::bytes(picture.bytes.clone()).file_name(picture.file_name());
            form = match file.mime_str(picture.format.media_type()) {
                Ok(file) => form.part(format!("files[{number}]"), file),
                Err(error) => return Attempt::Refused(error.to_string()),
            };
        }
        let Some(address) = message_address(self.hook.url.expose_secret(), message) else {
            return Attempt::Refused("the address of the webhook is none".into());
        };
        let thread: Vec<_> = (!thread.is_empty())
            .then_some(("thread_id", thread))
            .into_iter()
            .collect();
        let request = self.hook.http.patch(&address).query(&thread);
        match self.hook.http.ask(request.multipart(form)).await {
            Ok(answer) if answer.status.is_success() => Attempt::Accepted(Receipt {
                answer: "put under its message".into(),
                ..Receipt::default()
            }),
            Ok(answer) => failure(&answer),
            Err(trouble) => trouble.into(),
        }
    }
}

/// Where a message goes.
struct Asked<'a> {
    thread: Option<&'a str>,
    /// What a new post of a forum is called.
    title: Option<String>,
}

fn failure(answer: &Answer) -> Attempt {
    let retry_after = answer.json()["retry_after"].as_f64().and_then(seconds_of);
    // The header has whole seconds, the body says it to the millisecond.
    answer.failure_after(retry_after.or(answer.retry_after))
}

fn message_address(webhook: &str, message: &str) -> Option<String> {
    let mut url = url::Url::parse(webhook).ok()?;
    url.path_segments_mut()
        .ok()?
        .pop_if_empty()
        .extend(["messages", message]);
    Some(url.into())
}
