//! Actions that several journeys share: a file of their own with parameters, beside the journeys.
//!
//! A fragment holds actions and uses no other fragment, so nothing goes round in circles.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use vigia_contract::{
    config_file::{self, Spanned},
    mistake::{Mistake, Source},
    variables::Variables,
};

use super::Timed;

/// A fragment's file as it is typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FragmentFile {
    /// Already filled in when the file is read; here so that other keys stay unknown.
    #[serde(default, rename = "parameters")]
    _parameters: Vec<String>,
    actions: Vec<Timed>,
}

/// Only what must be known before the parameters can be put into their places.
#[derive(Debug, Deserialize)]
struct Parameters {
    #[serde(default)]
    parameters: Vec<String>,
}

/// Where a fragment is: paths are relative to the journey's file.
pub fn path_of(fragment: &Path, journey: &Source) -> PathBuf {
    let folder = journey.path.parent().unwrap_or(Path::new("."));
    folder.join(fragment)
}

/// The actions of a fragment with these values in the places of its parameters.
///
/// What is wrong inside of it is told with its own file and line; what is wrong with the values, where they are written.
pub fn read(
    fragment: &Spanned<PathBuf>,
    with: &Variables,
    journey: &Source,
) -> Result<Vec<Timed>, Vec<Mistake>> {
    let path = path_of(fragment.get_ref(), journey);
    let used_here = |what: String, hint: &str| vec![journey.mistake(fragment.span(), what, hint)];
    let source = Source::read(&path).map_err(|mistake| {
        used_here(
            format!("the fragment `{}` {}", path.display(), mistake.what),
            "name a file with shared actions, relative to this file, in a folder beside the journeys",
        )
    })?;
    let parameters = toml::from_str::<Parameters>(&source.text)
        .map(|known| known.parameters)
        .unwrap_or_default();
    let missing = parameters.iter().filter(|name| !with.contains_key(*name));
    let unknown = with.keys().filter(|name| !parameters.contains(name));
    let mut mistakes: Vec<Mistake> = missing
        .flat_map(|name| {
            used_here(
                format!("the fragment needs a value for `{name}`"),
                &format!("add it to the step: with = {{ {name} = \"...\" }}"),
            )
        })
        .collect();
    mistakes.extend(unknown.flat_map(|name| {
        used_here(
            format!("the fragment has no parameter `{name}`"),
            "write a name that stands under `parameters` in the fragment's file",
        )
    }));
    let mut values = with.clone();
    for name in parameters {
        // What has no value is told already.
        values.entry(name).or_insert_with(|| "https://x".into());
    }
    let hint = |name: &str| format!("name it in this file: parameters = [\"{name}\"]");
    match config_file::read_with::<FragmentFile>(&source, &values, hint) {
        Ok(file) if mistakes.is_empty() => Ok(file.actions),
        Ok(_) => Err(mistakes),
        Err(others) => {
            mistakes.extend(others);
            Err(mistakes)
        }
    }
}
