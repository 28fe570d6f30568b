//! Asks one rule again and again, and hands what it brings to the keeper of the store.

use std::{sync::Arc, time::Duration};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use jiff::Timestamp;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use crate::{
    flux::{InfluxDb, Rule, poll},
    store::keeper::Ledger,
};

/// While InfluxDB or the store fails, a rule is asked again at least this often.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Watches a rule until `stop` is set.
pub(super) async fn watch(
    rule: Rule,
    influxdb: Arc<InfluxDb>,
    ledger: Ledger,
    mut stop: watch::Receiver<bool>,
) {
    let mut trouble = Trouble::new(&rule);
    while !*stop.borrow() {
        let asked = Instant::now();
        let answer = tokio::select! {
            answer = ask(&rule, &influxdb, &ledger) => answer,
            _ = stop.changed() => return,
        };
        let pause = match answer {
            Ok(complaint) => trouble.is_over(complaint),
            Err(error) => trouble.continues(&error),
        };
        tokio::select! {
            _ = stop.changed() => {}
            () = sleep_until(asked + pause) => {}
        }
    }
}

/// One question and its judgement; says what about the rows cannot be used.
async fn ask(
    rule: &Rule,
    influxdb: &InfluxDb,
    ledger: &Ledger,
) -> Result<Option<String>, anyhow::Error> {
    let read_until = ledger.read_until(&rule.name).await?;
    let now = Timestamp::now();
    let answer = poll::ask(influxdb, rule, read_until, now).await?;
    let unusable = answer.unusable.as_ref().map(ToString::to_string);
    ledger.judge(rule, answer, now).await?;
    Ok(unusable)
}

/// What was said about a rule's failures, so that each is said once when it begins and once when it ends. A blind sidecar
/// becomes an incident of its own here, once there is somebody to tell of it.
struct Trouble<'a> {
    rule: &'a Rule,
    since: Option<(Timestamp, ExponentialBackoff)>,
    complaint: Option<String>,
}

impl<'a> Trouble<'a> {
    const fn new(rule: &'a Rule) -> Self {
        Self {
            rule,
            since: None,
            complaint: None,
        }
    }

    fn continues(&mut self, error: &anyhow::Error) -> Duration {
        let (_, pauses) = self.since.get_or_insert_with(|| {
            tracing::error!(rule = self.rule.name, %error, "the rule cannot be judged: nobody is told of anything until it can");
            let pauses = ExponentialBuilder::default()
                .with_min_delay(self.rule.every)
                .with_max_delay(LONGEST_PAUSE.max(self.rule.every))
                .without_max_times();
            (Timestamp::now(), pauses.build())
        });
        tracing::debug!(rule = self.rule.name, %error, "still not");
        pauses.next().unwrap_or(LONGEST_PAUSE)
    }

    fn is_over(&mut self, complaint: Option<String>) -> Duration {
        if let Some((since, _)) = self.since.take() {
            tracing::info!(rule = self.rule.name, %since, "the rule can be judged again; what was missed is judged now");
        }
        if complaint != self.complaint {
            if let Some(complaint) = &complaint {
                tracing::error!(rule = self.rule.name, complaint, "some rows cannot be used");
            }
            self.complaint = complaint;
        }
        self.rule.every
    }
}
