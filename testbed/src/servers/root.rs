//! The root file system of a clean Debian, which `testbed/setup.sh --packages` makes.

use std::{env, path::PathBuf};

/// Where the set-up puts the root file system.
#[must_use]
pub fn archive() -> PathBuf {
    let cache = env::var_os("XDG_CACHE_HOME").map_or_else(
        || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cache"),
        PathBuf::from,
    );
    cache.join("vigia/servers/debian-root/root.tar")
}

/// Whether this user may make a machine or a container of it; in CI nothing may be skipped.
#[expect(
    clippy::print_stderr,
    reason = "the reader of a test's output is to see why it did nothing"
)]
#[must_use]
pub fn allowed() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        assert!(
            env::var("CI").as_deref() != Ok("true"),
            "only root can make a machine of a folder, and CI=true lets no test be skipped"
        );
        eprintln!("skipped: only root can make a machine of a folder");
    }
    root
}
