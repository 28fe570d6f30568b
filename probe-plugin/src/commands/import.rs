//! `vigia-probe import`: journeys out of what people have already, and what could not be carried over.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use anyhow::Context;
use clap::Args;
use vigia_contract::{
    mistake::{Mistake, Mistakes, Source},
    variables::Variables,
};

use super::Exit;
use crate::{
    import::{self, Imported, Remark, Weight},
    journey, recording,
};

/// What is to be imported, and where it goes.
#[derive(Debug, Args)]
pub struct Import {
    /// A project of Selenium IDE (.side), or a recording of Chrome's Recorder (.json).
    file: PathBuf,
    /// The folder of the journeys; it is made where it is not there.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    into: PathBuf,
    /// What users call the system; a project's name where it is left out, but a recording says nothing of it.
    #[arg(long, value_name = "NAME")]
    system: Option<String>,
    /// Overwrites files that are there already.
    #[arg(long)]
    force: bool,
}

pub fn import(import: &Import) -> anyhow::Result<Exit> {
    let imported = match read(import) {
        Ok(imported) => imported,
        Err(mistakes) => {
            writeln!(io::stderr(), "{mistakes}")?;
            return Ok(Exit::Unmeasured);
        }
    };
    let mut stdout = io::stdout().lock();
    for file in &imported.files {
        let path = import.into.join(&file.path);
        let folder = path.parent().unwrap_or(&import.into);
        fs::create_dir_all(folder)
            .with_context(|| format!("failed to make the folder `{}`", folder.display()))?;
        fs::write(&path, &file.text)
            .with_context(|| format!("failed to write `{}`", path.display()))?;
        writeln!(stdout, "wrote {}", path.display())?;
    }
    if !imported.secrets.is_empty() {
        writeln!(stdout, "provide these secrets before the first run:")?;
        for secret in &imported.secrets {
            writeln!(stdout, "  {secret}")?;
        }
    }
    let left_out = tell(&imported.remarks)?;
    let mistakes = look_through(import, &imported);
    if !mistakes.is_empty() {
        writeln!(io::stderr(), "{}", Mistakes(mistakes))?;
        return Ok(Exit::Failed);
    }
    Ok(if left_out == 0 {
        Exit::Done
    } else {
        Exit::Failed
    })
}

/// All of it, with nothing written yet.
fn read(import: &Import) -> Result<Imported, Mistakes> {
    let one = |mistake| Mistakes(vec![mistake]);
    let source = Source::read(&import.file).map_err(one)?;
    let system = import.system.as_deref();
    let imported = if recording::is_recording(&import.file) {
        import::recording(&source, system).map_err(Mistakes)?
    } else {
        import::selenium(&source, system).map_err(one)?
    };
    let there: Vec<Mistake> = imported
        .files
        .iter()
        .map(|file| import.into.join(&file.path))
        .filter(|path| !import.force && path.exists())
        .map(|path| Mistake {
            path,
            place: None,
            what: "is there already".into(),
            hint: "name another folder with --into, or overwrite it with --force".into(),
        })
        .collect();
    if there.is_empty() {
        Ok(imported)
    } else {
        Err(Mistakes(there))
    }
}

/// Tells what the reader must know; returns how many things a journey does not do.
fn tell(remarks: &[Remark]) -> io::Result<usize> {
    let mut stderr = io::stderr().lock();
    for remark in remarks {
        let command = remark.command.map_or_else(String::new, |number| {
            format!(", command {number}, {}", remark.shown)
        });
        writeln!(
            stderr,
            "{}: test {:?}{command}: {}",
            remark.weight.word(),
            remark.test,
            remark.why
        )?;
    }
    let left_out = remarks
        .iter()
        .filter(|remark| remark.weight == Weight::LeftOut)
        .count();
    if left_out > 0 {
        writeln!(
            stderr,
            "{left_out} left out; each is a comment where it would stand"
        )?;
    }
    Ok(left_out)
}

/// What `check` would say of the journeys: nothing, or the import has a fault.
fn look_through(import: &Import, imported: &Imported) -> Vec<Mistake> {
    let journeys = imported.files.iter().filter(|file| file.is_journey);
    journeys
        .filter_map(|file| journey::read(&import.into.join(&file.path), &Variables::new()).err())
        .flatten()
        .collect()
}
