//! The Grafana dashboards: one source for both languages. `make dashboards` writes the files of `grafana/dashboards/`.
//!
//! A dashboard is a file here, its queries are the `.flux` files of `queries/`. What a person reads is given in both
//! languages where it is used. Nothing here talks to Grafana or to InfluxDB.

mod panel;
mod robots;
mod run;
mod servers;
mod states;
mod system;
mod systems;
mod table;
mod text;
mod variables;

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::repository;
use panel::Panel;
use text::Language;

/// A dashboard as Grafana reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it lies in the repository.
    pub path: PathBuf,
    /// Its JSON.
    pub text: String,
}

/// Every file of every language.
#[must_use]
pub fn files() -> Vec<File> {
    let dashboards = [
        systems::dashboard(),
        system::dashboard(),
        run::dashboard(),
        servers::dashboard(),
        robots::dashboard(),
    ];
    let mut files = Vec::new();
    for language in Language::ALL {
        for dashboard in &dashboards {
            let uid = dashboard.uid;
            let mut json = dashboard.json();
            text::say_in(&mut json, language);
            let folder = format!("grafana/dashboards/{}", language.name());
            files.push(File {
                path: repository::path(&format!("{folder}/{uid}.json")),
                text: format!("{json:#}\n"),
            });
        }
    }
    files
}

/// Writes them all.
#[must_use]
pub fn main() -> ExitCode {
    match files().iter().try_for_each(write) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&error),
    }
}

#[expect(clippy::print_stderr, reason = "whoever runs it is to see why")]
fn complain(error: &anyhow::Error) -> ExitCode {
    eprintln!("{error:#}");
    ExitCode::FAILURE
}

fn write(file: &File) -> Result<()> {
    if let Some(folder) = file.path.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("failed to create `{}`", folder.display()))?;
    }
    fs::write(&file.path, &file.text)
        .with_context(|| format!("failed to write `{}`", file.path.display()))
}

/// What all dashboards have, and what each has of its own.
struct Dashboard {
    uid: &'static str,
    title: Value,
    description: Value,
    /// How far it looks back, such as `24h`.
    looks_back: &'static str,
    variables: Vec<Value>,
    /// The query of the incidents that are drawn into its graphs, where there are any.
    incidents: Option<String>,
    panels: Vec<Panel>,
}

impl Dashboard {
    fn json(&self) -> Value {
        let annotations: Vec<Value> = self.incidents.iter().map(|flux| incidents(flux)).collect();
        json!({
            "uid": self.uid,
            "title": self.title,
            "description": self.description,
            "tags": ["vigia"],
            // Classic v1: Grafana 11 to 13 take it from a file; the newer one only later releases do.
            "schemaVersion": 42,
            "editable": false,
            "graphTooltip": 1,
            "timezone": "browser",
            "refresh": "30s",
            "time": { "from": format!("now-{}", self.looks_back), "to": "now" },
            "timepicker": {},
            "fiscalYearStartMonth": 0,
            "weekStart": "",
            "links": [{
                "type": "dashboards",
                "title": "Vigía",
                "tooltip": "",
                "icon": "external link",
                "url": "",
                "tags": ["vigia"],
                "asDropdown": false,
                "targetBlank": false,
                "includeVars": false,
                "keepTime": true,
            }],
            "annotations": { "list": annotations },
            "templating": { "list": self.variables },
            "panels": panel::laid_out(&self.panels),
        })
    }
}

fn incidents(flux: &str) -> Value {
    let field = |name: &str| json!({ "source": "field", "value": name });
    json!({
        "name": text::say("Incidents", "Incidentes"),
        "enable": true,
        "hide": false,
        "iconColor": "red",
        "datasource": panel::datasource(),
        "target": { "refId": "Incidents", "query": flux },
        "mappings": {
            "time": field("time"),
            "timeEnd": field("timeEnd"),
            "title": field("title"),
            "text": field("text"),
            "tags": field("tags"),
        },
    })
}

/// A query of `queries/`, about what the dashboard's variables choose.
fn about(flux: &str, chosen: &str) -> String {
    flux.trim_end().replace("CHOSEN", chosen)
}
