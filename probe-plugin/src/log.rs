//! What the operator reads in Telegraf's log: one short line an event on stderr, with the prefix that gives it its level.
//!
//! Telegraf reads at most 64 KiB of a line and stops reading for good after a longer one.

use std::io::Write;

/// Longer lines are cut.
const LINE_MAX_CHARACTERS: usize = 2000;

/// How much it matters to the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something has to be repaired before the probe can work.
    Error,
    /// The probe works, and something should be looked at.
    Warning,
    /// A milestone.
    Info,
}

/// Writes one line. A stderr that nobody reads any more is no reason to stop measuring.
pub fn log(level: Level, message: &str) {
    let prefix = match level {
        Level::Error => "E!",
        Level::Warning => "W!",
        Level::Info => "I!",
    };
    let message: String = message
        .chars()
        .take(LINE_MAX_CHARACTERS)
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect();
    drop(writeln!(std::io::stderr(), "{prefix} {message}"));
}
