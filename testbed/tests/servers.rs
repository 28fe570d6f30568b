//! The starters of the real servers do what their callers rely on.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the message, in its helpers too"
)]

use std::{fs, path::Path, time::Duration};

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    message::{Attachment, MultiPart, SinglePart, header::ContentType},
    transport::smtp::{
        authentication::{Credentials, Mechanism},
        client::{Certificate, Tls, TlsParameters},
    },
};
use vigia_testbed::{
    servers::{Imap, InfluxDb, MailServer, Program, Synapse, Telegraf, mail, requires},
    until::until,
};

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn what_is_written_to_influxdb_is_queried_back() {
    if !requires(&[Program::Influxd]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let influxdb = InfluxDb::start(folder.path()).await.unwrap();

    influxdb
        .write("journey,system=tramites ok=1i,error=\"a, \\\"b\\\"\"")
        .await
        .unwrap();

    let rows = influxdb
        .query(r#"from(bucket: "vigia") |> range(start: -1h) |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")"#)
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["ok"], "1");
    assert_eq!(rows[0]["error"], "a, \"b\"");
    let refused = influxdb.query("this is no Flux").await.unwrap_err();
    assert!(
        format!("{refused:#}").contains("400 Bad Request"),
        "{refused:#}"
    );
}

#[tokio::test]
async fn telegraf_runs_what_it_is_given_and_keeps_the_points() {
    if !requires(&[Program::Telegraf]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let configuration = folder.path().join("input.conf");
    fs::write(
        &configuration,
        "[[inputs.execd]]\ncommand = [\"sh\", \"-c\", \"echo weather,place=here sunny=1i; cat\"]\n",
    )
    .unwrap();

    let telegraf = Telegraf::start(&folder.path().join("telegraf"), &[configuration], &[]).unwrap();

    let points = telegraf.points().to_owned();
    let written = until("a point", PATIENCE, async || {
        fs::read_to_string(&points)
            .ok()
            .filter(|text| text.ends_with('\n'))
    })
    .await
    .unwrap();
    assert!(written.starts_with("weather,"), "{written}");
    telegraf.stop().await.unwrap();
}

fn tls(server: &MailServer) -> TlsParameters {
    let authority = Certificate::from_pem(&fs::read(server.ca_file()).unwrap()).unwrap();
    TlsParameters::builder(mail::HOST.into())
        .add_root_certificate(authority)
        .build()
        .unwrap()
}

fn transport(server: &MailServer, password: &str) -> AsyncSmtpTransport<Tokio1Executor> {
    let tls = tls(server);
    AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1")
        .port(server.port())
        .tls(Tls::Required(tls))
        .credentials(Credentials::new(mail::USERNAME.into(), password.into()))
        .build()
}

fn letter() -> lettre::Message {
    lettre::Message::builder()
        .from("Vigía <vigia@agencia.example>".parse().unwrap())
        .to("director@agencia.example".parse().unwrap())
        .subject("Trámites: no se puede ingresar")
        .message_id(Some("<second@agencia.example>".into()))
        .in_reply_to("<first@agencia.example>".into())
        .references("<first@agencia.example>".into())
        .multipart(
            MultiPart::mixed()
                .multipart(
                    MultiPart::alternative()
                        .singlepart(SinglePart::plain("Así está.".to_owned()))
                        .multipart(
                            MultiPart::related()
                                .singlepart(SinglePart::html(
                                    "<p>Así está.</p><img src=cid:page>".to_owned(),
                                ))
                                .singlepart(Attachment::new_inline("page".into()).body(
                                    b"inline".to_vec(),
                                    ContentType::parse("image/jpeg").unwrap(),
                                )),
                        ),
                )
                .singlepart(Attachment::new("page.jpg".into()).body(
                    b"attached".to_vec(),
                    ContentType::parse("image/jpeg").unwrap(),
                )),
        )
        .unwrap()
}

#[tokio::test]
async fn a_mail_arrives_whole_over_starttls_and_only_after_a_login() {
    if !requires(&[Program::Exim]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = MailServer::start(folder.path()).await.unwrap();

    let refused = transport(&server, "wrong")
        .send(letter())
        .await
        .unwrap_err();
    assert!(refused.is_permanent(), "{refused}");
    assert_eq!(server.mailbox().mails().unwrap().len(), 0);

    transport(&server, mail::PASSWORD)
        .send(letter())
        .await
        .unwrap();
    let arrived = server
        .mailbox()
        .wait_for("the mail", PATIENCE, |_| true)
        .await
        .unwrap();

    assert_eq!(arrived.subject, "Trámites: no se puede ingresar");
    assert_eq!(arrived.from, "vigia@agencia.example");
    assert_eq!(arrived.to, ["director@agencia.example"]);
    assert_eq!(
        arrived.message_id.as_deref(),
        Some("second@agencia.example")
    );
    assert_eq!(
        arrived.in_reply_to.as_deref(),
        Some("first@agencia.example")
    );
    assert_eq!(arrived.references, ["first@agencia.example"]);
    assert_eq!(arrived.text.as_deref().map(str::trim), Some("Así está."));
    assert!(arrived.html.unwrap().contains("cid:page"));
    let pictures: Vec<_> = arrived
        .pictures
        .iter()
        .map(|picture| {
            (
                picture.content_id.as_deref(),
                picture.attached,
                picture.bytes.as_slice(),
            )
        })
        .collect();
    assert_eq!(
        pictures,
        [
            (Some("page"), false, &b"inline"[..]),
            (None, true, b"attached")
        ]
    );
    assert!(
        !Path::new("/var/spool/vigia").exists(),
        "the mail server left its files on the machine"
    );
}

#[tokio::test]
async fn a_token_is_a_login_too_and_imap_says_which_mails_belong_together() {
    if !requires(&[Program::Exim, Program::Dovecot]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = MailServer::start(folder.path()).await.unwrap();
    let with_token = |token: &str| {
        AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1")
            .port(server.implicit_port())
            .tls(Tls::Wrapper(tls(&server)))
            .credentials(Credentials::new(mail::USERNAME.into(), token.into()))
            .authentication(vec![Mechanism::Xoauth2])
            .build()
    };
    let refused = with_token("wrong").send(letter()).await.unwrap_err();
    assert!(refused.is_permanent(), "{refused}");
    // Of mails with one subject IMAP makes one thread, whatever else they say.
    for (id, subject, answered) in [
        ("first", "Trámites", None),
        ("second", "Restablecido: Trámites", Some("first")),
        ("other", "Pagos", None),
        ("third", "Trámites", Some("first")),
    ] {
        let id = format!("<{id}@agencia.example>");
        let mut letter = lettre::Message::builder()
            .from("vigia@agencia.example".parse().unwrap())
            .to("director@agencia.example".parse().unwrap())
            .subject(subject)
            .message_id(Some(id));
        if let Some(answered) = answered {
            let answered = format!("<{answered}@agencia.example>");
            letter = letter.in_reply_to(answered.clone()).references(answered);
        }
        let letter = letter.body("Así está.".to_owned()).unwrap();
        with_token(mail::ACCESS_TOKEN).send(letter).await.unwrap();
    }
    let arrived = async || (server.mailbox().mails().unwrap().len() == 4).then_some(());
    until("four mails", PATIENCE, arrived).await.unwrap();

    let imap = Imap::start(folder.path()).await.unwrap();
    let mut session = imap.session().await.unwrap();
    let subjects = session
        .command("FETCH 1:* (BODY[HEADER.FIELDS (MESSAGE-ID)])")
        .await
        .unwrap();
    let threads = session
        .command("THREAD REFERENCES UTF-8 ALL")
        .await
        .unwrap();
    // Which number a mail has is the maildir's affair; how many there are of each kind of thread is not.
    let together = threads.matches(['(', ')']).count();
    assert!(subjects.contains("<other@agencia.example>"), "{subjects}");
    assert_eq!(together, 8, "{threads}");
    assert!(session.command("NONSENSE").await.is_err());
}

#[tokio::test]
async fn a_matrix_server_keeps_what_a_robot_writes_into_its_room() {
    if !requires(&[Program::Synapse]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let synapse = Synapse::start(folder.path()).await.unwrap();
    let client = vigia_testbed::http::client().unwrap();
    let address = format!(
        "{}/_matrix/client/v3/rooms/{}/send/m.room.message/t1",
        synapse.url(),
        synapse.room()
    );
    for _ in 0..2 {
        let request = client.put(&address).bearer_auth(synapse.token());
        let body = serde_json::json!({ "msgtype": "m.text", "body": "CRÍTICO" });
        let answer = request.json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    let messages = synapse.messages().await.unwrap();
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["content"]["body"], "CRÍTICO");
    synapse.revoke().await.unwrap();
    let refused = client.put(&address).bearer_auth(synapse.token()).send();
    assert_eq!(refused.await.unwrap().status(), 401);
}
