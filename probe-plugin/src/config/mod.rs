//! The probe's configuration: its own file and the journeys that it names, read together so that every mistake in any of
//! them is told at once.

mod recording;

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de::Error};
use vigia_contract::{
    config_file::{self, Spanned},
    mistake::{Mistake, Mistakes, Source},
    secret::{ExposeSecret, SecretError, SecretPlaces},
    secret_command::SecretCommand,
    variables::Variables,
};

use crate::{
    browser::{BrowserSettings, mistakes_of_authorities},
    journey::{self, CodeKey, Every, Journey, Name},
    report::{Place, Retention, S3},
    schedule::{Maintenance, MaintenanceTable, Shard},
};
use recording::RecordingTable;

/// Runs at once where the file does not say: one for each core of a small machine.
const MAX_CONCURRENT_DEFAULT: usize = 2;

/// Everything that the probe needs to work.
#[derive(Clone, Debug)]
pub struct Config {
    /// The tag `probe`.
    pub probe: String,
    /// How many runs there may be at once.
    pub max_concurrent: usize,
    /// Where secrets are looked up.
    pub secrets: SecretPlaces,
    /// Where artifacts are kept, and how long; nothing keeps none.
    pub artifacts: Option<(Place, Retention)>,
    /// How the browser is started.
    pub browser: BrowserSettings,
    /// Those that this probe takes, in the order of their files' names.
    pub journeys: Vec<Arc<Journey>>,
    /// When nothing is measured.
    pub maintenance: Vec<Maintenance>,
    /// What was read for all of that.
    pub files: Files,
}

impl Config {
    /// The window in which the journey is not measured at a moment between these two.
    pub fn maintenance_of(
        &self,
        journey: &Journey,
        from: Timestamp,
        until: Timestamp,
    ) -> Option<&Maintenance> {
        self.maintenance.iter().find(|window| {
            window.covers(&journey.system, &journey.name) && window.is_between(from, until)
        })
    }
}

/// What a configuration was read from.
#[derive(Clone, Debug)]
pub struct Files {
    /// Every file.
    pub read: Vec<PathBuf>,
    /// The folder with the journeys, which may get others.
    pub folder: PathBuf,
}

/// `probe.toml` as it is typed. Paths are relative to the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProbeFile {
    probe: Name,
    journeys: Spanned<PathBuf>,
    /// Played beside the journeys.
    #[serde(default)]
    recording: Vec<RecordingTable>,
    max_concurrent: Option<Slots>,
    /// Where several probes share the journeys.
    shard: Option<Shard>,
    #[serde(default)]
    maintenance: Vec<MaintenanceTable>,
    secrets_folder: Option<PathBuf>,
    /// A program that prints the secret whose name stands in place of `{name}`; asked where no other place has it.
    #[serde(default, deserialize_with = "secret_command")]
    secret_command: Option<SecretCommand>,
    #[serde(default = "no_artifacts")]
    artifacts: Spanned<ArtifactsTable>,
    #[serde(default)]
    browser: BrowserSettings,
    #[serde(default)]
    environment: EnvironmentTable,
}

/// How many runs there may be at once.
#[derive(Clone, Copy, Debug)]
struct Slots(usize);

impl<'de> Deserialize<'de> for Slots {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match usize::deserialize(deserializer)? {
            0 => Err(D::Error::custom(
                "with no slot no journey can run\nhint: write 1 or more; one for each core is a good start",
            )),
            count => Ok(Self(count)),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ArtifactsTable {
    folder: Option<PathBuf>,
    s3: Option<S3>,
    #[serde(default)]
    keep: Retention,
}

fn no_artifacts() -> Spanned<ArtifactsTable> {
    Spanned::new(0..0, ArtifactsTable::default())
}

fn mistake_of_artifacts(table: &Spanned<ArtifactsTable>, source: &Source) -> Option<Mistake> {
    let ArtifactsTable { folder, s3, .. } = table.get_ref();
    (folder.is_some() && s3.is_some()).then(|| {
        let what = "artifacts are kept in one place";
        source.mistake(table.span(), what, "leave out `folder` or `s3`")
    })
}

impl ArtifactsTable {
    /// Nothing keeps none.
    fn place(self, beside: &Path) -> Option<(Place, Retention)> {
        let folder = self.folder.map(|folder| Place::Folder(beside.join(folder)));
        let place = folder.or(self.s3.map(Place::S3));
        place.map(|place| (place, self.keep))
    }
}

fn secret_command<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SecretCommand>, D::Error> {
    let arguments = Vec::deserialize(deserializer)?;
    SecretCommand::new(arguments)
        .map(Some)
        .map_err(D::Error::custom)
}

/// The same journeys elsewhere.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvironmentTable {
    /// Instead of what each journey says.
    every: Option<Every>,
    /// Instead of the journeys' own.
    #[serde(default = "no_variables")]
    variables: Spanned<Variables>,
}

impl Default for EnvironmentTable {
    fn default() -> Self {
        Self {
            every: None,
            variables: no_variables(),
        }
    }
}

fn no_variables() -> Spanned<Variables> {
    Spanned::new(0..0, Variables::new())
}

/// What a single journey takes from the file.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where secrets are looked up.
    pub secrets: SecretPlaces,
    /// How the browser is started.
    pub browser: BrowserSettings,
    /// Instead of the journey's own.
    pub variables: Variables,
}

/// Reads the file without its journeys.
pub fn read_settings(path: &Path) -> Result<Settings, Mistakes> {
    let source = Source::read(path).map_err(|mistake| Mistakes(vec![mistake]))?;
    let file: ProbeFile = config_file::read(&source).map_err(Mistakes)?;
    Ok(Settings {
        secrets: secrets(folder_of(path), file.secrets_folder, file.secret_command),
        browser: beside(path, file.browser),
        variables: file.environment.variables.into_inner(),
    })
}

/// Where the file says that secrets are.
fn secrets(beside: &Path, folder: Option<PathBuf>, command: Option<SecretCommand>) -> SecretPlaces {
    let mut places = SecretPlaces::of_this_process(folder.map(|folder| beside.join(folder)));
    places.command = command;
    places
}

/// A program named with a folder is relative to the file, as all paths are; a bare name is looked for on PATH.
fn beside(path: &Path, browser: BrowserSettings) -> BrowserSettings {
    let program = browser
        .program
        .map(|program| match program.components().count() {
            1 => program,
            _ => folder_of(path).join(program),
        });
    let extra_ca = browser.extra_ca.iter();
    let extra_ca = extra_ca.map(|file| folder_of(path).join(file)).collect();
    BrowserSettings {
        program,
        extra_ca,
        ..browser
    }
}

/// Paths in the file are relative to it.
fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

/// Reads the file and every journey in its folder.
pub fn read(path: &Path) -> Result<Config, Mistakes> {
    let source = Source::read(path).map_err(|mistake| Mistakes(vec![mistake]))?;
    let folder = folder_of(path);
    let file: ProbeFile = match config_file::read(&source) {
        Ok(file) => file,
        Err(mut mistakes) => {
            mistakes.extend(mistakes_of_journeys(&source, folder));
            return Err(Mistakes(mistakes));
        }
    };
    let mut mistakes = Vec::new();
    let browser = beside(path, file.browser);
    for (what, hint) in mistakes_of_authorities(&browser.extra_ca) {
        mistakes.push(Mistake {
            path: path.to_owned(),
            place: None,
            what,
            hint: hint.into(),
        });
    }
    mistakes.extend(mistake_of_artifacts(&file.artifacts, &source));
    let secrets = secrets(folder, file.secrets_folder, file.secret_command);
    let known = mistakes.len();
    let mut journeys = read_journeys(
        &folder.join(file.journeys.get_ref()),
        &file.environment,
        &mut mistakes,
        |what, hint| source.mistake(file.journeys.span(), what, hint),
    );
    if journeys.is_empty() && mistakes.len() == known && file.recording.is_empty() {
        let what = format!(
            "the folder `{}` holds no journey",
            folder.join(file.journeys.get_ref()).display()
        );
        let hint = "put at least one journey, a file ending in .toml, into it";
        mistakes.push(source.mistake(file.journeys.span(), what, hint));
    }
    for recording in file.recording {
        let path = recording.path(folder);
        match recording.read(folder, &source, file.environment.variables.get_ref()) {
            Ok(journey) => add(
                path,
                journey,
                &file.environment,
                &mut journeys,
                &mut mistakes,
            ),
            Err(others) => mistakes.extend(others),
        }
    }
    for name in file.environment.variables.get_ref().keys() {
        if !journeys.is_empty()
            && !journeys
                .iter()
                .any(|(_, journey)| journey.variables.contains(name))
        {
            mistakes.push(source.mistake(
                file.environment.variables.span(),
                format!("no journey has a variable `{name}`"),
                "write the name as it stands under [variables] in a journey's file",
            ));
        }
    }
    let maintenance = maintenance(file.maintenance, &source, &journeys, &mut mistakes);
    let mut read_files = vec![path.to_owned()];
    for (path, journey) in &journeys {
        read_files.push(path.clone());
        read_files.extend(journey.fragments.iter().cloned());
    }
    if let Some(shard) = file.shard {
        journeys.retain(|(_, journey)| shard.takes(&journey.full_name()));
    }
    for (path, journey) in &journeys {
        mistakes.extend(missing_environment(path, journey, &secrets));
    }
    if !mistakes.is_empty() {
        return Err(Mistakes(mistakes));
    }
    Ok(Config {
        probe: file.probe.0,
        max_concurrent: file
            .max_concurrent
            .map_or(MAX_CONCURRENT_DEFAULT, |slots| slots.0),
        secrets,
        artifacts: file.artifacts.into_inner().place(folder),
        browser,
        journeys: journeys
            .into_iter()
            .map(|(_, journey)| Arc::new(journey))
            .collect(),
        maintenance,
        files: Files {
            read: read_files,
            folder: folder.join(file.journeys.get_ref()),
        },
    })
}

fn maintenance(
    tables: Vec<MaintenanceTable>,
    source: &Source,
    journeys: &[(PathBuf, Journey)],
    mistakes: &mut Vec<Mistake>,
) -> Vec<Maintenance> {
    // A journey that could not be read may be the one that is meant.
    let all_are_read = mistakes.is_empty();
    let is_known = |name: &str| {
        !all_are_read
            || journeys
                .iter()
                .any(|(_, journey)| journey.system == name || journey.full_name() == name)
    };
    let mut windows = Vec::new();
    for table in tables {
        match table.ready(source, is_known) {
            Ok(window) => windows.push(window),
            Err(others) => mistakes.extend(others),
        }
    }
    windows
}

/// The files that are journeys.
pub fn journey_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    paths.sort();
    Ok(paths)
}

/// The file has mistakes; those of its journeys are told beside them where it says where they are.
fn mistakes_of_journeys(source: &Source, folder: &Path) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    let table: Option<toml::Table> = source.text.parse().ok();
    if let Some(journeys) = table
        .as_ref()
        .and_then(|table| table.get("journeys")?.as_str())
    {
        let environment = EnvironmentTable::default();
        read_journeys(
            &folder.join(journeys),
            &environment,
            &mut mistakes,
            |what, hint| Mistake {
                path: source.path.clone(),
                place: None,
                what,
                hint: hint.to_owned(),
            },
        );
    }
    mistakes
}

fn read_journeys(
    folder: &Path,
    environment: &EnvironmentTable,
    mistakes: &mut Vec<Mistake>,
    about_folder: impl Fn(String, &str) -> Mistake,
) -> Vec<(PathBuf, Journey)> {
    let paths = match journey_files(folder) {
        Ok(paths) => paths,
        Err(error) => {
            let what = format!("failed to read the folder `{}`: {error}", folder.display());
            mistakes.push(about_folder(
                what,
                "name the folder with the journeys, relative to this file",
            ));
            return Vec::new();
        }
    };
    let mut journeys = Vec::new();
    for path in paths {
        match journey::read(&path, environment.variables.get_ref()) {
            // A fragment that several journeys use has its mistakes once.
            Err(wrong) => {
                for mistake in wrong {
                    if !mistakes.contains(&mistake) {
                        mistakes.push(mistake);
                    }
                }
            }
            Ok(journey) => add(path, journey, environment, &mut journeys, mistakes),
        }
    }
    journeys
}

/// With the others, whose names must not be its own.
fn add(
    path: PathBuf,
    mut journey: Journey,
    environment: &EnvironmentTable,
    journeys: &mut Vec<(PathBuf, Journey)>,
    mistakes: &mut Vec<Mistake>,
) {
    let is_taken = journeys
        .iter()
        .any(|(_, other)| other.system == journey.system && other.name == journey.name);
    if is_taken {
        mistakes.push(Mistake {
            path: path.clone(),
            place: None,
            what: format!(
                "another journey of `{}` is called `{}` too",
                journey.system, journey.name
            ),
            hint: "give every journey of a system a name of its own".into(),
        });
    }
    journey.every = environment.every.map_or(journey.every, |every| every.0);
    journeys.push((path, journey));
}

/// What the probe's own environment lacks would make every run unmeasured: better said before the first one.
pub fn missing_environment(path: &Path, journey: &Journey, secrets: &SecretPlaces) -> Vec<Mistake> {
    let mistake = |what: String, hint: String| Mistake {
        path: path.to_owned(),
        place: None,
        what,
        hint,
    };
    let keys = journey.codes();
    let wrong = |name: &str| match secrets.find(name) {
        // A vault that is not there today is no mistake in a file: what it keeps from being measured is told run by run.
        Err(SecretError::Command(..)) => None,
        Err(error) => Some(mistake(
            error.to_string(),
            format!(
                "set the environment variable `{name}` of the process that starts the probe, or put a file `{name}` into `secrets_folder`"
            ),
        )),
        Ok(secret) if keys.contains(name) => {
            let what = CodeKey::parse(secret.expose_secret()).err()?;
            Some(mistake(
                format!("the secret `{name}` is no key for one-time codes: {what}"),
                "use what the system shows for an authenticator, beside or inside its QR code"
                    .into(),
            ))
        }
        Ok(_) => None,
    };
    let unset = journey
        .passed_environment()
        .filter(|name| env::var_os(name).is_none());
    let unset = unset.map(|name| {
        mistake(
            format!("the environment variable `{name}`, which is to be passed through, is not set"),
            "set it for the process that starts the probe, or take it out of `pass_environment`"
                .into(),
        )
    });
    let secrets = journey.secrets();
    let secrets = secrets.into_iter().filter_map(wrong);
    secrets.chain(unset).collect()
}

/// What the program that prints secrets does not say, for whoever looks at the configuration now.
pub fn silent_commands(path: &Path, journey: &Journey, secrets: &SecretPlaces) -> Vec<Mistake> {
    let names = journey.secrets().into_iter();
    names
        .filter_map(|name| match secrets.find(name) {
            Err(error @ SecretError::Command(..)) => Some(Mistake {
                path: path.to_owned(),
                place: None,
                what: error.to_string(),
                hint: "run the command by hand, as the user that runs the probe; its own words are not shown here".into(),
            }),
            _ => None,
        })
        .collect()
}
