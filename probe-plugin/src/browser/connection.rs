//! The connection to Chromium: JSON messages over two pipes, each ended by a NUL byte.
//!
//! One task owns the pipes and the calls that wait for an answer; everybody else sends it messages. It knows no deadline:
//! whoever waits for an answer brings one, and an answer that comes too late is dropped. Nothing that Chromium says can
//! break it: what cannot be read is skipped and counted.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use headless_chrome::protocol::cdp::types::Method;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use tokio::{
    io::AsyncReadExt,
    net::unix::pipe,
    sync::{mpsc, oneshot},
};

/// Events that come with the domains that a run needs and that nobody reads: a third of all that a run is told. They are
/// dropped here and wake no run: whoever comes to read one takes it out of this list.
const UNREAD: [&str; 10] = [
    "Network.dataReceived",
    "Network.policyUpdated",
    "Network.requestWillBeSentExtraInfo",
    "Network.resourceChangedPriority",
    "Network.responseReceivedExtraInfo",
    "Page.frameClearedScheduledNavigation",
    "Page.frameResized",
    "Page.frameScheduledNavigation",
    "Page.frameStartedLoading",
    "Target.targetInfoChanged",
];

/// A flat session with one target of the browser.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct SessionId(pub String);

/// Something that happened in a session.
#[derive(Clone, Debug)]
pub struct Event {
    /// Where.
    pub session: SessionId,
    /// For example `Page.frameNavigated`.
    pub method: String,
    /// Read by whoever cares, with [`Self::read`].
    params: Box<RawValue>,
}

impl Event {
    /// What it takes of the memory, nearly.
    pub fn bytes(&self) -> usize {
        self.params.get().len()
    }

    /// What is needed of it; nothing where it is not what was expected.
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.params.get()).ok()
    }
}

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The browser is gone.
    #[error("the connection to the browser is closed")]
    Closed,
    /// No answer in time.
    #[error("the browser did not answer `{0}` in time")]
    Deadline(&'static str),
    /// Chromium refused it.
    #[error("the browser refused `{method}`: {message}")]
    Refused {
        /// What was called.
        method: &'static str,
        /// In Chromium's words.
        message: String,
    },
    /// The answer is not what the protocol promises.
    #[error("the browser's answer to `{method}` cannot be read")]
    Unreadable {
        /// What was called.
        method: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// A handle to the task that owns the connection.
#[derive(Clone, Debug)]
pub struct Connection {
    orders: mpsc::UnboundedSender<Order>,
    /// When Chromium last said anything.
    heard: Arc<Mutex<Instant>>,
}

/// What the owner is told to do. The queue has no bound, but nobody sends without awaiting an answer.
#[derive(Debug)]
enum Order {
    Call {
        method: &'static str,
        params: Box<RawValue>,
        session: Option<SessionId>,
        answer: oneshot::Sender<Result<Box<RawValue>, String>>,
    },
    Listen {
        context: String,
        events: mpsc::UnboundedSender<Event>,
    },
    Forget {
        context: String,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outgoing<'a> {
    id: u64,
    method: &'a str,
    params: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Incoming<'a> {
    id: Option<u64>,
    method: Option<&'a str>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    error: Option<Refusal>,
    session_id: Option<&'a str>,
}

#[derive(Deserialize)]
struct Refusal {
    message: String,
}

impl Connection {
    /// Starts the task that owns the pipes; it ends when Chromium's end closes or every handle is gone. Messages that cannot
    /// be read are counted in `unreadable`.
    pub fn start(
        to_browser: pipe::Sender,
        from_browser: pipe::Receiver,
        unreadable: Arc<AtomicUsize>,
    ) -> Self {
        let (orders, queue) = mpsc::unbounded_channel();
        let heard = Arc::new(Mutex::new(Instant::now()));
        let waiting = Waiting {
            last_id: 0,
            answers: HashMap::new(),
            listeners: HashMap::new(),
            sessions: HashMap::new(),
            heard: Arc::clone(&heard),
            unreadable,
        };
        tokio::spawn(own(to_browser, from_browser, queue, waiting));
        Self { orders, heard }
    }

    /// Calls a method of the browser itself, or of one session. It is written when this is called, not when it is
    /// awaited, so that several can be under way together.
    pub fn call<M: Method + Serialize>(
        &self,
        session: Option<&SessionId>,
        method: &M,
        deadline: Instant,
    ) -> impl Future<Output = Result<M::ReturnObject, CallError>> + use<M> {
        let (answer, answered) = oneshot::channel();
        let sent = serde_json::value::to_raw_value(method)
            .map_err(|source| CallError::Unreadable {
                method: M::NAME,
                source,
            })
            .and_then(|params| {
                let session = session.cloned();
                self.orders
                    .send(Order::Call {
                        method: M::NAME,
                        params,
                        session,
                        answer,
                    })
                    .map_err(|_| CallError::Closed)
            });
        async move {
            sent?;
            let answered = tokio::time::timeout_at(deadline.into(), answered).await;
            let result = answered
                .map_err(|_| CallError::Deadline(M::NAME))?
                .map_err(|_| CallError::Closed)?
                .map_err(|message| CallError::Refused {
                    method: M::NAME,
                    message,
                })?;
            serde_json::from_str(result.get()).map_err(|source| CallError::Unreadable {
                method: M::NAME,
                source,
            })
        }
    }

    /// From now on the events of every session with a target of this browser context go here, from the session's first
    /// one on: of its tabs, of the windows that they open, of the frames that have a process of their own. Ends when the
    /// connection does.
    pub fn listen(&self, context: &str) -> mpsc::UnboundedReceiver<Event> {
        let (events, receiver) = mpsc::unbounded_channel();
        // A closed connection drops the sender with the order, so that the receiver sees the end.
        drop(self.orders.send(Order::Listen {
            context: context.to_owned(),
            events,
        }));
        receiver
    }

    /// The context is over.
    pub fn forget(&self, context: &str) {
        drop(self.orders.send(Order::Forget {
            context: context.to_owned(),
        }));
    }

    /// Whether Chromium has said anything in this time: a start counts.
    pub fn was_heard_within(&self, time: Duration) -> bool {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.elapsed() < time
    }

    /// Whether Chromium's end is still open.
    pub fn is_open(&self) -> bool {
        !self.orders.is_closed()
    }
}

struct Waiting {
    last_id: u64,
    answers: HashMap<u64, oneshot::Sender<Result<Box<RawValue>, String>>>,
    /// By browser context.
    listeners: HashMap<String, mpsc::UnboundedSender<Event>>,
    /// The context that each session belongs to.
    sessions: HashMap<String, String>,
    heard: Arc<Mutex<Instant>>,
    unreadable: Arc<AtomicUsize>,
}

/// `Target.attachedToTarget`: a session begins.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attached {
    session_id: String,
    target_info: TargetInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TargetInfo {
    browser_context_id: Option<String>,
}

/// `Target.detachedFromTarget`: a session is over.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detached {
    session_id: String,
}

/// Owns the connection until one of its ends is gone. Reading and writing go on side by side, so that neither end can
/// block the other by not reading.
async fn own(
    to_browser: pipe::Sender,
    mut from_browser: pipe::Receiver,
    mut orders: mpsc::UnboundedReceiver<Order>,
    mut waiting: Waiting,
) {
    let mut outgoing: Vec<u8> = Vec::new();
    let mut incoming: Vec<u8> = Vec::with_capacity(64 * 1024);
    let mut searched = 0;
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(order) => waiting.take(order, &mut outgoing),
                None => return,
            },
            written = write_some(&to_browser, &outgoing), if !outgoing.is_empty() => match written {
                Ok(count) => drop(outgoing.drain(..count)),
                Err(_) => return,
            },
            read = from_browser.read_buf(&mut incoming) => {
                if !matches!(read, Ok(1..)) {
                    return;
                }
                *waiting.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
                let mut start = 0;
                while let Some(length) = incoming[searched.max(start)..].iter().position(|&byte| byte == 0) {
                    let end = searched.max(start) + length;
                    waiting.dispatch(&incoming[start..end]);
                    start = end + 1;
                    searched = start;
                }
                incoming.drain(..start);
                searched = incoming.len();
            }
        }
    }
}

/// The method of an event, without reading more of it: Chromium writes it first.
fn method(message: &[u8]) -> Option<&str> {
    let name = message.strip_prefix(b"{\"method\":\"")?;
    let end = name.iter().position(|&byte| byte == b'"')?;
    std::str::from_utf8(&name[..end]).ok()
}

async fn write_some(to_browser: &pipe::Sender, bytes: &[u8]) -> std::io::Result<usize> {
    loop {
        to_browser.writable().await?;
        match to_browser.try_write(bytes) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            written => return written,
        }
    }
}

impl Waiting {
    fn take(&mut self, order: Order, outgoing: &mut Vec<u8>) {
        match order {
            Order::Call {
                method,
                params,
                session,
                answer,
            } => {
                self.last_id += 1;
                self.answers.retain(|_, answer| !answer.is_closed());
                self.answers.insert(self.last_id, answer);
                let message = Outgoing {
                    id: self.last_id,
                    method,
                    params: &params,
                    session_id: session.as_ref().map(|session| session.0.as_str()),
                };
                if serde_json::to_writer(&mut *outgoing, &message).is_ok() {
                    outgoing.push(0);
                }
            }
            Order::Listen { context, events } => {
                self.listeners.insert(context, events);
            }
            Order::Forget { context } => {
                self.listeners.remove(&context);
                self.sessions.retain(|_, of| *of != context);
            }
        }
    }

    fn dispatch(&mut self, message: &[u8]) {
        if method(message).is_some_and(|name| UNREAD.contains(&name)) {
            return;
        }
        let Ok(message) = serde_json::from_slice::<Incoming<'_>>(message) else {
            self.unreadable.fetch_add(1, Ordering::Relaxed);
            return;
        };
        if let Some(answer) = message.id.and_then(|id| self.answers.remove(&id)) {
            let result = match (message.result, message.error) {
                (_, Some(refusal)) => Err(refusal.message),
                (Some(result), None) => Ok(result.to_owned()),
                (None, None) => Err("an answer without a result".into()),
            };
            // Whoever asked may have given up.
            drop(answer.send(result));
        } else if let (Some(method), Some(params)) = (message.method, message.params) {
            self.route(Event {
                session: SessionId(message.session_id.unwrap_or_default().to_owned()),
                method: method.to_owned(),
                params: params.to_owned(),
            });
        }
    }

    /// To whoever listens to the context that the event is of. The browser's own session tells of new tabs.
    fn route(&mut self, event: Event) {
        let is_for_all = [
            "Target.targetCrashed",
            "Browser.downloadWillBegin",
            "Browser.downloadProgress",
        ];
        if is_for_all.contains(&event.method.as_str()) {
            // It names a target, a frame or a file alone, and is rare: whoever has that knows it.
            for listener in self.listeners.values() {
                drop(listener.send(event.clone()));
            }
            return;
        }
        let mut context = self.sessions.get(&event.session.0).cloned();
        match event.method.as_str() {
            "Target.attachedToTarget" => {
                if let Some(attached) = event.read::<Attached>() {
                    context = context.or(attached.target_info.browser_context_id);
                    if let Some(context) = &context
                        && self.listeners.contains_key(context)
                    {
                        self.sessions.insert(attached.session_id, context.clone());
                    }
                }
            }
            "Target.detachedFromTarget" => {
                if let Some(detached) = event.read::<Detached>() {
                    context = self.sessions.remove(&detached.session_id).or(context);
                }
            }
            _ => {}
        }
        if let Some(listener) = context.and_then(|context| self.listeners.get(&context)) {
            drop(listener.send(event));
        }
    }
}
