//! Writes `docs/journey-reference.md` from the JSON Schema of journeys, which is made from the probe's types. It explains nothing of
//! its own: what a key means stands beside the type.

use std::{fmt::Write, fs};

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use crate::repository;

/// Where the page is, in the repository.
pub const PAGE: &str = "docs/journey-reference.md";

const INTRODUCTION: &str = "# A journey's file, key by key

Made from the probe's own types by `make journey-reference`: what is here is what `vigia-probe` reads. How to write a journey is in
[first-journey.md](first-journey.md), and the same for editors in `examples/schema/journey.json`.

";

/// Writes the page anew.
pub fn write() -> Result<()> {
    fs::write(repository::path(PAGE), page()?).with_context(|| format!("failed to write {PAGE}"))
}

/// The page as the schema of this repository makes it.
pub fn page() -> Result<String> {
    let path = repository::path("examples/schema/journey.json");
    let text =
        fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))?;
    let schema: Value = serde_json::from_str(&text).context("the schema is no JSON")?;
    let definitions = schema["definitions"]
        .as_object()
        .context("the schema has no definitions")?;
    let mut page = INTRODUCTION.to_owned();
    page.push_str("## The file\n\n");
    object(&mut page, &schema);
    page.push_str("## What its values are\n\n");
    for (name, definition) in definitions {
        if is_inline(name) {
            continue;
        }
        writeln!(page, "### {}\n", shown(name))?;
        if let Some(description) = definition["description"].as_str() {
            writeln!(page, "{description}\n")?;
        }
        value(&mut page, definition);
    }
    Ok(format!("{}\n", page.trim_end()))
}

/// What a definition holds: the table of its keys, of its choices, or what it is written as.
fn value(page: &mut String, definition: &Value) {
    if let Some(choices) = definition["oneOf"].as_array() {
        page.push_str("| written as | |\n|---|---|\n");
        for choice in choices {
            line(page, &[&choice_as_written(choice), description(choice)]);
        }
        page.push('\n');
    } else if definition["properties"].is_object() {
        object(page, definition);
    } else {
        let mut says = format!("Written as {}.", kind(definition));
        if let Some(examples) = definition["examples"].as_array() {
            let examples: Vec<String> = examples
                .iter()
                .map(|example| format!("`{example}`"))
                .collect();
            let _infallible = write!(says, " For example {}.", examples.join(", "));
        }
        says.push_str("\n\n");
        page.push_str(&says);
    }
}

/// The keys of a table, those first that cannot be left out.
fn object(page: &mut String, table: &Value) {
    let none = Map::new();
    let keys = table["properties"].as_object().unwrap_or(&none);
    let needed = |key: &str| {
        let needed = table["required"].as_array();
        needed.is_some_and(|needed| needed.iter().any(|name| name == key))
    };
    page.push_str("| key | is | |\n|---|---|---|\n");
    for is_needed in [true, false] {
        for (key, schema) in keys.iter().filter(|(key, _)| needed(key) == is_needed) {
            let name = if is_needed {
                format!("**`{key}`**")
            } else {
                format!("`{key}`")
            };
            line(page, &[&name, &kind(schema), description(schema)]);
        }
    }
    page.push('\n');
    if keys.keys().any(|key| needed(key)) {
        page.push_str("Those in bold cannot be left out.\n\n");
    }
}

fn line(page: &mut String, cells: &[&str]) {
    for cell in cells {
        page.push_str("| ");
        // A bar would end the cell, inside of code too.
        page.push_str(&cell.replace('|', "\\|").replace('\n', " "));
        page.push(' ');
    }
    page.push_str("|\n");
}

fn description(schema: &Value) -> &str {
    schema["description"].as_str().unwrap_or_default()
}

/// One of several ways to write a value: a word, or a table whose first key says which it is.
fn choice_as_written(choice: &Value) -> String {
    let Some(keys) = choice["properties"].as_object() else {
        return kind(choice);
    };
    let needed = choice["required"].as_array().cloned().unwrap_or_default();
    let keys: Vec<String> = keys
        .iter()
        .filter(|(key, _)| needed.iter().any(|name| name == key.as_str()))
        .map(|(key, schema)| format!("`{{ {key} = ` {} ` }}`", kind(schema)))
        .collect();
    keys.join(", ")
}

/// What a value is, in a few words.
fn kind(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or(reference);
        return match name {
            "Severalstring" => "a text, or a list of texts".to_owned(),
            "Severaluint" => "a number, or a list of numbers".to_owned(),
            _ => format!("[{}](#{})", shown(name), shown(name).to_lowercase()),
        };
    }
    for several in ["anyOf", "allOf", "oneOf"] {
        if let Some(kinds) = schema[several].as_array() {
            let kinds: Vec<String> = kinds
                .iter()
                .filter(|kind| kind["type"] != "null")
                .map(kind)
                .collect();
            return kinds.join(" or ");
        }
    }
    if !schema["const"].is_null() {
        return format!("`{}`", schema["const"]);
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<String> = words
            .iter()
            .filter(|word| !word.is_null())
            .map(|word| format!("`{word}`"))
            .collect();
        return words.join(", ");
    }
    let name = match &schema["type"] {
        Value::Array(names) => names.iter().find(|name| *name != "null"),
        name => Some(name),
    };
    match name.and_then(Value::as_str) {
        Some("string") => "a text".to_owned(),
        Some("integer") => format!("a whole number{}", limits(schema)),
        Some("number") => format!("a number{}", limits(schema)),
        Some("boolean") => "`true` or `false`".to_owned(),
        Some("array") => format!("a list of {}", kind(&schema["items"])),
        Some("object") if schema["additionalProperties"].is_object() => {
            format!(
                "a table of names, each with {}",
                kind(&schema["additionalProperties"])
            )
        }
        Some("object") => "a table".to_owned(),
        _ => "any value".to_owned(),
    }
}

fn limits(schema: &Value) -> String {
    match (&schema["minimum"], &schema["maximum"]) {
        (Value::Number(least), Value::Number(most)) => format!(" from {least} to {most}"),
        (Value::Number(least), _) => format!(", {least} or more"),
        (_, Value::Number(most)) => format!(", at most {most}"),
        _ => String::new(),
    }
}

/// Kinds that are so small that they are said where they are used.
fn is_inline(name: &str) -> bool {
    ["Severalstring", "Severaluint"].contains(&name)
}

/// The name that readers see: what is only a table of options is called by what it belongs to, and the key `timeout` beside an
/// action is no name of its own.
fn shown(name: &str) -> String {
    if name == "TimedAction" {
        return "Action".to_owned();
    }
    name.strip_suffix("Table")
        .map_or_else(|| name.to_owned(), |name| format!("{name}-table"))
}
