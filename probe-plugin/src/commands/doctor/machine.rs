//! What the machine has: rights, fonts, memory, disks, a clock that is right.

use std::{fs, path::Path};

use super::{Finding, State};
use crate::browser::BrowserSettings;

/// A browser's profile and what it downloads; under this a disk is soon full.
const DISK_LOW_MB: u64 = 1000;

/// A browser does not even start with less.
const DISK_FULL_MB: u64 = 100;

/// What a browser with one page takes, and what each more takes: measured on the portal of the testbed, and more for pages
/// that are large.
const MEMORY_BASE_MB: u64 = 400;
const MEMORY_A_RUN_MB: u64 = 250;

/// Chromium's processes share pictures and pages there; the 64 MB that containers have are too few.
const SHARED_MEMORY_MB: u64 = 128;

/// Where fontconfig looks, on Debian.
const FONT_FOLDERS: [&str; 2] = ["/usr/share/fonts", "/usr/local/share/fonts"];

pub fn user(settings: &BrowserSettings) -> Finding {
    let id = rustix::process::geteuid();
    match (id.is_root(), settings.sandbox) {
        (false, _) => Finding::good("user", format!("number {}, who is not root", id.as_raw())),
        (true, true) => Finding::doubtful(
            "user",
            "root: the browser's sandbox cannot work",
            "look as the user that runs Telegraf: `sudo -u telegraf vigia-probe doctor ...`",
        ),
        (true, false) => Finding::doubtful(
            "user",
            "root, and the browser has no sandbox: a page that breaks out of it owns the machine",
            "run Telegraf as a user of its own and leave the sandbox on",
        ),
    }
}

pub fn fonts() -> Finding {
    let count: usize = FONT_FOLDERS
        .iter()
        .map(|folder| fonts_in(Path::new(folder), 0))
        .sum();
    if count == 0 {
        return Finding::bad(
            "fonts",
            "no font is installed: pictures show no text",
            "on Debian `apt-get install fonts-liberation fonts-noto-core`",
        );
    }
    Finding::good(
        "fonts",
        format!("{count} font files in {}", FONT_FOLDERS.join(" and ")),
    )
}

fn fonts_in(folder: &Path, depth: usize) -> usize {
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .map(|path| {
            if path.is_dir() && depth < 6 {
                fonts_in(&path, depth + 1)
            } else {
                let extension = path.extension().and_then(|extension| extension.to_str());
                usize::from(matches!(
                    extension,
                    Some("ttf" | "otf" | "ttc" | "pfb" | "woff2")
                ))
            }
        })
        .sum()
}

pub fn memory(max_concurrent: usize) -> Finding {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let available = text
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))
        .and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    let Some(free_mb) = available.map(|kilobytes| kilobytes / 1024) else {
        return Finding::doubtful("memory", "/proc/meminfo cannot be read", "mount /proc");
    };
    let needed_mb = MEMORY_BASE_MB + MEMORY_A_RUN_MB * max_concurrent as u64;
    let found =
        format!("{free_mb} MB are free; {max_concurrent} runs at once take about {needed_mb} MB");
    if free_mb < needed_mb {
        let hint = "give the machine more memory, or lower `max_concurrent`";
        return Finding::doubtful("memory", found, hint);
    }
    Finding::good("memory", found)
}

pub fn disk(what: &'static str, folder: &Path) -> Finding {
    let about = match rustix::fs::statvfs(nearest(folder)) {
        Ok(about) => about,
        Err(error) => {
            let found = format!("`{}` cannot be looked at: {error}", folder.display());
            return Finding::bad(
                what,
                found,
                "make the folder, and let this user write to it",
            );
        }
    };
    let free_mb = about.f_bavail * about.f_frsize / 1_000_000;
    let found = format!("{free_mb} MB are free at `{}`", folder.display());
    let state = match free_mb {
        ..DISK_FULL_MB => State::Bad,
        DISK_FULL_MB..DISK_LOW_MB => State::Doubtful,
        _ => return Finding::good(what, found),
    };
    Finding {
        state,
        ..Finding::doubtful(
            what,
            found,
            "make room, or point TMPDIR or [artifacts] elsewhere",
        )
    }
}

/// The folder itself, or the first one above it that is there.
fn nearest(folder: &Path) -> &Path {
    let there = folder.ancestors().find(|folder| folder.exists());
    there.unwrap_or(Path::new("/"))
}

pub fn writable(what: &'static str, folder: &Path) -> Finding {
    let written = fs::create_dir_all(folder).and_then(|()| {
        tempfile::Builder::new()
            .prefix(".doctor-")
            .tempfile_in(folder)
    });
    match written {
        Ok(_) => Finding::good(what, format!("`{}` can be written", folder.display())),
        Err(error) => Finding::bad(
            what,
            format!("`{}` cannot be written: {error}", folder.display()),
            format!(
                "as root: `install -d -m 0750 -o telegraf -g telegraf {}`",
                folder.display()
            ),
        ),
    }
}

pub fn shared_memory() -> Finding {
    let Ok(about) = rustix::fs::statvfs("/dev/shm") else {
        return Finding::bad(
            "/dev/shm",
            "it is not there",
            "mount a tmpfs on it: the browser's processes share pictures there",
        );
    };
    let mb = about.f_blocks * about.f_frsize / 1_000_000;
    let found = format!("{mb} MB");
    if mb < SHARED_MEMORY_MB {
        let hint = "pages crash with so little: start the container with `--shm-size=512m`";
        return Finding::doubtful("/dev/shm", found, hint);
    }
    Finding::good("/dev/shm", found)
}

/// Points of a clock that is wrong are judged at the wrong time. Which service keeps it right is the machine's own affair.
pub fn clock() -> Finding {
    let now = jiff::Timestamp::now();
    if Path::new("/run/systemd/timesync/synchronized").exists() {
        return Finding::good(
            "clock",
            format!("{now:.0}, kept right by systemd-timesyncd"),
        );
    }
    let daemon = [
        "chronyd",
        "ntpd",
        "openntpd",
        "ptp4l",
        "VBoxService",
        "vmtoolsd",
    ]
    .into_iter()
    .find(|name| runs(name));
    match daemon {
        Some(daemon) => Finding::good("clock", format!("{now:.0}, and {daemon} runs")),
        None => Finding::doubtful(
            "clock",
            format!("{now:.0}, and nothing was found that keeps it right"),
            "compare it with `date` elsewhere; in a container the host keeps it, else `apt-get install systemd-timesyncd`",
        ),
    }
}

fn runs(name: &str) -> bool {
    let Ok(entries) = fs::read_dir("/proc") else {
        return false;
    };
    entries
        .filter_map(|entry| fs::read_to_string(entry.ok()?.path().join("comm")).ok())
        .any(|comm| comm.trim_end() == name)
}
