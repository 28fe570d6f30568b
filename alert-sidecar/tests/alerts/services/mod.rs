//! The services that channels talk to, as their documentation has them: real HTTP on the loopback address, limits enforced,
//! wrong requests refused the way the service refuses them, what was posted remembered as people would see it, and faults
//! on demand. One file a service; each says what it follows.
//!
//! What they have in common is here, so that one table of cases runs every channel against its service. They are strict
//! where a service is lenient: what a service puts up with or cuts without a word, a channel of ours is not to send.

pub mod discord;
pub mod google_chat;
mod image;
mod markup;
pub mod matrix;
pub mod mattermost;
pub mod ntfy;
pub mod pagerduty;
mod proxy;
mod request;
pub mod rocketchat;
pub mod slack;
pub mod teams;
pub mod telegram;
pub mod webhook;
pub mod zulip;

use std::{
    collections::{BTreeMap, VecDeque},
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    http::header::{CONTENT_TYPE, LOCATION},
    response::{IntoResponse, Response},
};
use tokio::{net::TcpListener, task::JoinHandle};
use vigia_testbed::{tls::Authority, until::until};

pub use image::picture;
pub use proxy::Proxy;
pub use request::{Answer, Request};

/// How long a test waits for what is sent within milliseconds.
const SOON: Duration = Duration::from_secs(20);

/// The services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Slack,
    Telegram,
    Webhook,
    Teams,
    Discord,
    Mattermost,
    RocketChat,
    Matrix,
    GoogleChat,
    Zulip,
    Ntfy,
    PagerDuty,
}

impl Kind {
    /// What the request is for; faults are aimed at it.
    fn aim(self, request: &Request) -> Aim {
        match self {
            Self::Slack => slack::aim(request),
            Self::Telegram => telegram::aim(request),
            Self::Webhook => webhook::aim(request),
            Self::Teams => teams::aim(request),
            Self::Discord => discord::aim(request),
            Self::Mattermost => mattermost::aim(request),
            Self::RocketChat => rocketchat::aim(request),
            Self::Matrix => matrix::aim(request),
            Self::GoogleChat => google_chat::aim(request),
            Self::Zulip => zulip::aim(request),
            Self::Ntfy => ntfy::aim(request),
            Self::PagerDuty => pagerduty::aim(request),
        }
    }

    /// What the service does with a request on a good day.
    fn answer(self, room: &mut Room, request: &Request) -> Answer {
        match self {
            Self::Slack => slack::answer(room, request),
            Self::Telegram => telegram::answer(room, request),
            Self::Webhook => webhook::answer(room, request),
            Self::Teams => teams::answer(room, request),
            Self::Discord => discord::answer(room, request),
            Self::Mattermost => mattermost::answer(room, request),
            Self::RocketChat => rocketchat::answer(room, request),
            Self::Matrix => matrix::answer(room, request),
            Self::GoogleChat => google_chat::answer(room, request),
            Self::Zulip => zulip::answer(room, request),
            Self::Ntfy => ntfy::answer(room, request),
            Self::PagerDuty => pagerduty::answer(room, request),
        }
    }

    /// How the service says that it will not, for this reason.
    fn refusal(self, request: &Request, refusal: Refusal) -> Answer {
        match self {
            Self::Slack => slack::refusal(request, refusal),
            Self::Telegram => telegram::refusal(refusal),
            Self::Webhook => webhook::refusal(refusal),
            Self::Teams => teams::refusal(refusal),
            Self::Discord => discord::refusal(refusal),
            Self::Mattermost => mattermost::refusal(request, refusal),
            Self::RocketChat => rocketchat::refusal(refusal),
            Self::Matrix => matrix::refusal(refusal),
            Self::GoogleChat => google_chat::refusal(refusal),
            Self::Zulip => zulip::refusal(refusal),
            Self::Ntfy => ntfy::refusal(refusal),
            Self::PagerDuty => pagerduty::refusal(refusal),
        }
    }
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// To show people something, or to change what they are shown.
    Message,
    /// To bring a picture.
    Picture,
    /// To ask.
    Question,
}

/// What goes wrong with the next request of its kind; later ones are served as ever.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// The next message is refused.
    Message(Refusal),
    /// The next picture is refused.
    Picture(Refusal),
    /// The next message is posted, and the service never says so.
    SilentAfterMessage,
    /// The next message is posted, and the connection ends without a word.
    HangUpAfterMessage,
    /// The next picture is taken, and the service never says so.
    SilentAfterPicture,
    /// The next message's request is sent elsewhere with this status.
    Redirect(u16, String),
    /// The next message is refused with all that was sent in the answer.
    Echo,
}

impl Fault {
    const fn aim(&self) -> Aim {
        match self {
            Self::Message(_)
            | Self::SilentAfterMessage
            | Self::HangUpAfterMessage
            | Self::Redirect(..)
            | Self::Echo => Aim::Message,
            Self::Picture(_) | Self::SilentAfterPicture => Aim::Picture,
        }
    }
}

/// Why a service will not, in no service's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Too many requests; it may be tried again after this many seconds.
    TooMany(u64),
    /// The service is out of order.
    Unavailable,
    /// The token or the secret address is no longer valid.
    Revoked,
    /// The channel, chat or room was deleted.
    Gone,
    /// What was sent is larger than this installation takes.
    TooBig,
    /// This kind of file is not taken.
    NotTaken,
}

/// Something that people see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Post {
    /// What the service calls it.
    pub id: String,
    /// The channel, chat, room, space or topic.
    pub place: String,
    /// What is shown where there is room for one line, if the service has such a thing.
    pub preview: String,
    /// What people read, without markup as far as the service shows none.
    pub text: String,
    /// The post that it answers to: where threads have names, the first one of its name.
    pub thread: Option<String>,
    pub pictures: Vec<Picture>,
    /// Pictures that the service fetches to show them: where from, and what is read to those who do not see them.
    pub linked: Vec<(String, String)>,
    /// What it said before it was changed, the oldest first.
    pub edits: Vec<String>,
    /// Whom it calls besides those who follow the place: `everybody`, or a name.
    pub mentions: Vec<String>,
    /// Where its links and buttons lead, as written; bare addresses that the service would underline are not here.
    pub links: Vec<String>,
}

/// A picture that people see, or that waits to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    pub name: String,
    pub bytes: Vec<u8>,
    /// What is read to those who do not see it.
    pub description: Option<String>,
}

/// What a service keeps.
#[derive(Debug, Default)]
pub struct Room {
    /// The service's own address, for answers that hold one.
    address: String,
    posts: Vec<Post>,
    /// Pictures that were brought and are not shown yet, by the service's name of them.
    uploads: BTreeMap<String, Picture>,
    /// The posts that came of requests which the service would know again.
    repeats: BTreeMap<String, String>,
    /// The first posts of threads that have names.
    threads: BTreeMap<String, String>,
    /// How many names were given out.
    names: usize,
}

impl Room {
    /// A number that was not used before.
    fn next_number(&mut self) -> usize {
        self.names += 1;
        self.names
    }

    /// The first post of the thread with this name; nothing where this post is the first.
    fn thread(&mut self, name: &str, id: &str) -> Option<String> {
        if let Some(first) = self.threads.get(name) {
            return Some(first.clone());
        }
        self.threads.insert(name.to_owned(), id.to_owned());
        None
    }

    fn post(&self, id: &str) -> Option<&Post> {
        self.posts.iter().find(|post| post.id == id)
    }

    /// Changes what a post says; gives false where there is none.
    fn edit(&mut self, id: &str, text: String) -> bool {
        let Some(post) = self.posts.iter_mut().find(|post| post.id == id) else {
            return false;
        };
        let before = std::mem::replace(&mut post.text, text);
        post.edits.push(before);
        true
    }
}

/// A request as the service remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// For example `POST /api/chat.postMessage`; without the query, where secrets may be.
    pub what: String,
    /// What was answered; nothing where the caller was left alone.
    pub status: Option<u16>,
}

#[derive(Debug)]
struct Counter {
    kind: Kind,
    room: Mutex<Room>,
    faults: Mutex<VecDeque<Fault>>,
    heard: Mutex<Vec<Heard>>,
    bodies: Mutex<Vec<serde_json::Value>>,
}

/// A running service. Dropped, it is gone.
pub struct Service {
    pub kind: Kind,
    /// Without a slash at the end.
    pub address: String,
    counter: Arc<Counter>,
    server: JoinHandle<()>,
}

impl Service {
    pub async fn start(kind: Kind) -> Self {
        Self::open(kind, None).await
    }

    /// Starts it with a certificate of this authority for `localhost`.
    pub async fn start_with_tls(kind: Kind, authority: &Authority) -> Self {
        Self::open(kind, Some(authority)).await
    }

    async fn open(kind: Kind, authority: Option<&Authority>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let scheme = authority.map_or("http", |_| "https");
        let address = format!("{scheme}://localhost:{port}");
        let counter = Arc::new(Counter {
            kind,
            room: Mutex::new(Room {
                address: address.clone(),
                ..Room::default()
            }),
            faults: Mutex::default(),
            heard: Mutex::default(),
            bodies: Mutex::default(),
        });
        let router = Router::new()
            .fallback(serve)
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&counter));
        let server = match authority {
            None => tokio::spawn(async { axum::serve(listener, router).await.unwrap() }),
            Some(authority) => {
                let listener = authority.listener(listener).unwrap();
                tokio::spawn(async { axum::serve(listener, router).await.unwrap() })
            }
        };
        Self {
            kind,
            address,
            counter,
            server,
        }
    }

    /// Lets this go wrong with the next request that it is about.
    pub fn next(&self, fault: Fault) {
        self.counter.faults.lock().unwrap().push_back(fault);
    }

    /// Whether everything went wrong that was to.
    pub fn faults_are_spent(&self) -> bool {
        self.counter.faults.lock().unwrap().is_empty()
    }

    /// What people see, the oldest first.
    pub fn posts(&self) -> Vec<Post> {
        self.room().posts.clone()
    }

    /// The pictures that were brought and that nobody is shown.
    pub fn uploads(&self) -> Vec<Picture> {
        self.room().uploads.values().cloned().collect()
    }

    /// Every request, the oldest first.
    pub fn heard(&self) -> Vec<Heard> {
        self.counter.heard.lock().unwrap().clone()
    }

    /// What was posted as JSON, the oldest first.
    pub fn bodies(&self) -> Vec<serde_json::Value> {
        self.counter.bodies.lock().unwrap().clone()
    }

    /// Waits until people see so many posts.
    pub async fn wait_for(&self, count: usize) -> Vec<Post> {
        let what = format!("{count} posts at {:?}", self.kind);
        until(&what, SOON, async || {
            Some(self.posts()).filter(|posts| posts.len() >= count)
        })
        .await
        .unwrap_or_else(|error| panic!("{error}; heard {:#?}", self.heard()))
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        self.counter.room.lock().unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(State(counter): State<Arc<Counter>>, request: axum::extract::Request) -> Response {
    let request = Request::read(request).await;
    let aim = counter.kind.aim(&request);
    counter.bodies.lock().unwrap().extend(request.json());
    let fault = counter.fault(aim);
    let remember = |status: Option<u16>| {
        counter.heard.lock().unwrap().push(Heard {
            what: format!("{} {}", request.method, request.path),
            status,
        });
    };
    let refusal = match &fault {
        Some(Fault::Message(refusal) | Fault::Picture(refusal)) => Some(*refusal),
        _ => None,
    };
    if let Some(Fault::Redirect(status, target)) = fault {
        remember(Some(status));
        let answer = Answer::text(status, "").with(LOCATION.as_str(), target);
        return respond(answer);
    }
    if fault == Some(Fault::Echo) {
        remember(Some(400));
        let tokens = ["authorization", "x-auth-token"].map(|name| request.headers.get(name));
        let body = String::from_utf8_lossy(&request.body);
        let said = format!("cannot serve {} {tokens:?} {body}", request.path);
        return respond(Answer::text(400, &said));
    }
    let answer = match refusal {
        Some(Refusal::Unavailable) => Answer::unavailable(),
        Some(refusal) => counter.kind.refusal(&request, refusal),
        None => counter
            .kind
            .answer(&mut counter.room.lock().unwrap(), &request),
    };
    match fault {
        Some(Fault::SilentAfterMessage | Fault::SilentAfterPicture) => {
            remember(None);
            std::future::pending().await
        }
        Some(Fault::HangUpAfterMessage) => {
            remember(None);
            // Ends this connection's task, and with it the connection; nothing is printed of it.
            std::panic::resume_unwind(Box::new("hang up"))
        }
        _ => {
            remember(Some(answer.status));
            respond(answer)
        }
    }
}

impl Counter {
    /// The next fault, where it is about this.
    fn fault(&self, aim: Aim) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let place = faults.iter().position(|fault| fault.aim() == aim)?;
        faults.remove(place)
    }
}

fn respond(answer: Answer) -> Response {
    let status = axum::http::StatusCode::from_u16(answer.status).unwrap();
    let mut response = (status, [(CONTENT_TYPE, answer.media_type)], answer.body).into_response();
    for (name, value) in answer.headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

/// A client for the tests of the services themselves.
fn client() -> reqwest::Client {
    vigia_testbed::http::client().unwrap()
}

#[tokio::test]
async fn what_goes_wrong_is_what_it_is_about_and_only_once() {
    let telegram = Service::start(Kind::Telegram).await;
    let call = |method: &str, body: reqwest::multipart::Form| {
        let address = format!("{}/bot{}/{method}", telegram.address, telegram::TOKEN);
        client().post(address).multipart(body).send()
    };
    let chat = || reqwest::multipart::Form::new().text("chat_id", telegram::CHAT.to_string());
    let message = || call("sendMessage", chat().text("text", "CRÍTICO"));
    let photo = || {
        let file = reqwest::multipart::Part::bytes(picture(9, 9)).file_name("a.png");
        call("sendPhoto", chat().part("photo", file))
    };
    for fault in [
        Fault::Picture(Refusal::NotTaken),
        Fault::Message(Refusal::Unavailable),
        Fault::HangUpAfterMessage,
        Fault::Redirect(307, "http://localhost:9/elsewhere".into()),
    ] {
        telegram.next(fault);
    }
    assert_eq!(message().await.unwrap().status(), 503);
    let lost = message().await.unwrap_err();
    assert!(!lost.is_connect(), "{lost:?}");
    // A body that is sent as it is read is not sent again: this client does not follow.
    let moved = message().await.unwrap();
    assert_eq!(moved.status(), 307);
    assert_eq!(moved.headers()["location"], "http://localhost:9/elsewhere");
    assert_eq!(photo().await.unwrap().status(), 400);
    assert!(telegram.faults_are_spent());
    assert_eq!(telegram.wait_for(1).await.len(), 1, "{:?}", telegram.kind);

    for (fault, count) in [
        (Fault::SilentAfterMessage, 2),
        (Fault::SilentAfterPicture, 3),
    ] {
        telegram.next(fault);
        let asked = tokio::spawn(if count == 2 { message() } else { photo() });
        assert_eq!(telegram.wait_for(count).await.len(), count);
        asked.abort();
    }
    assert_eq!(telegram.posts()[2].pictures[0].bytes, picture(9, 9));
    let answered: Vec<_> = telegram.heard().iter().map(|heard| heard.status).collect();
    let expected = [Some(503), None, Some(307), Some(400), None, None];
    assert_eq!(answered, expected);
}
