//! `vigia-alert check`: a file a case, and every word of what it says about it.

use std::{fs, path::Path, process::Command};

fn check(path: &Path) -> (Option<i32>, String) {
    let folder = path.parent().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_vigia-alert"))
        .current_dir(folder)
        .args(["check", "--config"])
        .arg(path.file_name().unwrap())
        .env("INFLUX_TOKEN", "a-token")
        .env("SMTP_PASSWORD", "a-password")
        .env_remove("NOT_THERE")
        .output()
        .unwrap();
    assert!(output.stdout.is_empty());
    (
        output.status.code(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn every_mistake_is_told_at_once_with_its_line_and_what_to_do() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/alerts/configurations");
    let mut cases: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(!cases.is_empty());
    for case in cases {
        let (code, said) = check(&case);
        assert_eq!(code, Some(3), "{said}");
        assert!(
            !said.contains("a-password") && !said.contains("a-token"),
            "{said}"
        );
        insta::assert_snapshot!(case.file_stem().unwrap().to_str().unwrap(), said);
    }
}

#[test]
fn the_sample_is_a_good_configuration() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/alert/alert.toml");
    let (code, said) = check(&sample);
    assert_eq!(
        (code, said.as_str()),
        (
            Some(0),
            "alert.toml: good (rules: 1, channels: 1, routes: 1)\n"
        )
    );
}
