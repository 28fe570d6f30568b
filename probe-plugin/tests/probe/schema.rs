//! The JSON Schema of journeys is current, and takes what the program takes.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;
use vigia_testbed::servers::requires_file;

/// Debian's `python3-jsonschema`.
const JSONSCHEMA: &str = "/usr/lib/python3/dist-packages/jsonschema";

fn printed(of: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_vigia-probe"))
        .args(["schema", of])
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// What the reference validator says of each document, by its place.
fn mistakes(schema: &str, documents: &[Value]) -> Option<Vec<String>> {
    const VALIDATE: &str = "
import json, sys, jsonschema
schema, documents = json.load(sys.stdin)
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)
print(json.dumps([next((e.message for e in validator.iter_errors(d)), '') for d in documents]))
";
    if !requires_file(Path::new(JSONSCHEMA)) {
        return None;
    }
    let mut child = Command::new("/usr/bin/python3")
        .args(["-c", VALIDATE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let schema: Value = serde_json::from_str(schema).unwrap();
    let input = serde_json::to_vec(&(schema, documents)).unwrap();
    child.stdin.take().unwrap().write_all(&input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap();
    let table: toml::Table = text.parse().unwrap();
    serde_json::to_value(table).unwrap()
}

fn journeys_in(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(repository(folder)).unwrap();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{folder}");
    files
}

#[test]
fn the_schemas_that_are_committed_are_those_that_the_program_prints() {
    for of in ["journey", "fragment"] {
        let file = repository(&format!("examples/schema/{of}.json"));
        let committed = fs::read_to_string(&file).unwrap_or_default();
        assert!(
            committed == printed(of),
            "write it anew: vigia-probe schema {of} > examples/schema/{of}.json"
        );
    }
}

#[test]
fn every_journey_that_the_program_takes_is_valid() {
    let mut files = journeys_in("examples/journeys");
    files.extend(journeys_in("examples/external-playwright"));
    files.extend(journeys_in("examples/external-pytest"));
    files.extend(journeys_in("probe-plugin/tests/probe/projects/tramites"));
    files.extend(journeys_in("probe-plugin/tests/probe/projects/consultar"));
    files.extend(journeys_in("testbed/benchmark"));
    are_valid("journey", &files);
    are_valid(
        "fragment",
        &journeys_in("probe-plugin/tests/probe/projects/tramites/fragments"),
    );
}

fn are_valid(of: &str, files: &[PathBuf]) {
    let documents: Vec<Value> = files.iter().map(|file| read(file)).collect();
    if let Some(mistakes) = mistakes(&printed(of), &documents) {
        for (file, mistake) in files.iter().zip(mistakes) {
            assert_eq!(mistake, "", "{}", file.display());
        }
    }
}

/// What is wrong in them only the program itself can see: a reference, a selector, files, keys that do not go together.
const BEYOND_A_SCHEMA: [&str; 6] = [
    "external",
    "proxy",
    "proxy-login",
    "references",
    "retry",
    "steps",
];

#[test]
fn a_mistake_that_a_schema_can_know_is_marked() {
    let mut files = journeys_in("probe-plugin/tests/probe/invalid");
    // Two are no journeys, and one is no TOML.
    files.retain(|file| {
        let name = name_of_mistake(file);
        !name.starts_with("probe-") && name != "toml"
    });
    let documents: Vec<Value> = files.iter().map(|file| read(file)).collect();
    if let Some(mistakes) = mistakes(&printed("journey"), &documents) {
        for (file, mistake) in files.iter().zip(mistakes) {
            let name = name_of_mistake(file);
            assert_eq!(
                mistake.is_empty(),
                BEYOND_A_SCHEMA.contains(&name),
                "{name}: {mistake}"
            );
        }
    }
}

fn name_of_mistake(file: &Path) -> &str {
    let name = file.file_stem().and_then(|stem| stem.to_str());
    name.and_then(|name| name.strip_prefix("invalid-")).unwrap()
}

#[test]
fn every_action_and_expectation_that_the_page_for_people_shows_is_valid() {
    let page = fs::read_to_string(repository("docs/first-journey.md")).unwrap();
    let actions: Vec<Value> = page
        .lines()
        .filter(|line| line.starts_with("| `{ "))
        .flat_map(|line| line.split('|').nth(1).unwrap_or_default().split('`'))
        .filter(|piece| piece.starts_with("{ "))
        .map(|action| {
            let text = format!("system='a'\nname='a'\nimpact='low'\nevery='1m'\ntimeout='1m'\nstep=[{{name='a', actions=[{action}]}}]");
            let table: toml::Table = text.parse().unwrap();
            serde_json::to_value(table).unwrap()
        })
        .collect();
    assert!(actions.len() > 30, "{}", actions.len());
    if let Some(mistakes) = mistakes(&printed("journey"), &actions) {
        for (action, mistake) in actions.iter().zip(mistakes) {
            assert_eq!(mistake, "", "{}", action["step"][0]["actions"]);
        }
    }
}

#[test]
fn completions_and_manual_pages_are_of_this_program() {
    let program = env!("CARGO_BIN_EXE_vigia-probe");
    for shell in ["bash", "zsh", "fish"] {
        let output = Command::new(program)
            .args(["completions", shell])
            .output()
            .unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(
            script.contains("vigia-probe") && script.contains("import"),
            "{shell}"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let written = Command::new(program)
        .arg("man")
        .arg(folder.path().join("man1"))
        .status()
        .unwrap();
    assert!(written.success());
    let page = fs::read_to_string(folder.path().join("man1/vigia-probe-try.1")).unwrap();
    assert!(
        page.contains("waterfall") || page.contains("Runs one journey now"),
        "{page}"
    );
}
