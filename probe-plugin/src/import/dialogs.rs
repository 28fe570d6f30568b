//! Dialogs: a test says before or after the action that opens one what it is answered, and apart from that what it says. A
//! journey says all of it in one line, behind that action.

use toml::{Table, Value};

use super::walk::{Item, Walk, table};

/// A dialog that a test answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dialog {
    /// Yes or no, once it is known; yes where nothing says otherwise.
    yes: Option<bool>,
    /// It was answered by a command that stands behind it.
    closed: bool,
    typed: Option<String>,
    text: Option<String>,
}

impl Dialog {
    /// As a journey writes it.
    pub fn written(&self) -> Value {
        let answer = if self.yes == Some(false) {
            "dismiss"
        } else {
            "accept"
        };
        let mut more = Table::new();
        if let Some(text) = self.text.as_ref().filter(|text| !text.is_empty()) {
            more.insert("text".into(), text.as_str().into());
        }
        if let Some(typed) = &self.typed {
            more.insert("type".into(), typed.as_str().into());
        }
        if more.is_empty() {
            return table("dialog", answer);
        }
        more.insert("answer".into(), answer.into());
        table("dialog", more)
    }
}

/// What a command says of a dialog.
enum Says {
    /// It is answered so when it comes.
    Next(bool),
    /// It is there and answered so.
    Now(bool),
    /// It says this.
    Text,
}

/// Carries a command of this family over; nothing where it is none.
pub fn carry(walk: &mut Walk<'_>, name: &str, target: &str) -> Option<Result<(), String>> {
    let says = match name {
        "chooseOkOnNextConfirmation" | "answerOnNextPrompt" => Says::Next(true),
        "chooseCancelOnNextConfirmation" | "chooseCancelOnNextPrompt" => Says::Next(false),
        "acceptAlert"
        | "acceptConfirmation"
        | "answerPrompt"
        | "webdriverAnswerOnVisiblePrompt"
        | "webdriverChooseOkOnVisibleConfirmation" => Says::Now(true),
        "dismissConfirmation"
        | "dismissPrompt"
        | "webdriverChooseCancelOnVisibleConfirmation"
        | "webdriverChooseCancelOnVisiblePrompt" => Says::Now(false),
        "assertAlert" | "assertConfirmation" | "assertPrompt" => Says::Text,
        _ => return None,
    };
    let has_answer = matches!(
        name,
        "answerOnNextPrompt" | "answerPrompt" | "webdriverAnswerOnVisiblePrompt"
    );
    Some(walk.fill(target).and_then(|text| {
        let typed = has_answer
            .then_some(text.clone())
            .filter(|text| !text.is_empty());
        let last = match walk.items.last() {
            Some(Item::Dialog(dialog)) if !dialog.closed => Some(dialog.clone()),
            _ => None,
        };
        let (dialog, comes) = match says {
            Says::Next(yes) => {
                let next = Dialog {
                    yes: Some(yes),
                    typed,
                    ..Dialog::default()
                };
                walk.accept(&next.written())?;
                walk.next_dialog = Some(next);
                return Ok(());
            }
            Says::Now(yes) => {
                let dialog = last.clone().unwrap_or_default();
                let typed = typed.or(dialog.typed);
                (
                    Dialog {
                        yes: Some(yes),
                        closed: true,
                        typed,
                        text: dialog.text,
                    },
                    last.is_none(),
                )
            }
            Says::Text => {
                let dialog = last.clone().filter(|dialog| dialog.text.is_none());
                let comes = dialog.is_none();
                (
                    Dialog {
                        text: Some(text),
                        ..dialog.unwrap_or_default()
                    },
                    comes,
                )
            }
        };
        walk.accept(&dialog.written())?;
        if !comes {
            walk.items.pop();
        }
        walk.items.push(Item::Dialog(dialog));
        Ok(())
    }))
}
