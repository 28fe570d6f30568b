//! Two programs, one store in PostgreSQL: one works, the other takes over, never both.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use vigia_testbed::servers::{PostgreSql, Program, requires};

use super::{
    scripted_smtp::{Act, Received, ScriptedSmtp},
    sidecar::{Sidecar, Stage, plain, shared_store},
};

const WAITS: &str = "this one takes over when that one ends";

/// What was told, and whether it says that it may be a repeat.
fn told(mails: &[Received]) -> Vec<(&str, bool)> {
    mails
        .iter()
        .map(|mail| {
            (
                mail.header("X-Vigia-Message").unwrap(),
                mail.header("X-Vigia-Repeat").is_some(),
            )
        })
        .collect()
}

#[tokio::test]
async fn of_two_sidecars_one_works_and_the_other_takes_over_when_it_dies_or_hangs() {
    if !requires(&[Program::Influxd, Program::Postgres]) {
        return;
    }
    let stage = Stage::new().await;
    let smtp = ScriptedSmtp::start(&[Act::HoldRecipient]).await;
    let server = PostgreSql::start(&stage.folder.path().join("postgresql"))
        .await
        .unwrap();
    let config = stage.configure_with(&shared_store(&server), &plain(smtp.port));
    let first = Sidecar::start(&config).await;
    let second = Sidecar::spawn(&config);
    second.wait_for_log(WAITS).await;

    // The first hangs in the middle of a message; the second repeats it.
    stage.run_ends("consultar-tramite", "failed", "r1").await;
    stage.run_ends("consultar-tramite", "failed", "r2").await;
    smtp.wait_for_command("RCPT").await;
    first.signal(Signal::STOP);
    let hung = Instant::now();
    second.wait_for_log("watching").await;
    assert!(
        hung.elapsed() < Duration::from_secs(10),
        "{:?}",
        hung.elapsed()
    );
    smtp.wait_for(1).await;
    smtp.go_on();
    // It wakes up in the middle of the message, which the server would now take.
    first.signal(Signal::CONT);
    first.wait_for_log("another vigia-alert took over").await;
    first.wait_for_log(WAITS).await;
    assert_eq!(told(&smtp.mails()), [("opened", true)]);

    // The second dies; the first, which was replaced, takes over in its turn.
    second.end(Signal::KILL).await;
    let dead = Instant::now();
    stage.run_ends("consultar-tramite", "ok", "r3").await;
    smtp.wait_for(2).await;
    assert!(
        dead.elapsed() < Duration::from_secs(10),
        "{:?}",
        dead.elapsed()
    );

    // One that ends properly leaves its place at once.
    let third = Sidecar::spawn(&config);
    third.wait_for_log(WAITS).await;
    assert_eq!(first.end(Signal::TERM).await, Some(0));
    let left = Instant::now();
    third.wait_for_log("watching").await;
    assert!(
        left.elapsed() < Duration::from_secs(3),
        "{:?}",
        left.elapsed()
    );
    assert_eq!(told(&smtp.mails()), [("opened", true), ("closed", false)]);
}
