//! Parts what a test does into steps with names: where a person wrote titles, by these; else at every page that is opened
//! and after everything that is looked at.

use std::collections::HashSet;

use vigia_contract::slug::slug;

use super::{
    draft::{Line, StepDraft, Use},
    walk::{Item, Role, Walk},
};

/// A step under way.
#[derive(Debug, Default)]
struct Open {
    step: StepDraft,
    /// What the person wrote, or the test that it uses.
    title: Option<String>,
    /// What was clicked last.
    clicked: Option<String>,
    /// The page that is opened.
    page: Option<String>,
    /// What else was used last.
    used: Option<String>,
    /// Something was looked at since something was done.
    looked: bool,
    /// What stands before the next action, in whichever step.
    comments: Vec<Line>,
}

impl Open {
    fn is_empty(&self) -> bool {
        self.step.uses.is_none()
            && !self
                .step
                .lines
                .iter()
                .any(|line| matches!(line, Line::Action(_)))
    }

    fn act(&mut self, line: Line) {
        self.step.lines.append(&mut self.comments);
        self.step.lines.push(line);
    }

    /// Ends the step, if it does anything; what is told goes on with the next.
    fn end(&mut self, steps: &mut Vec<StepDraft>) {
        if self.is_empty() {
            return;
        }
        let ended = std::mem::take(self);
        self.comments = ended.comments;
        let name = ended.title.or(ended.clicked).or(ended.page).or(ended.used);
        let name = name.unwrap_or_default();
        steps.push(StepDraft { name, ..ended.step });
    }
}

/// The steps of a journey; each does something.
pub fn of(walk: &Walk<'_>) -> Vec<StepDraft> {
    let titled = walk.items.iter().any(|item| matches!(item, Item::Title(_)));
    let mut steps = Vec::new();
    let mut open = Open::default();
    for item in &walk.items {
        match item {
            Item::Title(said) => {
                open.end(&mut steps);
                if let Some(before) = open.title.replace(said.clone()) {
                    open.comments.push(Line::Comment(before));
                }
            }
            Item::Comment(said) => open.comments.push(Line::Comment(said.clone())),
            Item::Dialog(dialog) => open.act(Line::Action(dialog.written())),
            Item::Use { test, with } => {
                open.end(&mut steps);
                let file = walk
                    .ground
                    .fragments
                    .iter()
                    .find(|fragment| fragment.test == *test);
                open.step.uses = file.map(|fragment| Use {
                    file: fragment.file.clone(),
                    with: with.clone(),
                });
                open.title.get_or_insert_with(|| test.clone());
                // What follows is a step of its own, unless it looks at what came of this.
                open.looked = true;
            }
            Item::Action {
                action,
                role,
                label,
            } => {
                let begins = match role {
                    Role::Open => true,
                    Role::Do => open.looked,
                    Role::Look | Role::Beside => false,
                };
                if begins && !titled {
                    open.end(&mut steps);
                }
                match role {
                    Role::Do => open.looked = false,
                    Role::Look => open.looked = true,
                    Role::Open | Role::Beside => {}
                }
                let is_click = action.get("click").is_some() || action.get("drag").is_some();
                let name = match role {
                    Role::Open => &mut open.page,
                    _ if is_click => &mut open.clicked,
                    _ => &mut open.used,
                };
                if label.is_some() {
                    name.clone_from(label);
                }
                open.act(Line::Action(action.clone()));
            }
        }
    }
    let left = std::mem::take(&mut open.comments);
    open.end(&mut steps);
    if let Some(last) = steps.last_mut() {
        last.lines.extend(left);
    }
    name(&mut steps);
    steps
}

/// Every step has a name of its own: its times are kept under it.
fn name(steps: &mut [StepDraft]) {
    let mut slugs = HashSet::new();
    for (index, step) in steps.iter_mut().enumerate() {
        if slug(&step.name).is_empty() {
            step.name = format!("Step {}", index + 1);
        }
        let first = step.name.clone();
        let mut number = 2;
        while !slugs.insert(slug(&step.name)) {
            step.name = format!("{first} {number}");
            number += 1;
        }
    }
}
