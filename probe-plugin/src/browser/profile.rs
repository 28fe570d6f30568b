//! The folder that a browser keeps its profile in, and the sweep of those that a killed probe left behind.

use std::{fs, io, path::Path};

use rustix::process::{Pid, test_kill_process};
use tempfile::TempDir;

const PREFIX: &str = "vigia-chromium-";

/// A new folder whose name says which process owns it; it goes when it is dropped.
pub fn create() -> io::Result<TempDir> {
    tempfile::Builder::new()
        .prefix(&format!("{PREFIX}{}-", std::process::id()))
        .tempdir()
}

/// Removes the folders whose owners are gone. Returns how many there were.
pub fn sweep() -> io::Result<usize> {
    let mut swept = 0;
    for entry in fs::read_dir(std::env::temp_dir())? {
        let path = entry?.path();
        if owner(&path)
            .is_some_and(|owner| test_kill_process(owner) == Err(rustix::io::Errno::SRCH))
        {
            fs::remove_dir_all(&path)?;
            swept += 1;
        }
    }
    Ok(swept)
}

fn owner(path: &Path) -> Option<Pid> {
    let rest = path.file_name()?.to_str()?.strip_prefix(PREFIX)?;
    Pid::from_raw(rest.split_once('-')?.0.parse().ok()?)
}
