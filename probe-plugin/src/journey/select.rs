//! What is chosen in a list of options.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::{Value, json};

use super::{
    Several, Target,
    selector::{SECRET_IN_PAGE, holds_secret},
};

/// A list and the options that are chosen in it, in place of those that were.
#[derive(Clone, Debug)]
pub struct Select {
    /// The list.
    pub field: Target,
    /// What is chosen.
    pub options: Options,
}

impl Select {
    /// By what the form sends.
    pub fn of_value(field: Target, value: String) -> Self {
        Self {
            field,
            options: Options::Values(Several::of_one(value)),
        }
    }
}

/// By what options are told apart.
#[derive(Clone, Debug)]
pub enum Options {
    /// What a user reads.
    Labels(Several<String>),
    /// What the form sends.
    Values(Several<String>),
    /// Their places in the list; the first is 0.
    Indexes(Several<usize>),
}

impl Options {
    /// What the script in the page takes: by what, and which.
    pub fn for_script(&self) -> (&'static str, Value) {
        match self {
            Self::Labels(labels) => ("label", json!(labels.values())),
            Self::Values(values) => ("value", json!(values.values())),
            Self::Indexes(indexes) => ("index", json!(indexes.values())),
        }
    }
}

/// As the operator writes it: one of the three ways.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SelectTable {
    field: Target,
    option: Option<Several<String>>,
    value: Option<Several<String>>,
    index: Option<Several<usize>>,
}

impl<'de> Deserialize<'de> for Select {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = SelectTable::deserialize(deserializer)?;
        let options = match (table.option, table.value, table.index) {
            (Some(labels), None, None) => Options::Labels(labels),
            (None, Some(values), None) => Options::Values(values),
            (None, None, Some(indexes)) => Options::Indexes(indexes),
            _ => {
                return Err(D::Error::custom(
                    "a choice is named in one way\nhint: write `option` with what users read, or `value`, or `index`",
                ));
            }
        };
        if let Options::Labels(texts) | Options::Values(texts) = &options
            && texts.values().iter().any(|text| holds_secret(text))
        {
            return Err(D::Error::custom(SECRET_IN_PAGE));
        }
        Ok(Self {
            field: table.field,
            options,
        })
    }
}
