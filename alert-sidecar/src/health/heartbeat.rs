//! Tells a service outside that this program works, so that its silence is noticed: the monitor is monitored.
//!
//! It beats only while every rule is answered and every channel brings what it is given. A service that expects it (a dead
//! man's switch) then calls somebody by a way of its own.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use toml::Spanned;
use vigia_contract::secret::{ExposeSecret, SecretString, Template};

use super::{Complaint, Seen, complaints};
use crate::store::ledger::Ledger;

/// The service answers within this, or it is tried again at the next beat.
const DEADLINE: Duration = Duration::from_secs(10);

/// The table `[heartbeat]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The address that is asked for (GET) at every beat. Whoever knows it can beat, so it is usually `${secret:NAME}`.
    pub url: Spanned<Template>,
    /// How often. Default `1m`.
    #[serde(
        default = "default_every",
        deserialize_with = "vigia_contract::duration::deserialize"
    )]
    pub every: Duration,
}

const fn default_every() -> Duration {
    Duration::from_mins(1)
}

/// The heartbeat, ready to beat.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// See [`Settings::url`].
    pub url: SecretString,
    /// See [`Settings::every`].
    pub every: Duration,
}

impl Heartbeat {
    /// Beats until `stop` is set.
    pub async fn run(
        self,
        http: reqwest::Client,
        ledger: Ledger,
        seen: watch::Receiver<Seen>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut beats = interval(self.every);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut trouble = None;
        while !*stop.borrow() {
            tokio::select! {
                _ = beats.tick() => {}
                _ = stop.changed() => return,
            }
            let beaten = tokio::select! {
                beaten = self.beat(&http, &ledger, &seen) => beaten,
                _ = stop.changed() => return,
            };
            // Each trouble is told when it begins, and that it is over.
            match (&beaten, &trouble) {
                (Err(new), old) if old.as_ref() != Some(new) => {
                    tracing::error!(trouble = new, "the heartbeat does not beat");
                }
                (Ok(()), Some(_)) => tracing::info!("the heartbeat beats again"),
                _ => {}
            }
            trouble = beaten.err();
        }
    }

    async fn beat(
        &self,
        http: &reqwest::Client,
        ledger: &Ledger,
        seen: &watch::Receiver<Seen>,
    ) -> Result<(), String> {
        let now = Timestamp::now();
        let complaints = match ledger.overview(now).await {
            Ok(overview) => complaints(&seen.borrow(), &overview, now),
            Err(error) => vec![Complaint::Store(error.to_string())],
        };
        if let Some(complaint) = complaints.first() {
            return Err(complaint.to_string());
        }
        let answer = http
            .get(self.url.expose_secret())
            .timeout(DEADLINE)
            .send()
            .await;
        match answer.and_then(reqwest::Response::error_for_status) {
            Ok(_) => Ok(()),
            // The address is a secret.
            Err(error) => Err(format!("the service was not told: {}", error.without_url())),
        }
    }
}
