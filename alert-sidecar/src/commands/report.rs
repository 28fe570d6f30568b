//! `vigia-alert report`: a month as HTML, PDF and CSV, in a folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::ValueEnum;
use jiff::Timestamp;

use super::{ConfigArgument, Exit, check::say};
use crate::{
    config,
    report::{Maker, month::Month},
};

/// What a month is to be made into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A page that needs nothing else.
    Html,
    /// The page, printed by Chromium.
    Pdf,
    /// Everything behind it, a file a table.
    Csv,
}

/// What is asked for.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// The month, for example 2026-10. Default: the last one that is over.
    #[arg(long)]
    month: Option<Month>,
    /// Only this system, by its name in the data; may be given several times.
    #[arg(long)]
    system: Vec<String>,
    /// Only these forms, separated by commas.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Format::Html, Format::Pdf, Format::Csv])]
    format: Vec<Format>,
    /// Where the files go; the folder is made.
    #[arg(long, default_value = ".")]
    output: PathBuf,
}

pub(super) fn report(arguments: &Arguments) -> Exit {
    let config = match config::read(&arguments.config.config) {
        Ok(config) => config,
        Err(mistakes) => {
            say(&mistakes.to_string());
            return Exit::Configuration;
        }
    };
    super::on_a_runtime(async {
        let now = Timestamp::now();
        let today = now.to_zoned(config.style.time_zone.clone()).date();
        let month = arguments.month.unwrap_or_else(|| Month::of(today).before());
        let maker = Maker::new(&config)?;
        let systems = (!arguments.system.is_empty()).then_some(arguments.system.as_slice());
        let report = maker.make(month, systems, now).await?;
        let folder = &arguments.output;
        fs::create_dir_all(folder)
            .with_context(|| format!("failed to make the folder `{}`", folder.display()))?;
        let is_asked = |format| arguments.format.contains(&format);
        let html = maker.html(&report)?;
        if is_asked(Format::Html) {
            write(folder, &format!("vigia-{month}.html"), html.as_bytes())?;
        }
        if is_asked(Format::Csv) {
            for (name, bytes) in maker.tables(&report)? {
                write(folder, &format!("vigia-{month}-{name}"), &bytes)?;
            }
        }
        if is_asked(Format::Pdf) {
            match maker.pdf(&html).await {
                Ok(pdf) => write(folder, &format!("vigia-{month}.pdf"), &pdf)?,
                Err(error) => {
                    say(&error.to_string());
                    return Ok(Exit::Failure);
                }
            }
        }
        Ok(Exit::Success)
    })
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), anyhow::Error> {
    let path = folder.join(name);
    fs::write(&path, bytes).with_context(|| format!("failed to write `{}`", path.display()))?;
    say(&path.display().to_string());
    Ok(())
}
