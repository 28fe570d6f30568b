//! What one run has of the browser: a context that shares nothing with any other, and the tabs in it.
//!
//! The tab in front is the one that a user sees: a new one that a page opens comes to the front, and when it closes, the
//! one that opened it is in front again. Whatever is asked, events are taken in while the answer is awaited, so that what
//! is known is never older than the answer.

mod ask;
mod downloads;
mod interception;
mod prepare;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use headless_chrome::protocol::cdp::{Browser, Page as PageDomain, Target, types::Method};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::{
    CallError, Chromium, PageState, SessionId,
    connection::{Connection, Event},
    frames::Attached,
    page_state::Crash,
};
use downloads::Downloads;
use prepare::prepare;

pub use downloads::{Coming, DownloadedFile};
pub use interception::{AddedHeaders, Credentials, Interception};
pub use prepare::attach_to;

/// What a desktop user's window shows of a page, in pixels.
const WINDOW: (u32, u32) = (1280, 800);

/// Why the page did not answer.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The protocol, the browser.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The page's process is gone.
    #[error("the page's process crashed: {0}")]
    Crashed(Crash),
    /// There is no tab any more.
    #[error("the page closed its own window")]
    Gone,
    /// What was waited for did not happen.
    #[error("it did not happen in time")]
    Late,
    /// The script in the page threw.
    #[error("the script in the page failed: {0}")]
    Script(String),
}

/// A tab, or a window that a page opened.
#[derive(Debug)]
pub struct Tab {
    session: SessionId,
    target: String,
    opener: Option<String>,
    /// Nothing is loaded into it: there is no load to wait for.
    blank: bool,
    state: PageState,
}

/// What happens to the next dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialogAnswer {
    /// Its button for yes, or that for no.
    pub accept: bool,
    /// What is typed into it first.
    pub text: Option<String>,
}

/// The browser as one run has it; its context is disposed of when it is dropped.
#[derive(Debug)]
pub struct Context {
    chromium: Arc<Chromium>,
    id: Browser::BrowserContextID,
    events: mpsc::UnboundedReceiver<Event>,
    /// The last one is in front.
    tabs: Vec<Tab>,
    /// Windows that pages have asked for and that are not there yet, by whether anything is loaded into them.
    asked_for: Vec<bool>,
    /// For the next dialog; without one, it is told as unexpected.
    dialog_answer: Option<DialogAnswer>,
    /// What the dialogs said that were answered as told.
    answered_dialogs: Vec<String>,
    questions: u64,
    /// What is added to its requests.
    interception: Interception,
    /// Nothing where none is expected: then there are none.
    downloads: Option<Downloads>,
    opening: Opening,
}

/// How long the parts of its opening took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Opening {
    /// A context that shares nothing.
    pub context: Duration,
    /// Its tab, ready for a journey.
    pub tab: Duration,
}

impl Context {
    /// Makes a context with one blank tab, ready for a journey.
    pub async fn open(chromium: Arc<Chromium>, deadline: Instant) -> Result<Self, PageError> {
        let began = Instant::now();
        let connection = chromium.connection().clone();
        let create = Target::CreateBrowserContext {
            dispose_on_detach: Some(true),
            proxy_server: None,
            proxy_bypass_list: None,
            origins_with_universal_network_access: None,
        };
        let id = connection
            .call(None, &create, deadline)
            .await?
            .browser_context_id;
        let has_context = Instant::now();
        let events = connection.listen(&id);
        let mut context = Self {
            chromium,
            id: id.clone(),
            events,
            tabs: Vec::new(),
            asked_for: vec![false],
            dialog_answer: None,
            answered_dialogs: Vec::new(),
            questions: 0,
            interception: Interception::default(),
            downloads: None,
            opening: Opening::default(),
        };
        let create = Target::CreateTarget {
            url: "about:blank".into(),
            left: None,
            top: None,
            width: Some(WINDOW.0),
            height: Some(WINDOW.1),
            window_state: None,
            browser_context_id: Some(id),
            enable_begin_frame_control: None,
            new_window: None,
            background: None,
            for_tab: None,
            hidden: None,
        };
        connection.call(None, &create, deadline).await?;
        while context
            .tabs
            .last()
            .is_none_or(|tab| tab.state.frames.main().world.is_none())
        {
            context.next_event(deadline).await?;
        }
        context.opening = Opening {
            context: has_context - began,
            tab: has_context.elapsed(),
        };
        Ok(context)
    }

    /// How long its opening took.
    pub const fn opening(&self) -> Opening {
        self.opening
    }

    /// What is known of the tab in front; nothing where the last one is closed.
    pub fn state(&self) -> Option<&PageState> {
        self.tabs.last().map(|tab| &tab.state)
    }

    /// The identity of the tab in front.
    pub fn front(&self) -> Option<&str> {
        self.tabs.last().map(|tab| tab.target.as_str())
    }

    /// The tabs, in the order in which they were in front, the one that is in front last.
    pub fn tabs(&self) -> impl Iterator<Item = (&str, &PageState)> {
        self.tabs
            .iter()
            .map(|tab| (tab.target.as_str(), &tab.state))
    }

    /// The browser that it is a part of.
    pub const fn chromium(&self) -> &Arc<Chromium> {
        &self.chromium
    }

    /// No tab is on its way and the document in front is whole. `frame` is one that must have arrived too, unless it is gone.
    pub fn arrived(&self, frame: Option<&str>) -> bool {
        let Some(tab) = self.tabs.last() else {
            return true;
        };
        let frames = &tab.state.frames;
        let main = frames.main();
        let stays_blank = tab.blank && main.loader.is_empty() && !main.navigating();
        let main_arrived = stays_blank || main.arrived();
        let inner = frame
            .and_then(|frame| frames.get(frame))
            .is_none_or(|frame| frame.id == main.id || !frame.navigating());
        self.asked_for.is_empty() && main_arrived && inner
    }

    /// From now on this is added to the run's requests.
    pub fn intercept(&mut self, interception: Interception) {
        for tab in &self.tabs {
            interception.enable(self.chromium.connection(), &tab.session);
        }
        self.interception = interception;
    }

    /// From now on files are downloaded, into a folder that goes with this context.
    pub fn accept_downloads(&mut self) -> std::io::Result<()> {
        let profile = self.chromium.folder();
        let profile = profile.ok_or(std::io::ErrorKind::NotFound)?;
        let folder = tempfile::Builder::new()
            .prefix("downloads-")
            .tempdir_in(profile)?;
        self.downloads_are(
            Browser::SetDownloadBehaviorBehaviorOption::AllowAndName,
            Some(folder.path().display().to_string()),
        );
        self.downloads = Some(Downloads::new(folder));
        Ok(())
    }

    /// Files that nobody expects are not kept.
    pub fn refuse_downloads(&self) {
        self.downloads_are(Browser::SetDownloadBehaviorBehaviorOption::Deny, None);
    }

    fn downloads_are(
        &self,
        behavior: Browser::SetDownloadBehaviorBehaviorOption,
        download_path: Option<String>,
    ) {
        self.send(&Browser::SetDownloadBehavior {
            behavior,
            browser_context_id: Some(self.id.clone()),
            download_path,
            // The headless shell's own events leave out the files of windows that pages open, and the events of a window
            // end with it, which full Chromium closes before its file is whole: so both are listened to.
            events_enabled: Some(true),
        });
    }

    /// The oldest file that nobody has looked at yet.
    pub fn download(&self) -> Option<&DownloadedFile> {
        self.downloads.as_ref()?.files.first()
    }

    /// The same, which is looked at now.
    pub fn take_download(&mut self) -> Option<DownloadedFile> {
        let files = &mut self.downloads.as_mut()?.files;
        (!files.is_empty()).then(|| files.remove(0))
    }

    /// Brings a tab to the front.
    pub fn bring_to_front(&mut self, target: &str) {
        if let Some(index) = self.tabs.iter().position(|tab| tab.target == target) {
            let tab = self.tabs.remove(index);
            self.tabs.push(tab);
            self.send(&PageDomain::BringToFront(None));
        }
    }

    /// What the next dialog is answered with; nothing: it was not expected.
    pub fn answer_dialogs(&mut self, answer: Option<DialogAnswer>) {
        self.dialog_answer = answer;
    }

    /// What the oldest dialog said that was answered as told, once.
    pub fn take_answered_dialog(&mut self) -> Option<String> {
        (!self.answered_dialogs.is_empty()).then(|| self.answered_dialogs.remove(0))
    }

    /// Whether a dialog was answered as told, and nobody has asked for it yet.
    pub fn has_answered_dialog(&self) -> bool {
        !self.answered_dialogs.is_empty()
    }

    fn front_session(&self) -> Result<SessionId, PageError> {
        let tab = self.tabs.last().ok_or(PageError::Gone)?;
        Ok(tab.session.clone())
    }

    fn front_frames(&self) -> Result<&crate::browser::Frames, PageError> {
        let tab = self.tabs.last().ok_or(PageError::Gone)?;
        Ok(&tab.state.frames)
    }

    fn alive(&self) -> Result<(), PageError> {
        match self.tabs.last() {
            Some(tab) => tab.state.alive(),
            None => Err(PageError::Gone),
        }
    }

    /// Events that came before an answer are known before the answer is used.
    fn catch_up(&mut self) -> Result<(), PageError> {
        while let Ok(event) = self.events.try_recv() {
            self.take(&event);
        }
        self.alive()
    }

    async fn next_event(&mut self, deadline: Instant) -> Result<(), PageError> {
        let event = tokio::time::timeout_at(deadline.into(), self.events.recv())
            .await
            .map_err(|_| PageError::Late)?;
        let event = event.ok_or(CallError::Closed)?;
        self.take(&event);
        match self.tabs.last() {
            Some(tab) => tab.state.alive(),
            None if self.asked_for.is_empty() => Err(PageError::Gone),
            None => Ok(()),
        }
    }

    fn take_or_end(&mut self, event: Option<Event>) -> Result<(), PageError> {
        let event = event.ok_or(CallError::Closed)?;
        self.take(&event);
        self.alive()
    }

    fn take(&mut self, event: &Event) {
        match event.method.as_str() {
            "Target.attachedToTarget" => self.attached(event),
            "Target.detachedFromTarget" => self.detached(event),
            "Page.windowOpen" => {
                let opening: Option<WindowOpen> = event.read();
                let url = opening.map(|opening| opening.url).unwrap_or_default();
                self.asked_for
                    .push(!(url.is_empty() || url == "about:blank"));
            }
            "Fetch.requestPaused" | "Fetch.authRequired" => {
                self.interception.take(self.chromium.connection(), event);
            }
            "Page.downloadWillBegin"
            | "Page.downloadProgress"
            | "Browser.downloadWillBegin"
            | "Browser.downloadProgress" => self.downloading(event),
            "Page.javascriptDialogOpening" => self.answer_dialog(event),
            "Target.targetCrashed" => {
                if let Some(crash) = event.read::<Crash>()
                    && let Some(tab) = self
                        .tabs
                        .iter_mut()
                        .find(|tab| tab.target == crash.target_id)
                {
                    tab.state.crashed = Some(crash);
                }
            }
            _ => {
                if let Some(tab) = self.tab_of(&event.session) {
                    tab.state.apply(event);
                }
            }
        }
    }

    /// A window that was only opened for a file has nothing to show: a user's browser closes it. Its session tells how the
    /// file is coming, so here it is closed when that has come.
    fn downloading(&mut self, event: &Event) {
        if let Some(downloads) = &mut self.downloads {
            downloads.apply(event);
        }
        let mut tabs = self.tabs.iter();
        let only_for_file = tabs
            .find(|tab| tab.session == event.session && tab.state.frames.main().loader.is_empty());
        let Some((session, Some(opener))) =
            only_for_file.map(|tab| (tab.session.clone(), tab.opener.clone()))
        else {
            return;
        };
        if event.method == "Page.downloadWillBegin" {
            self.bring_to_front(&opener);
        } else if downloads::ends(event) {
            let close = PageDomain::Close(None);
            send(self.chromium.connection(), &session, &close);
        }
    }

    /// A tab is there, or a frame has got a process of its own: either is prepared before anything runs in it.
    fn attached(&mut self, event: &Event) {
        let Some(attached) = event.read::<Attached>() else {
            return;
        };
        let session = SessionId(attached.session_id);
        self.interception
            .enable(self.chromium.connection(), &session);
        prepare(self.chromium.connection(), &session);
        if attached.target_info.r#type == "page" {
            let loads = (!self.asked_for.is_empty()).then(|| self.asked_for.remove(0));
            let target = attached.target_info.target_id;
            self.tabs.push(Tab {
                state: PageState::new(target.clone(), session.clone()),
                session,
                target,
                opener: attached.target_info.opener_id,
                blank: loads == Some(false),
            });
        } else if let Some(tab) = self.tab_of(&event.session) {
            tab.state.apply(event);
        }
    }

    fn detached(&mut self, event: &Event) {
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
        if was_in_front && let Some(opener) = closed.opener {
            self.bring_to_front(&opener);
        }
    }

    /// It blocks the page until it is answered. A page that asks whether it may be left is left; to anything else that
    /// nobody expected the answer is no.
    fn answer_dialog(&mut self, event: &Event) {
        #[derive(Deserialize)]
        struct Opening {
            message: String,
            r#type: String,
        }
        let Some(opening) = event.read::<Opening>() else {
            return;
        };
        let told = self.dialog_answer.take();
        let answer = PageDomain::HandleJavaScriptDialog {
            accept: told
                .as_ref()
                .map_or(opening.r#type == "beforeunload", |told| told.accept),
            prompt_text: told.as_ref().and_then(|told| told.text.clone()),
        };
        if told.is_some() {
            self.answered_dialogs.push(opening.message);
        } else if opening.r#type != "beforeunload"
            && let Some(tab) = self.tab_of(&event.session)
        {
            tab.state.dialog = Some(opening.message);
        }
        send(self.chromium.connection(), &event.session, &answer);
    }

    /// The tab that a session is of: its own, or that of one of its frames.
    fn tab_of(&mut self, session: &SessionId) -> Option<&mut Tab> {
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

impl Drop for Context {
    fn drop(&mut self) {
        let connection = self.chromium.connection();
        connection.forget(&self.id);
        // Written now; nobody waits for the answer.
        let dispose = Target::DisposeBrowserContext {
            browser_context_id: self.id.clone(),
        };
        drop(connection.call(None, &dispose, Instant::now()));
        if let Some(downloads) = self.downloads.take() {
            // Not on a thread of the runtime: files may be large. What the browser still writes goes with its profile.
            std::thread::spawn(move || drop(downloads));
        }
    }
}

/// `Page.windowOpen`: a page asks for a window.
#[derive(Deserialize)]
struct WindowOpen {
    url: String,
}

fn send<M: Method + Serialize>(connection: &Connection, session: &SessionId, method: &M) {
    drop(connection.call(Some(session), method, Instant::now()));
}
