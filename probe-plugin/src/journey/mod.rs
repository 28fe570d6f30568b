//! A journey: one user workflow through a system, as it is ready to be run.
//!
//! Behind this module nothing is a string that means something else: selectors are parsed, durations are durations,
//! variables are filled in. Only secrets stay references until the moment they are typed.

mod action;
mod code;
mod dialog;
mod expectation;
mod file;
mod fragment;
mod key;
mod mouse;
mod select;
mod selector;
mod several;
mod short_form;
mod store;
mod stored_names;
mod tab;
mod target;
mod typing;
mod upload;

use std::{collections::BTreeSet, time::Duration};

use vigia_contract::data_model::Impact;

pub use action::{Action, Fill};
pub use code::Code;
pub use dialog::{Answer as DialogAnswer, Dialog};
pub use expectation::{Console, Count, Expectation, ShownText, Status};
pub use file::{Every, read};
pub use key::Key;
pub use mouse::{Button, Click, Distance, Drag, Hover, Modifier, Offset, Scroll};
pub use select::Select;
pub use selector::Selector;
pub use several::Several;
pub use store::{Script, Store};
pub use tab::Tab;
pub use target::Target;
pub use typing::{Press, Type};
pub use upload::{Destination, Upload};

/// One user workflow through a system.
#[derive(Clone, Debug)]
pub struct Journey {
    /// What users call the thing that they use; a slug.
    pub system: String,
    /// The journey's own name; a slug, unique within its system.
    pub name: String,
    /// How much it matters.
    pub impact: Impact,
    /// From the start of one run to the start of the next.
    pub every: Duration,
    /// After this the run has failed, wherever it stands.
    pub timeout: Duration,
    /// After this an action that cannot be done, or an expectation that is not met, has failed.
    pub action_timeout: Duration,
    /// The names of the variables that its file has.
    pub variables: BTreeSet<String>,
    /// In the order in which a user takes them; never empty.
    pub steps: Vec<Step>,
    /// What is tidied up after every run, whatever became of it.
    pub cleanup: Vec<CleanupStep>,
    /// How long all of that may take.
    pub cleanup_timeout: Duration,
}

impl Journey {
    /// The names of the secrets that it needs.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let steps = self.steps.iter().map(|step| &step.actions);
        let cleanup = self.cleanup.iter().map(|step| &step.actions);
        steps.chain(cleanup).flatten().flat_map(Action::secrets)
    }
}

/// A part of what is tidied up after a run; it is neither timed nor reported.
#[derive(Clone, Debug)]
pub struct CleanupStep {
    /// As a person reads it.
    pub name: String,
    /// What the run must have stored; without it there is nothing to tidy up.
    pub needs: BTreeSet<String>,
    /// Never empty.
    pub actions: Vec<Action>,
}

/// A named part of a journey that is timed and reported.
#[derive(Clone, Debug)]
pub struct Step {
    /// As a person reads it.
    pub name: String,
    /// The same for tags; unique within its journey.
    pub slug: String,
    /// Longer is slow, not failed.
    pub budget: Option<Duration>,
    /// Never empty.
    pub actions: Vec<Action>,
}
