//! The tabs and windows of a run: how they come and go, and which of them is in front.

use std::time::{Duration, Instant};

use headless_chrome::protocol::cdp::{Page as PageDomain, Target};
use serde::Deserialize;

use super::{Context, Metrics, PageError, prepare::prepare, send};
use crate::browser::{
    PageState, SessionId,
    connection::Event,
    frames::{Attached, WORLD},
    script::{First, Renew},
};

/// Titles are asked for this often while one is waited for: nobody announces them.
const TITLES_EVERY: Duration = Duration::from_millis(50);

/// What the browser itself answers may come this much later than the wait for a title ends.
const ANSWER_MARGIN: Duration = Duration::from_secs(2);

/// A tab, or a window that a page opened.
#[derive(Debug)]
pub struct Tab {
    /// Counted from the run's first one.
    number: u64,
    pub(super) session: SessionId,
    pub(super) target: String,
    opener: Option<String>,
    /// Nothing is loaded into it: there is no load to wait for.
    pub(super) blank: bool,
    pub(super) state: PageState,
    /// The size that the journey gave it; nothing: that of every window of the run.
    pub(super) metrics: Option<Metrics>,
}

/// `Page.windowOpen`: a page asks for a window.
#[derive(Deserialize)]
struct WindowOpen {
    url: String,
}

/// A tab that is not there yet, by who asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The run, for a blank one.
    ByRun,
    /// A page; whether anything is loaded into it.
    ByPage { loads: bool },
}

impl Tab {
    /// It has never shown anything.
    pub(super) fn is_empty(&self) -> bool {
        self.state.loader().is_empty()
    }
}

impl Context {
    /// The identity of the tab in front.
    pub fn front(&self) -> Option<&str> {
        self.tabs.last().map(|tab| tab.target.as_str())
    }

    /// The tab that has been there longest; the journey's own unless it is closed.
    pub fn oldest(&self) -> Option<&str> {
        let oldest = self.tabs.iter().min_by_key(|tab| tab.number);
        oldest.map(|tab| tab.target.as_str())
    }

    /// Whether it is still there.
    pub fn has_tab(&self, target: &str) -> bool {
        self.tabs.iter().any(|tab| tab.target == target)
    }

    /// What the tabs show, the one in front last.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.tabs.iter().map(|tab| tab.state.url())
    }

    /// The newest tab whose address has this part.
    pub fn tab_at(&self, part: &str) -> Option<&str> {
        let at = |tab: &&Tab| tab.state.url().contains(part);
        let newest = self.tabs.iter().filter(at).max_by_key(|tab| tab.number);
        newest.map(|tab| tab.target.as_str())
    }

    /// The tab whose whole address this is; the newest of several.
    pub fn tab_exactly_at(&self, address: &str) -> Option<&str> {
        let at = |tab: &&Tab| tab.state.url() == address;
        let newest = self.tabs.iter().filter(at).max_by_key(|tab| tab.number);
        newest.map(|tab| tab.target.as_str())
    }

    /// Waits for a tab whose title has this part; the newest of several.
    pub async fn tab_titled(&mut self, part: &str, deadline: Instant) -> Result<String, PageError> {
        loop {
            let connection = self.chromium.connection();
            let all = Target::GetTargets { filter: None };
            let targets = connection.call(None, &all, deadline + ANSWER_MARGIN);
            let targets = targets.await?.target_infos;
            let titled = |tab: &&Tab| {
                targets
                    .iter()
                    .any(|target| target.target_id == tab.target && target.title.contains(part))
            };
            let newest = self.tabs.iter().filter(titled).max_by_key(|tab| tab.number);
            if let Some(tab) = newest {
                return Ok(tab.target.clone());
            }
            match self.until(Instant::now() + TITLES_EVERY, |_| false).await {
                Err(PageError::Late) if Instant::now() < deadline => {}
                waited => waited?,
            }
        }
    }

    /// Brings a tab to the front.
    pub fn bring_to_front(&mut self, target: &str) {
        if let Some(index) = self.tabs.iter().position(|tab| tab.target == target) {
            let tab = self.tabs.remove(index);
            self.tabs.push(tab);
            self.send(&PageDomain::BringToFront(None));
        }
    }

    /// Closes a tab as its user does; it is gone when the browser says so. A page that asks whether it may be left is left.
    pub fn close(&self, target: &str) {
        if let Some(tab) = self.tabs.iter().find(|tab| tab.target == target) {
            send(
                self.chromium.connection(),
                &tab.session,
                &PageDomain::Close(None),
            );
        }
    }

    /// How many tabs there are, with those that are on their way.
    pub fn count_of_tabs(&self) -> usize {
        self.tabs.len() + self.asked_for.len()
    }

    pub(super) fn window_asked_for(&mut self, event: &Event) {
        let url = event
            .read()
            .map(|WindowOpen { url }| url)
            .unwrap_or_default();
        // Browsers open no window on a `data:` address.
        let loads = !(url.is_empty()
            || ["about:blank", "javascript:", "data:"]
                .iter()
                .any(|beginning| url.starts_with(beginning)));
        self.asked_for.push(Asked::ByPage { loads });
    }

    /// A tab is there, or a frame has got a process of its own: either is prepared before anything runs in it.
    pub(super) fn attached(&mut self, event: &Event) {
        let Some(attached) = event.read::<Attached>() else {
            return;
        };
        let session = SessionId(attached.session_id);
        self.interception
            .enable(self.chromium.connection(), &session);
        self.emulation.tell(self.chromium.connection(), &session);
        let is_tab = attached.target_info.r#type == "page";
        let asked = (is_tab && !self.asked_for.is_empty()).then(|| self.asked_for.remove(0));
        let first = match asked {
            Some(Asked::ByRun) => First::Bare,
            Some(Asked::ByPage { .. }) | None => First::Scripted,
        };
        prepare(self.chromium.connection(), &session, first);
        if is_tab {
            let target = attached.target_info.target_id;
            let tab = Tab {
                number: self.tabs_so_far,
                state: PageState::new(target.clone(), session.clone()),
                session,
                target,
                opener: attached.target_info.opener_id,
                blank: matches!(asked, Some(Asked::ByRun | Asked::ByPage { loads: false })),
                metrics: None,
            };
            let behind = self.windows_stay_behind && !self.tabs.is_empty();
            let place = self.tabs.len() - usize::from(behind);
            self.tabs.insert(place, tab);
            self.tabs_so_far += 1;
        } else if let Some(tab) = self.tab_of(&event.session) {
            tab.state.apply(event);
        }
    }

    /// The one that opened it is in front again, or if that is gone too, the one that was in front before.
    pub(super) fn detached(&mut self, event: &Event) {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Detached {
            session_id: String,
        }
        let Some(Detached { session_id }) = event.read() else {
            return;
        };
        let Some(index) = self.tabs.iter().position(|tab| tab.session.0 == session_id) else {
            return;
        };
        let was_in_front = index + 1 == self.tabs.len();
        let closed = self.tabs.remove(index);
        self.closed.push(closed.state);
        let there = |target: &String| self.tabs.iter().any(|tab| tab.target == *target);
        let next = closed.opener.filter(there);
        if was_in_front && let Some(next) = next.or_else(|| self.front().map(str::to_owned)) {
            self.bring_to_front(&next);
        }
    }

    /// A window whose document never comes (it is a download, it has no content, another program opens it) is closed, as
    /// browsers do: there is nothing in it to be seen.
    pub(super) fn close_without_document(&mut self, event: &Event) {
        if event.method != "Page.frameStoppedLoading" {
            return;
        }
        if let Some(tab) = self.tab_of(&event.session)
            && !tab.blank
            && tab.is_empty()
            && tab.state.frames.main().ends_here()
        {
            let close = Target::CloseTarget {
                target_id: tab.target.clone(),
            };
            // Nobody waits for the answer: the tab's end is an event.
            drop(
                self.chromium
                    .connection()
                    .call(None, &close, Instant::now()),
            );
        }
    }

    /// The tab in front has shown nothing yet, and the robot's script is not in its blank document.
    pub fn is_bare(&self) -> bool {
        self.tabs.last().is_some_and(|tab| {
            let main = tab.state.frames.main();
            tab.is_empty() && main.world.is_none() && !main.navigating()
        })
    }

    /// Brings the robot's script into the blank document of a tab that has shown nothing yet, where it is not.
    pub async fn wake(&mut self, deadline: Instant) -> Result<(), PageError> {
        let Some(tab) = self.tabs.last().filter(|_| self.is_bare()) else {
            return Ok(());
        };
        let main = tab.state.frames.main();
        let create = PageDomain::CreateIsolatedWorld {
            frame_id: main.id.clone(),
            world_name: Some(WORLD.into()),
            grant_univeral_access: None,
        };
        let world = self.call(&create, deadline).await?.execution_context_id;
        self.send(&Renew::new(world.into()));
        Ok(())
    }

    /// The first document of a window that a page opened may have come into the world of the blank one.
    pub(super) fn renew_script(&mut self, event: &Event) {
        if event.method != "Page.frameNavigated" {
            return;
        }
        if let Some(tab) = self.tab_of(&event.session)
            && tab.is_empty()
            && let Some(world) = tab.state.frames.main().world
        {
            let session = tab.session.clone();
            send(self.chromium.connection(), &session, &Renew::new(world));
        }
    }

    /// The tab that a session is of: its own, or that of one of its frames.
    pub(super) fn tab_of(&mut self, session: &SessionId) -> Option<&mut Tab> {
        self.tabs.iter_mut().find(|tab| {
            tab.session == *session
                || tab
                    .state
                    .frames
                    .iter()
                    .any(|frame| frame.session == *session)
        })
    }
}
