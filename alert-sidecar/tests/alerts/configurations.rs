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
        .env("LONG_SECRET", "a-secret-that-is-long-enough-for-all")
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
            "the rules were not tried: failed to reach InfluxDB: Connection refused (os error 111)\n\
             alert.toml: good (rules: 13, channels: 1, routes: 1)\n"
        )
    );
}

#[test]
fn the_example_of_routing_is_a_good_configuration() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/alert/routing.toml");
    let (code, said) = check(&example);
    assert_eq!(
        (code, said.as_str()),
        (
            Some(0),
            "the rules were not tried: failed to reach InfluxDB: Connection refused (os error 111)\n\
             routing.toml: good (rules: 13, channels: 6, routes: 4)\n"
        )
    );
}

/// A channel that lacks its pictures works all the same, and says so.
#[test]
fn channels_whose_services_fetch_pictures_are_named_where_there_is_nowhere_to_fetch_them_from() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alert.toml");
    let base = r#"time_zone = "America/Montevideo"
[influxdb]
url = "http://127.0.0.1:1"
organization = "vigia"
bucket = "vigia"
token = "${secret:INFLUX_TOKEN}"
[store]
path = "vigia-alert.db"
[[channel]]
name = "teams"
teams = { url = "https://flow.example/${secret:INFLUX_TOKEN}" }
[[channel]]
name = "chat"
slack = { token = "${secret:INFLUX_TOKEN}", to = ["C0123456789"] }
[[route]]
channels = ["teams", "chat"]
[page]
listen = "127.0.0.1:0"
token = "${secret:LONG_SECRET}"
"#;
    let said = |more: &str| {
        fs::write(&path, format!("{base}{more}")).unwrap();
        let (code, said) = check(&path);
        assert_eq!(code, Some(0), "{said}");
        said
    };
    let lacks = "the channel `teams` shows no pictures: its service fetches them, and there is no page that it could fetch them from\n\
                 hint: give [page] a url with https:// that the service can reach, and a link_key; docs/channels.md says more\n";
    let links = "link_key = \"${secret:LONG_SECRET}\"\nurl = ";
    for (more, is_told) in [
        (String::new(), true),
        (format!("{links}\"http://vigia.agency.example\""), true),
        (format!("{links}\"https://vigia.agency.example\""), false),
    ] {
        let said = said(&more);
        assert_eq!(said.starts_with(lacks), is_told, "{said}");
        assert!(!said.contains("`chat`"), "{said}");
    }
}

/// What stands commented out in the sample is what a configuration without it has.
#[test]
fn the_sample_says_how_incidents_are_put_together_by_default() {
    use vigia_alert::route::group::{Grouping, Settings};
    let sample = include_str!("../../../examples/alert/alert.toml");
    let (_, after) = sample.split_once("[grouping]\n").unwrap();
    let (table, _) = after.split_once("\n\n").unwrap();
    let values = table.lines().filter(|line| !line.starts_with("##"));
    let values: Vec<_> = values.map(|line| line.trim_start_matches("# ")).collect();
    let written: Settings = toml::from_str(&values.join("\n")).unwrap();
    assert_eq!(Grouping::from(written), Grouping::default());
}

/// The table of `docs/rules.md` is what an operator believes.
#[test]
fn the_documented_defaults_are_those_that_are_shipped() {
    use vigia_alert::{
        flux::{Rule, ShippedQuery},
        judge::{Probes, Threshold},
    };
    let table = include_str!("../../../docs/rules.md");
    for query in ShippedQuery::ALL {
        let rule = Rule::shipped("r", query);
        let every = match rule.every.as_secs() {
            seconds if seconds % 60 == 0 => format!("{}m", seconds / 60),
            seconds => format!("{seconds}s"),
        };
        let runs = rule.criteria.fails_after;
        let counts = match (rule.criteria.probes, rule.criteria.lasting.as_secs() / 60) {
            (Probes::Together(1), 0) => format!("{runs} runs, 1 probe"),
            (Probes::Together(probes), 0) => format!("{runs} runs, {probes} probes"),
            (Probes::Each, 0) if runs == Threshold::FIRST => "at once".to_owned(),
            (Probes::Each, 0) => runs.to_string(),
            (_, minutes) => format!("for {minutes}m"),
        };
        let row = table
            .lines()
            .find(|line| line.starts_with(&format!("| `{}` |", query.name())))
            .unwrap();
        assert!(row.contains(&format!("| {every} | {counts} |")), "{row}");
        if let Some(limit) = rule.meaning.limit {
            use vigia_alert::judge::Limit::{Above, Below};
            let (Above { bad, good } | Below { bad, good }) = limit;
            assert!(
                row.contains(&format!(" {bad} ")) && row.contains(&format!(" {good} ")),
                "{row}"
            );
        }
    }
}
