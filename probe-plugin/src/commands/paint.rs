//! Colours for people: only where somebody looks at a terminal, and has not asked for none (`NO_COLOR`, <https://no-color.org>).

use std::io::IsTerminal;

use clap::builder::styling::{AnsiColor, Style};
use vigia_contract::data_model::Outcome;

/// Whether there are colours.
#[derive(Clone, Copy, Debug)]
pub struct Paint(bool);

impl Paint {
    /// For what is printed on stdout.
    pub fn for_stdout() -> Self {
        Self::of(std::io::stdout().is_terminal())
    }

    /// For what is printed on stderr.
    pub fn for_stderr() -> Self {
        Self::of(std::io::stderr().is_terminal())
    }

    fn of(is_terminal: bool) -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty());
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        Self(is_terminal && !unwanted && !dumb)
    }

    /// Whether a line can be written over.
    pub const fn is_on(self) -> bool {
        self.0
    }

    const fn style(self, style: Style) -> Style {
        if self.0 { style } else { Style::new() }
    }

    /// Well.
    pub const fn green(self) -> Style {
        self.style(AnsiColor::Green.on_default())
    }

    /// To be looked at.
    pub const fn yellow(self) -> Style {
        self.style(AnsiColor::Yellow.on_default())
    }

    /// Bad.
    pub const fn red(self) -> Style {
        self.style(AnsiColor::Red.on_default().bold())
    }

    /// Beside the point.
    pub const fn dim(self) -> Style {
        self.style(Style::new().dimmed())
    }

    /// As a run's outcome is shown.
    pub const fn outcome(self, outcome: Outcome) -> Style {
        match outcome {
            Outcome::Ok => self.green(),
            Outcome::Slow => self.yellow(),
            Outcome::Failed => self.red(),
            Outcome::Unmeasured | Outcome::Missed => self.style(AnsiColor::Magenta.on_default()),
        }
    }
}
