//! One thing done inside a step, as the operator writes it: a table with a single key that names the action.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error};
use vigia_contract::{duration, secret::Template};

use super::{Cookie, Download, Key, Target, Typed, selector::SECRET_IN_PAGE};

/// What the robot does.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Opens an address and waits until the page has loaded.
    #[serde(deserialize_with = "address")]
    Goto(Template),
    /// Clicks an element in its middle.
    Click(Target),
    /// Puts a text into a field, in place of what it holds.
    Fill(Fill),
    /// Presses a key on the element that has the focus: `Enter`, `Tab`, `Escape`, an arrow, a single character.
    Press(Key),
    /// Gives the browser a cookie, or takes some away.
    Cookie(Cookie),
    /// Waits until the page shows something.
    Expect(Expectation),
    /// Does nothing for a while, as a user who reads. The time counts.
    #[serde(deserialize_with = "duration::deserialize")]
    Wait(Duration),
}

/// A field and its new text.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fill {
    /// The field.
    pub field: Target,
    /// May hold references to secrets and to one-time codes.
    pub with: Typed,
}

/// What the page must come to show.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Expectation {
    /// This text, anywhere, visible; letters count as they are written, spaces do not.
    #[serde(deserialize_with = "shown_text")]
    Text(String),
    /// An element that a user can see.
    Visible(Target),
    /// No such element that a user can see.
    Hidden(Target),
    /// A whole file, behind the action that starts its download.
    Download(Download),
}

fn shown_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if ["${secret:", "${totp:"]
        .iter()
        .any(|open| text.contains(open))
    {
        return Err(D::Error::custom(SECRET_IN_PAGE));
    }
    if text.trim().is_empty() {
        return Err(D::Error::custom(
            "a text without letters is on every page\nhint: write what the page shows",
        ));
    }
    Ok(text)
}

/// An address that a browser opens over the network.
fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Template, D::Error> {
    let address = Template::deserialize(deserializer)?;
    let shown = address.shown();
    // What begins with a reference that could not be filled in is told already.
    if !["http://", "https://", "${"]
        .iter()
        .any(|beginning| shown.starts_with(beginning))
    {
        return Err(D::Error::custom(format!(
            "`{shown}` is no address of a page\nhint: begin with https:// or http://"
        )));
    }
    Ok(address)
}

impl Action {
    /// The word that it is written with.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Goto(_) => "goto",
            Self::Click(_) => "click",
            Self::Fill(_) => "fill",
            Self::Press(_) => "press",
            Self::Cookie(_) => "cookie",
            Self::Expect(_) => "expect",
            Self::Wait(_) => "wait",
        }
    }

    /// The names of the secrets that it types.
    pub fn secrets(&self) -> Vec<&str> {
        match self {
            Self::Goto(template) => template.secrets().collect(),
            Self::Fill(Fill { with, .. }) => with.secrets().collect(),
            Self::Cookie(Cookie::Set(set)) => set.value.secrets().collect(),
            Self::Cookie(Cookie::Clear(_))
            | Self::Click(_)
            | Self::Press(_)
            | Self::Expect(_)
            | Self::Wait(_) => Vec::new(),
        }
    }

    /// The field that it types one-time codes into, and the names of the secrets that hold their keys.
    pub fn codes(&self) -> Option<(&Target, Vec<&str>)> {
        let (field, codes): (_, Vec<&str>) = match self {
            Self::Fill(Fill { field, with }) => (field, with.codes().collect()),
            _ => return None,
        };
        (!codes.is_empty()).then_some((field, codes))
    }
}
