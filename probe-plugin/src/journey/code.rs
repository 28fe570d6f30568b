//! JavaScript of the operator's, which runs in the page's own world.

use serde::{Deserialize, Deserializer, de::Error};
use vigia_contract::{stored, variables::Variables};

use super::selector::{SECRET_IN_PAGE, holds_secret};

/// What runs in the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// Refuses what says nothing, and secrets: the page would know them.
    pub fn parse(text: &str) -> Result<Self, String> {
        if holds_secret(text) {
            return Err(SECRET_IN_PAGE.into());
        }
        if text.trim().is_empty() {
            return Err("it has no JavaScript\nhint: write for example \"document.readyState === 'complete'\"".into());
        }
        Ok(Self(text.to_owned()))
    }

    /// With what was stored as texts of JavaScript, quotes and all: what a page showed must not become code.
    pub fn with(&self, stored: &Variables) -> String {
        stored::fill_in(&self.0, stored, |value| {
            serde_json::Value::from(value).to_string()
        })
    }

    /// As it is written, on one line.
    pub fn shown(&self) -> String {
        self.0.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
