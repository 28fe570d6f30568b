//! What a program said last, whatever it said: bounded, in plain text, without secrets.

use crate::run::redaction::Redaction;

/// So much of the end is kept.
const KEPT_BYTES: usize = 64 * 1024;

/// So many lines are told in an error.
const LINES_TOLD: usize = 5;

/// So much of them.
const TOLD_MAX_CHARACTERS: usize = 350;

/// The end of an output.
#[derive(Debug, Default)]
pub struct Tail {
    bytes: Vec<u8>,
    heard_bytes: usize,
    is_cut: bool,
}

impl Tail {
    /// More of it.
    pub fn push(&mut self, more: &[u8]) {
        self.heard_bytes = self.heard_bytes.saturating_add(more.len());
        self.bytes.extend_from_slice(more);
        // Not at every piece: moving what is kept costs as much as reading it.
        if self.bytes.len() > 2 * KEPT_BYTES {
            self.bytes.drain(..self.bytes.len() - KEPT_BYTES);
            self.is_cut = true;
        }
    }

    /// How much there was in all.
    pub const fn heard_bytes(&self) -> usize {
        self.heard_bytes
    }

    /// As it is told.
    pub fn into_words(self, redaction: &Redaction) -> LastWords {
        let text = redaction.apply(&plain(&String::from_utf8_lossy(&self.bytes)));
        let text = if self.is_cut {
            // The end of a secret may stand at the beginning, where no redaction finds it.
            let rest = text
                .chars()
                .skip(redaction.longest_bytes())
                .collect::<String>();
            format!("...{rest}")
        } else {
            text
        };
        LastWords(text)
    }
}

/// The end of an output, fit to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastWords(pub String);

impl LastWords {
    /// The last lines in one; nothing where nothing was said.
    pub fn in_one_line(&self) -> Option<String> {
        let lines: Vec<&str> = self
            .0
            .lines()
            .map(str::trim)
            .filter(|line| line.chars().any(char::is_alphanumeric))
            .collect();
        let last = lines[lines.len().saturating_sub(LINES_TOLD)..].join(" | ");
        let surplus = last.chars().count().saturating_sub(TOLD_MAX_CHARACTERS);
        let told: String = last.chars().skip(surplus).collect();
        match (told.is_empty(), surplus) {
            (true, _) => None,
            (false, 0) => Some(told),
            (false, _) => Some(format!("...{told}")),
        }
    }
}

/// Without the sequences that colour a terminal, and a line for every state of what counts up in place.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            // ECMA-48: a control sequence ends with a character between @ and ~.
            '\u{1b}' if characters.peek() == Some(&'[') => {
                characters.next();
                characters.find(|end| ('@'..='~').contains(end));
            }
            '\r' => plain.push('\n'),
            '\n' | '\t' => plain.push(character),
            other if other.is_control() => {}
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_told_without_colours() {
        let mut tail = Tail::default();
        tail.push(b"uno\ndos\n\x1b[31mtres\x1b[0m\n\n10%\r20%\rfin\n----\n");
        let words = tail.into_words(&Redaction::of_secrets(&[]));
        assert_eq!(words.in_one_line().unwrap(), "dos | tres | 10% | 20% | fin");
        let none = Tail::default().into_words(&Redaction::of_secrets(&[]));
        assert_eq!(none.in_one_line(), None);
    }

    #[test]
    fn the_end_of_a_long_output_is_kept_without_a_secret_that_the_cut_went_through() {
        let redaction = Redaction::of_secrets(&["clavesecreta".into()]);
        // Whatever the cut falls on, it falls into a secret.
        for shift in 0..12 {
            let mut tail = Tail::default();
            tail.push("x".repeat(shift).as_bytes());
            for _ in 0..20_000 {
                tail.push(b"clavesecreta");
            }
            let words = tail.into_words(&redaction);
            assert!(words.0.len() < 2 * KEPT_BYTES);
            assert_eq!(words.0.trim_matches(['*', '.']), "", "cut at {shift}");
        }
    }
}
