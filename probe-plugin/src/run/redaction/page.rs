//! Reads the source of a page as a reader sees it: the letters between the tags, with entities in their places.

use std::ops::Range;

use super::across::Folded;

/// Longer ones there are none that browsers write.
const ENTITY_MAX_BYTES: usize = 10;

/// The letters that stand outside of tags and comments.
pub fn letters(html: &str) -> Folded {
    let mut folded = Folded::default();
    let mut at = 0;
    while let Some(character) = html[at..].chars().next() {
        let rest = &html[at..];
        let length = match character {
            '<' => tag(rest),
            '&' => entity(rest).map(|(letter, length)| {
                folded.push(0, letter, at..at + length);
                length
            }),
            _ => None,
        };
        let length = length.unwrap_or_else(|| {
            let place: Range<usize> = at..at + character.len_utf8();
            folded.push(0, character, place);
            character.len_utf8()
        });
        at += length;
    }
    folded
}

/// How long the tag or the comment is that begins here, if one does.
fn tag(rest: &str) -> Option<usize> {
    if rest.starts_with("<!--") {
        return rest.find("-->").map(|end| end + 3);
    }
    let next = rest[1..].chars().next()?;
    if !(next.is_ascii_alphabetic() || matches!(next, '/' | '!')) {
        return None;
    }
    let mut quote = None;
    for (at, character) in rest.char_indices() {
        match (quote, character) {
            (None, '>') => return Some(at + 1),
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            _ => {}
        }
    }
    None
}

fn entity(rest: &str) -> Option<(char, usize)> {
    let end = rest
        .bytes()
        .take(ENTITY_MAX_BYTES)
        .position(|byte| byte == b';')?;
    let name = &rest[1..end];
    let letter = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "shy" => '\u{ad}',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    };
    Some((letter, end + 1))
}
