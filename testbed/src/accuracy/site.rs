//! The pages with known delays, and what they told about themselves.

use std::{
    collections::HashMap,
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use axum::{
    Router,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;
use tokio::{net::TcpListener, sync::Notify};

use super::case::Kind;

/// What the pages told, by the number of the step.
#[derive(Clone, Debug, Default)]
pub struct Told {
    times_ms: Arc<Mutex<HashMap<usize, f64>>>,
    more: Arc<Notify>,
}

/// What an address asks for.
#[derive(Clone, Copy, Debug, Deserialize)]
struct Asked {
    delay: u32,
    n: usize,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Telling {
    n: usize,
    ms: f64,
}

impl Told {
    /// Waits until so many steps have been told.
    pub async fn all(&self, count: usize) -> HashMap<usize, f64> {
        loop {
            let more = self.more.notified();
            let known = self.lock().clone();
            if known.len() >= count {
                return known;
            }
            more.await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<usize, f64>> {
        self.times_ms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts it; gives its address without a slash at the end.
pub async fn serve(told: Told) -> Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .context("failed to listen on the loopback address")?;
    let address = listener
        .local_addr()
        .context("failed to read the address of a socket")?;
    let routes = Router::new()
        .route("/told", post(tell))
        .route("/late", get(late))
        .route("/arrival", get(arrival))
        .route("/favicon.ico", get(StatusCode::NO_CONTENT))
        .route("/{kind}", get(page))
        .with_state(told);
    // It ends with the runtime.
    tokio::spawn(axum::serve(listener, routes).into_future());
    Ok(format!("http://{address}"))
}

async fn tell(State(told): State<Told>, Query(telling): Query<Telling>) {
    // The first counts: a page that tells twice is no measurement.
    told.lock().entry(telling.n).or_insert(telling.ms);
    told.more.notify_one();
}

async fn late(Query(asked): Query<Asked>) -> Response {
    wait(asked.delay).await;
    ([(header::CONTENT_TYPE, "image/svg+xml")], "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><rect width='9' height='9'/></svg>").into_response()
}

async fn wait(delay_ms: u32) {
    tokio::time::sleep(Duration::from_millis(delay_ms.into())).await;
}

async fn page(Path(kind): Path<String>, Query(asked): Query<Asked>) -> Response {
    let Some(kind) = Kind::from_name(&kind) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Asked { delay, n } = asked;
    let half = delay / 2;
    match kind {
        Kind::Document => {
            wait(delay).await;
            html("", OPENED)
        }
        Kind::Redirect => {
            wait(half).await;
            Redirect::temporary(&format!("/document?delay={half}&n={n}")).into_response()
        }
        Kind::Handover => {
            wait(half).await;
            html("", &format!("sessionStorage.began = performance.timeOrigin; location.replace('/arrival?delay={half}&n={n}')"))
        }
        Kind::Subresource => html(&format!("<img src='/late?delay={delay}&n={n}'>"), OPENED),
        Kind::Link | Kind::LinkFetch => {
            let fetch = u8::from(kind == Kind::LinkFetch);
            html(
                &format!("<a id=uno href='/arrival?delay={delay}&n={n}&fetch={fetch}'>Ir</a>"),
                "uno.addEventListener('mousedown', (event) => { sessionStorage.began = performance.timeOrigin + event.timeStamp; })",
            )
        }
        Kind::Twice => html(
            "<button id=uno>Uno</button> <button id=dos disabled>Dos</button><p id=o></p>",
            &format!(
                "{SHOWN}
                uno.addEventListener('mousedown', (event) => {{ began = event.timeStamp; }});
                uno.onclick = () => setTimeout(() => {{ dos.disabled = false; enabled = performance.now(); }}, {half});
                let enabled;
                dos.addEventListener('mousedown', (event) => {{ began += event.timeStamp - enabled; }});
                dos.onclick = () => setTimeout(() => {{ o.textContent = 'Listo {n}.'; }}, {half});"
            ),
        ),
        _ => html(
            "<button id=uno>Uno</button><p id=o></p>",
            &format!(
                "{SHOWN}
                uno.addEventListener('mousedown', (event) => {{ began = event.timeStamp; }});
                const show = () => {{ o.textContent = 'Listo {n}.'; }};
                {}",
                match kind {
                    Kind::Timer => format!("uno.onclick = () => setTimeout(show, {delay});"),
                    Kind::Fetch => format!("uno.onclick = () => fetch('/late?delay={delay}&n={n}').then(show);"),
                    Kind::Busy => format!("uno.onclick = () => {{ const end = performance.now() + {delay}; while (performance.now() < end); show(); }};"),
                    Kind::Restless => format!(
                        "setInterval(() => {{ document.title = performance.now(); }}, 5);
                        uno.onclick = () => setTimeout(show, {delay});"
                    ),
                    _ => format!(
                        "watch.disconnect();
                        o.style.visibility = 'hidden';
                        show();
                        o.ontransitionend = () => tell(performance.now() - began);
                        uno.onclick = () => {{ o.style.transition = 'visibility 0s {delay}ms'; o.style.visibility = 'visible'; }};"
                    ),
                }
            ),
        ),
    }
}

#[derive(Deserialize)]
struct Arriving {
    #[serde(default)]
    fetch: u8,
}

async fn arrival(Query(asked): Query<Asked>, Query(arriving): Query<Arriving>) -> Response {
    let Asked { delay, n } = asked;
    if arriving.fetch == 0 {
        wait(delay).await;
        return html(&format!("<p>Listo {n}.</p>"), &format!("{FROM} {OPENED}"));
    }
    html(
        "<p id=o></p>",
        &format!(
            "{SHOWN} began = sessionStorage.began - performance.timeOrigin; fetch('/late?delay={delay}&n={n}').then(() => {{ o.textContent = 'Listo {n}.'; }})"
        ),
    )
}

/// What is told is counted from the input that led here.
const FROM: &str = "globalThis.from = sessionStorage.began - performance.timeOrigin;";

/// Tells when the document has loaded.
const OPENED: &str =
    "addEventListener('load', () => tell(performance.now() - (globalThis.from ?? 0)));";

/// Tells when the result stands in the document.
const SHOWN: &str = "let began;
    const watch = new MutationObserver(() => { if (o.textContent.includes('Listo')) tell(performance.now() - began); });
    watch.observe(o, { childList: true, characterData: true, subtree: true });";

fn html(body: &str, script: &str) -> Response {
    Html(format!(
        "<!doctype html><title>Medida</title><body>{body}<script>
        const tell = (ms) => navigator.sendBeacon(`/told?n=${{new URLSearchParams(location.search).get('n')}}&ms=${{ms}}`);
        {script}</script>"
    ))
    .into_response()
}
