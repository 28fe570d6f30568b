//! What is known of a test's variables at a command: texts that the project holds, and what is read from pages.
//!
//! Texts are followed while the project is read, so that a journey has no more variables than a person would give it.

use std::collections::{BTreeMap, BTreeSet};

use vigia_contract::stored::is_name;

use super::passwords::Passwords;

/// The variable with the address that a journey's pages begin with.
pub const PORTAL: &str = "portal";

/// What a variable holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// A text that stands under `[variables]`.
    Named(String),
    /// A text that is written where it is used; may hold references.
    Text(String),
    /// A value of JavaScript.
    Json(String),
    /// What a run reads from a page.
    Stored(Origin),
    /// A password.
    Secret(String),
}

/// Where a stored value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A text of a page.
    Page,
    /// JavaScript, which may have returned a number or more.
    Script,
}

/// The variables at a command.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    known: BTreeMap<String, Known>,
    /// Shared actions take what they do not have as parameters; those asked for so far.
    pub parameters: Option<BTreeSet<String>>,
    /// Names of `[variables]` that are used.
    pub used: BTreeSet<String>,
    /// Those that change on the way: they have no place under `[variables]`.
    pub changing: BTreeSet<String>,
}

impl Variables {
    /// Of shared actions: what they do not store, they take.
    pub fn of_fragment() -> Self {
        Self {
            parameters: Some(BTreeSet::new()),
            ..Self::default()
        }
    }

    /// From now on it holds this.
    pub fn set(&mut self, name: &str, known: Known) {
        self.known.insert(name.trim().to_owned(), known);
    }

    /// A text that the project holds.
    pub fn set_text(&mut self, name: &str, text: String) {
        let name = name.trim();
        let fixed = self.parameters.is_none()
            && is_name(name)
            && name != PORTAL
            && !self.changing.contains(name)
            && !text.contains("${");
        self.set(
            name,
            if fixed {
                Known::Named(text)
            } else {
                Known::Text(text)
            },
        );
    }

    /// Nobody knows what it holds.
    pub fn forget(&mut self, name: &str) {
        self.known.remove(name.trim());
    }

    /// What it holds, if anything.
    pub fn get(&self, name: &str) -> Option<&Known> {
        self.known.get(name)
    }

    /// All of them, by name.
    pub fn all(&self) -> impl Iterator<Item = (&String, &Known)> {
        self.known.iter()
    }

    /// `${portal}`.
    pub fn portal(&mut self) -> &'static str {
        self.used.insert(PORTAL.to_owned());
        if let Some(parameters) = &mut self.parameters {
            parameters.insert(PORTAL.to_owned());
        }
        "${portal}"
    }

    /// What stands in a text for this variable.
    pub fn reference(&mut self, name: &str, passwords: &Passwords) -> Result<String, String> {
        match self.known.get(name) {
            Some(Known::Named(_)) => {
                self.used.insert(name.to_owned());
                Ok(format!("${{{name}}}"))
            }
            Some(Known::Text(text)) => Ok(text.clone()),
            Some(Known::Json(_)) => Err(format!("`${{{name}}}` is no text")),
            Some(Known::Stored(_)) => Ok(format!("${{stored:{name}}}")),
            Some(Known::Secret(secret)) => Ok(format!("${{secret:{secret}}}")),
            None => match (passwords.of_variable(name), &mut self.parameters) {
                (Some(secret), _) => Ok(format!("${{secret:{secret}}}")),
                (None, Some(parameters)) if is_name(name) => {
                    parameters.insert(name.to_owned());
                    Ok(format!("${{{name}}}"))
                }
                _ => Err(format!("nothing stores `{name}` before")),
            },
        }
    }

    /// A text with what its references stand for, as the IDE reads it.
    pub fn text(&mut self, text: &str, passwords: &Passwords) -> Result<String, String> {
        let text = text.trim().replace("\\\\", "\\").replace("\\n", "\n");
        replaced(&text, |name| match name {
            "nbsp" => Ok("\u{a0}".into()),
            _ => self.reference(name, passwords),
        })
    }

    /// JavaScript with what its references stand for, and whether one of them was more than a text once.
    pub fn script(&mut self, script: &str) -> Result<(String, bool), String> {
        let mut was_more = false;
        let filled = replaced(script.trim(), |name| match self.known.get(name) {
            Some(Known::Named(text) | Known::Text(text)) if !text.contains("${") => {
                Ok(serde_json::Value::from(text.as_str()).to_string())
            }
            Some(Known::Json(value)) => Ok(value.clone()),
            Some(Known::Stored(origin)) => {
                was_more |= *origin == Origin::Script;
                Ok(format!("${{stored:{name}}}"))
            }
            Some(Known::Secret(_)) => Err("a page must not know a password".into()),
            Some(Known::Named(_) | Known::Text(_)) => Err(format!(
                "`${{{name}}}` is put together from others; store it by a script"
            )),
            None if is_name(name) => Err(format!("nothing stores `{name}` before")),
            None => Err(format!(
                "`${{{name}}}` cannot stand in the JavaScript of a journey; join the texts by +"
            )),
        })?;
        Ok((filled, was_more))
    }

    /// The text, if the project holds all of it.
    pub fn constant(&self, text: &str) -> Option<String> {
        replaced(text.trim(), |name| match self.known.get(name) {
            Some(Known::Named(text) | Known::Text(text)) if !text.contains("${") => {
                Ok(text.clone())
            }
            Some(Known::Json(value)) => Ok(value.clone()),
            _ => Err(String::new()),
        })
        .ok()
    }
}

/// The text with every `${name}` replaced.
fn replaced(
    text: &str,
    mut by: impl FnMut(&str) -> Result<String, String>,
) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some((name, after)) = rest[start + 2..].split_once('}') else {
            return Err("a `${` without its `}` cannot be written in a journey".into());
        };
        filled.push_str(&rest[..start]);
        filled.push_str(&by(name)?);
        rest = after;
    }
    Ok(filled + rest)
}
