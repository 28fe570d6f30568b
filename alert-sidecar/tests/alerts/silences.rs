//! Journeys and robots that fall silent, as the whole program notices it.

use jiff::Timestamp;
use rustix::process::Signal;

use super::{
    scripted_smtp::ScriptedSmtp,
    sidecar::{Sidecar, Stage},
};

/// The points of journeys that run every second.
async fn points(stage: &Stage, journeys: &[&str]) {
    let at = Timestamp::now().as_nanosecond();
    let points = journeys.iter().map(|journey| {
        format!("journey,system=tramites,journey={journey},probe=sede,impact=high result=\"ok\",every_s=1.0 {at}\n")
    });
    stage
        .influxdb
        .write(points.collect::<String>())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_robot_that_falls_silent_is_missed_and_heard_again_though_the_program_was_killed_meanwhile()
 {
    let stage = Stage::new().await;
    let smtp = ScriptedSmtp::start(&[]).await;
    let config = stage.configure_plain(smtp.port);
    let silent = "[[rule]]\nname = \"silent\"\nuse = \"journeys-silent\"\nevery = \"100ms\"\nsilence = { intervals = 1, slack = \"500ms\" }\n[[channel]]";
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("[[channel]]", silent)).unwrap();

    let first = Sidecar::start(&config).await;
    points(&stage, &["consultar", "ingresar"]).await;
    first.wait_for_log("a message was accepted").await;
    first.end(Signal::KILL).await;
    // It knows from its store whom it misses.
    let second = Sidecar::start(&config).await;
    points(&stage, &["consultar"]).await;
    second.wait_for_log("a message was accepted").await;
    let mails = smtp.mails();

    let about = |mail: &super::scripted_smtp::Received| {
        let incident = mail.header("X-Vigia-Incident").unwrap();
        let kind = mail.header("X-Vigia-Message").unwrap();
        format!("{kind} {}", incident.rsplit_once('.').unwrap().0)
    };
    assert_eq!(about(&mails[0]), "opened silent.vigia.probe.sede");
    assert_eq!(about(&mails[1]), "closed silent.vigia.probe.sede");
}
