//! Microsoft Teams through a workflow that starts with a web request and posts an Adaptive Card
//! (<https://adaptivecards.io/explorer/>). It has no threads, no edits, and no room for a picture: those who read the card fetch it.
//!
//! It answers 202 as soon as it has the card, whatever becomes of it: that is "accepted" here, and Teams says no more.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value as Json, json};
use vigia_contract::{data_model::Impact, secret::Template};

use super::{Abilities, Attempt, Outgoing, Pace, Pictures, Receipt, service::Hook};
use crate::render::{Markup, Message, Parts, Room};

/// The value `teams` of a `[[channel]]`, as the operator writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The address that the workflow gave, as `${secret:NAME}`: who knows it can post.
    pub url: toml::Spanned<Template>,
}

/// A workflow, ready to send.
#[derive(Debug)]
pub struct Teams {
    /// The webhook.
    pub hook: Hook,
}

impl Teams {
    pub(super) const ABILITIES: Abilities = Abilities {
        markup: Markup::Markdown,
        // A card that is larger than 28 kB is accepted and lost; what the card itself needs comes on top.
        room: Room::Bytes(8_000),
        pictures: Pictures::Linked,
        keeps_threads: false,
        recognises_repeats: false,
        // <https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using#rate-limiting-for-connectors>
        pace: Pace::new(60, Duration::from_mins(1)),
    };

    pub(super) async fn send(&self, outgoing: &Outgoing<'_>) -> Attempt {
        let request = self.hook.post();
        match self
            .hook
            .http
            .ask(request.json(&card(outgoing.message)))
            .await
        {
            Ok(answer) if answer.status.is_success() => Attempt::Accepted(Receipt {
                answer: answer.said(),
                ..Receipt::default()
            }),
            Ok(answer) => answer.failure(),
            Err(trouble) => trouble.into(),
        }
    }
}

fn card(message: &Message) -> Json {
    let parts = &message.parts;
    let heading = format!("{} {} · {}", parts.symbol, parts.badge, parts.system);
    let mut body = vec![
        json!({ "type": "Container", "style": style(parts), "bleed": true, "items": [
        text(&heading, json!({ "weight": "Bolder" })),
        text(&parts.headline, json!({ "weight": "Bolder", "size": "Large", "spacing": "None" })),
        text(&parts.when, json!({})),
    ] }),
    ];
    if parts.is_over {
        body.push(text(&parts.labels.was, json!({ "isSubtle": true })));
    }
    body.push(text(&parts.reason, json!({})));
    body.extend(
        parts
            .repeat
            .iter()
            .map(|repeat| text(repeat, json!({ "isSubtle": true }))),
    );
    for picture in &parts.pictures {
        body.push(text(
            &picture.caption,
            json!({ "isSubtle": true, "size": "Small" }),
        ));
        // Shown large at a press.
        body.push(json!({ "type": "Image", "url": picture.address, "altText": picture.caption, "size": "Stretch", "msteams": { "allowExpand": true } }));
    }
    if !parts.others.is_empty() {
        body.push(text(&parts.labels.others, json!({ "weight": "Bolder" })));
        let others = parts
            .others
            .iter()
            .map(|other| text(&format!("• {other}"), json!({ "spacing": "None" })));
        body.extend(others);
    }
    let technical = parts.technical.as_ref();
    let technical = technical.map(|technical| (&parts.labels.technical, technical));
    let details = parts.details.iter().map(|(label, value)| (label, value));
    let facts: Vec<Json> = details
        .chain(technical)
        .map(|(label, value)| json!({ "title": Markup::Markdown.escape(label), "value": Markup::Markdown.escape(value) }))
        .collect();
    body.push(json!({ "type": "FactSet", "facts": facts }));
    body.extend(
        parts
            .shortened
            .iter()
            .map(|shortened| text(shortened, json!({ "isSubtle": true }))),
    );
    body.push(text(
        &parts.footer,
        json!({ "isSubtle": true, "size": "Small" }),
    ));
    let actions: Vec<Json> = parts
        .links
        .iter()
        .map(|link| json!({ "type": "Action.OpenUrl", "title": link.label, "url": link.address }))
        .collect();
    json!({
        "type": "message",
        "summary": message.subject,
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "fallbackText": message.subject,
                "msteams": { "width": "full" },
                "body": body,
                "actions": actions,
            },
        }],
    })
}

/// A text as it stands, with these looks.
fn text(text: &str, mut looks: Json) -> Json {
    looks["type"] = "TextBlock".into();
    looks["wrap"] = true.into();
    looks["text"] = Markup::Markdown.escape(text).into();
    looks
}

/// The style that comes nearest to the colour.
fn style(parts: &Parts) -> &'static str {
    match (parts.is_over, parts.impact) {
        (true, _) => "good",
        (false, Impact::Critical) => "attention",
        (false, Impact::High) => "warning",
        (false, Impact::Low) => "emphasis",
    }
}
