//! Files that are handed to a page.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use vigia_contract::{
    config_file::Spanned,
    mistake::{Mistake, Source},
};

use super::{Several, Target};

/// A file field, or what a user clicks or drops a file on, and the files.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upload {
    /// The file field, its label, or a button that asks for a file.
    pub field: Target,
    file: Spanned<Several<PathBuf>>,
    /// Where they are, since [`Self::look_beside`].
    #[serde(skip)]
    pub paths: Vec<PathBuf>,
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
