//! Every fault of the system: the run fails, says at which step and why, and leaves the picture.

use vigia_testbed::portal::{Fault, Portal, Switch};

use crate::running::{JOURNEY, Running, Setting, browser_table};

/// Walks the journey with the fault on and holds what is told against what should be.
async fn check(fault: Fault, failed_step: &str, error_class: &str, error: &str) {
    let portal = Portal::start().await.unwrap();
    portal.set_fault(fault, Switch::On);
    let setting = Setting::new(JOURNEY, portal.url(), browser_table());
    let mut probe = Running::start(&setting);
    probe.ask_for_points();

    let run = probe.run();

    let point = &run.journey;
    assert_eq!(point.text("result"), Some("failed"), "{}", point.0);
    assert_eq!(
        (point.integer("ok"), point.integer("valid")),
        (Some(0), Some(1))
    );
    assert_eq!(point.text("failed_step"), Some(failed_step), "{}", point.0);
    assert_eq!(point.text("error_class"), Some(error_class), "{}", point.0);
    let told = point.text("error").unwrap();
    assert!(told.contains(&error.replace('"', "\\\"")), "told: {told}");
    // A failure is never a fast time.
    assert_eq!(point.float("duration_ms"), None);
    assert_eq!(run.steps.last().unwrap().float("duration_ms"), None);
    let picture = probe.next("journey_screenshot");
    assert_eq!(picture.text("run_id"), point.text("run_id"));
    let kept = setting
        .artifacts()
        .join(point.text("artifact").unwrap())
        .join("screenshot.jpg");
    assert!(kept.is_file(), "{}", kept.display());
    probe.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_500_is_told_with_its_status() {
    check(
        Fault::ServerError,
        "Buscar expediente",
        "http_status",
        "answered with HTTP status 500",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_element_that_is_gone_is_told_with_what_is_there_instead() {
    check(
        Fault::ElementMissing,
        "Buscar expediente",
        "element_missing",
        "`role=button[name='Buscar expediente']` matched nothing; there are no elements of role `button`",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_never_ends_is_a_timeout_of_the_system() {
    check(
        Fault::NeverEnds,
        "Buscar expediente",
        "timeout",
        "the next page did not arrive in time",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_in_the_pages_script_is_told_in_its_own_words() {
    check(
        Fault::ScriptError,
        "Buscar expediente",
        "element_missing",
        "catalogoDeOficinas is not defined",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_certificate_is_a_failure() {
    check(Fault::BadCertificate, "Ingresar", "tls", "ERR_CERT_").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blank_page_is_not_taken_for_a_good_one() {
    check(
        Fault::BlankPage,
        "Buscar expediente",
        "element_missing",
        "matched nothing",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_that_nobody_serves_is_told_as_a_connection_that_failed() {
    // A port that was free a moment ago.
    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let setting = Setting::new(JOURNEY, &format!("http://{gone}"), browser_table());
    let mut probe = Running::start(&setting);
    probe.ask_for_points();

    let run = probe.run();

    assert_eq!(
        run.journey.text("error_class"),
        Some("connect"),
        "{}",
        run.journey.0
    );
    assert_eq!(run.journey.text("result"), Some("failed"));
    probe.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_system_is_slow_and_recovers() {
    let portal = Portal::start().await.unwrap();
    portal.set_fault(Fault::Slow, Switch::On);
    let journey = JOURNEY.replace("action_timeout = \"3s\"", "action_timeout = \"15s\"");
    let setting = Setting::new(&journey, portal.url(), browser_table());
    let mut probe = Running::start(&setting);
    probe.ask_for_points();

    let run = probe.run();

    assert_eq!(
        run.journey.text("result"),
        Some("slow"),
        "{}",
        run.journey.0
    );
    probe.stop();
}
