//! The files of the agency: searched by their number, and shown. The faults sit here.

use axum::{
    Router,
    extract::{Path, Query, State},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use minijinja::{context, value::Serde};
use serde::{Deserialize, Serialize};

use super::{
    Fault, Premises,
    clock::{SLOW, Work, work},
    page::{broken, not_found, page},
};

#[derive(Serialize)]
struct File {
    number: &'static str,
    subject: &'static str,
    applicant: &'static str,
    office: &'static str,
    state: &'static str,
    /// What happened to it, the newest first: date and text.
    history: &'static [(&'static str, &'static str)],
}

const FILES: [File; 3] = [
    File {
        number: "2026-004512",
        subject: "Habilitación de comercio minorista",
        applicant: "Panadería La Espiga S. R. L.",
        office: "Dirección de Habilitaciones",
        state: "En estudio técnico",
        history: &[
            ("18/11/2026", "Pasa a estudio técnico"),
            ("11/11/2026", "Pago de la tasa acreditado"),
            ("09/11/2026", "Inicio del expediente"),
        ],
    },
    File {
        number: "2026-003977",
        subject: "Renovación de licencia profesional",
        applicant: "Ana Laura Pereira",
        office: "Registro de Profesionales",
        state: "Pronto para retirar",
        history: &[
            (
                "20/11/2026",
                "Licencia impresa, disponible en mesa de entrada",
            ),
            ("02/11/2026", "Inicio del expediente"),
        ],
    },
    File {
        number: "2026-001204",
        subject: "Exoneración de tributos",
        applicant: "Cooperativa de Vivienda El Ceibo",
        office: "Dirección de Tributos",
        state: "Archivado",
        history: &[
            ("30/06/2026", "Resolución favorable, notificada"),
            ("14/03/2026", "Inicio del expediente"),
        ],
    },
];

pub(super) fn routes() -> Router<Premises> {
    Router::new()
        .route("/expedientes", get(form))
        .route("/expedientes/resultados", get(results))
        .route("/expedientes/{number}", get(detail))
}

async fn form(State(premises): State<Premises>) -> Response {
    work(Work::Page).await;
    let values = context! {
        element_missing => premises.faults.has(Fault::ElementMissing),
        script_error => premises.faults.has(Fault::ScriptError),
    };
    page("search", values)
}

#[derive(Deserialize)]
struct Search {
    numero: String,
}

async fn results(State(premises): State<Premises>, Query(search): Query<Search>) -> Response {
    let faults = &premises.faults;
    faults.gone(Fault::NeverEnds).await;
    if faults.has(Fault::Slow) {
        tokio::time::sleep(SLOW).await;
    }
    work(Work::Search).await;
    if faults.has(Fault::ServerError) {
        return broken();
    }
    if faults.has(Fault::BlankPage) {
        return Html("<!doctype html><title></title>").into_response();
    }
    let found: Vec<&File> = FILES
        .iter()
        .filter(|file| file.number == search.numero)
        .collect();
    page(
        "results",
        context! { number => search.numero, files => Serde(found) },
    )
}

async fn detail(Path(number): Path<String>) -> Response {
    work(Work::Detail).await;
    match FILES.iter().find(|file| file.number == number) {
        Some(file) => page("file", context! { file => Serde(file) }),
        None => not_found().await,
    }
}
