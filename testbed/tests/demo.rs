//! The demo's walk with all the real parts, and what is left of it however it ends.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the message, in its helpers too"
)]

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use vigia_testbed::{
    mailbox::Mailbox,
    servers::{Program, requires},
    until::until,
};

const PARTS: [Program; 4] = [
    Program::Influxd,
    Program::Telegraf,
    Program::Exim,
    Program::Chromium,
];
/// What the promise is, from the end of the failing run to the mail in the mailbox.
const PROMISED_SECONDS: f64 = 5.0;

fn demo(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vigia-demo"));
    command.arg("--folder").arg(folder);
    command
}

#[test]
fn a_fault_brings_a_mail_with_a_picture_and_healing_it_a_recovery_in_the_same_thread() {
    if !requires(&PARTS) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();

    let output = demo(folder.path()).arg("--once").output().unwrap();

    let told = String::from_utf8(output.stdout).unwrap();
    let complaints = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}\n{complaints}");

    let mut mails = Mailbox::create(&folder.path().join("state/mail/maildir"))
        .unwrap()
        .mails()
        .unwrap();
    mails.reverse();
    let [failure, recovery] = mails.as_slice() else {
        panic!("{} mails instead of two:\n{told}", mails.len());
    };
    assert!(
        failure.subject.contains("Buscar expediente"),
        "{}",
        failure.subject
    );
    assert_eq!(failure.in_reply_to, None);
    assert_eq!(recovery.in_reply_to, failure.message_id);
    assert_eq!(recovery.references.first(), failure.message_id.as_ref());
    assert!(failure.message_id.is_some());

    for (number, mail) in [(1, failure), (2, recovery)] {
        let path = |name: &str| folder.path().join(format!("mails/{number:02}{name}"));
        assert_eq!(fs::read(path(".eml")).unwrap(), mail.raw);
        let picture = image::open(path("-1.png")).unwrap();
        assert!(
            picture.width() >= 800 && picture.height() >= 400,
            "a picture too small to be read"
        );
    }
    let points = fs::read_to_string(folder.path().join("points.influx")).unwrap();
    for journey in ["consultar-tramite", "presentar-solicitud"] {
        let written = points.lines().any(|point| {
            point.starts_with("journey,")
                && point.contains(journey)
                && point.contains("result=\"ok\"")
        });
        assert!(written, "no good run of {journey} was written");
    }

    let promise = told
        .lines()
        .find_map(|line| {
            line.trim()
                .strip_prefix("from end of the failing run to mail in the mailbox: ")
        })
        .unwrap_or_else(|| panic!("the timeline lacks the promise:\n{told}"));
    let seconds: f64 = promise.strip_suffix(" s").unwrap().parse().unwrap();
    assert!(seconds < PROMISED_SECONDS, "{told}");
}

/// A demo that has become healthy, and everything that runs because of it.
struct Running {
    demo: Child,
    /// Kept open: a demo that tells somebody who has gone would fail.
    told: BufReader<ChildStdout>,
    family: BTreeMap<i32, String>,
}

impl Running {
    fn start(folder: &Path) -> Self {
        let mut demo = demo(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = BufReader::new(demo.stdout.take().unwrap());
        let mut line = String::new();
        // It ends by itself at its own deadline where it does not become healthy.
        while !line.starts_with("healthy:") {
            line.clear();
            if told.read_line(&mut line).unwrap() == 0 {
                let mut complaints = String::new();
                demo.stderr
                    .take()
                    .unwrap()
                    .read_to_string(&mut complaints)
                    .unwrap();
                panic!("the demo did not become healthy: {complaints}");
            }
        }
        let family = family(demo.id().try_into().unwrap());
        Self { demo, told, family }
    }

    fn kill(&self, name: &str, signal: Signal) {
        let (&id, _) = self
            .family
            .iter()
            .find(|(_, command)| command.contains(name))
            .unwrap_or_else(|| panic!("no {name} among {:?}", self.family));
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    /// Waits until it and all that it started is gone.
    async fn gone(mut self) -> ExitStatus {
        let mut rest = String::new();
        self.told.read_to_string(&mut rest).unwrap();
        let status = self.demo.wait().unwrap();
        let gone = until(
            "everything of the demo to be gone",
            Duration::from_secs(10),
            async || self.family.keys().all(|&id| !is_alive(id)).then_some(()),
        );
        if gone.await.is_err() {
            self.family.retain(|&id, _| is_alive(id));
            panic!("these stayed behind: {:?}", self.family);
        }
        status
    }
}

/// A process and its descendants: their numbers and names.
fn family(root: i32) -> BTreeMap<i32, String> {
    let processes: Vec<(i32, i32, String)> = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| stat(entry.ok()?.file_name().to_str()?.parse().ok()?))
        .map(|(id, stat)| (id, stat.parent, stat.name))
        .collect();
    let mut family = BTreeMap::new();
    let mut wanted = vec![root];
    while let Some(parent) = wanted.pop() {
        for (id, of, name) in &processes {
            if *id == parent {
                family.insert(*id, name.clone());
            }
            if *of == parent {
                wanted.push(*id);
            }
        }
    }
    family
}

struct Stat {
    name: String,
    state: String,
    parent: i32,
}

/// proc(5): `number (name) state parent ...`; the name may hold anything, a parenthesis too.
fn stat(id: i32) -> Option<(i32, Stat)> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (before, after) = text.rsplit_once(')')?;
    let mut after = after.split_whitespace();
    let state = after.next()?.to_owned();
    let parent = after.next()?.parse().ok()?;
    let name = before.split_once('(')?.1.to_owned();
    Some((
        id,
        Stat {
            name,
            state,
            parent,
        },
    ))
}

/// A zombie is dead; to bury it is the business of the system's first process.
fn is_alive(id: i32) -> bool {
    stat(id).is_some_and(|(_, stat)| stat.state != "Z")
}

/// A part without which the demo has no sense: it says so and ends.
async fn check_that_the_demo_ends_without(name: &str) {
    if !requires(&PARTS) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path());
    running.kill(name, Signal::KILL);
    assert_eq!(running.gone().await.code(), Some(1));
}

#[tokio::test]
async fn a_killed_telegraf_ends_the_demo_and_nothing_stays_behind() {
    check_that_the_demo_ends_without("telegraf").await;
}

#[tokio::test]
async fn a_killed_influxdb_ends_the_demo_and_nothing_stays_behind() {
    check_that_the_demo_ends_without("influxd").await;
}

#[tokio::test]
async fn a_killed_alert_sidecar_ends_the_demo_and_nothing_stays_behind() {
    check_that_the_demo_ends_without("vigia-alert").await;
}

#[tokio::test]
async fn a_killed_mail_server_ends_the_demo_and_nothing_stays_behind() {
    check_that_the_demo_ends_without("unshare").await;
}

/// A part that Telegraf or the probe starts again: the demo goes on, and leaves nothing when it is told to end.
async fn check_that_the_demo_survives(name: &str) {
    if !requires(&PARTS) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path());
    running.kill(name, Signal::KILL);
    running.kill("vigia-demo", Signal::INT);
    assert_eq!(running.gone().await.code(), Some(0));
}

#[tokio::test]
async fn a_killed_probe_leaves_nothing_behind() {
    check_that_the_demo_survives("vigia-probe").await;
}

#[tokio::test]
async fn a_killed_browser_leaves_nothing_behind() {
    check_that_the_demo_survives("chrom").await;
}

#[tokio::test]
async fn a_killed_demo_leaves_nothing_behind_and_another_one_works_in_its_place() {
    if !requires(&PARTS) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path());
    let refused = demo(folder.path()).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let complaint = String::from_utf8(refused.stderr).unwrap();
    assert!(complaint.contains("another demo works in"), "{complaint}");

    running.kill("vigia-demo", Signal::KILL);
    assert_eq!(running.gone().await.code(), None);

    let second = Running::start(folder.path());
    second.kill("vigia-demo", Signal::INT);
    assert_eq!(second.gone().await.code(), Some(0));
}
