//! `vigia-alert check`: every mistake of a configuration at once.

use std::{io::Write, path::Path};

use super::Exit;
use crate::config;

pub(super) fn check(path: &Path) -> Exit {
    match config::read(path) {
        Ok(config) => {
            let (rules, channels, routes) = (
                config.rules.len(),
                config.channels.len(),
                config.policy.routes.len(),
            );
            say(&format!(
                "{}: good (rules: {rules}, channels: {channels}, routes: {routes})",
                path.display()
            ));
            Exit::Success
        }
        Err(mistakes) => {
            say(&mistakes.to_string());
            Exit::Configuration
        }
    }
}

/// The answer goes to stderr, as every word of this program does; where nobody reads it, the exit code still says it.
pub(super) fn say(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}
