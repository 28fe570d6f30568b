//! Where this repository lies, for what the testbed takes from it: the Telegraf drop-in, the examples.

use std::path::{Path, PathBuf};

/// A file or folder of the repository.
#[must_use]
pub fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(relative)
}
