//! Prints the page as PDF, with the Chromium that is on the machine: A4, with an outline, and tags for those who have it read
//! to them. It runs apart from everything: in a folder of its own, without the network, until its deadline at most.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use rustix::{
    io::Errno,
    process::{Pid, Signal, geteuid, kill_process_group},
};
use serde::Deserialize;
use tokio::{process::Command, time::timeout};
use vigia_contract::duration;

/// The table `[pdf]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The program; nothing looks on PATH for `chromium-headless-shell`, `chromium`, `google-chrome`.
    pub chromium: Option<PathBuf>,
    /// How long it may take: a hundred pages take two seconds, on a machine that is very busy more. Default `60s`.
    #[serde(default, deserialize_with = "duration::deserialize_some")]
    pub timeout: Option<Duration>,
}

/// The names that Debian and Google give it, the lightest first.
const NAMES: [&str; 4] = [
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
];

const DEADLINE: Duration = Duration::from_mins(1);

/// Why there is no PDF.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    /// There is no browser.
    #[error(
        "there is no Chromium to print with\nhint: install `chromium-headless-shell`, or name the program as chromium under [pdf]"
    )]
    Missing,
    /// Its files could not be written or read, or it could not be started.
    #[error("failed to print the PDF: {0}")]
    Io(#[from] io::Error),
    /// It ended without one.
    #[error("Chromium made no PDF: {0}")]
    Failed(String),
    /// It did not end.
    #[error(
        "Chromium did not print the PDF within {0:?}\nhint: give it longer with timeout under [pdf]"
    )]
    TooLong(Duration),
}

/// Ends everything that was started, however this ends.
struct Group(Pid);

impl Drop for Group {
    fn drop(&mut self) {
        // Most of the time all of them have ended by themselves.
        if let Err(error) = kill_process_group(self.0, Signal::KILL)
            && error != Errno::SRCH
        {
            tracing::warn!(%error, "what printed a report could not be ended");
        }
    }
}

/// Prints this page.
pub async fn print(settings: &Settings, html: &str) -> Result<Vec<u8>, PrintError> {
    let program = match &settings.chromium {
        Some(program) => program.clone(),
        None => find().ok_or(PrintError::Missing)?,
    };
    let folder = tempfile::tempdir()?;
    let (page, pdf, log) = (
        folder.path().join("report.html"),
        folder.path().join("report.pdf"),
        folder.path().join("log"),
    );
    fs::write(&page, html)?;
    let mut command = Command::new(&program);
    command
        .args([
            "--headless",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-extensions",
            "--no-first-run",
            // Nothing on the page is to be asked for anywhere; that nothing runs is said by the page's own policy, because
            // Chromium prints by a script of its own.
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--no-pdf-header-footer",
            "--export-tagged-pdf",
            "--generate-pdf-document-outline",
        ])
        .arg(option("--user-data-dir=", &folder.path().join("profile")))
        .arg(option("--print-to-pdf=", &pdf))
        .env_clear()
        .env("HOME", folder.path())
        .env("TMPDIR", folder.path())
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(&log)?)
        .process_group(0)
        .kill_on_drop(true);
    if geteuid().is_root() {
        // Chromium refuses to run with its sandbox as root.
        command.arg("--no-sandbox");
    }
    let mut browser = command.arg(&page).spawn()?;
    let id = browser.id().and_then(|id| i32::try_from(id).ok());
    let group = id.and_then(Pid::from_raw).map(Group);
    let deadline = settings.timeout.unwrap_or(DEADLINE);
    let ended = timeout(deadline, browser.wait()).await;
    drop(group);
    if ended.is_err() {
        browser.wait().await?;
        return Err(PrintError::TooLong(deadline));
    }
    match fs::read(&pdf) {
        Ok(printed) if is_whole(&printed) => Ok(printed),
        _ => Err(PrintError::Failed(last_words(&log))),
    }
}

fn option(name: &str, path: &Path) -> std::ffi::OsString {
    let mut option = std::ffi::OsString::from(name);
    option.push(path);
    option
}

fn find() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    NAMES.iter().find_map(|name| {
        env::split_paths(&path)
            .map(|folder| folder.join(name))
            .find(|program| program.is_file())
    })
}

/// Whether this begins and ends as a PDF does: ISO 32000-1, 7.5.
fn is_whole(pdf: &[u8]) -> bool {
    pdf.starts_with(b"%PDF-") && pdf.trim_ascii_end().ends_with(b"%%EOF")
}

/// What it said last, in a line.
fn last_words(log: &Path) -> String {
    let said = fs::read(log).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let line = said.lines().rev().find(|line| !line.trim().is_empty());
    line.map_or_else(
        || "it said nothing".to_owned(),
        |line| line.chars().take(300).collect(),
    )
}
