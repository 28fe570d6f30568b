//! What is known of a page, from the events of its session. Pure: events in, state out.
//!
//! The protocol's own event types are not used: they are closed, and a value that Chromium added since would lose the
//! whole event. Here each event is read for what is needed of it, and what cannot be read is ignored.

use serde::Deserialize;

use super::{connection::Event, traffic::TrafficLog, vitals::VitalsLog};

/// The name of the world in which `in_page.js` lives.
pub const WORLD: &str = "vigia";

/// What is known of a page.
#[derive(Clone, Debug, Default)]
pub struct PageState {
    /// The main frame; its id is the target's.
    pub frame: String,
    /// Of the document that the main frame shows.
    pub url: String,
    /// The identity of the document's load.
    pub loader: String,
    /// Its `load` event has fired.
    pub loaded: bool,
    navigation: Navigation,
    /// The status of the document, where it came over HTTP.
    pub http_status: Option<i64>,
    /// The document is the browser's own error page, and this is why.
    pub load_error: Option<String>,
    /// The world of `in_page.js` in the document.
    pub world: Option<i64>,
    /// The last error that the page's scripts did not catch.
    pub script_error: Option<String>,
    /// What a dialog said that nobody expected.
    pub dialog: Option<String>,
    /// The page's process is gone.
    pub crashed: bool,
    /// What its documents asked for.
    pub traffic: TrafficLog,
    /// What the browser measured of its documents.
    pub vitals: VitalsLog,
    answered: Option<(String, i64)>,
    document_error: Option<String>,
}

/// Whether the main frame is on its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Navigation {
    /// It stays.
    #[default]
    None,
    /// The page has asked for another document, or for another place of this one.
    Requested,
    /// Another document is on its way.
    Started,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FrameNavigated {
    frame: Frame,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Frame {
    parent_id: Option<String>,
    loader_id: String,
    url: String,
    url_fragment: Option<String>,
    unreachable_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfFrame {
    frame_id: String,
    loader_id: Option<String>,
    name: Option<String>,
    url: Option<String>,
    disposition: Option<String>,
    navigation_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfRequest {
    request_id: String,
    loader_id: Option<String>,
    r#type: Option<String>,
    response: Option<Response>,
    error_text: Option<String>,
}

#[derive(Deserialize)]
struct Response {
    status: i64,
}

#[derive(Deserialize)]
struct ContextCreated {
    context: Context,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    id: i64,
    name: String,
    aux_data: Option<AuxData>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuxData {
    frame_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContextDestroyed {
    execution_context_id: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExceptionThrown {
    exception_details: ExceptionDetails,
}

#[derive(Deserialize)]
struct ExceptionDetails {
    text: String,
    exception: Option<Exception>,
}

#[derive(Deserialize)]
struct Exception {
    description: Option<String>,
}

#[derive(Deserialize)]
struct Dialog {
    message: String,
    r#type: String,
}

impl PageState {
    /// A new page, still blank.
    pub fn new(frame: String) -> Self {
        Self {
            frame,
            ..Self::default()
        }
    }

    /// The main frame is on its way to another document.
    pub fn navigating(&self) -> bool {
        self.navigation != Navigation::None
    }

    /// The status that this load was answered with, also where no page came of it.
    pub fn answered_status(&self, loader: &str) -> Option<i64> {
        let (_, status) = self.answered.as_ref().filter(|(of, _)| of == loader)?;
        Some(*status)
    }

    /// Takes an event in.
    pub fn apply(&mut self, event: &Event) {
        self.traffic.apply(event, &self.loader);
        self.vitals.apply(event, &self.loader, self.world);
        match event.method.as_str() {
            "Page.frameNavigated" => self.navigated(event),
            "Page.navigatedWithinDocument" => {
                if let Some(about) = self.about_main_frame(event) {
                    self.url = about.url.unwrap_or_default();
                    if self.navigation == Navigation::Requested {
                        self.navigation = Navigation::None;
                    }
                }
            }
            "Page.frameRequestedNavigation" => {
                if let Some(about) = self.about_main_frame(event)
                    && about.disposition.as_deref() == Some("currentTab")
                    && self.navigation == Navigation::None
                {
                    self.navigation = Navigation::Requested;
                }
            }
            "Page.frameStartedNavigating" => {
                if let Some(about) = self.about_main_frame(event) {
                    let within = matches!(
                        about.navigation_type.as_deref(),
                        Some("sameDocument" | "historySameDocument")
                    );
                    if !within {
                        self.navigation = Navigation::Started;
                    }
                }
            }
            "Page.frameStoppedLoading" => {
                if let Some(_main) = self.about_main_frame(event) {
                    self.navigation = Navigation::None;
                }
            }
            "Page.lifecycleEvent" => {
                if let Some(about) = self.about_main_frame(event) {
                    self.loaded |= about.name.as_deref() == Some("load")
                        && about.loader_id.as_deref() == Some(&self.loader);
                }
            }
            "Network.responseReceived" => {
                if let Some(about) = event.read::<OfRequest>()
                    && about.loader_id.as_ref() == Some(&about.request_id)
                    && let Some(response) = about.response
                {
                    self.answered = Some((about.request_id, response.status));
                }
            }
            "Network.loadingFailed" => {
                if let Some(about) = event.read::<OfRequest>()
                    && about.r#type.as_deref() == Some("Document")
                {
                    self.document_error = about.error_text;
                }
            }
            "Runtime.executionContextCreated" => {
                if let Some(ContextCreated { context }) = event.read()
                    && context.name == WORLD
                    && context
                        .aux_data
                        .is_some_and(|aux| aux.frame_id == self.frame)
                {
                    self.world = Some(context.id);
                }
            }
            "Runtime.executionContextDestroyed" => {
                if let Some(ContextDestroyed {
                    execution_context_id,
                }) = event.read()
                    && self.world == Some(execution_context_id)
                {
                    self.world = None;
                }
            }
            "Runtime.executionContextsCleared" => self.world = None,
            "Runtime.exceptionThrown" => {
                if let Some(ExceptionThrown {
                    exception_details: details,
                }) = event.read()
                {
                    let said = details
                        .exception
                        .and_then(|exception| exception.description);
                    let said = said.unwrap_or(details.text);
                    self.script_error = said.lines().next().map(str::to_owned);
                }
            }
            "Page.javascriptDialogOpening" => {
                self.dialog = event
                    .read()
                    .filter(|dialog: &Dialog| dialog.r#type != "beforeunload")
                    .map(|dialog| dialog.message)
                    .or(self.dialog.take());
            }
            "Inspector.targetCrashed" => self.crashed = true,
            _ => {}
        }
    }

    fn navigated(&mut self, event: &Event) {
        let Some(FrameNavigated { frame }) = event.read() else {
            return;
        };
        if frame.parent_id.is_some() {
            return;
        }
        self.http_status = self
            .answered
            .take_if(|(loader, _)| *loader == frame.loader_id)
            .map(|(_, status)| status);
        self.load_error = frame.unreachable_url.is_some().then(|| {
            self.document_error
                .take()
                .unwrap_or_else(|| "the page cannot be reached".into())
        });
        self.url =
            frame.unreachable_url.unwrap_or(frame.url) + &frame.url_fragment.unwrap_or_default();
        self.loader = frame.loader_id;
        self.traffic
            .document(&self.loader, &self.url, self.http_status);
        if self.load_error.is_none() {
            self.vitals.document(&self.loader);
        }
        self.loaded = false;
        self.navigation = Navigation::None;
        self.script_error = None;
    }

    fn about_main_frame(&self, event: &Event) -> Option<OfFrame> {
        event
            .read()
            .filter(|about: &OfFrame| about.frame_id == self.frame)
    }
}
