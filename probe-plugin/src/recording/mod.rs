//! A recording of Chrome's Recorder, played as a journey.
//!
//! The file says what is done; what a journey has besides (system, impact, schedule) is said beside it. Each recorded step
//! becomes actions in the form in which an operator would write them, and these are read as an operator's are: nothing here
//! plays anything.

mod actions;
mod file;
mod recorded;
mod selector;
mod steps;

use std::{collections::BTreeSet, path::Path, time::Duration};

use serde::Deserialize;
use vigia_contract::{
    data_model::Impact,
    mistake::{Mistake, Source},
    slug::slug,
    variables::{Variables, fill_in},
};

use crate::journey::{Emulation, Journey, Kind, Looks, Retry, Step, Timed, Walk};
use recorded::{Done, Recording};
use steps::{Origin, Wrong};

pub use steps::{WrittenAction, WrittenStep};

/// How long an action may take where the recording does not say: Puppeteer Replay's own.
pub const ACTION_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a run may take where nobody says.
const TIMEOUT: Duration = Duration::from_mins(1);

/// How long the clean-up may take, though a recording has none.
const CLEANUP_TIMEOUT: Duration = Duration::from_secs(10);

/// What a journey has that no recording says.
#[derive(Clone, Debug)]
pub struct Head {
    /// A slug.
    pub system: String,
    /// A slug; nothing: that of the recording's title.
    pub name: Option<String>,
    /// How much it matters.
    pub impact: Impact,
    /// From the start of one run to the start of the next.
    pub every: Duration,
    /// After this the run has failed; one minute where it is left out.
    pub timeout: Option<Duration>,
}

/// What a recording says, in the written form of a journey.
#[derive(Clone, Debug)]
pub struct Written {
    /// As the user called it.
    pub title: String,
    /// For each action that has none of its own.
    pub action_timeout: Duration,
    /// Its steps. They are meant for a journey that `looks = "where_told"`.
    pub steps: Vec<WrittenStep>,
}

/// Whether a file is a recording and not a journey.
pub fn is_recording(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "json")
}

/// Reads a recording as the journey that it is; `variables` fill in every `${name}` of its addresses and values.
pub fn read(path: &Path, head: &Head, variables: &Variables) -> Result<Journey, Vec<Mistake>> {
    let source = Source::read(path).map_err(|mistake| vec![mistake])?;
    let mut mistakes = Vec::new();
    let Some(mut recording) = file::parse(&source, &mut mistakes) else {
        return Err(mistakes);
    };
    let used = fill(&mut recording, &source, variables, &mut mistakes);
    let written = write_down(recording, &source, &mut mistakes);
    let steps = written
        .steps
        .into_iter()
        .map(|step| Step {
            slug: slug(&step.name),
            name: step.name,
            budget: None,
            optional: false,
            actions: read_actions(&step.actions, &source, &mut mistakes),
        })
        .collect();
    let name = head.name.clone().unwrap_or_else(|| slug(&written.title));
    if name.is_empty() {
        mistakes.push(source.mistake(
            0..0,
            format!("the title `{}` has no letter or digit", written.title),
            "give the recording a title, or `name` where it is listed",
        ));
    }
    if !mistakes.is_empty() {
        return Err(in_order(mistakes));
    }
    let timeout = head.timeout.unwrap_or(TIMEOUT);
    Ok(Journey {
        system: head.system.clone(),
        name,
        impact: head.impact,
        every: head.every,
        timeout,
        retry: Retry::default(),
        budget: None,
        fragments: Vec::new(),
        variables: used,
        kind: Kind::Browser(Walk {
            action_timeout: written.action_timeout.min(timeout),
            looks: Looks::WhereTold,
            emulation: Emulation::default(),
            proxy: None,
            basic_auth: Vec::new(),
            client_certificates: Vec::new(),
            headers: Vec::new(),
            full_page: false,
            steps,
            cleanup: Vec::new(),
            cleanup_timeout: CLEANUP_TIMEOUT,
        }),
    })
}

/// Reads a recording to be written down as a journey's file; every mistake at once, those of its selectors and keys among
/// them. References such as `${name}` stay as they are.
pub fn written(source: &Source) -> Result<Written, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let Some(recording) = file::parse(source, &mut mistakes) else {
        return Err(mistakes);
    };
    let written = write_down(recording, source, &mut mistakes);
    for step in &written.steps {
        read_actions(&step.actions, source, &mut mistakes);
    }
    if mistakes.is_empty() {
        Ok(written)
    } else {
        Err(in_order(mistakes))
    }
}

fn write_down(recording: Recording, source: &Source, mistakes: &mut Vec<Mistake>) -> Written {
    let (steps, wrong) = steps::group(&recording);
    mistakes.extend(
        wrong
            .into_iter()
            .map(|Wrong { of, what }| mistake(source, &of, &what)),
    );
    Written {
        title: recording.title,
        action_timeout: recording.timeout.unwrap_or(ACTION_TIMEOUT),
        steps,
    }
}

fn in_order(mut mistakes: Vec<Mistake>) -> Vec<Mistake> {
    mistakes.sort_by_key(|mistake| {
        let place = mistake.place.as_ref();
        place.map(|place| (place.line, place.column))
    });
    mistakes
}

fn read_actions(
    written: &[WrittenAction],
    source: &Source,
    mistakes: &mut Vec<Mistake>,
) -> Vec<Timed> {
    let mut actions = Vec::new();
    for WrittenAction { value, of } in written {
        match Timed::deserialize(value.clone()) {
            Ok(timed) => actions.push(timed),
            Err(error) => mistakes.push(mistake(source, of, error.message())),
        }
    }
    actions
}

/// What is wrong with a recorded step; a hint may stand behind it.
fn mistake(source: &Source, of: &Origin, told: &str) -> Mistake {
    let told = told.trim_end();
    let (what, hint) = told
        .split_once("\nhint: ")
        .unwrap_or((told, "compare it with what Chrome's Recorder exports"));
    source.mistake(of.at.clone(), format!("{}: {what}", of.named), hint)
}

/// Puts variables into addresses and values, and says which it has. What JavaScript and selectors hold is theirs.
fn fill(
    recording: &mut Recording,
    source: &Source,
    variables: &Variables,
    mistakes: &mut Vec<Mistake>,
) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for step in &mut recording.steps {
        let origin = Origin::of(step);
        let own = match &mut step.done {
            Done::Navigate { url } => Some(url),
            Done::Change(change) => Some(&mut change.value),
            _ => None,
        };
        let pages = step.navigations.iter_mut();
        let pages = pages.flat_map(|page| [&mut page.url, &mut page.title]);
        for text in own.into_iter().chain(pages).chain(&mut step.target) {
            used.extend(fill_in(text, &Variables::new()).err().into_iter().flatten());
            match fill_in(text, variables) {
                Ok(filled) => *text = filled,
                Err(unknown) => mistakes.extend(unknown.into_iter().map(|name| {
                    let told = format!("unknown variable `${{{name}}}`\nhint: give it a value where the recording is listed: variables = {{ {name} = \"...\" }}");
                    mistake(source, &origin, &told)
                })),
            }
        }
    }
    used
}
