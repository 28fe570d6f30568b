//! Tests that others run: actions that journeys share.

use vigia_contract::slug::slug;

use super::{
    draft::{Line, print_fragment},
    remark::Remark,
    side::Test,
    variables::{Known, Variables},
    walk::{Ground, Item, Running, Walk},
    windows::Windows,
};

/// Shared actions with what they leave behind.
#[derive(Clone, Debug)]
pub struct Fragment {
    /// The test's name.
    pub test: String,
    /// Its file, relative to the journeys.
    pub file: String,
    /// What its users must give.
    pub parameters: Vec<String>,
    /// What the reader of the project must know.
    pub remarks: Vec<Remark>,
    lines: Vec<Line>,
    after: Vec<(String, Known)>,
    windows: Windows,
    frames: usize,
    longest_wait_ms: u64,
    pauses_ms: u64,
    basic_auth: Option<(String, String, String)>,
}

/// The shared actions of these tests.
pub fn of<'p>(ground: Ground<'p>, tests: &[&'p Test]) -> Vec<Fragment> {
    let mut fragments: Vec<Fragment> = Vec::new();
    for test in tests {
        let taken = |name: &str| fragments.iter().any(|known| known.file == file(name));
        let name = super::free(&slug(&test.name), "shared", taken);
        fragments.push(one(ground, test, file(&name)));
    }
    fragments
}

fn file(name: &str) -> String {
    format!("fragments/{name}.toml")
}

fn one<'p>(ground: Ground<'p>, test: &'p Test, file: String) -> Fragment {
    let mut walk = Walk::new(ground, Running::InPlace);
    walk.variables = Variables::of_fragment();
    walk.through(test);
    let parameters = walk.variables.parameters.take().unwrap_or_default();
    let lines = walk.items.iter().filter_map(line).collect();
    Fragment {
        test: test.name.clone(),
        file,
        parameters: parameters.into_iter().collect(),
        lines,
        after: walk
            .variables
            .all()
            .map(|(name, known)| (name.clone(), known.clone()))
            .collect(),
        windows: walk.windows,
        frames: walk.frames,
        longest_wait_ms: walk.longest_wait_ms,
        pauses_ms: walk.pauses_ms,
        basic_auth: walk.basic_auth,
        remarks: walk.remarks,
    }
}

/// In a file without steps a title is a remark.
fn line(item: &Item) -> Option<Line> {
    match item {
        Item::Title(said) | Item::Comment(said) => Some(Line::Comment(said.clone())),
        Item::Action { action, .. } => Some(Line::Action(action.clone())),
        Item::Dialog(dialog) => Some(Line::Action(dialog.written())),
        Item::Use { .. } => None,
    }
}

impl Fragment {
    /// It does something.
    pub fn does_something(&self) -> bool {
        self.lines
            .iter()
            .any(|line| matches!(line, Line::Action(_)))
    }

    /// What a journey knows behind it.
    pub fn leave_behind(&self, walk: &mut Walk<'_>) {
        for (name, known) in &self.after {
            match known {
                // It would have to be put together from what the journey gave.
                Known::Text(text) if text.contains("${") => walk.variables.forget(name),
                known => walk.variables.set(name, known.clone()),
            }
        }
        if self.windows.several() {
            walk.windows = self.windows.clone();
        }
        walk.frames = self.frames;
        walk.longest_wait_ms = walk.longest_wait_ms.max(self.longest_wait_ms);
        walk.pauses_ms += self.pauses_ms;
        if walk.basic_auth.is_none() {
            walk.basic_auth.clone_from(&self.basic_auth);
        }
    }

    /// Its file.
    pub fn print(&self, project: &str) -> String {
        let header = [format!(
            "Imported from {project}, test {:?}: other tests run it.",
            self.test
        )];
        print_fragment(&header, &self.parameters, &self.lines)
    }
}
