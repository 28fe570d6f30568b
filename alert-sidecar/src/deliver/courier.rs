//! Serves one channel: takes what is due, has it written, sends it, and says what came of it.
//!
//! A slow or dead channel keeps its own courier busy and nobody else's.

use std::{sync::Arc, time::Duration};

use backon::{BackoffBuilder, ExponentialBuilder};
use jiff::Timestamp;
use tokio::{sync::watch, time::sleep};

use super::{Attempt, Channel, delivery_points};
use crate::{
    flux::{InfluxDb, picture},
    render::{Illustration, Renderer},
    store::{
        StoreError,
        ledger::{Claim, Ledger},
        outbox::{Delivery, Kind, LONGEST_PAUSE, Settlement},
    },
};

/// The first pause after a failed attempt; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The clock of the machine may be set while we wait; this is how long that can go unnoticed.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What a courier needs.
pub struct Courier {
    /// The channel's name.
    pub name: String,
    /// The channel.
    pub channel: Arc<Channel>,
    /// The store.
    pub ledger: Ledger,
    /// Where the pictures are.
    pub influxdb: Arc<InfluxDb>,
    /// Writes the messages.
    pub renderer: Arc<Renderer>,
}

impl Courier {
    /// Serves until `stop` is set; what is being sent then is finished first.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut changes = self.ledger.changes();
        while !*stop.borrow() {
            changes.mark_unchanged();
            let wait = match self.ledger.claim(&self.name, Timestamp::now()).await {
                Ok(Claim::Delivery(delivery)) => {
                    self.deliver(&delivery).await;
                    continue;
                }
                Ok(Claim::Nothing(next)) => next.map_or(LONGEST_WAIT, until),
                Err(StoreError::Closed) => return,
                Err(error) => {
                    tracing::error!(channel = self.name, %error, "what is to be sent could not be read");
                    LONGEST_WAIT
                }
            };
            tokio::select! {
                _ = stop.changed() => {}
                news = changes.changed() => if news.is_err() { return },
                () = sleep(wait) => {}
            }
        }
    }

    async fn deliver(&self, delivery: &Delivery) {
        let started = std::time::Instant::now();
        // Where another process took the store over, it repeats this message, and this one is not heard to the end.
        let attempt = self.ledger.tenure().bounds(self.attempt(delivery)).await;
        let attempt = attempt.unwrap_or_else(|| {
            Attempt::Uncertain("this process could not say in time that it lives".to_owned())
        });
        let took = started.elapsed();
        let settlement = settlement(attempt.clone(), delivery.attempt, Timestamp::now());
        // What was accepted must not be sent again because the disk is full just now.
        for pause in pauses() {
            let settled = self
                .ledger
                .settle(delivery, settlement.clone(), Timestamp::now());
            match settled.await {
                Ok(()) | Err(StoreError::Closed) => break,
                Err(error) => {
                    tracing::error!(%error, "what came of a message could not be written down");
                }
            }
            sleep(pause).await;
        }
        log(delivery, &attempt, took);
        delivery_points::write(&self.influxdb, delivery, &attempt, Timestamp::now()).await;
    }

    async fn attempt(&self, delivery: &Delivery) -> Attempt {
        let incident = delivery.conversation.lead();
        let (run_id, at) = match (&incident.end, delivery.kind) {
            (Some(end), Kind::Closed | Kind::Whole) => (&end.run_id, end.at),
            _ => (&incident.run_id, incident.started_at),
        };
        let picture = if incident.has_page() {
            picture::fetch(&self.influxdb, &incident.series, run_id, at).await
        } else {
            None
        };
        let illustration = picture
            .as_ref()
            .map_or(Illustration::None, |_| Illustration::Picture);
        match self
            .renderer
            .render(delivery, illustration, Timestamp::now())
        {
            Ok(message) => {
                self.channel
                    .send(delivery, &message, picture.as_ref())
                    .await
            }
            Err(error) => Attempt::Failed(format!("it could not be put into words: {error}")),
        }
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
        Attempt::Accepted(answer) => tracing::info!(answer, "a message was accepted"),
        Attempt::Refused(answer) => {
            let recipient = &delivery.recipient;
            tracing::error!(recipient, answer, "a message was refused for good");
        }
        Attempt::Failed(reason) => {
            tracing::warn!(reason, "a message did not arrive, and is tried again");
        }
        Attempt::Uncertain(reason) => {
            tracing::warn!(reason, "a message may have arrived, and is repeated");
        }
    }
}

/// When what came of an attempt is written down, this is what is written.
fn settlement(attempt: Attempt, number: usize, now: Timestamp) -> Settlement {
    let next = || {
        now + pauses()
            .nth(number.saturating_sub(1))
            .unwrap_or(LONGEST_PAUSE)
    };
    match attempt {
        Attempt::Accepted(answer) => Settlement::Accepted(answer),
        Attempt::Refused(answer) => Settlement::Refused(answer),
        Attempt::Failed(reason) => Settlement::Postponed(reason, next()),
        Attempt::Uncertain(reason) => Settlement::Uncertain(reason, next()),
    }
}

fn pauses() -> impl Iterator<Item = Duration> {
    ExponentialBuilder::default()
        .with_min_delay(FIRST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .without_max_times()
        .with_jitter()
        .build()
        // Chance comes on top of the longest delay, too.
        .map(|pause| pause.min(LONGEST_PAUSE))
}

fn until(time: Timestamp) -> Duration {
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
}
