//! The frames of a page, from the events of its sessions: what each shows, whether it is on its way, and where the robot's
//! script in it is reached. A frame of another site has a process and a session of its own. Pure: events in, state out.

use serde::Deserialize;

use super::connection::{Event, SessionId};

/// The name of the world in which the script of `in_page/` lives.
pub const WORLD: &str = "vigia";

/// One frame.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// Stays the same from document to document.
    pub id: String,
    /// The frame that it stands in; the main frame stands in none.
    pub parent: Option<String>,
    /// Where its process is spoken to.
    pub session: SessionId,
    /// The script's world in the document.
    pub world: Option<i64>,
    /// The world of the page's own scripts.
    pub page_world: Option<i64>,
    /// Of the document that it shows.
    pub url: String,
    /// The identity of the document's load.
    pub loader: String,
    /// When its `load` event had fired, in seconds by the browser's monotonic clock; told of main frames alone.
    pub loaded_at_s: Option<f64>,
    /// How many times it has come somewhere: to a document, to another place of one, or back from a way that it gave up.
    pub arrivals: u64,
    navigation: Navigation,
}

/// Whether a frame is on its way, and to which address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Navigation {
    /// It stays.
    #[default]
    None,
    /// The page has asked for another document, or for another place of this one.
    Requested(String),
    /// Another document is on its way, and maybe one more is asked for, which will take its place.
    Started(String, Option<String>),
}

impl Frame {
    /// It is on its way to another document.
    pub fn navigating(&self) -> bool {
        self.navigation != Navigation::None
    }

    /// Another document has been asked for: the one that it shows answers nothing any more.
    pub fn leaving(&self) -> bool {
        matches!(self.navigation, Navigation::Started(..))
    }

    /// It is on its way, and nothing else has been asked for that would go on when this ends without a document.
    pub fn ends_here(&self) -> bool {
        matches!(self.navigation, Navigation::Started(_, None))
    }

    /// The address that it is on its way to.
    pub fn destination(&self) -> Option<&str> {
        match &self.navigation {
            Navigation::None => None,
            Navigation::Requested(url) | Navigation::Started(url, _) => Some(url),
        }
    }

    /// Nothing more is to be waited for.
    pub fn arrived(&self) -> bool {
        self.loaded_at_s.is_some() && !self.navigating()
    }
}

/// The frames of a page; the first is the main one, whose id is the target's.
#[derive(Clone, Debug)]
pub struct Frames(Vec<Frame>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FrameNavigated {
    frame: Navigated,
}

/// Of `Page.frameNavigated`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Navigated {
    /// Which frame.
    pub id: String,
    parent_id: Option<String>,
    /// The identity of the load.
    pub loader_id: String,
    url: String,
    url_fragment: Option<String>,
    /// The document is the browser's own error page, in place of this address.
    pub unreachable_url: Option<String>,
}

impl Navigated {
    /// The whole address.
    pub fn address(&self) -> String {
        let url = self.unreachable_url.as_ref().unwrap_or(&self.url);
        format!("{url}{}", self.url_fragment.as_deref().unwrap_or_default())
    }

    /// Reads the event.
    pub fn read(event: &Event) -> Option<Self> {
        event.read().map(|FrameNavigated { frame }| frame)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfFrame {
    frame_id: String,
    parent_frame_id: Option<String>,
    url: Option<String>,
    disposition: Option<String>,
    navigation_type: Option<String>,
    reason: Option<String>,
}

/// `Page.loadEventFired`, which is told of a session's outermost frame.
#[derive(Deserialize)]
struct LoadEventFired {
    timestamp: f64,
}

#[derive(Deserialize)]
struct ContextCreated {
    context: ScriptContext,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScriptContext {
    id: i64,
    name: String,
    aux_data: Option<AuxData>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuxData {
    frame_id: String,
    is_default: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContextDestroyed {
    execution_context_id: i64,
}

/// Of `Target.attachedToTarget`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attached {
    /// The new session.
    pub session_id: String,
    /// With what.
    pub target_info: TargetInfo,
}

/// A target of the browser.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetInfo {
    /// That of its main frame.
    pub target_id: String,
    /// `page`, `iframe` ...
    pub r#type: String,
    /// The target whose page opened it.
    pub opener_id: Option<String>,
}

impl Frames {
    /// Of a new page, still blank.
    pub fn new(main: String, session: SessionId) -> Self {
        Self(vec![Frame {
            id: main,
            session,
            ..Frame::default()
        }])
    }

    /// The one that fills the window.
    pub fn main(&self) -> &Frame {
        &self.0[0]
    }

    /// All of them, parents first.
    pub fn iter(&self) -> impl Iterator<Item = &Frame> {
        self.0.iter()
    }

    /// One of them.
    pub fn get(&self, id: &str) -> Option<&Frame> {
        self.0.iter().find(|frame| frame.id == id)
    }

    /// The frames that stand in a frame itself, in the order in which they came.
    pub fn children(&self, of: &str) -> impl Iterator<Item = &Frame> {
        self.0
            .iter()
            .filter(move |frame| frame.parent.as_deref() == Some(of))
    }

    /// The script's world in a frame is gone: it did not answer there.
    pub fn lost(&mut self, session: &SessionId, world: i64) {
        for frame in &mut self.0 {
            if frame.session == *session {
                for own in [&mut frame.world, &mut frame.page_world] {
                    own.take_if(|own| *own == world);
                }
            }
        }
    }

    /// The user was asked whether the page may be left, and stays.
    pub fn stay(&mut self) {
        for frame in &mut self.0 {
            frame.arrivals += u64::from(frame.navigating());
            frame.navigation = Navigation::None;
        }
    }

    /// Takes an event in.
    pub fn apply(&mut self, event: &Event) {
        match event.method.as_str() {
            "Page.frameAttached" => {
                if let Some(about) = event.read::<OfFrame>() {
                    let frame = self.entry(&about.frame_id, &event.session);
                    frame.parent = about.parent_frame_id;
                }
            }
            "Page.frameDetached" => {
                if let Some(about) = event.read::<OfFrame>()
                    && about.reason.as_deref() != Some("swap")
                {
                    self.remove(&about.frame_id);
                }
            }
            "Page.frameNavigated" => {
                if let Some(frame) = Navigated::read(event) {
                    self.navigated(frame, &event.session);
                }
            }
            "Target.attachedToTarget" => {
                if let Some(attached) = event.read::<Attached>()
                    && attached.target_info.r#type == "iframe"
                {
                    let session = SessionId(attached.session_id);
                    let frame = self.entry(&attached.target_info.target_id, &session);
                    frame.session = session;
                    frame.world = None;
                    frame.page_world = None;
                }
            }
            "Page.loadEventFired" => {
                if let Some(fired) = event.read::<LoadEventFired>()
                    && self.main().session == event.session
                {
                    self.0[0].loaded_at_s = Some(fired.timestamp);
                }
            }
            method if method.starts_with("Page.") => {
                if let Some(about) = event.read::<OfFrame>()
                    && let Some(frame) = self.0.iter_mut().find(|frame| frame.id == about.frame_id)
                {
                    frame.apply(method, about);
                }
            }
            "Runtime.executionContextCreated" => {
                if let Some(ContextCreated { context }) = event.read() {
                    self.has_world(context, &event.session);
                }
            }
            "Runtime.executionContextDestroyed" => {
                if let Some(destroyed) = event.read::<ContextDestroyed>() {
                    self.lost(&event.session, destroyed.execution_context_id);
                }
            }
            "Runtime.executionContextsCleared" => {
                for frame in &mut self.0 {
                    if frame.session == event.session {
                        frame.world = None;
                        frame.page_world = None;
                    }
                }
            }
            _ => {}
        }
    }

    fn has_world(&mut self, context: ScriptContext, session: &SessionId) {
        let Some(about) = context.aux_data else {
            return;
        };
        let is_pages = about.is_default == Some(true);
        if !is_pages && context.name != WORLD {
            return;
        }
        let frame = self.entry(&about.frame_id, session);
        if frame.session != *session {
            frame.session = session.clone();
            frame.world = None;
            frame.page_world = None;
        }
        let world = if is_pages {
            &mut frame.page_world
        } else {
            &mut frame.world
        };
        *world = Some(context.id);
    }

    fn navigated(&mut self, navigated: Navigated, session: &SessionId) {
        let inside = self.below(&navigated.id);
        self.0.retain(|frame| !inside.contains(&frame.id));
        let frame = self.entry(&navigated.id, session);
        frame.url = navigated.address();
        frame.loader = navigated.loader_id;
        frame.loaded_at_s = None;
        frame.navigation = Navigation::None;
        frame.arrivals += 1;
        if frame.session != *session {
            frame.session = session.clone();
            frame.world = None;
            frame.page_world = None;
        }
        // A process of its own does not know whom it stands in.
        if navigated.parent_id.is_some() {
            frame.parent = navigated.parent_id;
        }
    }

    fn entry(&mut self, id: &str, session: &SessionId) -> &mut Frame {
        let known = self.0.iter().position(|frame| frame.id == id);
        let index = known.unwrap_or_else(|| {
            self.0.push(Frame {
                id: id.to_owned(),
                session: session.clone(),
                ..Frame::default()
            });
            self.0.len() - 1
        });
        &mut self.0[index]
    }

    fn remove(&mut self, id: &str) {
        let inside = self.below(id);
        let main = self.main().id.clone();
        self.0
            .retain(|frame| frame.id == main || (frame.id != id && !inside.contains(&frame.id)));
    }

    /// The frames inside a frame, at any depth.
    fn below(&self, id: &str) -> Vec<String> {
        let mut inside: Vec<String> = Vec::new();
        // Parents stand before their children.
        for frame in &self.0 {
            if let Some(parent) = &frame.parent
                && (parent == id || inside.contains(parent))
            {
                inside.push(frame.id.clone());
            }
        }
        inside
    }
}

impl Frame {
    fn apply(&mut self, method: &str, about: OfFrame) {
        match method {
            "Page.navigatedWithinDocument" => {
                self.url = about.url.unwrap_or_default();
                self.arrivals += 1;
                if !self.leaving() {
                    self.navigation = Navigation::None;
                }
            }
            "Page.frameRequestedNavigation"
                if about.disposition.as_deref() == Some("currentTab") =>
            {
                let url = about.url.unwrap_or_default();
                self.navigation = match std::mem::take(&mut self.navigation) {
                    Navigation::Started(under_way, _) => Navigation::Started(under_way, Some(url)),
                    Navigation::None | Navigation::Requested(_) => Navigation::Requested(url),
                };
            }
            "Page.frameStartedNavigating" => {
                let within = matches!(
                    about.navigation_type.as_deref(),
                    Some("sameDocument" | "historySameDocument")
                );
                if !within {
                    self.navigation = Navigation::Started(about.url.unwrap_or_default(), None);
                }
            }
            "Page.frameStoppedLoading" => {
                self.navigation = match std::mem::take(&mut self.navigation) {
                    Navigation::Started(_, Some(next)) => Navigation::Requested(next),
                    Navigation::Started(_, None) | Navigation::Requested(_) => {
                        self.arrivals += 1;
                        Navigation::None
                    }
                    Navigation::None => Navigation::None,
                };
            }
            _ => {}
        }
    }
}
