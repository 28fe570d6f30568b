//! How an element of a page is named: by what users see of it, or by CSS or `XPath` where that cannot be helped.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de::Error};

/// An element's description. Serialised it is what the script in the page takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "by")]
pub enum Selector {
    /// CSS, through open shadow roots.
    Css {
        /// The selector.
        value: String,
    },
    /// The innermost element that shows this text.
    Text {
        /// A part of the text, as it is written.
        value: String,
    },
    /// By ARIA role and accessible name.
    Role {
        /// For example `button`.
        value: String,
        /// The whole accessible name.
        name: Option<String>,
    },
    /// A form field by its label.
    Label {
        /// The whole label.
        value: String,
    },
    /// A form field by the text it shows while it is empty.
    Placeholder {
        /// The whole placeholder.
        value: String,
    },
    /// The attribute `data-testid`.
    TestId {
        /// Its value.
        value: String,
    },
    /// An `XPath` expression.
    XPath {
        /// The expression.
        value: String,
    },
}

/// A secret is typed, never looked for: what a page shows of it would stand in errors and pictures.
pub const SECRET_IN_PAGE: &str = "a secret cannot be looked for on a page\nhint: expect something that the page shows to everybody";

impl Selector {
    /// `label=Usuario`, `role=button[name='Ingresar']`, `text=...`, `placeholder=...`, `testid=...`, `xpath=...`;
    /// anything else is CSS.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (by, value) = match text.split_once('=') {
            Some((by, value))
                if by.chars().all(|letter| letter.is_ascii_lowercase()) && !by.is_empty() =>
            {
                (by, value)
            }
            _ => ("css", text),
        };
        if ["${secret:", "${totp:"]
            .iter()
            .any(|open| text.contains(open))
        {
            return Err(SECRET_IN_PAGE.into());
        }
        let value = value.trim().to_owned();
        if value.is_empty() {
            return Err(format!(
                "the selector `{text}` names no element\nhint: write for example \"label=Usuario\""
            ));
        }
        match by {
            "css" => Ok(Self::Css { value }),
            "text" => Ok(Self::Text { value }),
            "label" => Ok(Self::Label { value }),
            "placeholder" => Ok(Self::Placeholder { value }),
            "testid" => Ok(Self::TestId { value }),
            "xpath" => Ok(Self::XPath { value }),
            "role" => role(&value).ok_or_else(|| {
                format!("the selector `{text}` is not complete\nhint: write \"role=button\" or \"role=button[name='Ingresar']\"")
            }),
            _ => Err(format!(
                "the selector `{text}` begins with an unknown kind `{by}`\nhint: known kinds: css, text, role, label, placeholder, testid, xpath"
            )),
        }
    }
}

/// `button` or `button[name='Ingresar']`, with either kind of quotes.
fn role(text: &str) -> Option<Selector> {
    let (role, name) = match text.split_once('[') {
        None => (text, None),
        Some((role, rest)) => {
            let quoted = rest.strip_prefix("name=")?.strip_suffix(']')?;
            let name = ['\'', '"']
                .into_iter()
                .find_map(|quote| quoted.strip_prefix(quote)?.strip_suffix(quote))?;
            (role, Some(name.to_owned()))
        }
    };
    let is_role = !role.is_empty() && role.chars().all(|letter| letter.is_ascii_lowercase());
    is_role.then(|| Selector::Role {
        value: role.to_owned(),
        name,
    })
}

impl fmt::Display for Selector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Css { value } => formatter.write_str(value),
            Self::Text { value } => write!(formatter, "text={value}"),
            Self::Role { value, name: None } => write!(formatter, "role={value}"),
            Self::Role {
                value,
                name: Some(name),
            } => write!(formatter, "role={value}[name='{name}']"),
            Self::Label { value } => write!(formatter, "label={value}"),
            Self::Placeholder { value } => write!(formatter, "placeholder={value}"),
            Self::TestId { value } => write!(formatter, "testid={value}"),
            Self::XPath { value } => write!(formatter, "xpath={value}"),
        }
    }
}

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_is_shown_as_it_is_written() {
        for text in [
            "label=Usuario",
            "role=button",
            "role=button[name='Ingresar']",
            "text=Bienvenido, Ana = titular",
            "placeholder=12345",
            "testid=buscar",
            "xpath=//a[@href='/x']",
            "#buscar input[name=q]",
            "[data-x='1=2']",
        ] {
            assert_eq!(
                Selector::parse(text).map(|selector| selector.to_string()),
                Ok(text.to_owned())
            );
        }
    }

    #[test]
    fn a_selector_that_is_not_complete_is_refused_with_a_hint() {
        for text in [
            "",
            "label=",
            "lable=Usuario",
            "role=button[name=Ingresar]",
            "role=[name='x']",
        ] {
            assert!(
                Selector::parse(text).unwrap_err().contains("\nhint: "),
                "{text}"
            );
        }
    }
}
