//! What is read from a page, or from JavaScript in it, for later: `store` and `script`.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error};
use vigia_contract::stored::is_name;

use super::{
    Code, Target,
    short_form::{self, Short},
};

/// Keeps what an element shows or holds.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// Its name from now on: `${stored:NAME}`.
    #[serde(deserialize_with = "name")]
    pub r#as: String,
    /// A field gives what it holds, anything else the text that it shows.
    pub from: Target,
    /// This attribute instead.
    pub attribute: Option<String>,
    /// A regular expression of JavaScript: its first group is kept, or all that it finds where it has none.
    pub matches: Option<String>,
}

/// Runs JavaScript.
#[derive(Clone, Debug)]
pub struct Script {
    /// The body of an async function.
    pub run: Code,
    /// What it returns is kept under this name.
    pub r#as: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ScriptTable {
    run: Code,
    #[serde(default, deserialize_with = "some_name")]
    r#as: Option<String>,
}

impl<'de> Deserialize<'de> for Script {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        short_form::read(
            deserializer,
            "JavaScript, or a table with `run` and `as`",
            |short| match short {
                Short::Text(text) => Ok(Self {
                    run: Code::parse(text)?,
                    r#as: None,
                }),
                Short::Number(number) => {
                    Err(format!("`{number}` does nothing\nhint: write JavaScript"))
                }
            },
            |ScriptTable { run, r#as }| Ok(Self { run, r#as }),
        )
    }
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    if is_name(&name) {
        Ok(name)
    } else {
        Err(D::Error::custom(format!(
            "nothing can be stored as `{name}`\nhint: write a letter, then letters, digits and underscores"
        )))
    }
}

fn some_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    name(deserializer).map(Some)
}
