//! A dashboard file as Grafana reads it: its panels, its variables, and every query in it.

use std::{fs, path::PathBuf};

use serde_json::Value;
use vigia_testbed::repository;

/// A dashboard of the repository.
pub struct Dashboard {
    pub path: PathBuf,
    pub text: String,
    pub json: Value,
}

/// A query and where it stands, for messages.
pub struct Query {
    pub place: String,
    pub flux: String,
}

impl Dashboard {
    /// Every file under `grafana/dashboards/`, in both languages.
    pub fn all() -> Vec<Self> {
        ["en", "es"]
            .into_iter()
            .flat_map(Self::in_language)
            .collect()
    }

    /// Every file of one language.
    pub fn in_language(language: &str) -> Vec<Self> {
        let folder = repository::path("grafana/dashboards").join(language);
        let mut files: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        assert!(!files.is_empty(), "no dashboards in {}", folder.display());
        files
            .into_iter()
            .map(|path| {
                let text = fs::read_to_string(&path).unwrap();
                let json = serde_json::from_str(&text).unwrap();
                Self { path, text, json }
            })
            .collect()
    }

    /// The English one with this uid.
    pub fn with_uid(uid: &str) -> Self {
        Self::in_language("en")
            .into_iter()
            .find(|dashboard| dashboard.json["uid"] == uid)
            .unwrap()
    }

    pub fn panels(&self) -> &[Value] {
        list(&self.json["panels"])
    }

    pub fn panel(&self, title: &str) -> &Value {
        self.panels()
            .iter()
            .find(|panel| panel["title"] == title)
            .unwrap_or_else(|| panic!("no panel `{title}`"))
    }

    pub fn variables(&self) -> &[Value] {
        list(&self.json["templating"]["list"])
    }

    pub fn annotations(&self) -> &[Value] {
        list(&self.json["annotations"]["list"])
    }

    /// The query of the panel with this title.
    pub fn query_of(&self, title: &str) -> &str {
        text(&self.panel(title)["targets"][0]["query"])
    }

    /// Every query that Grafana sends for it: of panels, annotations and variables.
    pub fn queries(&self) -> Vec<Query> {
        let query = |place: &str, flux: &Value| Query {
            place: place.to_owned(),
            flux: text(flux).to_owned(),
        };
        let panels = self.panels().iter().flat_map(|panel| {
            list(&panel["targets"])
                .iter()
                .map(move |target| query(text(&panel["title"]), &target["query"]))
        });
        let annotations = self
            .annotations()
            .iter()
            .map(|annotation| query(text(&annotation["name"]), &annotation["target"]["query"]));
        let variables = self
            .variables()
            .iter()
            .filter(|variable| variable["type"] == "query")
            .map(|variable| query(text(&variable["name"]), &variable["query"]));
        panels.chain(annotations).chain(variables).collect()
    }
}

pub fn list(value: &Value) -> &[Value] {
    value
        .as_array()
        .unwrap_or_else(|| panic!("not a list: {value}"))
}

pub fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a text: {value}"))
}
