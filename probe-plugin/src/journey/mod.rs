//! A journey: one user workflow through a system, as it is ready to be run.
//!
//! Behind this module nothing is a string that means something else: selectors are parsed, durations are durations,
//! variables are filled in. Only secrets stay references until the moment they are typed.

mod action;
mod dialog;
mod file;
mod key;
mod mouse;
mod select;
mod selector;
mod several;
mod tab;
mod target;
mod typing;
mod upload;

use std::{collections::BTreeSet, time::Duration};

use vigia_contract::data_model::Impact;

pub use action::{Action, Expectation, Fill};
pub use dialog::{Answer as DialogAnswer, Dialog};
pub use file::{Every, read};
pub use key::Key;
pub use mouse::{Button, Click, Distance, Drag, Hover, Modifier, Offset, Scroll};
pub use select::Select;
pub use selector::Selector;
pub use several::Several;
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
