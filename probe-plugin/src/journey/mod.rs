//! A journey: one user workflow through a system, as it is ready to be run.
//!
//! Behind this module nothing is a string that means something else: selectors are parsed, durations are durations,
//! variables are filled in. Only secrets stay references until the moment they are typed.

mod action;
mod code;
mod expectation;
mod file;
mod key;
mod selector;
mod short_form;
mod store;
mod stored_names;
mod target;

use std::{collections::BTreeSet, time::Duration};

use vigia_contract::data_model::Impact;

pub use action::{Action, Fill};
pub use code::Code;
pub use expectation::{Console, Count, Expectation, ShownText, Status};
pub use file::{Every, read};
pub use key::Key;
pub use selector::Selector;
pub use store::{Script, Store};
pub use target::Target;

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
