//! Handing a request in: a form with fields of many kinds, and the receipt with its number.

use std::sync::atomic::{AtomicU32, Ordering};

use axum::{
    Form, Router,
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use minijinja::{context, value::Serde};
use serde::{Deserialize, Serialize};

use super::{
    Premises,
    clock::{Work, work},
    page::page,
};

/// What can be asked for: the value that is sent, and what one reads.
const KINDS: [(&str, &str); 4] = [
    ("certificado", "Certificado de situación"),
    ("habilitacion", "Habilitación de comercio"),
    ("licencia", "Renovación de licencia"),
    ("reclamo", "Reclamo o sugerencia"),
];

/// The number of the last request. It is all that is kept of it.
static LAST: AtomicU32 = AtomicU32::new(128);

pub(super) fn routes() -> Router<Premises> {
    Router::new()
        .route("/solicitudes/nueva", get(form))
        .route("/solicitudes", post(hand_in))
        .route("/solicitudes/{number}", get(receipt))
}

#[derive(Default, Deserialize, Serialize)]
struct Request {
    nombre: String,
    documento: String,
    correo: String,
    tipo: String,
    #[serde(default)]
    respuesta: String,
    detalle: String,
    /// A browser sends a checkbox only where it is checked.
    acepto: Option<String>,
}

async fn form() -> Response {
    work(Work::Page).await;
    page(
        "request",
        context! { kinds => KINDS, request => Serde(Request::default()) },
    )
}

async fn hand_in(Form(request): Form<Request>) -> Response {
    work(Work::HandIn).await;
    let error = if request.nombre.trim().is_empty() {
        "Escriba su nombre completo."
    } else if request
        .documento
        .chars()
        .filter(char::is_ascii_digit)
        .count()
        < 7
    {
        "El documento de identidad tiene al menos 7 dígitos."
    } else if !request.correo.contains('@') {
        "Escriba un correo electrónico válido."
    } else if request.detalle.trim().is_empty() {
        "Describa su solicitud."
    } else if request.acepto.is_none() {
        "Debe aceptar los términos para continuar."
    } else {
        let number = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        return Redirect::to(&format!("/solicitudes/S-2026-{number:06}")).into_response();
    };
    let values = context! { kinds => KINDS, request => Serde(request), error };
    (StatusCode::UNPROCESSABLE_ENTITY, page("request", values)).into_response()
}

async fn receipt(Path(number): Path<String>) -> Response {
    work(Work::Page).await;
    page("receipt", context! { number })
}
