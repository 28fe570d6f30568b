//! The file of a Selenium IDE project, as far as it says what is done. Leniently: the IDE has written it in many versions,
//! and others write it too.

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use vigia_contract::mistake::{Mistake, Source};

/// A project.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Project {
    /// As its users call it.
    #[serde(deserialize_with = "text")]
    pub name: String,
    /// What relative addresses begin with.
    #[serde(deserialize_with = "text")]
    pub url: String,
    /// In the order of the file.
    #[serde(deserialize_with = "list")]
    pub tests: Vec<Test>,
    /// In the order of the file.
    #[serde(deserialize_with = "list")]
    pub suites: Vec<Suite>,
}

/// A test: commands under a name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Test {
    /// What suites call it.
    #[serde(deserialize_with = "text")]
    pub id: String,
    /// What `run` calls it.
    #[serde(deserialize_with = "text")]
    pub name: String,
    /// In their order.
    #[serde(deserialize_with = "list")]
    pub commands: Vec<Command>,
}

/// Tests that belong together.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Suite {
    /// As its users call it.
    #[serde(deserialize_with = "text")]
    pub name: String,
    /// Each test goes on where the one before it stopped.
    #[serde(deserialize_with = "yes")]
    pub persist_session: bool,
    /// Their ids.
    #[serde(deserialize_with = "list")]
    pub tests: Vec<String>,
}

/// A command with what it is done to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Command {
    /// For the reader.
    #[serde(deserialize_with = "text")]
    pub comment: String,
    /// Its name; with `//` before it, it is turned off.
    #[serde(rename = "command", deserialize_with = "text")]
    pub name: String,
    /// The first argument.
    #[serde(deserialize_with = "text")]
    pub target: String,
    /// Locators of the same element and their kinds, as they were recorded.
    #[serde(deserialize_with = "locators")]
    pub targets: Vec<(String, String)>,
    /// The second argument.
    #[serde(deserialize_with = "text")]
    pub value: String,
    /// It opens a window.
    #[serde(deserialize_with = "yes")]
    pub opens_window: bool,
    /// The variable that holds that window.
    #[serde(deserialize_with = "text")]
    pub window_handle_name: String,
    /// It is turned off.
    #[serde(deserialize_with = "yes")]
    pub skip: bool,
}

impl Command {
    /// As the IDE shows it, on one line.
    pub fn shown(&self) -> String {
        let parts = [&self.name, &self.target, &self.value];
        let parts: Vec<String> = parts
            .into_iter()
            .map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        let shown = parts.join(" | ");
        shown.trim_end_matches([' ', '|']).to_owned()
    }
}

/// Numbers and nothing stand where texts are expected.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        Value::Bool(yes) => yes.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    })
}

/// Nothing stands where no is meant.
fn yes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(Value::deserialize(deserializer)?.as_bool() == Some(true))
}

/// Nothing stands where a list could be empty.
fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

fn locators<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, String)>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let pairs = value.as_array().into_iter().flatten();
    let text = |pair: &Value, at: usize| pair.get(at).and_then(Value::as_str).map(str::to_owned);
    Ok(pairs
        .filter_map(|pair| Some((text(pair, 0)?, text(pair, 1).unwrap_or_default())))
        .collect())
}

/// Reads a project, or says why it is none.
pub fn read(source: &Source) -> Result<Project, Mistake> {
    let about = |what: String, hint: &str| Mistake {
        path: source.path.clone(),
        place: None,
        what,
        hint: hint.into(),
    };
    // The line itself is not shown: a project may stand on a single one, with its passwords.
    let text = source.text.trim_start_matches('\u{feff}');
    let project: Project = serde_json::from_str(text).map_err(|error| {
        about(
            format!("is no project of Selenium IDE: {error}"),
            "save the project in Selenium IDE again; a file with the ending .side is JSON with a list `tests`",
        )
    })?;
    if project.tests.is_empty() {
        return Err(about(
            "has no test".into(),
            "name a project of Selenium IDE (.side) that has a list `tests`",
        ));
    }
    Ok(project)
}
