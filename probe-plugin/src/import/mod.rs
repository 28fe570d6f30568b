//! Journeys out of what people have already: projects of Selenium IDE, and recordings of Chrome's Recorder.
//!
//! The flow, module by module: the project's file is read (`side`), each test is gone through as it would be played
//! (`walk`, `blocks`, `commands` and their families), what came of it is parted into steps (`steps`) and printed
//! (`draft`). Nothing here reads or writes a file, and nothing is skipped without a word: what cannot be carried over is
//! a remark, and a comment where it would stand.

mod blocks;
mod commands;
mod dialogs;
mod draft;
mod forms;
mod fragments;
mod keys;
mod locators;
mod looks;
mod mouse;
mod naming;
mod pages;
mod passwords;
mod recording;
mod remark;
mod side;
mod steps;
mod stores;
mod variables;
mod walk;
mod windows;

use std::{collections::BTreeSet, path::PathBuf};

use vigia_contract::{
    mistake::{Mistake, Source},
    slug::slug,
};

use draft::Draft;
use passwords::Passwords;
pub use recording::recording;
pub use remark::{Remark, Weight};
use side::{Project, Suite, Test};
use variables::{Known, PORTAL};
use walk::{Ground, Running, Walk};

/// What a journey gets that waits for nothing special.
const TIMEOUT_MIN_MS: u64 = 30_000;

/// What an import came to.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The files that it makes, journeys first.
    pub files: Vec<ImportedFile>,
    /// What the reader must know, in the order of the project.
    pub remarks: Vec<Remark>,
    /// The secrets that the journeys need.
    pub secrets: BTreeSet<String>,
}

/// A file to be written.
#[derive(Clone, Debug)]
pub struct ImportedFile {
    /// Relative to the folder of the journeys.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// Otherwise it holds shared actions.
    pub is_journey: bool,
}

/// Imports a project of Selenium IDE; `system` is what its system is called, where that is not the project's name.
pub fn selenium(source: &Source, system: Option<&str>) -> Result<Imported, Mistake> {
    let project = side::read(source)?;
    let file = source
        .path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let system = system.map_or_else(|| slug(&project.name), str::to_owned);
    check_system(source, &system)?;
    let passwords = Passwords::of(&project, &system);
    let shared: Vec<&Test> = project
        .tests
        .iter()
        .filter(|test| is_run(&project, test))
        .collect();
    let ground = Ground {
        project: &project,
        passwords: &passwords,
        fragments: &[],
    };
    let fragments = fragments::of(ground, &shared);
    let ground = Ground {
        fragments: &fragments,
        ..ground
    };
    let mut files: Vec<ImportedFile> = Vec::new();
    let mut remarks: Vec<Remark> = Vec::new();
    for workflow in workflows(&project) {
        let taken = |name: &str| files.iter().any(|file| file.path == toml_file(name));
        let name = free(&slug(&workflow.name), "test", taken);
        let mut walk = Walk::new(ground, Running::Shared);
        walk.variables.changing = workflow.changing();
        for test in &workflow.tests {
            if workflow.tests.len() > 1 {
                walk.title(&test.name);
            }
            walk.through(test);
        }
        let steps = steps::of(&walk);
        remarks.extend(walk.remarks.iter().cloned());
        if steps.is_empty() {
            remarks.push(Remark {
                test: workflow.name.clone(),
                command: None,
                shown: String::new(),
                why: "nothing in it is done in a page: no file is written".into(),
                weight: Weight::LeftOut,
            });
            continue;
        }
        let draft = Draft {
            header: header(&file, &workflow, &walk),
            system: system.clone(),
            name: name.clone(),
            every: "5m".into(),
            timeout: pages::duration(timeout_ms(&walk)),
            action_timeout: None,
            looks_where_told: false,
            variables: variables(&walk),
            basic_auth: basic_auth(&walk),
            steps,
        };
        files.push(ImportedFile {
            path: toml_file(&name),
            text: draft.print(),
            is_journey: true,
        });
    }
    remarks.extend(
        fragments
            .iter()
            .flat_map(|fragment| fragment.remarks.iter().cloned()),
    );
    let used = fragments.iter().filter(|fragment| {
        let reference = format!("use = \"{}\"", fragment.file);
        files.iter().any(|file| file.text.contains(&reference))
    });
    let used: Vec<ImportedFile> = used
        .map(|fragment| ImportedFile {
            path: fragment.file.clone().into(),
            text: fragment.print(&file),
            is_journey: false,
        })
        .collect();
    files.extend(used);
    let secrets = files.iter().flat_map(|file| secrets(&file.text)).collect();
    Ok(Imported {
        files,
        remarks: each_once(&project, remarks),
        secrets,
    })
}

fn check_system(source: &Source, system: &str) -> Result<(), Mistake> {
    if !system.is_empty() && slug(system) == system {
        return Ok(());
    }
    Err(Mistake {
        path: source.path.clone(),
        place: None,
        what: format!("`{system}` cannot be the name of a system"),
        hint:
            "say what users call it, in lower-case letters, digits and hyphens: --system tramites"
                .into(),
    })
}

/// What becomes a journey: a test, or the tests of a suite that share a session.
struct Workflow<'p> {
    name: String,
    tests: Vec<&'p Test>,
    suites: Vec<&'p str>,
}

impl Workflow<'_> {
    /// The variables that are stored more than once.
    fn changing(&self) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        let commands = self.tests.iter().flat_map(|test| &test.commands);
        commands
            .filter(|command| {
                command.name.starts_with("store") || command.name.starts_with("execute")
            })
            .map(|command| command.value.trim().to_owned())
            .filter(|name| !seen.insert(name.clone()))
            .collect()
    }
}

fn workflows(project: &Project) -> Vec<Workflow<'_>> {
    let shares = |suite: &&Suite| suite.persist_session && suite.tests.len() > 1;
    let mut workflows: Vec<Workflow<'_>> = Vec::new();
    for test in &project.tests {
        let in_suites: Vec<&Suite> = project
            .suites
            .iter()
            .filter(|suite| suite.tests.contains(&test.id))
            .collect();
        let only_goes_on = !in_suites.is_empty() && in_suites.iter().all(shares);
        let only_shared = in_suites.is_empty() && is_run(project, test);
        if !only_goes_on && !only_shared {
            workflows.push(Workflow {
                name: test.name.clone(),
                tests: vec![test],
                suites: in_suites
                    .iter()
                    .filter(|suite| !shares(suite))
                    .map(|suite| suite.name.as_str())
                    .collect(),
            });
        }
    }
    for suite in project.suites.iter().filter(shares) {
        let tests = suite
            .tests
            .iter()
            .filter_map(|id| project.tests.iter().find(|test| test.id == *id));
        workflows.push(Workflow {
            name: suite.name.clone(),
            tests: tests.collect(),
            suites: vec![&suite.name],
        });
    }
    workflows
}

/// Whether another test runs it.
fn is_run(project: &Project, test: &Test) -> bool {
    let others = project.tests.iter().flat_map(|test| &test.commands);
    let mut runs = others.filter(|command| command.name.trim() == "run" && !command.skip);
    runs.any(|command| command.target.trim() == test.name.trim())
}

fn header(file: &str, workflow: &Workflow<'_>, walk: &Walk<'_>) -> Vec<String> {
    let of = match workflow.tests.as_slice() {
        [test] => format!("test {:?}", test.name),
        _ => format!(
            "suite {:?}, whose tests go on where the one before stopped",
            workflow.name
        ),
    };
    let suites = match (workflow.tests.len(), workflow.suites.as_slice()) {
        (1, [_, ..]) => format!(" ({})", workflow.suites.join(", ")),
        _ => String::new(),
    };
    let mut header = vec![
        walk.ground.passwords.hidden_in(&format!("Imported from {file}, {of}{suites}.")),
        "How much it matters and how often it runs stands in no project: look at impact, every and timeout.".into(),
    ];
    let left_out = walk
        .remarks
        .iter()
        .filter(|remark| remark.weight == Weight::LeftOut)
        .count();
    if left_out > 0 {
        let commands = if left_out == 1 {
            "1 command is".into()
        } else {
            format!("{left_out} commands are")
        };
        header.push(format!("{commands} left out: look for \"left out\" below."));
    }
    header
}

fn timeout_ms(walk: &Walk<'_>) -> u64 {
    TIMEOUT_MIN_MS
        .max(walk.longest_wait_ms.saturating_mul(2))
        .saturating_add(walk.pauses_ms)
}

/// For the address that the pages begin with it is written so, and goes with it elsewhere.
fn basic_auth(walk: &Walk<'_>) -> Option<(String, String, String)> {
    let (url, user, secret) = walk.basic_auth.clone()?;
    let of_portal = match walk.variables.get(PORTAL) {
        Some(Known::Named(portal)) => url.strip_prefix(portal.as_str()) == Some("/"),
        _ => false,
    };
    let url = if of_portal && walk.variables.used.contains(PORTAL) {
        "${portal}/".into()
    } else {
        url
    };
    Some((url, user, secret))
}

/// The address first, then what the steps refer to.
fn variables(walk: &Walk<'_>) -> Vec<(String, String)> {
    let mut variables: Vec<(String, String)> = walk
        .variables
        .all()
        .filter(|(name, _)| walk.variables.used.contains(*name))
        .filter_map(|(name, known)| match known {
            Known::Named(text) => Some((name.clone(), text.clone())),
            _ => None,
        })
        .collect();
    variables.sort_by_key(|(name, _)| name != PORTAL);
    variables
}

/// The names in `${secret:NAME}`.
fn secrets(text: &str) -> Vec<String> {
    let after = text.split("${secret:").skip(1);
    after
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// In the order of the project. A test that others run is gone through by each of them.
fn each_once(project: &Project, remarks: Vec<Remark>) -> Vec<Remark> {
    let mut once: Vec<Remark> = Vec::new();
    for remark in remarks {
        if !once.contains(&remark) {
            once.push(remark);
        }
    }
    let place = |name: &str| project.tests.iter().position(|test| test.name == name);
    once.sort_by_key(|remark| (place(&remark.test), remark.command));
    once
}

fn toml_file(name: &str) -> PathBuf {
    format!("{name}.toml").into()
}

/// The name, or with a number behind it the first that is not taken.
fn free(name: &str, without: &str, taken: impl Fn(&str) -> bool) -> String {
    let name = if name.is_empty() { without } else { name };
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    std::iter::once(name.to_owned())
        .chain(numbered)
        .find(|name| !taken(name))
        .expect("the numbers do not end before the tests do")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn imported(project: &Value) -> Imported {
        let text = format!("\u{feff}{project}");
        selenium(
            &Source {
                path: "p.side".into(),
                text,
            },
            None,
        )
        .unwrap()
    }

    fn file<'i>(imported: &'i Imported, name: &str) -> &'i str {
        let named = imported
            .files
            .iter()
            .find(|file| file.path == toml_file(name));
        &named
            .unwrap_or_else(|| panic!("no {name} in {:?}", imported.files))
            .text
    }

    fn command(name: &str, target: &str, value: &str) -> Value {
        json!({ "command": name, "target": target, "value": value, "targets": null, "comment": null, "opensWindow": null })
    }

    fn test(id: &str, name: &str, commands: &[Value]) -> Value {
        json!({ "id": id, "name": name, "commands": commands })
    }

    #[test]
    fn tests_that_share_a_session_become_one_journey() {
        let imported = imported(&json!({
            "name": "p", "url": "https://t.example",
            "tests": [
                test("1", "Entrar", &[command("open", "/", "")]),
                test("2", "Buscar", &[command("click", "id=buscar", "")]),
                test("3", "Suelta", &[command("open", "/suelta", "")]),
            ],
            "suites": [{ "name": "Todo", "persistSession": true, "tests": ["1", "2"] }],
        }));
        let names: Vec<_> = imported
            .files
            .iter()
            .map(|file| file.path.to_string_lossy())
            .collect();
        assert_eq!(names, ["suelta.toml", "todo.toml"]);
        let journey = file(&imported, "todo");
        assert!(
            journey.contains("name = \"Entrar\"\nactions = [\n  { goto"),
            "{journey}"
        );
        assert!(
            journey.contains("name = \"Buscar\"\nactions = [\n  { click"),
            "{journey}"
        );
    }

    #[test]
    fn tests_of_one_name_get_files_of_their_own_and_one_that_does_nothing_gets_none() {
        let open = [command("open", "/", "")];
        let imported = imported(&json!({
            "name": "p", "url": "https://t.example", "suites": null,
            "tests": [test("1", "Ver", &open), test("2", "ver", &open), test("3", "Nada", &[command("echo", "x", "")])],
        }));
        let names: Vec<_> = imported
            .files
            .iter()
            .map(|file| file.path.to_string_lossy())
            .collect();
        assert_eq!(names, ["ver.toml", "ver-2.toml"]);
        let [remark] = imported.remarks.as_slice() else {
            panic!("{:?}", imported.remarks)
        };
        assert_eq!(
            (remark.test.as_str(), remark.weight),
            ("Nada", Weight::LeftOut)
        );
    }

    #[test]
    fn shared_actions_take_what_they_do_not_store_and_leave_what_they_do() {
        let imported = imported(&json!({
            "name": "p", "url": "https://t.example",
            "tests": [
                test("1", "Una", &[
                    command("store", "Ana", "quien"),
                    command("storeText", "id=n", "numero"),
                    command("run", "Entrar", ""),
                    command("type", "id=a", "${hallado} ${fijo}"),
                ]),
                test("2", "Entrar", &[
                    command("type", "id=q", "${quien} ${numero}"),
                    command("run", "Mirar", ""),
                    command("storeText", "id=h", "hallado"),
                    command("store", "siempre", "fijo"),
                ]),
                test("3", "Mirar", &[command("click", "id=mirar", ""), command("run", "Entrar", "")]),
            ],
        }));
        let journey = file(&imported, "una");
        assert!(
            journey.contains("with = { numero = \"${stored:numero}\", quien = \"${quien}\" }"),
            "{journey}"
        );
        assert!(
            journey.contains("with = \"${stored:hallado} siempre\""),
            "{journey}"
        );
        let shared = imported.files.iter().find(|file| !file.is_journey).unwrap();
        insta::assert_snapshot!(shared.text, @r##"
        # Imported from p.side, test "Entrar": other tests run it.
        parameters = ["numero", "quien"]
        actions = [
          { fill = { field = "#q", with = "${quien} ${numero}" } },
          { click = "#mirar" },
          # left out: run | Entrar (the test `Entrar` runs itself)
          { store = { as = "hallado", from = "#h" } },
        ]
        "##);
    }

    #[test]
    fn a_password_in_an_address_is_asked_for_by_the_server_and_not_written() {
        let imported = imported(&json!({
            "name": "p", "url": "https://ana:secreta-9@t.example/app/",
            "tests": [test("1", "Ver", &[command("open", "lista", "")])],
        }));
        let journey = file(&imported, "ver");
        assert!(!journey.contains("secreta-9"), "{journey}");
        assert!(journey.contains("[[basic_auth]]\nurl = \"${portal}/\"\nuser = \"ana\"\npassword = \"${secret:P_PASSWORD}\""), "{journey}");
        assert!(
            journey.contains("{ goto = \"${portal}/app/lista\" }"),
            "{journey}"
        );
    }

    #[test]
    fn a_variable_of_the_project_is_not_taken_for_the_address_of_its_pages() {
        let imported = imported(&json!({
            "name": "p", "url": "https://t.example",
            "tests": [test("1", "Ver", &[
                command("store", "https://t.example/app", "portal"),
                command("open", "${portal}/a", ""),
                command("open", "${portal}/b", ""),
            ])],
        }));
        let journey = file(&imported, "ver");
        assert!(
            journey.contains("{ goto = \"https://t.example/app/a\" }"),
            "{journey}"
        );
        assert!(
            journey.contains("{ goto = \"https://t.example/app/b\" }"),
            "{journey}"
        );
    }
}
