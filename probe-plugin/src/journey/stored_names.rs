//! Which names a journey stores, and where it refers to them: a reference to what no action before it stores is a mistake.
//!
//! It looks at the file as it is written, not at the actions: a reference may stand in any text of any action.

use std::{collections::BTreeSet, ops::Range, path::Path};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};
use vigia_contract::{
    mistake::{Mistake, Source},
    stored,
};

use super::fragment::path_of;

/// What a journey's file says about stored names.
#[derive(Clone, Debug, Default)]
pub struct StoredNames {
    /// References to what is not stored.
    pub mistakes: Vec<Mistake>,
    /// What each clean-up step refers to, in their order.
    pub cleanup_needs: Vec<BTreeSet<String>>,
    stored: BTreeSet<String>,
}

impl StoredNames {
    /// Follows the steps of a journey's file; a file that cannot be read has no mistake of this kind.
    pub fn of_journey(source: &Source) -> Self {
        let (document, _) = DeTable::parse_recoverable(&source.text);
        let document = document.get_ref();
        let mut names = Self::default();
        for step in tables(document, "step") {
            if let Some(with) = step.get("with") {
                names.refer(with, source);
            }
            if let Some(DeValue::String(fragment)) = step.get("use").map(Spanned::get_ref) {
                names.follow_fragment(&path_of(Path::new(fragment.as_ref()), source));
            }
            for action in values(step, "actions") {
                names.refer(action, source);
                names.stored.extend(stored_by(action));
            }
        }
        for step in tables(document, "cleanup") {
            let mut needs = BTreeSet::new();
            let mut own = BTreeSet::new();
            for action in values(step, "actions") {
                needs.extend(references(action).into_iter().map(|(name, _)| name));
                names.refer(action, source);
                let stored = stored_by(action);
                own.extend(stored.clone());
                names.stored.extend(stored);
            }
            names.cleanup_needs.push(&needs - &own);
        }
        names
    }

    fn refer(&mut self, value: &Spanned<DeValue<'_>>, source: &Source) {
        for (name, at) in references(value) {
            if !self.stored.contains(&name) {
                self.mistakes.push(source.mistake(
                    at,
                    format!("nothing is stored as `{name}` before this action"),
                    format!("store it first: {{ store = {{ as = \"{name}\", from = \"...\" }} }}"),
                ));
            }
        }
    }

    /// What a fragment refers to, it has stored itself or has been given.
    fn follow_fragment(&mut self, path: &Path) {
        let Ok(source) = Source::read(path) else {
            return;
        };
        let (document, _) = DeTable::parse_recoverable(&source.text);
        for action in values(document.get_ref(), "actions") {
            self.refer(action, &source);
            self.stored.extend(stored_by(action));
        }
    }
}

fn values<'t, 'i>(
    table: &'t DeTable<'i>,
    key: &str,
) -> impl Iterator<Item = &'t Spanned<DeValue<'i>>> {
    let array = match table.get(key).map(Spanned::get_ref) {
        Some(DeValue::Array(array)) => Some(array),
        _ => None,
    };
    array.into_iter().flat_map(|array| array.iter())
}

fn tables<'t, 'i>(table: &'t DeTable<'i>, key: &str) -> impl Iterator<Item = &'t DeTable<'i>> {
    values(table, key).filter_map(|value| match value.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => None,
    })
}

/// The names that a value refers to, wherever in it, and where.
fn references(value: &Spanned<DeValue<'_>>) -> Vec<(String, Range<usize>)> {
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
