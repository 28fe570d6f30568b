//! Starts the real program beside a real InfluxDB, and plays the journeys that it watches.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tempfile::TempDir;
use tokio::time::timeout;
use vigia_testbed::{
    servers::{
        PostgreSql, Process, Program,
        influxdb::{self, InfluxDb},
        postgresql, process,
    },
    until::until,
};

/// The first bytes of a JPEG: nothing here looks at the picture.
pub const PICTURE: [u8; 8] = [0xFF, 0xD8, 0xFF, 0xE0, 0, 1, 2, 3];

pub struct Stage {
    pub folder: TempDir,
    pub influxdb: InfluxDb,
}

impl Stage {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let influxdb = InfluxDb::start(&folder.path().join("influxdb"))
            .await
            .unwrap();
        Self { folder, influxdb }
    }

    /// Writes the configuration; `email` is the value of the channel's key.
    pub fn configure(&self, email: &str) -> PathBuf {
        self.configure_with(r#"path = "vigia-alert.db""#, email)
    }

    /// Writes the configuration with these lines under `[store]`.
    pub fn configure_with(&self, store: &str, email: &str) -> PathBuf {
        let path = self.folder.path().join("alert.toml");
        let url = self.influxdb.url();
        let (organization, bucket) = (influxdb::ORGANIZATION, influxdb::BUCKET);
        let text = format!(
            r#"language = "es"
time_zone = "America/Montevideo"
[influxdb]
url = "{url}"
organization = "{organization}"
bucket = "{bucket}"
token = "${{secret:INFLUX_TOKEN}}"
timeout = "2s"
[store]
{store}
[grouping]
wait = "0s"
join = "0s"
[names]
tramites = "Trámites"
consultar-tramite = "Consultar un trámite"
[[rule]]
name = "journeys-failed"
use = "journeys-failed"
every = "100ms"
fails_after = "2 of 3"
# A test plays a day in seconds.
flapping = {{ after = 1000, within = "1s", calm = "1s" }}
[[channel]]
name = "mail"
email = {email}
[[route]]
channels = ["mail"]
"#
        );
        fs::write(&path, text).unwrap();
        path
    }

    /// For a [`super::scripted_smtp::ScriptedSmtp`].
    pub fn configure_plain(&self, port: u16) -> PathBuf {
        self.configure(&plain(port))
    }

    /// Writes the point of a run that ended just now, as a probe does.
    pub async fn run_ends(&self, journey: &str, result: &str, run_id: &str) {
        self.influxdb
            .write(run(journey, result, run_id, jiff::Timestamp::now()))
            .await
            .unwrap();
    }
}

/// The lines under `[store]` for this server.
pub fn shared_store(server: &PostgreSql) -> String {
    let address = server.address("postgres");
    format!("postgresql = \"{address}\"\npassword = \"${{secret:STORE_PASSWORD}}\"")
}

/// A mail channel to a [`super::scripted_smtp::ScriptedSmtp`].
pub fn plain(port: u16) -> String {
    format!(
        r#"{{ server = "127.0.0.1", port = {port}, tls = "none", from = "Vigía <vigia@agency.example>", to = ["director@agency.example"] }}"#
    )
}

/// The points of a run that began at this moment; a failed or restored one with its picture.
pub fn run(journey: &str, result: &str, run_id: &str, at: jiff::Timestamp) -> String {
    let at_ns = at.as_nanosecond();
    let tags = format!("system=tramites,journey={journey},probe=sede,impact=critical,host=h");
    let why = if result == "failed" {
        format!(
            r#",failed_step="Ingresar",error_class="element_missing",error="the text `Bienvenido` did not appear within 5 s",url="https://tramites.example/ingreso",http_status=200i,artifact="tramites/{journey}/{run_id}""#
        )
    } else {
        String::new()
    };
    let step = if result == "failed" {
        r#",failed_step="Ingresar""#
    } else {
        ""
    };
    let picture = BASE64_STANDARD.encode(PICTURE);
    format!(
        "journey,{tags} ok=1i,valid=1i,result=\"{result}\",run_id=\"{run_id}\"{why} {at_ns}\n\
         journey_screenshot,{tags} image=\"data:image/jpeg;base64,{picture}\",run_id=\"{run_id}\"{step} {at_ns}\n"
    )
}

/// Signs the links in messages.
pub const LINK_KEY: &str = "a key that signs the links in messages";

const PROGRAM: &str = env!("CARGO_BIN_EXE_vigia-alert");

/// The running program. Dropped, it is killed.
pub struct Sidecar {
    process: Process,
    log: PathBuf,
}

impl Sidecar {
    pub async fn start(config: &Path) -> Self {
        let sidecar = Self::spawn(config);
        let watching = async || sidecar.log().contains("watching").then_some(());
        until("the sidecar to watch", Duration::from_secs(20), watching)
            .await
            .unwrap();
        sidecar
    }

    pub fn spawn(config: &Path) -> Self {
        Self::spawn_as(config, process::tied(Path::new(PROGRAM)))
    }

    /// Starts it so that it is killed when it enters a system call of these, separated by commas, for this many times.
    pub fn spawn_to_die_at(config: &Path, calls: &str, time: usize) -> Self {
        let strace = Program::Strace.path().unwrap();
        let mut command = process::tied(&strace);
        command
            .args(["--follow-forks", "-qqq", "--output=/dev/null"])
            .arg(format!("--trace={calls}"))
            .arg(format!("--inject={calls}:signal=KILL:when={time}"))
            // A tracer that is killed does not take what it traces with it.
            .args(["setpriv", "--pdeathsig", "KILL", "--", PROGRAM]);
        Self::spawn_as(config, command)
    }

    /// Starts it so that the clock of the machine seems to be as far ahead as this file says. The clock that nobody can set
    /// stays as it is.
    pub fn spawn_with_clock(config: &Path, clock: &Path) -> Self {
        let mut command = process::tied(Path::new(PROGRAM));
        command
            .env("LD_PRELOAD", Program::Faketime.path().unwrap())
            .env("FAKETIME_TIMESTAMP_FILE", clock)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        Self::spawn_as(config, command)
    }

    /// Starts it where this folder is a disk of a megabyte that only it sees.
    pub fn spawn_on_disk_of_its_own(config: &Path, folder: &Path) -> Self {
        let mut command = process::tied(Path::new("unshare"));
        if !rustix::process::geteuid().is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        command
            .args(["--mount", "--", "setpriv", "--pdeathsig", "KILL", "--"])
            .args(["/bin/sh", "-c"])
            .arg("mount -t tmpfs -o size=1m none \"$0\" && exec \"$@\"")
            .arg(folder)
            .arg(PROGRAM);
        Self::spawn_as(config, command)
    }

    fn spawn_as(config: &Path, mut command: Command) -> Self {
        let log = tempfile::Builder::new()
            .suffix(".log")
            .tempfile_in(config.parent().unwrap())
            .unwrap();
        let log = log.into_temp_path().keep().unwrap();
        command.arg("run").arg("--config").arg(config);
        command
            .env("INFLUX_TOKEN", influxdb::TOKEN)
            .env("PAGE_TOKEN", super::pages::TOKEN)
            .env("PAGE_LINK_KEY", LINK_KEY)
            .env("STORE_PASSWORD", postgresql::PASSWORD)
            .env("SMTP_PASSWORD", vigia_testbed::servers::mail::PASSWORD);
        Self {
            process: Process::start("vigia-alert", &log, &mut command).unwrap(),
            log,
        }
    }

    /// The number of its process.
    pub fn id(&self) -> i32 {
        self.process.id()
    }

    pub fn log_file(&self) -> PathBuf {
        self.log.clone()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    pub async fn wait_for_log(&self, text: &str) {
        let seen = async || self.log().contains(text).then_some(());
        until(text, Duration::from_mins(1), seen).await.unwrap();
    }

    /// Sends a signal and waits for the end; gives the exit code, where it was not killed.
    pub async fn end(mut self, signal: Signal) -> Option<i32> {
        self.signal(signal);
        self.ended().await
    }

    /// Sends a signal to the program, which runs on.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.process.id()).unwrap(), signal).unwrap();
    }

    /// Waits for its death, at most so long; then it is killed. Says whether it died before.
    pub async fn dies_within(mut self, longest: Duration) -> bool {
        let died = timeout(longest, self.process.end()).await.is_ok();
        if !died {
            kill_process_group(Pid::from_raw(self.process.id()).unwrap(), Signal::KILL).unwrap();
        }
        assert_eq!(
            self.ended().await,
            None,
            "it was not killed:\n{}",
            self.log()
        );
        died
    }

    pub async fn ended(&mut self) -> Option<i32> {
        timeout(Duration::from_secs(10), self.process.end())
            .await
            .unwrap()
            .unwrap()
            .exit_status()
    }
}
