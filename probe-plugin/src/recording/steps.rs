//! Groups what was recorded into the steps of a journey, and names them.

use std::ops::Range;

use toml::Value;
use vigia_contract::slug::slug;

use super::{
    actions::{Looking, press, written},
    recorded::{Done, Recorded, Recording},
    selector::spoken,
};

/// A step of a journey as a person would have written it.
#[derive(Clone, Debug)]
pub struct WrittenStep {
    /// As a person reads it; no other step of the journey is called so.
    pub name: String,
    /// Never empty.
    pub actions: Vec<WrittenAction>,
}

/// An action in its written form.
#[derive(Clone, Debug)]
pub struct WrittenAction {
    /// A table with a key that names it, and maybe `timeout`.
    pub value: Value,
    /// The recorded step that it comes from.
    pub of: Origin,
}

/// A recorded step, as mistakes name it.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Where it stands in the file.
    pub at: Range<usize>,
    /// ``step 3, `click` ``.
    pub named: String,
}

impl Origin {
    /// Of a recorded step.
    pub fn of(step: &Recorded) -> Self {
        Self {
            at: step.at.clone(),
            named: format!("step {}, `{}`", step.number, step.kind),
        }
    }
}

/// What is wrong with a recorded step.
#[derive(Debug)]
pub struct Wrong {
    /// Which.
    pub of: Origin,
    /// Ended by a hint.
    pub what: String,
}

/// The steps, and everything that cannot be played.
pub fn group(recording: &Recording) -> (Vec<WrittenStep>, Vec<Wrong>) {
    let mut wrong = Vec::new();
    let mut names = Names::default();
    let mut looking = Looking::default();
    let mut steps = Vec::new();
    let mut page = None;
    for group in groups(&recording.steps) {
        let actions = actions(group, &mut looking, &mut wrong);
        if actions.is_empty() {
            if let Some(first) = group.first().filter(|first| first.title.is_some()) {
                wrong.push(Wrong {
                    of: Origin::of(first),
                    what: "nothing is done under this title\nhint: put it before what it names, or take it out".into(),
                });
            }
            continue;
        }
        steps.push(WrittenStep {
            name: names.another(name(group).or_else(|| page.clone())),
            actions,
        });
        page = reached(group).map(str::to_owned).or(page);
    }
    (steps, wrong)
}

/// Where the user gives titles, one ends where the next begins; elsewhere, where another page is reached.
fn groups(steps: &[Recorded]) -> impl Iterator<Item = &[Recorded]> {
    let titled = steps.iter().any(|step| step.title.is_some());
    steps.chunk_by(move |before, step| {
        if titled {
            step.title.is_none()
        } else {
            before.navigations.is_empty()
        }
    })
}

fn actions(
    group: &[Recorded],
    looking: &mut Looking,
    wrong: &mut Vec<Wrong>,
) -> Vec<WrittenAction> {
    let mut actions = Vec::new();
    let mut rest = group;
    while let [step, behind @ ..] = rest {
        let of = Origin::of(step);
        let (values, played) = match (pressed(step, behind), ends_the_run(step, behind)) {
            (Some((key, both)), _) => (Ok(press(&both, key, looking)), 2),
            // The run closes its windows itself.
            (None, true) => (Ok(Vec::new()), 1),
            (None, false) => (written(step, looking), 1),
        };
        match values {
            Ok(values) => actions.extend(values.into_iter().map(|value| WrittenAction {
                value,
                of: of.clone(),
            })),
            Err(what) => wrong.push(Wrong { of, what }),
        }
        rest = &rest[played..];
    }
    actions
}

/// A key that goes down and at once up again is pressed.
fn pressed<'s>(step: &'s Recorded, behind: &[Recorded]) -> Option<(&'s str, Recorded)> {
    let (Done::KeyDown { key: down }, Some(next)) = (&step.done, behind.first()) else {
        return None;
    };
    let Done::KeyUp { key: up } = &next.done else {
        return None;
    };
    let together = down == up
        && next.title.is_none()
        && step.target == next.target
        && step.frame == next.frame
        && step.navigations.is_empty();
    let both = Recorded {
        navigations: next.navigations.clone(),
        ..step.clone()
    };
    together.then_some((down, both))
}

fn ends_the_run(step: &Recorded, behind: &[Recorded]) -> bool {
    matches!(step.done, Done::Close) && step.target.is_none() && behind.is_empty()
}

/// What the user calls it, or else what is clicked last in it, or else what is looked at, or else the page that is opened;
/// nothing where it has none of these.
fn name(group: &[Recorded]) -> Option<String> {
    let title = group.first().and_then(|step| step.title.clone());
    let clicked = || {
        group.iter().rev().find_map(|step| match &step.done {
            Done::Click(click) | Done::DoubleClick(click) => spoken(&click.selectors),
            _ => None,
        })
    };
    let looked_at = || {
        group.iter().rev().find_map(|step| match &step.done {
            Done::Change(change) => spoken(&change.selectors),
            Done::Hover(on) => spoken(&on.selectors),
            Done::WaitForElement(wait) => spoken(&wait.selectors),
            _ => None,
        })
    };
    let opened = || {
        group.iter().rev().find_map(|step| match &step.done {
            Done::Navigate { url } => {
                let titles = step.navigations.iter().map(|page| page.title.trim());
                let title = titles.rev().find(|title| !title.is_empty());
                Some(title.unwrap_or(path_of(url)).to_owned())
            }
            _ => None,
        })
    };
    title.or_else(clicked).or_else(looked_at).or_else(opened)
}

/// The title of the page that it leads to.
fn reached(group: &[Recorded]) -> Option<&str> {
    let pages = group.iter().flat_map(|step| &step.navigations);
    let titles = pages.map(|page| page.title.trim());
    titles.rev().find(|title| !title.is_empty())
}

/// Without scheme, query and fragment.
fn path_of(url: &str) -> &str {
    let path = url.split_once("://").map_or(url, |(_, path)| path);
    path.split(['?', '#']).next().unwrap_or(path)
}

/// The longest name: a text that is clicked may be a whole paragraph.
const NAME_MAX: usize = 60;

#[derive(Default)]
struct Names {
    taken: Vec<String>,
}

impl Names {
    /// Where it is taken, or says nothing, a number makes it a name of its own.
    fn another(&mut self, wanted: Option<String>) -> String {
        let wanted = wanted.unwrap_or_default();
        let wanted: String = wanted.trim().chars().take(NAME_MAX).collect();
        let base = if slug(&wanted).is_empty() {
            format!("Step {}", self.taken.len() + 1)
        } else {
            wanted
        };
        let mut name = base.clone();
        for number in 2.. {
            if !self.taken.contains(&slug(&name)) {
                break;
            }
            name = format!("{base} {number}");
        }
        self.taken.push(slug(&name));
        name
    }
}
