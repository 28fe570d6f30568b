//! A real InfluxDB with points, and the program that makes reports of it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;
use vigia_testbed::servers::influxdb::{self, InfluxDb};

/// A row of a file of CSV, by its columns.
pub type Row = BTreeMap<String, String>;

pub struct Stage {
    pub folder: TempDir,
    pub influxdb: InfluxDb,
}

/// What the program made.
pub struct Made {
    pub output: Output,
    pub folder: PathBuf,
}

impl Stage {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let influxdb = InfluxDb::start(&folder.path().join("influxdb"))
            .await
            .unwrap();
        Self { folder, influxdb }
    }

    pub async fn write(&self, lines: &[String]) {
        for lines in lines.chunks(50_000) {
            self.influxdb.write(lines.join("\n")).await.unwrap();
        }
    }

    /// Writes the configuration, in this language, with these lines at its end.
    pub fn configure(&self, language: &str, more: &str) -> PathBuf {
        let path = self.folder.path().join(format!("alert-{language}.toml"));
        let url = self.influxdb.url();
        let (organization, bucket) = (influxdb::ORGANIZATION, influxdb::BUCKET);
        let text = format!(
            r#"language = "{language}"
time_zone = "{}"
[influxdb]
url = "{url}"
organization = "{organization}"
bucket = "{bucket}"
token = "${{secret:INFLUX_TOKEN}}"
[store]
path = "vigia-alert.db"
[names]
tramites = "Trámites"
[[channel]]
name = "mail"
email = {{ server = "127.0.0.1", tls = "none", from = "vigia@agency.example", to = ["director@agency.example"] }}
[[route]]
channels = ["mail"]
{more}"#,
            super::months::ZONE
        );
        fs::write(&path, text).unwrap();
        path
    }

    /// Runs the program; its files go to a folder of this name.
    pub fn report(&self, config: &Path, name: &str, arguments: &[&str]) -> Made {
        let folder = self.folder.path().join(name);
        let output = Command::new(env!("CARGO_BIN_EXE_vigia-alert"))
            .args(["report", "--config"])
            .arg(config)
            .arg("--output")
            .arg(&folder)
            .args(arguments)
            .env("INFLUX_TOKEN", influxdb::TOKEN)
            .output()
            .unwrap();
        assert!(output.stdout.is_empty());
        Made { output, folder }
    }
}

impl Made {
    pub fn said(&self) -> String {
        String::from_utf8(self.output.stderr.clone()).unwrap()
    }

    pub fn succeeded(self) -> Self {
        assert_eq!(self.output.status.code(), Some(0), "{}", self.said());
        self
    }

    /// Its files of CSV, by their names.
    pub fn tables(&self) -> BTreeMap<String, Vec<u8>> {
        fs::read_dir(&self.folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end == "csv"))
            .map(|path| {
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                (name, fs::read(path).unwrap())
            })
            .collect()
    }

    /// The rows of one of them.
    pub fn rows(&self, table: &str) -> Vec<Row> {
        let path = self
            .folder
            .join(format!("vigia-{}-{table}.csv", super::months::MONTH));
        csv::Reader::from_path(path)
            .unwrap()
            .deserialize()
            .map(|row| row.unwrap())
            .collect()
    }
}
