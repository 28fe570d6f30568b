//! Where the browser is, when the operator does not say, and what stands where he says that it is.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Debian's own places. The programs in `/usr/bin` are shell wrappers that do not hand over their process; these are the
/// programs themselves.
const PLACES: [&str; 2] = [
    "/usr/lib/chromium/chromium-headless-shell",
    "/usr/lib/chromium/chromium",
];

/// The names under which other systems put it on PATH, the lightest first.
const NAMES: [&str; 5] = [
    "chromium-headless-shell",
    "chrome-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
];

/// The first one that is there; a headless shell has no windows.
pub fn find(with_windows: bool) -> Option<PathBuf> {
    let has_windows = |name: &str| !(with_windows && name.contains("headless-shell"));
    let mut places = PLACES.iter().filter(|place| has_windows(place));
    places
        .find(|place| is_program(Path::new(place)))
        .map(PathBuf::from)
        .or_else(|| {
            let mut names = NAMES.iter().filter(|name| has_windows(name));
            names.find_map(|name| on_path(name))
        })
}

/// A program by its name alone.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|place| is_program(place))
}

/// Whether it is a file that may be started.
pub fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

/// What is wrong with a program that the system would not start.
pub fn what_is_wrong(program: &Path, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied if program.is_dir() => "it is a folder".into(),
        io::ErrorKind::PermissionDenied if program.is_file() && !is_program(program) => {
            "it is not executable".into()
        }
        io::ErrorKind::NotFound if program.is_file() => {
            "the interpreter or the loader that it asks for is not there".into()
        }
        _ => error.to_string(),
    }
}
