//! The files that a run downloads, into a folder that goes with the run.

use std::path::PathBuf;

use serde::Deserialize;
use tempfile::TempDir;

use crate::browser::connection::Event;

/// How a file is coming.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coming {
    /// Some of it is there.
    UnderWay,
    /// All of it is.
    Whole,
    /// The rest will never be.
    Broken,
}

/// A file.
#[derive(Clone, Debug)]
pub struct DownloadedFile {
    /// The name that the system gives it.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// How much has come.
    pub received_bytes: f64,
    /// How much there is; 0 where the system does not say.
    pub total_bytes: f64,
    /// Whether there is more to come.
    pub coming: Coming,
    guid: String,
}

/// All of a run.
#[derive(Debug)]
pub struct Downloads {
    /// Where they are kept.
    pub folder: TempDir,
    /// The oldest first; those that were looked at are taken out.
    pub files: Vec<DownloadedFile>,
    /// All that ever began: each is told of twice.
    known: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Begins {
    guid: String,
    suggested_filename: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Progress {
    guid: String,
    total_bytes: f64,
    received_bytes: f64,
    state: String,
}

impl Downloads {
    /// None yet.
    pub const fn new(folder: TempDir) -> Self {
        Self {
            folder,
            files: Vec::new(),
            known: Vec::new(),
        }
    }

    /// Takes an event in.
    pub fn apply(&mut self, event: &Event) {
        if let Some(begins) = event.read::<Begins>() {
            if self.known.contains(&begins.guid) {
                return;
            }
            self.known.push(begins.guid.clone());
            self.files.push(DownloadedFile {
                name: begins.suggested_filename,
                path: self.folder.path().join(&begins.guid),
                received_bytes: 0.0,
                total_bytes: 0.0,
                coming: Coming::UnderWay,
                guid: begins.guid,
            });
        } else if let Some(progress) = event.read::<Progress>()
            && let Some(file) = self
                .files
                .iter_mut()
                .find(|file| file.guid == progress.guid)
        {
            // One that breaks off is told with none.
            file.received_bytes = file.received_bytes.max(progress.received_bytes);
            file.total_bytes = progress.total_bytes;
            file.coming = match progress.state.as_str() {
                "completed" => Coming::Whole,
                "canceled" => Coming::Broken,
                _ => Coming::UnderWay,
            };
        }
    }
}

/// Whether the event says that nothing more will come of a file.
pub fn ends(event: &Event) -> bool {
    let progress: Option<Progress> = event.read();
    progress.is_some_and(|progress| progress.state != "inProgress")
}
