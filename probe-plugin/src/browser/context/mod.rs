//! What one run has of the browser: a context that shares nothing with any other, and the tabs in it.
//!
//! The tab in front is the one that a user sees: a new one that a page opens comes to the front, and when it closes, the
//! one that opened it is in front again. Whatever is asked, events are taken in while the answer is awaited, so that what
//! is known is never older than the answer.

mod act;
mod ask;
mod dialogs;
mod downloads;
mod emulation;
mod evaluate;
mod full_page;
mod interception;
mod prepare;
mod scope;
mod sight;
mod source;
mod windows;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use headless_chrome::protocol::cdp::{Browser, Runtime, Target, types::Method};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;
use vigia_contract::variables::Variables;

use super::{
    CallError, Chromium, PageState, SessionId, Trail,
    connection::{Connection, Event},
    page_state::Crash,
};
use dialogs::{Dialogs, Opening};
use downloads::Downloads;
use windows::{Asked, Tab};

pub use act::Acted;
pub use dialogs::{DialogSurprise, ExpectedDialog};
pub use downloads::{Coming, DownloadedFile};
pub use emulation::{EmulatedBrowser, Emulation, Geolocation, Metrics, Speed, Touch};
pub use evaluate::Evaluated;
pub use interception::{AddedHeaders, Credentials, Interception, ProxyCredentials};
pub use prepare::attach_to;
pub use scope::Scope;
pub use sight::{Area, Named, Node, View};

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
    /// The window that was asked is closed, others are there.
    #[error("the window was closed")]
    Closed,
    /// What was waited for did not happen.
    #[error("it did not happen in time")]
    Late,
    /// The script in the page threw.
    #[error("the script in the page failed: {0}")]
    Script(String),
    /// A dialog is not as it was told.
    #[error(transparent)]
    Dialog(#[from] DialogSurprise),
}

/// The browser as one run has it; its context is disposed of when it is dropped.
#[derive(Debug)]
pub struct Context {
    chromium: Arc<Chromium>,
    id: Browser::BrowserContextID,
    events: mpsc::UnboundedReceiver<Event>,
    /// The last one is in front.
    tabs: Vec<Tab>,
    /// What is known of those that are closed.
    closed: Vec<PageState>,
    /// Tabs that were asked for and are not there yet.
    asked_for: Vec<Asked>,
    /// What the page wants to have dragged natively, as the browser describes it.
    dragged: Option<Value>,
    tabs_so_far: u64,
    /// What the pages ask in dialogs, and what they are told.
    pub dialogs: Dialogs,
    questions: u64,
    /// When a document last told what it measured; nothing was done and no other document has come since.
    heard_at: Option<Instant>,
    /// What this run has read from its pages for later: it stands for `${stored:NAME}` in all that is asked.
    pub stored: Variables,
    /// What is added to its requests.
    interception: Interception,
    /// What its pages are told about the user's machine.
    emulation: Emulation,
    /// Nothing where none is expected: then there are none.
    downloads: Option<Downloads>,
    opening: OpeningTimes,
    /// Nothing: every frame is looked at.
    scope: Option<Scope>,
    windows_stay_behind: bool,
    trail: Trail,
}

/// What a context's requests go through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyServer {
    /// Kind, host and port.
    pub server: String,
    /// Hosts that are asked without it, with semicolons.
    pub bypass: String,
}

/// How long the parts of its opening took.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpeningTimes {
    /// A context that shares nothing.
    pub context: Duration,
    /// Its tab, ready for a journey.
    pub tab: Duration,
}

impl Context {
    /// Makes a context with one blank tab, ready for a journey.
    pub async fn open(
        chromium: Arc<Chromium>,
        proxy: Option<ProxyServer>,
        deadline: Instant,
    ) -> Result<Self, PageError> {
        let began = Instant::now();
        let connection = chromium.connection().clone();
        let create = Target::CreateBrowserContext {
            dispose_on_detach: Some(true),
            proxy_bypass_list: proxy.as_ref().map(|proxy| proxy.bypass.clone()),
            proxy_server: proxy.map(|proxy| proxy.server),
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
            id,
            events,
            tabs: Vec::new(),
            closed: Vec::new(),
            asked_for: Vec::new(),
            dragged: None,
            tabs_so_far: 0,
            dialogs: Dialogs::default(),
            questions: 0,
            heard_at: None,
            opening: OpeningTimes::default(),
            stored: Variables::new(),
            interception: Interception::default(),
            emulation: Emulation::default(),
            downloads: None,
            scope: None,
            windows_stay_behind: false,
            trail: Trail::default(),
        };
        context.open_tab(deadline).await?;
        context.opening = OpeningTimes {
            context: has_context - began,
            tab: has_context.elapsed(),
        };
        Ok(context)
    }

    /// Opens a blank tab in front of the others. A tab that crashed is closed by it.
    pub async fn open_tab(&mut self, deadline: Instant) -> Result<(), PageError> {
        let stay_behind = std::mem::take(&mut self.windows_stay_behind);
        let opened = self.open_in_front(deadline).await;
        self.windows_stay_behind = stay_behind;
        opened
    }

    async fn open_in_front(&mut self, deadline: Instant) -> Result<(), PageError> {
        self.tabs.retain(|tab| tab.state.crashed.is_none());
        let before = self.front().map(str::to_owned);
        self.asked_for.push(Asked::ByRun);
        let create = Target::CreateTarget {
            // The page's process starts in it. A tab that is held until it is sent to its first address has shown that up to
            // 40 ms sooner, but the start is then in the user's time: a page that answers at once took 57 ms instead of 26.
            url: "about:blank".into(),
            left: None,
            top: None,
            width: Some(WINDOW.0),
            height: Some(WINDOW.1),
            window_state: None,
            browser_context_id: Some(self.id.clone()),
            enable_begin_frame_control: None,
            new_window: None,
            background: None,
            for_tab: None,
            hidden: None,
        };
        self.chromium
            .connection()
            .call(None, &create, deadline)
            .await?;
        let there = |context: &Self| {
            context.front() != before.as_deref()
                && context
                    .state()
                    .is_some_and(|state| state.frames.main().page_world.is_some())
        };
        while !there(self) {
            self.next_event(deadline).await?;
        }
        Ok(())
    }

    /// What was answered until now is of no interest any more.
    pub fn forget_responses(&mut self) {
        let there = self.tabs.iter_mut().map(|tab| &mut tab.state);
        for page in self.closed.iter_mut().chain(there) {
            page.responses.forget();
        }
    }

    /// It was opened beforehand: all that its run has waited for it is this. An error where it has come to harm since.
    pub fn taken(&mut self, waited: Duration) -> Result<(), PageError> {
        self.opening = OpeningTimes {
            context: waited,
            tab: Duration::ZERO,
        };
        self.catch_up()
    }

    /// How long its opening took.
    pub const fn opening(&self) -> OpeningTimes {
        self.opening
    }

    /// What is known of the tab in front; nothing where the last one is closed.
    pub fn state(&self) -> Option<&PageState> {
        self.tabs.last().map(|tab| &tab.state)
    }

    /// All pages that the run has had, those of closed tabs among them.
    pub fn pages(&self) -> impl Iterator<Item = &PageState> + Clone {
        let there = self.tabs.iter().map(|tab| &tab.state);
        self.closed.iter().chain(there)
    }

    /// The document in front has told what it measured within this time, and nothing was done to it since.
    pub fn was_heard_within(&self, time: Duration) -> bool {
        self.heard_at.is_some_and(|at| at.elapsed() < time)
    }

    /// What the browser has told of it until now.
    pub const fn trail(&self) -> &Trail {
        &self.trail
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

    /// What lies behind an error that the browser tells of its network.
    pub fn behind<'a>(&self, error: &'a str) -> &'a str {
        self.interception.behind(error)
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
        let set = Browser::SetDownloadBehavior {
            behavior,
            browser_context_id: Some(self.id.clone()),
            download_path,
            // For the whole browser, whichever context asks: one that needs none must not take those of the others away.
            events_enabled: Some(true),
        };
        // By the browser's own session: that of a window ends with it, and a window that was only opened for a file is
        // closed before the file is whole.
        drop(self.chromium.connection().call(None, &set, Instant::now()));
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

    /// What the page wants to have dragged natively.
    pub const fn dragged(&self) -> Option<&Value> {
        self.dragged.as_ref()
    }

    /// The same, once.
    pub fn take_dragged(&mut self) -> Option<Value> {
        self.dragged.take()
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
        self.as_expected()?;
        self.tabs.last().map(|_| ()).ok_or(PageError::Gone)
    }

    /// No page has crashed, and none has opened a dialog that was not expected.
    fn as_expected(&self) -> Result<(), PageError> {
        if let Some(tab) = self.tabs.last() {
            tab.state.alive()?;
        }
        match self.dialogs.surprise() {
            Some(surprise) => Err(surprise.clone().into()),
            None => Ok(()),
        }
    }

    /// Events that came before an answer are known before the answer is used.
    fn catch_up(&mut self) -> Result<(), PageError> {
        while let Ok(event) = self.events.try_recv() {
            self.take(event);
        }
        self.alive()
    }

    async fn next_event(&mut self, deadline: Instant) -> Result<(), PageError> {
        let event = tokio::time::timeout_at(deadline.into(), self.events.recv())
            .await
            .map_err(|_| PageError::Late)?;
        let event = event.ok_or(CallError::Closed)?;
        self.take(event);
        self.as_expected()?;
        if self.tabs.is_empty() && self.asked_for.is_empty() {
            return Err(PageError::Gone);
        }
        Ok(())
    }

    fn take_or_end(&mut self, event: Option<Event>) -> Result<(), PageError> {
        let event = event.ok_or(CallError::Closed)?;
        self.take(event);
        self.alive()
    }

    fn take(&mut self, event: Event) {
        self.handle(&event);
        self.trail.keep(event);
    }

    fn handle(&mut self, event: &Event) {
        match event.method.as_str() {
            "Target.attachedToTarget" => self.attached(event),
            "Target.detachedFromTarget" => self.detached(event),
            "Page.windowOpen" => self.window_asked_for(event),
            "Fetch.requestPaused" | "Fetch.authRequired" => {
                self.interception.take(self.chromium.connection(), event);
            }
            "Browser.downloadWillBegin" | "Browser.downloadProgress" => self.downloading(event),
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
            "Input.dragIntercepted" => {
                self.dragged = event.read().map(|DragIntercepted { data }| data);
            }
            method => {
                if method == "Page.frameNavigated" {
                    self.heard_at = None;
                }
                self.close_without_document(event);
                self.renew_script(event);
                if let Some(tab) = self.tab_of(&event.session) {
                    tab.state.apply(event);
                }
            }
        }
    }

    fn downloading(&mut self, event: &Event) {
        let pages: Vec<&PageState> = self
            .closed
            .iter()
            .chain(self.tabs.iter().map(|tab| &tab.state))
            .collect();
        if let Some(downloads) = &mut self.downloads {
            downloads.apply(event, |frame| {
                pages.iter().any(|page| page.frames.get(frame).is_some())
            });
        }
    }

    /// It blocks the page until it is answered.
    fn answer_dialog(&mut self, event: &Event) {
        if let Some(opening) = event.read::<Opening>() {
            let leaving = opening.asks_to_leave();
            let answer = self.dialogs.answer(opening);
            if self.dialogs.is_over() {
                // One after the other leaves no time to look at the page: the script that opens them is stopped.
                let stop = Runtime::TerminateExecution(None);
                send(self.chromium.connection(), &event.session, &stop);
            }
            if leaving
                && !answer.accept
                && let Some(tab) = self.tab_of(&event.session)
            {
                tab.state.frames.stay();
            }
            send(self.chromium.connection(), &event.session, &answer);
        }
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

/// `Input.dragIntercepted`: a page wants something to be dragged natively.
#[derive(Deserialize)]
struct DragIntercepted {
    data: Value,
}

fn send<M: Method + Serialize>(connection: &Connection, session: &SessionId, method: &M) {
    drop(connection.call(Some(session), method, Instant::now()));
}
