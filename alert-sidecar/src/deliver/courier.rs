//! Serves one channel: takes what is due, has it written, sends it, and says what came of it.
//!
//! A slow or dead channel keeps its own courier busy and nobody else's. No more is sent than the service wants to hear, and
//! one that wants to be left alone is left alone.

use std::{sync::Arc, time::Duration};

use backon::{BackoffBuilder, ExponentialBuilder};
use jiff::Timestamp;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use super::{
    Attempt, Channel, Outgoing, Pictures, delivery_points,
    pace::Turns,
    pictures::{self, Illustrator},
};
use crate::{
    flux::InfluxDb,
    incident::{
        Change,
        undelivered::{self, Fate, Standing},
    },
    render::{Illustration, Renderer},
    store::{
        StoreError,
        ledger::{Claim, Ledger},
        outbox::{Delivery, LONGEST_PAUSE, Settlement},
        pictures::Intent,
    },
};

/// The first pause after a failed attempt; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest that a service which wants to be left alone is left alone.
const LONGEST_REST: Duration = Duration::from_hours(1);

/// The clock of the machine may be set while we wait; this is how long that can go unnoticed.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What a courier needs.
pub struct Courier {
    /// The channel's name.
    pub name: String,
    /// The channel.
    pub channel: Arc<Channel>,
    /// When the next message may go.
    pub turns: Turns,
    /// The store.
    pub ledger: Ledger,
    /// Where the pictures are.
    pub influxdb: Arc<InfluxDb>,
    /// Writes the messages.
    pub renderer: Arc<Renderer>,
}

impl Courier {
    /// Serves until `stop` is set; what is being sent then is finished first.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut changes = self.ledger.changes();
        let Some(mut standing) = self.standing(&mut stop).await else {
            return;
        };
        let mut illustrator = Illustrator::new(&self);
        while !*stop.borrow() {
            changes.mark_unchanged();
            let wait = match self.next().await {
                Ok(Claim::Delivery(delivery)) => {
                    self.turns.take();
                    // What it takes to write a message is large, and most of the time nothing is written.
                    let delivered = Box::pin(self.deliver(*delivery, &mut standing));
                    if let Some(change) = delivered.await {
                        self.record(&change).await;
                    }
                    illustrator.look_again();
                    continue;
                }
                Ok(Claim::Nothing(next)) => next.map_or(LONGEST_WAIT, until),
                Err(StoreError::Closed) => return,
                Err(error) => {
                    tracing::error!(channel = self.name, %error, "what is to be sent could not be read");
                    LONGEST_WAIT
                }
            };
            // A picture goes only where no message waits for its turn.
            tokio::select! {
                biased;
                _ = stop.changed() => {}
                news = changes.changed() => if news.is_err() { return },
                () = illustrator.work(&mut self.turns) => {}
                () = sleep(wait) => {}
            }
        }
        illustrator.finish().await;
    }

    /// What an earlier process knew of the channel; nothing where the program stops before the store says it.
    async fn standing(&self, stop: &mut watch::Receiver<bool>) -> Option<Standing> {
        loop {
            match self.ledger.open_of(undelivered::RULE).await {
                Ok(open) => return Some(Standing::new(&self.name, open)),
                Err(StoreError::Closed) => return None,
                Err(error) => {
                    tracing::error!(channel = self.name, %error, "what is open could not be read");
                }
            }
            tokio::select! {
                _ = stop.changed() => return None,
                () = sleep(LONGEST_WAIT) => {}
            }
        }
    }

    /// That a channel brings nothing is written down as what users suffer is.
    async fn record(&self, change: &Change) {
        for pause in pauses() {
            let recorded = self
                .ledger
                .record(vec![change.clone()], Timestamp::now())
                .await;
            match recorded {
                Ok(()) | Err(StoreError::Closed) => return,
                Err(error) => {
                    tracing::error!(%error, "that a channel fails could not be written down");
                }
            }
            sleep(pause).await;
        }
    }

    /// The next message, or how long there is none.
    async fn next(&mut self) -> Result<Claim, StoreError> {
        if let Some(wait) = self.turns.wait(Instant::now()) {
            return Ok(Claim::Nothing(Some(Timestamp::now() + wait)));
        }
        self.ledger.claim(&self.name, Timestamp::now()).await
    }

    /// Sends it and writes down what came of it, and whether a picture is to follow; gives back what that says of the channel.
    async fn deliver(&mut self, mut delivery: Delivery, standing: &mut Standing) -> Option<Change> {
        let started = Instant::now();
        delivery.is_repeat &= !self.channel.abilities().recognises_repeats;
        // Where another process took the store over, it repeats this message, and this one is not heard to the end.
        let attempt = self.ledger.tenure().bounds(self.attempt(&delivery)).await;
        let attempt = attempt.unwrap_or_else(|| {
            let reason = "this process could not say in time that it lives";
            Attempt::Uncertain(reason.to_owned())
        });
        let took = started.elapsed();
        if let Attempt::Accepted(receipt) = &attempt
            && delivery.thread.is_none()
        {
            delivery.thread.clone_from(&receipt.thread);
        }
        if let Attempt::Failed {
            retry_after: Some(rest),
            ..
        } = &attempt
        {
            self.turns.rest(Instant::now(), (*rest).min(LONGEST_REST));
        }
        self.settle(&delivery, &attempt).await;
        log(&delivery, &attempt, took);
        delivery_points::write(&self.influxdb, &delivery, &attempt, Timestamp::now()).await;
        standing.hear(&delivery.recipient, fate(&attempt), Timestamp::now())
    }

    /// Whether a picture is to follow.
    fn picture(&self, delivery: &Delivery, attempt: &Attempt) -> Option<Intent> {
        match (attempt, self.channel.abilities().pictures) {
            (Attempt::Accepted(receipt), Pictures::After) if pictures::are_expected(delivery) => {
                let message = receipt.message.clone();
                Some(Intent { message })
            }
            _ => None,
        }
    }

    /// What was accepted must not be sent again because the disk is full just now.
    async fn settle(&self, delivery: &Delivery, attempt: &Attempt) {
        let settlement = settlement(attempt, delivery.attempt, Timestamp::now());
        let picture = self.picture(delivery, attempt);
        for pause in pauses() {
            let (settlement, picture) = (settlement.clone(), picture.clone());
            let settled =
                self.ledger
                    .settle_with_picture(delivery, settlement, picture, Timestamp::now());
            match settled.await {
                Ok(()) | Err(StoreError::Closed) => break,
                Err(error) => {
                    tracing::error!(%error, "what came of a message could not be written down");
                }
            }
            sleep(pause).await;
        }
    }

    async fn attempt(&self, delivery: &Delivery) -> Attempt {
        let abilities = self.channel.abilities();
        let brought = match abilities.pictures {
            Pictures::Linked if !self.renderer.links_pictures() => Pictures::Never,
            brought => brought,
        };
        let pictures = match brought {
            Pictures::Inside | Pictures::Linked => pictures::of(&self.influxdb, delivery).await,
            Pictures::After | Pictures::Never => Vec::new(),
        };
        let layout = abilities.layout(match (brought, pictures.len()) {
            (Pictures::Inside | Pictures::Linked, 0) if pictures::are_expected(delivery) => {
                Illustration::None
            }
            (Pictures::Inside, count @ 1..) => Illustration::Pictures(count),
            (Pictures::Linked, count @ 1..) => Illustration::Linked(count),
            _ => Illustration::Later,
        });
        let message = match self.renderer.render(delivery, layout, Timestamp::now()) {
            Ok(message) => message,
            Err(error) => {
                let reason = format!("it could not be put into words: {error}");
                return Attempt::failed(reason);
            }
        };
        self.channel
            .send(&Outgoing::of(delivery, &message, &pictures))
            .await
    }
}

/// What an attempt says of the channel.
fn fate(attempt: &Attempt) -> Fate<'_> {
    match attempt {
        Attempt::Accepted(_) => Fate::Accepted,
        Attempt::Refused(reason) => Fate::Refused(reason),
        Attempt::Failed { reason, .. } | Attempt::Uncertain(reason) => Fate::Failed(reason),
    }
}

fn log(delivery: &Delivery, attempt: &Attempt, took: Duration) {
    let span = tracing::info_span!(
        "delivery",
        channel = delivery.channel,
        incident = delivery.conversation.lead().id,
        kind = delivery.kind.name(),
        attempt = delivery.attempt,
        took_ms = took.as_millis(),
    );
    let _inside = span.enter();
    match attempt {
        Attempt::Accepted(receipt) => {
            tracing::info!(answer = receipt.answer, "a message was accepted");
        }
        Attempt::Refused(answer) => {
            let recipient = &delivery.recipient;
            tracing::error!(recipient, answer, "a message was refused for good");
        }
        Attempt::Failed { reason, .. } => {
            tracing::warn!(reason, "a message did not arrive, and is tried again");
        }
        Attempt::Uncertain(reason) => {
            tracing::warn!(reason, "a message may have arrived, and is repeated");
        }
    }
}

/// When what came of an attempt is written down, this is what is written.
fn settlement(attempt: &Attempt, number: usize, now: Timestamp) -> Settlement {
    let pause = pauses()
        .nth(number.saturating_sub(1))
        .unwrap_or(LONGEST_PAUSE);
    match attempt {
        Attempt::Accepted(receipt) => Settlement::Accepted(receipt.answer.clone()),
        Attempt::Refused(answer) => Settlement::Refused(answer.clone()),
        Attempt::Failed {
            reason,
            retry_after,
        } => {
            // What is longer is the channel's to wait for: see `LONGEST_REST`.
            let rest = retry_after.unwrap_or_default().min(LONGEST_PAUSE);
            Settlement::Postponed(reason.clone(), now + pause.max(rest))
        }
        Attempt::Uncertain(reason) => Settlement::Uncertain(reason.clone(), now + pause),
    }
}

/// The pauses after failed attempts, one after the other.
pub(super) fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .without_max_times()
        .with_jitter()
        .build()
        // Chance comes on top of the longest delay, too.
        .map(|pause| pause.min(LONGEST_PAUSE))
}

/// How long it is until then, as far as a clock can be trusted.
pub(super) fn until(time: Timestamp) -> Duration {
    Duration::try_from(time.duration_since(Timestamp::now()))
        .unwrap_or_default()
        .min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_pause_is_longer_than_the_longest() {
        let pauses: Vec<_> = pauses().take(100).collect();
        assert!(pauses[0] < FIRST_PAUSE * 2);
        assert_eq!(pauses.iter().max(), Some(&LONGEST_PAUSE));
    }

    #[test]
    fn a_message_waits_as_long_as_the_service_wants_and_no_longer_than_a_clock_can_be_trusted() {
        let now = Timestamp::UNIX_EPOCH;
        for (asked, expected) in [(30, 30), (100_000, 300)] {
            let attempt = Attempt::Failed {
                reason: "429".into(),
                retry_after: Some(Duration::from_secs(asked)),
            };
            let expected = now + Duration::from_secs(expected);
            assert_eq!(
                settlement(&attempt, 1, now),
                Settlement::Postponed("429".into(), expected)
            );
        }
    }
}
