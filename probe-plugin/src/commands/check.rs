//! `vigia-probe check`: every mistake at once.

use std::{io::Write, path::Path};

use super::Exit;
use crate::{config, journey::Kind};

pub fn check(path: &Path) -> anyhow::Result<Exit> {
    let mut stdout = std::io::stdout().lock();
    match config::read(path) {
        Ok(config) => {
            let count = config.journeys.len();
            writeln!(stdout, "{}: no mistake, {count} journeys", path.display())?;
            for journey in &config.journeys {
                let what = match &journey.kind {
                    Kind::Browser(walk) => format!("{} steps", walk.steps.len()),
                    Kind::External(external) => format!("by {}", external.program.display()),
                };
                writeln!(
                    stdout,
                    "  {}/{}: {}, every {:?}, {what}",
                    journey.system, journey.name, journey.impact, journey.every,
                )?;
            }
            Ok(Exit::Done)
        }
        Err(mistakes) => {
            writeln!(stdout, "{mistakes}")?;
            Ok(Exit::Failed)
        }
    }
}
