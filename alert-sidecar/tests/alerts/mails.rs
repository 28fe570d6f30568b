//! What arrives in the mailbox, and what becomes of a mail when the server will not have it.

use std::time::Duration;

use rustix::process::Signal;
use vigia_testbed::{
    servers::mail::{self, MailServer},
    until::until,
};

use super::{
    scripted_smtp::{Act, Received, ScriptedSmtp},
    sidecar::{PICTURE, Sidecar, Stage},
};

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_failed_journey_is_told_with_its_picture_and_its_end_in_the_same_thread() {
    let stage = Stage::new().await;
    let server = MailServer::start(&stage.folder.path().join("mail"))
        .await
        .unwrap();
    let config = stage.configure(&format!(
        r#"{{ server = "{host}", port = {port}, username = "{user}", password = "${{secret:SMTP_PASSWORD}}", from = "Vigía <vigia@agency.example>", to = ["director@agency.example"], ca_file = "{ca}" }}"#,
        host = mail::HOST,
        port = server.port(),
        user = mail::USERNAME,
        ca = server.ca_file().display(),
    ));
    let sidecar = Sidecar::start(&config).await;

    stage.run_ends("consultar-tramite", "ok", "r1").await;
    stage.run_ends("consultar-tramite", "failed", "r2").await;
    stage.run_ends("consultar-tramite", "failed", "r3").await;
    let opened = server
        .mailbox()
        .wait_for("the alert", SOON, |mail| mail.in_reply_to.is_none())
        .await
        .unwrap();
    stage.run_ends("consultar-tramite", "ok", "r4").await;
    let closed = server
        .mailbox()
        .wait_for("the recovery", SOON, |mail| mail.in_reply_to.is_some())
        .await
        .unwrap();

    assert!(
        opened
            .subject
            .starts_with("CRÍTICO Trámites: no se puede usar «Consultar un trámite» desde las "),
        "{}",
        opened.subject
    );
    assert!(
        opened
            .subject
            .ends_with("(paso Ingresar: falta «Bienvenido»)"),
        "{}",
        opened.subject
    );
    assert_eq!(closed.subject, format!("Restablecido: {}", opened.subject));
    assert_eq!(closed.in_reply_to, opened.message_id);
    assert_eq!(closed.references, [opened.message_id.clone().unwrap()]);
    let html = opened.html.unwrap();
    // The failing page, and the page when it was well.
    for shown in ["src=\"cid:picture\"", "src=\"cid:picture-2\""] {
        assert!(html.contains(shown), "{shown} in {html}");
    }
    let kinds: Vec<_> = opened
        .pictures
        .iter()
        .map(|picture| (picture.content_id.as_deref(), picture.attached))
        .collect();
    assert_eq!(
        kinds,
        [
            (Some("picture"), false),
            (Some("picture-2"), false),
            (None, true)
        ]
    );
    assert!(
        opened
            .pictures
            .iter()
            .all(|picture| picture.bytes == PICTURE && picture.media_type == "image/jpeg")
    );
    let raw = String::from_utf8_lossy(&opened.raw);
    for header in [
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: All",
        "List-Id: ",
        "Importance: high",
    ] {
        assert!(raw.contains(header), "{header} is not in\n{raw}");
    }
    assert!(!raw.contains("X-Vigia-Repeat"));
    let written = async || {
        let rows = stage.influxdb.query(
            r#"from(bucket: "vigia") |> range(start: -1h) |> filter(fn: (r) => r._measurement == "journey_incident" and (r._field == "state" or r._field == "artifact")) |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")"#,
        );
        rows.await
            .unwrap()
            .iter()
            .find(|row| row["state"] == "closed")
            .cloned()
    };
    let point = until("the incident's point", SOON, written).await.unwrap();
    assert_eq!(
        (point["system"].as_str(), point["impact"].as_str()),
        ("tramites", "critical")
    );
    assert_eq!(point["artifact"], "tramites/consultar-tramite/r2");
    both_messages_are_counted(&stage).await;
    assert_eq!(sidecar.end(Signal::TERM).await, Some(0));
    assert_eq!(server.mailbox().mails().unwrap().len(), 2);
}

async fn both_messages_are_counted(stage: &Stage) {
    let deliveries = async || {
        let rows = stage.influxdb.query(
            r#"from(bucket: "vigia") |> range(start: -1h) |> filter(fn: (r) => r._measurement == "alert_delivery" and (r._field == "accepted" or r._field == "refused" or r._field == "attempts" or r._field == "latency_ms")) |> toFloat() |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")"#,
        );
        let rows = rows.await.unwrap();
        (rows.len() == 2).then_some(rows)
    };
    for row in until("both messages' points", SOON, deliveries)
        .await
        .unwrap()
    {
        let told =
            ["channel", "system", "accepted", "refused", "attempts"].map(|name| row[name].as_str());
        assert_eq!(told, ["mail", "tramites", "1", "0", "1"]);
        let latency_ms: f64 = row["latency_ms"].parse().unwrap();
        assert!(
            latency_ms > 0.0 && latency_ms < SOON.as_secs_f64() * 1000.0,
            "{row:?}"
        );
    }
}

/// Fails a journey often enough to be told of.
async fn break_journey(stage: &Stage) {
    stage.run_ends("consultar-tramite", "failed", "r1").await;
    stage.run_ends("consultar-tramite", "failed", "r2").await;
}

#[tokio::test]
async fn a_busy_mail_server_gets_the_message_later_and_once() {
    let stage = Stage::new().await;
    let busy = Act::AnswerRecipient("451 come back later");
    let smtp = ScriptedSmtp::start(&[busy, Act::AnswerMail("452 no room")]).await;
    let sidecar = Sidecar::start(&stage.configure_plain(smtp.port)).await;

    break_journey(&stage).await;
    sidecar.wait_for_log("a message was accepted").await;

    let mails = smtp.mails();
    // The first was refused after it was read, so nobody has it; the second is no repeat.
    assert_eq!(mails.len(), 2);
    assert!(
        mails
            .iter()
            .all(|mail| mail.header("X-Vigia-Repeat").is_none())
    );
    assert_eq!(mails[0].header("Message-ID"), mails[1].header("Message-ID"));
    assert!(sidecar.log().contains("451"), "{}", sidecar.log());
}

#[tokio::test]
async fn an_address_that_is_refused_for_good_does_not_keep_the_others_from_being_told() {
    let stage = Stage::new().await;
    let smtp = ScriptedSmtp::start(&[Act::AnswerRecipient("550 no such user")]).await;
    let config = stage.configure(&format!(
        r#"{{ server = "127.0.0.1", port = {}, tls = "none", from = "vigia@agency.example", to = ["gone@agency.example", "director@agency.example"] }}"#,
        smtp.port
    ));
    let sidecar = Sidecar::start(&config).await;

    break_journey(&stage).await;
    sidecar.wait_for_log("a message was accepted").await;
    sidecar.wait_for_log("a message was refused for good").await;

    // Who is refused is told of through all channels, this one too, where it is not the only one.
    let mails = smtp.wait_for(3).await;
    let told = |mail: &Received| {
        let incident = mail.header("X-Vigia-Incident").unwrap_or_default();
        (
            mail.recipient.clone(),
            incident.split('.').next().unwrap_or_default().to_owned(),
        )
    };
    let told: Vec<_> = mails.iter().map(told).collect();
    let (who, first) = &told[0];
    assert_eq!(first, "journeys-failed");
    assert!(
        told.contains(&(who.clone(), "delivering".to_owned())),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_mail_that_the_server_says_nothing_about_is_repeated_and_says_so() {
    let stage = Stage::new().await;
    let smtp = ScriptedSmtp::start(&[Act::HangUpAfterMail]).await;
    let sidecar = Sidecar::start(&stage.configure_plain(smtp.port)).await;

    break_journey(&stage).await;
    sidecar.wait_for_log("a message was accepted").await;

    let mails = smtp.mails();
    let repeats: Vec<_> = mails
        .iter()
        .map(|mail| mail.header("X-Vigia-Repeat"))
        .collect();
    assert_eq!(repeats, [None, Some("true")]);
    assert_eq!(mails[0].header("Message-ID"), mails[1].header("Message-ID"));
}

#[tokio::test]
async fn a_server_without_encryption_gets_neither_the_password_nor_the_message() {
    let stage = Stage::new().await;
    let smtp = ScriptedSmtp::start(&[]).await;
    let config = stage.configure(&format!(
        r#"{{ server = "127.0.0.1", port = {}, username = "vigia", password = "${{secret:SMTP_PASSWORD}}", from = "vigia@agency.example", to = ["director@agency.example"] }}"#,
        smtp.port
    ));
    let sidecar = Sidecar::start(&config).await;

    break_journey(&stage).await;
    sidecar.wait_for_log("STARTTLS is not supported").await;

    let said = smtp.commands();
    assert!(
        said.iter()
            .all(|command| command.starts_with("EHLO") || command == "QUIT"),
        "{said:?}"
    );
    assert!(!sidecar.log().contains(mail::PASSWORD));
}

#[tokio::test]
async fn an_incident_that_ended_before_anybody_could_be_told_is_one_message() {
    let stage = Stage::new().await;
    let smtp = ScriptedSmtp::start(&[Act::AnswerRecipient("451 later"); 3]).await;
    let sidecar = Sidecar::start(&stage.configure_plain(smtp.port)).await;

    break_journey(&stage).await;
    sidecar.wait_for_log("did not arrive").await;
    stage.run_ends("consultar-tramite", "ok", "r3").await;
    sidecar.wait_for_log("an incident closed").await;
    sidecar.wait_for_log("a message was accepted").await;

    let mails = smtp.mails();
    assert_eq!(
        mails
            .iter()
            .map(|mail| mail.header("X-Vigia-Message"))
            .collect::<Vec<_>>(),
        [Some("whole")]
    );
    assert_eq!(sidecar.end(Signal::TERM).await, Some(0));
    assert_eq!(smtp.mails().len(), 1);
}

#[tokio::test]
async fn a_blind_sidecar_says_so_once_and_judges_what_it_missed() {
    let stage = Stage::new().await;
    let smtp = ScriptedSmtp::start(&[]).await;
    let sidecar = Sidecar::start(&stage.configure_plain(smtp.port)).await;
    let database = rustix::process::Pid::from_raw(stage.influxdb.process().id()).unwrap();

    break_journey(&stage).await;
    smtp.wait_for(1).await;
    rustix::process::kill_process(database, Signal::STOP).unwrap();
    sidecar.wait_for_log("the rule cannot be judged").await;
    rustix::process::kill_process(database, Signal::CONT).unwrap();
    stage.run_ends("consultar-tramite", "ok", "r3").await;
    let mails = smtp.wait_for(2).await;

    assert_eq!(mails[1].header("X-Vigia-Message"), Some("closed"));
    for line in ["the rule cannot be judged", "the rule can be judged again"] {
        assert_eq!(sidecar.log().matches(line).count(), 1, "{}", sidecar.log());
    }
}
