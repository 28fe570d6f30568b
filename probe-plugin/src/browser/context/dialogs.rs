//! What becomes of a dialog: `alert`, `confirm`, `prompt`, or the question whether a page may be left. Each blocks its page
//! until it is answered. Pure: what it says in, what is done out.

use std::collections::VecDeque;

use headless_chrome::protocol::cdp::Page::HandleJavaScriptDialog;
use serde::Deserialize;
use vigia_contract::secret::{ExposeSecret, SecretString};

/// A dialog that is expected, and what it is answered.
#[derive(Debug)]
pub struct ExpectedDialog {
    /// Its button for yes, or that for no.
    pub accept: bool,
    /// What is typed into it first; only a `prompt` takes it.
    pub typed: Option<SecretString>,
    /// A part of what it must say.
    pub text: Option<String>,
}

/// A dialog that is not as it was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialogSurprise {
    /// There should have been none.
    #[error("the page opened a dialog that nobody expected: `{0}`")]
    Unexpected(String),
    /// It says something else.
    #[error("the dialog says `{said}`, not `{expected}`")]
    SaysOtherwise {
        /// What it says.
        said: String,
        /// What it should say.
        expected: String,
    },
    /// There is something to be typed, and no field for it.
    #[error("the dialog `{0}` has no field to type into")]
    NoField(String),
}

/// `Page.javascriptDialogOpening`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Opening {
    message: String,
    r#type: String,
    default_prompt: Option<String>,
}

/// The dialogs of a run.
#[derive(Debug, Default)]
pub struct Dialogs {
    expected: VecDeque<ExpectedDialog>,
    answered: usize,
    surprise: Option<DialogSurprise>,
    /// Nobody looks at them any more.
    over: bool,
}

impl Opening {
    /// The page asks whether it may be left.
    pub fn asks_to_leave(&self) -> bool {
        self.r#type == "beforeunload"
    }
}

impl Dialogs {
    /// From now on these are expected, in this order, and no others.
    pub fn expect(&mut self, expected: Vec<ExpectedDialog>) {
        self.expected = expected.into();
        self.answered = 0;
    }

    /// Whether one was answered as told that nobody has asked for yet.
    pub fn has_answered(&self) -> bool {
        self.answered > 0
    }

    /// Asks for one that was answered.
    pub fn take_answered(&mut self) {
        self.answered = self.answered.saturating_sub(1);
    }

    /// The first one that was not as it was expected.
    pub fn surprise(&self) -> Option<&DialogSurprise> {
        self.surprise.as_ref().filter(|_| !self.over)
    }

    /// The run is over: whatever else comes is closed, and is no surprise to anybody.
    pub fn end(&mut self) {
        self.over = true;
    }

    /// As at a run's beginning.
    pub fn begin_anew(&mut self) {
        *self = Self::default();
    }

    /// Whether the run is over.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// A page that asks whether it may be left is left, unless it is told otherwise; to anything else that nobody expected
    /// the answer is no.
    pub fn answer(&mut self, opening: Opening) -> HandleJavaScriptDialog {
        // It speaks in the browser's words and takes none: an expectation that names some is meant for another.
        let leaving = opening.asks_to_leave();
        let says = opening.message;
        let meant = |expected: &ExpectedDialog| {
            !leaving || (expected.text.is_none() && expected.typed.is_none())
        };
        let expected = match self.expected.front() {
            Some(expected) if !self.over && meant(expected) => self.expected.pop_front(),
            _ => None,
        };
        let wrong = match &expected {
            None if leaving => return close(true),
            None => Some(DialogSurprise::Unexpected(says)),
            Some(expected) => expected.contradicted_by(says, &opening.r#type),
        };
        if wrong.is_some() {
            self.surprise = self.surprise.take().or(wrong);
            return close(false);
        }
        self.answered += 1;
        let stands_there = opening.default_prompt;
        expected.map_or_else(|| close(false), |expected| expected.given(stands_there))
    }
}

impl ExpectedDialog {
    fn contradicted_by(&self, says: String, r#type: &str) -> Option<DialogSurprise> {
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        match &self.text {
            Some(expected) if !squeezed(&says).contains(&squeezed(expected)) => {
                Some(DialogSurprise::SaysOtherwise {
                    said: says,
                    expected: expected.clone(),
                })
            }
            _ if self.typed.is_some() && r#type != "prompt" => Some(DialogSurprise::NoField(says)),
            _ => None,
        }
    }

    /// Who types nothing leaves what stands there.
    fn given(self, stands_there: Option<String>) -> HandleJavaScriptDialog {
        let typed = self.typed.map(|typed| typed.expose_secret().to_owned());
        HandleJavaScriptDialog {
            accept: self.accept,
            prompt_text: typed.or(stands_there),
        }
    }
}

const fn close(accept: bool) -> HandleJavaScriptDialog {
    HandleJavaScriptDialog {
        accept,
        prompt_text: None,
    }
}
