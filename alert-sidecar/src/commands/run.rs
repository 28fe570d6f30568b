//! `vigia-alert run`: starts the tasks, and stops them within seconds.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::{mpsc, watch},
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{Exit, check::say, rounds, sight, watch::Watch};
use crate::{
    config::{self, Config},
    deliver::{Channel, Pace, courier::Courier, incident_points, pace::Turns},
    flux::{InfluxDb, Rule},
    render::Renderer,
    report::{Maker, mailing::Mailing, schedule::Schedule},
    store::{Store, access::End, judgement::Policy, keeper::Keeper},
};

/// What is being sent when the program is to stop may take this long; then it is left to the next start.
const GRACE: Duration = Duration::from_secs(4);

/// How long to wait before a store that was found damaged while it was used is opened again.
const AFTER_DAMAGE: Duration = Duration::from_secs(10);

/// How many reports of the rules may wait to be heard; more make the rules wait.
const REPORTS: usize = 64;

pub(super) fn run(path: &Path) -> Exit {
    let config = match config::read(path) {
        Ok(config) => config,
        Err(mistakes) => {
            say(&mistakes.to_string());
            return Exit::Configuration;
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "the runtime could not be started");
            return Exit::Failure;
        }
    };
    let exit = runtime.block_on(async {
        match serve(config).await {
            Ok(exit) => exit,
            Err(error) => {
                tracing::error!("{error:#}");
                Exit::Failure
            }
        }
    });
    // The system's resolver cannot be interrupted; the end does not wait for a name server that is out of reach.
    runtime.shutdown_background();
    exit
}

/// What works with a store, whichever time it is opened.
struct Works {
    rules: Vec<Rule>,
    channels: BTreeMap<String, (Arc<Channel>, Pace)>,
    policy: Policy,
    /// See [`crate::flux::Settings::blind_after`].
    blind_after: Duration,
    influxdb: Arc<InfluxDb>,
    renderer: Arc<Renderer>,
    maker: Maker,
    reports: Vec<Schedule>,
}

/// The signals that ask the program to stop.
struct Stops {
    terminate: Signal,
    interrupt: Signal,
}

impl Stops {
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

async fn serve(config: Config) -> Result<Exit, anyhow::Error> {
    let mut stops = Stops {
        terminate: signal(SignalKind::terminate())?,
        interrupt: signal(SignalKind::interrupt())?,
    };
    let works = Works {
        maker: Maker::new(&config)?,
        reports: config.reports,
        rules: config.rules,
        channels: config
            .channels
            .into_iter()
            .map(|(name, paced)| (name, (Arc::new(paced.channel), paced.pace)))
            .collect(),
        policy: config.policy,
        blind_after: config.influxdb.blind_after,
        influxdb: Arc::new(InfluxDb::new(&config.influxdb, &config.influxdb_token)?),
        renderer: Arc::new(Renderer::new(config.style)?),
    };
    loop {
        let opened = tokio::select! {
            opened = Store::open(&config.store) => opened,
            () = stops.next() => return Ok(Exit::Success),
        };
        let store = match opened {
            Ok(store) => store,
            Err(error) => {
                tracing::error!("{error}");
                return Ok(Exit::Store);
            }
        };
        match works.with(store, &mut stops).await? {
            End::Unneeded => return Ok(Exit::Success),
            // Whoever took over works now; this process waits for its turn.
            End::Replaced => {}
            // A disk that does it again is not to fill up with what was set aside.
            End::Damaged => tokio::select! {
                () = sleep(AFTER_DAMAGE) => {}
                () = stops.next() => return Ok(Exit::Success),
            },
        }
    }
}

impl Works {
    /// Works with this store until the program is to stop, or the store is not ours any more.
    async fn with(&self, store: Store, stops: &mut Stops) -> Result<End, anyhow::Error> {
        let (keeper, ledger) = Keeper::new(store, self.policy.clone()).await?;
        let mut keeper = tokio::spawn(keeper.run());
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tracing::info!(
            rules = self.rules.len(),
            channels = self.channels.len(),
            "watching"
        );
        let (reports, heard) = mpsc::channel(REPORTS);
        let sight = sight::Sight {
            rules: self.rules.iter().map(|rule| rule.name.clone()).collect(),
            blind_after: self.blind_after,
            ledger: ledger.clone(),
        };
        tasks.spawn(sight.follow(heard, stopped.clone()));
        for rule in &self.rules {
            let watch = Watch {
                rule: rule.clone(),
                influxdb: Arc::clone(&self.influxdb),
                ledger: ledger.clone(),
                reports: reports.clone(),
            };
            tasks.spawn(watch.run(stopped.clone()));
        }
        for (name, (channel, pace)) in &self.channels {
            let courier = Courier {
                name: name.clone(),
                channel: Arc::clone(channel),
                turns: Turns::new(*pace),
                ledger: ledger.clone(),
                influxdb: Arc::clone(&self.influxdb),
                renderer: Arc::clone(&self.renderer),
            };
            tasks.spawn(courier.run(stopped.clone()));
        }
        if !self.reports.is_empty() {
            let mailing = Mailing {
                maker: self.maker.clone(),
                schedules: self.reports.clone(),
                channels: self
                    .channels
                    .iter()
                    .map(|(name, (channel, _))| (name.clone(), Arc::clone(channel)))
                    .collect(),
                ledger: ledger.clone(),
            };
            tasks.spawn(mailing.run(stopped.clone()));
        }
        tasks.spawn(rounds::run(ledger.clone(), stopped.clone()));
        let influxdb = Arc::clone(&self.influxdb);
        tasks.spawn(incident_points::run(ledger, influxdb, stopped));
        let outcome = tokio::select! {
            // A keeper that ends takes the tasks with it, which is not a fault of theirs.
            biased;
            end = &mut keeper => Ok(Some(end?)),
            () = stops.next() => Ok(None),
            // The tasks may hear of the keeper's end before it can be seen here.
            ended = tasks.join_next() => match timeout(GRACE, &mut keeper).await {
                Ok(end) => Ok(Some(end?)),
                Err(_) => Err(anyhow::anyhow!("a task ended by itself: {ended:?}")),
            },
        };
        tracing::info!("stopping");
        stop.send_replace(true);
        let all_ended = async { while tasks.join_next().await.is_some() {} };
        if timeout(GRACE, all_ended).await.is_err() {
            tracing::warn!("a message is still being sent; it is repeated at the next start");
            tasks.shutdown().await;
        }
        match outcome? {
            Some(end) => Ok(end),
            None => Ok(keeper.await?),
        }
    }
}
