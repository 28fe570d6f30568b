//! `role=button[name='Ingresar']`: a role, what the element is called, how it stands.

use std::collections::BTreeMap;

use serde::Serialize;

use super::chain::quoted;

/// A role with what else is asked of the element.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Role {
    /// For example `button`.
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Name>,
    /// For example `checked`, and the word that the element must say of it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    states: BTreeMap<&'static str, String>,
}

/// The accessible name, without regard to the number of spaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Name {
    value: String,
    /// A part of the name is enough.
    part: bool,
    /// Capitals are as good as small letters.
    any_case: bool,
}

/// The roles of ARIA 1.2 and those of 1.3 that Chromium knows. The script in the page has the same list.
const ROLES: &str = "alert alertdialog application article banner blockquote button caption cell checkbox code \
    columnheader combobox complementary contentinfo definition deletion dialog directory document emphasis feed figure form \
    grid gridcell group heading img insertion link list listbox listitem log main mark marquee math menu menubar \
    menuitem menuitemcheckbox menuitemradio meter navigation note option paragraph progressbar radio \
    radiogroup region row rowgroup rowheader scrollbar search searchbox separator slider spinbutton status strong subscript \
    suggestion superscript switch tab table tablist tabpanel term textbox time timer toolbar tooltip tree treegrid treeitem";

const YES_NO: &[&str] = &["true", "false"];
const YES_NO_MIXED: &[&str] = &["true", "false", "mixed"];
const LEVELS: &[&str] = &["1", "2", "3", "4", "5", "6", "7", "8", "9"];

const STATES: [(&str, &[&str]); 6] = [
    ("checked", YES_NO_MIXED),
    ("disabled", YES_NO),
    ("expanded", YES_NO),
    ("level", LEVELS),
    ("pressed", YES_NO_MIXED),
    ("selected", YES_NO),
];

/// `button`, and in brackets behind it `[name='Ingresar']`, `[name*='part']`, `[name='ingresar' i]`, `[checked]`,
/// `[level=2]` ... `text` is the whole part, for the error.
pub fn parse(text: &str, value: &str) -> Result<Role, String> {
    let end = value.find('[').unwrap_or(value.len());
    let role = match value[..end].trim() {
        "image" => "img",
        role => role,
    };
    if role.is_empty() {
        return Err(format!(
            "the selector `{text}` is not complete\nhint: write \"role=button\" or \"role=button[name='Ingresar']\""
        ));
    }
    if !ROLES.split_whitespace().any(|known| known == role) {
        return Err(format!(
            "`{role}` is no role that an element can have\nhint: write for example button, link, textbox, checkbox, combobox, heading, row, cell, dialog or tab"
        ));
    }
    let mut parsed = Role {
        value: role.to_owned(),
        name: None,
        states: BTreeMap::new(),
    };
    let mut rest = &value[end..];
    while !rest.trim().is_empty() {
        rest = attribute(rest.trim(), &mut parsed).ok_or_else(|| {
            let (Some(first), Some(last)) = (rest.chars().next(), rest.find(']')) else {
                return format!("`{rest}` of `{text}` cannot be read\nhint: {HINT}");
            };
            let shown = if first == '[' { &rest[..=last] } else { rest };
            format!("`{shown}` of `{text}` cannot be read\nhint: {HINT}")
        })?;
    }
    Ok(parsed)
}

const HINT: &str = "known here: [name='whole'], [name*='part'], [name='any case' i], [checked], [disabled], [expanded], [level=2], [pressed], [selected], and for example [checked=false]";

/// Takes what the first brackets say into the role; returns what stands behind them.
fn attribute<'a>(text: &'a str, role: &mut Role) -> Option<&'a str> {
    let inner = text.strip_prefix('[')?;
    let end = inner.find(['=', '*', ']'])?;
    let key = inner[..end].trim();
    if key == "name" {
        let (part, value) = match inner[end..].strip_prefix("*=") {
            Some(value) => (true, value),
            None => (false, inner[end..].strip_prefix('=')?),
        };
        let (value, rest) = quoted(value.trim_start())?;
        let (any_case, rest) = match rest.trim_start().strip_prefix('i') {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let rest = rest.trim_start().strip_prefix(']')?;
        let name = Name {
            value,
            part,
            any_case,
        };
        return role.name.replace(name).is_none().then_some(rest);
    }
    let (state, words) = STATES.into_iter().find(|(state, _)| *state == key)?;
    let (word, rest) = inner[end..].split_once(']')?;
    let word = match word.strip_prefix('=') {
        Some(word) => word.trim(),
        None if word.is_empty() && state != "level" => "true",
        None => return None,
    };
    let known = words.contains(&word);
    let is_first = known && role.states.insert(state, word.to_owned()).is_none();
    is_first.then_some(rest)
}

#[cfg(test)]
impl Role {
    pub fn named(role: &str, name: &str) -> Self {
        Self {
            value: role.to_owned(),
            name: Some(Name {
                value: name.to_owned(),
                part: false,
                any_case: false,
            }),
            states: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_script_in_the_page_is_told_what_is_asked_of_the_element() {
        let asked = parse("", "image[name*='a]b' i][checked][level=2]");
        assert_eq!(
            json!(asked.unwrap()),
            json!({
                "value": "img",
                "name": { "value": "a]b", "part": true, "any_case": true },
                "states": { "checked": "true", "level": "2" },
            })
        );
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        for (value, told) in [
            ("buton", "`buton` is no role that an element can have"),
            ("[name='x']", "the selector `T` is not complete"),
            ("link[name=x]", "`[name=x]` of `T` cannot be read"),
            ("link[name='x'", "`[name='x'` of `T` cannot be read"),
            ("link[name='x']y", "`y` of `T` cannot be read"),
            (
                "link[name='x'][name='y']",
                "`[name='y']` of `T` cannot be read",
            ),
            ("heading[level]", "`[level]` of `T` cannot be read"),
            (
                "checkbox[checked=yes]",
                "`[checked=yes]` of `T` cannot be read",
            ),
            ("link[href='x']", "`[href='x']` of `T` cannot be read"),
        ] {
            let error = parse("T", value).unwrap_err();
            let (what, hint) = error.split_once("\nhint: ").unwrap();
            assert_eq!(what, told);
            assert!(!hint.is_empty());
        }
    }

    #[test]
    fn the_script_in_the_page_knows_every_role() {
        for role in ROLES.split_whitespace() {
            let script = include_str!("../../browser/in_page/roles.js");
            let is_word = script.match_indices(role).any(|(at, _)| {
                !script[..at].ends_with(|letter: char| letter.is_ascii_lowercase())
                    && !script[at + role.len()..]
                        .starts_with(|letter: char| letter.is_ascii_lowercase())
            });
            assert!(is_word, "{role}");
        }
    }
}
