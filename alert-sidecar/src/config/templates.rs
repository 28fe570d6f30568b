//! Reads the operator's own templates, and tries each with every kind of message.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use vigia_contract::{config_file::Spanned, mistake::Source};

use super::Findings;
use crate::render::{
    Markup, Style,
    templates::{Flaw, flaw},
};

/// The style with the templates of this folder.
pub(super) fn read(
    folder: Option<&Spanned<PathBuf>>,
    mut style: Style,
    findings: &mut Findings,
) -> Style {
    let Some(written) = folder else { return style };
    let path = findings.folder.join(written.as_ref());
    let files = match files(&path) {
        Ok(files) => files,
        Err(error) => {
            findings.add(
                written,
                format!(
                    "the templates in `{}` cannot be read: {error}",
                    path.display()
                ),
                "name a folder",
            );
            return style;
        }
    };
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let Some(markup) = Markup::ALL
            .into_iter()
            .find(|markup| markup.template() == name)
        else {
            let known = Markup::ALL.map(Markup::template).join(", ");
            findings.add(
                written,
                format!("no message has a template `{name}`"),
                format!("there are {known}"),
            );
            continue;
        };
        let source = match Source::read(&file) {
            Ok(source) => source,
            Err(mistake) => {
                findings.mistakes.push(mistake);
                continue;
            }
        };
        if let Some(Flaw { line, what }) = flaw(&style, markup, &source.text) {
            let lines = source.text.split_inclusive('\n');
            let start: usize = lines
                .take(line.unwrap_or(1).saturating_sub(1))
                .map(str::len)
                .sum();
            findings.mistakes.push(source.mistake(
                start..start,
                format!("the template fails: {what}"),
                "docs/channels.md lists what a template may use",
            ));
            continue;
        }
        style.templates.insert(markup.template(), source.text);
    }
    style
}

/// The files of a folder, in the order of their names.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}
