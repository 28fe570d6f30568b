//! Brings pictures after their messages, one at a time and only while no message waits. What fails here fails no message.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{Attempt, Channel, Outgoing, Receipt, pace::Turns};
use crate::{
    flux::{
        InfluxDb,
        picture::{self, Picture},
    },
    render::Message,
    store::outbox::{Delivery, Kind},
};

/// How long bringing a picture may take in all; a service that hangs must not keep the next ones.
const DEADLINE: Duration = Duration::from_mins(2);

/// How often a picture is tried.
const ATTEMPTS: usize = 3;

/// Before it is tried again, where the service did not say when.
const PAUSE: Duration = Duration::from_secs(5);

/// Later than this a picture is of no use any more.
const LONGEST_PAUSE: Duration = Duration::from_mins(2);

/// More are not kept: in a storm the first ones are what people look at.
const MOST: usize = 200;

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

/// A message that was accepted and that a picture is to follow.
#[derive(Debug)]
pub(super) struct Wanted {
    delivery: Delivery,
    message: Message,
    receipt: Receipt,
    attempts: usize,
    due: Instant,
}

impl Wanted {
    pub fn new(delivery: Delivery, message: Message, receipt: Receipt) -> Self {
        Self {
            delivery,
            message,
            receipt,
            attempts: 0,
            due: Instant::now(),
        }
    }
}

/// Brings the pictures of one channel.
pub(super) struct Illustrator {
    channel: Arc<Channel>,
    influxdb: Arc<InfluxDb>,
    wanted: VecDeque<Wanted>,
    /// At most one.
    at_work: JoinSet<(Wanted, Attempt)>,
}

impl Illustrator {
    pub fn new(channel: &Arc<Channel>, influxdb: &Arc<InfluxDb>) -> Self {
        Self {
            channel: Arc::clone(channel),
            influxdb: Arc::clone(influxdb),
            wanted: VecDeque::new(),
            at_work: JoinSet::new(),
        }
    }

    pub fn want(&mut self, wanted: Option<Wanted>) {
        let Some(wanted) = wanted else { return };
        if self.wanted.len() < MOST {
            self.wanted.push_back(wanted);
        } else {
            let incident = &wanted.delivery.conversation.lead().id;
            tracing::warn!(
                incident,
                "so many pictures wait that this one is not sent; the message was"
            );
        }
    }

    /// One step; where there is nothing to do, this never ends. Dropped, it loses nothing.
    pub async fn work(&mut self, turns: &mut Turns) {
        if let Some(done) = self.at_work.join_next().await {
            match done {
                Ok((wanted, attempt)) => self.done(wanted, attempt),
                Err(error) => tracing::error!(%error, "a picture could not be sent"),
            }
            return;
        }
        let Some(next) = self.wanted.front() else {
            return std::future::pending().await;
        };
        sleep_until(next.due).await;
        if let Some(wait) = turns.wait(Instant::now()) {
            return sleep(wait).await;
        }
        turns.take();
        if let Some(wanted) = self.wanted.pop_front() {
            let (channel, influxdb) = (Arc::clone(&self.channel), Arc::clone(&self.influxdb));
            self.at_work.spawn(async move {
                let attempt = timeout(DEADLINE, bring(&channel, &influxdb, &wanted)).await;
                let attempt =
                    attempt.unwrap_or_else(|_| Attempt::Uncertain("it took too long".to_owned()));
                (wanted, attempt)
            });
        }
    }

    fn done(&mut self, mut wanted: Wanted, attempt: Attempt) {
        wanted.attempts += 1;
        let incident = &wanted.delivery.conversation.lead().id;
        match attempt {
            Attempt::Accepted(receipt) => {
                let answer = receipt.answer;
                tracing::info!(incident, answer, "the picture of a message was accepted");
            }
            Attempt::Failed {
                reason,
                retry_after,
            } if wanted.attempts < ATTEMPTS => {
                let pause = retry_after.unwrap_or(PAUSE).min(LONGEST_PAUSE);
                tracing::info!(incident, reason, "the picture of a message is tried again");
                wanted.due = Instant::now() + pause;
                self.wanted.push_back(wanted);
            }
            Attempt::Failed { reason, .. }
            | Attempt::Refused(reason)
            | Attempt::Uncertain(reason) => {
                tracing::warn!(
                    incident,
                    reason,
                    "a message goes without its picture; the message itself was accepted"
                );
            }
        }
    }
}

async fn bring(channel: &Channel, influxdb: &InfluxDb, wanted: &Wanted) -> Attempt {
    let Wanted {
        delivery,
        message,
        receipt,
        ..
    } = wanted;
    let pictures = of(influxdb, delivery).await;
    if pictures.is_empty() {
        return Attempt::Refused("there is none".to_owned());
    }
    let outgoing = Outgoing::of(delivery, message, &pictures);
    channel.illustrate(&outgoing, receipt).await
}
