//! A real probe on its own, and the points that it prints, read without InfluxDB and without Flux.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::Duration,
};

use influxdb_line_protocol::{FieldValue, parse_lines};
use jiff::Timestamp;
use vigia_contract::data_model::Outcome;
use vigia_testbed::{
    portal::{self, Portal},
    repository,
    servers::process,
    until::until,
};

/// The journey of the examples that searches, which the portal's faults break.
pub const JOURNEY: &str = "consultar-tramite";
/// The probe's name.
pub const PROBE: &str = "sede-central";
/// A run of the two journeys of the examples takes a second; a broken one ends with its timeout or before.
const PATIENCE: Duration = Duration::from_secs(90);

/// A point as it was printed.
#[derive(Debug)]
pub struct Point {
    pub measurement: String,
    tags: Vec<(String, String)>,
    fields: Vec<(String, String)>,
    pub at: Timestamp,
}

impl Point {
    pub fn tag(&self, name: &str) -> &str {
        let tag = self.tags.iter().find(|(tag, _)| tag == name);
        tag.map_or("", |(_, value)| value)
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|(field, _)| field == name);
        field.map(|(_, value)| value.as_str())
    }

    pub fn number(&self, name: &str) -> Option<f64> {
        self.field(name)?.parse().ok()
    }
}

/// The points of lines of line protocol.
pub fn points(lines: &str) -> Vec<Point> {
    parse_lines(lines)
        .map(|line| {
            let line = line.unwrap();
            let tags = line.series.tag_set.iter().flatten();
            Point {
                measurement: line.series.measurement.to_string(),
                tags: tags
                    .map(|(name, value)| (name.to_string(), value.to_string()))
                    .collect(),
                fields: line
                    .field_set
                    .iter()
                    .map(|(name, value)| (name.to_string(), plain(value)))
                    .collect(),
                at: Timestamp::from_nanosecond(line.timestamp.unwrap().into()).unwrap(),
            }
        })
        .collect()
}

fn plain(value: &FieldValue<'_>) -> String {
    match value {
        FieldValue::I64(value) => value.to_string(),
        FieldValue::U64(value) => value.to_string(),
        FieldValue::F64(value) => value.to_string(),
        FieldValue::Boolean(value) => value.to_string(),
        FieldValue::String(value) => value.to_string(),
    }
}

/// A running probe; it ends with the test.
pub struct Probe {
    child: Child,
    lines: PathBuf,
}

impl Probe {
    pub fn start(folder: &Path, portal: &Portal) -> Self {
        let sandbox = !rustix::process::geteuid().is_root();
        let configuration = folder.join("probe.toml");
        fs::write(
            &configuration,
            format!(
                "probe = \"{PROBE}\"\njourneys = \"{}\"\n[artifacts]\nfolder = \"artifacts\"\n[browser]\nsandbox = {sandbox}\n[environment]\nevery = \"3s\"\nvariables = {{ portal = \"{}\" }}\n",
                repository::path("examples/journeys").display(),
                portal.url(),
            ),
        )
        .unwrap();
        let lines = folder.join("points.influx");
        let program = Path::new(env!("CARGO_BIN_EXE_vigia-demo")).with_file_name("vigia-probe");
        assert!(program.is_file(), "hint: build the whole workspace");
        let child = process::tied(&program)
            .args(["run", "--config"])
            .arg(&configuration)
            .env("TRAMITES_CLAVE", portal::PASSWORD)
            .stdin(Stdio::piped())
            .stdout(File::create(&lines).unwrap())
            .stderr(File::create(folder.join("probe.log")).unwrap())
            .spawn()
            .unwrap();
        Self { child, lines }
    }

    /// Waits until so many more runs of the journey came to this.
    pub async fn runs(&self, outcome: Outcome, more: usize) {
        let result = format!("result=\"{}\"", outcome.name());
        let of_journey = format!("journey={JOURNEY},");
        let is_meant = |line: &str| {
            line.starts_with("journey,") && line.contains(&of_journey) && line.contains(&result)
        };
        let enough = self.count(is_meant) + more;
        self.until(&result, enough, is_meant).await;
    }

    /// Waits until it has told of itself so often since its start.
    pub async fn tells_of_itself(&self, times: usize) {
        let of_itself = |line: &str| line.starts_with("probe,");
        self.until("points of the probe", times, of_itself).await;
    }

    async fn until(&self, what: &str, enough: usize, is_meant: impl Fn(&str) -> bool) {
        until(what, PATIENCE, async || {
            (self.count(&is_meant) >= enough).then_some(())
        })
        .await
        .unwrap();
    }

    fn count(&self, is_meant: impl Fn(&str) -> bool) -> usize {
        let lines = fs::read_to_string(&self.lines).unwrap();
        lines.lines().filter(|line| is_meant(line)).count()
    }

    /// Every line that it printed; it ends when its stdin does.
    pub fn end(mut self) -> String {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
        fs::read_to_string(&self.lines).unwrap()
    }
}
