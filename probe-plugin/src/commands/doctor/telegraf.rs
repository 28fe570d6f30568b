//! Whether Telegraf starts the probe, and in the way that it needs.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::Finding;

const WHAT: &str = "Telegraf";

/// Looks through its configuration. `config` is the probe's own, where it is known.
pub fn look(path: &Path, config: Option<&Path>) -> Vec<Finding> {
    let files = files(path);
    if files.is_empty() {
        return vec![Finding::doubtful(
            WHAT,
            format!("there is no configuration at `{}`", path.display()),
            "name it with --telegraf; how the probe is put under Telegraf stands in docs/telegraf.md",
        )];
    }
    let mut findings = Vec::new();
    let mut starts = 0;
    for file in &files {
        let read = fs::read_to_string(file)
            .map_err(|error| error.to_string())
            .and_then(|text| {
                text.parse::<toml::Table>()
                    .map_err(|error| error.message().to_owned())
            });
        let table = match read {
            Ok(table) => table,
            Err(error) => {
                findings.push(Finding::doubtful(
                    WHAT,
                    format!("`{}` cannot be read: {error}", file.display()),
                    "let this user read it; `telegraf --test --config FILE` says more about its mistakes",
                ));
                continue;
            }
        };
        for input in execd_inputs(&table).filter(|input| starts_the_probe(input)) {
            starts += 1;
            findings.extend(wrong(file, input, config));
        }
    }
    match starts {
        0 => findings.push(Finding::doubtful(
            WHAT,
            format!(
                "none of the {} files at `{}` starts the probe",
                files.len(),
                path.display()
            ),
            "put telegraf.d/vigia-probe.conf into /etc/telegraf/telegraf.d/",
        )),
        1 => {}
        _ => findings.push(Finding::bad(
            WHAT,
            format!("it starts the probe {starts} times: every journey runs as often"),
            "leave one [[inputs.execd]] with vigia-probe",
        )),
    }
    if findings.is_empty() {
        findings.push(Finding::good(
            WHAT,
            format!("`{}` starts the probe once", path.display()),
        ));
    }
    findings
}

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let inside = |folder: &Path| -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(folder) else {
            return Vec::new();
        };
        let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
        paths
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "conf")
            })
            .collect()
    };
    let mut files = inside(path);
    files.extend(inside(&path.join("telegraf.d")));
    files.sort();
    files
}

fn execd_inputs(table: &toml::Table) -> impl Iterator<Item = &toml::Table> {
    let execd = table.get("inputs").and_then(|inputs| inputs.get("execd"));
    let inputs = execd.and_then(toml::Value::as_array);
    inputs
        .into_iter()
        .flatten()
        .filter_map(toml::Value::as_table)
}

fn command(input: &toml::Table) -> Vec<&str> {
    let command = input.get("command").and_then(toml::Value::as_array);
    let words = command.into_iter().flatten();
    words.filter_map(toml::Value::as_str).collect()
}

fn starts_the_probe(input: &toml::Table) -> bool {
    let command = command(input);
    // Also through a variable, or another program.
    command
        .iter()
        .any(|word| word.contains("vigia-probe") || word.contains("VIGIA_PROBE"))
}

fn wrong(file: &Path, input: &toml::Table, config: Option<&Path>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let file = file.display();
    let word = |key: &str| input.get(key).and_then(toml::Value::as_str);
    if word("data_format") != Some("influx") {
        findings.push(Finding::bad(
            WHAT,
            format!("`{file}` does not read the probe's points: its data_format is not \"influx\""),
            "write data_format = \"influx\"",
        ));
    }
    if !matches!(word("signal"), None | Some("none" | "STDIN")) {
        findings.push(Finding::bad(
            WHAT,
            format!("`{file}` sends the probe a signal at every interval"),
            "write signal = \"none\"",
        ));
    }
    let command = command(input);
    if !command.contains(&"run") {
        findings.push(Finding::bad(
            WHAT,
            format!("`{file}` does not tell the probe to `run`"),
            "write command = [\"/usr/bin/vigia-probe\", \"run\", \"--config\", \"/etc/vigia/probe.toml\"]",
        ));
    }
    let program = command.first().map(|program| resolved(program));
    if let Some(program) = program
        && program.is_absolute()
        && !program.exists()
    {
        findings.push(Finding::bad(
            WHAT,
            format!(
                "`{file}` starts `{}`, which is not there",
                program.display()
            ),
            "install the probe, or set VIGIA_PROBE in /etc/default/telegraf",
        ));
    }
    let named = command
        .iter()
        .skip_while(|word| **word != "--config")
        .nth(1);
    if let (Some(named), Some(config)) = (named, config)
        && fs::canonicalize(resolved(named)).ok() != fs::canonicalize(config).ok()
    {
        findings.push(Finding::doubtful(
            WHAT,
            format!(
                "`{file}` starts the probe with `{}`",
                resolved(named).display()
            ),
            format!(
                "this is not the file that was looked at, `{}`",
                config.display()
            ),
        ));
    }
    findings
}

/// Telegraf puts a variable of its environment, or what stands behind `:-`, in its place.
fn resolved(word: &str) -> PathBuf {
    let inner = word
        .strip_prefix("${")
        .and_then(|word| word.strip_suffix('}'));
    let Some(inner) = inner else {
        return word.into();
    };
    let (name, otherwise) = inner.split_once(":-").unwrap_or((inner, ""));
    std::env::var_os(name).map_or_else(|| otherwise.into(), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(text: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("telegraf.d")).unwrap();
        fs::write(folder.path().join("telegraf.conf"), "[agent]\n").unwrap();
        fs::write(folder.path().join("telegraf.d/vigia.conf"), text).unwrap();
        let findings = look(folder.path(), None);
        findings.into_iter().map(|finding| finding.found).collect()
    }

    #[test]
    fn the_drop_in_that_is_shipped_lacks_nothing_but_the_program() {
        let shipped = include_str!("../../../../telegraf.d/vigia-probe.conf");
        let found = looked(shipped);
        let expected = |found: &String| {
            found.ends_with("starts the probe once")
                || found.contains("`/usr/bin/vigia-probe`, which is not there")
        };
        assert!(found.len() == 1 && found.iter().all(expected), "{found:?}");
    }

    #[test]
    fn what_keeps_the_probe_from_being_heard_is_told() {
        let found = looked(
            "[[inputs.execd]]\ncommand = ['vigia-probe', '--config', 'x']\nsignal = 'SIGHUP'\ndata_format = 'json'\n[[inputs.execd]]\ncommand = ['vigia-probe', 'run']\ndata_format = 'influx'\n",
        );
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(found[3].contains("starts the probe 2 times"), "{found:?}");
        assert!(looked("[[inputs.cpu]]\n")[0].contains("none of the 2 files"));
    }
}
