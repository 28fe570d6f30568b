//! Everything that can be wrong with the browser: never the system's fault, and nothing stays behind.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use vigia_testbed::portal::{Fault, Portal, Switch};

use crate::running::{JOURNEY, Running, Setting, browser_table, members, until};

/// A journey whose search never ends, so that there is time to do something to its browser.
async fn held_up() -> (Portal, Setting, Running, Pid) {
    let portal = Portal::start().await.unwrap();
    portal.set_fault(Fault::NeverEnds, Switch::On);
    let journey = JOURNEY.replace("action_timeout = \"3s\"", "action_timeout = \"20s\"");
    let setting = Setting::new(&journey, portal.url(), browser_table());
    let mut probe = Running::start(&setting);
    probe.ask_for_points();
    until("the search to be asked for", || {
        portal.requests_held_up() > 0
    });
    let browser = setting.browser_group().unwrap();
    (portal, setting, probe, Pid::from_raw(browser).unwrap())
}

fn left_of(browser: Pid) -> Vec<i32> {
    members(browser.as_raw_nonzero().get())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_browser_a_run_is_unmeasured_and_says_what_to_install() {
    let portal = Portal::start().await.unwrap();
    let setting = Setting::new(
        JOURNEY,
        portal.url(),
        "[browser]\nprogram = \"/nowhere/chromium\"",
    );
    let mut probe = Running::start(&setting);
    probe.ask_for_points();

    let run = probe.run();

    assert_eq!(run.journey.text("result"), Some("unmeasured"));
    assert_eq!(
        (run.journey.integer("ok"), run.journey.integer("valid")),
        (Some(0), Some(0))
    );
    assert_eq!(run.journey.text("error_class"), Some("browser"));
    assert_eq!(
        run.journey.text("error"),
        Some(
            "failed to start the browser `/nowhere/chromium`: No such file or directory (os error 2)"
        )
    );
    assert_eq!(run.journey.float("duration_ms"), None);
    probe.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_dies_at_its_start_is_told_with_its_last_words() {
    let portal = Portal::start().await.unwrap();
    let setting = Setting::new(
        JOURNEY,
        portal.url(),
        "[browser]\nprogram = \"./dying-browser\"",
    );
    let program = setting.path().join("dying-browser");
    std::fs::write(&program, "#!/bin/sh\necho the disk is full >&2\nexit 1\n").unwrap();
    std::fs::set_permissions(
        &program,
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let mut probe = Running::start(&setting);
    probe.ask_for_points();

    let run = probe.run();

    assert_eq!(
        run.journey.text("result"),
        Some("unmeasured"),
        "{}",
        run.journey.0
    );
    let told = run.journey.text("error").unwrap();
    assert!(told.ends_with("its last words: the disk is full"), "{told}");
    probe.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_hangs_makes_the_run_unmeasured_inside_its_deadline() {
    let (_portal, _setting, probe, browser) = held_up().await;

    kill_process_group(browser, Signal::STOP).unwrap();

    let run = probe.run();
    assert_eq!(
        run.journey.text("result"),
        Some("unmeasured"),
        "{}",
        run.journey.0
    );
    assert_eq!(
        run.journey.text("error"),
        Some("the browser hangs: it answers nothing")
    );
    probe.stop();
    until("the browser's end", || left_of(browser).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_that_is_killed_leaves_no_browser_and_the_next_one_sweeps_its_profile() {
    let (_portal, setting, probe, browser) = held_up().await;

    kill_process(probe.id(), Signal::KILL).unwrap();

    probe.wait();
    until("the browser's end", || left_of(browser).is_empty());
    assert_eq!(setting.profiles().len(), 1);
    let (status, _, stderr) = Running::start(&setting).stop();
    assert!(status.success());
    assert_eq!(
        setting.profiles(),
        Vec::<std::path::PathBuf>::new(),
        "{stderr}"
    );
    assert!(stderr.contains("I! removed 1 browser profiles"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_in_the_middle_of_a_run_the_probe_says_so_and_ends_in_time() {
    let (_portal, setting, probe, browser) = held_up().await;
    let stopped = std::time::Instant::now();

    let (status, points, stderr) = probe.stop();

    // Telegraf sends SIGTERM after 5 s.
    assert!(stopped.elapsed() < Duration::from_secs(4));
    assert!(status.success(), "{stderr}");
    let journey = points
        .iter()
        .find(|point| point.measurement() == "journey")
        .unwrap();
    assert_eq!(journey.text("result"), Some("unmeasured"));
    assert_eq!(
        journey.text("error"),
        Some("the probe was stopped in the middle of the run")
    );
    until("the browser's end", || left_of(browser).is_empty());
    assert_eq!(setting.profiles(), Vec::<std::path::PathBuf>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_browser_says_and_nobody_can_read_is_counted_and_breaks_nothing() {
    let portal = Portal::start().await.unwrap();
    let more = browser_table().to_owned() + "\nprogram = \"./babbling-browser\"";
    let setting = Setting::new(JOURNEY, portal.url(), &more);
    let program = setting.path().join("babbling-browser");
    // The real one, after two messages that are none.
    std::fs::write(
        &program,
        "#!/bin/sh\nprintf 'what\\000{\"id\":\\000' >&4\nexec /usr/lib/chromium/chromium-headless-shell \"$@\"\n",
    )
    .unwrap();
    std::fs::set_permissions(
        &program,
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let mut probe = Running::start(&setting);
    probe.ask_for_points();

    let run = probe.run();

    assert_eq!(run.journey.integer("ok"), Some(1), "{}", run.journey.0);
    probe.ask_for_points();
    let point = probe.next("probe");
    assert_eq!(point.integer("unreadable_messages"), Some(2), "{}", point.0);
    probe.stop();
}
