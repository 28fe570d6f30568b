//! A fresh page for one run: a context that shares nothing with any other, and its only tab.
//!
//! Whatever the page is asked, its events are taken in while the answer is awaited, so that what is known of it is never
//! older than the answer.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use headless_chrome::protocol::cdp::{
    Browser, Emulation, Network, Page as PageDomain, Runtime, Target, types::Method,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::sync::mpsc;

use super::{
    CallError, Chromium, PageState, SessionId, Vitals, connection::Event, page_state::WORLD,
    vitals::TELL,
};

/// What a desktop user's window shows of a page, in pixels.
const WINDOW: (u32, u32) = (1280, 800);

/// An answer of the script in the page may come this much later than the script was told to give up.
const ANSWER_MARGIN: Duration = Duration::from_secs(2);

/// Why the page did not answer.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The protocol, the browser.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The page's process is gone.
    #[error("the page's process crashed")]
    Crashed,
    /// What was waited for did not happen.
    #[error("it did not happen in time")]
    Late,
    /// The script in the page threw.
    #[error("the script in the page failed: {0}")]
    Script(String),
}

/// A page; its context is disposed of when it is dropped.
#[derive(Debug)]
pub struct Page {
    chromium: Arc<Chromium>,
    context: Browser::BrowserContextID,
    session: SessionId,
    events: mpsc::UnboundedReceiver<Event>,
    state: PageState,
}

/// `Runtime.callFunctionOn` with the few parameters that are used, and an answer that is read leniently.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CallFunction {
    function_declaration: &'static str,
    execution_context_id: i64,
    arguments: [Argument; 1],
    await_promise: bool,
    return_by_value: bool,
}

#[derive(Debug, Serialize)]
struct Argument {
    value: serde_json::Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FunctionResult {
    result: ResultValue,
    exception_details: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct ResultValue {
    value: Option<serde_json::Value>,
}

impl Method for CallFunction {
    const NAME: &'static str = "Runtime.callFunctionOn";
    type ReturnObject = FunctionResult;
}

/// A function of `in_page.js`.
#[derive(Clone, Copy, Debug)]
pub enum Function {
    /// Waits until something can be done or is to be seen.
    Perform,
    /// Lets what an input set off begin.
    Settle,
    /// When the document was asked for and complete.
    Loaded,
}

impl Page {
    /// Makes a context with one blank page, ready for a journey.
    pub async fn open(chromium: Arc<Chromium>, deadline: Instant) -> Result<Self, PageError> {
        let connection = chromium.connection().clone();
        let context = connection
            .call(
                None,
                &Target::CreateBrowserContext {
                    dispose_on_detach: Some(true),
                    proxy_server: None,
                    proxy_bypass_list: None,
                    origins_with_universal_network_access: None,
                },
                deadline,
            )
            .await?
            .browser_context_id;
        let target = connection
            .call(
                None,
                &Target::CreateTarget {
                    url: "about:blank".into(),
                    left: None,
                    top: None,
                    width: Some(WINDOW.0),
                    height: Some(WINDOW.1),
                    window_state: None,
                    browser_context_id: Some(context.clone()),
                    enable_begin_frame_control: None,
                    new_window: None,
                    background: None,
                    for_tab: None,
                    hidden: None,
                },
                deadline,
            )
            .await?
            .target_id;
        let attach = Target::AttachToTarget {
            target_id: target.clone(),
            flatten: Some(true),
        };
        let session = SessionId(connection.call(None, &attach, deadline).await?.session_id);
        let events = connection.listen(&session);
        let mut page = Self {
            chromium,
            context,
            session,
            events,
            state: PageState::new(target),
        };
        page.prepare(deadline).await?;
        Ok(page)
    }

    /// Everything that a page needs is written at once, and all answers are awaited.
    async fn prepare(&mut self, deadline: Instant) -> Result<(), PageError> {
        let connection = self.chromium.connection().clone();
        let session = Some(&self.session);
        let calls = (
            connection.call(
                session,
                &PageDomain::Enable {
                    enable_file_chooser_opened_event: None,
                },
                deadline,
            ),
            connection.call(
                session,
                &PageDomain::SetLifecycleEventsEnabled { enabled: true },
                deadline,
            ),
            connection.call(session, &network_enable(), deadline),
            connection.call(session, &Runtime::Enable(None), deadline),
            connection.call(session, &InspectorEnable {}, deadline),
            connection.call(
                session,
                &Emulation::SetFocusEmulationEnabled { enabled: true },
                deadline,
            ),
            connection.call(
                session,
                &Runtime::AddBinding {
                    name: TELL.into(),
                    execution_context_id: None,
                    execution_context_name: Some(WORLD.into()),
                },
                deadline,
            ),
            connection.call(
                session,
                &PageDomain::AddScriptToEvaluateOnNewDocument {
                    source: include_str!("in_page.js").into(),
                    world_name: Some(WORLD.into()),
                    include_command_line_api: None,
                    run_immediately: Some(true),
                },
                deadline,
            ),
        );
        calls.0.await?;
        calls.1.await?;
        calls.2.await?;
        calls.3.await?;
        calls.4.await?;
        calls.5.await?;
        calls.6.await?;
        calls.7.await?;
        Ok(())
    }

    /// What is known of it.
    pub const fn state(&self) -> &PageState {
        &self.state
    }

    /// The document that is there has told what the browser measured of it.
    pub fn look(&mut self, vitals: Vitals) {
        let loader = self.state.loader.clone();
        self.state.vitals.look(&loader, vitals);
    }

    /// The browser that it is a page of.
    pub const fn chromium(&self) -> &Arc<Chromium> {
        &self.chromium
    }

    /// Calls a method of its session.
    pub async fn call<M: Method + Serialize>(
        &mut self,
        method: &M,
        deadline: Instant,
    ) -> Result<M::ReturnObject, PageError> {
        let call = self
            .chromium
            .connection()
            .call(Some(&self.session), method, deadline);
        let mut call = std::pin::pin!(call);
        loop {
            tokio::select! {
                answer = &mut call => {
                    // Events that came before the answer are known before the answer is used.
                    while let Ok(event) = self.events.try_recv() {
                        self.take(&event);
                    }
                    if self.state.crashed {
                        return Err(PageError::Crashed);
                    }
                    return Ok(answer?);
                }
                event = self.events.recv() => self.take_or_end(event)?,
            }
        }
    }

    /// Calls a method of its session whose answer tells nothing.
    pub fn send<M: Method + Serialize>(&self, method: &M) {
        drop(
            self.chromium
                .connection()
                .call(Some(&self.session), method, Instant::now()),
        );
    }

    /// Waits until what is known of it meets a condition.
    pub async fn until(
        &mut self,
        deadline: Instant,
        met: impl Fn(&PageState) -> bool,
    ) -> Result<(), PageError> {
        if self.state.crashed {
            return Err(PageError::Crashed);
        }
        while !met(&self.state) {
            let event = tokio::time::timeout_at(deadline.into(), self.events.recv())
                .await
                .map_err(|_| PageError::Late)?;
            self.take_or_end(event)?;
        }
        Ok(())
    }

    /// Calls a function of the script in the page, in whatever document is there: one that is left while the function
    /// waits hands over to the next. `request` is told how much time is left.
    pub async fn ask<T: DeserializeOwned>(
        &mut self,
        function: Function,
        request: &serde_json::Value,
        deadline: Instant,
    ) -> Result<T, PageError> {
        loop {
            self.until(deadline, |state| {
                state.world.is_some() && !state.navigating()
            })
            .await?;
            let Some(world) = self.state.world else {
                continue;
            };
            let mut request = request.clone();
            request["timeout_ms"] = milliseconds_until(deadline).into();
            let call = CallFunction {
                function_declaration: match function {
                    Function::Perform => "request => vigia.perform(request)",
                    Function::Settle => "() => vigia.settle()",
                    Function::Loaded => "() => vigia.loaded()",
                },
                execution_context_id: world,
                arguments: [Argument { value: request }],
                await_promise: true,
                return_by_value: true,
            };
            match self.call(&call, deadline + ANSWER_MARGIN).await {
                Ok(FunctionResult {
                    exception_details: Some(details),
                    ..
                }) => {
                    return Err(PageError::Script(thrown(&details)));
                }
                Ok(FunctionResult { result, .. }) => {
                    let value = result.value.unwrap_or_default();
                    return serde_json::from_value(value)
                        .map_err(|error| PageError::Script(error.to_string()));
                }
                Err(PageError::Call(CallError::Refused { .. })) => {
                    // The document is gone, and its world with it. The next one's is announced by an event.
                    self.state.world = self.state.world.filter(|known| *known != world);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// What the page shows, as a JPEG.
    pub async fn screenshot(&mut self, deadline: Instant) -> Result<Vec<u8>, PageError> {
        let capture = PageDomain::CaptureScreenshot {
            format: Some(PageDomain::CaptureScreenshotFormatOption::Jpeg),
            quality: Some(85),
            clip: None,
            from_surface: None,
            capture_beyond_viewport: None,
            optimize_for_speed: None,
        };
        let data = self.call(&capture, deadline).await?.data;
        STANDARD
            .decode(data)
            .map_err(|error| PageError::Script(error.to_string()))
    }

    fn take(&mut self, event: &Event) {
        self.state.apply(event);
        if let Some(accept) = answer_to_dialog(event) {
            // It blocks the page until it is answered.
            self.send(&PageDomain::HandleJavaScriptDialog {
                accept,
                prompt_text: None,
            });
        }
    }

    fn take_or_end(&mut self, event: Option<Event>) -> Result<(), PageError> {
        let event = event.ok_or(CallError::Closed)?;
        self.take(&event);
        if self.state.crashed {
            Err(PageError::Crashed)
        } else {
            Ok(())
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let connection = self.chromium.connection();
        connection.forget(&self.session);
        // Written now; nobody waits for the answer.
        let dispose = Target::DisposeBrowserContext {
            browser_context_id: self.context.clone(),
        };
        drop(connection.call(None, &dispose, Instant::now()));
    }
}

/// A page that asks whether it may be left is left; to anything else that nobody expected the answer is no.
fn answer_to_dialog(event: &Event) -> Option<bool> {
    #[derive(Deserialize)]
    struct Opening {
        r#type: String,
    }
    if event.method != "Page.javascriptDialogOpening" {
        return None;
    }
    let opening: Option<Opening> = event.read();
    Some(opening.is_some_and(|opening| opening.r#type == "beforeunload"))
}

/// `Inspector.enable` tells of a crash; the crate's type for it takes no parameters in a form that Chromium refuses.
#[derive(Debug, Serialize)]
struct InspectorEnable {}

impl Method for InspectorEnable {
    const NAME: &'static str = "Inspector.enable";
    type ReturnObject = serde_json::Value;
}

/// Bodies are not read, so none need be kept.
fn network_enable() -> Network::Enable {
    Network::Enable {
        max_total_buffer_size: Some(0),
        max_resource_buffer_size: Some(0),
        max_post_data_size: Some(0),
        report_direct_socket_traffic: None,
        enable_durable_messages: None,
    }
}

fn thrown(details: &serde_json::Value) -> String {
    let said = details["exception"]["description"]
        .as_str()
        .or(details["text"].as_str());
    said.and_then(|said| said.lines().next())
        .unwrap_or("nothing was said")
        .to_owned()
}

fn milliseconds_until(deadline: Instant) -> u64 {
    let left = deadline.saturating_duration_since(Instant::now());
    u64::try_from(left.as_millis()).unwrap_or(u64::MAX)
}
