//! Mends a mistake in a parsed document, so that what stands behind it can be read too. What was mended is never used.

use std::{borrow::Cow, ops::Range};

use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue},
};

use super::wording::unknown;

/// A value in the place of one that is missing or wrong, so that what comes after it is read too.
pub struct Placeholder {
    /// Outside the text, so that an error about the placeholder is told from one about what the operator wrote.
    pub span: Range<usize>,
    /// Tried one after the other, the last first, until one is taken.
    values: Vec<DeValue<'static>>,
    /// A known word is tried once: a type that refuses its own words would go round for ever.
    chosen: bool,
}

impl Placeholder {
    pub fn new(start: usize) -> Self {
        Self {
            span: start..start,
            values: vec![
                DeValue::Boolean(false),
                DeValue::Table(DeTable::new()),
                DeValue::Array(DeArray::new()),
                DeValue::Integer(toml::de::DeInteger::default()),
                DeValue::String(Cow::Borrowed("x")),
                DeValue::String(Cow::Borrowed("1m")),
            ],
            chosen: false,
        }
    }

    /// Tries another value; false when there is none left.
    pub fn try_next(&mut self, refused: &str, document: &mut DeTable<'_>) -> bool {
        self.values.pop();
        if let Some((_, known)) = unknown("variant", refused)
            && let Some(first) = known.first()
            && !self.chosen
        {
            self.chosen = true;
            self.values
                .push(DeValue::String(Cow::Owned((*first).to_owned())));
        }
        self.replace(&self.span, document)
    }

    /// Takes the place of the value at this span.
    pub fn replace(&self, at: &Range<usize>, document: &mut DeTable<'_>) -> bool {
        let (Some(found), Some(value)) = (value_at(document, at), self.values.last()) else {
            return false;
        };
        let value = Spanned::new(self.span.clone(), value.clone());
        *found = match found.get_ref() {
            // An enum is a table with one key, and serde points at the table where the value is wrong.
            DeValue::Table(table) if table.len() == 1 => {
                let keys = table.keys().cloned();
                let table = keys.map(|key| (key, value.clone())).collect();
                Spanned::new(self.span.clone(), DeValue::Table(table))
            }
            _ => value,
        };
        true
    }

    /// Takes the place of the value whose key stands at this span: there serde points for a value inside an enum.
    pub fn replace_at_key(&self, at: &Range<usize>, document: &mut DeTable<'_>) -> bool {
        let Some(value) = self.values.last() else {
            return false;
        };
        in_table_with_key(document, at, &mut |table, key| {
            table.remove(key);
            table.insert(
                Spanned::new(self.span.clone(), Cow::Owned(key.to_owned())),
                Spanned::new(self.span.clone(), value.clone()),
            );
        })
    }

    /// Fills in the key that the table at this span lacks.
    pub fn fill(&self, key: &str, table: &Range<usize>, document: &mut DeTable<'_>) -> bool {
        let is_there = value_at(document, table).is_some();
        let table = if !is_there {
            document
        } else if let Some(table) = table_at(document, table) {
            table
        } else {
            return false;
        };
        let Some(value) = self.values.last() else {
            return false;
        };
        table.insert(
            Spanned::new(self.span.clone(), Cow::Owned(key.to_owned())),
            Spanned::new(self.span.clone(), value.clone()),
        );
        true
    }
}

/// The value at this span, wherever in the document it is.
fn value_at<'t, 'i>(
    table: &'t mut DeTable<'i>,
    span: &Range<usize>,
) -> Option<&'t mut Spanned<DeValue<'i>>> {
    table
        .iter_mut()
        .find_map(|(_, value)| value_in(value, span))
}

/// The table at this span: the first one of a list `[[step]]` stands where the list does.
fn table_at<'t, 'i>(
    table: &'t mut DeTable<'i>,
    span: &Range<usize>,
) -> Option<&'t mut DeTable<'i>> {
    table
        .iter_mut()
        .find_map(|(_, value)| table_in(value, span))
}

fn table_in<'t, 'i>(
    value: &'t mut Spanned<DeValue<'i>>,
    span: &Range<usize>,
) -> Option<&'t mut DeTable<'i>> {
    let is_it = value.span() == *span;
    match value.get_mut() {
        DeValue::Table(table) => {
            if is_it {
                Some(table)
            } else {
                table_at(table, span)
            }
        }
        DeValue::Array(array) => array.iter_mut().find_map(|element| table_in(element, span)),
        _ => None,
    }
}

fn value_in<'t, 'i>(
    value: &'t mut Spanned<DeValue<'i>>,
    span: &Range<usize>,
) -> Option<&'t mut Spanned<DeValue<'i>>> {
    if value.span() == *span {
        return Some(value);
    }
    match value.get_mut() {
        DeValue::Table(table) => value_at(table, span),
        DeValue::Array(array) => array.iter_mut().find_map(|element| value_in(element, span)),
        _ => None,
    }
}

/// Takes out the key at this span, and a table in a list that is empty without it.
pub fn remove_key(document: &mut DeTable<'_>, span: &Range<usize>) -> bool {
    in_table_with_key(document, span, &mut |table, key| {
        table.remove(key);
    })
}

/// Changes the table that has a key at this span, wherever it is; false where there is none.
fn in_table_with_key<'i>(
    table: &mut DeTable<'i>,
    span: &Range<usize>,
    change: &mut dyn FnMut(&mut DeTable<'i>, &str),
) -> bool {
    let found = table.keys().find(|key| key.span() == *span).cloned();
    if let Some(key) = found {
        change(table, key.get_ref());
        return true;
    }
    table
        .iter_mut()
        .any(|(_, value)| in_value_with_key(value.get_mut(), span, change))
}

fn in_value_with_key<'i>(
    value: &mut DeValue<'i>,
    span: &Range<usize>,
    change: &mut dyn FnMut(&mut DeTable<'i>, &str),
) -> bool {
    match value {
        DeValue::Table(table) => in_table_with_key(table, span, change),
        DeValue::Array(array) => {
            let changed = array
                .iter_mut()
                .any(|element| in_value_with_key(element.get_mut(), span, change));
            if changed {
                let elements = std::mem::replace(array, DeArray::new()).into_iter();
                *array = elements
                    .filter(|element| !is_empty_table(element.get_ref()))
                    .collect();
            }
            changed
        }
        _ => false,
    }
}

/// Takes out the value at this span and returns its key, which is empty for an element of a list.
pub fn remove_value(table: &mut DeTable<'_>, span: &Range<usize>) -> Option<String> {
    let found = table
        .iter()
        .find(|(_, value)| value.span() == *span)
        .map(|(key, _)| key.clone());
    if let Some(key) = found {
        table.remove(&key);
        return Some(key.into_inner().into_owned());
    }
    table
        .iter_mut()
        .find_map(|(_, value)| remove_value_in(value.get_mut(), span))
}

fn remove_value_in(value: &mut DeValue<'_>, span: &Range<usize>) -> Option<String> {
    match value {
        DeValue::Table(table) => remove_value(table, span),
        DeValue::Array(array) => {
            let before = array.len();
            let elements = std::mem::replace(array, DeArray::new()).into_iter();
            *array = elements.filter(|element| element.span() != *span).collect();
            if array.len() < before {
                return Some(String::new());
            }
            let key = array
                .iter_mut()
                .find_map(|element| remove_value_in(element.get_mut(), span))?;
            // An action without its value is none, and would be told as another mistake.
            let elements = std::mem::replace(array, DeArray::new()).into_iter();
            *array = elements
                .filter(|element| !is_hollow(element.get_ref()))
                .collect();
            Some(key)
        }
        _ => None,
    }
}

fn is_empty_table(value: &DeValue<'_>) -> bool {
    matches!(value, DeValue::Table(table) if table.is_empty())
}

/// Nothing but tables without a value.
fn is_hollow(value: &DeValue<'_>) -> bool {
    matches!(value, DeValue::Table(table) if table.iter().all(|(_, value)| is_hollow(value.get_ref())))
}
