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
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};
use vigia_testbed::{
    servers::{InfluxDb, MailServer, Program, Telegraf, mail, requires},
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

fn transport(server: &MailServer, password: &str) -> AsyncSmtpTransport<Tokio1Executor> {
    let authority = Certificate::from_pem(&fs::read(server.ca_file()).unwrap()).unwrap();
    let tls = TlsParameters::builder(mail::HOST.into())
        .add_root_certificate(authority)
        .build()
        .unwrap();
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
