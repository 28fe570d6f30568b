//! How a command gets its answer: from the program that works with the store, or from the store itself where none does.
//!
//! A database of PostgreSQL is asked directly in any case: the program that works with it may be on another machine.

use std::{io, path::Path, time::Duration};

use jiff::Timestamp;
use tokio::net::UnixStream;

use super::{Answer, Question, answer};
use crate::{
    page::socket,
    store::{OpenError, Store, StoreError, judgement::Policy, keeper::Keeper, place::Place},
};

/// Whoever works with the store answers within this.
const DEADLINE: Duration = Duration::from_secs(10);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The program did not answer.
    #[error("the vigia-alert that works with the store did not answer: {0}")]
    Program(String),
    /// Its socket may not be opened.
    #[error(
        "failed to open the socket `{0}`: {1}\nhint: run this as the user that vigia-alert runs as, for example with sudo"
    )]
    Socket(String, #[source] io::Error),
    /// The store may not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Asks.
pub async fn ask(place: &Place, policy: Policy, question: Question) -> Result<Answer, AskError> {
    if let Some(path) = socket::path(place) {
        match UnixStream::connect(&path).await {
            Ok(_) => return ask_program(&path, &question).await,
            // Nobody listens, or there never was one.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
                ) => {}
            Err(error) => return Err(AskError::Socket(path.display().to_string(), error)),
        }
    }
    let (keeper, ledger) = match place {
        Place::Sqlite(_) => Keeper::new(Store::open(place).await?, policy).await?,
        Place::PostgreSql(_) => Keeper::visiting(Store::visit(place).await?, policy),
    };
    let keeper = tokio::spawn(keeper.run());
    let answer = answer(&ledger, question, Timestamp::now()).await;
    drop(ledger);
    // The store is to be closed before the program ends.
    if let Err(error) = keeper.await {
        tracing::error!(%error, "the store did not close cleanly");
    }
    Ok(answer)
}

async fn ask_program(path: &Path, question: &Question) -> Result<Answer, AskError> {
    let failed = |error: reqwest::Error| AskError::Program(error.without_url().to_string());
    let client = reqwest::Client::builder()
        .unix_socket(path)
        .timeout(DEADLINE)
        .build()
        .map_err(failed)?;
    let asked = client.post("http://vigia-alert/control").json(question);
    let answered = asked.send().await.map_err(failed)?;
    let answered = answered.error_for_status().map_err(failed)?;
    answered.json().await.map_err(failed)
}
