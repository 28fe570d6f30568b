//! The small web page that answers "is there a problem?", and what programs ask: `/healthz`, `/readyz` and `/metrics`.
//!
//! It listens where the operator says, without encryption: on the loopback address behind a proxy, or inside a network that
//! is trusted. The same pages answer on a socket beside the store, which only its owner can open: that is how commands
//! reach the running program ([`socket`]).

pub mod access;
mod act;
mod pictures;
pub mod socket;
mod standing;
mod view;
mod words;

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Form, Router,
    extract::{
        ConnectInfo, DefaultBodyLimit, FromRequestParts, Query, Request, State,
        rejection::QueryRejection,
    },
    http::{
        HeaderValue, StatusCode,
        header::{
            ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap,
            LOCATION, REFERRER_POLICY, SET_COOKIE, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
            X_FRAME_OPTIONS,
        },
        request::Parts,
    },
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use jiff::Timestamp;
use serde::Deserialize;
use tokio::{
    net::TcpListener,
    sync::{Mutex, watch},
    time::{sleep, timeout},
};
use toml::Spanned;
use vigia_contract::secret::Template;

use self::{
    access::{Access, Door, Visitor},
    view::{Notice, View},
};
use crate::{
    flux::InfluxDb,
    health::{Complaint, Seen, complaints, metrics},
    incident::Incident,
    render::{Language, Style, link::Signer},
    store::{StoreError, decisions::Case, ledger::Ledger, overview::Overview},
};

/// The table `[page]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where it listens, for example `127.0.0.1:8090`.
    pub listen: SocketAddr,
    /// Where people reach it, for example `https://vigia.agency.example`: links in messages begin with it.
    pub url: Option<Spanned<String>>,
    /// What people type to look, as `${secret:NAME}`, at least 16 characters.
    pub token: Option<Spanned<Template>>,
    /// A proxy that knows who asks.
    pub proxy: Option<Spanned<ProxySettings>>,
    /// What links in messages are signed with, as `${secret:NAME}`, at least 32 characters. Without it messages have no links
    /// to acknowledge and to silence.
    pub link_key: Option<Spanned<Template>>,
    /// How long a link in a message is good. Default `7d`.
    #[serde(
        default = "default_links_last",
        deserialize_with = "vigia_contract::duration::deserialize"
    )]
    pub links_last: Duration,
}

/// The table `proxy` of `[page]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProxySettings {
    /// The header that holds the visitor's name, for example `X-Remote-User`. The proxy must set it anew, whatever a visitor
    /// sends.
    pub header: Spanned<String>,
    /// The addresses of the proxy. From any other the header means nothing.
    pub from: Vec<std::net::IpAddr>,
}

const fn default_links_last() -> Duration {
    Duration::from_hours(7 * 24)
}

/// The page's settings, ready to serve.
#[derive(Clone, Debug)]
pub struct Config {
    /// See [`Settings::listen`].
    pub listen: SocketAddr,
    /// See [`Settings::url`], without a slash at the end.
    pub url: Option<String>,
    /// Who may look.
    pub access: Access,
    /// Makes the links in messages.
    pub signer: Option<Signer>,
}

/// What is shown is at most this old: many browsers that look cost as much as one.
const FRESH: Duration = Duration::from_secs(1);

/// Whoever asks waits no longer than this for the store.
const DEADLINE: Duration = Duration::from_secs(5);

/// No form is longer.
const LONGEST_BODY_BYTES: usize = 64 * 1024;

/// While another program has the address, it is tried again this often.
const LISTEN_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// What the pages need to answer.
#[derive(Debug)]
pub struct Page {
    access: Access,
    signer: Option<Signer>,
    is_encrypted: bool,
    spanish: View,
    english: View,
    language: Language,
    journey_rules: BTreeSet<String>,
    influxdb: Arc<InfluxDb>,
    /// Nothing while this process does not work with the store.
    ledger: watch::Receiver<Option<Ledger>>,
    seen: watch::Receiver<Seen>,
    latest: Mutex<Option<(Instant, Arc<Overview>)>>,
}

/// What a page is made of.
#[derive(Debug)]
pub struct Sources {
    /// How people want to read.
    pub style: Style,
    /// The rules that are about journeys as they run.
    pub journey_rules: BTreeSet<String>,
    /// Where the pictures are.
    pub influxdb: Arc<InfluxDb>,
    /// The store, while this process works with it.
    pub ledger: watch::Receiver<Option<Ledger>>,
    /// How the rules fare.
    pub seen: watch::Receiver<Seen>,
}

impl Page {
    /// Prepares it; nothing is served yet. Without a configuration it is for the socket alone.
    pub fn new(config: Option<&Config>, sources: Sources) -> Result<Self, anyhow::Error> {
        let url = config.and_then(|config| config.url.as_deref());
        let path = url.and_then(|url| url.parse::<url::Url>().ok());
        let base = path
            .as_ref()
            .map_or("", |url| url.path().trim_end_matches('/'));
        let view = |language| View::new(&sources.style, language, base);
        Ok(Self {
            access: match config {
                Some(config) => config.access.clone(),
                None => Access::new(None, None)?,
            },
            signer: config.and_then(|config| config.signer.clone()),
            is_encrypted: url.is_some_and(|url| url.starts_with("https:")),
            spanish: view(Language::Spanish)?,
            english: view(Language::English)?,
            language: sources.style.language,
            journey_rules: sources.journey_rules,
            influxdb: sources.influxdb,
            ledger: sources.ledger,
            seen: sources.seen,
            latest: Mutex::new(None),
        })
    }

    const fn view(&self, language: Language) -> &View {
        match language {
            Language::Spanish => &self.spanish,
            Language::English => &self.english,
        }
    }

    fn ledger(&self) -> Result<Ledger, Complaint> {
        self.ledger.borrow().clone().ok_or(Complaint::Waiting)
    }

    async fn overview(&self) -> Result<Arc<Overview>, Complaint> {
        // Who asks meanwhile waits for the same answer.
        let mut latest = self.latest.lock().await;
        if let Some((at, overview)) = &*latest
            && at.elapsed() < FRESH
        {
            return Ok(Arc::clone(overview));
        }
        let overview = Arc::new(in_time(self.ledger()?.overview(Timestamp::now())).await?);
        *latest = Some((Instant::now(), Arc::clone(&overview)));
        Ok(overview)
    }

    async fn case(&self, id: &str) -> Result<Option<Case>, Complaint> {
        in_time(self.ledger()?.case(id)).await
    }

    async fn incidents_of(&self, subject: &str) -> Result<Vec<Incident>, Complaint> {
        in_time(self.ledger()?.incidents_of(subject)).await
    }

    fn complaints(&self, overview: &Overview, now: Timestamp) -> Vec<Complaint> {
        complaints(&self.seen.borrow(), overview, now)
    }
}

async fn in_time<T>(answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, Complaint> {
    match timeout(DEADLINE, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(Complaint::Store(error.to_string())),
        Err(_) => Err(Complaint::Store("it does not answer in time".to_owned())),
    }
}

/// Serves on the network until `stop` is set.
pub async fn serve(page: Arc<Page>, listen: SocketAddr, mut stop: watch::Receiver<bool>) {
    let listener = loop {
        match TcpListener::bind(listen).await {
            Ok(listener) => break listener,
            Err(error) => {
                tracing::error!(%listen, %error, "the page cannot be served; it is tried again");
            }
        }
        tokio::select! {
            _ = stop.changed() => return,
            () = sleep(LISTEN_AGAIN_AFTER) => {}
        }
    };
    match listener.local_addr() {
        Ok(address) => tracing::info!(%address, "the page is served"),
        Err(error) => tracing::warn!(%error, "nobody knows where the page is served"),
    }
    let service = router(page)
        .layer(middleware::from_fn(through_the_network))
        .into_make_service_with_connect_info::<SocketAddr>();
    tokio::select! {
        served = axum::serve(listener, service) => {
            if let Err(error) = served {
                tracing::error!(%error, "the page is served no longer");
            }
        }
        _ = stop.changed() => {}
    }
}

fn router(page: Arc<Page>) -> Router {
    Router::new()
        .route("/", get(status))
        .route("/incident", get(incident))
        .route("/picture", get(pictures::of_incident))
        .route("/shown", get(pictures::linked))
        .route("/act", get(act::show).post(act::act))
        .route("/login", post(login))
        .route("/page.css", get(style))
        .route("/healthz", get(async || "alive\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(measure))
        .fallback(async |State(page): State<Arc<Page>>, asked: Asked| {
            page.say(&asked, StatusCode::NOT_FOUND, Notice::Gone)
        })
        .layer(DefaultBodyLimit::max(LONGEST_BODY_BYTES))
        .layer(middleware::from_fn(guard))
        .with_state(page)
}

async fn through_the_network(
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    request.extensions_mut().insert(Door::Network(address.ip()));
    next.run(request).await
}

/// What every answer tells the browser: no script, nothing from elsewhere, in no frame, not to be kept.
async fn guard(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Who asks, when, and in which language.
struct Asked {
    visitor: Option<Visitor>,
    language: Language,
    now: Timestamp,
}

/// What any address may have behind it.
#[derive(Debug, Deserialize)]
struct Wishes {
    lang: Option<Language>,
}

impl FromRequestParts<Arc<Page>> for Asked {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, page: &Arc<Page>) -> Result<Self, StatusCode> {
        let now = Timestamp::now();
        let door = *parts
            .extensions
            .get::<Door>()
            .ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
        let wished = Query::<Wishes>::try_from_uri(&parts.uri)
            .ok()
            .and_then(|wishes| wishes.0.lang);
        Ok(Self {
            visitor: page.access.visitor(door, &parts.headers, now),
            language: wished
                .or_else(|| understood(&parts.headers))
                .unwrap_or(page.language),
            now,
        })
    }
}

/// The first language of the browser's that there is.
fn understood(headers: &HeaderMap) -> Option<Language> {
    let languages = headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?;
    languages
        .split(',')
        .find_map(|language| match language.trim().get(..2)? {
            "es" => Some(Language::Spanish),
            "en" => Some(Language::English),
            _ => None,
        })
}

#[derive(Debug, Deserialize)]
struct About {
    id: String,
}

impl Page {
    /// What stands in the place of a page for somebody who may not look.
    fn ask_who(&self, asked: &Asked, is_wrong: bool) -> Response {
        let page = self
            .view(asked.language)
            .login(self.access.has_token(), is_wrong);
        let status = if is_wrong {
            StatusCode::FORBIDDEN
        } else {
            StatusCode::UNAUTHORIZED
        };
        let mut response = (status, html(page)).into_response();
        if !is_wrong {
            // A program learns what it lacks; a browser does not ask by itself for this.
            response
                .headers_mut()
                .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }

    fn say(&self, asked: &Asked, status: StatusCode, notice: Notice) -> Response {
        (status, html(self.view(asked.language).notice(notice))).into_response()
    }

    fn away(&self, asked: &Asked, complaint: &Complaint) -> Response {
        tracing::warn!(%complaint, "a page could not be shown");
        self.say(asked, StatusCode::SERVICE_UNAVAILABLE, Notice::Away)
    }
}

fn html(page: Result<String, minijinja::Error>) -> Response {
    match page {
        Ok(page) => Html(page).into_response(),
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "a page could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn status(State(page): State<Arc<Page>>, asked: Asked) -> Response {
    if asked.visitor.is_none() {
        return page.ask_who(&asked, false);
    }
    match page.overview().await {
        Ok(overview) => {
            let complaints = page.complaints(&overview, asked.now);
            html(page.view(asked.language).status(
                &overview,
                &page.journey_rules,
                &complaints,
                asked.now,
            ))
        }
        Err(complaint) => page.away(&asked, &complaint),
    }
}

async fn incident(
    State(page): State<Arc<Page>>,
    asked: Asked,
    about: Result<Query<About>, QueryRejection>,
) -> Response {
    if asked.visitor.is_none() {
        return page.ask_who(&asked, false);
    }
    let Ok(Query(About { id })) = about else {
        return page.say(&asked, StatusCode::NOT_FOUND, Notice::Gone);
    };
    match page.case(&id).await {
        Ok(Some(case)) => html(page.view(asked.language).incident(&case, asked.now)),
        Ok(None) => page.say(&asked, StatusCode::NOT_FOUND, Notice::Gone),
        Err(complaint) => page.away(&asked, &complaint),
    }
}

#[derive(Deserialize)]
struct Login {
    token: String,
}

async fn login(State(page): State<Arc<Page>>, asked: Asked, Form(login): Form<Login>) -> Response {
    if !page.access.is_token(&login.token) {
        return page.ask_who(&asked, true);
    }
    let cookie = page.access.cookie(asked.now, page.is_encrypted);
    // Relative, so that it is right behind any proxy.
    let home = format!("./?lang={}", asked.language.code());
    (
        StatusCode::SEE_OTHER,
        [(SET_COOKIE, cookie), (LOCATION, home)],
    )
        .into_response()
}

async fn style() -> Response {
    let headers = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, include_str!("page.css")).into_response()
}

/// Whether this program sees and can tell; where not, why, a line each.
async fn ready(State(page): State<Arc<Page>>) -> Response {
    let complaints = match page.overview().await {
        Ok(overview) => page.complaints(&overview, Timestamp::now()),
        Err(complaint) => vec![complaint],
    };
    if complaints.is_empty() {
        return "ready\n".into_response();
    }
    let lines: Vec<String> = complaints.iter().map(ToString::to_string).collect();
    (StatusCode::SERVICE_UNAVAILABLE, lines.join("\n") + "\n").into_response()
}

async fn measure(State(page): State<Arc<Page>>, asked: Asked) -> Response {
    if asked.visitor.is_none() {
        return page.ask_who(&asked, false);
    }
    let (overview, complaints) = match page.overview().await {
        Ok(overview) => {
            let complaints = page.complaints(&overview, asked.now);
            (Some(overview), complaints)
        }
        Err(complaint) => (None, vec![complaint]),
    };
    let text = metrics::write(&page.seen.borrow(), overview.as_deref(), &complaints);
    ([(CONTENT_TYPE, metrics::MEDIA_TYPE)], text).into_response()
}
