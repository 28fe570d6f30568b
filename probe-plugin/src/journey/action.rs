//! One thing done inside a step, as the operator writes it: a table with a single key that names the action.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error};
use vigia_contract::{duration, secret::Template, slug::slug};

use super::{Expectation, Key, Script, Store, Target};

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
    /// Waits until the page shows or holds something.
    Expect(Expectation),
    /// Keeps something that the page shows or holds, for later.
    Store(Store),
    /// Runs JavaScript in the page's own world.
    Script(Script),
    /// Keeps a picture of the page under this name, where artifacts are kept. Its time does not count.
    #[serde(deserialize_with = "picture_name")]
    Screenshot(String),
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
    /// May hold references to secrets.
    pub with: Template,
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

/// The name of a file.
fn picture_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    if name.is_empty() || slug(&name) != name {
        return Err(D::Error::custom(format!(
            "`{name}` cannot be the name of a picture\nhint: write lower-case letters, digits and hyphens, for example \"after-sending\""
        )));
    }
    Ok(name)
}

impl Action {
    /// The names of the secrets that it types.
    pub fn secrets(&self) -> Vec<&str> {
        match self {
            Self::Goto(template) | Self::Fill(Fill { with: template, .. }) => {
                template.secrets().collect()
            }
            Self::Click(_)
            | Self::Press(_)
            | Self::Expect(_)
            | Self::Store(_)
            | Self::Script(_)
            | Self::Screenshot(_)
            | Self::Wait(_) => Vec::new(),
        }
    }
}
