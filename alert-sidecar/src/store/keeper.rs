//! The one task that owns the store. Others ask it through a [`Ledger`].
//!
//! Requests are served one after the other, each inside one transaction. Answers of InfluxDB are judged at once, as far as
//! somebody may have to be told; the rest is written down when nobody waits.

use std::{
    collections::{HashMap, VecDeque},
    future::ready,
};

use jiff::Timestamp;
use sqlx::AnyConnection;
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};

use super::{
    Store, StoreError,
    access::{Access, End, Reply},
    judgement::{self, Policy},
    lease::BEAT,
    ledger::{Ledger, Request},
    memory::{Memory, News},
    outbox, pictures,
};
use crate::flux::{Rule, poll::Answer};

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
    access: Access,
    /// By the rules' names.
    memories: HashMap<String, Memory>,
    notes: VecDeque<Note>,
    requests: mpsc::Receiver<Request>,
}

impl Keeper {
    /// Takes the store over, and finds what an earlier process was interrupted in.
    pub async fn new(store: Store, policy: Policy) -> Result<(Self, Ledger), StoreError> {
        let (mut keeper, ledger) = Self::visiting(store, policy);
        recover(&mut keeper.access).await?;
        Ok((keeper, ledger))
    }

    /// Works beside the program that works with the store: what that one was doing goes on.
    #[must_use]
    pub fn visiting(store: Store, policy: Policy) -> (Self, Ledger) {
        let tenure = store.tenure();
        let (access, changes) = Access::new(store, policy);
        let (ledger, requests) = Ledger::new(changes, tenure);
        let keeper = Self {
            access,
            memories: HashMap::new(),
            notes: VecDeque::new(),
            requests,
        };
        (keeper, ledger)
    }

    /// Serves until nobody holds a [`Ledger`] any more, or the store is not ours any more.
    pub async fn run(mut self) -> End {
        let mut beats = interval(BEAT);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let end = tokio::select! {
                biased;
                _ = beats.tick() => {
                    let beaten = self.access.beat().await;
                    self.access.settled(beaten.err().as_ref()).await
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
        if let Err(error) = self.access.store.close().await {
            tracing::error!(%error, "the store did not close cleanly; nothing is lost");
        }
        End::Unneeded
    }

    async fn serve(&mut self, request: Request) -> Option<End> {
        match request {
            Request::Serve(work) => work(&mut self.access).await,
            Request::Judge {
                rule,
                answer,
                now,
                reply,
            } => match self.judge(*rule, answer, now, reply).await {
                Ok(()) => None,
                Err((reply, error)) => self.access.answer(reply, Err(error)).await,
            },
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
        let mut memory = match self.memory(&rule, now).await {
            Ok(memory) => memory,
            Err(error) => return Err((reply, error)),
        };
        let horizon = answer.read_until.unwrap_or(now) - rule.memory();
        let news = memory.news(&rule, answer);
        if !news.urgent.is_empty() {
            let judged = self.access.write(async |transaction, policy| {
                judgement::judge(transaction, policy, &rule, &news.urgent, now).await
            });
            let (changes, worries) = match judged.await {
                Ok(judged) => judged,
                Err(error) => return Err((reply, error)),
            };
            if !changes.is_empty() {
                self.access.announce(&changes);
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

    /// What is known of a rule by heart. Only what goes well to the end is remembered, so it is taken out.
    async fn memory(&mut self, rule: &Rule, now: Timestamp) -> Result<Memory, StoreError> {
        let read = async |connection: &mut AnyConnection| Memory::read(connection, rule).await;
        let memory = match self.memories.remove(&rule.name) {
            Some(memory) => memory,
            None => self.access.read(read).await?,
        };
        // No question reaches further ahead, so that the clock was ahead when this was read. It would hide what happens now.
        let latest = now + rule.overlap;
        if !memory.knows_after(latest) {
            return Ok(memory);
        }
        let forgotten = self.access.write(async |transaction, _| {
            judgement::forget_future(transaction, rule, (latest, now - rule.overlap)).await
        });
        let forgotten = forgotten.await?;
        tracing::warn!(
            rule = rule.name,
            runs = forgotten,
            "the clock was set back: runs that lie ahead now are forgotten until their time comes"
        );
        self.access.read(read).await
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
            let note = self.access.write(async |transaction, _| {
                judgement::note(transaction, &rule, &news, &forgotten).await
            });
            note.await
        };
        if written.is_ok() {
            if let Some(read_until) = news.read_until {
                memory.advance(read_until);
            }
            self.memories.insert(rule.name, memory);
        }
        self.access.answer(reply, written).await
    }
}

/// Says what an earlier process was interrupted in, and what waits for nobody.
async fn recover(access: &mut Access) -> Result<(), StoreError> {
    let (interrupted, waiting) = access
        .write(async |transaction, _| {
            let interrupted = outbox::recover(transaction).await?;
            pictures::recover(transaction).await?;
            Ok((interrupted, outbox::waiting_channels(transaction).await?))
        })
        .await?;
    if interrupted > 0 {
        tracing::warn!(
            interrupted,
            "messages may have been sent when the last process died: they are repeated"
        );
    }
    for channel in waiting {
        if !access.policy.recipients.contains_key(&channel) {
            tracing::error!(
                channel,
                "messages wait for a channel that is not configured any more"
            );
        }
    }
    Ok(())
}
