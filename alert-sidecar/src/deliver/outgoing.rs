//! What a channel gets, what it can do, and what it answers: plain data, the same for every channel.

use std::{num::NonZeroU32, time::Duration};

use vigia_contract::data_model::Impact;

use crate::{
    flux::picture::Picture,
    render::{Illustration, Layout, Markup, Message, Room},
    store::outbox::{Delivery, Kind},
};

/// One attempt to bring one message to one recipient.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The same for each attempt: by it a service can recognise a repeat.
    pub id: &'a str,
    /// What the message and those that follow it are about.
    pub conversation: &'a str,
    /// What it says.
    pub kind: Kind,
    /// Whether an earlier attempt may have arrived and the service would not recognise it.
    pub is_repeat: bool,
    /// Whom it is for, as the channel named them.
    pub recipient: &'a str,
    /// How much it matters.
    pub impact: Impact,
    /// The words.
    pub message: &'a Message,
    /// The pictures: of the failing page, and of the last time it was well.
    pub pictures: &'a [Picture],
    /// What the channel returned when the first message of the conversation was accepted for this recipient.
    pub thread: Option<&'a str>,
}

impl<'a> Outgoing<'a> {
    /// A delivery as a channel gets it.
    #[must_use]
    pub fn of(delivery: &'a Delivery, message: &'a Message, pictures: &'a [Picture]) -> Self {
        Self {
            id: &delivery.id,
            conversation: &delivery.conversation.id,
            kind: delivery.kind,
            is_repeat: delivery.is_repeat,
            recipient: &delivery.recipient,
            impact: delivery.conversation.lead().impact,
            message,
            pictures,
            thread: delivery.thread.as_deref(),
        }
    }

    /// The pictures, each with what it shows.
    pub fn illustrations(&self) -> impl Iterator<Item = (&'a Picture, &'a str)> + Clone + use<'a> {
        let captions = self.message.parts.captions.iter().map(String::as_str);
        self.pictures
            .iter()
            .zip(captions.chain(std::iter::repeat("")))
    }
}

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The service has the message.
    Accepted(Receipt),
    /// The service will never take it, and said this.
    Refused(String),
    /// It did not arrive.
    Failed {
        /// Why.
        reason: String,
        /// For how long the service wants to be left alone, where it said so.
        retry_after: Option<Duration>,
    },
    /// It was handed over and nobody said whether it arrived.
    Uncertain(String),
}

impl Attempt {
    /// It did not arrive, and nobody said when it could.
    pub fn failed(reason: impl Into<String>) -> Self {
        Self::Failed {
            reason: reason.into(),
            retry_after: None,
        }
    }
}

/// What a service said when it took a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// What it said, for the log.
    pub answer: String,
    /// Where those that follow go, as the channel itself reads it again; kept for the conversation and the recipient.
    pub thread: Option<String>,
    /// What the service calls this message; its picture goes there.
    pub message: Option<String>,
}

/// What a channel can do, and what it must be spared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// How it writes what stands out.
    pub markup: Markup,
    /// The longest text that the service takes.
    pub room: Room,
    /// How it brings pictures.
    pub pictures: Pictures,
    /// Whether what follows a message goes where that went: into its thread, or to the alert that it opened.
    pub keeps_threads: bool,
    /// Whether the service takes a message with the same [`Outgoing::id`] only once.
    pub recognises_repeats: bool,
    /// How often the service wants to hear from us, unless the operator says otherwise.
    pub pace: Pace,
}

impl Abilities {
    /// How such a channel wants a message with these pictures.
    #[must_use]
    pub const fn layout(&self, illustration: Illustration) -> Layout {
        Layout {
            markup: self.markup,
            room: self.room,
            illustration,
            is_one_thread: self.keeps_threads,
        }
    }
}

/// How a channel brings pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pictures {
    /// In the message itself, which waits a moment for them.
    Inside,
    /// After the message, by [`super::Channel::illustrate`].
    After,
    /// The message says where they are, and waits a moment to know that they are; the service fetches them over the web.
    /// Without a page of ours that it can reach, not at all.
    Linked,
    /// Not at all.
    Never,
}

/// At most so many messages in such a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How many.
    pub messages: NonZeroU32,
    /// In how long.
    pub per: Duration,
}

impl Pace {
    /// One a second is what most services ask for.
    pub const ONE_A_SECOND: Self = Self::new(1, Duration::from_secs(1));

    /// So many in such a time; at least one.
    #[must_use]
    pub const fn new(messages: u32, per: Duration) -> Self {
        Self {
            messages: match NonZeroU32::new(messages) {
                Some(messages) => messages,
                None => NonZeroU32::MIN,
            },
            per,
        }
    }
}
