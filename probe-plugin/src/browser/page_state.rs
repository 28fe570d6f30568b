//! What is known of a page, from the events of its sessions. Pure: events in, state out.
//!
//! The protocol's own event types are not used: they are closed, and a value that Chromium added since would lose the
//! whole event. Here each event is read for what is needed of it, and what cannot be read is ignored.

use std::fmt;

use rustix::process::Signal;
use serde::Deserialize;

use super::{
    PageError,
    connection::{Event, SessionId},
    console::ConsoleLog,
    frames::{Frames, Navigated},
    network::OfRequest,
    responses::ResponseLog,
    traffic::TrafficLog,
    vitals::VitalsLog,
};

/// What is known of a page.
#[derive(Clone, Debug)]
pub struct PageState {
    /// What it shows, and in which frames.
    pub frames: Frames,
    /// The status of the document, where it came over HTTP.
    pub http_status: Option<i64>,
    /// The document is the browser's own error page, and this is why.
    pub load_error: Option<String>,
    /// The last error that the page's scripts did not catch.
    pub script_error: Option<String>,
    /// The page has asked for files, and waits for them.
    pub file_chooser: Option<FileChooser>,
    /// The page's process is gone.
    pub crashed: Option<Crash>,
    /// What its documents asked for.
    pub traffic: TrafficLog,
    /// What the browser measured of its documents.
    pub vitals: VitalsLog,
    /// What its requests were answered with.
    pub responses: ResponseLog,
    /// The errors in its console.
    pub console: ConsoleLog,
    answered: Option<(String, i64)>,
    document_error: Option<String>,
}

/// Where the files go that a page asks for.
#[derive(Clone, Debug)]
pub struct FileChooser {
    /// Of the frame's process.
    pub session: SessionId,
    /// The file field; nothing where the page asks without one.
    pub field: Option<u32>,
    /// It takes more than one.
    pub multiple: bool,
}

/// `Page.fileChooserOpened`
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FileChooserOpened {
    mode: String,
    backend_node_id: Option<u32>,
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

/// How a page's process ended: `Target.targetCrashed`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Crash {
    /// Whose it was.
    pub target_id: String,
    /// The number of the signal.
    error_code: i64,
}

impl Crash {
    /// Whether the process gave up by itself, by its own trap: that is how V8 and Blink end when the page has taken all the
    /// memory that a page may have, on any machine. What kills a process from outside, such as a machine without memory,
    /// is another signal.
    pub fn is_by_itself(&self) -> bool {
        i64::from(Signal::TRAP.as_raw()) == self.error_code
    }
}

impl fmt::Display for Crash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_by_itself() {
            formatter.write_str(
                "it took more memory than a page may have, or met a fault of the browser",
            )
        } else {
            write!(formatter, "it was ended by signal {}", self.error_code)
        }
    }
}

impl PageState {
    /// A new page, still blank.
    pub fn new(main: String, session: SessionId) -> Self {
        Self {
            frames: Frames::new(main, session),
            http_status: None,
            load_error: None,
            script_error: None,
            file_chooser: None,
            crashed: None,
            traffic: TrafficLog::default(),
            vitals: VitalsLog::default(),
            responses: ResponseLog::default(),
            console: ConsoleLog::default(),
            answered: None,
            document_error: None,
        }
    }

    /// The address of the document that fills the window.
    pub fn url(&self) -> &str {
        &self.frames.main().url
    }

    /// The identity of its load.
    pub fn loader(&self) -> &str {
        &self.frames.main().loader
    }

    /// The main frame is on its way to another document.
    pub fn navigating(&self) -> bool {
        self.frames.main().navigating()
    }

    /// Its process is there.
    pub fn alive(&self) -> Result<(), PageError> {
        match &self.crashed {
            Some(crash) => Err(PageError::Crashed(crash.clone())),
            None => Ok(()),
        }
    }

    /// The status that this load was answered with, also where no page came of it.
    pub fn answered_status(&self, loader: &str) -> Option<i64> {
        let (_, status) = self.answered.as_ref().filter(|(of, _)| of == loader)?;
        Some(*status)
    }

    /// Takes an event in.
    pub fn apply(&mut self, event: &Event) {
        self.traffic.apply(event, &self.frames.main().loader);
        let main = self.frames.main();
        self.vitals.apply(event, &main.loader, main.world);
        if let Some(about) = OfRequest::read(event) {
            self.apply_request(&event.method, about);
        }
        self.console.apply(event);
        match event.method.as_str() {
            "Page.frameNavigated" => {
                if let Some(frame) = Navigated::read(event)
                    && frame.id == self.frames.main().id
                {
                    self.navigated(&frame);
                }
            }
            "Runtime.exceptionThrown" => {
                if let Some(ExceptionThrown {
                    exception_details: details,
                }) = event.read()
                {
                    let said = details
                        .exception
                        .and_then(|exception| exception.description);
                    let said = said.unwrap_or(details.text);
                    self.console.uncaught(&said);
                    self.script_error = said.lines().next().map(str::to_owned);
                }
            }
            "Page.fileChooserOpened" => {
                self.file_chooser = event.read().map(|opened: FileChooserOpened| FileChooser {
                    session: event.session.clone(),
                    field: opened.backend_node_id,
                    multiple: opened.mode == "selectMultiple",
                });
            }
            _ => {}
        }
        self.frames.apply(event);
    }

    fn apply_request(&mut self, method: &str, about: OfRequest) {
        self.traffic
            .apply_request(method, &about, &self.frames.main().loader);
        self.responses.apply(&about);
        if method == "Network.responseReceived"
            && about.loader_id.as_ref() == Some(&about.request_id)
            && let Some(response) = about.response
        {
            self.answered = Some((about.request_id, response.status));
        } else if method == "Network.loadingFailed" && about.r#type.as_deref() == Some("Document") {
            self.document_error = about.error_text;
        }
    }

    fn navigated(&mut self, frame: &Navigated) {
        self.http_status = self
            .answered
            .take_if(|(loader, _)| *loader == frame.loader_id)
            .map(|(_, status)| status);
        self.load_error = frame.unreachable_url.is_some().then(|| {
            self.document_error
                .take()
                .unwrap_or_else(|| "the page cannot be reached".into())
        });
        self.traffic
            .document(&frame.loader_id, &frame.address(), self.http_status);
        if self.load_error.is_none() {
            self.vitals.document(&frame.loader_id);
        }
        self.script_error = None;
    }
}
