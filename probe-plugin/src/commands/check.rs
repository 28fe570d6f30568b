//! `vigia-probe check`: every mistake at once.

use std::{io::Write, path::Path};

use vigia_contract::mistake::Mistakes;

use super::Exit;
use crate::{config, journey::Kind};

pub fn check(path: &Path) -> anyhow::Result<Exit> {
    let mut stdout = std::io::stdout().lock();
    let read = config::read(path).and_then(|config| {
        let silent = config
            .journeys
            .iter()
            .flat_map(|journey| config::silent_commands(path, journey, &config.secrets));
        // Several journeys may need the same secret.
        let mut mistakes: Vec<_> = silent.collect();
        mistakes.dedup();
        if mistakes.is_empty() {
            Ok(config)
        } else {
            Err(Mistakes(mistakes))
        }
    });
    match read {
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
