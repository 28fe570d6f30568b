//! A journey: one user workflow through a system, as it is ready to be run.
//!
//! Behind this module nothing is a string that means something else: selectors are parsed, durations are durations,
//! variables are filled in. Only secrets stay references until the moment they are typed.

mod action;
mod download;
mod file;
mod key;
mod network;
mod one_time_code;
mod selector;
mod target;
mod typed;

use std::{collections::BTreeSet, time::Duration};

use vigia_contract::{data_model::Impact, secret::Template};

pub use action::{Action, Expectation, Fill};
pub use download::Download;
pub use file::{Every, read};
pub use key::Key;
pub use network::{BasicAuth, Cookie, Headers, SetCookie};
pub use one_time_code::CodeKey;
pub use selector::Selector;
pub use target::Target;
pub use typed::{Part, Typed};

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
    /// For servers that ask for a name and a password before they show anything.
    pub basic_auth: Vec<BasicAuth>,
    /// What is sent along with requests.
    pub headers: Vec<Headers>,
    /// In the order in which a user takes them; never empty.
    pub steps: Vec<Step>,
}

impl Journey {
    /// The names of the secrets that it needs, each once.
    pub fn secrets(&self) -> BTreeSet<&str> {
        let actions = self.steps.iter().flat_map(|step| &step.actions);
        let logins = self.basic_auth.iter();
        let logins = logins.flat_map(|login| login.user.secrets().chain(login.password.secrets()));
        let headers = self.headers.iter().flat_map(|headers| headers.set.values());
        actions
            .flat_map(Action::secrets)
            .chain(logins)
            .chain(headers.flat_map(Template::secrets))
            .collect()
    }

    /// Whether it waits for a file.
    pub fn downloads(&self) -> bool {
        let mut actions = self.steps.iter().flat_map(|step| &step.actions);
        actions.any(|action| matches!(action, Action::Expect(Expectation::Download(_))))
    }

    /// The names of the secrets among them that hold the keys of one-time codes.
    pub fn codes(&self) -> BTreeSet<&str> {
        let actions = self.steps.iter().flat_map(|step| &step.actions);
        actions
            .filter_map(Action::codes)
            .flat_map(|(_, names)| names)
            .collect()
    }
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
