//! Reads a text as an address: what is percent-encoded as what it stands for. Which letters an address encodes depends on
//! where in it they stand and on who wrote it.

use std::ops::Range;

use super::across::Folded;

/// The text, decoded.
pub fn decode(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    each_letter(text, |letter, _| whole.push(letter));
    whole
}

/// The letters of a text, decoded.
pub fn letters(text: &str) -> Folded {
    let mut folded = Folded::default();
    each_letter(text, |letter, place| folded.push(0, letter, place));
    folded
}

fn each_letter(text: &str, mut take: impl FnMut(char, Range<usize>)) {
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        let (character, length) = decoded(&text[at..]).unwrap_or((character, character.len_utf8()));
        take(character, at..at + length);
        at += length;
    }
}

/// The letter that is encoded at the beginning, and how long its code is.
fn decoded(text: &str) -> Option<(char, usize)> {
    let byte = |index: usize| {
        let code = text.get(index * 3..index * 3 + 3)?;
        u8::from_str_radix(code.strip_prefix('%')?, 16).ok()
    };
    let first = byte(0)?;
    // How many bytes a letter has in UTF-8 is said by its first one.
    let count = match first {
        ..0x80 => 1,
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        0xf0.. => 4,
        _ => return None,
    };
    let bytes: Vec<u8> = (0..count).map(byte).collect::<Option<_>>()?;
    let letter = std::str::from_utf8(&bytes).ok()?.chars().next()?;
    Some((letter, count * 3))
}
