//! The pictures of incidents: for who may look, and by a link in a message for the service that shows the message.

use std::sync::Arc;

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{About, Asked, Page};
use crate::{
    flux::picture::{self, Picture},
    incident::Incident,
    render::{
        link::{Link, LinkError, Purpose, Shown},
        sample,
    },
};

/// What a link in a message asks for.
#[derive(Debug, Deserialize)]
pub(super) struct Wish {
    picture: Shown,
    about: String,
    until: i64,
    signature: String,
}

/// The picture of the incident's first failed run.
pub(super) async fn of_incident(
    State(page): State<Arc<Page>>,
    asked: Asked,
    about: Result<Query<About>, QueryRejection>,
) -> Response {
    if asked.visitor.is_none() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let Ok(Query(About { id })) = about else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let found = find(&page, &id, Shown::Failed).await;
    if found.status() == StatusCode::NOT_FOUND {
        // A browser shows these words in the place of the picture; whoever else asks learns that there is none.
        let words = page.view(asked.language).no_picture();
        let kind = [(CONTENT_TYPE, "image/svg+xml")];
        return (StatusCode::NOT_FOUND, kind, words).into_response();
    }
    found
}

/// What the link in a message shows; who has the link may see it until it ends.
pub(super) async fn linked(
    State(page): State<Arc<Page>>,
    asked: Asked,
    wish: Result<Query<Wish>, QueryRejection>,
) -> Response {
    let Ok(Query(wish)) = wish else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let shown = wish.picture;
    let link = Link {
        purpose: Purpose::Show(shown),
        about: wish.about,
        until: wish.until,
        signature: wish.signature,
    };
    let verified = match &page.signer {
        Some(signer) => signer.verify(&link, asked.now),
        None => Err(LinkError::NotOurs),
    };
    match verified {
        // The message was a test, and no incident is known.
        Ok(()) if sample::is_sample(&link.about) => answer(Some(sample::picture())),
        Ok(()) => find(&page, &link.about, shown).await,
        Err(LinkError::NotOurs) => StatusCode::FORBIDDEN.into_response(),
        Err(LinkError::Expired) => StatusCode::GONE.into_response(),
    }
}

async fn find(page: &Page, id: &str, shown: Shown) -> Response {
    match page.case(id).await {
        Ok(Some(case)) if case.incident.has_page() => {
            answer(fetch(page, &case.incident, shown).await)
        }
        Ok(_) => StatusCode::NOT_FOUND.into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

async fn fetch(page: &Page, incident: &Incident, shown: Shown) -> Option<Picture> {
    let (influxdb, series) = (&page.influxdb, &incident.series);
    let (run_id, at) = match shown {
        Shown::Failed => (&incident.run_id, incident.started_at),
        Shown::Restored => {
            let end = incident.end.as_ref()?;
            (&end.run_id, end.at)
        }
        Shown::Before => {
            return picture::fetch_before(influxdb, series, incident.started_at).await;
        }
    };
    picture::fetch(influxdb, series, run_id, at).await
}

fn answer(picture: Option<Picture>) -> Response {
    let Some(picture) = picture else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (CONTENT_TYPE, picture.format.media_type()),
        (CACHE_CONTROL, "private, max-age=86400"),
    ];
    (headers, picture.bytes).into_response()
}
