//! Journeys and robots that fall silent, as the whole program notices it.

use jiff::Timestamp;
use rustix::process::Signal;

use super::{
    scripted_smtp::ScriptedSmtp,
    sidecar::{Sidecar, Stage},
};

/// The point of a journey that runs every second.
async fn point(stage: &Stage, journey: &str) {
    let at = Timestamp::now().as_nanosecond();
    stage
        .influxdb
        .write(format!("journey,system=tramites,journey={journey},probe=sede,impact=high result=\"ok\",every_s=1.0 {at}\n"))
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
    point(&stage, "consultar").await;
    point(&stage, "ingresar").await;
    let told = smtp.wait_for(1).await;
    first.end(Signal::KILL).await;
    // It knows from its store whom it misses.
    let second = Sidecar::start(&config).await;
    point(&stage, "consultar").await;
    second.wait_for_log("an incident closed").await;
    let all = smtp.wait_for(2).await;

    let about = |mail: &super::scripted_smtp::Received| {
        let incident = mail.header("X-Vigia-Incident").unwrap();
        let kind = mail.header("X-Vigia-Message").unwrap();
        format!("{kind} {}", incident.rsplit_once('.').unwrap().0)
    };
    assert_eq!(about(&told[0]), "opened silent.vigia.probe.sede");
    assert!(told[0].raw.contains("Subject:"));
    assert_eq!(about(all.last().unwrap()), "closed silent.vigia.probe.sede");
}
