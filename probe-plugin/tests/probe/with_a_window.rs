//! `vigia-probe try --headed`: what a person at a screen sees, looked at on a real X server that has no screen.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;
use vigia_testbed::servers::{Program, process, requires, requires_file};

use crate::{
    running::{Setting, browser_table, until},
    site::{Reply, journey, serve},
};

/// An X server that draws into a file; it ends with this value.
struct Screen {
    child: Child,
    display: String,
    folder: TempDir,
}

impl Screen {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = process::tied(&Program::Xvfb.path().unwrap())
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "1400x1000x24",
                "-nolisten",
                "tcp",
                "-fbdir",
            ])
            .arg(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut number = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut number).unwrap();
        Self {
            child,
            display: format!(":{}", number.trim()),
            folder,
        }
    }

    /// How many of the screen's pixels have this colour.
    fn shows(&self, color: [u8; 3]) -> usize {
        let dump = fs::read(self.folder.path().join("Xvfb_screen0")).unwrap();
        // XWDFile.h: the header's numbers are big-endian; its size, its 20th number of colours of 12 bytes, then the pixels.
        let number = |index: usize| {
            let bytes = dump[index * 4..][..4].try_into().unwrap();
            usize::try_from(u32::from_be_bytes(bytes)).unwrap()
        };
        let pixels = &dump[number(0) + number(19) * 12..];
        let [red, green, blue] = color;
        let is_little_endian = number(7) == 0;
        let wanted = if is_little_endian {
            [blue, green, red]
        } else {
            [red, green, blue]
        };
        let colors = pixels.chunks_exact(4).map(|pixel| {
            if is_little_endian {
                &pixel[..3]
            } else {
                &pixel[1..]
            }
        });
        colors.filter(|color| *color == wanted).count()
    }

    /// For whoever wants to look: `KEEP_PICTURES=FOLDER`.
    fn keep_for_a_look(&self, name: &str) {
        if let Some(folder) = std::env::var_os("KEEP_PICTURES") {
            let from = self.folder.path().join("Xvfb_screen0");
            fs::copy(from, Path::new(&folder).join(name)).unwrap();
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

const FIRST: [u8; 3] = [12, 120, 60];
const SECOND: [u8; 3] = [150, 30, 90];

/// More than anything else on the screen has of a colour.
const MUCH: usize = 400_000;

fn page([red, green, blue]: [u8; 3]) -> Reply {
    Reply::page(format!(
        "<body style='background:rgb({red},{green},{blue});color:white'>Bienvenido"
    ))
}

/// Where Debian has the Chromium that has windows.
const CHROMIUM: &str = "/usr/bin/chromium";

#[test]
fn a_person_sees_each_step_in_a_window_and_says_when_the_next_one_begins() {
    if !requires(&[Program::Xvfb]) || !requires_file(Path::new(CHROMIUM)) {
        return;
    }
    let screen = Screen::start();
    let site = serve(|path| page(if path == "/segunda" { SECOND } else { FIRST }));
    let steps = "[[step]]\nname = \"Seguir\"\nactions = [{ goto = '${portal}/segunda' }]
        [[step]]\nname = \"Mirar\"\nactions = [{ expect = { text = 'Bienvenido' } }]\n";
    let first = journey("{ goto = '${portal}/' }, { expect = { text = 'Bienvenido' } }");
    let setting = Setting::new(&format!("{first}{steps}"), &site, browser_table());
    let mut terminal = in_a_terminal(
        setting
            .command("try")
            .arg(setting.path().join("journeys/journey.toml"))
            .args(["--headed", "--step", "--slow-mo", "50ms"]),
        &screen,
    );
    let mut keyboard = terminal.stdin.take().unwrap();
    let mut press_enter = || keyboard.write_all(b"\n").unwrap();

    press_enter();
    until("the first page on the screen", || {
        screen.shows(FIRST) > MUCH
    });
    screen.keep_for_a_look("first.xwd");
    press_enter();
    until("the second page on the screen", || {
        screen.shows(SECOND) > MUCH
    });
    screen.keep_for_a_look("second.xwd");
    press_enter();

    let output = terminal.wait_with_output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}");
    for asked in ["Enter: Usar", "Enter: Seguir", "Enter: Mirar"] {
        assert!(told.contains(asked), "no {asked} in {told}");
    }
}

/// With a terminal of its own on that screen; what is written into its stdin is typed there.
fn in_a_terminal(command: &Command, screen: &Screen) -> Child {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<String> = words
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    let set = command.get_envs();
    let set = set.filter_map(|(name, value)| Some((name, value?)));
    process::tied(Path::new("script"))
        .args(["-qec", &words.join(" "), "/dev/null"])
        .envs(set)
        .env("DISPLAY", &screen.display)
        .env_remove("WAYLAND_DISPLAY")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}
