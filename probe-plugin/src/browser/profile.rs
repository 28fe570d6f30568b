//! The folder that a browser keeps its profile in, and the sweep of those that a killed probe left behind.

use std::{fs, io, os::unix::fs::PermissionsExt, path::Path};

use rustix::process::{Pid, test_kill_process};
use tempfile::TempDir;

const PREFIX: &str = "vigia-chromium-";

/// A new folder whose name says which process owns it; it goes when it is dropped.
pub fn create() -> io::Result<TempDir> {
    tempfile::Builder::new()
        .prefix(&format!("{PREFIX}{}-", std::process::id()))
        .permissions(std::fs::Permissions::from_mode(0o700))
        .tempdir()
}

/// Removes the folders whose owners are gone and returns how many there were. One that is not ours to remove is left.
pub fn sweep() -> io::Result<usize> {
    let entries = fs::read_dir(std::env::temp_dir())?;
    let left_behind = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            owner(path)
                .is_some_and(|owner| test_kill_process(owner) == Err(rustix::io::Errno::SRCH))
        });
    Ok(left_behind
        .filter(|path| fs::remove_dir_all(path).is_ok())
        .count())
}

fn owner(path: &Path) -> Option<Pid> {
    let rest = path.file_name()?.to_str()?.strip_prefix(PREFIX)?;
    Pid::from_raw(rest.split_once('-')?.0.parse().ok()?)
}
