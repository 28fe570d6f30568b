//! The demo system: a small portal of a public agency, with faults on demand.
//!
//! Its users read Spanish, and so does whoever plays with its switches. A portal runs on a thread of its own and is gone,
//! connections and all, when it is dropped. Its desk of switches listens elsewhere, so that no fault ever hits it.

mod certificate;
mod clock;
mod desk;
mod fault;
mod files;
mod page;
mod requests;
mod session;

use std::{net::Ipv4Addr, sync::Arc};

use anyhow::{Context, Result};
use axum::{Router, middleware, response::Redirect, routing::get};
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
};

pub use clock::Work;
pub use fault::{Fault, Switch};
pub use session::{PASSWORD, USER};

use crate::mailbox::Mailbox;
use fault::Faults;

/// A running portal.
#[derive(Debug)]
pub struct Portal {
    url: String,
    desk_url: String,
    faults: Faults,
    /// Nothing only while it is being dropped.
    runtime: Option<Runtime>,
}

/// What the pages share.
#[derive(Clone, Debug)]
struct Premises {
    faults: Faults,
    sessions: Arc<session::Sessions>,
    /// Where the listener with the bad certificate is.
    bad_certificate_url: Arc<str>,
}

impl Portal {
    /// Starts a healthy portal.
    pub async fn start() -> Result<Self> {
        Self::open(None).await
    }

    /// Starts a healthy portal whose desk also shows a mailbox.
    pub async fn start_showing(mailbox: Mailbox) -> Result<Self> {
        Self::open(Some(mailbox)).await
    }

    async fn open(mailbox: Option<Mailbox>) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("portal")
            .enable_all()
            .build()
            .context("failed to start the portal's thread")?;
        let faults = Faults::default();
        let opened = runtime.spawn(serve(faults.clone(), mailbox)).await;
        match opened.context("the portal panicked") {
            Ok(Ok((url, desk_url))) => Ok(Self {
                url,
                desk_url,
                faults,
                runtime: Some(runtime),
            }),
            Ok(Err(error)) | Err(error) => {
                runtime.shutdown_background();
                Err(error)
            }
        }
    }

    /// Where its users find it, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where the switches (`/`) and the mailbox (`/correo`) are, without a slash at the end.
    #[must_use]
    pub fn control_url(&self) -> &str {
        &self.desk_url
    }

    /// How many requests wait for a fault to be turned off.
    #[must_use]
    pub fn requests_held_up(&self) -> usize {
        self.faults.held_up()
    }

    /// Turns a fault on or off. Requests that were held up by it go on.
    pub fn set_fault(&self, fault: Fault, switch: Switch) {
        self.faults.set(fault, switch);
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Opens the three listeners and leaves their servers to the runtime, which ends them.
async fn serve(faults: Faults, mailbox: Option<Mailbox>) -> Result<(String, String)> {
    let (users, url) = listen().await?;
    let (desk, desk_url) = listen().await?;
    let bad_certificate_url = certificate::serve().await?;
    let premises = Premises {
        faults: faults.clone(),
        sessions: Arc::default(),
        bad_certificate_url: bad_certificate_url.into(),
    };
    let portal = axum::serve(users, routes(premises));
    let switches = axum::serve(desk, desk::routes(faults, mailbox, url.clone()));
    // axum's servers end with the runtime and never before.
    tokio::spawn(portal.into_future());
    tokio::spawn(switches.into_future());
    Ok((url, desk_url))
}

async fn listen() -> Result<(TcpListener, String)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .context("failed to listen on the loopback address")?;
    let address = listener
        .local_addr()
        .context("failed to read the address of a socket")?;
    Ok((listener, format!("http://{address}")))
}

fn routes(premises: Premises) -> Router {
    let behind_the_door = Router::new()
        .route("/inicio", get(session::home))
        .merge(files::routes())
        .merge(requests::routes())
        .route_layer(middleware::from_fn_with_state(
            premises.clone(),
            session::only_signed_in,
        ));
    Router::new()
        .route("/", get(async || Redirect::to("/inicio")))
        .merge(session::routes())
        .merge(behind_the_door)
        .fallback(page::not_found)
        .layer(middleware::from_fn_with_state(
            premises.clone(),
            certificate::redirect,
        ))
        .with_state(premises)
}
