//! The operator's own templates: which there may be, and what is wrong with one before it is needed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use vigia_contract::data_model::Impact;

use super::{
    Illustration, Layout, Markup, Renderer, Room, Style,
    sample::{self, Addressee},
};
use crate::{flux::observation::Failure, store::outbox::Kind};

/// The operator's own templates, by the names of those that they replace.
pub type Templates = BTreeMap<&'static str, String>;

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The line, counted from 1, where it is known.
    pub line: Option<usize>,
    /// What it is.
    pub what: String,
}

impl From<minijinja::Error> for Flaw {
    fn from(error: minijinja::Error) -> Self {
        let what = match error.detail() {
            Some(detail) => format!("{}: {detail}", error.kind()),
            None => error.kind().to_string(),
        };
        Self {
            line: error.line(),
            what,
        }
    }
}

/// Writes a message of each kind with this template; the first thing that is wrong is told.
#[must_use]
pub fn flaw(style: &Style, markup: Markup, text: &str) -> Option<Flaw> {
    let style = Style {
        templates: Templates::from([(markup.template(), text.to_owned())]),
        ..style.clone()
    };
    let renderer = match Renderer::new(style) {
        Ok(renderer) => renderer,
        Err(error) => return Some(error.into()),
    };
    let now = Timestamp::UNIX_EPOCH;
    let addressee = Addressee {
        channel: "channel",
        recipient: "recipient",
    };
    let cases = Kind::ALL.into_iter().flat_map(|kind| {
        [Illustration::Pictures(2), Illustration::None].map(|illustration| (kind, illustration))
    });
    cases
        .filter_map(|(kind, illustration)| {
            let mut delivery = sample::delivery(kind, Impact::Critical, addressee, now);
            // Every part that there may be, and none of those.
            if illustration == Illustration::None {
                delivery.conversation.incidents[0].failure = Failure::default();
            } else {
                delivery.is_repeat = true;
                let other = delivery.conversation.incidents[0].clone();
                delivery.conversation.incidents.push(other);
            }
            let layout = Layout {
                markup,
                room: Room::Unlimited,
                illustration,
                is_one_thread: true,
            };
            renderer.render_own(&delivery, layout, now).err()
        })
        .map(Flaw::from)
        .next()
}
