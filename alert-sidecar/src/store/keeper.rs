//! The one task that owns the store. Others ask it through a [`Ledger`].
//!
//! Requests are served one after the other, each inside one transaction.

use jiff::Timestamp;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    Store, incidents,
    judgement::{self, Policy},
    observations,
    outbox::{self, Delivery, Settlement},
};
use crate::{
    flux::{Observation, Rule, Series, poll::Answer},
    incident::{Change, Incident},
};

/// Requests that may wait for the keeper; more make their senders wait.
const QUEUE: usize = 64;

/// Why the keeper did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk, or the file.
    #[error("the store failed: {0}")]
    Database(#[from] sqlx::Error),
    /// The program is stopping.
    #[error("the store is closed")]
    Closed,
}

type Reply<T> = oneshot::Sender<Result<T, sqlx::Error>>;

enum Request {
    ReadUntil {
        rule: String,
        reply: Reply<Option<Timestamp>>,
    },
    Newest {
        rule: String,
        reply: Reply<Vec<(Series, Timestamp)>>,
    },
    NewestGood {
        rule: String,
        reply: Reply<Vec<Observation>>,
    },
    OpenOf {
        rule: String,
        reply: Reply<Vec<Incident>>,
    },
    Record {
        changes: Vec<Change>,
        now: Timestamp,
        reply: Reply<()>,
    },
    Judge {
        rule: Box<Rule>,
        answer: Answer,
        now: Timestamp,
        reply: Reply<()>,
    },
    Claim {
        channel: String,
        now: Timestamp,
        reply: Reply<Claim>,
    },
    Settle {
        id: String,
        settlement: Settlement,
        now: Timestamp,
        reply: Reply<()>,
    },
    Unwritten {
        reply: Reply<Vec<Incident>>,
    },
    Written {
        incident: Box<Incident>,
        reply: Reply<()>,
    },
}

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
}

impl Ledger {
    /// How far a rule has read.
    pub async fn read_until(&self, rule: &str) -> Result<Option<Timestamp>, StoreError> {
        self.ask(|reply| Request::ReadUntil {
            rule: rule.to_owned(),
            reply,
        })
        .await
    }

    /// The newest run of every series that a rule has read.
    pub async fn newest(&self, rule: &str) -> Result<Vec<(Series, Timestamp)>, StoreError> {
        self.ask(|reply| Request::Newest {
            rule: rule.to_owned(),
            reply,
        })
        .await
    }

    /// The newest good run of every series that a rule has read.
    pub async fn newest_good(&self, rule: &str) -> Result<Vec<Observation>, StoreError> {
        self.ask(|reply| Request::NewestGood {
            rule: rule.to_owned(),
            reply,
        })
        .await
    }

    /// The incidents of a rule that are open.
    pub async fn open_of(&self, rule: &str) -> Result<Vec<Incident>, StoreError> {
        self.ask(|reply| Request::OpenOf {
            rule: rule.to_owned(),
            reply,
        })
        .await
    }

    /// Writes changes of what the monitoring itself suffers down, with the intents to send.
    pub async fn record(&self, changes: Vec<Change>, now: Timestamp) -> Result<(), StoreError> {
        self.ask(|reply| Request::Record {
            changes,
            now,
            reply,
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
        self.ask(|reply| Request::Claim {
            channel: channel.to_owned(),
            now,
            reply,
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
        self.ask(|reply| Request::Settle {
            id: delivery.id.clone(),
            settlement,
            now,
            reply,
        })
        .await
    }

    /// The incidents whose points are to be written.
    pub async fn unwritten(&self) -> Result<Vec<Incident>, StoreError> {
        self.ask(|reply| Request::Unwritten { reply }).await
    }

    /// Says that an incident's point is written.
    pub async fn written(&self, incident: &Incident) -> Result<(), StoreError> {
        self.ask(|reply| Request::Written {
            incident: Box::new(incident.clone()),
            reply,
        })
        .await
    }

    /// Tells when incidents changed.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.clone()
    }

    async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.requests
            .send(request(reply))
            .await
            .map_err(|_| StoreError::Closed)?;
        Ok(answer.await.map_err(|_| StoreError::Closed)??)
    }
}

/// Owns the store.
pub struct Keeper {
    store: Store,
    policy: Policy,
    requests: mpsc::Receiver<Request>,
    announce: watch::Sender<()>,
}

impl Keeper {
    /// Takes the store over, and finds what an earlier process was interrupted in.
    pub async fn new(mut store: Store, policy: Policy) -> Result<(Self, Ledger), StoreError> {
        let interrupted = outbox::recover(&mut store.connection).await?;
        if interrupted > 0 {
            tracing::warn!(
                interrupted,
                "messages may have been sent when the last process died: they are repeated"
            );
        }
        for channel in outbox::waiting_channels(&mut store.connection).await? {
            if !policy.recipients.contains_key(&channel) {
                tracing::error!(
                    channel,
                    "messages wait for a channel that is not configured any more"
                );
            }
        }
        let (sender, requests) = mpsc::channel(QUEUE);
        let (announce, changes) = watch::channel(());
        let keeper = Self {
            store,
            policy,
            requests,
            announce,
        };
        Ok((
            keeper,
            Ledger {
                requests: sender,
                changes,
            },
        ))
    }

    /// Serves until nobody holds a [`Ledger`] any more.
    pub async fn run(mut self) {
        while let Some(request) = self.requests.recv().await {
            let connection = &mut self.store.connection;
            match request {
                Request::ReadUntil { rule, reply } => {
                    answer(reply, observations::read_until(connection, &rule).await);
                }
                Request::Newest { rule, reply } => {
                    answer(reply, observations::newest(connection, &rule).await);
                }
                Request::NewestGood { rule, reply } => {
                    answer(reply, observations::newest_good(connection, &rule).await);
                }
                Request::OpenOf { rule, reply } => {
                    answer(reply, incidents::open_of(connection, &rule).await);
                }
                Request::Record {
                    changes,
                    now,
                    reply,
                } => {
                    let written =
                        judgement::write_changes(connection, &self.policy, &changes, now).await;
                    if written.is_ok() {
                        judgement::log(&changes);
                        self.announce.send_replace(());
                    }
                    answer(reply, written);
                }
                Request::Judge {
                    rule,
                    answer: brought,
                    now,
                    reply,
                } => {
                    let changes =
                        judgement::write(connection, &self.policy, &rule, brought, now).await;
                    if let Ok(changes) = &changes {
                        judgement::log(changes);
                        if !changes.is_empty() {
                            self.announce.send_replace(());
                        }
                    }
                    answer(reply, changes.map(drop));
                }
                Request::Claim {
                    channel,
                    now,
                    reply,
                } => answer(reply, claim(connection, &channel, now).await),
                Request::Settle {
                    id,
                    settlement,
                    now,
                    reply,
                } => {
                    answer(reply, settle(connection, &id, &settlement, now).await);
                }
                Request::Unwritten { reply } => {
                    answer(reply, incidents::unwritten(connection).await);
                }
                Request::Written { incident, reply } => {
                    answer(reply, incidents::written(connection, &incident).await);
                }
            }
        }
        if let Err(error) = self.store.connection.close().await {
            tracing::error!(%error, "the store did not close cleanly; nothing is lost");
        }
    }
}

/// Nobody listens when the one who asked was stopped meanwhile; what was asked for is done all the same.
fn answer<T>(reply: Reply<T>, result: Result<T, sqlx::Error>) {
    drop(reply.send(result));
}

async fn claim(
    connection: &mut SqliteConnection,
    channel: &str,
    now: Timestamp,
) -> Result<Claim, sqlx::Error> {
    let mut transaction = connection.begin().await?;
    let claim = match outbox::claim(&mut transaction, channel, now).await? {
        Some(delivery) => Claim::Delivery(Box::new(delivery)),
        None => Claim::Nothing(outbox::next_due(&mut transaction, channel).await?),
    };
    transaction.commit().await?;
    Ok(claim)
}

async fn settle(
    connection: &mut SqliteConnection,
    id: &str,
    settlement: &Settlement,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    outbox::settle(&mut transaction, id, settlement, now).await?;
    transaction.commit().await
}
