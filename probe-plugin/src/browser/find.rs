//! Where the browser is, when the operator does not say.

use std::path::{Path, PathBuf};

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

/// The first one that is there.
pub fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = NAMES
        .iter()
        .flat_map(|name| std::env::split_paths(&path).map(move |folder| folder.join(name)));
    PLACES
        .iter()
        .map(PathBuf::from)
        .chain(on_path)
        .find(|place| is_program(place))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}
