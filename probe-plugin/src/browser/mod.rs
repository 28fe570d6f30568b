//! Chromium: one warm browser, driven over a pipe, and a fresh page of it for every run.

mod connection;
mod console;
mod context;
mod find;
mod frames;
mod launch;
mod page_state;
mod profile;
mod responses;
mod script;
mod traffic;
mod warm;

use std::path::PathBuf;

use serde::Deserialize;

pub use connection::{CallError, Connection, SessionId};
pub use context::{Context, DialogAnswer, Evaluated, PageError};
pub use frames::Frames;
pub use launch::{Chromium, LaunchError};
pub use page_state::PageState;
pub use profile::sweep as sweep_profiles;
pub use responses::Response;
pub use script::{Answer, Function, Place};
pub use traffic::Traffic;
pub use warm::WarmBrowser;

/// How the browser is started: the table `[browser]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BrowserSettings {
    /// The program; nothing looks for `chromium-headless-shell`, then `chromium`, where Debian keeps them and on PATH.
    pub program: Option<PathBuf>,
    /// Chromium's own sandbox. It needs user namespaces and cannot work for root.
    pub sandbox: bool,
    /// After so many runs a new browser takes over: what a page leaks is gone with the old one.
    pub recycle_after_runs: u32,
}

impl Default for BrowserSettings {
    fn default() -> Self {
        Self {
            program: None,
            sandbox: true,
            recycle_after_runs: 500,
        }
    }
}
