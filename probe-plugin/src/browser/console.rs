//! The errors in the console of a page, uncaught ones among them. Pure: events in, texts out.

use serde::Deserialize;

use super::connection::Event;

/// A page may write errors without end.
const KEPT_MAX: usize = 100;

/// The first errors since the page was opened.
#[derive(Clone, Debug, Default)]
pub struct ConsoleLog(Vec<String>);

#[derive(Deserialize)]
struct ConsoleCall {
    r#type: String,
    args: Vec<Argument>,
}

#[derive(Deserialize)]
struct Argument {
    value: Option<serde_json::Value>,
    description: Option<String>,
}

impl ConsoleLog {
    /// The errors, one line each.
    pub fn errors(&self) -> &[String] {
        &self.0
    }

    /// An error that the page's scripts did not catch.
    pub fn uncaught(&mut self, error: &str) {
        self.keep(error);
    }

    /// Takes an event in.
    pub fn apply(&mut self, event: &Event) {
        if event.method == "Runtime.consoleAPICalled"
            && let Some(ConsoleCall { r#type, args }) = event.read()
            && matches!(r#type.as_str(), "error" | "assert")
        {
            let words: Vec<String> = args.into_iter().filter_map(Argument::shown).collect();
            self.keep(&words.join(" "));
        }
    }

    fn keep(&mut self, error: &str) {
        if self.0.len() < KEPT_MAX {
            self.0
                .push(error.lines().next().unwrap_or_default().to_owned());
        }
    }
}

impl Argument {
    fn shown(self) -> Option<String> {
        match self.value {
            Some(serde_json::Value::String(text)) => Some(text),
            Some(value) => Some(value.to_string()),
            None => self.description,
        }
    }
}
