//! A text that is put into a field: with references to secrets, and to the one-time codes that a secret makes.

use serde::{Deserialize, Deserializer, de::Error};
use vigia_contract::{secret::Template, stored::is_name};

const OPEN: &str = "${totp:";

/// What is typed, as the operator wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed(Vec<Part>);

/// A piece of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// May hold references to secrets.
    Text(Template),
    /// The code of the moment, by the key that this secret holds.
    Code(String),
}

impl Typed {
    /// Finds the references to codes, and those to secrets between them.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find(OPEN) {
            let after = &rest[start + OPEN.len()..];
            let name = after.split('}').next().unwrap_or_default();
            if !is_name(name) || name.len() == after.len() {
                return Err(format!(
                    "the reference to a one-time code at `{}` is not complete\nhint: write ${{totp:NAME}}, the name of the secret that holds the key",
                    rest[start..].chars().take(30).collect::<String>()
                ));
            }
            if start > 0 {
                parts.push(Part::Text(Template::parse(&rest[..start])?));
            }
            parts.push(Part::Code(name.to_owned()));
            rest = &after[name.len() + 1..];
        }
        if !rest.is_empty() || parts.is_empty() {
            parts.push(Part::Text(Template::parse(rest)?));
        }
        Ok(Self(parts))
    }

    /// Its pieces, in their order.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// As the operator wrote it, with the references instead of what they stand for: fit to be shown.
    pub fn shown(&self) -> String {
        let parts = self.0.iter().map(|part| match part {
            Part::Text(template) => template.shown(),
            Part::Code(name) => format!("{OPEN}{name}}}"),
        });
        parts.collect()
    }

    /// The names of the secrets that it needs, keys of codes among them.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|part| match part {
            Part::Text(template) => template.secrets().collect(),
            Part::Code(name) => vec![name.as_str()],
        })
    }

    /// The names of the secrets that hold the keys of codes.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Code(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }
}

impl<'de> Deserialize<'de> for Typed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
