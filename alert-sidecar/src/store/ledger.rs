//! What other tasks ask the store for. [`keeper`](super::keeper) owns it and serves them one after the other.
//!
//! A request is a function of this file that says what is to be read or written: [`Ledger::read`], [`Ledger::write`] and
//! [`Ledger::change`] bring it to the keeper.

use std::pin::Pin;

use jiff::Timestamp;
use sqlx::AnyConnection;
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    StoreError,
    access::{Access, End, Reply, Work},
    incidents::{self, Unwritten},
    judgement::{self, Policy},
    lease::Tenure,
    observations,
    outbox::{self, Delivery, Settlement},
    pictures::{self, Intent},
};
use crate::{
    flux::{Observation, Rule, Series, poll::Answer},
    incident::{Change, Incident},
};

/// Requests that may wait for the keeper; more make their senders wait.
const QUEUE: usize = 64;

/// What is asked of the keeper.
pub(super) enum Request {
    /// To do this, which answers by itself.
    Serve(Box<dyn for<'a> FnOnce(&'a mut Access) -> Served<'a> + Send>),
    /// To judge, which takes what the keeper knows by heart.
    Judge {
        rule: Box<Rule>,
        answer: Answer,
        now: Timestamp,
        reply: Reply<()>,
    },
}

/// What serving a request comes to.
pub(super) type Served<'a> = Pin<Box<dyn Future<Output = Option<End>> + Send + 'a>>;

/// What a channel may send now.
#[derive(Debug)]
pub enum Claim {
    /// This, which is marked as being sent.
    Delivery(Box<Delivery>),
    /// Nothing before this moment, if anything waits at all.
    Nothing(Option<Timestamp>),
}

/// How other tasks reach the store.
#[derive(Clone, Debug)]
pub struct Ledger {
    requests: mpsc::Sender<Request>,
    changes: watch::Receiver<()>,
    tenure: Tenure,
}

impl Ledger {
    /// Gives what the keeper is to serve, too.
    pub(super) fn new(
        changes: watch::Receiver<()>,
        tenure: Tenure,
    ) -> (Self, mpsc::Receiver<Request>) {
        let (requests, asked) = mpsc::channel(QUEUE);
        let ledger = Self {
            requests,
            changes,
            tenure,
        };
        (ledger, asked)
    }

    /// How far a rule has read.
    pub async fn read_until(&self, rule: &str) -> Result<Option<Timestamp>, StoreError> {
        let rule = rule.to_owned();
        self.read(|connection| {
            Box::pin(async move { observations::read_until(connection, &rule).await })
        })
        .await
    }

    /// The newest run of every series that a rule has read.
    pub async fn newest(&self, rule: &str) -> Result<Vec<(Series, Timestamp)>, StoreError> {
        let rule = rule.to_owned();
        self.read(|connection| {
            Box::pin(async move { observations::newest(connection, &rule).await })
        })
        .await
    }

    /// The newest good run of every series that a rule has read.
    pub async fn newest_good(&self, rule: &str) -> Result<Vec<Observation>, StoreError> {
        let rule = rule.to_owned();
        self.read(|connection| {
            Box::pin(async move { observations::newest_good(connection, &rule).await })
        })
        .await
    }

    /// The incidents of a rule that are open.
    pub async fn open_of(&self, rule: &str) -> Result<Vec<Incident>, StoreError> {
        let rule = rule.to_owned();
        self.read(|connection| Box::pin(async move { incidents::open_of(connection, &rule).await }))
            .await
    }

    /// Writes changes of what the monitoring itself suffers down, with the intents to send.
    pub async fn record(&self, changes: Vec<Change>, now: Timestamp) -> Result<(), StoreError> {
        self.change(move |transaction, policy| {
            Box::pin(async move {
                let followed = judgement::record(transaction, policy, &changes, now).await?;
                Ok(((), Some([changes, followed].concat())))
            })
        })
        .await
    }

    /// Judges what a poll brought and writes down what follows.
    pub async fn judge(
        &self,
        rule: &Rule,
        answer: Answer,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.ask(|reply| Request::Judge {
            rule: Box::new(rule.clone()),
            answer,
            now,
            reply,
        })
        .await
    }

    /// Takes the next delivery of a channel.
    pub async fn claim(&self, channel: &str, now: Timestamp) -> Result<Claim, StoreError> {
        let channel = channel.to_owned();
        self.write(move |transaction, _| {
            Box::pin(async move {
                Ok(match outbox::claim(transaction, &channel, now).await? {
                    Some(delivery) => Claim::Delivery(Box::new(delivery)),
                    None => Claim::Nothing(outbox::next_due(transaction, &channel).await?),
                })
            })
        })
        .await
    }

    /// Says what came of a delivery.
    pub async fn settle(
        &self,
        delivery: &Delivery,
        settlement: Settlement,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.settle_with_picture(delivery, settlement, None, now)
            .await
    }

    /// Says what came of a delivery, and whether a picture is to follow it.
    pub async fn settle_with_picture(
        &self,
        delivery: &Delivery,
        settlement: Settlement,
        picture: Option<Intent>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let delivery = delivery.clone();
        self.change(move |transaction, _| {
            Box::pin(async move {
                outbox::settle(transaction, &delivery, &settlement, now).await?;
                if let Some(picture) = &picture {
                    pictures::intend(transaction, &delivery, picture, now).await?;
                }
                if !settlement.is_final() {
                    return Ok(((), None));
                }
                incidents::told(transaction, &delivery.conversation.id, now).await?;
                Ok(((), Some(Vec::new())))
            })
        })
        .await
    }

    /// The incidents whose points are to be written.
    pub async fn unwritten(&self) -> Result<Vec<Unwritten>, StoreError> {
        self.read(|connection| Box::pin(incidents::unwritten(connection)))
            .await
    }

    /// Says that these points are written.
    pub async fn written(&self, written: Vec<Unwritten>) -> Result<(), StoreError> {
        self.write(|transaction, _| {
            Box::pin(async move {
                for written in &written {
                    incidents::written(transaction, written).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Tells when incidents changed.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.clone()
    }

    /// Whether this process may still act in the store's name.
    #[must_use]
    pub const fn tenure(&self) -> &Tenure {
        &self.tenure
    }

    /// Reads, outside of any transaction.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        what: impl for<'a> FnOnce(&'a mut AnyConnection) -> Work<'a, T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.serve(|access, reply| {
            Box::pin(async move {
                let found = access.read(async |connection| what(connection).await).await;
                access.answer(reply, found).await
            })
        })
        .await
    }

    /// Writes inside one transaction.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        what: impl for<'a> FnOnce(&'a mut AnyConnection, &'a Policy) -> Work<'a, T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.serve(|access, reply| {
            Box::pin(async move {
                let written = access
                    .write(async |transaction, policy| what(transaction, policy).await)
                    .await;
                access.answer(reply, written).await
            })
        })
        .await
    }

    /// Writes inside one transaction what others wait to hear of, where it says so; the changes of incidents among it are logged.
    pub(super) async fn change<T: Send + 'static>(
        &self,
        what: impl for<'a> FnOnce(
            &'a mut AnyConnection,
            &'a Policy,
        ) -> Work<'a, (T, Option<Vec<Change>>)>
        + Send
        + 'static,
    ) -> Result<T, StoreError> {
        self.serve(|access, reply| {
            Box::pin(async move {
                let changed = access
                    .write(async |transaction, policy| what(transaction, policy).await)
                    .await;
                let changed = changed.map(|(done, news)| {
                    if let Some(changes) = news {
                        access.announce(&changes);
                    }
                    done
                });
                access.answer(reply, changed).await
            })
        })
        .await
    }

    pub(super) async fn serve<T: Send + 'static>(
        &self,
        request: impl for<'a> FnOnce(&'a mut Access, Reply<T>) -> Served<'a> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.ask(|reply| Request::Serve(Box::new(move |access| request(access, reply))))
            .await
    }

    async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.requests
            .send(request(reply))
            .await
            .map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }
}
