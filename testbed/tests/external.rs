//! The robots of `examples/external-*`, on a healthy and on a broken portal, and the mails that come of it.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a panic is the message, in its helpers too"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::Command,
};
use vigia_testbed::{
    portal::{Fault, PASSWORD, Portal, Switch},
    repository,
    servers::{
        InfluxDb, MailServer, Process, Program, influxdb,
        mail::{HOST, PASSWORD as MAIL_PASSWORD, USERNAME},
        process, requires,
    },
};

const PARTS: [Program; 6] = [
    Program::Influxd,
    Program::Exim,
    Program::Chromium,
    Program::ChromeDriver,
    Program::Pytest,
    Program::Playwright,
];

/// Much longer than a robot takes; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_mins(2);

/// Our programs are built together and lie side by side.
fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_vigia-demo")).with_file_name(name)
}

/// What one run of an example told.
struct Run {
    lines: Vec<String>,
    artifacts: PathBuf,
}

impl Run {
    /// Has the probe make one run of this example's journey.
    async fn of(example: &str, portal: &Portal, folder: PathBuf) -> Self {
        fs::create_dir_all(&folder).unwrap();
        let config = folder.join("probe.toml");
        let journeys = repository::path(&format!("examples/{example}"));
        let text = format!(
            "probe = \"sede\"\njourneys = \"{}\"\n[artifacts]\nfolder = \"artifacts\"\n[environment]\nvariables = {{ portal = \"{}\" }}\n",
            journeys.display(),
            portal.url()
        );
        fs::write(&config, text).unwrap();
        let mut probe = Command::new(program("vigia-probe"))
            .args(["run", "--config"])
            .arg(&config)
            .env("TRAMITES_CLAVE", PASSWORD)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdin = probe.stdin.take().unwrap();
        stdin.write_all(b"\n").await.unwrap();
        let mut stdout = BufReader::new(probe.stdout.take().unwrap()).lines();
        let mut lines: Vec<String> = Vec::new();
        // The picture is the last point of a run, and the first run has one.
        while !lines
            .iter()
            .any(|line| line.starts_with("journey_screenshot,"))
        {
            let line = tokio::time::timeout(PATIENCE, stdout.next_line()).await;
            let line = line.unwrap_or_else(|_| panic!("no picture came: {lines:#?}"));
            let line = line.unwrap().expect("the probe has ended");
            // On a busy machine a slot of the journey's own may pass while its first run is under way.
            if !line.contains("result=\"missed\"") {
                lines.push(line);
            }
        }
        drop(stdin);
        probe.wait().await.unwrap();
        Self {
            lines,
            artifacts: folder.join("artifacts"),
        }
    }

    fn line(&self, measurement: &str) -> &str {
        let begin = format!("{measurement},");
        self.lines
            .iter()
            .find(|line| line.starts_with(&begin))
            .unwrap()
    }

    fn text(&self, measurement: &str, field: &str) -> &str {
        let line = self.line(measurement);
        let (_, rest) = line
            .split_once(&format!("{field}=\""))
            .unwrap_or_else(|| panic!("no {field} in {line}"));
        rest.split('"').next().unwrap()
    }

    fn steps(&self) -> Vec<&str> {
        let tag = |line: &'_ String| line.starts_with("journey_step,");
        let steps = self.lines.iter().filter(|line| tag(line));
        steps
            .map(|line| {
                line.split(",step=")
                    .nth(1)
                    .unwrap()
                    .split([',', ' '])
                    .next()
                    .unwrap()
            })
            .collect()
    }

    fn picture(&self) -> Vec<u8> {
        let uri = self.text("journey_screenshot", "image");
        let (_, base64) = uri.split_once("base64,").unwrap();
        BASE64_STANDARD.decode(base64).unwrap()
    }

    /// What was kept of it.
    fn kept(&self) -> Vec<String> {
        let folder = self.artifacts.join(self.text("journey", "artifact"));
        let names = fs::read_dir(folder).unwrap();
        names
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }
}

fn start_alert(folder: &Path, influxdb: &InfluxDb, mail: &MailServer) -> Process {
    let config = folder.join("alert.toml");
    let text = format!(
        r#"language = "es"
time_zone = "America/Montevideo"
# Each robot's picture is looked for in a mail of its own.
[grouping]
wait = "0s"
join = "0s"
[names]
consultar-expediente = "consultar un expediente"
ver-expediente = "ver un expediente"
[influxdb]
url = "{}"
organization = "{}"
bucket = "{}"
token = "${{secret:INFLUX_TOKEN}}"
[store]
path = "vigia-alert.db"
[[rule]]
name = "journeys-failed"
use = "journeys-failed"
fails_after = "1 of 1"
[[channel]]
name = "mail"
[channel.email]
server = "{HOST}"
port = {}
username = "{USERNAME}"
password = "${{secret:SMTP_PASSWORD}}"
from = "Vigía <vigia@agencia.example>"
to = ["director@agencia.example"]
ca_file = "{}"
[[route]]
channels = ["mail"]
"#,
        influxdb.url(),
        influxdb::ORGANIZATION,
        influxdb::BUCKET,
        mail.port(),
        mail.ca_file().display(),
    );
    fs::write(&config, text).unwrap();
    let mut command = process::tied(&program("vigia-alert"));
    command
        .args(["run", "--config"])
        .arg(config)
        .env("INFLUX_TOKEN", influxdb::TOKEN)
        .env("SMTP_PASSWORD", MAIL_PASSWORD);
    Process::start("vigia-alert", &folder.join("alert.log"), &mut command).unwrap()
}

#[tokio::test]
async fn robots_in_javascript_and_python_tell_what_is_broken_and_the_mail_carries_their_picture() {
    if !requires(&PARTS) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let influxdb = InfluxDb::start(&place("influxdb")).await.unwrap();
    let mail = MailServer::start(&place("mail")).await.unwrap();
    let portal = Portal::start().await.unwrap();
    let alert = start_alert(folder.path(), &influxdb, &mail);
    let steps = ["ingresar", "buscar-expediente", "ver-detalle"];

    let healthy = tokio::join!(
        Run::of("external-playwright", &portal, place("playwright-healthy")),
        Run::of("external-pytest", &portal, place("pytest-healthy")),
    );
    portal.set_fault(Fault::ElementMissing, Switch::On);
    let broken = tokio::join!(
        Run::of("external-playwright", &portal, place("playwright-broken")),
        Run::of("external-pytest", &portal, place("pytest-broken")),
    );

    for run in [&healthy.0, &healthy.1] {
        // On a busy machine the search may take longer than its budget.
        let result = run.text("journey", "result");
        assert!(matches!(result, "ok" | "slow"), "{:#?}", run.lines);
        assert_eq!(run.steps(), steps);
    }
    for (run, class, why) in [
        (&broken.0, "timeout", "Timeout 10000ms exceeded"),
        (&broken.1, "element_missing", "no such element"),
    ] {
        assert_eq!(run.text("journey", "result"), "failed", "{:#?}", run.lines);
        assert_eq!(run.text("journey", "failed_step"), "Buscar expediente");
        assert_eq!(run.text("journey", "error_class"), class);
        assert!(run.line("journey").contains(why), "{}", run.line("journey"));
        let picture = image::load_from_memory(&run.picture()).unwrap();
        assert!(picture.width() >= 800, "a picture too small to be read");
        assert!(!run.lines.concat().contains(PASSWORD));
    }
    let trace = |name: &String| name.ends_with("trace.zip");
    assert!(broken.0.kept().iter().any(trace), "{:?}", broken.0.kept());

    for run in [healthy.0, healthy.1] {
        influxdb.write(run.lines.join("\n")).await.unwrap();
    }
    for (run, name) in [
        (broken.0, "consultar un expediente"),
        (broken.1, "ver un expediente"),
    ] {
        influxdb.write(run.lines.join("\n")).await.unwrap();
        let told = mail
            .mailbox()
            .wait_for(name, PATIENCE, |mail| mail.subject.contains(name))
            .await
            .map_err(|error| alert.explain(error))
            .unwrap();
        assert!(
            told.pictures
                .iter()
                .any(|picture| picture.bytes == run.picture()),
            "{} has another picture or none",
            told.subject
        );
    }
}
