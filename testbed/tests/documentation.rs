//! What `README.md` and `docs/` promise is there.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::{fs, path::PathBuf};

use vigia_testbed::repository;

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
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || target.starts_with("http") {
                continue;
            }
            assert!(
                folder.join(file).exists(),
                "{}: no `{target}`",
                page.display()
            );
        }
    }
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
    for entry in fs::read_dir(repository::path("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    pages
}
