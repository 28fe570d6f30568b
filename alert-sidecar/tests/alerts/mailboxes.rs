//! What the mail server of an organisation makes of an incident's mails, when somebody's mail program asks it.

use std::time::Duration;

use rustix::process::Signal;
use vigia_testbed::{
    servers::{
        Imap, Program,
        mail::{self, MailServer},
        requires,
    },
    until::until,
};

use super::sidecar::{Sidecar, Stage};

const SOON: Duration = Duration::from_secs(20);

/// What Gmail shows without "view entire message" is less than 102 kB; pictures are not in it.
const LARGEST_HTML_BYTES: usize = 100_000;

#[tokio::test]
async fn beginning_and_end_are_one_thread_of_sound_mails() {
    if !requires(&[Program::Exim, Program::Dovecot]) {
        return;
    }
    let stage = Stage::new().await;
    let folder = stage.folder.path().join("mail");
    let server = MailServer::start(&folder).await.unwrap();
    let config = stage.configure(&format!(
        r#"{{ server = "{host}", port = {port}, tls = "implicit", username = "{user}", password = "${{secret:SMTP_PASSWORD}}", from = "Vigía <vigia@agency.example>", to = ["director@agency.example"], ca_file = "{ca}" }}"#,
        host = mail::HOST,
        port = server.implicit_port(),
        user = mail::USERNAME,
        ca = server.ca_file().display(),
    ));
    let sidecar = Sidecar::start(&config).await;
    let arrived = async |count: usize| {
        let look = async || (server.mailbox().mails().unwrap().len() == count).then_some(());
        until("the mails", SOON, look).await.unwrap();
    };
    stage.run_ends("consultar-tramite", "ok", "r1").await;
    stage.run_ends("consultar-tramite", "failed", "r2").await;
    stage.run_ends("consultar-tramite", "failed", "r3").await;
    arrived(1).await;
    stage.run_ends("consultar-tramite", "ok", "r4").await;
    arrived(2).await;
    assert_eq!(sidecar.end(Signal::TERM).await, Some(0));
    let largest = server.mailbox().mails().unwrap();
    let largest = largest
        .iter()
        .filter_map(|mail| Some(mail.html.as_ref()?.len()));
    assert!(largest.max().unwrap() < LARGEST_HTML_BYTES);

    let imap = Imap::start(&folder).await.unwrap();
    let mut session = imap.session().await.unwrap();
    let threads = session
        .command("THREAD REFERENCES UTF-8 ALL")
        .await
        .unwrap();
    assert!(
        ["* THREAD (1 2)\r\n", "* THREAD (2 1)\r\n"].contains(&threads.as_str()),
        "{threads}"
    );
    let structures = session.command("FETCH 1:2 (BODYSTRUCTURE)").await.unwrap();
    for part in [
        r#""text" "plain" ("charset" "utf-8")"#,
        r#""text" "html" ("charset" "utf-8")"#,
        r#""image" "jpeg""#,
        r#""alternative""#,
        r#""related""#,
    ] {
        let count = structures.to_lowercase().matches(part).count();
        assert!(count >= 2, "{part} in {structures}");
    }
    let subjects = session
        .command("SEARCH CHARSET UTF-8 SUBJECT {9+}\r\nTrámites")
        .await;
    assert_eq!(subjects.unwrap().trim_end(), "* SEARCH 1 2");
}
