//! What a run reads from a page under a name, and how a configuration refers to it: `${stored:NAME}`.
//!
//! It comes from a page, so what stands in it is never taken for a reference of its own.

use crate::variables::Variables;

/// How a reference begins.
pub const OPEN: &str = "${stored:";

/// Whether a thing can be called so: a letter, then letters, digits and underscores.
#[must_use]
pub fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || character == '_')
}

/// The names that a text refers to.
pub fn references(text: &str) -> impl Iterator<Item = &str> {
    text.split(OPEN)
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

/// Puts what was stored into its places, as `write` writes it; what was not stored stays a reference.
#[must_use]
pub fn fill_in(text: &str, stored: &Variables, write: impl Fn(&str) -> String) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(OPEN) {
        let after = &rest[start + OPEN.len()..];
        let known = after
            .split_once('}')
            .and_then(|(name, rest)| Some((stored.get(name)?, rest)));
        filled.push_str(&rest[..start]);
        if let Some((value, behind)) = known {
            filled.push_str(&write(value));
            rest = behind;
        } else {
            filled.push_str(OPEN);
            rest = after;
        }
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stored_is_put_in_and_never_taken_for_a_reference() {
        let stored = Variables::from([
            ("a".into(), "${stored:b}${secret:CLAVE}".into()),
            ("b".into(), "2".into()),
        ]);
        let text = "x ${stored:a} ${stored:b} ${stored:c} ${stored:";
        assert_eq!(
            fill_in(text, &stored, str::to_owned),
            "x ${stored:b}${secret:CLAVE} 2 ${stored:c} ${stored:"
        );
        assert_eq!(references(text).collect::<Vec<_>>(), ["a", "b", "c"]);
    }
}
