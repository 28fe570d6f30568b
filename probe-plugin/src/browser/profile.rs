//! The folder that a browser keeps its profile and its temporary files in, and the sweep of those that a killed probe left
//! behind.

use std::{fs, io, path::Path};

use rustix::process::{Pid, Signal, getpgid, kill_process_group};

use crate::own_folder::{self, OwnFolder};

const PREFIX: &str = "vigia-chromium-";

/// A new folder for a browser.
pub fn create() -> io::Result<OwnFolder> {
    OwnFolder::create(PREFIX)
}

/// Ends the browsers whose owners are gone, removes their folders and returns how many there were.
pub fn sweep() -> io::Result<usize> {
    own_folder::sweep(PREFIX, end_browsers_of)
}

/// A browser ends with its owner, unless it was hung or stopped at that time.
fn end_browsers_of(folder: &Path) {
    let Ok(entries) = fs::read_dir("/proc") else {
        return;
    };
    let argument = user_data_dir(folder);
    let processes = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    for process in processes.filter_map(Pid::from_raw) {
        let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        if line.split(|&byte| byte == 0).any(|word| word == argument.as_bytes())
            && let Ok(group) = getpgid(Some(process))
            // A browser leads a group of its own: never a group that something else leads.
            && group == process
        {
            // It may end by itself at this moment.
            kill_process_group(group, Signal::KILL).ok();
        }
    }
}

/// The argument that gives a browser its folder.
pub fn user_data_dir(folder: &Path) -> String {
    format!("--user-data-dir={}", folder.display())
}
