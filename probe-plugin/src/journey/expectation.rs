//! What the page must come to show or to hold: a table with a single key that names it.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use super::{
    Code, Download, Elements, Target,
    selector::{SECRET_IN_PAGE, holds_secret},
    short_form::{self, Short},
};

/// What the page must come to show or to hold.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Expectation {
    /// A text.
    Text(ShownText),
    /// An element that a user can see.
    Visible(Target),
    /// No such element that a user can see.
    Hidden(Target),
    /// So many elements that a user can see.
    Count(Count),
    /// So many elements, seen or not, each with these attributes and properties.
    Present(Elements),
    /// That this is not so.
    Absent(Elements),
    /// What a field holds.
    Value(FieldValue),
    /// An attribute of an element.
    Attribute(Attribute),
    /// A box or a switch that is ticked.
    Checked(Target),
    /// A box or a switch that is not ticked.
    Unchecked(Target),
    /// An element that can be used.
    Enabled(Target),
    /// An element that cannot be used.
    Disabled(Target),
    /// The last action before it has led to another page, or to another place of this one.
    Navigation,
    /// The address of the page.
    Url(Comparison),
    /// The title of the page.
    Title(Comparison),
    /// What the server answered.
    Status(Status),
    /// No error in the console since the run began.
    Console(Console),
    /// JavaScript that must become true in the page.
    Expression(Code),
    /// A whole file, behind the action that starts its download.
    Download(Download),
}

impl Expectation {
    /// What it is said of, as the script in the page takes it.
    pub fn is_about(&self) -> Option<Value> {
        let target = match self {
            Self::Visible(target)
            | Self::Hidden(target)
            | Self::Checked(target)
            | Self::Unchecked(target)
            | Self::Enabled(target)
            | Self::Disabled(target)
            | Self::Text(ShownText::In(target, _)) => target,
            Self::Count(count) => &count.of,
            Self::Present(elements) | Self::Absent(elements) => &elements.of,
            Self::Value(value) => &value.of,
            Self::Attribute(attribute) => &attribute.of,
            Self::Text(ShownText::Anywhere(text)) => {
                return Some(json!([{ "by": "text", "value": text, "shown": text }]));
            }
            Self::Navigation
            | Self::Url(_)
            | Self::Title(_)
            | Self::Status(_)
            | Self::Console(_)
            | Self::Expression(_)
            | Self::Download(_) => return None,
        };
        Some(target.for_script())
    }
}

/// How a text must be. Serialised it is what the script in the page takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "how", content = "text")]
pub enum Comparison {
    /// The whole of it.
    Is(String),
    /// A part of it.
    Contains(String),
    /// A regular expression of JavaScript finds something in it.
    Matches(String),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ComparisonTable {
    is: Option<String>,
    contains: Option<String>,
    matches: Option<String>,
}

impl Comparison {
    fn one_of(table: ComparisonTable) -> Result<Self, String> {
        let comparison = match (table.is, table.contains, table.matches) {
            (Some(text), None, None) => Self::Is(text),
            (None, Some(text), None) => Self::Contains(text),
            (None, None, Some(text)) => Self::Matches(text),
            _ => {
                return Err("it is not said how the text must be\nhint: write one of `is`, `contains`, `matches`".into());
            }
        };
        match &comparison {
            Self::Is(text) | Self::Contains(text) | Self::Matches(text) if holds_secret(text) => {
                Err(SECRET_IN_PAGE.into())
            }
            Self::Contains(text) | Self::Matches(text) if text.is_empty() => {
                Err("every text contains nothing\nhint: write what is expected".into())
            }
            _ => Ok(comparison),
        }
    }
}

impl<'de> Deserialize<'de> for Comparison {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        short_form::read(
            deserializer,
            "a text, or a table with `is`, `contains` or `matches`",
            |short| match short {
                Short::Text(text) => Self::one_of(ComparisonTable {
                    is: Some(text.to_owned()),
                    contains: None,
                    matches: None,
                }),
                Short::Number(number) => Err(format!(
                    "`{number}` is not in quotes\nhint: write \"{number}\""
                )),
            },
            Self::one_of,
        )
    }
}

/// A text that the page shows.
#[derive(Clone, Debug)]
pub enum ShownText {
    /// Anywhere; letters count as they are written, spaces do not.
    Anywhere(String),
    /// The own text of an element.
    In(Target, Comparison),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TextTable {
    r#in: Target,
    is: Option<String>,
    contains: Option<String>,
    matches: Option<String>,
}

impl<'de> Deserialize<'de> for ShownText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        short_form::read(
            deserializer,
            "a text, or a table with `in` and one of `is`, `contains`, `matches`",
            |short| match short {
                Short::Text(text) if holds_secret(text) => Err(SECRET_IN_PAGE.into()),
                Short::Text(text) if text.trim().is_empty() => Err(
                    "a text without letters is on every page\nhint: write what the page shows"
                        .into(),
                ),
                Short::Text(text) => Ok(Self::Anywhere(text.to_owned())),
                Short::Number(number) => Err(format!(
                    "`{number}` is not in quotes\nhint: write \"{number}\""
                )),
            },
            |TextTable {
                 r#in,
                 is,
                 contains,
                 matches,
             }| {
                let comparison = Comparison::one_of(ComparisonTable {
                    is,
                    contains,
                    matches,
                })?;
                Ok(Self::In(r#in, comparison))
            },
        )
    }
}

/// What a field holds; of a list, the value or the text of what is chosen.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "ValueTable")]
pub struct FieldValue {
    /// The field.
    pub of: Target,
    /// What it must hold.
    pub wanted: Comparison,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ValueTable {
    of: Target,
    is: Option<String>,
    contains: Option<String>,
    matches: Option<String>,
}

impl TryFrom<ValueTable> for FieldValue {
    type Error = String;

    fn try_from(table: ValueTable) -> Result<Self, String> {
        let ValueTable {
            of,
            is,
            contains,
            matches,
        } = table;
        let wanted = Comparison::one_of(ComparisonTable {
            is,
            contains,
            matches,
        })?;
        Ok(Self { of, wanted })
    }
}

/// An attribute of an element, seen or not.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "AttributeTable")]
pub struct Attribute {
    /// The element.
    pub of: Target,
    /// The attribute's name.
    pub name: String,
    /// What it must be.
    pub wanted: Comparison,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AttributeTable {
    of: Target,
    name: String,
    is: Option<String>,
    contains: Option<String>,
    matches: Option<String>,
}

impl TryFrom<AttributeTable> for Attribute {
    type Error = String;

    fn try_from(table: AttributeTable) -> Result<Self, String> {
        let AttributeTable {
            of,
            name,
            is,
            contains,
            matches,
        } = table;
        let wanted = Comparison::one_of(ComparisonTable {
            is,
            contains,
            matches,
        })?;
        Ok(Self { of, name, wanted })
    }
}

/// So many elements that a user can see, in all frames together.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "CountTable")]
pub struct Count {
    /// The elements.
    pub of: Target,
    /// Not fewer.
    pub at_least: u64,
    /// Not more; nothing: as many as there are.
    pub at_most: Option<u64>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CountTable {
    of: Target,
    is: Option<u64>,
    at_least: Option<u64>,
    at_most: Option<u64>,
}

impl TryFrom<CountTable> for Count {
    type Error = String;

    fn try_from(table: CountTable) -> Result<Self, String> {
        let (at_least, at_most) = match (table.is, table.at_least, table.at_most) {
            (Some(exactly), None, None) => (exactly, Some(exactly)),
            (None, Some(least), Some(most)) if least > most => {
                return Err(format!(
                    "no number is at least {least} and at most {most}\nhint: write the smaller one under `at_least`"
                ));
            }
            (None, least, most) if least.is_some() || most.is_some() => (least.unwrap_or(0), most),
            _ => {
                return Err(
                    "it is not said how many\nhint: write `is`, or `at_least`, `at_most` or both"
                        .into(),
                );
            }
        };
        Ok(Self {
            of: table.of,
            at_least,
            at_most,
        })
    }
}

/// What the server answered.
#[derive(Clone, Debug)]
pub enum Status {
    /// The document in the window came with this status.
    OfDocument(i64),
    /// A request whose address contains `url` was answered with this status since the step began.
    OfRequest {
        /// A part of the address.
        url: String,
        /// The status.
        is: i64,
    },
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StatusTable {
    url: String,
    is: i64,
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        short_form::read(
            deserializer,
            "a status such as 200, or a table with `url` and `is`",
            |short| match short {
                Short::Number(number) => status(number).map(Self::OfDocument),
                Short::Text(text) => Err(format!(
                    "`{text}` is no status\nhint: write a number such as 200"
                )),
            },
            |StatusTable { url, is }| {
                if holds_secret(&url) {
                    return Err(SECRET_IN_PAGE.into());
                }
                Ok(Self::OfRequest {
                    url,
                    is: status(is)?,
                })
            },
        )
    }
}

fn status(number: i64) -> Result<i64, String> {
    if (100..600).contains(&number) {
        Ok(number)
    } else {
        Err(format!(
            "`{number}` is no HTTP status\nhint: write a number from 100 to 599"
        ))
    }
}

/// No error in the console.
#[derive(Clone, Debug)]
pub struct Console {
    /// Errors that hold one of these do not count.
    pub ignore: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ConsoleTable {
    ignore: Vec<String>,
}

impl<'de> Deserialize<'de> for Console {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        short_form::read(
            deserializer,
            "\"clean\", or a table with `ignore`",
            |short| {
                match short {
                Short::Text("clean") => Ok(Self { ignore: Vec::new() }),
                _ => Err("a console is expected to be clean or not at all\nhint: write \"clean\", or { ignore = [\"part of an error\"] }".into()),
            }
            },
            |ConsoleTable { ignore }| {
                if ignore.iter().any(String::is_empty) {
                    return Err("every error holds nothing\nhint: write a part of the error that does not count".into());
                }
                Ok(Self { ignore })
            },
        )
    }
}
