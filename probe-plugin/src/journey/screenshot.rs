//! A picture that a journey asks for.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use vigia_contract::slug::slug;

use super::short_form::{self, Short};

/// A picture of the page as it stands.
#[derive(Clone, Debug)]
pub struct Screenshot {
    /// The name of its file: lower-case letters, digits and hyphens.
    pub name: String,
    /// All of the page, and not only what its window shows.
    pub full_page: bool,
}

/// As the operator writes it where the name is not all.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ScreenshotTable {
    name: String,
    #[serde(default)]
    full_page: bool,
}

impl<'de> Deserialize<'de> for Screenshot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        short_form::read(
            deserializer,
            "the name of a picture, or a table with `name` and `full_page`",
            |short| match short {
                Short::Text(name) => Ok(Self {
                    name: file_name(name)?,
                    full_page: false,
                }),
                Short::Number(number) => Err(format!(
                    "`{number}` cannot be the name of a picture\nhint: write it in quotes"
                )),
            },
            |ScreenshotTable { name, full_page }| {
                Ok(Self {
                    name: file_name(&name)?,
                    full_page,
                })
            },
        )
    }
}

fn file_name(name: &str) -> Result<String, String> {
    if name.is_empty() || slug(name) != name {
        return Err(format!(
            "`{name}` cannot be the name of a picture\nhint: write lower-case letters, digits and hyphens, for example \"after-sending\""
        ));
    }
    Ok(name.to_owned())
}
