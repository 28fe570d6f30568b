//! Files that are handed to a page.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error};
use vigia_contract::{
    config_file::Spanned,
    mistake::{Mistake, Source},
};

use super::{Several, Target};

/// Files, and where a user would put them.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Where they go.
    pub to: Destination,
    file: Spanned<Several<PathBuf>>,
    /// Where they are, since [`Self::look_beside`].
    pub paths: Vec<PathBuf>,
}

/// Where files go.
#[derive(Clone, Debug)]
pub enum Destination {
    /// A file field, its label, or a button that asks for a file.
    Field(Target),
    /// A part of the page that files are dropped onto.
    Onto(Target),
}

/// As the operator writes it: one of the two ways.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UploadTable {
    field: Option<Target>,
    onto: Option<Target>,
    #[schemars(with = "Several<PathBuf>")]
    file: Spanned<Several<PathBuf>>,
}

impl<'de> Deserialize<'de> for Upload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = UploadTable::deserialize(deserializer)?;
        let to = match (table.field, table.onto) {
            (Some(field), None) => Destination::Field(field),
            (None, Some(onto)) => Destination::Onto(onto),
            _ => {
                return Err(D::Error::custom(
                    "files go to one place\nhint: write `field` for a file field or a button, or `onto` for what files are dropped onto",
                ));
            }
        };
        Ok(Self {
            to,
            file: table.file,
            paths: Vec::new(),
        })
    }
}

impl Upload {
    /// Finds the files, whose names are relative to the journey's file, and says which are not there.
    pub fn look_beside(&mut self, source: &Source) -> Vec<Mistake> {
        let folder = source.path.parent().unwrap_or(Path::new("."));
        let mut mistakes = Vec::new();
        for name in self.file.get_ref().values() {
            // The browser takes whole paths only, and has another working folder.
            match std::fs::canonicalize(folder.join(name)) {
                Ok(path) if path.is_file() => self.paths.push(path),
                Ok(_) => mistakes.push(source.mistake(
                    self.file.span(),
                    format!("`{}` is not a file", name.display()),
                    "name a file; a folder cannot be handed to a page",
                )),
                Err(error) => mistakes.push(source.mistake(
                    self.file.span(),
                    format!("failed to find the file `{}`: {error}", name.display()),
                    "put it beside the journey's file: names are relative to that",
                )),
            }
        }
        mistakes
    }
}
