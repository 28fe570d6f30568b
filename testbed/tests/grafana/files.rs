//! The dashboard files are what their source makes, and what Grafana says that a dashboard is.

use std::{collections::BTreeSet, process::Command};

use serde_json::Value;
use vigia_testbed::{
    dashboards, repository,
    servers::{Program, requires},
};

use crate::dashboard::Dashboard;

#[test]
fn the_files_are_what_their_source_makes_and_no_others_are_there() {
    let made = dashboards::files();
    for file in &made {
        let there = std::fs::read_to_string(&file.path).unwrap_or_default();
        assert!(
            there == file.text,
            "{} is not what testbed/src/dashboards/ makes\nhint: run `make dashboards`",
            file.path.display()
        );
    }
    let there: BTreeSet<_> = Dashboard::all()
        .into_iter()
        .map(|dashboard| dashboard.path.canonicalize().unwrap())
        .collect();
    let made: BTreeSet<_> = made
        .into_iter()
        .map(|file| file.path.canonicalize().unwrap())
        .collect();
    assert_eq!(there, made);
}

#[test]
fn both_languages_ask_the_same_and_say_it_differently() {
    let (english, spanish) = (Dashboard::in_language("en"), Dashboard::in_language("es"));
    assert_eq!(english.len(), spanish.len());
    for (english, spanish) in english.iter().zip(&spanish) {
        assert_eq!(english.json["uid"], spanish.json["uid"]);
        assert_ne!(english.json["title"], spanish.json["title"]);
        let queries = |dashboard: &Dashboard| -> Vec<String> {
            dashboard
                .queries()
                .into_iter()
                .map(|query| query.flux)
                .collect()
        };
        assert_eq!(queries(english), queries(spanish));
        for (english, spanish) in english.panels().iter().zip(spanish.panels()) {
            assert_ne!(english["title"], spanish["title"]);
            assert_ne!(english["description"], spanish["description"]);
        }
        no_text_is_left_in_both(&spanish.json);
    }
}

fn no_text_is_left_in_both(json: &Value) {
    match json {
        Value::Object(object) => {
            assert!(!object.contains_key("es"), "{json}");
            object.values().for_each(no_text_is_left_in_both);
        }
        Value::Array(list) => list.iter().for_each(no_text_is_left_in_both),
        _ => {}
    }
}

#[test]
fn the_files_are_what_grafana_calls_a_dashboard() {
    if !requires(&[Program::Node]) {
        return;
    }
    let folder = repository::path("testbed/grafana-schema");
    assert!(
        folder.join("node_modules").is_dir(),
        "Grafana's types are not there\nhint: run `make setup`"
    );
    let checked = |files: &[std::path::PathBuf]| {
        let output = Command::new(Program::Node.path().unwrap())
            .arg(folder.join("check.mjs"))
            .args(files)
            .output()
            .unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        (output.status.success(), told)
    };
    let files: Vec<_> = Dashboard::all()
        .into_iter()
        .map(|dashboard| dashboard.path)
        .collect();
    let (well, told) = checked(&files);
    assert!(well, "{told}");

    let spoilt = tempfile::tempdir().unwrap();
    let path = spoilt.path().join("spoilt.json");
    let text = std::fs::read_to_string(&files[0]).unwrap();
    std::fs::write(
        &path,
        text.replace("\"cellHeight\": \"sm\"", "\"cellHeight\": \"tiny\""),
    )
    .unwrap();
    let (well, told) = checked(&[path]);
    assert!(!well && told.contains("cellHeight"), "{told}");
}
