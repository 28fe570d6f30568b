//! Reads a journey's file: what the operator wrote, checked and made ready.

use std::{
    collections::{BTreeSet, HashSet},
    num::NonZeroU32,
    ops::Range,
    path::{Path, PathBuf},
    time::Duration,
};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error};
use vigia_contract::{
    config_file::{self, Spanned},
    data_model::{ErrorClass, Impact},
    duration,
    mistake::{Mistake, Source},
    slug::slug,
    variables::Variables,
};

use super::{
    Action, BasicAuth, CleanupStep, ClientCertificate, Emulation, Headers, Journey, Kind, Proxy,
    Retry, Step, Timed, Walk,
    external::{self, ExternalTable},
    fragment,
    retry::ATTEMPTS_MAX,
    stored_names::StoredNames,
};

/// How long an action may take where the file does not say: users give up before that.
const ACTION_TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

/// How long tidying up may take where the file does not say.
const CLEANUP_TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

/// A journey's file as it is typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct JourneyFile {
    /// What users call the thing that they use: lower-case letters, digits and hyphens.
    system: Name,
    /// The journey's name inside the system: lower-case letters, digits and hyphens.
    #[schemars(with = "Name")]
    name: Spanned<Name>,
    /// Who is told when it fails.
    impact: Impact,
    /// How often it runs: "30s", "1m", "1h 30m"; once a second at most.
    every: Every,
    /// How long one attempt may take; then it has failed.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Written")]
    timeout: Duration,
    /// How long a single action may take; 10 s where it is left out.
    #[serde(default, deserialize_with = "duration::deserialize_some")]
    #[schemars(with = "Option<duration::Written>")]
    action_timeout: Option<Duration>,
    /// What all steps together may take; longer is slow, not failed.
    #[serde(default, deserialize_with = "duration::deserialize_some")]
    #[schemars(with = "Option<duration::Written>")]
    budget: Option<Duration>,
    /// How often a run that fails is tried; once where it is left out.
    attempts: Option<Attempts>,
    /// The classes of errors that are tried again; all but `assertion`, `script`, `dialog` and `config` where it is left out.
    retry_on: Option<BTreeSet<ErrorClass>>,
    /// Which windows and frames are looked at without being told.
    #[serde(default)]
    looks: Looks,
    /// A run that fails leaves a picture of the whole page too, and not only of what its window showed.
    full_page: Option<bool>,
    /// What pages are told about the user's machine.
    emulate: Option<Emulation>,
    /// What requests go through.
    proxy: Option<Proxy>,
    /// Values that the file repeats, used as `${name}`.
    // Already filled in when the file is read; here so that other keys stay unknown.
    #[serde(default)]
    variables: Variables,
    /// For servers that ask for a name and a password before they show anything.
    #[serde(default)]
    basic_auth: Vec<BasicAuth>,
    /// For servers that want to see one before they talk.
    #[serde(default)]
    client_certificate: Vec<ClientCertificate>,
    /// What is sent along with requests.
    #[serde(default)]
    headers: Vec<Headers>,
    /// What the user does, in order: named parts that are timed.
    #[schemars(with = "Option<Vec<StepTable>>")]
    step: Option<Spanned<Vec<StepTable>>>,
    /// Another program takes the journey.
    #[schemars(with = "Option<ExternalTable>")]
    external: Option<Spanned<ExternalTable>>,
    /// What is tidied up after every run, whatever became of it.
    #[serde(default)]
    cleanup: Vec<CleanupTable>,
    /// How long the clean-up may take; 10 s where it is left out.
    #[serde(default, deserialize_with = "duration::deserialize_some")]
    #[schemars(with = "Option<duration::Written>")]
    cleanup_timeout: Option<Duration>,
}

impl JourneyFile {
    /// Where the fragments are that its steps use.
    fn fragments(&self, source: &Source) -> Vec<PathBuf> {
        let steps = self.step.iter().flat_map(Spanned::get_ref);
        let used = steps.filter_map(|step| step.r#use.as_ref());
        used.map(|used| fragment::path_of(used.get_ref(), source))
            .collect()
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct StepTable {
    /// What the user does, for people.
    #[schemars(with = "String")]
    name: Spanned<String>,
    /// Taking longer is slow, not failed.
    #[serde(default, deserialize_with = "duration::deserialize_some")]
    #[schemars(with = "Option<duration::Written>")]
    budget: Option<Duration>,
    /// The journey goes on where this step fails.
    #[serde(default)]
    optional: bool,
    /// A file with shared actions, which come before the step's own.
    #[schemars(with = "Option<PathBuf>")]
    r#use: Option<Spanned<PathBuf>>,
    /// Values for the parameters of `use`.
    #[serde(default)]
    with: Variables,
    /// What is done, in order.
    #[serde(default = "no_actions")]
    #[schemars(with = "Vec<Timed>")]
    actions: Spanned<Vec<Timed>>,
}

/// A step of the clean-up as it is typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CleanupTable {
    /// What is tidied up, for people.
    #[schemars(with = "String")]
    name: Spanned<String>,
    /// What is done, in order.
    #[schemars(with = "Vec<Timed>")]
    actions: Spanned<Vec<Timed>>,
}

impl CleanupTable {
    /// `needs` is what a run must have stored for it; `source` is where it stands.
    pub fn ready(
        self,
        needs: BTreeSet<String>,
        source: &Source,
        mistakes: &mut Vec<Mistake>,
    ) -> CleanupStep {
        if self.actions.get_ref().is_empty() {
            mistakes.push(does_nothing(source, &self.name, self.actions.span()));
        }
        let mut actions = self.actions.into_inner();
        mistakes.extend(missing_files(&mut actions, source));
        CleanupStep {
            name: self.name.into_inner(),
            needs,
            actions,
        }
    }
}

fn no_actions() -> Spanned<Vec<Timed>> {
    Spanned::new(0..0, Vec::new())
}

/// Which windows and frames a journey looks at without being told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Looks {
    /// As a user does: a window that opens comes to the front, and what is named is looked for in every frame.
    #[default]
    Everywhere,
    /// Only where `tab` and `frame` tell it to: a window that opens stays behind, and no frame is searched.
    WhereTold,
}

/// What is part of points and addresses: a slug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(pub String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        if slug(&name) == name && !name.is_empty() {
            return Ok(Self(name));
        }
        let instead = match slug(&name) {
            empty if empty.is_empty() => "for example `tramites`".into(),
            other => format!("`{other}`"),
        };
        Err(D::Error::custom(format!(
            "`{name}` cannot be a name in points and addresses\nhint: write lower-case letters, digits and hyphens: {instead}"
        )))
    }
}

/// From start to start.
#[derive(Clone, Copy, Debug)]
pub struct Every(pub Duration);

impl<'de> Deserialize<'de> for Every {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let every = duration::deserialize(deserializer)?;
        if every < Duration::from_secs(1) {
            return Err(D::Error::custom(
                "a journey cannot run more often than once a second\nhint: \"1m\" is a good start",
            ));
        }
        Ok(Self(every))
    }
}

/// How often a run is tried.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempts(NonZeroU32);

impl<'de> Deserialize<'de> for Attempts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let count = u32::deserialize(deserializer)?;
        NonZeroU32::new(count)
            .filter(|count| count.get() <= ATTEMPTS_MAX)
            .map(Self)
            .ok_or_else(|| {
                D::Error::custom(format!(
                    "a run cannot have {count} attempts\nhint: write 1 to {ATTEMPTS_MAX}; more would hide what users suffer"
                ))
            })
    }
}

/// Reads one journey; `variables` are used instead of the file's own.
pub fn read(path: &Path, variables: &Variables) -> Result<Journey, Vec<Mistake>> {
    let source = Source::read(path).map_err(|mistake| vec![mistake])?;
    let names = StoredNames::of_journey(&source);
    let mut mistakes = names.mistakes;
    let mut file: JourneyFile = match config_file::read_filled(&source, variables) {
        Ok(file) => file,
        Err(others) => {
            mistakes.extend(others);
            return Err(in_order(mistakes));
        }
    };
    if file.retry_on.is_some() && file.attempts.is_none_or(|attempts| attempts.0.get() == 1) {
        mistakes.push(source.mistake(
            file.name.span(),
            "the journey has `retry_on` and a single attempt",
            "add `attempts = 2`, or take `retry_on` out",
        ));
    }
    let fragments = file.fragments(&source);
    let kind = match file.external.take() {
        Some(external) => {
            mistakes.extend(what_only_browsers_have(&file, &external, &source));
            external::ready(external.into_inner(), &source).map(Kind::External)
        }
        None => walk(&mut file, names.cleanup_needs, &source).map(Kind::Browser),
    };
    let kind = match kind {
        Ok(kind) if mistakes.is_empty() => kind,
        Ok(_) => return Err(in_order(mistakes)),
        Err(others) => {
            mistakes.extend(others);
            return Err(in_order(mistakes));
        }
    };
    Ok(Journey {
        system: file.system.0,
        name: file.name.into_inner().0,
        impact: file.impact,
        every: file.every.0,
        timeout: file.timeout,
        retry: file.attempts.map_or_else(Retry::default, |attempts| {
            Retry::new(attempts.0, file.retry_on)
        }),
        budget: file.budget,
        fragments,
        variables: file.variables.into_keys().collect(),
        kind,
    })
}

/// What is done in the browser.
fn walk(
    file: &mut JourneyFile,
    cleanup_needs: Vec<BTreeSet<String>>,
    source: &Source,
) -> Result<Walk, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let Some(steps) = file.step.take() else {
        return Err(vec![source.mistake(
            0..0,
            "the journey has no step",
            "add a [[step]], or [external] where another program takes the journey",
        )]);
    };
    if steps.get_ref().is_empty() {
        mistakes.push(source.mistake(steps.span(), "the journey has no step", "add a [[step]]"));
    }
    let mut slugs = HashSet::new();
    let steps = steps
        .into_inner()
        .into_iter()
        .map(|step| ready(step, source, &mut slugs, &mut mistakes))
        .collect();
    let cleanup = std::mem::take(&mut file.cleanup)
        .into_iter()
        .zip(cleanup_needs)
        .map(|(step, needs)| step.ready(needs, source, &mut mistakes))
        .collect();
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    Ok(Walk {
        action_timeout: file
            .action_timeout
            .unwrap_or(ACTION_TIMEOUT_DEFAULT)
            .min(file.timeout),
        looks: file.looks,
        emulation: file.emulate.take().unwrap_or_default(),
        proxy: file.proxy.take(),
        basic_auth: std::mem::take(&mut file.basic_auth),
        client_certificates: std::mem::take(&mut file.client_certificate),
        headers: std::mem::take(&mut file.headers),
        full_page: file.full_page.unwrap_or_default(),
        steps,
        cleanup,
        cleanup_timeout: file.cleanup_timeout.unwrap_or(CLEANUP_TIMEOUT_DEFAULT),
    })
}

/// Another program would never hear of it.
fn what_only_browsers_have(
    file: &JourneyFile,
    external: &Spanned<ExternalTable>,
    source: &Source,
) -> Vec<Mistake> {
    let keys = [
        ("step", file.step.is_some()),
        ("action_timeout", file.action_timeout.is_some()),
        ("full_page", file.full_page.is_some()),
        ("emulate", file.emulate.is_some()),
        ("proxy", file.proxy.is_some()),
        ("basic_auth", !file.basic_auth.is_empty()),
        ("client_certificate", !file.client_certificate.is_empty()),
        ("headers", !file.headers.is_empty()),
        ("cleanup", !file.cleanup.is_empty()),
        ("cleanup_timeout", file.cleanup_timeout.is_some()),
    ];
    let there = keys.into_iter().filter(|(_, is_there)| *is_there);
    there
        .map(|(key, _)| {
            source.mistake(
                external.span(),
                format!("an external journey has no `{key}`"),
                "another program takes it, and does all of that itself: take the key out",
            )
        })
        .collect()
}

fn in_order(mut mistakes: Vec<Mistake>) -> Vec<Mistake> {
    mistakes.sort_by_key(|mistake| {
        let place = mistake.place.as_ref();
        place.map(|place| (place.line, place.column))
    });
    mistakes
}

fn ready(
    step: StepTable,
    source: &Source,
    slugs: &mut HashSet<String>,
    mistakes: &mut Vec<Mistake>,
) -> Step {
    let name_slug = slug(step.name.get_ref());
    if name_slug.is_empty() {
        mistakes.push(source.mistake(
            step.name.span(),
            format!(
                "the step's name `{}` has no letter or digit",
                step.name.get_ref()
            ),
            "name what the user does, for example \"Ingresar\"",
        ));
    } else if !slugs.insert(name_slug.clone()) {
        mistakes.push(source.mistake(
            step.name.span(),
            format!("another step of this journey is called `{name_slug}` too"),
            "give every step of a journey a name of its own: its times are kept under it",
        ));
    }
    let mut actions = Vec::new();
    if let Some(fragment) = &step.r#use {
        match fragment::read(fragment, &step.with, source) {
            Ok(shared) => actions = shared,
            Err(others) => mistakes.extend(others),
        }
    } else if step.actions.get_ref().is_empty() {
        let at = match step.actions.span() {
            nowhere if nowhere.is_empty() => step.name.span(),
            at => at,
        };
        mistakes.push(does_nothing(source, &step.name, at));
    } else if !step.with.is_empty() {
        mistakes.push(source.mistake(
            step.name.span(),
            format!(
                "the step `{}` has `with` and uses nothing",
                step.name.get_ref()
            ),
            "add `use = ...`, the file whose parameters these are, or take `with` out",
        ));
    }
    actions.extend(step.actions.into_inner());
    mistakes.extend(missing_files(&mut actions, source));
    Step {
        name: step.name.into_inner(),
        slug: name_slug,
        budget: step.budget,
        optional: step.optional,
        actions,
    }
}

fn does_nothing(source: &Source, name: &Spanned<String>, at: Range<usize>) -> Mistake {
    source.mistake(
        at,
        format!("the step `{}` does nothing", name.get_ref()),
        "add an action, for example { goto = \"https://...\" }",
    )
}

/// The files that are to be uploaded lie beside the journey's.
fn missing_files(actions: &mut [Timed], source: &Source) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for timed in actions {
        if let Action::Upload(upload) = &mut timed.action {
            mistakes.extend(upload.look_beside(source));
        }
    }
    mistakes
}
