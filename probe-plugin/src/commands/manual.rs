//! What shells complete, what `man` shows and what editors know of journeys, from the same definitions as the program itself.

use std::{io::Write, path::Path};

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, Exit};
use crate::journey::{SchemaOf, schema};

/// `vigia-probe completions SHELL`.
pub fn completions(shell: Shell) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "vigia-probe", &mut script);
    std::io::stdout().write_all(&script)?;
    Ok(Exit::Done)
}

/// `vigia-probe man FOLDER`.
pub fn man(folder: &Path) -> anyhow::Result<Exit> {
    std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder))
        .with_context(|| format!("failed to write into `{}`", folder.display()))?;
    Ok(Exit::Done)
}

/// `vigia-probe schema`.
pub fn print_schema(of: SchemaOf) -> anyhow::Result<Exit> {
    let text = serde_json::to_string_pretty(&schema(of))?;
    writeln!(std::io::stdout(), "{text}")?;
    Ok(Exit::Done)
}
