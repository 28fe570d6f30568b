//! The desk of whoever plays with the portal: the switches of the faults, and the mailbox with its pictures.

use axum::{
    Form, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::{Timestamp, tz::TimeZone};
use minijinja::{Value, context};
use serde::Deserialize;

use super::{
    fault::{Fault, Faults, Switch},
    page::page,
};
use crate::mailbox::{Mail, Mailbox, Picture};

#[derive(Clone)]
struct Desk {
    faults: Faults,
    mailbox: Option<Mailbox>,
    portal_url: String,
}

pub(super) fn routes(faults: Faults, mailbox: Option<Mailbox>, portal_url: String) -> Router {
    Router::new()
        .route("/", get(switches).post(switch))
        .route("/correo", get(mails))
        .with_state(Desk {
            faults,
            mailbox,
            portal_url,
        })
}

async fn switches(State(desk): State<Desk>) -> Response {
    let faults: Vec<Value> = Fault::ALL
        .into_iter()
        .map(|fault| {
            context! {
                name => fault.name(),
                title => fault.title(),
                explanation => fault.explanation(),
                on => desk.faults.has(fault),
            }
        })
        .collect();
    page(
        "desk",
        context! { faults, portal_url => desk.portal_url, mailbox => desk.mailbox.is_some() },
    )
}

#[derive(Deserialize)]
struct Press {
    falla: String,
    estado: Switch,
}

async fn switch(State(desk): State<Desk>, Form(press): Form<Press>) -> Response {
    let Some(fault) = Fault::from_name(&press.falla) else {
        return (StatusCode::BAD_REQUEST, "no such fault").into_response();
    };
    desk.faults.set(fault, press.estado);
    Redirect::to("/").into_response()
}

async fn mails(State(desk): State<Desk>) -> Response {
    let Some(mailbox) = desk.mailbox else {
        return (StatusCode::NOT_FOUND, "this desk shows no mailbox").into_response();
    };
    // The mailbox is read from the disk: not on the thread that serves.
    let mails = tokio::task::spawn_blocking(move || mailbox.mails()).await;
    match mails.map_err(anyhow::Error::from).flatten() {
        Ok(mails) => {
            let mails: Vec<Value> = mails.iter().map(shown).collect();
            page("mailbox", context! { mails, portal_url => desk.portal_url })
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")).into_response(),
    }
}

fn shown(mail: &Mail) -> Value {
    let arrived = Timestamp::try_from(mail.arrived).map(|arrived| {
        arrived
            .to_zoned(TimeZone::system())
            .strftime("%H:%M:%S")
            .to_string()
    });
    context! {
        arrived => arrived.unwrap_or_default(),
        from => mail.from.as_str(),
        to => mail.to.join(", "),
        subject => mail.subject.as_str(),
        answers => mail.in_reply_to.is_some(),
        text => mail.text.as_deref(),
        html => mail.html.as_ref().map(|html| with_pictures(html, &mail.pictures)),
        pictures => mail.pictures.iter().map(|picture| context! {
            source => source(picture),
            name => picture.file_name.as_deref(),
            attached => picture.attached,
        }).collect::<Vec<_>>(),
    }
}

/// A frame of the page cannot reach into the mail, so the pictures are put where the HTML refers to them.
fn with_pictures(html: &str, pictures: &[Picture]) -> String {
    let mut html = html.to_owned();
    for picture in pictures {
        if let Some(id) = &picture.content_id {
            html = html.replace(&format!("cid:{id}"), &source(picture));
        }
    }
    html
}

fn source(picture: &Picture) -> String {
    format!(
        "data:{};base64,{}",
        picture.media_type,
        STANDARD.encode(&picture.bytes)
    )
}
