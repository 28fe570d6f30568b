//! Finds a secret that is told in pieces: one letter an element, half of it in one message and half in the next.
//!
//! Spaces, soft hyphens and the like do not count, nor do capitals: they are what a page adds for its looks.

use std::{collections::BTreeSet, ops::Range};

/// Shorter secrets are made up by chance wherever texts stand side by side.
const SPLIT_MIN_CHARACTERS: usize = 4;

/// Texts side by side, without what does not count, and where each of their letters comes from.
#[derive(Debug, Default)]
pub struct Folded {
    text: String,
    /// For each byte of `text`: which piece, and where in it.
    origins: Vec<(usize, Range<usize>)>,
}

/// Whether a reader sees nothing of it.
fn counts(character: char) -> bool {
    !(character.is_whitespace()
        || matches!(
            character,
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'
        ))
}

/// What is sought.
pub fn fold(text: &str) -> String {
    let mut folded = Folded::default();
    folded.add(0, text);
    folded.text
}

impl Folded {
    /// A letter of a piece, and where it stands there.
    pub fn push(&mut self, piece: usize, character: char, place: Range<usize>) {
        if counts(character) {
            for lower in character.to_lowercase() {
                self.text.push(lower);
            }
            self.origins.resize(self.text.len(), (piece, place));
        }
    }

    /// A piece as it is.
    pub fn add(&mut self, piece: usize, text: &str) {
        for (start, character) in text.char_indices() {
            self.push(piece, character, start..start + character.len_utf8());
        }
    }

    /// Where in the pieces the letters of these folded texts stand.
    pub fn find(&self, sought: &[String]) -> BTreeSet<(usize, usize, usize)> {
        let mut found = BTreeSet::new();
        for sought in sought {
            let short = sought.chars().count() < SPLIT_MIN_CHARACTERS;
            for (start, _) in self.text.match_indices(sought.as_str()) {
                let origins = &self.origins[start..start + sought.len()];
                let split = origins.first().map(|(piece, _)| piece)
                    != origins.last().map(|(piece, _)| piece);
                if !(short && split) {
                    let places = origins.iter();
                    found.extend(places.map(|(piece, place)| (*piece, place.start, place.end)));
                }
            }
        }
        found
    }
}

/// The pieces without these letters; a mask stands where a run of them begins.
pub fn mask(pieces: &mut [String], letters: &BTreeSet<(usize, usize, usize)>, mask: &str) {
    for (index, piece) in pieces.iter_mut().enumerate() {
        let mut masked = String::with_capacity(piece.len());
        let mut done = 0;
        let mut in_mask = false;
        for (_, start, end) in letters.range((index, 0, 0)..(index + 1, 0, 0)) {
            let between = &piece[done..*start];
            if !in_mask || between.chars().any(counts) {
                masked.push_str(between);
                masked.push_str(mask);
            }
            in_mask = true;
            done = *end;
        }
        if in_mask {
            masked.push_str(&piece[done..]);
            *piece = masked;
        }
    }
}
