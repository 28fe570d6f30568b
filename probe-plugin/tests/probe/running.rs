//! A running probe with its configuration in a folder of its own, and the points that it prints.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use influxdb_line_protocol::{FieldValue, ParsedLine, parse_lines};
use tempfile::TempDir;

/// Longer than anything takes; only a failing test waits so long.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// The password that the journeys type.
pub const SECRET: &str = vigia_testbed::portal::PASSWORD;

/// A journey to the detail of a file, as a citizen does it.
pub const JOURNEY: &str = r#"
system = "tramites"
name = "consultar-tramite"
impact = "critical"
every = "24h"
timeout = "20s"
action_timeout = "3s"

[variables]
portal = "https://tramites.example"

[[step]]
name = "Ingresar"
budget = "3s"
actions = [
  { goto = "${portal}/ingreso" },
  { fill = { field = "label=Usuario", with = "robot" } },
  { fill = { field = "label=Clave", with = "${secret:TRAMITES_CLAVE}" } },
  { click = "role=button[name='Ingresar']" },
  { expect = { text = "Bienvenido" } },
]

[[step]]
name = "Buscar expediente"
budget = "2s"
actions = [
  { goto = "${portal}/expedientes" },
  { fill = { field = "label=Número de expediente", with = "2026-004512" } },
  { click = "role=button[name='Buscar expediente']" },
  { expect = { visible = "role=link[name='Ver detalle']" } },
]

[[step]]
name = "Ver detalle"
budget = "2s"
actions = [
  { click = "role=link[name='Ver detalle']" },
  { expect = { text = "Estado del trámite" } },
]
"#;

/// The folder with `probe.toml` and the journeys.
#[derive(Debug)]
pub struct Setting {
    folder: TempDir,
    /// A folder of it that is a disk of its own, which soon is full.
    small_disk: Option<SmallDisk>,
    /// Who vouches for servers, instead of those that this machine knows.
    authorities: Option<PathBuf>,
    /// More of its environment.
    secrets: Vec<(String, String)>,
}

/// What is on a disk of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SmallDisk {
    TemporaryFiles,
    Artifacts,
}

impl Setting {
    /// One journey against this portal; `more` is appended to `probe.toml`.
    pub fn new(journey: &str, portal: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("journeys")).unwrap();
        fs::write(folder.path().join("journeys/journey.toml"), journey).unwrap();
        fs::write(
            folder.path().join("probe.toml"),
            format!(
                "probe = \"prueba\"\njourneys = \"journeys\"\n{more}\n[artifacts]\nfolder = \"artifacts\"\n[environment]\nvariables = {{ portal = \"{portal}\" }}\n"
            ),
        )
        .unwrap();
        Self {
            folder,
            small_disk: None,
            authorities: None,
            secrets: Vec::new(),
        }
    }

    /// The same with one more secret in the environment.
    pub fn with_secret(mut self, name: &str, value: &str) -> Self {
        self.secrets.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with this in the table of artifacts, in place of a folder.
    pub fn with_artifacts(self, table: &str) -> Self {
        let file = self.folder.path().join("probe.toml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace("folder = \"artifacts\"", table)).unwrap();
        self
    }

    /// The same with temporary files on a small disk that only the probe and its browser see. They are root in a world of
    /// their own there, so that Chromium's sandbox must be off.
    pub fn on_a_small_disk(self) -> Self {
        Self {
            small_disk: Some(SmallDisk::TemporaryFiles),
            ..self
        }
    }

    /// The same with artifacts on such a disk.
    pub fn with_artifacts_on_a_small_disk(self) -> Self {
        fs::create_dir(self.artifacts()).unwrap();
        Self {
            small_disk: Some(SmallDisk::Artifacts),
            ..self
        }
    }

    /// The same where these certificates, as PEM, vouch for servers.
    pub fn trusting(self, authorities: &str) -> Self {
        let file = self.folder.path().join("authorities.pem");
        fs::write(&file, authorities).unwrap();
        Self {
            authorities: Some(file),
            ..self
        }
    }

    /// Where a running probe's temporary files are.
    pub fn temporary_files(&self, of: &Running) -> PathBuf {
        let temporary = self.folder.path().join("tmp");
        if self.small_disk == Some(SmallDisk::TemporaryFiles) {
            of.sees(&temporary)
        } else {
            temporary
        }
    }

    /// Where a running probe's artifacts are, where they are on a disk of their own.
    pub fn artifacts_of(&self, of: &Running) -> PathBuf {
        of.sees(&self.artifacts())
    }

    /// The same where no journey has a variable.
    pub fn without_variables(self) -> Self {
        let file = self.folder.path().join("probe.toml");
        let text = fs::read_to_string(&file).unwrap();
        let (before, _) = text.split_once("[environment]").unwrap();
        fs::write(&file, before).unwrap();
        self
    }

    /// One more journey.
    pub fn add_journey(&self, name: &str, journey: &str) {
        let file = self.folder.path().join("journeys").join(name);
        fs::write(file.with_extension("toml"), journey).unwrap();
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where artifacts are kept.
    pub fn artifacts(&self) -> PathBuf {
        self.folder.path().join("artifacts")
    }

    /// The program with this folder's configuration. Its temporary files are in the folder too, so that what is left
    /// behind is seen.
    pub fn command(&self, subcommand: &str) -> Command {
        let temporary = self.folder.path().join("tmp");
        fs::create_dir_all(&temporary).unwrap();
        let program = env!("CARGO_BIN_EXE_vigia-probe");
        let mut command = if let Some(disk) = self.small_disk {
            let place = match disk {
                SmallDisk::TemporaryFiles => temporary.clone(),
                SmallDisk::Artifacts => self.artifacts(),
            };
            let mount = format!(
                "mount -t tmpfs -o size=32m,nr_inodes=1000 tmpfs '{}' && exec \"$0\" \"$@\"",
                place.display()
            );
            let mut command = Command::new("unshare");
            command.args(["-rm", "sh", "-c", &mount, program]);
            command
        } else {
            Command::new(program)
        };
        command
            .arg(subcommand)
            .arg("--config")
            .arg(self.folder.path().join("probe.toml"))
            .env("TRAMITES_CLAVE", SECRET)
            .envs(self.secrets.iter().map(|(name, value)| (name, value)))
            .env("TMPDIR", temporary);
        if let Some(authorities) = &self.authorities {
            command.env("SSL_CERT_FILE", authorities);
        }
        command
    }

    /// The browser profiles that are there now.
    pub fn profiles(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.path().join("tmp")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    /// The process group of the browser.
    pub fn browser_group(&self) -> Option<i32> {
        self.browser_groups().first().copied()
    }

    /// The process groups of all browsers: the first process of each leads it and names this folder on its command line.
    pub fn browser_groups(&self) -> Vec<i32> {
        let needle = self.folder.path().join("tmp").display().to_string();
        let leads = |id: &i32| {
            let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            group(*id) == Some(*id) && String::from_utf8_lossy(&line).contains(&needle)
        };
        processes().filter(leads).collect()
    }
}

/// All the processes of a group that are not dead already and only wait to be reaped by the system.
pub fn members(of: i32) -> Vec<i32> {
    processes().filter(|id| group(*id) == Some(of)).collect()
}

fn processes() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").unwrap();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

fn group(id: i32) -> Option<i32> {
    // State, parent and group stand behind the name in brackets: proc_pid_stat(5).
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let dead = matches!(fields.next()?, "Z" | "X");
    fields.nth(1)?.parse().ok().filter(|_| !dead)
}

/// Chromium's sandbox cannot work for root, which is who runs tests in containers.
pub fn browser_table() -> &'static str {
    if rustix::process::geteuid().is_root() {
        "[browser]\nsandbox = false"
    } else {
        "[browser]"
    }
}

/// A probe under way.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: mpsc::Receiver<String>,
    stderr: std::thread::JoinHandle<String>,
}

impl Running {
    /// Starts it the way execd does.
    pub fn start(setting: &Setting) -> Self {
        let mut child = setting
            .command("run")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = mpsc::channel();
        let stdout = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines() {
                sender.send(line.unwrap()).ok();
            }
        });
        let mut errors = child.stderr.take().unwrap();
        let stderr = std::thread::spawn(move || {
            let mut text = String::new();
            errors.read_to_string(&mut text).unwrap();
            text
        });
        Self {
            stdin: child.stdin.take(),
            child,
            lines,
            stderr,
        }
    }

    /// This path as it is in the probe's world.
    fn sees(&self, path: &Path) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.id()));
        root.join(path.strip_prefix("/").unwrap())
    }

    /// Its process id.
    pub fn id(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }

    /// Asks for points now, as `telegraf --test` does.
    pub fn ask_for_points(&mut self) {
        self.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    /// The next point of this measurement; whatever comes before it must be line protocol too.
    pub fn next(&self, measurement: &str) -> Point {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self
                .lines
                .recv_timeout(left)
                .expect("a point within the deadline");
            let point = Point(line);
            if point.measurement() == measurement {
                return point;
            }
        }
    }

    /// The points of the run that ends with this journey point: they come right behind it.
    pub fn run(&self) -> Run {
        let journey = self.next("journey");
        let count = if journey.text("result") == Some("missed") {
            0
        } else {
            journey.reached()
        };
        let steps = (0..count).map(|_| self.next("journey_step")).collect();
        Run { journey, steps }
    }

    /// The next run of this journey that was not missed, and the runs of the others before it.
    pub fn run_of(&self, journey: &str) -> (Run, Vec<Run>) {
        let mut others = Vec::new();
        loop {
            let run = self.run_that_started();
            if run.journey.tag("journey").as_deref() == Some(journey) {
                return (run, others);
            }
            others.push(run);
        }
    }

    /// The next run that was not missed: on a starved machine a run may outlive its interval.
    pub fn run_that_started(&self) -> Run {
        loop {
            let run = self.run();
            if run.journey.text("result") != Some("missed") {
                return run;
            }
        }
    }

    /// The next run that was neither missed nor good: good ones may have ended before what the test did.
    pub fn first_run_not_ok(&self) -> Run {
        loop {
            let run = self.run_that_started();
            if run.journey.text("result") != Some("ok") {
                return run;
            }
        }
    }

    /// Ends it as Telegraf does, by closing stdin, and returns how it ended, what it still printed and its stderr.
    pub fn stop(mut self) -> (ExitStatus, Vec<Point>, String) {
        drop(self.stdin.take());
        self.wait()
    }

    /// Waits for its end.
    pub fn wait(mut self) -> (ExitStatus, Vec<Point>, String) {
        let status = self.child.wait().unwrap();
        let stderr = self.stderr.join().unwrap();
        (status, self.lines.iter().map(Point).collect(), stderr)
    }
}

/// What one run told.
#[derive(Debug)]
pub struct Run {
    /// The run.
    pub journey: Point,
    /// Its steps.
    pub steps: Vec<Point>,
}

/// A line, read by the parser of `influxdb-line-protocol`.
#[derive(Debug)]
pub struct Point(pub String);

impl Point {
    fn parsed(&self) -> ParsedLine<'_> {
        let mut lines: Vec<_> = parse_lines(&self.0).collect();
        assert_eq!(lines.len(), 1, "{}", self.0);
        lines.remove(0).expect(&self.0)
    }

    /// Its measurement.
    pub fn measurement(&self) -> String {
        self.parsed().series.measurement.to_string()
    }

    /// When it was, in nanoseconds since 1970.
    pub fn time(&self) -> i64 {
        self.parsed().timestamp.expect(&self.0)
    }

    /// A tag.
    pub fn tag(&self, key: &str) -> Option<String> {
        self.parsed().tag_value(key).map(ToString::to_string)
    }

    /// A text field.
    pub fn text(&self, key: &str) -> Option<&str> {
        let start = self.0.find(&format!("{key}=\""))? + key.len() + 2;
        let rest = &self.0[start..];
        let end = rest
            .match_indices('"')
            .find(|(at, _)| !rest[..*at].ends_with('\\'))?
            .0;
        Some(&rest[..end])
    }

    /// An integer field.
    pub fn integer(&self, key: &str) -> Option<i64> {
        match self.parsed().field_value(key)? {
            FieldValue::I64(number) => Some(*number),
            other => panic!("{key} is {other:?}"),
        }
    }

    /// A float field.
    pub fn float(&self, key: &str) -> Option<f64> {
        match self.parsed().field_value(key)? {
            FieldValue::F64(number) => Some(*number),
            other => panic!("{key} is {other:?}"),
        }
    }

    /// How many steps have a point: those that ended well, and the one that did not.
    fn reached(&self) -> usize {
        let ok = usize::try_from(self.integer("steps_ok").unwrap_or(0)).unwrap();
        ok + usize::from(self.text("failed_step").is_some())
    }
}

/// Waits for something outside that nobody announces, such as the end of another process.
pub fn until(what: &str, mut look: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !look() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
