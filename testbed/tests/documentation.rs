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
