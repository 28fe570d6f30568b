//! A journey that another program takes: what is started, with what, and where it leaves its report and its artifacts.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use schemars::JsonSchema;
use serde::Deserialize;
use vigia_contract::{
    config_file::Spanned,
    duration,
    mistake::{Mistake, Source},
    secret::Template,
};

use crate::browser::is_program;

/// Where programs are looked for when the journey does not say.
const PATH_DEFAULT: &str = "/usr/local/bin:/usr/bin:/bin";

/// Stands in `command` and `environment` for the file that the program is to write its report to.
pub const REPORT_PLACE: &str = "{report}";

/// Stands there for the folder that is empty at the start of every run.
pub const ARTIFACTS_PLACE: &str = "{artifacts}";

/// A program that takes the journey.
#[derive(Clone, Debug)]
pub struct External {
    /// Its whole path.
    pub program: PathBuf,
    /// They may hold places.
    pub arguments: Vec<String>,
    /// The folder that it works in, a whole path.
    pub folder: PathBuf,
    /// The names of what it has from this process's environment.
    pub pass_environment: BTreeSet<String>,
    /// What else it has there; may hold secrets and places.
    pub environment: BTreeMap<String, Template>,
    /// For a program that cannot be told where to write.
    pub places: FixedPlaces,
    /// By the names of steps: longer is slow, not failed.
    pub budgets: BTreeMap<String, Duration>,
    /// Whether compressed files are kept of a program that knows secrets: nobody can take them out there.
    pub keep_compressed: bool,
}

/// The same in every run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FixedPlaces {
    /// Where it writes its reports.
    pub reports: Option<FixedReports>,
    /// The folder that it leaves its artifacts in, a whole path.
    pub artifacts: Option<PathBuf>,
}

/// Reports at a fixed place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixedReports {
    /// A whole path.
    pub folder: PathBuf,
    /// What the names begin with.
    pub begin: String,
    /// What they end with; nothing where there is a single file of this name.
    pub end: Option<String>,
}

impl FixedReports {
    fn parse(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let folder = path.parent()?.to_owned();
        if folder.to_str()?.contains('*') {
            return None;
        }
        let (begin, end) = match name.split_once('*') {
            Some((_, end)) if end.contains('*') => return None,
            Some((begin, end)) => (begin, Some(end.to_owned())),
            None => (name, None),
        };
        Some(Self {
            folder,
            begin: begin.to_owned(),
            end,
        })
    }

    /// Whether a file of this name is one of them.
    pub fn has(&self, name: &str) -> bool {
        match &self.end {
            Some(end) => name
                .strip_prefix(&self.begin)
                .is_some_and(|rest| rest.ends_with(end.as_str())),
            None => name == self.begin,
        }
    }
}

impl External {
    /// What it has without being given anything, besides its places.
    pub const PLAIN_ENVIRONMENT: [(&'static str, &'static str); 2] =
        [("PATH", PATH_DEFAULT), ("LANG", "C.UTF-8")];

    /// The names of the secrets that it needs.
    pub fn secrets(&self) -> BTreeSet<&str> {
        self.environment
            .values()
            .flat_map(Template::secrets)
            .collect()
    }

    /// A secret inside a compressed file cannot be seen: it is kept where there is none, or by the operator's word.
    pub fn keeps_compressed(&self) -> bool {
        self.keep_compressed || self.secrets().is_empty()
    }

    /// Whether it is told to write a report: then one that is not there is a fault.
    pub fn owes_report(&self) -> bool {
        let told = |text: &str| text.contains(REPORT_PLACE);
        self.places.reports.is_some()
            || self.arguments.iter().any(|argument| told(argument))
            || self.environment.values().any(|value| told(&value.shown()))
    }
}

/// The table `[external]` as it is typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExternalTable {
    /// The program and its arguments; may hold `{report}` and `{artifacts}`.
    #[schemars(with = "Vec<String>")]
    command: Spanned<Vec<String>>,
    /// The folder that it works in, relative to this file.
    #[schemars(with = "Option<PathBuf>")]
    folder: Option<Spanned<PathBuf>>,
    /// The names of what it has from the probe's environment.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pass_environment: Vec<Spanned<String>>,
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Template>")]
    environment: BTreeMap<String, Spanned<Template>>,
    /// Where it writes its reports, if it cannot be told.
    #[schemars(with = "Option<PathBuf>")]
    report: Option<Spanned<PathBuf>>,
    /// The folder that it leaves its artifacts in, if it cannot be told.
    artifacts: Option<PathBuf>,
    /// By the names of steps: longer is slow, not failed.
    #[serde(default)]
    budgets: BTreeMap<String, Budget>,
    /// Keeps compressed files of a program that knows secrets.
    #[serde(default)]
    keep_compressed: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
struct Budget(
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Written")]
    Duration,
);

/// Finds the program and the places, or says all that is wrong.
pub fn ready(table: ExternalTable, source: &Source) -> Result<External, Vec<Mistake>> {
    let mut mistakes = mistakes_of_environment(&table, source);
    let beside = source.path.parent().unwrap_or(Path::new("."));
    let folder = match &table.folder {
        None => std::path::absolute(beside).ok(),
        Some(folder) => match beside.join(folder.get_ref()).canonicalize() {
            Ok(path) if path.is_dir() => Some(path),
            _ => {
                mistakes.push(source.mistake(
                    folder.span(),
                    format!("`{}` is no folder", folder.get_ref().display()),
                    "write the folder that the program works in, relative to this file",
                ));
                None
            }
        },
    };
    let folder = folder.unwrap_or_else(|| beside.to_owned());
    let reports = table.report.as_ref().and_then(|report| {
        let fixed = FixedReports::parse(&folder.join(report.get_ref()));
        if fixed.is_none() {
            mistakes.push(source.mistake(
                report.span(),
                format!("`{}` names no reports", report.get_ref().display()),
                "write a file, or files of one folder with a single `*` in their name: \"results/TEST-*.xml\"",
            ));
        }
        fixed
    });
    let program = program(&table, &folder, source);
    let program = match program {
        Ok(program) if mistakes.is_empty() => program,
        Ok(_) => return Err(mistakes),
        Err(mistake) => {
            mistakes.push(mistake);
            return Err(mistakes);
        }
    };
    let environment = table.environment.into_iter();
    Ok(External {
        program,
        arguments: table.command.into_inner().into_iter().skip(1).collect(),
        places: FixedPlaces {
            reports,
            artifacts: table.artifacts.map(|artifacts| folder.join(artifacts)),
        },
        folder,
        pass_environment: table
            .pass_environment
            .into_iter()
            .map(Spanned::into_inner)
            .collect(),
        environment: environment
            .map(|(name, value)| (name, value.into_inner()))
            .collect(),
        budgets: table
            .budgets
            .into_iter()
            .map(|(step, budget)| (step, budget.0))
            .collect(),
        keep_compressed: table.keep_compressed,
    })
}

fn mistakes_of_environment(table: &ExternalTable, source: &Source) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let name_hint = "names are letters, digits and underscores; those that begin with VIGIA_ are the probe's own";
    for name in &table.pass_environment {
        if !is_name(name.get_ref()) {
            let what = format!("`{}` cannot be passed through", name.get_ref());
            mistakes.push(source.mistake(name.span(), what, name_hint));
        } else if table.environment.contains_key(name.get_ref()) {
            mistakes.push(source.mistake(
                name.span(),
                format!("`{}` is passed through and has a value too", name.get_ref()),
                "keep one of the two",
            ));
        }
    }
    for (name, value) in &table.environment {
        if !is_name(name) {
            let what = format!("`{name}` cannot be set");
            mistakes.push(source.mistake(value.span(), what, name_hint));
        }
        if value.get_ref().shown().contains("${stored:") {
            mistakes.push(source.mistake(
                value.span(),
                "an external journey stores nothing",
                "write a value, `${name}` for a variable or `${secret:NAME}`",
            ));
        }
    }
    mistakes
}

fn is_name(name: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty()
        && name.bytes().all(known)
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && !name.starts_with("VIGIA_")
}

/// A bare name is looked for where the program itself would look; any other is relative to the folder.
fn program(table: &ExternalTable, folder: &Path, source: &Source) -> Result<PathBuf, Mistake> {
    let command = &table.command;
    let referring = |argument: &&String| argument.contains("${");
    if let Some(argument) = command.get_ref().iter().find(referring) {
        return Err(source.mistake(
            command.span(),
            format!("`{argument}` refers to what no argument may hold"),
            "give secrets under `environment`: everybody on the machine can read arguments",
        ));
    }
    let Some(name) = command.get_ref().first().filter(|name| !name.is_empty()) else {
        return Err(source.mistake(
            command.span(),
            "there is no program to start",
            "write the program and each of its arguments: [\"python3\", \"robot.py\"]",
        ));
    };
    if name.contains('/') {
        // Without the `.` of `./robot`, which only a shell needs.
        let program: PathBuf = folder.join(name).components().collect();
        return if is_program(&program) {
            Ok(program)
        } else {
            Err(source.mistake(
                command.span(),
                format!("`{}` is no program", program.display()),
                "it has to be a file that may be executed (chmod +x); names are relative to `folder`",
            ))
        };
    }
    let path = search_path(table);
    env::split_paths(&path)
        .map(|place| place.join(name))
        .find(|program| is_program(program))
        .ok_or_else(|| {
            source.mistake(
                command.span(),
                format!("there is no program `{name}` on {}", path.display()),
                "install it, write its whole path, or give a PATH under `environment`",
            )
        })
}

fn search_path(table: &ExternalTable) -> OsString {
    let passed = table
        .pass_environment
        .iter()
        .any(|name| name.get_ref() == "PATH");
    match table.environment.get("PATH") {
        Some(value) => value.get_ref().shown().into(),
        None if passed => env::var_os("PATH").unwrap_or_default(),
        None => PATH_DEFAULT.into(),
    }
}
