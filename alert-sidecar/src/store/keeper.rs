//! The one task that owns the store. Others ask it through a [`Ledger`].
//!
//! Requests are served one after the other, each inside one transaction.

use std::{
    collections::{HashMap, VecDeque},
    future::ready,
};

use jiff::Timestamp;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{MissedTickBehavior, interval, timeout},
};

use super::{
    Store, StoreError, incidents,
    judgement::{self, Policy},
    lease::{BEAT, Tenure},
    memory::{Memory, News},
    observations,
    outbox::{self, Delivery, Settlement},
    postgresql::took_too_long,
};
use crate::{
    flux::{Observation, Rule, Series, poll::Answer},
    incident::{Change, Incident},
};

/// Requests that may wait for the keeper; more make their senders wait.
const QUEUE: usize = 64;

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

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
        delivery: Box<Delivery>,
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
    tenure: Tenure,
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
            delivery: Box::new(delivery.clone()),
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

    /// Whether this process may still act in the store's name.
    #[must_use]
    pub const fn tenure(&self) -> &Tenure {
        &self.tenure
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

/// Why the keeper stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Nobody asks any more.
    Unneeded,
    /// Another process works with the store now.
    Replaced,
    /// The file is damaged. Opened again, it is set aside.
    Damaged,
}

/// What is left to write down of an answer that was judged.
struct Note {
    rule: Rule,
    memory: Memory,
    news: News,
    horizon: Timestamp,
    reply: Reply<()>,
}

/// Owns the store.
pub struct Keeper {
    store: Store,
    policy: Policy,
    /// By the rules' names.
    memories: HashMap<String, Memory>,
    notes: VecDeque<Note>,
    requests: mpsc::Receiver<Request>,
    announce: watch::Sender<()>,
}

impl Keeper {
    /// Takes the store over, and finds what an earlier process was interrupted in.
    pub async fn new(mut store: Store, policy: Policy) -> Result<(Self, Ledger), StoreError> {
        let mut transaction = store.begin().await?;
        let interrupted = outbox::recover(&mut transaction).await?;
        let waiting = outbox::waiting_channels(&mut transaction).await?;
        transaction.commit().await?;
        if interrupted > 0 {
            tracing::warn!(
                interrupted,
                "messages may have been sent when the last process died: they are repeated"
            );
        }
        for channel in waiting {
            if !policy.recipients.contains_key(&channel) {
                tracing::error!(
                    channel,
                    "messages wait for a channel that is not configured any more"
                );
            }
        }
        let (sender, requests) = mpsc::channel(QUEUE);
        let (announce, changes) = watch::channel(());
        let ledger = Ledger {
            requests: sender,
            changes,
            tenure: store.tenure(),
        };
        let keeper = Self {
            store,
            policy,
            memories: HashMap::new(),
            notes: VecDeque::new(),
            requests,
            announce,
        };
        Ok((keeper, ledger))
    }

    /// Serves until nobody holds a [`Ledger`] any more, or the store is not ours any more.
    pub async fn run(mut self) -> End {
        let mut beats = interval(BEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let end = tokio::select! {
                biased;
                _ = beats.tick() => {
                    let beaten = in_time(&mut self.store, Store::beat).await;
                    self.settled(beaten.err().as_ref()).await
                }
                request = self.requests.recv(), if !self.requests.is_empty() || self.notes.is_empty() => match request {
                    Some(request) => self.serve(request).await,
                    None => Some(End::Unneeded),
                },
                () = ready(()), if !self.notes.is_empty() => match self.notes.pop_front() {
                    Some(note) => self.note(note).await,
                    None => None,
                },
            };
            match end {
                None => {}
                Some(End::Unneeded) => break,
                Some(end) => return end,
            }
        }
        if let Err(error) = self.store.close().await {
            tracing::error!(%error, "the store did not close cleanly; nothing is lost");
        }
        End::Unneeded
    }

    async fn serve(&mut self, request: Request) -> Option<End> {
        let store = &mut self.store;
        match request {
            Request::ReadUntil { rule, reply } => {
                let found = in_time(store, async |store| {
                    Ok(observations::read_until(store.connection().await?, &rule).await?)
                })
                .await;
                self.answer(reply, found).await
            }
            Request::Newest { rule, reply } => {
                let found = in_time(store, async |store| {
                    Ok(observations::newest(store.connection().await?, &rule).await?)
                })
                .await;
                self.answer(reply, found).await
            }
            Request::NewestGood { rule, reply } => {
                let found = in_time(store, async |store| {
                    Ok(observations::newest_good(store.connection().await?, &rule).await?)
                })
                .await;
                self.answer(reply, found).await
            }
            Request::OpenOf { rule, reply } => {
                let found = in_time(store, async |store| {
                    Ok(incidents::open_of(store.connection().await?, &rule).await?)
                })
                .await;
                self.answer(reply, found).await
            }
            Request::Record {
                changes,
                now,
                reply,
            } => {
                let policy = &self.policy;
                let written = in_time(store, async |store| {
                    let mut transaction = store.begin().await?;
                    judgement::record(&mut transaction, policy, &changes, now).await?;
                    Ok(transaction.commit().await?)
                })
                .await;
                if written.is_ok() {
                    judgement::log(&changes);
                    self.announce.send_replace(());
                }
                self.answer(reply, written).await
            }
            Request::Judge {
                rule,
                answer,
                now,
                reply,
            } => match self.judge(*rule, answer, now, reply).await {
                Ok(()) => None,
                Err((reply, error)) => self.answer(reply, Err(error)).await,
            },
            Request::Claim {
                channel,
                now,
                reply,
            } => {
                let claimed = in_time(store, async |store| claim(store, &channel, now).await).await;
                self.answer(reply, claimed).await
            }
            Request::Settle {
                delivery,
                settlement,
                now,
                reply,
            } => {
                let settled = in_time(store, async |store| {
                    let mut transaction = store.begin().await?;
                    outbox::settle(&mut transaction, &delivery, &settlement, now).await?;
                    Ok(transaction.commit().await?)
                })
                .await;
                self.answer(reply, settled).await
            }
            Request::Unwritten { reply } => {
                let found = in_time(store, async |store| {
                    Ok(incidents::unwritten(store.connection().await?).await?)
                })
                .await;
                self.answer(reply, found).await
            }
            Request::Written { incident, reply } => {
                let written = in_time(store, async |store| {
                    let mut transaction = store.begin().await?;
                    incidents::written(&mut transaction, &incident).await?;
                    Ok(transaction.commit().await?)
                })
                .await;
                self.answer(reply, written).await
            }
        }
    }

    /// Judges what a poll brought, as far as somebody may have to be told. The rest is written down when nobody waits.
    async fn judge(
        &mut self,
        rule: Rule,
        answer: Answer,
        now: Timestamp,
        reply: Reply<()>,
    ) -> Result<(), (Reply<()>, StoreError)> {
        // Only what went well to the end is remembered.
        let mut memory = if let Some(memory) = self.memories.remove(&rule.name) {
            memory
        } else {
            let read = in_time(&mut self.store, async |store| {
                Ok(Memory::read(store.connection().await?, &rule).await?)
            });
            match read.await {
                Ok(memory) => memory,
                Err(error) => return Err((reply, error)),
            }
        };
        let horizon = answer.read_until.unwrap_or(now) - rule.memory();
        let news = memory.news(&rule, answer);
        if !news.urgent.is_empty() {
            let policy = &self.policy;
            let judged = in_time(&mut self.store, async |store| {
                let mut transaction = store.begin().await?;
                let judged =
                    judgement::judge(&mut transaction, policy, &rule, &news.urgent, now).await?;
                transaction.commit().await?;
                Ok(judged)
            });
            let (changes, worries) = match judged.await {
                Ok(judged) => judged,
                Err(error) => return Err((reply, error)),
            };
            judgement::log(&changes);
            if !changes.is_empty() {
                self.announce.send_replace(());
            }
            for (series, is_troubled) in worries {
                memory.worry(series, is_troubled);
            }
        }
        self.notes.push_back(Note {
            rule,
            memory,
            news,
            horizon,
            reply,
        });
        Ok(())
    }

    /// Writes down what was left for later.
    async fn note(&mut self, note: Note) -> Option<End> {
        let Note {
            rule,
            mut memory,
            news,
            horizon,
            reply,
        } = note;
        let written = if news.is_empty() {
            Ok(())
        } else {
            let runs = || news.urgent.values().flatten().chain(&news.calm);
            memory.learn(runs());
            let forgotten = memory.forget_of(runs(), rule.criteria.runs(), horizon);
            in_time(&mut self.store, async |store| {
                let mut transaction = store.begin().await?;
                judgement::note(&mut transaction, &rule, &news, &forgotten).await?;
                Ok(transaction.commit().await?)
            })
            .await
        };
        if written.is_ok() {
            if let Some(read_until) = news.read_until {
                memory.advance(read_until);
            }
            self.memories.insert(rule.name, memory);
        }
        self.answer(reply, written).await
    }

    /// Nobody listens when the one who asked was stopped meanwhile; what was asked for is done all the same.
    async fn answer<T>(&mut self, reply: Reply<T>, result: Result<T, StoreError>) -> Option<End> {
        let end = self.settled(result.as_ref().err()).await;
        drop(reply.send(result));
        end
    }

    /// What follows from an error for the keeper.
    async fn settled(&mut self, error: Option<&StoreError>) -> Option<End> {
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

async fn claim(store: &mut Store, channel: &str, now: Timestamp) -> Result<Claim, StoreError> {
    let mut transaction = store.begin().await?;
    let claim = match outbox::claim(&mut transaction, channel, now).await? {
        Some(delivery) => Claim::Delivery(Box::new(delivery)),
        None => Claim::Nothing(outbox::next_due(&mut transaction, channel).await?),
    };
    transaction.commit().await?;
    Ok(claim)
}
