//! Finds the programs that are not ours: on PATH first, then where `make setup` puts them.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::repository;

/// A program that the testbed runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// The database.
    Influxd,
    /// The agent that starts the probe.
    Telegraf,
    /// The mail server.
    Exim,
    /// What reads mails back over IMAP.
    Dovecot,
    /// The Matrix homeserver.
    Synapse,
    /// The database that two sidecars can share.
    Postgres,
    /// What kills a program at a system call of one's choice.
    Strace,
    /// What lets a program see another clock: a library that is loaded before its own.
    Faketime,
    /// The browser, without a window where there is a choice.
    Chromium,
    /// A screen that nobody needs to have.
    Xvfb,
    /// What runs the robots of others, and Grafana's own types.
    Node,
    /// Selenium's way to Chromium.
    ChromeDriver,
    /// Python's test runner, with Selenium beside it.
    Pytest,
    /// JavaScript's test runner of `examples/external-playwright`.
    Playwright,
    /// What works the reports' numbers out a second time.
    Python,
    /// What reads a PDF aloud, as it were: its text in its order.
    PdfToText,
    /// A store that speaks S3.
    Moto,
    /// What boots a clean machine in a folder.
    Nspawn,
    /// What says which libraries a package needs.
    DpkgShlibdeps,
    /// Debian's own critic of packages.
    Lintian,
    /// What builds images without a service.
    Buildah,
    /// What the Compose specification's own library makes of a file.
    ComposeSpec,
    /// What tells Alertmanager's webhooks to people in IRC.
    IrcRelay,
    /// What Vigía's messages are held against; only the set-up for benchmarks gets it.
    Alertmanager,
}

impl Program {
    /// The names of its executable, the preferred one first.
    #[must_use]
    pub const fn executables(self) -> &'static [&'static str] {
        match self {
            Self::Influxd => &["influxd"],
            Self::Telegraf => &["telegraf"],
            // Debian's heavy and light builds both carry this name.
            Self::Exim => &["exim4"],
            Self::Dovecot => &["vigia-dovecot"],
            Self::Synapse => &["vigia-synapse"],
            Self::Postgres => &["postgres"],
            Self::Strace => &["strace"],
            Self::Faketime => &["libfaketime.so.1"],
            Self::Chromium => &["chromium-headless-shell", "chromium"],
            Self::Xvfb => &["Xvfb"],
            Self::Node => &["node"],
            Self::ChromeDriver => &["chromedriver"],
            // Debian's name of it.
            Self::Pytest => &["pytest-3"],
            Self::Playwright => &["playwright"],
            Self::Python => &["python3"],
            Self::PdfToText => &["pdftotext"],
            Self::Moto => &["moto_server"],
            Self::Nspawn => &["systemd-nspawn"],
            Self::DpkgShlibdeps => &["dpkg-shlibdeps"],
            Self::Lintian => &["lintian"],
            Self::Buildah => &["buildah"],
            Self::ComposeSpec => &["compose-spec"],
            Self::IrcRelay => &["alertmanager-irc-relay"],
            Self::Alertmanager => &["vigia-alertmanager"],
        }
    }

    /// Where it is, if it is on this machine.
    #[must_use]
    pub fn find(self) -> Option<PathBuf> {
        let on_path = env::var_os("PATH").unwrap_or_default();
        let mut folders: Vec<PathBuf> = env::split_paths(&on_path).collect();
        folders.extend(set_up_folders());
        folders.extend(folders_in("/usr/lib/postgresql", "bin"));
        folders.extend(folders_in("/usr/lib", "faketime"));
        folders.push(repository::path(
            "examples/external-playwright/node_modules/.bin",
        ));
        self.executables().iter().find_map(|name| {
            folders
                .iter()
                .map(|folder| folder.join(name))
                .find(|path| path.is_file())
        })
    }

    /// Where it is, or what to do about its absence.
    pub fn path(self) -> Result<PathBuf> {
        let name = self.executables()[0];
        self.find()
            .with_context(|| format!("no `{name}` on this machine\nhint: run `make setup`"))
    }
}

/// `<cache>/vigia/servers/<name>-<version>/`, the newest version first.
fn set_up_folders() -> Vec<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")));
    let Some(cache) = cache else {
        return Vec::new();
    };
    let mut folders: Vec<PathBuf> = fs::read_dir(cache.join("vigia/servers"))
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    folders.sort();
    folders.reverse();
    folders
}

/// Where Debian puts what is on nobody's PATH: PostgreSQL by its version, libraries by the machine's kind; the newest version
/// first.
fn folders_in(parent: &str, name: &str) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join(name)))
        .collect();
    folders.sort();
    folders.reverse();
    folders
}

/// Whether a test can run here: says so and gives false where a program is missing.
///
/// Where `CI=true` nothing may be skipped, and a missing program is a panic.
#[must_use]
pub fn requires(programs: &[Program]) -> bool {
    let missing = programs.iter().find(|program| program.find().is_none());
    missing.is_none_or(|missing| skipped(missing.executables()[0]))
}

/// The same for what the set-up puts somewhere else, for example packages of npm.
#[must_use]
pub fn requires_file(path: &Path) -> bool {
    path.exists() || skipped(&path.display().to_string())
}

#[expect(
    clippy::print_stderr,
    reason = "the reader of a test's output is to see why it did nothing"
)]
fn skipped(missing: &str) -> bool {
    assert!(
        env::var("CI").as_deref() != Ok("true"),
        "no {missing} (run make setup), and CI=true lets no test be skipped"
    );
    eprintln!("skipped: no {missing} (run make setup)");
    false
}
