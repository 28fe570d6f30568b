//! How a mistake in a configuration is told: where it is, what is wrong, and what to do.

use std::{fmt, ops::Range, path::PathBuf};

/// A configuration file as it was read, so that a mistake can show the line it stands on.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it was read from, as the operator named it.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

impl Source {
    /// Reads a file.
    pub fn read(path: impl Into<PathBuf>) -> Result<Self, Mistake> {
        let path = path.into();
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Self { path, text }),
            Err(error) => Err(Mistake {
                path,
                place: None,
                what: format!("cannot be read: {error}"),
                hint: "check that the file is there, is UTF-8, and that this user may read it"
                    .into(),
            }),
        }
    }

    /// A mistake at these bytes of the text.
    #[must_use]
    pub fn mistake(
        &self,
        at: Range<usize>,
        what: impl Into<String>,
        hint: impl Into<String>,
    ) -> Mistake {
        let start = (0..=at.start.min(self.text.len()))
            .rev()
            .find(|&index| self.text.is_char_boundary(index))
            .unwrap_or_default();
        let line_start = self.text[..start].rfind('\n').map_or(0, |index| index + 1);
        Mistake {
            path: self.path.clone(),
            place: Some(Place {
                line: self.text[..start].matches('\n').count() + 1,
                column: self.text[line_start..start].chars().count() + 1,
                text: self.text[line_start..]
                    .lines()
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
            }),
            what: what.into(),
            hint: hint.into(),
        }
    }
}

/// Where in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// The whole line.
    pub text: String,
}

/// One thing that the operator has to mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The file, as the operator named it.
    pub path: PathBuf,
    /// Nothing when it is about the file as a whole.
    pub place: Option<Place>,
    /// What is wrong, a lowercase fragment with values in backticks.
    pub what: String,
    /// What to do about it.
    pub hint: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.path.display())?;
        if let Some(place) = &self.place {
            let number = place.line.to_string();
            let margin = " ".repeat(number.len());
            let indent = " ".repeat(place.column - 1);
            writeln!(formatter, ":{}:{}: {}", place.line, place.column, self.what)?;
            writeln!(formatter, "  {number} | {}", place.text.replace('\t', " "))?;
            writeln!(formatter, "  {margin} | {indent}^")?;
        } else {
            writeln!(formatter, ": {}", self.what)?;
        }
        write!(formatter, "  hint: {}", self.hint)
    }
}

/// All the mistakes of a configuration, so that nobody mends one to find the next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for mistake in &self.0 {
            writeln!(formatter, "{mistake}")?;
        }
        match self.0.len() {
            1 => write!(formatter, "1 mistake"),
            count => write!(formatter, "{count} mistakes"),
        }
    }
}
