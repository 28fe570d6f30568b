//! The site that all contestants walk: known delays, and a count of every request, so that nobody can win by leaving a
//! page out.

use std::{
    collections::BTreeMap,
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use axum::{
    Form, Json, Router,
    extract::{Path, Query, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{AppendHeaders, Html, IntoResponse, Redirect, Response},
    routing::get,
};
use serde::{Deserialize, Serialize};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
    time::sleep,
};

use crate::portal::{PASSWORD, USER};

/// What the site takes for each answer, in milliseconds; a journey meets each of them once, 430 ms in all.
mod delay_ms {
    pub const SIGN_IN_FORM: u64 = 20;
    pub const SIGN_IN: u64 = 110;
    pub const HOME: u64 = 20;
    pub const SEARCH_FORM: u64 = 30;
    pub const SEARCH: u64 = 160;
    pub const DETAIL: u64 = 90;
}

/// The file that is looked for.
pub const NUMBER: &str = "2026-004512";

/// What the last page shows.
pub const GOAL: &str = "Estado del trámite: en estudio";

/// What one journey asks for, and how many times: what the script and the style sheet of a page are asked for is the
/// cache's affair, and alike for all.
const JOURNEY: [(&str, usize); 6] = [
    ("GET /ingreso", 1),
    ("POST /ingreso", 1),
    ("GET /inicio", 1),
    ("GET /expedientes", 1),
    ("GET /api/expedientes", 1),
    ("GET /expedientes/2026-004512", 1),
];

/// Both parts of each page; every context has an empty cache and keeps them.
const PARTS: [&str; 2] = ["GET /estilo.css", "GET /portal.js"];

const COOKIE: &str = "sesion=abierta";

/// The site on a thread of its own, gone when it is dropped.
#[derive(Debug)]
pub struct Site {
    url: String,
    counts: Counts,
    /// Nothing only while it is being dropped.
    runtime: Option<Runtime>,
}

/// How many times each address was asked for.
type Counts = Arc<Mutex<BTreeMap<String, usize>>>;

impl Site {
    /// Starts it.
    pub async fn start() -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("site")
            .enable_all()
            .build()
            .context("failed to start the site's thread")?;
        let counts = Counts::default();
        let opened = runtime.spawn(serve(Arc::clone(&counts))).await;
        match opened.context("the site panicked") {
            Ok(Ok(url)) => Ok(Self {
                url,
                counts,
                runtime: Some(runtime),
            }),
            Ok(Err(error)) | Err(error) => {
                runtime.shutdown_background();
                Err(error)
            }
        }
    }

    /// Where it is, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Forgets what was asked for until now.
    pub fn forget(&self) {
        self.asked().clear();
    }

    /// What differs from what so many journeys ask for; empty where all of them were walked in full.
    pub fn differences(&self, journeys: usize) -> Vec<String> {
        let asked = self.asked();
        let count = |what: &str| asked.get(what).copied().unwrap_or(0);
        let walked = JOURNEY
            .iter()
            .map(|(what, times)| (*what, times * journeys))
            .filter(|(what, wanted)| count(what) != *wanted)
            .map(|(what, wanted)| format!("{what}: {} times instead of {wanted}", count(what)));
        let parts = PARTS
            .iter()
            .filter(|what| count(what) < journeys)
            .map(|what| format!("{what}: {} times, fewer than {journeys}", count(what)));
        let unknown = asked
            .keys()
            .filter(|what| {
                !PARTS.contains(&what.as_str()) && JOURNEY.iter().all(|(known, _)| known != what)
            })
            .map(|what| format!("{what} is no part of the journey"));
        walked.chain(parts).chain(unknown).collect()
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn serve(counts: Counts) -> Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .context("failed to listen on the loopback address")?;
    let address = listener
        .local_addr()
        .context("failed to read the address of a socket")?;
    tokio::spawn(axum::serve(listener, routes(counts)).into_future());
    Ok(format!("http://{address}"))
}

fn routes(counts: Counts) -> Router {
    let behind_the_door = Router::new()
        .route("/inicio", get(home))
        .route("/expedientes", get(search_form))
        .route("/expedientes/{number}", get(detail))
        .route("/api/expedientes", get(search))
        .route_layer(middleware::from_fn(only_signed_in));
    Router::new()
        .route("/ingreso", get(sign_in_form).post(sign_in))
        .route(
            "/estilo.css",
            get(async || part("text/css", include_str!("../portal/pages/style.css"))),
        )
        .route(
            "/portal.js",
            get(async || part("text/javascript", include_str!("pages/portal.js"))),
        )
        .merge(behind_the_door)
        .layer(middleware::from_fn_with_state(counts, count))
}

async fn count(State(counts): State<Counts>, request: Request, next: Next) -> Response {
    let what = format!("{} {}", request.method(), request.uri().path());
    *counts
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .entry(what)
        .or_default() += 1;
    next.run(request).await
}

async fn only_signed_in(headers: HeaderMap, request: Request, next: Next) -> Response {
    let signed_in = headers
        .get(header::COOKIE)
        .is_some_and(|cookie| cookie == COOKIE);
    if signed_in {
        next.run(request).await
    } else {
        StatusCode::FORBIDDEN.into_response()
    }
}

fn part(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "max-age=3600"),
    ];
    (headers, text).into_response()
}

async fn takes(milliseconds: u64) {
    sleep(Duration::from_millis(milliseconds)).await;
}

async fn sign_in_form() -> Html<&'static str> {
    takes(delay_ms::SIGN_IN_FORM).await;
    Html(include_str!("pages/sign-in.html"))
}

#[derive(Deserialize)]
struct Credentials {
    usuario: String,
    clave: String,
}

async fn sign_in(Form(given): Form<Credentials>) -> Response {
    takes(delay_ms::SIGN_IN).await;
    if given.usuario == USER && given.clave == PASSWORD {
        let cookie = format!("{COOKIE}; Path=/; HttpOnly; SameSite=Lax");
        let cookie = AppendHeaders([(header::SET_COOKIE, cookie)]);
        (cookie, Redirect::to("/inicio")).into_response()
    } else {
        StatusCode::UNAUTHORIZED.into_response()
    }
}

async fn home() -> Html<&'static str> {
    takes(delay_ms::HOME).await;
    Html(include_str!("pages/home.html"))
}

async fn search_form() -> Html<&'static str> {
    takes(delay_ms::SEARCH_FORM).await;
    Html(include_str!("pages/search.html"))
}

#[derive(Deserialize)]
struct Wanted {
    numero: String,
}

#[derive(Serialize)]
struct File {
    numero: String,
    asunto: &'static str,
    estado: &'static str,
}

/// The file that is looked for, and others of the same year.
async fn search(Query(wanted): Query<Wanted>) -> Response {
    takes(delay_ms::SEARCH).await;
    if wanted.numero != NUMBER {
        return Json(Vec::<File>::new()).into_response();
    }
    let others = (1..10).map(|other| format!("2026-10{other:04}"));
    let files: Vec<File> = std::iter::once(wanted.numero)
        .chain(others)
        .map(|numero| File {
            numero,
            asunto: "Habilitación de comercio",
            estado: "En estudio",
        })
        .collect();
    Json(files).into_response()
}

async fn detail(Path(number): Path<String>) -> Html<String> {
    takes(delay_ms::DETAIL).await;
    Html(include_str!("pages/detail.html").replace("NUMBER", &number))
}
