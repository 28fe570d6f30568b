//! Chromium: one warm browser, driven over a pipe, and a fresh page of it for every run.

mod authorities;
mod certified;
mod connection;
mod console;
mod context;
mod find;
mod frames;
mod launch;
mod memory;
mod network;
mod page_state;
mod profile;
#[cfg(test)]
mod referee;
mod remains;
mod responses;
mod script;
mod snapshot;
mod spare;
mod traffic;
mod trail;
mod vitals;
mod warm;

use std::{num::NonZeroU32, path::PathBuf, time::Duration};

use serde::Deserialize;

pub use authorities::mistakes as mistakes_of_authorities;
pub use certified::Certified;
pub use connection::{CallError, Connection, Event, SessionId};
pub use context::{
    Acted, AddedHeaders, Area, Coming, Context, Credentials, DialogSurprise, DownloadedFile,
    EmulatedBrowser, Emulation, Evaluated, ExpectedDialog, Geolocation, Interception, Metrics,
    Named, Node, PageError, ProxyCredentials, ProxyServer, Scope, Speed, Touch, View,
};
pub use find::{is_program, what_is_wrong};
pub use frames::Frames;
pub use launch::{Chromium, LaunchError};
pub use memory::{resident_bytes, resident_bytes_of_group};
pub use page_state::{FileChooser, PageState};
pub use profile::sweep as sweep_profiles;
pub use responses::Response;
pub use script::{Answer, Function, Place};
pub use snapshot::{Seen, What};
pub use traffic::Traffic;
pub use trail::Trail;
pub use vitals::{Timings, Vitals};
pub use warm::WarmBrowser;

/// How the browser is started: the table `[browser]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BrowserSettings {
    /// The program; nothing looks for `chromium-headless-shell`, then `chromium`, where Debian keeps them and on PATH.
    pub program: Option<PathBuf>,
    /// Chromium's own sandbox. It needs user namespaces and cannot work for root.
    pub sandbox: bool,
    /// Files with certificates in PEM that vouch for servers, beside those that the browser knows: an organisation's own.
    pub extra_ca: Vec<PathBuf>,
    /// With a window that a person sees; only for `try`.
    #[serde(skip)]
    pub headed: bool,
    /// How long its start may take: 0.2 s on an idle machine, several seconds on a starved one.
    #[serde(deserialize_with = "vigia_contract::duration::deserialize")]
    pub launch_timeout: Duration,
    /// After so many runs a new browser takes over: what a page leaks is gone with the old one.
    pub recycle_after_runs: NonZeroU32,
    /// A browser that is older than this is replaced before the next run.
    #[serde(deserialize_with = "vigia_contract::duration::deserialize")]
    pub recycle_after: Duration,
    /// A browser whose processes take more than so many million bytes together is replaced before the next run; it is the
    /// field `browser_resident_bytes` of the probe's point. What the processes share counts for each of them.
    pub recycle_above_mb: NonZeroU32,
}

impl Default for BrowserSettings {
    fn default() -> Self {
        Self {
            program: None,
            sandbox: true,
            extra_ca: Vec::new(),
            headed: false,
            launch_timeout: Duration::from_secs(20),
            recycle_after_runs: const { NonZeroU32::new(500).expect("500 is not 0") },
            recycle_after: Duration::from_hours(6),
            recycle_above_mb: const { NonZeroU32::new(4000).expect("4000 is not 0") },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_file_shows_the_defaults() {
        let sample = include_str!("../../../examples/probe/probe.toml");
        let (_, table) = sample.split_once("[browser]").unwrap();
        let settings: Vec<&str> = table
            .lines()
            .filter_map(|line| line.strip_prefix("# "))
            .filter(|line| line.split(' ').nth(1) == Some("="))
            // What is looked for where it is left out has no one default.
            .filter(|line| !line.starts_with("program") && !line.starts_with("extra_ca"))
            .collect();
        assert_eq!(settings.len(), 5);
        assert_eq!(
            toml::from_str::<BrowserSettings>(&settings.join("\n")).unwrap(),
            BrowserSettings::default()
        );
    }
}
