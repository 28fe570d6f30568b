//! What Telegraf's execd promises and expects.

use vigia_testbed::portal::Portal;

use crate::running::{JOURNEY, Running, Setting, browser_table};

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
    let probe = Running::start(&setting);
    let point = probe.next("probe");
    assert_eq!(point.tag("probe").as_deref(), Some("prueba"));
    assert_eq!(point.integer("journeys"), Some(1));
    assert!(point.integer("resident_bytes").unwrap() > 0);
    probe.stop();
}
