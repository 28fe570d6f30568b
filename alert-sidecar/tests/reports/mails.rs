//! The report by mail: with everything attached, to everybody once, whatever restarts there are.

use std::{path::Path, time::Duration};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use sqlx::{AnyConnection, Connection};
use vigia_alert::report::month::Month;
use vigia_testbed::{
    mailbox::Mail,
    servers::{
        Process, Program, influxdb,
        mail::{self, MailServer},
        process, requires,
    },
    until::until,
};

use crate::{
    months::{FAILED, OK, Origin, Points, ZONE},
    stage::Stage,
};

const SOON: Duration = Duration::from_mins(1);

/// Starts the program itself, not only a report.
fn run(stage: &Stage, config: &Path) -> Process {
    let mut command = process::tied(Path::new(env!("CARGO_BIN_EXE_vigia-alert")));
    command
        .args(["run", "--config"])
        .arg(config)
        .env("INFLUX_TOKEN", influxdb::TOKEN)
        .env("SMTP_PASSWORD", mail::PASSWORD);
    let log = stage.folder.path().join("vigia-alert.log");
    Process::start("vigia-alert", &log, &mut command).unwrap()
}

async fn store(stage: &Stage) -> Result<AnyConnection, sqlx::Error> {
    sqlx::any::install_default_drivers();
    let path = stage.folder.path().join("vigia-alert.db");
    AnyConnection::connect(&format!("sqlite://{}", path.display())).await
}

/// Waits until so many rows of the store say this.
async fn wait_for(stage: &Stage, rows: i64, condition: &'static str) {
    let statement = format!("SELECT COUNT(*) FROM report_mail WHERE {condition}");
    let found = async || {
        // It is not there yet while the program starts.
        let mut store = store(stage).await.ok()?;
        let counted: Result<i64, _> = sqlx::query_scalar(sqlx::AssertSqlSafe(statement.clone()))
            .fetch_one(&mut store)
            .await;
        (counted.ok() == Some(rows)).then_some(())
    };
    until(condition, SOON, found).await.unwrap();
}

/// The store as it would be had the report been known a month earlier.
async fn a_month_earlier(stage: &Stage, report: &str, month: Month) {
    let mut store = store(stage).await.unwrap();
    sqlx::query("UPDATE report_mail SET month = $1 WHERE report = $2 AND state = 'not_sent'")
        .bind(month.before().to_string())
        .bind(report)
        .execute(&mut store)
        .await
        .unwrap();
    store.close().await.unwrap();
}

#[tokio::test]
async fn the_report_of_a_month_is_mailed_once() {
    if !requires(&[Program::Influxd, Program::Exim, Program::Chromium]) {
        return;
    }
    let stage = Stage::new().await;
    let server = MailServer::start(&stage.folder.path().join("mail"))
        .await
        .unwrap();
    let zone = TimeZone::get(ZONE).unwrap();
    let month = Month::of(Timestamp::now().to_zoned(zone.clone()).date()).before();
    let mut points = Points::default();
    let origin = Origin {
        system: "tramites",
        journey: "consultar",
        probe: "sede",
        every: SignedDuration::from_mins(5),
        host: "h",
        impact: "critical",
    };
    let since = month.interval(&zone).from + SignedDuration::from_hours(300);
    let broken = since + SignedDuration::from_mins(60);
    points.runs(origin, since, since + SignedDuration::from_hours(3), |at| {
        let is_broken = broken <= at && at < broken + SignedDuration::from_mins(20);
        Some(if is_broken { FAILED } else { OK })
    });
    stage.write(&points.lines).await;
    let channel = format!(
        r#"{{ server = "{}", port = {}, username = "{}", password = "${{secret:SMTP_PASSWORD}}", from = "Vigía <vigia@agency.example>", to = ["director@agency.example", "ministra@agency.example"], ca_file = "{}" }}"#,
        mail::HOST,
        server.port(),
        mail::USERNAME,
        server.ca_file().display()
    );
    let config = stage.configure(
        "es",
        &format!(
            r#"
[[channel]]
name = "reports"
email = {channel}
[[report]]
name = "mensual"
channels = ["reports"]
at = "00:00"
[[report]]
name = "otro"
channels = ["reports"]
at = "00:00"
system = ["tramites"]
[[target]]
availability = 99.9
"#
        ),
    );

    // New, they send nothing of what was before.
    let program = run(&stage, &config);
    wait_for(&stage, 2, "state = 'not_sent'").await;
    program.stop(SOON).await.unwrap();
    assert!(server.mailbox().mails().unwrap().is_empty());

    a_month_earlier(&stage, "mensual", month).await;
    let program = run(&stage, &config);
    wait_for(&stage, 2, "state = 'accepted'").await;
    program.stop(SOON).await.unwrap();

    // What would be sent twice would be sent before this.
    a_month_earlier(&stage, "otro", month).await;
    let program = run(&stage, &config);
    wait_for(&stage, 4, "state = 'accepted'").await;
    program.stop(SOON).await.unwrap();
    let is_ours = |mail: &Mail| {
        let id = mail.message_id.as_deref();
        id.is_some_and(|id| id.starts_with(&format!("report.mensual.{month}@")))
    };
    let both = async || {
        let mails = server.mailbox().mails().unwrap();
        (mails.len() == 4).then_some(mails)
    };
    let mails = until("all mails", SOON, both).await.unwrap();
    let mut recipients: Vec<&str> = mails
        .iter()
        .filter(|mail| is_ours(mail))
        .flat_map(|mail| mail.to.iter().map(String::as_str))
        .collect();
    recipients.sort_unstable();
    assert_eq!(
        recipients,
        ["director@agency.example", "ministra@agency.example"]
    );
    let mail = mails.iter().find(|mail| is_ours(mail)).unwrap();
    look_at(mail, &month.to_string());
}

/// What a director sees of it.
fn look_at(mail: &Mail, month: &str) {
    assert!(
        mail.subject.starts_with("Disponibilidad de los sistemas, ")
            && mail
                .subject
                .ends_with(": 0 de 1 sistemas cumplieron su objetivo"),
        "{}",
        mail.subject
    );
    let (text, html) = (mail.text.as_ref().unwrap(), mail.html.as_ref().unwrap());
    for said in [text, html] {
        assert!(
            said.contains("Trámites: fuera de servicio 20 min en un incidente; fue "),
            "{said}"
        );
        assert!(said.contains("89,189 %"), "{said}");
    }
    assert!(
        html.len() < 100_000 && !html.contains("<svg"),
        "{}",
        html.len()
    );
    let raw = String::from_utf8_lossy(&mail.raw);
    for file in [
        ".pdf",
        "-systems.csv",
        "-journeys.csv",
        "-steps.csv",
        "-incidents.csv",
        "-days.csv",
    ] {
        assert!(
            raw.contains(&format!("filename=\"vigia-{month}{file}\"")),
            "{file}"
        );
    }
    for header in ["Auto-Submitted: auto-generated", "X-Vigia-Message: report"] {
        assert!(raw.contains(header), "{header}");
    }
}
