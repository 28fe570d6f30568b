//! Killed at any moment and started again: it neither forgets nor sends twice without saying so.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{
    scripted_smtp::{Act, Received, ScriptedSmtp},
    sidecar::{Sidecar, Stage},
};

fn kinds(mails: &[Received]) -> Vec<(&str, bool)> {
    let kind = |mail: &Received| mail.header("X-Vigia-Message").map(str::to_owned);
    mails
        .iter()
        .map(|mail| match kind(mail).as_deref() {
            Some("opened") => ("opened", mail.header("X-Vigia-Repeat").is_some()),
            Some("closed") => ("closed", mail.header("X-Vigia-Repeat").is_some()),
            other => panic!("a message of the kind {other:?}"),
        })
        .collect()
}

#[tokio::test]
async fn an_incident_survives_a_restart_and_is_not_told_again() {
    let stage = Stage::new().await;
    let smtp = ScriptedSmtp::start(&[]).await;
    let config = stage.configure_plain(smtp.port);

    let first = Sidecar::start(&config).await;
    stage.run_ends("consultar-tramite", "failed", "r1").await;
    stage.run_ends("consultar-tramite", "failed", "r2").await;
    first.wait_for_log("a message was accepted").await;
    first.end(Signal::KILL).await;
    let second = Sidecar::start(&config).await;
    stage.run_ends("consultar-tramite", "failed", "r3").await;
    stage.run_ends("consultar-tramite", "ok", "r4").await;
    second.wait_for_log("a message was accepted").await;

    assert_eq!(kinds(&smtp.mails()), [("opened", false), ("closed", false)]);
}

#[tokio::test]
async fn runs_before_and_after_a_kill_count_together() {
    let stage = Stage::new().await;
    let smtp = ScriptedSmtp::start(&[]).await;
    let config = stage.configure_plain(smtp.port);

    let first = Sidecar::start(&config).await;
    stage.run_ends("consultar-tramite", "failed", "r1").await;
    first.end(Signal::KILL).await;
    stage.run_ends("consultar-tramite", "failed", "r2").await;
    let second = Sidecar::start(&config).await;
    second.wait_for_log("a message was accepted").await;

    assert_eq!(kinds(&smtp.mails()), [("opened", false)]);
}

#[tokio::test]
async fn a_kill_while_the_server_has_the_mail_in_hand_repeats_it_once_and_marks_it() {
    let stage = Stage::new().await;
    let smtp = ScriptedSmtp::start(&[Act::StaySilentAfterMail]).await;
    let config = stage.configure_plain(smtp.port);

    let first = Sidecar::start(&config).await;
    stage.run_ends("consultar-tramite", "failed", "r1").await;
    stage.run_ends("consultar-tramite", "failed", "r2").await;
    smtp.wait_for(1).await;
    first.end(Signal::KILL).await;
    let second = Sidecar::start(&config).await;
    second.wait_for_log("a message was accepted").await;
    second.end(Signal::TERM).await;
    let third = Sidecar::start(&config).await;
    stage.run_ends("consultar-tramite", "ok", "r3").await;
    third.wait_for_log("a message was accepted").await;

    let mails = smtp.mails();
    assert_eq!(
        kinds(&mails),
        [("opened", false), ("opened", true), ("closed", false)]
    );
    assert_eq!(mails[0].header("Message-ID"), mails[1].header("Message-ID"));
}

#[tokio::test]
async fn asked_to_stop_it_stops_within_seconds_even_while_a_mail_server_hangs() {
    let stage = Stage::new().await;
    let smtp = ScriptedSmtp::start(&[Act::StaySilentAfterMail]).await;
    let sidecar = Sidecar::start(&stage.configure_plain(smtp.port)).await;

    stage.run_ends("consultar-tramite", "failed", "r1").await;
    stage.run_ends("consultar-tramite", "failed", "r2").await;
    smtp.wait_for(1).await;
    let asked = Instant::now();
    let status = sidecar.end(Signal::TERM).await;

    assert_eq!(status, Some(0));
    assert!(
        asked.elapsed() < Duration::from_secs(6),
        "{:?}",
        asked.elapsed()
    );
}

#[tokio::test]
async fn asked_to_stop_it_waits_for_no_answer_of_influxdb() {
    let stage = Stage::new().await;
    let smtp = ScriptedSmtp::start(&[]).await;
    let config = stage.configure_plain(smtp.port);
    let patient = std::fs::read_to_string(&config).unwrap();
    let patient = patient.replace("timeout = \"2s\"", "timeout = \"30s\"");
    std::fs::write(&config, patient).unwrap();
    let database = rustix::process::Pid::from_raw(stage.influxdb.process().id()).unwrap();
    rustix::process::kill_process(database, Signal::STOP).unwrap();

    let sidecar = Sidecar::spawn(&config);
    sidecar.wait_for_log("watching").await;
    let log = sidecar.log_file();
    let status = sidecar.end(Signal::TERM).await;
    rustix::process::kill_process(database, Signal::CONT).unwrap();

    assert_eq!(status, Some(0));
    let said = std::fs::read_to_string(log).unwrap();
    assert!(!said.contains("is still being sent"), "{said}");
}

#[tokio::test]
async fn two_sidecars_do_not_work_with_one_store() {
    let stage = Stage::new().await;
    let smtp = ScriptedSmtp::start(&[]).await;
    let config = stage.configure_plain(smtp.port);

    let _first = Sidecar::start(&config).await;
    let mut second = Sidecar::spawn(&config);

    assert_eq!(second.ended().await, Some(4));
    assert!(
        second
            .log()
            .contains("another vigia-alert already works with the store")
    );
}
