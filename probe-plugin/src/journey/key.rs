//! The keys of a keyboard, by the names that the browser's own key events give them.

use serde::{Deserialize, Deserializer, de::Error};

/// A key as the browser wants it pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// `KeyboardEvent.key`.
    pub name: String,
    /// `KeyboardEvent.code`; empty for a character whose place depends on the keyboard.
    pub code: &'static str,
    /// Windows' virtual key code, which pages read as `keyCode`.
    pub virtual_code: u32,
    /// What it types, if it types anything.
    pub text: Option<String>,
}

/// The named keys: name, code, virtual key code, text.
/// Source: UI Events `KeyboardEvent` key and code values, and Microsoft's list of virtual key codes.
const NAMED: [(&str, &str, u32, Option<&str>); 14] = [
    ("Enter", "Enter", 13, Some("\r")),
    ("Tab", "Tab", 9, None),
    ("Escape", "Escape", 27, None),
    ("Backspace", "Backspace", 8, None),
    ("Delete", "Delete", 46, None),
    ("Space", "Space", 32, Some(" ")),
    ("ArrowUp", "ArrowUp", 38, None),
    ("ArrowDown", "ArrowDown", 40, None),
    ("ArrowLeft", "ArrowLeft", 37, None),
    ("ArrowRight", "ArrowRight", 39, None),
    ("Home", "Home", 36, None),
    ("End", "End", 35, None),
    ("PageUp", "PageUp", 33, None),
    ("PageDown", "PageDown", 34, None),
];

impl Key {
    /// One of the named keys, or any single character.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some((name, code, virtual_code, types)) =
            NAMED.into_iter().find(|named| named.0 == text)
        {
            return Ok(Self {
                name: types
                    .filter(|types| *types == " ")
                    .unwrap_or(name)
                    .to_owned(),
                code,
                virtual_code,
                text: types.map(str::to_owned),
            });
        }
        let mut characters = text.chars();
        match (characters.next(), characters.next()) {
            (Some(character), None) if !character.is_control() => Ok(Self {
                name: text.to_owned(),
                code: "",
                virtual_code: if character.is_ascii_alphanumeric() {
                    u32::from(character.to_ascii_uppercase())
                } else {
                    0
                },
                text: Some(text.to_owned()),
            }),
            _ => {
                let names: Vec<&str> = NAMED.iter().map(|named| named.0).collect();
                Err(format!(
                    "unknown key `{text}`\nhint: a single character, or one of {}",
                    names.join(", ")
                ))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
