//! Reads a TOML file into types and reports every mistake in it at once.
//!
//! serde stops at the first mistake. So each mistake that it points at is mended in the parsed document (an unknown key
//! is taken out, a missing or wrong value gets a placeholder), and the rest is read again, until nothing is left to say.
//! The types stay plain serde types with `deny_unknown_fields`.

mod repair;
mod wording;

use std::{borrow::Cow, ops::Range};

use serde::de::DeserializeOwned;
pub use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

use repair::{Placeholder, remove_key, remove_value};
use wording::{missing_key, names_something_unknown, reading_mistake, syntax_mistake};

use crate::{
    mistake::{Mistake, Source},
    variables::{Variables, fill_in},
};

/// A file with more mistakes than this is another kind of file; the rest is not looked for.
const MISTAKES_MAX: usize = 50;

/// What the TOML reader says of an empty table where one key names what is meant.
const NO_KEY: &str = "wanted exactly 1 element, found 0";

/// Reads the whole file, or says everything that is wrong with it.
pub fn read<T: DeserializeOwned>(source: &Source) -> Result<T, Vec<Mistake>> {
    read_document(source, document(source)?, Vec::new())
}

/// The same for a file with a table `[variables]`: first puts a value in the place of every `${name}` in its texts.
///
/// `instead` wins over the file's own values; names that the file does not have are no matter of this file.
pub fn read_filled<T: DeserializeOwned>(
    source: &Source,
    instead: &Variables,
) -> Result<T, Vec<Mistake>> {
    let mut document = document(source)?;
    let mut mistakes = Vec::new();
    let mut variables = Variables::new();
    if let Some(DeValue::Table(own)) = document.get("variables").map(Spanned::get_ref) {
        for (name, value) in own {
            let DeValue::String(text) = value.get_ref() else {
                continue;
            };
            if text.contains("${") {
                mistakes.push(source.mistake(
                    value.span(),
                    format!(
                        "the value of the variable `{}` refers to something else",
                        name.get_ref()
                    ),
                    "write the value itself; a secret is referred to where it is used",
                ));
            }
            let value = instead
                .get(name.get_ref().as_ref())
                .map_or_else(|| text.to_string(), Clone::clone);
            variables.insert(name.get_ref().to_string(), value);
        }
    }
    for (key, value) in &mut document {
        if key.get_ref() != "variables" {
            let hint = |name: &str| {
                format!("give it a value in this file: [variables], then {name} = \"...\"")
            };
            fill(value, &variables, source, &hint, &mut mistakes);
        }
    }
    read_document(source, document, mistakes)
}

/// The same with values that come from elsewhere; `hint` says what to do about a name that has none.
pub fn read_with<T: DeserializeOwned>(
    source: &Source,
    variables: &Variables,
    hint: impl Fn(&str) -> String,
) -> Result<T, Vec<Mistake>> {
    let mut document = document(source)?;
    let mut mistakes = Vec::new();
    for (_, value) in &mut document {
        fill(value, variables, source, &hint, &mut mistakes);
    }
    read_document(source, document, mistakes)
}

fn document(source: &Source) -> Result<DeTable<'_>, Vec<Mistake>> {
    let (document, syntax) = DeTable::parse_recoverable(&source.text);
    if syntax.is_empty() {
        return Ok(document.into_inner());
    }
    Err(syntax
        .iter()
        .map(|error| syntax_mistake(source, error))
        .collect())
}

fn fill(
    value: &mut Spanned<DeValue<'_>>,
    variables: &Variables,
    source: &Source,
    hint: &dyn Fn(&str) -> String,
    mistakes: &mut Vec<Mistake>,
) {
    let span = value.span();
    match value.get_mut() {
        DeValue::String(text) => match fill_in(text, variables) {
            Ok(filled) => *text = Cow::Owned(filled),
            Err(unknown) => mistakes.extend(unknown.into_iter().map(|name| {
                source.mistake(
                    span.clone(),
                    format!("unknown variable `${{{name}}}`"),
                    hint(&name),
                )
            })),
        },
        DeValue::Array(array) => {
            for element in array.iter_mut() {
                fill(element, variables, source, hint, mistakes);
            }
        }
        DeValue::Table(table) => {
            for (_, inner) in table.iter_mut() {
                fill(inner, variables, source, hint, mistakes);
            }
        }
        _ => {}
    }
}

fn read_document<T: DeserializeOwned>(
    source: &Source,
    mut document: DeTable<'_>,
    mut mistakes: Vec<Mistake>,
) -> Result<T, Vec<Mistake>> {
    let mut placeholders: Vec<Placeholder> = Vec::new();
    let mut given_up: Vec<String> = Vec::new();
    let mut taken_out: Vec<Range<usize>> = Vec::new();
    while mistakes.len() < MISTAKES_MAX {
        let whole = Spanned::new(0..source.text.len(), document.clone());
        let error = match T::deserialize(Deserializer::from(whole)) {
            Ok(value) if mistakes.is_empty() => return Ok(value),
            Ok(_) => break,
            Err(error) => error,
        };
        let span = error.span().unwrap_or(0..source.text.len());
        if let Some(placeholder) = placeholders.iter_mut().find(|known| known.span == span) {
            if placeholder.try_next(error.message(), &mut document) {
                continue;
            }
            match remove_value(&mut document, &span) {
                Some(key) => given_up.push(key),
                None => break,
            }
            continue;
        }
        if missing_key(error.message()).is_some_and(|key| given_up.iter().any(|known| known == key))
        {
            // It is not missing: no value of any kind could stand in for the one that is wrong.
            break;
        }
        // A table that is empty because its only key was taken out has been told of.
        let is_echo = error.message().starts_with(NO_KEY)
            && taken_out.iter().any(|key| span.contains(&key.start));
        if !is_echo {
            mistakes.push(reading_mistake(source, &error, span.clone()));
        }
        let placeholder = Placeholder::new(source.text.len() + 1 + placeholders.len());
        let mended = match missing_key(error.message()) {
            Some(key) => placeholder.fill(key, &span, &mut document),
            None if names_something_unknown(error.message()) => {
                taken_out.push(span.clone());
                remove_key(&mut document, &span) || placeholder.replace(&span, &mut document)
            }
            None => {
                placeholder.replace_at_key(&span, &mut document)
                    || placeholder.replace(&span, &mut document)
            }
        };
        if !mended {
            break;
        }
        placeholders.push(placeholder);
    }
    mistakes.sort_by_key(|mistake| {
        mistake
            .place
            .as_ref()
            .map(|place| (place.line, place.column))
    });
    Err(mistakes)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde::Deserialize;

    use super::*;
    use crate::mistake::Mistakes;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its reading is tested")]
    struct Sample {
        name: String,
        #[serde(deserialize_with = "crate::duration::deserialize")]
        every: Duration,
        count: Option<u32>,
        #[serde(default)]
        step: Vec<Step>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its reading is tested")]
    struct Step {
        name: String,
        actions: Vec<Action>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase", deny_unknown_fields)]
    #[expect(dead_code, reason = "only its reading is tested")]
    enum Action {
        Goto(String),
        Fill { field: String, with: String },
    }

    fn told(text: &str) -> String {
        let source = Source {
            path: "sample.toml".into(),
            text: text.into(),
        };
        match read::<Sample>(&source) {
            Ok(_) => "no mistake".into(),
            Err(mistakes) => Mistakes(mistakes).to_string(),
        }
    }

    #[test]
    fn every_mistake_is_told_at_once_with_its_line_and_what_to_do() {
        insta::assert_snapshot!(told(
            r#"nam = "x"
every = "soon"
count = "three"
colour = "red"

[[step]]
name = "Ingresar"
actions = [
  { gotoo = "https://tramites.example" },
  { fill = { field = "label=Clave" } },
  { goto = 5 },
]

[[step]]
actions = []
"#
        ), @r#"
        sample.toml:1:1: unknown key `nam`
          1 | nam = "x"
            | ^
          hint: did you mean `name`? known here: name, every, count, step
        sample.toml:1:1: `name` is missing
          1 | nam = "x"
            | ^
          hint: add `name = ...` here
        sample.toml:2:9: `soon` is not a duration
          2 | every = "soon"
            |         ^
          hint: write a number with a unit, for example "250ms", "30s", "1m" or "1h 30m"
        sample.toml:3:9: invalid type: string "three", expected u32
          3 | count = "three"
            |         ^
          hint: write a value of the kind that is expected here
        sample.toml:4:1: unknown key `colour`
          4 | colour = "red"
            | ^
          hint: known here: name, every, count, step
        sample.toml:9:5: unknown value `gotoo`
          9 |   { gotoo = "https://tramites.example" },
            |     ^
          hint: did you mean `goto`? known here: goto, fill
        sample.toml:10:12: `with` is missing
          10 |   { fill = { field = "label=Clave" } },
             |            ^
          hint: add `with = ...` here
        sample.toml:11:12: invalid type: integer `5`, expected a string
          11 |   { goto = 5 },
             |            ^
          hint: write a value of the kind that is expected here
        sample.toml:14:1: `name` is missing
          14 | [[step]]
             | ^
          hint: add `name = ...` here
        9 mistakes
        "#);
    }

    #[test]
    fn a_key_that_the_first_table_of_a_list_lacks_hides_nothing() {
        insta::assert_snapshot!(told("[[step]]\nactions = []\n"), @r#"
        sample.toml:1:1: `name` is missing
          1 | [[step]]
            | ^
          hint: add `name = ...` here
        sample.toml:1:1: `name` is missing
          1 | [[step]]
            | ^
          hint: add `name = ...` here
        sample.toml:1:1: `every` is missing
          1 | [[step]]
            | ^
          hint: add `every = ...` here
        3 mistakes
        "#);
    }

    #[test]
    fn a_file_that_is_not_toml_is_told_with_its_line() {
        insta::assert_snapshot!(told("name = \"x\nevery = \"1m\"\n"), @r#"
        sample.toml:1:10: is not TOML: invalid basic string, expected `"`
          1 | name = "x
            |          ^
          hint: look at this line and the one before it: a quote, a bracket or an `=` is often missing
        1 mistake
        "#);
    }

    #[test]
    fn a_variable_that_nobody_defined_is_told_beside_the_other_mistakes() {
        let source = Source {
            path: "sample.toml".into(),
            text: "name = \"${portal} ${nowhere}\"\n".into(),
        };
        let mistakes = read_filled::<Sample>(&source, &Variables::new()).unwrap_err();
        let told: Vec<&str> = mistakes
            .iter()
            .map(|mistake| mistake.what.as_str())
            .collect();
        assert_eq!(
            told,
            [
                "`every` is missing",
                "unknown variable `${portal}`",
                "unknown variable `${nowhere}`"
            ]
        );
    }

    #[test]
    fn a_file_without_mistakes_is_read() {
        assert_eq!(told("name = \"x\"\nevery = \"1m\"\n"), "no mistake");
    }
}
