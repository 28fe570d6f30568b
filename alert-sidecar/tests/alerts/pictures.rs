//! Pictures that follow their messages: after a restart and a kill, too, and never in the way of a text.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use rustix::process::Signal;
use vigia_testbed::{
    servers::{PostgreSql, Program, requires},
    until::until,
};

use super::{
    conformance,
    services::{Fault, Kind, Post, Refusal, Service, picture},
    sidecar::{self, PICTURE, Sidecar, Stage},
};

const SOON: Duration = Duration::from_secs(30);

/// A channel to this service, instead of the mail.
fn configure(stage: &Stage, store: &str, service: &Service) -> PathBuf {
    let row = conformance::row(service.kind);
    let path = stage.configure_with(store, "MAIL");
    let text = fs::read_to_string(&path).unwrap();
    let settings = (row.settings)(&service.address);
    let channel = format!(
        "rate = {{ messages = 100, per = \"1s\" }}\n{} = {settings}",
        row.name
    );
    let text = text.replace("email = MAIL", &channel);
    fs::write(&path, format!("secrets_folder = \".\"\n{text}")).unwrap();
    for (name, secret) in row.secrets {
        let file = path.with_file_name(name);
        fs::write(&file, secret).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    }
    path
}

const FILE: &str = r#"path = "vigia-alert.db""#;

/// With a picture that services look into.
async fn run_ends(stage: &Stage, result: &str, run_id: &str) {
    let points = sidecar::run("consultar-tramite", result, run_id, Timestamp::now());
    let given = format!("image/jpeg;base64,{}", BASE64_STANDARD.encode(PICTURE));
    assert!(points.contains(&given), "{points}");
    let png = format!(
        "image/png;base64,{}",
        BASE64_STANDARD.encode(picture(40, 30))
    );
    stage
        .influxdb
        .write(points.replace(&given, &png))
        .await
        .unwrap();
}

async fn break_journey(stage: &Stage) {
    for run in ["r1", "r2"] {
        run_ends(stage, "failed", run).await;
    }
}

/// The service has the picture in its hand and says nothing.
async fn picture_is_held(service: &Service) {
    let held = async || {
        let heard = service.heard();
        heard
            .iter()
            .any(|heard| heard.status.is_none())
            .then_some(())
    };
    until("the picture to be held", SOON, held).await.unwrap();
}

/// The number of pictures in each post.
fn pictures(posts: &[Post]) -> Vec<usize> {
    posts.iter().map(|post| post.pictures.len()).collect()
}

/// Killed between the text and the picture, and started again.
async fn follows_after_a_kill(stage: &Stage, config: &Path, slack: &Service) {
    slack.next(Fault::SilentAfterPicture);
    let first = Sidecar::start(config).await;
    break_journey(stage).await;
    picture_is_held(slack).await;
    first.end(Signal::KILL).await;
    assert_eq!(pictures(&slack.posts()), [0]);

    let second = Sidecar::start(config).await;
    slack.wait_for(2).await;
    run_ends(stage, "ok", "r3").await;
    let posts = slack.wait_for(4).await;
    second.end(Signal::TERM).await;

    assert_eq!(pictures(&posts), [0, 2, 0, 1], "{posts:#?}");
    assert_eq!(posts[1].pictures[0].bytes, picture(40, 30));
    let thread = Some(posts[0].id.as_str());
    for post in &posts[1..] {
        assert_eq!(post.thread.as_deref(), thread, "{posts:#?}");
    }
}

#[tokio::test]
async fn killed_between_a_message_and_its_picture_it_brings_the_picture_after_the_restart() {
    let stage = Stage::new().await;
    run_ends(&stage, "ok", "r0").await;
    let slack = Service::start(Kind::Slack).await;
    let config = configure(&stage, FILE, &slack);
    follows_after_a_kill(&stage, &config, &slack).await;
}

#[tokio::test]
async fn killed_with_its_store_in_postgresql_it_brings_the_picture_after_the_restart() {
    if !requires(&[Program::Influxd, Program::Postgres]) {
        return;
    }
    let stage = Stage::new().await;
    run_ends(&stage, "ok", "r0").await;
    let folder = stage.folder.path().join("postgresql");
    let server = PostgreSql::start(&folder).await.unwrap();
    let slack = Service::start(Kind::Slack).await;
    let config = configure(&stage, &sidecar::shared_store(&server), &slack);
    follows_after_a_kill(&stage, &config, &slack).await;
}

/// The picture was shown, and the process died before the service said so.
#[tokio::test]
async fn a_kill_repeats_a_picture_once_at_most() {
    let stage = Stage::new().await;
    let telegram = Service::start(Kind::Telegram).await;
    telegram.next(Fault::SilentAfterPicture);
    let config = configure(&stage, FILE, &telegram);
    let first = Sidecar::start(&config).await;
    break_journey(&stage).await;
    picture_is_held(&telegram).await;
    first.end(Signal::KILL).await;

    // What is asked to stop finishes the picture that it is sending, so that nothing is repeated.
    let second = Sidecar::start(&config).await;
    telegram.wait_for(3).await;
    assert_eq!(second.end(Signal::TERM).await, Some(0));
    let third = Sidecar::start(&config).await;
    run_ends(&stage, "ok", "r3").await;
    let posts = telegram.wait_for(5).await;
    third.end(Signal::TERM).await;

    assert_eq!(pictures(&posts), [0, 1, 1, 0, 1], "{posts:#?}");
    assert!(posts[3].text.contains("RESTABLECIDO"), "{posts:#?}");
}

/// What the service does not take now is in the store, with the moment at which it may be tried again.
#[tokio::test]
async fn a_picture_that_waits_for_its_next_attempt_survives_a_kill() {
    let stage = Stage::new().await;
    let telegram = Service::start(Kind::Telegram).await;
    telegram.next(Fault::Picture(Refusal::TooMany(2)));
    let config = configure(&stage, FILE, &telegram);
    let first = Sidecar::start(&config).await;
    break_journey(&stage).await;
    first
        .wait_for_log("the picture of a message is tried again")
        .await;
    first.end(Signal::KILL).await;

    let second = Sidecar::start(&config).await;
    let posts = telegram.wait_for(2).await;
    second.end(Signal::TERM).await;
    assert_eq!(pictures(&posts), [0, 1], "{posts:#?}");
    assert_eq!(posts[1].thread.as_deref(), Some(posts[0].id.as_str()));
}

/// A service that holds a picture for ever still takes texts.
#[tokio::test]
async fn a_picture_that_hangs_holds_no_message_up() {
    let stage = Stage::new().await;
    let telegram = Service::start(Kind::Telegram).await;
    telegram.next(Fault::SilentAfterPicture);
    let config = configure(&stage, FILE, &telegram);
    let sidecar = Sidecar::start(&config).await;
    break_journey(&stage).await;
    picture_is_held(&telegram).await;
    run_ends(&stage, "ok", "r3").await;

    let posts = telegram.wait_for(3).await;
    assert!(posts[2].text.contains("RESTABLECIDO"), "{posts:#?}");
    // It hangs still, and that does not hold up the end either.
    assert_eq!(sidecar.end(Signal::TERM).await, Some(0));
}
