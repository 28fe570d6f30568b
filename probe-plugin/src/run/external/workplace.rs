//! The folder of one run of another program, made for it and removed with it, and what was already there before the run at
//! the places that the operator named.

use std::{
    collections::HashMap,
    fs::{self, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::family::Family;
use crate::{
    journey::{FixedPlaces, FixedReports},
    own_folder::{self, OwnFolder},
};

const PREFIX: &str = "vigia-external-";

/// The name of the environment variable with the folder for artifacts. It marks all processes of the program too.
pub const ARTIFACTS_VARIABLE: &str = "VIGIA_ARTIFACTS";

/// So deep and so many files are looked at.
const DEPTH_MAX: usize = 8;
const FILES_MAX: usize = 10_000;

/// Where a program works for one run.
#[derive(Debug)]
pub struct Workplace {
    /// Nothing once it is being removed.
    folder: Option<OwnFolder>,
    artifacts: PathBuf,
    report: PathBuf,
    reports: Option<FixedReports>,
    fixed_artifacts: Option<PathBuf>,
    before: HashMap<PathBuf, Stamp>,
}

/// What changes whenever a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    bytes: u64,
    modified_ns: i128,
    changed_ns: i128,
}

/// A file that the run has written.
#[derive(Clone, Debug)]
pub struct Left {
    /// Where it is.
    pub path: PathBuf,
    /// Its name, with the folders that it is in.
    pub name: PathBuf,
    /// How large.
    pub bytes: u64,
    /// When it was last written.
    pub modified_ns: i128,
}

impl Workplace {
    /// Makes the folder and looks at what is there already.
    pub fn open(places: FixedPlaces) -> io::Result<Self> {
        let folder = OwnFolder::create(PREFIX)?;
        let artifacts = folder.path().join("artifacts");
        fs::create_dir(&artifacts)?;
        let mut workplace = Self {
            report: folder.path().join("report.xml"),
            artifacts,
            folder: Some(folder),
            reports: places.reports,
            fixed_artifacts: places.artifacts,
            before: HashMap::new(),
        };
        let reports = workplace.reports_there();
        let mut files = Vec::new();
        if let Some(folder) = &workplace.fixed_artifacts {
            walk(folder, folder, 0, &mut files);
        }
        let paths = reports
            .into_iter()
            .chain(files.into_iter().map(|left| left.path));
        workplace.before = paths
            .filter_map(|path| {
                let stamp = Stamp::of(&path.metadata().ok()?);
                Some((path, stamp))
            })
            .collect();
        Ok(workplace)
    }

    /// Where the program's temporary files go, and its settings.
    pub fn home(&self) -> &Path {
        self.artifacts.parent().unwrap_or(Path::new("/"))
    }

    /// The folder for artifacts; empty at the start of the run.
    pub fn artifacts(&self) -> &Path {
        &self.artifacts
    }

    /// The file for the report; not there at the start of the run.
    pub fn report(&self) -> &Path {
        &self.report
    }

    /// What marks the processes of the run.
    pub fn mark(&self) -> Vec<u8> {
        mark(&self.artifacts)
    }

    /// The reports that the run has written, in the order of their names.
    pub fn reports(&self) -> Vec<PathBuf> {
        let mut written = self.reports_there();
        written.retain(|path| self.is_of_this_run(path));
        written
    }

    /// Whether a report was there before and was not written again.
    pub fn has_report_of_another_run(&self) -> bool {
        let there = self.reports_there();
        there.iter().any(|path| !self.is_of_this_run(path))
    }

    /// The files that the run has left in the places for artifacts.
    pub fn left(&self) -> Vec<Left> {
        let mut left = Vec::new();
        walk(&self.artifacts, &self.artifacts, 0, &mut left);
        if let Some(folder) = &self.fixed_artifacts {
            walk(folder, folder, 0, &mut left);
        }
        left.retain(|file| self.is_of_this_run(&file.path));
        left
    }

    fn is_of_this_run(&self, path: &Path) -> bool {
        let now = path.metadata().map(|about| Stamp::of(&about)).ok();
        now.is_some() && now.as_ref() != self.before.get(path)
    }

    fn reports_there(&self) -> Vec<PathBuf> {
        let Some(fixed) = &self.reports else {
            return Vec::from_iter(self.report.is_file().then(|| self.report.clone()));
        };
        let entries = fs::read_dir(&fixed.folder).into_iter().flatten().flatten();
        let mut found: Vec<PathBuf> = entries
            .filter(|entry| fixed.has(&entry.file_name().to_string_lossy()))
            .map(|entry| entry.path())
            .filter(|path| path.is_file())
            .collect();
        found.sort();
        found
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        // On a thread of its own: what is dying may still write, and no run waits for that. What is not removed when this
        // process ends is swept by the next one.
        if let Some(folder) = self.folder.take() {
            std::thread::spawn(move || folder.remove());
        }
    }
}

impl Stamp {
    fn of(about: &Metadata) -> Self {
        let ns = |seconds: i64, nanoseconds: i64| {
            i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds)
        };
        Self {
            inode: about.ino(),
            bytes: about.len(),
            modified_ns: ns(about.mtime(), about.mtime_nsec()),
            changed_ns: ns(about.ctime(), about.ctime_nsec()),
        }
    }
}

/// Ends what killed probes have left behind, and removes its folders.
pub fn sweep() -> io::Result<usize> {
    own_folder::sweep(PREFIX, |folder| {
        let family = Family {
            leader: None,
            mark: mark(&folder.join("artifacts")),
        };
        // The folder is removed all the same, and the next sweep has nothing to tell them by: they are told of now.
        if let Err(error) = family.kill() {
            crate::log::log(
                crate::log::Level::Warning,
                &format!("failed to end an external journey that was left behind: {error}"),
            );
        }
    })
}

fn mark(artifacts: &Path) -> Vec<u8> {
    let mut mark = format!("{ARTIFACTS_VARIABLE}=").into_bytes();
    mark.extend_from_slice(artifacts.as_os_str().as_encoded_bytes());
    mark
}

/// Ordinary files only: what a link leads to is none of the run's.
fn walk(folder: &Path, root: &Path, depth: usize, left: &mut Vec<Left>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(about) = entry.metadata() else {
            continue;
        };
        if about.is_dir() && depth < DEPTH_MAX {
            walk(&path, root, depth + 1, left);
        } else if about.is_file() && left.len() < FILES_MAX {
            let stamp = Stamp::of(&about);
            left.push(Left {
                name: path.strip_prefix(root).unwrap_or(&path).to_owned(),
                path,
                bytes: stamp.bytes,
                modified_ns: stamp.modified_ns,
            });
        }
    }
}
