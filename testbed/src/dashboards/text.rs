//! What a person reads, in every language.

use serde_json::{Value, json};

/// A language that the dashboards come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    English,
    Spanish,
}

impl Language {
    pub const ALL: [Self; 2] = [Self::English, Self::Spanish];

    /// The folder of its files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
        }
    }
}

/// A text in both languages; [`say_in`] leaves one.
pub fn say(english: &str, spanish: &str) -> Value {
    json!({ "en": english, "es": spanish })
}

/// Replaces every text inside by the one of this language.
pub fn say_in(json: &mut Value, language: Language) {
    match json {
        Value::Object(object) => {
            if object.len() == 2 && object.contains_key("en") && object.contains_key("es") {
                *json = object[language.name()].clone();
            } else {
                object
                    .values_mut()
                    .for_each(|value| say_in(value, language));
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| say_in(value, language)),
        _ => {}
    }
}
