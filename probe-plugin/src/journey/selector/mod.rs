//! How an element of a page is named: by what users see of it, or by CSS or `XPath` where that cannot be helped.
//!
//! `kind=value`, for example `label=Usuario`; without a kind it is CSS. ` >> ` between two of them looks for the second
//! within the first; `>> nth=0`, `>> first` and `>> last` pick one of several.
//!
//! Quotes around the value of `text=` mean the whole text and not a part of it; around any other value they only hold it
//! together, so that it may contain ` >> `. Inside of quotes `\` stands before a quote or a `\` that is meant as such; a
//! value that itself begins with a quote is written `\'...`.

mod chain;
mod role;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::{Value, json};

use role::Role;

/// An element's description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// Each is looked for within what the one before it found. Never empty.
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    /// As it is written.
    text: String,
    kind: Kind,
}

/// What a part of a selector looks for. Serialised it is what the script in the page takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "by")]
enum Kind {
    /// CSS, through open shadow roots.
    Css { value: String },
    /// The innermost element that shows this text: as a part of what it shows, or as all of it.
    Text { value: String, whole: bool },
    /// By ARIA role, accessible name and states.
    Role(Role),
    /// By accessible name alone, whatever the role.
    Named { value: String },
    /// A form field by its whole label.
    Label { value: String },
    /// A form field by the whole text that it shows while it is empty.
    Placeholder { value: String },
    /// The attribute `data-testid`.
    TestId { value: String },
    /// An `XPath` expression.
    XPath { value: String },
    /// One of what the part before it found: its place from 0, or from the end, below 0.
    Nth { index: i64 },
}

/// A secret is typed, never looked for: what a page shows of it would stand in errors and pictures.
pub const SECRET_IN_PAGE: &str = "a secret cannot be looked for on a page\nhint: expect something that the page shows to everybody";

/// Whether a text refers to a secret, or to a one-time code that a secret makes.
pub fn holds_secret(text: &str) -> bool {
    ["${secret:", "${totp:"]
        .iter()
        .any(|open| text.contains(open))
}

impl Selector {
    /// `label=Usuario`, `role=button[name='Ingresar']`, `named=...`, `text=...`, `placeholder=...`, `testid=...`,
    /// `xpath=...`; anything else is CSS.
    pub fn parse(text: &str) -> Result<Self, String> {
        if holds_secret(text) {
            return Err(SECRET_IN_PAGE.into());
        }
        let mut parts: Vec<Part> = Vec::new();
        for text in chain::split(text) {
            let kind = kind(text)?;
            if parts.is_empty() && matches!(kind, Kind::Nth { .. }) {
                return Err(format!(
                    "`{text}` picks from what another selector finds\nhint: write it behind that one, for example \"role=link >> {text}\""
                ));
            }
            let text = text.to_owned();
            parts.push(Part { text, kind });
        }
        Ok(Self { parts })
    }

    /// What the script in the page takes.
    pub fn for_script(&self) -> Value {
        let one = |part: &Part| {
            let mut value = json!(part.kind);
            value["shown"] = part.text.as_str().into();
            value
        };
        match self.parts.as_slice() {
            [part] => one(part),
            parts => {
                let parts: Vec<Value> = parts.iter().map(one).collect();
                json!({ "by": "chain", "parts": parts, "shown": self.to_string() })
            }
        }
    }
}

fn kind(text: &str) -> Result<Kind, String> {
    let (by, value) = chain::kind_and_value(text);
    let value = value.trim();
    match (by, value) {
        ("css", "first") => return Ok(Kind::Nth { index: 0 }),
        ("css", "last") => return Ok(Kind::Nth { index: -1 }),
        (_, "") => {
            return Err(format!(
                "the selector `{text}` names no element\nhint: write for example \"label=Usuario\""
            ));
        }
        _ => {}
    }
    let quoted = || {
        chain::unquote(value).ok_or_else(|| {
        format!("the quotes of `{text}` do not hold its whole value\nhint: end it with the quote that it begins with, or write \\ before a quote that is part of it")
    })
    };
    let (value, held) = match by {
        "text" | "named" | "label" | "placeholder" | "testid" => quoted()?,
        _ => (value.to_owned(), false),
    };
    if value.trim().is_empty() {
        return Err(format!(
            "the selector `{text}` names no element\nhint: write for example \"label=Usuario\""
        ));
    }
    match by {
        "css" => Ok(Kind::Css { value }),
        "text" => Ok(Kind::Text { value, whole: held }),
        "named" => Ok(Kind::Named { value }),
        "label" => Ok(Kind::Label { value }),
        "placeholder" => Ok(Kind::Placeholder { value }),
        "testid" => Ok(Kind::TestId { value }),
        "xpath" => Ok(Kind::XPath { value }),
        "nth" => value.parse().map(|index| Kind::Nth { index }).map_err(|_| {
            format!("`{text}` is no place\nhint: `nth=0` is the first, `nth=-1` the last")
        }),
        "role" => role::parse(text, &value).map(Kind::Role),
        _ => Err(format!(
            "the selector `{text}` begins with an unknown kind `{by}`\nhint: known kinds: css, text, role, named, label, placeholder, testid, xpath; behind a >> also nth"
        )),
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.parts.iter().enumerate() {
            if index > 0 {
                formatter.write_str(" >> ")?;
            }
            formatter.write_str(&part.text)?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_selector_is_shown_as_it_is_written() {
        for text in [
            "label=Usuario",
            "role=button",
            "role=button[name='Ingresar']",
            "role=row[name*='2026-004512'] >> role=link[name=\"Ver\" i] >> nth=-1",
            "role=checkbox[name='a >> b'][checked=mixed] >> first",
            "text=Bienvenido, Ana = titular",
            "text='1 >> 2'",
            "text=Ana's >> css=b",
            "text=5>>3",
            "placeholder=12345",
            "testid=buscar",
            "xpath=//a[@href='/x >> y']",
            "#buscar input[name=q]",
            "[data-x='1 >> 2']",
        ] {
            assert_eq!(
                Selector::parse(text).map(|selector| selector.to_string()),
                Ok(text.to_owned())
            );
        }
    }

    #[test]
    fn a_chain_is_cut_outside_of_quotes_only() {
        for (text, parts) in [
            ("[a='x >> y'] >> b", 2),
            (r#"[a="x \" >> y"]"#, 1),
            ("text='a >> b'", 1),
            ("text=Ana's >> text=Eva's", 2),
            ("xpath=//a[.='\\'] >> b", 2),
            ("role=row[name='a >> b'] >> last", 2),
            ("a>>b", 1),
        ] {
            assert_eq!(
                Selector::parse(text).map(|selector| selector.parts.len()),
                Ok(parts),
                "{text}"
            );
        }
    }

    #[test]
    fn a_selector_that_is_not_complete_is_refused_with_a_hint() {
        for (text, told) in [
            ("", "the selector `` names no element"),
            ("label=", "the selector `label=` names no element"),
            ("text=''", "the selector `text=''` names no element"),
            ("a >> ", "the selector `` names no element"),
            (
                "lable=Usuario",
                "the selector `lable=Usuario` begins with an unknown kind `lable`",
            ),
            (
                "text='Guardar",
                "the quotes of `text='Guardar` do not hold its whole value",
            ),
            (
                "label='a' b",
                "the quotes of `label='a' b` do not hold its whole value",
            ),
            ("a >> nth=x", "`nth=x` is no place"),
            ("first", "`first` picks from what another selector finds"),
            ("nth=0", "`nth=0` picks from what another selector finds"),
        ] {
            let error = Selector::parse(text).unwrap_err();
            let (what, hint) = error.split_once("\nhint: ").unwrap();
            assert_eq!(what, told);
            assert!(!hint.is_empty());
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_of_a_selector_is_that_selector(text in "[a-c=>'\"\\\\ \\[\\]*]{0,24}") {
            for text in [text.clone(), format!("text={text}"), format!("role=row[name='{text}"), format!("a >> label={text}")] {
                if let Ok(selector) = Selector::parse(&text) {
                    prop_assert_eq!(Selector::parse(&selector.to_string()), Ok(selector));
                }
            }
        }

        #[test]
        fn any_text_can_be_written_in_quotes(value in "[a-c>='\"\\\\ ]{0,12}[a-c]") {
            let written = value.replace('\\', "\\\\").replace('\'', "\\'");
            let text = Selector::parse(&format!("b >> text='{written}' >> first")).map(|mut selector| selector.parts.remove(1).kind);
            prop_assert_eq!(text, Ok(Kind::Text { value: value.clone(), whole: true }));
            let named = Selector::parse(&format!("role=link[name='{written}'] >> i")).map(|mut selector| selector.parts.remove(0).kind);
            prop_assert_eq!(named, Ok(Kind::Role(Role::named("link", &value))));
        }
    }
}
