//! Puts what serde and the TOML parser say into the words of an operator: what is wrong and what to do.

use std::ops::Range;

use crate::mistake::{Mistake, Source};

/// The key that a table lacks, from serde's "missing field `x`".
pub fn missing_key(message: &str) -> Option<&str> {
    message.strip_prefix("missing field `")?.strip_suffix('`')
}

/// Whether serde met a key or a word that it does not know.
pub fn names_something_unknown(message: &str) -> bool {
    ["field", "variant"]
        .iter()
        .any(|kind| unknown(kind, message).is_some())
}

/// What was written and what is known, from serde's "unknown field `x`, expected one of `a`, `b`".
pub fn unknown<'m>(kind: &str, message: &'m str) -> Option<(&'m str, Vec<&'m str>)> {
    let rest = message
        .strip_prefix("unknown ")?
        .strip_prefix(kind)?
        .strip_prefix(" `")?;
    let (written, expected) = rest.split_once("`, ")?;
    Some((written, expected.split('`').skip(1).step_by(2).collect()))
}

/// What the parser refuses.
pub fn syntax_mistake(source: &Source, error: &toml::de::Error) -> Mistake {
    source.mistake(
        error.span().unwrap_or(0..0),
        format!(
            "is not TOML: {}",
            error.message().lines().collect::<Vec<_>>().join(", ")
        ),
        "look at this line and the one before it: a quote, a bracket or an `=` is often missing",
    )
}

/// What serde refuses, in the operator's words.
pub fn reading_mistake(source: &Source, error: &toml::de::Error, span: Range<usize>) -> Mistake {
    let message = error.message();
    if let Some((what, hint)) = message.split_once("\nhint: ") {
        return source.mistake(span, what, hint);
    }
    if let Some(key) = missing_key(message) {
        return source.mistake(
            span,
            format!("`{key}` is missing"),
            format!("add `{key} = ...` here"),
        );
    }
    for (kind, word) in [("field", "key"), ("variant", "value")] {
        if let Some((written, known)) = unknown(kind, message) {
            let hint = match nearest(written, &known) {
                Some(near) => format!("did you mean `{near}`? known here: {}", known.join(", ")),
                None => format!("known here: {}", known.join(", ")),
            };
            return source.mistake(span, format!("unknown {word} `{written}`"), hint);
        }
    }
    source.mistake(
        span,
        message.lines().collect::<Vec<_>>().join(", "),
        "write a value of the kind that is expected here",
    )
}

/// The known word that is written most alike, if one is alike enough to be what was meant.
fn nearest<'k>(written: &str, known: &[&'k str]) -> Option<&'k str> {
    known
        .iter()
        .map(|word| (distance(written, word), *word))
        .filter(|(edits, word)| *edits <= word.len().div_ceil(3))
        .min()
        .map(|(_, word)| word)
}

/// How many letters must be put in, left out or changed to make one word of the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for column in 0..to.len() {
            let change = diagonal + usize::from(letter != to[column]);
            diagonal = row[column + 1];
            row[column + 1] = change.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}
