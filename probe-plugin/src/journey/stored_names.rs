//! Which names a journey stores, and where it refers to them: a reference to what no action before it stores is a mistake.
//!
//! It looks at the file as it is written, not at the actions: a reference may stand in any text of any action.

use std::{collections::BTreeSet, ops::Range};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};
use vigia_contract::{
    mistake::{Mistake, Source},
    stored,
};

/// The names that have been stored up to here.
#[derive(Clone, Debug, Default)]
pub struct StoredNames(BTreeSet<String>);

impl StoredNames {
    /// Follows the steps of a journey's file; a file that cannot be read has no mistake of this kind.
    pub fn of_journey(source: &Source) -> Vec<Mistake> {
        let (document, _) = DeTable::parse_recoverable(&source.text);
        let document = document.get_ref();
        let mut names = Self::default();
        let mut mistakes = Vec::new();
        if let Some(DeValue::Array(steps)) = document.get("step").map(Spanned::get_ref) {
            for step in steps {
                names.follow(step, source, &mut mistakes);
            }
        }
        mistakes
    }

    fn follow(
        &mut self,
        step: &Spanned<DeValue<'_>>,
        source: &Source,
        mistakes: &mut Vec<Mistake>,
    ) {
        let DeValue::Table(step) = step.get_ref() else {
            return;
        };
        let Some(DeValue::Array(actions)) = step.get("actions").map(Spanned::get_ref) else {
            return;
        };
        for action in actions {
            for (name, at) in references(action) {
                if !self.0.contains(&name) {
                    mistakes.push(source.mistake(
                        at,
                        format!("nothing is stored as `{name}` before this action"),
                        format!(
                            "store it first: {{ store = {{ as = \"{name}\", from = \"...\" }} }}"
                        ),
                    ));
                }
            }
            self.0.extend(stored_by(action));
        }
    }
}

/// The names that a value refers to, wherever in it, and where.
pub fn references(value: &Spanned<DeValue<'_>>) -> Vec<(String, Range<usize>)> {
    match value.get_ref() {
        DeValue::String(text) => stored::references(text)
            .map(|name| (name.to_owned(), value.span()))
            .collect(),
        DeValue::Array(array) => array.iter().flat_map(references).collect(),
        DeValue::Table(table) => table
            .iter()
            .flat_map(|(_, value)| references(value))
            .collect(),
        _ => Vec::new(),
    }
}

/// `{ store = { as = "NAME", ... } }`, `{ script = { as = "NAME", ... } }`.
fn stored_by(action: &Spanned<DeValue<'_>>) -> Option<String> {
    let DeValue::Table(action) = action.get_ref() else {
        return None;
    };
    let what = action.get("store").or_else(|| action.get("script"))?;
    let DeValue::Table(what) = what.get_ref() else {
        return None;
    };
    match what.get("as")?.get_ref() {
        DeValue::String(name) => Some(name.to_string()),
        _ => None,
    }
}
