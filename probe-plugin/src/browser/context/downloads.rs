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
    /// Those that frames began which are not known (any more): other runs', or this one's.
    unclaimed: Vec<Begins>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Begins {
    frame_id: String,
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
    file_path: Option<PathBuf>,
}

impl Downloads {
    /// None yet.
    pub const fn new(folder: TempDir) -> Self {
        Self {
            folder,
            files: Vec::new(),
            unclaimed: Vec::new(),
        }
    }

    /// Takes an event in. The browser tells of the files of all runs; `is_ours` knows this run's frames.
    pub fn apply(&mut self, event: &Event, is_ours: impl Fn(&str) -> bool) {
        if let Some(begins) = event.read::<Begins>() {
            if is_ours(&begins.frame_id) {
                self.add(begins);
            } else {
                self.unclaimed.push(begins);
            }
        } else if let Some(progress) = event.read::<Progress>() {
            self.go_on(&progress);
        }
    }

    fn add(&mut self, begins: Begins) {
        self.files.push(DownloadedFile {
            name: begins.suggested_filename,
            path: self.folder.path().join(&begins.guid),
            received_bytes: 0.0,
            total_bytes: 0.0,
            coming: Coming::UnderWay,
            guid: begins.guid,
        });
    }

    fn go_on(&mut self, progress: &Progress) {
        let unclaimed = self.unclaimed.iter();
        let mut unclaimed = unclaimed.map(|begins| &begins.guid);
        if let Some(index) = unclaimed.position(|guid| *guid == progress.guid)
            && let Some(path) = &progress.file_path
            && path.starts_with(self.folder.path())
        {
            // Of a frame that is gone.
            let begins = self.unclaimed.remove(index);
            self.add(begins);
        }
        let mut files = self.files.iter_mut();
        if let Some(file) = files.find(|file| file.guid == progress.guid) {
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
