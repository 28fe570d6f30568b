//! Goes through the commands of a test in the order in which they would be played, and notes what a journey does.

use serde::Deserialize;
use toml::{Table, Value};

use super::{
    commands,
    dialogs::Dialog,
    fragments::Fragment,
    locators::Element,
    mouse::Held,
    passwords::Passwords,
    remark::{Remark, Weight},
    side::{Command, Project, Test},
    variables::Variables,
    windows::Windows,
};
use crate::journey::Timed;

/// What a test came to so far.
#[derive(Clone, Debug)]
pub enum Item {
    /// A person says that a new part of the workflow begins.
    Title(String),
    /// Something that is done.
    Action {
        /// As it is written.
        action: Value,
        /// What it is for the steps.
        role: Role,
        /// What a person would call it.
        label: Option<String>,
    },
    /// A dialog that is answered.
    Dialog(Dialog),
    /// What the reader is told.
    Comment(String),
    /// Shared actions: the test that they are, and the values of their parameters.
    Use {
        /// The test's name.
        test: String,
        /// The values of its parameters.
        with: Vec<(String, String)>,
    },
}

/// What an action is for the steps of its journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It opens an address.
    Open,
    /// A user does something.
    Do,
    /// A user looks.
    Look,
    /// It belongs to what stands around it.
    Beside,
}

/// How `run` is carried over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Running {
    /// As a fragment.
    Shared,
    /// Its commands stand in its place: a fragment uses no other.
    InPlace,
}

/// What all walks through a project share.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'p> {
    /// The project.
    pub project: &'p Project,
    /// Its passwords.
    pub passwords: &'p Passwords,
    /// The shared actions that there are already.
    pub fragments: &'p [Fragment],
}

/// A test under way.
#[derive(Clone, Debug)]
pub struct Walk<'p> {
    /// What is walked.
    pub ground: Ground<'p>,
    /// What is known of the variables.
    pub variables: Variables,
    /// Where it is.
    pub windows: Windows,
    /// How many frames deep it is.
    pub frames: usize,
    /// The answer to the dialog that the next action opens.
    pub next_dialog: Option<Dialog>,
    /// The field that was typed into last, as it is written, while nothing else is done.
    pub focus: Option<Value>,
    /// What the mouse holds.
    pub held: Option<Held>,
    /// What it came to.
    pub items: Vec<Item>,
    /// What the reader must know.
    pub remarks: Vec<Remark>,
    /// The time that the next expectation may take, in ms.
    pub wait_ms: Option<u64>,
    /// The longest time that a command waits for something, in ms.
    pub longest_wait_ms: u64,
    /// All the time that it does nothing, in ms.
    pub pauses_ms: u64,
    /// The user and the secret for addresses that held a password, and the address.
    pub basic_auth: Option<(String, String, String)>,
    /// How `run` is carried over.
    pub running: Running,
    /// The command, from 1.
    pub number: usize,
    /// The tests that run each other, the outermost first.
    tests: Vec<String>,
    /// The command that comes next.
    next: Option<Command>,
}

impl<'p> Walk<'p> {
    /// At the beginning.
    pub fn new(ground: Ground<'p>, running: Running) -> Self {
        Self {
            ground,
            variables: Variables::default(),
            windows: Windows::default(),
            frames: 0,
            next_dialog: None,
            focus: None,
            held: None,
            items: Vec::new(),
            remarks: Vec::new(),
            wait_ms: None,
            longest_wait_ms: 0,
            pauses_ms: 0,
            basic_auth: None,
            running,
            number: 0,
            tests: Vec::new(),
            next: None,
        }
    }

    /// Goes through a whole test; from inside of another one, in its place.
    pub fn through(&mut self, test: &Test) {
        let outer = (self.number, self.next.take());
        self.tests.push(test.name.clone());
        super::blocks::walk(self, &test.commands, 0..test.commands.len());
        if let Some(held) = self.held.take() {
            held.left_out(self);
        }
        if let Some(dialog) = self.next_dialog.take() {
            self.items.push(Item::Dialog(dialog));
        }
        self.tests.pop();
        (self.number, self.next) = outer;
    }

    /// Whether this test is under way already.
    pub fn is_within(&self, test: &str) -> bool {
        self.tests.iter().any(|known| known == test)
    }

    /// A single command; `next` stands behind it.
    pub fn command(&mut self, number: usize, command: &Command, next: Option<&Command>) {
        self.number = number;
        self.next = next.cloned();
        self.wait_ms = None;
        let comment = command.comment.trim();
        let name = command.name.trim();
        if let Some(off) = name.strip_prefix("//") {
            let word = off
                .split([' ', '|'])
                .find(|word| !word.is_empty())
                .unwrap_or_default();
            if commands::is_known(word) {
                self.say(&format!(
                    "turned off in the project: {}",
                    Command {
                        name: off.trim().into(),
                        ..command.clone()
                    }
                    .shown()
                ));
            } else {
                self.title(off);
            }
            return;
        }
        if command.skip {
            self.say(&format!("turned off in the project: {}", command.shown()));
            return;
        }
        if name.is_empty() {
            self.title(comment);
            return;
        }
        if commands::is_workflow(name) {
            self.title(comment);
        } else if !comment.is_empty() {
            self.say(comment);
        }
        if let Err(why) = commands::carry(self, command) {
            self.left_out(command, &why);
        }
    }

    /// The command behind this one.
    pub fn next(&self) -> Option<&Command> {
        self.next.as_ref()
    }

    /// A person says what comes.
    pub fn title(&mut self, said: &str) {
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        if !said.is_empty() {
            let said = self.ground.passwords.hidden_in(&said);
            self.items.push(Item::Title(said));
        }
    }

    /// What the reader is told where it stands.
    pub fn say(&mut self, said: &str) {
        let said = self.ground.passwords.hidden_in(said.trim());
        if !said.is_empty() {
            self.items.push(Item::Comment(said));
        }
    }

    /// The journey does not do this.
    pub fn left_out(&mut self, command: &Command, why: &str) {
        self.remark(command, why, Weight::LeftOut);
    }

    /// The journey does this in another way.
    pub fn changed(&mut self, command: &Command, why: &str) {
        self.remark(command, why, Weight::Changed);
    }

    /// The journey does nothing of this kind, and nothing is missing.
    pub fn needless(&mut self, command: &Command, why: &str) {
        self.remark(command, why, Weight::Needless);
    }

    fn remark(&mut self, command: &Command, why: &str, weight: Weight) {
        let shown = self.shown(command);
        // What nobody misses is no matter of the journey's readers.
        if weight != Weight::Needless {
            self.say(&format!("{}: {shown} ({why})", weight.word()));
        }
        self.remarks.push(Remark {
            test: self.tests.last().cloned().unwrap_or_default(),
            command: Some(self.number),
            shown,
            why: self.ground.passwords.hidden_in(why),
            weight,
        });
    }

    /// As the IDE shows it, without passwords.
    fn shown(&self, command: &Command) -> String {
        const LETTERS_MAX: usize = 160;
        let hide = |text: &str| self.ground.passwords.hidden_in(text);
        let value = match self.ground.passwords.reference(command) {
            Some(_) => "***".into(),
            None => hide(&command.value),
        };
        let shown = Command {
            target: hide(&command.target),
            value,
            ..command.clone()
        }
        .shown();
        if shown.chars().count() > LETTERS_MAX {
            shown
                .chars()
                .take(LETTERS_MAX)
                .chain("...".chars())
                .collect()
        } else {
            shown
        }
    }

    /// A text with what its references stand for.
    pub fn fill(&mut self, text: &str) -> Result<String, String> {
        self.variables.text(text, self.ground.passwords)
    }

    /// What a command is done to.
    pub fn element(&mut self, command: &Command) -> Result<Element, String> {
        Element::of(command, |text| {
            self.variables.text(text, self.ground.passwords)
        })
    }

    /// Writes an action, if a journey can have it.
    pub fn write(
        &mut self,
        action: Value,
        role: Role,
        label: Option<String>,
    ) -> Result<(), String> {
        self.accept(&action)?;
        let opens_dialog = matches!(role, Role::Open | Role::Do);
        if let Some(tab) = self.windows.bring_forward()? {
            self.items.push(Item::Action {
                action: tab,
                role: Role::Beside,
                label: None,
            });
        }
        if role == Role::Do
            && let Some(held) = self.held.take()
        {
            held.left_out(self);
        }
        if opens_dialog {
            self.focus = None;
        }
        let label = label.filter(|label| !self.ground.passwords.stand_in(label));
        self.items.push(Item::Action {
            action,
            role,
            label,
        });
        if opens_dialog && let Some(dialog) = self.next_dialog.take() {
            self.items.push(Item::Dialog(dialog));
        }
        Ok(())
    }

    /// Whether a journey takes this action, and may have it.
    pub fn accept(&self, action: &Value) -> Result<(), String> {
        accept(action, self.ground.passwords)
    }
}

/// Whether a journey takes this action, and may have it.
pub fn accept(action: &Value, passwords: &Passwords) -> Result<(), String> {
    if texts(action).any(|text| passwords.stand_in(text)) {
        return Err("it shows what is typed as a password elsewhere".into());
    }
    Timed::deserialize(action.clone())
        .map(drop)
        .map_err(|error| {
            let told = error.message().lines().next();
            told.unwrap_or_default().to_owned()
        })
}

/// Every text in it.
pub fn texts(value: &Value) -> Box<dyn Iterator<Item = &str> + '_> {
    match value {
        Value::String(text) => Box::new(std::iter::once(text.as_str())),
        Value::Array(values) => Box::new(values.iter().flat_map(texts)),
        Value::Table(table) => Box::new(table.values().flat_map(texts)),
        _ => Box::new(std::iter::empty()),
    }
}

/// `{ key = value }`.
pub fn table(key: &str, value: impl Into<Value>) -> Value {
    Value::Table(Table::from_iter([(key.to_owned(), value.into())]))
}

/// `{ key = value, ... }`.
pub fn entries<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Table(
        entries
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    )
}

/// One selector, or a list of them.
pub fn target(element: &Element) -> Value {
    match element.selectors().as_slice() {
        [only] => only.as_str().into(),
        several => Value::Array(
            several
                .iter()
                .map(|selector| selector.as_str().into())
                .collect(),
        ),
    }
}
