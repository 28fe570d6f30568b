//! What Telegraf's execd promises and expects.

use std::{fs, process::Stdio, time::Instant};

use vigia_testbed::portal::{Fault, Portal, Switch};

use crate::running::{JOURNEY, Running, Setting, browser_table, until};

#[tokio::test(flavor = "multi_thread")]
async fn every_line_on_stderr_has_a_level_and_stdout_is_line_protocol_alone() {
    let portal = Portal::start().await.unwrap();
    let setting = Setting::new(JOURNEY, portal.url(), browser_table());
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    probe.run();

    let (status, points, stderr) = probe.stop();

    assert!(status.success());
    for point in &points {
        // Parsing panics at anything else.
        point.measurement();
    }
    for line in stderr.lines() {
        assert!(
            ["E! ", "W! ", "I! ", "D! "]
                .iter()
                .any(|level| line.starts_with(level)),
            "{line}"
        );
    }
}

#[test]
fn a_configuration_with_mistakes_ends_the_probe_with_all_of_them_on_stderr() {
    let setting = Setting::new("system = \"x\"\n", "https://t.example", "");
    let (status, points, stderr) = Running::start(&setting).wait();
    assert_eq!(status.code(), Some(1));
    assert!(points.is_empty());
    assert!(
        stderr.lines().all(|line| line.starts_with("E! ")),
        "{stderr}"
    );
    assert!(stderr.contains("`impact` is missing"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_probe_tells_about_itself() {
    let portal = Portal::start().await.unwrap();
    let setting = Setting::new(JOURNEY, portal.url(), browser_table());
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    let before = probe.next("probe");
    assert_eq!(before.integer("browser_resident_bytes"), None);
    let mut point = probe.next("probe");
    // On a starved machine a run may take longer than it is from point to point.
    while point.integer("runs") == Some(0) {
        point = probe.next("probe");
    }
    assert_eq!(point.tag("probe").as_deref(), Some("prueba"));
    assert_eq!(point.integer("journeys"), Some(1));
    assert_eq!(point.integer("runs"), Some(1));
    assert_eq!(point.integer("browser_starts"), Some(1));
    assert_eq!(point.integer("unreadable_messages"), Some(0));
    assert_eq!(point.integer("queued"), Some(0));
    assert!(
        point.integer("browser_resident_bytes").unwrap() > point.integer("resident_bytes").unwrap()
    );
    assert!(point.integer("resident_bytes").unwrap() > 0);
    probe.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_telegraf_that_does_not_read_cannot_keep_the_probe_from_ending() {
    let portal = Portal::start().await.unwrap();
    portal.set_fault(Fault::ServerError, Switch::On);
    let setting = Setting::new(JOURNEY, portal.url(), browser_table());
    // Two pictures are more than a pipe holds.
    let other = JOURNEY.replace("name = \"consultar-tramite\"", "name = \"otra-vez\"");
    fs::write(setting.path().join("journeys/other.toml"), other).unwrap();
    let mut child = setting
        .command("run")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, b"\n").unwrap();
    let kept = |name: &str| setting.artifacts().join("tramites").join(name).exists();
    until("both runs", || {
        kept("consultar-tramite") && kept("otra-vez")
    });

    let stopped = Instant::now();
    drop(stdin);

    until("the probe's end", || child.try_wait().unwrap().is_some());
    assert!(
        stopped.elapsed().as_secs() < 5,
        "Telegraf sends SIGTERM after 5 s"
    );
    assert_eq!(setting.profiles(), Vec::<std::path::PathBuf>::new());
}
