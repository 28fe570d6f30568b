//! The parts of the demo, started in the order in which they need each other.

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, ensure};

use super::{
    runs::{JOURNEY, JOURNEY_NAME, OTHER_JOURNEY},
    timeline::say,
};
use crate::{
    portal::{self, Portal},
    repository,
    servers::{InfluxDb, MailServer, Process, Synapse, Telegraf, influxdb, mail, process},
};

/// How often the robots walk.
const EVERY: &str = "5s";
/// The same where many faults are measured.
const MEASURED_EVERY: &str = "2s";

/// Somebody who is told through chat too, while it is measured how long that takes. The journeys fail so often then that they
/// would be told of as coming and going.
#[derive(Clone, Copy, Debug)]
pub struct Measured<'a> {
    pub room: &'a Synapse,
}

/// The order is that of the drop too: what writes goes before what it writes to.
#[derive(Debug)]
pub struct Parts {
    pub telegraf: Telegraf,
    pub alert: Process,
    pub portal: Portal,
    pub mail: MailServer,
    pub influxdb: InfluxDb,
    /// Full-size screenshots of failed runs, each written as its run ends.
    pub artifacts: PathBuf,
}

impl Parts {
    /// Starts them with their files in `state`.
    pub async fn start(state: &Path, measured: Option<Measured<'_>>) -> Result<Self> {
        let probe = sibling("vigia-probe")?;
        let alert = sibling("vigia-alert")?;
        let began = Instant::now();
        let influxdb = InfluxDb::start(&state.join("influxdb")).await?;
        began_saying("InfluxDB", began);
        let began = Instant::now();
        let mail = MailServer::start(&state.join("mail")).await?;
        began_saying("mail server", began);
        let began = Instant::now();
        let portal = Portal::start_showing(mail.mailbox().clone()).await?;
        let alert = start_alert(&alert, &state.join("alert"), &influxdb, &mail, measured)?;
        let artifacts = state.join("probe/artifacts");
        let every = measured.map_or(EVERY, |_| MEASURED_EVERY);
        let configuration = configure_probe(&state.join("probe"), &portal, every)?;
        let telegraf = Telegraf::start(
            &state.join("telegraf"),
            &[repository::path("telegraf.d/vigia-probe.conf")],
            &[
                ("VIGIA_PROBE", probe.display().to_string()),
                ("VIGIA_PROBE_CONFIG", configuration.display().to_string()),
                ("INFLUX_URL", influxdb.url().to_owned()),
                ("INFLUX_TOKEN", influxdb::TOKEN.to_owned()),
                ("INFLUX_ORG", influxdb::ORGANIZATION.to_owned()),
                ("INFLUX_BUCKET", influxdb::BUCKET.to_owned()),
                ("TRAMITES_CLAVE", portal::PASSWORD.to_owned()),
            ],
        )?;
        began_saying("portal, vigia-alert, Telegraf with vigia-probe", began);
        Ok(Self {
            telegraf,
            alert,
            portal,
            mail,
            influxdb,
            artifacts,
        })
    }

    /// What a person opens in a browser.
    pub fn addresses(&self) -> String {
        format!(
            "\n  portal    {}   (user {}, password {})\n  switches  {}\n  mailbox   {}/correo\n  InfluxDB  {}   (token {})\n",
            self.portal.url(),
            portal::USER,
            portal::PASSWORD,
            self.portal.control_url(),
            self.portal.control_url(),
            self.influxdb.url(),
            influxdb::TOKEN,
        )
    }

    /// Completes with an explanation when one of the processes ends, which none should.
    pub async fn first_end(&self) -> anyhow::Error {
        let ended = tokio::select! {
            _ = self.telegraf.process().end() => self.telegraf.process(),
            _ = self.alert.end() => &self.alert,
            _ = self.mail.process().end() => self.mail.process(),
            _ = self.influxdb.process().end() => self.influxdb.process(),
        };
        ended.explain(anyhow!("{} ended by itself", ended.name()))
    }

    /// Ends them one after the other, so that each can finish what it does.
    pub async fn stop(self) -> Result<()> {
        self.telegraf.stop().await?;
        self.alert.stop(Duration::from_secs(10)).await?;
        self.influxdb.stop().await
    }
}

fn began_saying(what: &str, began: Instant) {
    say(&format!(
        "started {what} ({:.1} s)",
        began.elapsed().as_secs_f64()
    ));
}

/// Our programs are built together and lie side by side.
fn sibling(name: &str) -> Result<PathBuf> {
    let here = env::current_exe().context("failed to find this program's own file")?;
    let path = here.with_file_name(name);
    ensure!(
        path.is_file(),
        "there is no `{}`\nhint: build the whole workspace with `cargo build --workspace`",
        path.display()
    );
    Ok(path)
}

fn configure_probe(folder: &Path, portal: &Portal, every: &str) -> Result<PathBuf> {
    // Chromium's sandbox does not work for root.
    let sandbox = !rustix::process::geteuid().is_root();
    let text = format!(
        r#"probe = "demo"
journeys = "{}"

[artifacts]
folder = "artifacts"

[browser]
sandbox = {sandbox}

[environment]
every = "{every}"
variables = {{ portal = "{}" }}
"#,
        repository::path("examples/journeys").display(),
        portal.url(),
    );
    write(folder, "probe.toml", &text)
}

fn start_alert(
    program: &Path,
    folder: &Path,
    influxdb: &InfluxDb,
    mail: &MailServer,
    measured: Option<Measured<'_>>,
) -> Result<Process> {
    let (flapping, room, channels) = match measured {
        None => ("", String::new(), "\"mail\""),
        Some(Measured { room }) => (
            "flapping = { after = 1000, within = \"1m\", calm = \"1s\" }",
            format!(
                "[[channel]]\nname = \"room\"\nmatrix = {{ server = \"{}\", token = \"${{secret:MATRIX_TOKEN}}\", to = [\"{}\"] }}",
                room.url(),
                room.room()
            ),
            "\"mail\", \"room\"",
        ),
    };
    let text = format!(
        r#"language = "es"
time_zone = "America/Montevideo"

[names]
tramites = "Trámites en línea"
{JOURNEY} = "{JOURNEY_NAME}"
{OTHER_JOURNEY} = "presentar una solicitud"

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
{flapping}

{room}

[[channel]]
name = "mail"
[channel.email]
server = "{}"
port = {}
tls = "starttls"
username = "{}"
password = "${{secret:SMTP_PASSWORD}}"
from = "Vigía <vigia@agencia.example>"
to = ["director@agencia.example"]
ca_file = "{}"

[[route]]
impact = ["critical", "high"]
channels = [{channels}]
"#,
        influxdb.url(),
        influxdb::ORGANIZATION,
        influxdb::BUCKET,
        mail::HOST,
        mail.port(),
        mail::USERNAME,
        mail.ca_file().display(),
    );
    let configuration = write(folder, "alert.toml", &text)?;
    let mut command = process::tied(program);
    command
        .args(["run", "--config"])
        .arg(configuration)
        .env("INFLUX_TOKEN", influxdb::TOKEN)
        .env("SMTP_PASSWORD", mail::PASSWORD);
    if let Some(Measured { room }) = measured {
        command.env("MATRIX_TOKEN", room.token());
    }
    Process::start("vigia-alert", &folder.join("vigia-alert.log"), &mut command)
}

fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf> {
    let path = folder.join(name);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&path, text))
        .with_context(|| format!("failed to write `{}`", path.display()))?;
    Ok(path)
}
