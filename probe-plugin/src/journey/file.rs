//! Reads a journey's file: what the operator wrote, checked and made ready.

use std::{collections::HashSet, path::Path, time::Duration};

use serde::{Deserialize, Deserializer, de::Error};
use vigia_contract::{
    config_file::{self, Spanned},
    data_model::Impact,
    duration,
    mistake::{Mistake, Source},
    slug::slug,
    variables::Variables,
};

use super::{Action, BasicAuth, Headers, Journey, Step};

/// How long an action may take where the file does not say: users give up before that.
const ACTION_TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

/// A journey's file as it is typed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct JourneyFile {
    system: Spanned<String>,
    name: Spanned<String>,
    impact: Impact,
    every: Every,
    #[serde(deserialize_with = "duration::deserialize")]
    timeout: Duration,
    #[serde(default, deserialize_with = "duration::deserialize_some")]
    action_timeout: Option<Duration>,
    /// Already filled in when the file is read; here so that other keys stay unknown.
    #[serde(default)]
    variables: Variables,
    #[serde(default)]
    basic_auth: Vec<BasicAuth>,
    #[serde(default)]
    headers: Vec<Headers>,
    step: Spanned<Vec<StepTable>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepTable {
    name: Spanned<String>,
    #[serde(default, deserialize_with = "duration::deserialize_some")]
    budget: Option<Duration>,
    actions: Spanned<Vec<Action>>,
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

/// Reads one journey; `variables` are used instead of the file's own.
pub fn read(path: &Path, variables: &Variables) -> Result<Journey, Vec<Mistake>> {
    let source = Source::read(path).map_err(|mistake| vec![mistake])?;
    let file: JourneyFile = config_file::read_filled(&source, variables)?;
    let mut mistakes = Vec::new();
    for name in [&file.system, &file.name] {
        if slug(name.get_ref()) != *name.get_ref() || name.get_ref().is_empty() {
            mistakes.push(source.mistake(
                name.span(),
                format!(
                    "`{}` cannot be a name in points and addresses",
                    name.get_ref()
                ),
                format!(
                    "write lower-case letters, digits and hyphens: `{}`",
                    slug(name.get_ref())
                ),
            ));
        }
    }
    if file.step.get_ref().is_empty() {
        mistakes.push(source.mistake(
            file.step.span(),
            "the journey has no step",
            "add a [[step]]",
        ));
    }
    let mut slugs = HashSet::new();
    let steps = file
        .step
        .into_inner()
        .into_iter()
        .map(|step| ready(step, &source, &mut slugs, &mut mistakes))
        .collect();
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    Ok(Journey {
        system: file.system.into_inner(),
        name: file.name.into_inner(),
        impact: file.impact,
        every: file.every.0,
        variables: file.variables.into_keys().collect(),
        timeout: file.timeout,
        action_timeout: file
            .action_timeout
            .unwrap_or(ACTION_TIMEOUT_DEFAULT)
            .min(file.timeout),
        basic_auth: file.basic_auth,
        headers: file.headers,
        steps,
    })
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
    if step.actions.get_ref().is_empty() {
        mistakes.push(source.mistake(
            step.actions.span(),
            format!("the step `{}` does nothing", step.name.get_ref()),
            "add an action, for example { goto = \"https://...\" }",
        ));
    }
    Step {
        name: step.name.into_inner(),
        slug: name_slug,
        budget: step.budget,
        actions: step.actions.into_inner(),
    }
}
