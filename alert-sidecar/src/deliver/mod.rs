//! Brings messages to people: a closed set of channels, one file each, and the courier that serves each of them.
//!
//! What is said is decided before; here it is only whether it arrived.

pub mod courier;
pub mod delivery_points;
pub mod email;
pub mod incident_points;

use crate::{flux::picture::Picture, render::Message, store::outbox::Delivery};

/// A way to people.
#[derive(Debug)]
pub enum Channel {
    /// By mail.
    Email(Box<email::Email>),
}

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The service has the message, and said this.
    Accepted(String),
    /// The service will never take it, and said this.
    Refused(String),
    /// It did not arrive, for this reason.
    Failed(String),
    /// It was handed over and nobody said whether it arrived.
    Uncertain(String),
}

impl Channel {
    /// Whom it brings messages to.
    #[must_use]
    pub fn recipients(&self) -> Vec<String> {
        match self {
            Self::Email(email) => email.recipients(),
        }
    }

    /// Sends one message; ends within the channel's own deadlines.
    pub async fn send(
        &self,
        delivery: &Delivery,
        message: &Message,
        picture: Option<&Picture>,
    ) -> Attempt {
        match self {
            Self::Email(email) => email.send(delivery, message, picture).await,
        }
    }
}
