//! A journey: one user workflow through a system, as it is ready to be run.
//!
//! Behind this module nothing is a string that means something else: selectors are parsed, durations are durations,
//! variables are filled in. Only secrets stay references until the moment they are typed.

mod action;
mod change;
mod code;
mod device;
mod dialog;
mod download;
mod elements;
mod emulation;
mod expectation;
mod external;
mod file;
mod fragment;
mod frame;
mod key;
mod mouse;
mod network;
mod network_speed;
mod one_time_code;
mod proxy;
mod retry;
mod schema;
mod screenshot;
mod select;
mod selector;
mod several;
mod short_form;
mod store;
mod stored_names;
mod tab;
mod target;
mod timed;
mod typed;
mod typing;
mod upload;
mod viewport;

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use vigia_contract::{data_model::Impact, secret::Template};

pub use action::{Action, Fill};
pub use change::Change;
pub use code::Code;
pub use device::{CHROME_VERSION, Device};
pub use dialog::{Answer as DialogAnswer, Dialog};
pub use download::Download;
pub use elements::Elements;
pub use emulation::Emulation;
pub use expectation::{Console, Count, Expectation, ShownText, Status};
pub use external::{ARTIFACTS_PLACE, External, FixedPlaces, FixedReports, REPORT_PLACE};
pub use file::{CleanupTable, Every, Looks, Name, read};
pub use frame::FramePath;
pub use key::Key;
pub use mouse::{Button, Click, Distance, Drag, Hover, Modifier, Offset, Scroll};
pub use network::{BasicAuth, ClientCertificate, Cookie, Headers, SetCookie};
pub use network_speed::NetworkSpeed;
pub use one_time_code::CodeKey;
pub use proxy::Proxy;
pub use retry::Retry;
pub use schema::{Kind as SchemaOf, schema};
pub use screenshot::Screenshot;
pub use select::Select;
pub use selector::Selector;
pub use several::Several;
pub use store::{Script, Store};
pub use tab::Tab;
pub use target::Target;
pub use timed::Timed;
pub use typed::{Part, Typed};
pub use typing::{Press, Type};
pub use upload::{Destination, Upload};
pub use viewport::Viewport;

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
    /// How often a run that fails is tried, and when.
    pub retry: Retry,
    /// The whole of it taking longer than this is slow, not failed.
    pub budget: Option<Duration>,
    /// The names of the variables that its file has.
    pub variables: BTreeSet<String>,
    /// The files of the fragments that it uses.
    pub fragments: Vec<PathBuf>,
    /// Who takes it, and how.
    pub kind: Kind,
}

/// Who takes a journey.
#[derive(Clone, Debug)]
pub enum Kind {
    /// This program, in its browser.
    Browser(Walk),
    /// Another program.
    External(External),
}

/// What is done in the browser.
#[derive(Clone, Debug)]
pub struct Walk {
    /// After this an action that cannot be done, or an expectation that is not met, has failed.
    pub action_timeout: Duration,
    /// Which windows and frames it looks at without being told.
    pub looks: Looks,
    /// What its pages are told about the user's machine.
    pub emulation: Emulation,
    /// What its requests go through.
    pub proxy: Option<Proxy>,
    /// For servers that ask for a name and a password before they show anything.
    pub basic_auth: Vec<BasicAuth>,
    /// For servers that want to see one before they talk.
    pub client_certificates: Vec<ClientCertificate>,
    /// What is sent along with requests.
    pub headers: Vec<Headers>,
    /// A run that fails leaves a picture of the whole page too.
    pub full_page: bool,
    /// In the order in which a user takes them; never empty.
    pub steps: Vec<Step>,
    /// What is tidied up after every run, whatever became of it.
    pub cleanup: Vec<CleanupStep>,
    /// How long all of that may take.
    pub cleanup_timeout: Duration,
}

impl Journey {
    /// `system/name`: unique.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.system, self.name)
    }

    /// The steps as its file has them; those of an external journey are only known from its report.
    pub fn steps(&self) -> &[Step] {
        match &self.kind {
            Kind::Browser(walk) => &walk.steps,
            Kind::External(_) => &[],
        }
    }

    /// The names of the secrets that it needs, each once.
    pub fn secrets(&self) -> BTreeSet<&str> {
        match &self.kind {
            Kind::Browser(walk) => walk.secrets(),
            Kind::External(external) => external.secrets(),
        }
    }

    /// The names of what it has from this process's environment.
    pub fn passed_environment(&self) -> impl Iterator<Item = &str> {
        let passed = match &self.kind {
            Kind::Browser(_) => None,
            Kind::External(external) => Some(&external.pass_environment),
        };
        passed.into_iter().flatten().map(String::as_str)
    }

    /// The names of the secrets among them that hold the keys of one-time codes.
    pub fn codes(&self) -> BTreeSet<&str> {
        match &self.kind {
            Kind::Browser(walk) => walk.actions().flat_map(Action::codes).collect(),
            Kind::External(_) => BTreeSet::new(),
        }
    }
}

impl Walk {
    /// All that it does, the clean-up at the end.
    fn actions(&self) -> impl Iterator<Item = &Action> {
        let steps = self.steps.iter().map(|step| &step.actions);
        let cleanup = self.cleanup.iter().map(|step| &step.actions);
        let timed = steps.chain(cleanup).flatten();
        timed.map(|timed| &timed.action)
    }

    fn secrets(&self) -> BTreeSet<&str> {
        let logins = self.basic_auth.iter();
        let logins = logins.flat_map(|login| login.user.secrets().chain(login.password.secrets()));
        let certificates = self.client_certificates.iter();
        let certificates = certificates.flat_map(|own| {
            let key = own.key.iter().flat_map(Template::secrets);
            own.certificate.secrets().chain(key)
        });
        let headers = self.headers.iter().flat_map(|headers| headers.set.values());
        let proxy = self.proxy.iter().filter_map(|proxy| proxy.login.as_ref());
        let proxy = proxy.flat_map(|login| login.user.secrets().chain(login.password.secrets()));
        self.actions()
            .flat_map(Action::secrets)
            .chain(logins)
            .chain(certificates)
            .chain(proxy)
            .chain(headers.flat_map(Template::secrets))
            .collect()
    }

    /// Whether it waits for a file.
    pub fn downloads(&self) -> bool {
        self.actions()
            .any(|action| matches!(action, Action::Expect(Expectation::Download(_))))
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
    pub actions: Vec<Timed>,
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
    /// The journey goes on where it fails.
    pub optional: bool,
    /// Never empty.
    pub actions: Vec<Timed>,
}
