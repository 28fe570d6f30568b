//! Elements that a page must have, seen or not: how many, and what each of them holds.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Target,
    selector::{SECRET_IN_PAGE, holds_secret},
};

/// So many elements of one frame, and what each of them holds.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "ElementsTable")]
pub struct Elements {
    /// The elements: those of the first selector that finds any.
    pub of: Target,
    /// Not fewer.
    pub at_least: u64,
    /// Not more; nothing: as many as there are.
    pub at_most: Option<u64>,
    /// Attributes of every one of them, with their whole values.
    pub attributes: BTreeMap<String, String>,
    /// JavaScript's properties of every one of them. Of a list or an object, what is named must be so.
    pub properties: BTreeMap<String, Value>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ElementsTable {
    of: Target,
    is: Option<u64>,
    at_least: Option<u64>,
    at_most: Option<u64>,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default)]
    properties: BTreeMap<String, Value>,
}

impl TryFrom<ElementsTable> for Elements {
    type Error = String;

    fn try_from(table: ElementsTable) -> Result<Self, String> {
        let (at_least, at_most) = match (table.is, table.at_least, table.at_most) {
            (None, None, None) => (1, None),
            (Some(exactly), None, None) => (exactly, Some(exactly)),
            (None, Some(least), Some(most)) if least > most => {
                return Err(format!(
                    "no number is at least {least} and at most {most}\nhint: write the smaller one under `at_least`"
                ));
            }
            (None, least, most) => (least.unwrap_or(0), most),
            _ => {
                return Err(
                    "it is said twice how many\nhint: write `is`, or `at_least`, `at_most` or both"
                        .into(),
                );
            }
        };
        let held = table.properties.values().map(ToString::to_string);
        if held
            .chain(table.attributes.values().cloned())
            .any(|value| holds_secret(&value))
        {
            return Err(SECRET_IN_PAGE.into());
        }
        Ok(Self {
            of: table.of,
            at_least,
            at_most,
            attributes: table.attributes,
            properties: table.properties,
        })
    }
}
