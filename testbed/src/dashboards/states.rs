//! How what a run came to is written and coloured, everywhere the same. Only what works is green.

use serde_json::{Map, Value, json};
use vigia_contract::data_model::Outcome;

use super::text::say;

/// Nothing is known.
pub const GREY: &str = "#6e7681";
/// The robots' own trouble, not the system's.
pub const VIOLET: &str = "#8a7fb0";

/// The number that the queries give to a journey that nothing was heard of, behind the outcomes' own.
const SILENT_CODE: i64 = 5;

/// Mappings of outcomes, by their numbers and by their names; no data is one of them.
pub fn mappings() -> Value {
    let mut by_code = Map::new();
    let mut by_name = Map::new();
    for outcome in Outcome::ALL {
        let shown = shown(&words(outcome), color(outcome), outcome.code());
        by_code.insert(outcome.code().to_string(), shown.clone());
        by_name.insert(outcome.name().to_owned(), shown);
    }
    let silent = shown(&say("No data", "Sin datos"), GREY, SILENT_CODE);
    by_code.insert(SILENT_CODE.to_string(), silent.clone());
    by_name.insert("no data".to_owned(), silent);
    by_code.extend(by_name);
    json!([{ "type": "value", "options": by_code }])
}

/// Mappings of whether an incident goes on.
pub fn of_incident() -> Value {
    values(&[
        ("open", say("Open", "Abierto"), "red"),
        ("closed", say("Over", "Terminado"), GREY),
    ])
}

/// Mappings of what a single value stands for: the value, what is shown, its colour.
pub fn values(shown_as: &[(&str, Value, &str)]) -> Value {
    let options: Map<String, Value> = (0..)
        .zip(shown_as)
        .map(|(index, (value, text, color))| ((*value).to_owned(), shown(text, color, index)))
        .collect();
    json!([{ "type": "value", "options": options }])
}

fn shown(text: &Value, color: &str, index: i64) -> Value {
    json!({ "text": text, "color": color, "index": index })
}

fn words(outcome: Outcome) -> Value {
    match outcome {
        Outcome::Ok => say("OK", "Bien"),
        Outcome::Slow => say("Slow", "Lento"),
        Outcome::Failed => say("Failed", "Falla"),
        Outcome::Unmeasured => say("Not measured", "Sin medir"),
        Outcome::Missed => say("Missed", "Omitida"),
    }
}

const fn color(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "green",
        Outcome::Slow => "orange",
        Outcome::Failed => "red",
        Outcome::Unmeasured => VIOLET,
        Outcome::Missed => "#8b949e",
    }
}
