//! What shells complete and what `man` shows, from the same definitions as the program itself.

use std::{
    io::{self, Write},
    path::Path,
};

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Arguments, Exit};

/// `vigia-alert completions SHELL`.
pub fn completions(shell: Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "vigia-alert", &mut script);
    match io::stdout().write_all(&script) {
        Ok(()) => Exit::Success,
        Err(error) => {
            tracing::error!(%error, "failed to print");
            Exit::Failure
        }
    }
}

/// `vigia-alert man FOLDER`.
pub fn man(folder: &Path) -> Exit {
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Arguments::command(), folder));
    match written {
        Ok(()) => Exit::Success,
        Err(error) => {
            tracing::error!(%error, folder = %folder.display(), "failed to write the manual");
            Exit::Failure
        }
    }
}
