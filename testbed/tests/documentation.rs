//! What `README.md` and `docs/` promise is there.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::{collections::BTreeMap, fs, path::PathBuf, process::Command};

use vigia_testbed::{journey_reference, repository};

#[test]
fn every_name_of_the_data_model_is_explained() {
    let source = fs::read_to_string(repository::path("contract/src/data_model.rs")).unwrap();
    let page = fs::read_to_string(repository::path("docs/data-model.md")).unwrap();
    // Constants, and the arms that name outcomes, impacts and classes of errors.
    let names: Vec<&str> = source
        .lines()
        .filter(|line| line.contains(": &str = \"") || line.contains(" => \""))
        .filter_map(|line| line.split('"').nth(1))
        .collect();
    assert!(
        names.len() > 40,
        "the names are no longer where they were: {names:?}"
    );
    for name in names {
        assert!(
            page.contains(&format!("`{name}`")),
            "`{name}` is not explained"
        );
    }
}

#[test]
fn every_link_between_the_pages_leads_somewhere() {
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let folder = page.parent().unwrap();
        for target in text.split("](").skip(1) {
            let target = target.split(')').next().unwrap_or_default();
            if target.starts_with("http") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() {
                page.clone()
            } else {
                folder.join(file)
            };
            assert!(file.exists(), "{}: no `{target}`", page.display());
            let leads_to_it = heading.is_empty()
                || fs::read_to_string(&file)
                    .unwrap()
                    .lines()
                    .any(|line| line.starts_with('#') && anchor(line) == heading);
            assert!(leads_to_it, "{}: no heading `{target}`", page.display());
        }
    }
}

/// What a heading is linked by: its letters, digits and hyphens in lower case, with hyphens for spaces.
fn anchor(heading: &str) -> String {
    heading
        .trim_start_matches('#')
        .trim()
        .to_lowercase()
        .chars()
        .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter))
        .map(|letter| if letter == ' ' { '-' } else { letter })
        .collect()
}

#[test]
fn the_reference_of_journeys_is_what_their_schema_makes() {
    let page = fs::read_to_string(repository::path(journey_reference::PAGE)).unwrap();
    assert_eq!(
        page,
        journey_reference::page().unwrap(),
        "it is not current: make journey-reference"
    );
}

/// Pages that are for those who choose or build, not for those who operate; one that is made of the types; and messages, which
/// are Spanish as they are.
const ENGLISH_ALONE: [&str; 3] = ["comparison.md", "gallery.md", "journey-reference.md"];

#[test]
fn every_page_for_operators_is_there_in_spanish_with_the_same_blocks() {
    let mut english = vec![repository::path("README.md")];
    english.extend(markdown_in("docs"));
    let mut spanish = markdown_in("docs/es");
    for page in english {
        let name = page.file_name().unwrap().to_str().unwrap().to_owned();
        if ENGLISH_ALONE.contains(&name.as_str()) {
            continue;
        }
        let translation = repository::path("docs/es").join(&name);
        spanish.retain(|page| *page != translation);
        let of_one = fs::read_to_string(&page).unwrap();
        let of_other = fs::read_to_string(&translation)
            .unwrap_or_else(|_| panic!("docs/es/ has no `{name}`: translate it"));
        let pairs = blocks(&of_one).into_iter().zip(blocks(&of_other));
        for (one, other) in pairs {
            assert_eq!(
                one, other,
                "a block of {name} differs in docs/es/: copy it there"
            );
        }
        assert_eq!(
            blocks(&of_one).len(),
            blocks(&of_other).len(),
            "{name} and its translation have not as many blocks"
        );
    }
    assert!(spanish.is_empty(), "there is no English for {spanish:?}");
}

/// Before each block of commands an invisible line says what runs them: `run by: FILE (FUNCTION); FILE`, `run by hand: DATE`, or
/// `not run: WHY`.
#[test]
fn every_block_of_commands_says_what_runs_it() {
    let mut pages = pages();
    pages.push(repository::path("CONTRIBUTING.md"));
    let mut blocks = 0;
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        let mut before = "";
        let mut language = None;
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("```") {
                language = language.is_none().then_some(name);
                if ["sh", "console"].contains(&name) {
                    blocks += 1;
                    let wrong = mistake_in(before);
                    assert_eq!(wrong, None, "{}: before `{line}`: {before}", page.display());
                }
            }
            assert!(
                !line.starts_with("$ ") || language == Some("console"),
                "{}: `{line}` stands in a block that is not called `console`",
                page.display()
            );
            before = line;
        }
    }
    assert!(
        blocks > 60,
        "blocks are no longer marked as they were: {blocks}"
    );
}

fn mistake_in(mark: &str) -> Option<String> {
    let mark = mark
        .strip_prefix("<!-- ")
        .and_then(|mark| mark.strip_suffix(" -->"))
        .and_then(|mark| mark.split_once(": "));
    match mark {
        Some(("run by", tests)) => tests.split("; ").find_map(|test| {
            let (file, function) = test.split_once(" (").unwrap_or((test, ""));
            let Ok(source) = fs::read_to_string(repository::path(file)) else {
                return Some(format!("there is no {file}"));
            };
            let function = function.trim_end_matches(')');
            let is_there = function.is_empty() || source.contains(&format!("fn {function}("));
            (!is_there).then(|| format!("{file} has no {function}"))
        }),
        Some(("run by hand", day)) => {
            let day = day.parse::<jiff::civil::Date>();
            day.err().map(|error| error.to_string())
        }
        Some(("not run", why)) if why.starts_with("needs ") => None,
        _ => Some(
            "what runs these commands is not said: a test, a person, or why nobody does".into(),
        ),
    }
}

/// How lines of the log begin.
const NO_COMMANDS: [&str; 2] = ["vigia-probe has a fault", "vigia-probe 0.1.0:"];

/// What is named in a sentence is not typed by a test: at least each program knows its command and its options.
#[test]
fn the_programs_know_every_command_and_option_that_a_sentence_names() {
    let programs = PathBuf::from(env!("CARGO_BIN_EXE_vigia-demo"));
    let mut known = BTreeMap::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let sentences: String = text.split("```").step_by(2).collect();
        for named in sentences.split('`').skip(1).step_by(2) {
            let words: Vec<&str> = named.split_whitespace().collect();
            let Some((program @ ("vigia-probe" | "vigia-alert"), [command, options @ ..])) =
                words.split_first().map(|(first, rest)| (*first, rest))
            else {
                continue;
            };
            if command.starts_with('-') || NO_COMMANDS.iter().any(|line| named.starts_with(line)) {
                continue;
            }
            let help = known
                .entry(format!("{program} {command}"))
                .or_insert_with(|| {
                    let output = Command::new(programs.with_file_name(program))
                        .args([command, "--help"])
                        .output()
                        .unwrap();
                    output
                        .status
                        .success()
                        .then(|| String::from_utf8(output.stdout).unwrap())
                });
            let place = format!("{}: `{named}`", page.display());
            let Some(help) = help else {
                panic!("{place}: {program} has no command `{command}`");
            };
            for option in options.iter().filter(|word| word.starts_with("--")) {
                assert!(
                    help.contains(option),
                    "{place}: `{command}` has no `{option}`"
                );
            }
        }
    }
    assert!(
        known.len() > 10,
        "commands are no longer named as they were: {known:?}"
    );
}

/// What stands between fences.
fn blocks(page: &str) -> Vec<&str> {
    page.split("```").skip(1).step_by(2).collect()
}

/// Messages of programs that are not ours.
const WORDS_OF_OTHERS: [&str; 1] = ["Running as root without --no-sandbox is not supported"];

#[test]
fn every_message_that_the_page_about_troubles_quotes_is_one_of_ours() {
    let page = fs::read_to_string(repository::path("docs/troubleshooting.md")).unwrap();
    let sources = sources();
    let quoted: Vec<&str> = page
        .split("**`")
        .skip(1)
        .filter_map(|rest| rest.split("`**").next())
        .filter(|message| !WORDS_OF_OTHERS.contains(message))
        .collect();
    assert!(
        quoted.len() > 20,
        "messages are no longer quoted as they were"
    );
    for message in quoted {
        // An ellipsis stands for what is different each time.
        let is_there = sources.lines().any(|line| {
            let mut rest = line;
            message.split("...").all(
                |part| match rest.split_once(part.trim_matches([' ', '`'])) {
                    Some((_, behind)) => {
                        rest = behind;
                        true
                    }
                    None => false,
                },
            )
        });
        assert!(is_there, "no program says `{message}`");
    }
}

/// All Rust of both programs, with texts that go over several lines on one.
fn sources() -> String {
    fn read(folder: PathBuf, into: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(path, into);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                into.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut text = String::new();
    for room in ["contract", "probe-plugin", "alert-sidecar"] {
        read(repository::path(room).join("src"), &mut text);
    }
    let mut joined = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let mut line = line.to_owned();
        while let Some(begun) = line.strip_suffix('\\') {
            let next = lines.next().unwrap_or_default().trim_start();
            line = format!("{begun}{next}");
        }
        joined.push_str(&line);
        joined.push('\n');
    }
    joined
}

fn pages() -> Vec<PathBuf> {
    let mut pages = vec![
        repository::path("README.md"),
        repository::path("CHANGELOG.md"),
    ];
    pages.extend(markdown_in("docs"));
    pages.extend(markdown_in("docs/es"));
    pages
}

fn markdown_in(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(repository::path(folder)).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect()
}
