//! A message that means nothing, to try channels and templates with.

use jiff::{SignedDuration, Timestamp};
use vigia_contract::data_model::{ErrorClass, Impact};

use crate::{
    flux::{
        Series,
        observation::Failure,
        picture::{Format, Picture},
    },
    incident::{End, Form, Incident},
    store::{
        conversations::Conversation,
        outbox::{Delivery, Kind},
    },
};

/// The names in the data of the system and the journey; no real one has them.
pub const SYSTEM: &str = "vigia-test-system";
/// See [`SYSTEM`].
pub const JOURNEY: &str = "vigia-test-journey";

/// How the names of its incidents begin; those of no real one do.
const ID: &str = "vigia-test.";

/// How long users have suffered.
const FOR: SignedDuration = SignedDuration::from_mins(4);

/// To whom a sample goes.
#[derive(Clone, Copy, Debug)]
pub struct Addressee<'a> {
    /// The channel's name.
    pub channel: &'a str,
    /// Whom it brings it to.
    pub recipient: &'a str,
}

/// Whether an incident of this name was only a sample.
#[must_use]
pub fn is_sample(incident: &str) -> bool {
    incident.starts_with(ID)
}

/// A page that misses something, as a probe would send it.
#[must_use]
pub fn picture() -> Picture {
    Picture {
        format: Format::Png,
        bytes: include_bytes!("sample.png").to_vec(),
        name: "vigia-test".into(),
    }
}

/// A delivery of this kind, in a conversation that is the same for the same `now`.
#[must_use]
pub fn delivery(kind: Kind, impact: Impact, addressee: Addressee<'_>, now: Timestamp) -> Delivery {
    let Addressee { channel, recipient } = addressee;
    let started_at = now - FOR;
    let id = format!("{ID}{}", started_at.as_nanosecond());
    Delivery {
        id: format!("{id}/{}/{recipient}", kind.name()),
        conversation: Conversation {
            id: format!("{id}/{channel}"),
            incidents: vec![Incident {
                id,
                rule: "test".into(),
                series: Series {
                    system: SYSTEM.into(),
                    journey: JOURNEY.into(),
                    probe: "vigia-alert".into(),
                },
                impact,
                started_at,
                run_id: "test".into(),
                failure: Failure {
                    step: Some("Ingresar".into()),
                    class: Some(ErrorClass::ElementMissing.name().into()),
                    error: Some("the page does not show “Bienvenido” (this is a test)".into()),
                    url: Some("https://tramites.example/ingreso".into()),
                    http_status: Some(200),
                    artifact: None,
                },
                form: Form::Failing,
                end: kind.is_end().then(|| End {
                    at: now,
                    run_id: "test".into(),
                }),
            }],
        },
        channel: channel.to_owned(),
        recipient: recipient.to_owned(),
        kind,
        attempt: 1,
        is_repeat: false,
        thread: None,
    }
}
