//! The socket beside the store, through which commands reach the program that works with it. Only its owner can open it.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    Extension, Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use jiff::Timestamp;
use tokio::{net::UnixListener, sync::watch};

use super::{Page, access::Door, router};
use crate::{
    control::{self, Question},
    store::place::Place,
};

/// Where the socket of a store is. A database of PostgreSQL has none: commands reach it themselves.
#[must_use]
pub fn path(place: &Place) -> Option<PathBuf> {
    match place {
        Place::Sqlite(path) => Some(path.with_added_extension("sock")),
        Place::PostgreSql(_) => None,
    }
}

/// Serves on it until `stop` is set. Whoever has the store's lock may replace a socket that an earlier process left.
pub async fn serve(page: Arc<Page>, path: PathBuf, mut stop: watch::Receiver<bool>) {
    let listener = match listen(&path) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(socket = %path.display(), %error, "commands cannot reach this program");
            // The end of one task before the others would stop the program.
            drop(stop.changed().await);
            return;
        }
    };
    let controls = axum::Router::new()
        .route("/control", post(control))
        .with_state(Arc::clone(&page));
    let service = router(page).merge(controls).layer(Extension(Door::Socket));
    tokio::select! {
        served = axum::serve(listener, service) => {
            if let Err(error) = served {
                tracing::error!(%error, "commands cannot reach this program any more");
            }
            drop(stop.changed().await);
        }
        _ = stop.changed() => {}
    }
    if let Err(error) = fs::remove_file(&path) {
        tracing::debug!(%error, "the socket was gone before");
    }
}

/// What a command asks.
async fn control(State(page): State<Arc<Page>>, Json(question): Json<Question>) -> Response {
    match page.ledger() {
        Ok(ledger) => {
            Json(control::answer(&ledger, question, Timestamp::now()).await).into_response()
        }
        Err(complaint) => (StatusCode::SERVICE_UNAVAILABLE, complaint.to_string()).into_response(),
    }
}

/// It gets its name only when nobody else can open it any more.
fn listen(path: &Path) -> io::Result<UnixListener> {
    let unnamed = path.with_added_extension("new");
    match fs::remove_file(&unnamed) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&unnamed)?;
    fs::set_permissions(&unnamed, fs::Permissions::from_mode(0o600))?;
    fs::rename(&unnamed, path)?;
    Ok(listener)
}
