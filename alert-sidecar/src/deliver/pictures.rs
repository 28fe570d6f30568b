//! Brings pictures after their messages, one at a time and only while no message waits. What fails here fails no message. Which
//! ones wait is in the store, so that they follow after a restart, too.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use super::{
    Attempt, Channel, Outgoing, Receipt,
    courier::{Courier, LONGEST_WAIT, pauses, until},
    pace::Turns,
};
use crate::{
    flux::{
        InfluxDb,
        picture::{self, Picture},
    },
    render::{Illustration, Renderer},
    store::{
        StoreError,
        ledger::Ledger,
        outbox::{Delivery, Kind},
        pictures::{Fate, Wanted},
    },
};

/// How long bringing a picture may take in all; a service that hangs must not keep the next ones.
const DEADLINE: Duration = Duration::from_mins(2);

/// How often a picture is tried.
const ATTEMPTS: i64 = 3;

/// Before it is tried again, where the service did not say when.
const PAUSE: Duration = Duration::from_secs(5);

/// The longest that it waits to be tried again, whatever the service says.
const LONGEST_PAUSE: Duration = Duration::from_mins(2);

/// The pictures that belong to a message: that of its run, and while users suffer that of the last time they did not.
pub(super) async fn of(influxdb: &InfluxDb, delivery: &Delivery) -> Vec<Picture> {
    let incident = delivery.conversation.lead();
    if !are_expected(delivery) {
        return Vec::new();
    }
    let (run_id, at) = match (&incident.end, delivery.kind.is_end()) {
        (Some(end), true) => (&end.run_id, end.at),
        _ => (&incident.run_id, incident.started_at),
    };
    let series = &incident.series;
    let before = async {
        if delivery.kind.is_end() {
            return None;
        }
        picture::fetch_before(influxdb, series, incident.started_at).await
    };
    let fetched = tokio::join!(picture::fetch(influxdb, series, run_id, at), before);
    match fetched {
        (Some(picture), before) => [picture].into_iter().chain(before).collect(),
        // What was well once says nothing alone.
        (None, _) => Vec::new(),
    }
}

/// Whether there should be pictures: of a page, with what is said of it first and last.
pub(super) fn are_expected(delivery: &Delivery) -> bool {
    let is_new = match delivery.kind {
        Kind::Opened | Kind::Closed | Kind::Whole | Kind::Escalated => true,
        Kind::Updated | Kind::Reminder | Kind::Digest | Kind::Notice => false,
    };
    is_new && delivery.conversation.lead().has_page()
}

/// What it takes to bring a picture.
#[derive(Debug)]
struct Means {
    name: String,
    channel: Arc<Channel>,
    ledger: Ledger,
    influxdb: Arc<InfluxDb>,
    renderer: Arc<Renderer>,
}

/// When the next picture is due.
#[derive(Clone, Copy, Debug)]
enum Next {
    /// The store is to be asked.
    Unknown,
    At(Timestamp),
    /// None waits.
    Never,
}

/// Brings the pictures of one channel.
pub(super) struct Illustrator {
    means: Arc<Means>,
    next: Next,
    /// At most one.
    at_work: JoinSet<Next>,
}

impl Illustrator {
    pub fn new(courier: &Courier) -> Self {
        let means = Means {
            name: courier.name.clone(),
            channel: Arc::clone(&courier.channel),
            ledger: courier.ledger.clone(),
            influxdb: Arc::clone(&courier.influxdb),
            renderer: Arc::clone(&courier.renderer),
        };
        Self {
            means: Arc::new(means),
            next: Next::Unknown,
            at_work: JoinSet::new(),
        }
    }

    /// Another picture waits.
    pub const fn look_again(&mut self) {
        self.next = Next::Unknown;
    }

    /// One step; where there is nothing to do, this never ends. Dropped, it loses nothing.
    pub async fn work(&mut self, turns: &mut Turns) {
        if let Some(done) = self.at_work.join_next().await {
            self.next = done.unwrap_or_else(|error| {
                tracing::error!(%error, "a picture could not be sent");
                later()
            });
            return;
        }
        let due = match self.next {
            Next::Unknown => {
                self.next = self.means.next().await;
                return;
            }
            Next::At(due) => due,
            Next::Never => return std::future::pending().await,
        };
        let wait = until(due);
        if !wait.is_zero() {
            return sleep(wait).await;
        }
        if let Some(wait) = turns.wait(Instant::now()) {
            return sleep(wait).await;
        }
        turns.take();
        self.at_work.spawn(Arc::clone(&self.means).bring_next());
    }

    /// Waits for what is being sent.
    pub async fn finish(&mut self) {
        while self.at_work.join_next().await.is_some() {}
    }
}

impl Means {
    async fn next(&self) -> Next {
        match self.ledger.next_picture(&self.name, Timestamp::now()).await {
            Ok(Some(due)) => Next::At(due),
            Ok(None) | Err(StoreError::Closed) => Next::Never,
            Err(error) => {
                tracing::error!(channel = self.name, %error, "what pictures are to be sent could not be read");
                later()
            }
        }
    }

    /// Claims a picture, sends it, and writes down what came of it.
    async fn bring_next(self: Arc<Self>) -> Next {
        let claimed = self.ledger.claim_picture(&self.name, Timestamp::now());
        let wanted = match claimed.await {
            Ok(Some(wanted)) => wanted,
            Ok(None) => return Next::Unknown,
            Err(StoreError::Closed) => return Next::Never,
            Err(error) => {
                tracing::error!(channel = self.name, %error, "what picture is to be sent could not be read");
                return later();
            }
        };
        let attempt = async {
            timeout(DEADLINE, self.bring(&wanted))
                .await
                .unwrap_or_else(|_| Attempt::Uncertain("it took too long".to_owned()))
        };
        // Where another process took the store over, it repeats this picture.
        let Some(attempt) = self.ledger.tenure().bounds(attempt).await else {
            return Next::Unknown;
        };
        let fate = fate(attempt, wanted.failures, Timestamp::now());
        log(&wanted, &fate);
        for pause in pauses() {
            match self.ledger.settle_picture(&wanted, fate.clone()).await {
                Ok(()) | Err(StoreError::Closed) => break,
                Err(error) => {
                    tracing::error!(%error, "what came of a picture could not be written down");
                }
            }
            sleep(pause).await;
        }
        Next::Unknown
    }

    async fn bring(&self, wanted: &Wanted) -> Attempt {
        let delivery = &wanted.delivery;
        let pictures = of(&self.influxdb, delivery).await;
        if pictures.is_empty() {
            return Attempt::Refused("there is none".to_owned());
        }
        let layout = self.channel.abilities().layout(Illustration::Later);
        let message = match self.renderer.render(delivery, layout, Timestamp::now()) {
            Ok(message) => message,
            Err(error) => {
                return Attempt::Refused(format!("it could not be put into words: {error}"));
            }
        };
        let receipt = Receipt {
            answer: String::new(),
            thread: delivery.thread.clone(),
            message: wanted.message.clone(),
        };
        let outgoing = Outgoing::of(delivery, &message, &pictures);
        self.channel.illustrate(&outgoing, &receipt).await
    }
}

fn later() -> Next {
    Next::At(Timestamp::now() + LONGEST_WAIT)
}

/// What follows from an attempt. One that may have arrived is not repeated.
fn fate(attempt: Attempt, failures: i64, now: Timestamp) -> Fate {
    match attempt {
        Attempt::Accepted(receipt) => Fate::Accepted(receipt.answer),
        Attempt::Failed {
            reason,
            retry_after,
        } if failures + 1 < ATTEMPTS => {
            let pause = retry_after.unwrap_or(PAUSE).min(LONGEST_PAUSE);
            Fate::Postponed(reason, now + pause)
        }
        Attempt::Failed { reason, .. } | Attempt::Refused(reason) | Attempt::Uncertain(reason) => {
            Fate::GivenUp(reason)
        }
    }
}

fn log(wanted: &Wanted, fate: &Fate) {
    let incident = &wanted.delivery.conversation.lead().id;
    match fate {
        Fate::Accepted(answer) => {
            tracing::info!(incident, answer, "the picture of a message was accepted");
        }
        Fate::Postponed(reason, _) => {
            tracing::info!(incident, reason, "the picture of a message is tried again");
        }
        Fate::GivenUp(reason) => {
            tracing::warn!(
                incident,
                reason,
                "a message goes without its picture; the message itself was accepted"
            );
        }
    }
}
