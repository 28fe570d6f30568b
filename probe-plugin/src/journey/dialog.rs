//! A dialog of the page, as the operator writes it: behind the action that opens it.

use std::fmt;

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer,
    de::{Error, IntoDeserializer, MapAccess, Visitor, value::MapAccessDeserializer},
};
use vigia_contract::secret::Template;

use super::selector::{SECRET_IN_PAGE, holds_secret};

/// What an `alert`, a `confirm`, a `prompt` or the question whether the page may be left is answered.
///
/// Written as the answer alone (`"accept"`) or as a table.
#[derive(Clone, Debug)]
pub struct Dialog {
    /// Which of its buttons is pressed.
    pub answer: Answer,
    /// What is typed into a `prompt` first; may hold references to secrets.
    pub typed: Option<Template>,
    /// A part of what it must say; nothing: it may say anything.
    pub text: Option<String>,
}

/// One of the two buttons of a dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Yes: OK, leave the page.
    Accept,
    /// No: cancel, stay on the page.
    Dismiss,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DialogTable {
    answer: Answer,
    #[serde(rename = "type")]
    typed: Option<Template>,
    text: Option<String>,
}

impl<'de> Deserialize<'de> for Dialog {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DialogVisitor)
    }
}

struct DialogVisitor;

impl<'de> Visitor<'de> for DialogVisitor {
    type Value = Dialog;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(
            "\"accept\", \"dismiss\" or a table with `answer` and, as needed, `type` and `text`",
        )
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Dialog, E> {
        Ok(Dialog {
            answer: Answer::deserialize(text.into_deserializer())?,
            typed: None,
            text: None,
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Dialog, A::Error> {
        let DialogTable {
            answer,
            typed,
            text,
        } = DialogTable::deserialize(MapAccessDeserializer::new(map))?;
        if typed.is_some() && answer == Answer::Dismiss {
            return Err(A::Error::custom(
                "what is typed into a dialog that is dismissed goes nowhere\nhint: write answer = \"accept\", or leave out `type`",
            ));
        }
        if text.as_ref().is_some_and(|text| holds_secret(text)) {
            return Err(A::Error::custom(SECRET_IN_PAGE));
        }
        Ok(Dialog {
            answer,
            typed,
            text,
        })
    }
}
