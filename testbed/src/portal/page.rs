//! Turns a template and its values into a page.

use std::sync::LazyLock;

use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use minijinja::{AutoEscape, Environment, Value, context};

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    templates.set_auto_escape_callback(|_| AutoEscape::Html);
    for (name, source) in [
        ("style.css", include_str!("pages/style.css")),
        ("crest.svg", include_str!("pages/crest.svg")),
        ("layout", include_str!("pages/layout.html")),
        ("sign-in", include_str!("pages/sign-in.html")),
        ("home", include_str!("pages/home.html")),
        ("search", include_str!("pages/search.html")),
        ("results", include_str!("pages/results.html")),
        ("file", include_str!("pages/file.html")),
        ("request", include_str!("pages/request.html")),
        ("receipt", include_str!("pages/receipt.html")),
        ("error", include_str!("pages/error.html")),
        ("desk", include_str!("pages/desk.html")),
        ("mailbox", include_str!("pages/mailbox.html")),
    ] {
        templates.add_template(name, source).expect(
            "the templates are part of the program, and every one is rendered by its tests",
        );
    }
    templates
});

/// Renders a page.
pub(super) fn page(template: &str, values: Value) -> Response {
    let rendered = TEMPLATES
        .get_template(template)
        .and_then(|template| template.render(values));
    match rendered {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            let text = format!("failed to render `{template}`: {error:#}");
            (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
        }
    }
}

/// The portal's page for what it does not have.
pub(super) async fn not_found() -> Response {
    let page = page(
        "error",
        context! {
            code => 404,
            title => "No encontramos esta página",
            text => "La dirección no existe o cambió de lugar.",
        },
    );
    (StatusCode::NOT_FOUND, page).into_response()
}

/// The portal's page for when it breaks.
pub(super) fn broken() -> Response {
    let page = page(
        "error",
        context! {
            code => 500,
            title => "No pudimos completar su consulta",
            text => "Ocurrió un error interno del servidor. Intente nuevamente en unos minutos.",
        },
    );
    (StatusCode::INTERNAL_SERVER_ERROR, page).into_response()
}
