//! Which window a test looks at, and which one a journey would have in front.
//!
//! Selenium stays where it is until it is told to turn; a journey follows the windows that open and close, as a user does.
//! So a `tab` is only written where the two differ.

use std::collections::BTreeMap;

use toml::Value;

use super::walk::table;

const MAIN: usize = 0;

/// The windows at a command.
#[derive(Clone, Debug)]
pub struct Windows {
    /// The variables that hold them.
    names: BTreeMap<String, usize>,
    /// By which one each was opened; those that are open.
    openers: BTreeMap<usize, usize>,
    titles: BTreeMap<usize, String>,
    /// How many there have been.
    count: usize,
    front: usize,
    /// Nothing after it was closed.
    selected: Option<usize>,
}

impl Default for Windows {
    fn default() -> Self {
        Self {
            names: BTreeMap::new(),
            openers: BTreeMap::new(),
            titles: BTreeMap::new(),
            count: 1,
            front: MAIN,
            selected: Some(MAIN),
        }
    }
}

impl Windows {
    /// The action that was just done opened one.
    pub fn opened(&mut self, name: &str) {
        let new = self.count;
        self.count += 1;
        self.openers.insert(new, self.front);
        self.names.insert(name.trim().to_owned(), new);
        self.front = new;
    }

    /// The variable holds the one that the test looks at.
    pub fn remember(&mut self, name: &str) {
        if let Some(selected) = self.selected {
            self.names.insert(name.trim().to_owned(), selected);
        }
    }

    /// The test expects this title of it.
    pub fn has_title(&mut self, title: &str) {
        if let Some(selected) = self.selected {
            self.titles.insert(selected, title.to_owned());
        }
    }

    /// Whether any was opened.
    pub fn several(&self) -> bool {
        self.count > 1
    }

    /// The test turns to one: `handle=${win12}`. Returns what must be written for it at once.
    pub fn select(&mut self, locator: &str) -> Result<Option<Value>, String> {
        let locator = locator.trim();
        if let Some(title) = locator.strip_prefix("title=") {
            self.front = self.count;
            self.selected = Some(self.count);
            self.count += 1;
            return Ok(Some(table("tab", table("title", title))));
        }
        if matches!(locator, "win_ser_local" | "null" | "local") {
            self.selected = Some(MAIN);
            return Ok(None);
        }
        let name = locator.strip_prefix("handle=").unwrap_or(locator);
        let name = name
            .strip_prefix("${")
            .and_then(|name| name.strip_suffix('}'))
            .unwrap_or(name);
        let known = self.names.get(name).copied();
        let window = known.ok_or_else(|| format!("no command before it says which window `{name}` is; write {{ tab = {{ title = \"...\" }} }}"))?;
        if window != MAIN && !self.openers.contains_key(&window) {
            return Err(format!("the window `{name}` is closed by then"));
        }
        self.selected = Some(window);
        Ok(None)
    }

    /// What must be written before something is done in the window that the test looks at.
    pub fn bring_forward(&mut self) -> Result<Option<Value>, String> {
        let Some(selected) = self.selected else {
            // Selenium would fail; a journey goes on in the window that opened it.
            return Ok(None);
        };
        if selected == self.front {
            return Ok(None);
        }
        let tab = if selected == MAIN {
            table("tab", "main")
        } else if let Some(title) = self.titles.get(&selected) {
            table("tab", table("title", title.as_str()))
        } else {
            return Err("it is done in a window that is not in front by then, and nothing says its title; write { tab = { title = \"...\" } } before it".into());
        };
        self.front = selected;
        Ok(Some(tab))
    }

    /// The test closes the one that it looks at. False: it is the first and only one, which ends with the journey.
    pub fn close(&mut self) -> bool {
        if self.front == MAIN && self.openers.is_empty() {
            return false;
        }
        self.selected = None;
        self.front = self.openers.remove(&self.front).unwrap_or(MAIN);
        true
    }
}
