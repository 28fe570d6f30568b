//! `vigia-probe check`: a file a case, and every word of what it says about it. `invalid-probe-*.toml` is the probe's own file,
//! any other a journey's.

use std::{fs, path::Path};

use crate::running::Setting;

const GOOD: &str = r#"system = "tramites"
name = "consultar"
impact = "low"
every = "1m"
timeout = "30s"
[[step]]
name = "Abrir"
actions = [{ goto = "https://t.example/" }]
"#;

#[test]
fn every_mistake_is_told_at_once_with_its_line_and_what_to_do() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/probe/invalid");
    let mut cases: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    for case in cases {
        let name = case.file_stem().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&case).unwrap();
        let setting = if name.starts_with("invalid-probe-") {
            let setting = Setting::new(GOOD, "https://t.example", "");
            fs::write(setting.path().join("probe.toml"), &text).unwrap();
            setting
        } else {
            Setting::new(&text, "https://t.example", "").without_variables()
        };
        let output = setting.command("check").output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{name}: {told}");
        let told = told.replace(&setting.path().display().to_string(), "FOLDER");
        insta::assert_snapshot!(name, told);
    }
}
