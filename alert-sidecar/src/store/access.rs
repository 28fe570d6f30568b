//! How a request gets at the store: inside one transaction, within the deadline, and what an error means for who serves it.

use std::pin::Pin;

use sqlx::AnyConnection;
use tokio::{
    sync::{oneshot, watch},
    time::timeout,
};

use super::{
    Store, StoreError,
    judgement::{self, Policy},
    postgresql::took_too_long,
};
use crate::incident::Change;

/// Where the answer to a request goes.
pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What a request does to the store, and what that gives.
pub(super) type Work<'a, T> = Pin<Box<dyn Future<Output = sqlx::Result<T>> + Send + 'a>>;

/// Why the store is served no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Nobody asks any more.
    Unneeded,
    /// Another process works with the store now.
    Replaced,
    /// The file is damaged. Opened again, it is set aside.
    Damaged,
}

/// The store, for one request after the other.
pub(super) struct Access {
    pub store: Store,
    pub policy: Policy,
    announce: watch::Sender<()>,
}

impl Access {
    /// Gives what hears of changes, too.
    pub fn new(store: Store, policy: Policy) -> (Self, watch::Receiver<()>) {
        let (announce, changes) = watch::channel(());
        let access = Self {
            store,
            policy,
            announce,
        };
        (access, changes)
    }

    /// Reads, outside of any transaction.
    pub async fn read<T>(
        &mut self,
        what: impl AsyncFnOnce(&mut AnyConnection) -> sqlx::Result<T>,
    ) -> Result<T, StoreError> {
        in_time(&mut self.store, async |store| {
            Ok(what(store.connection().await?).await?)
        })
        .await
    }

    /// Writes inside one transaction: all of it or nothing.
    pub async fn write<T>(
        &mut self,
        what: impl AsyncFnOnce(&mut AnyConnection, &Policy) -> sqlx::Result<T>,
    ) -> Result<T, StoreError> {
        let policy = &self.policy;
        in_time(&mut self.store, async |store| {
            let mut transaction = store.begin().await?;
            let done = what(&mut transaction, policy).await?;
            transaction.commit().await?;
            Ok(done)
        })
        .await
    }

    /// Says to whoever shares the store that this process lives.
    pub async fn beat(&mut self) -> Result<(), StoreError> {
        in_time(&mut self.store, Store::beat).await
    }

    /// Tells of what was committed: the log, and who waits for changes.
    pub fn announce(&self, changes: &[Change]) {
        judgement::log(changes);
        self.announce.send_replace(());
    }

    /// Nobody listens when the one who asked was stopped meanwhile; what was asked for is done all the same.
    pub async fn answer<T>(
        &mut self,
        reply: Reply<T>,
        result: Result<T, StoreError>,
    ) -> Option<End> {
        let end = self.settled(result.as_ref().err()).await;
        drop(reply.send(result));
        end
    }

    /// What follows from an error for who serves the store.
    pub async fn settled(&mut self, error: Option<&StoreError>) -> Option<End> {
        let error = error?;
        self.store.note(error).await;
        if matches!(error, StoreError::Replaced) {
            tracing::error!("another vigia-alert took over; this one stops its work and waits");
            return Some(End::Replaced);
        }
        self.store.is_damaged(error).then_some(End::Damaged)
    }
}

/// One request, within the store's deadline.
async fn in_time<T>(
    store: &mut Store,
    request: impl AsyncFnOnce(&mut Store) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    timeout(store.deadline(), request(store))
        .await
        .unwrap_or_else(|_| Err(took_too_long().into()))
}
