//! Signing in and out, and the cookie that tells who is signed in.

use std::hash::{BuildHasher, RandomState};

use axum::{
    Form, Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::{AppendHeaders, IntoResponse, Redirect, Response},
    routing::get,
};
use minijinja::context;
use serde::Deserialize;

use super::{
    Premises,
    clock::{Work, work},
    page::page,
};

/// The user that may sign in.
pub const USER: &str = "robot";
/// The user's password. It opens nothing but this demo.
pub const PASSWORD: &str = "clave-de-prueba";

const COOKIE: &str = "sesion";

/// The sessions of a portal: there is one user, so one value opens it, another one for every start.
#[derive(Debug)]
pub(super) struct Sessions {
    value: String,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            value: format!("{:016x}", RandomState::new().hash_one(USER)),
        }
    }
}

impl Sessions {
    fn has(&self, headers: &HeaderMap) -> bool {
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|cookies| cookies.split("; "))
            .any(|cookie| cookie.split_once('=') == Some((COOKIE, &self.value)))
    }
}

pub(super) fn routes() -> Router<Premises> {
    Router::new()
        .route("/ingreso", get(form).post(sign_in))
        .route("/salir", get(sign_out))
}

/// Lets nobody in who is not signed in.
pub(super) async fn only_signed_in(
    State(premises): State<Premises>,
    request: Request,
    next: Next,
) -> Response {
    if premises.sessions.has(request.headers()) {
        next.run(request).await
    } else {
        Redirect::to("/ingreso").into_response()
    }
}

/// The first page behind the door.
pub(super) async fn home() -> Response {
    work(Work::Page).await;
    page("home", context! { user => USER })
}

async fn form() -> Response {
    work(Work::Page).await;
    page("sign-in", context! {})
}

#[derive(Deserialize)]
struct Credentials {
    usuario: String,
    clave: String,
}

async fn sign_in(State(premises): State<Premises>, Form(given): Form<Credentials>) -> Response {
    work(Work::SignIn).await;
    if given.usuario == USER && given.clave == PASSWORD {
        let cookie = format!(
            "{COOKIE}={}; Path=/; HttpOnly; SameSite=Lax",
            premises.sessions.value
        );
        (
            AppendHeaders([(header::SET_COOKIE, cookie)]),
            Redirect::to("/inicio"),
        )
            .into_response()
    } else {
        let values = context! { error => "Usuario o clave incorrectos.", name => given.usuario };
        (StatusCode::UNAUTHORIZED, page("sign-in", values)).into_response()
    }
}

async fn sign_out() -> Response {
    let cookie = format!("{COOKIE}=; Path=/; Max-Age=0");
    (
        AppendHeaders([(header::SET_COOKIE, cookie)]),
        Redirect::to("/ingreso"),
    )
        .into_response()
}
