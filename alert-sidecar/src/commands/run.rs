//! `vigia-alert run`: starts the tasks, and stops them within seconds.

use std::{path::Path, sync::Arc, time::Duration};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
    task::JoinSet,
    time::timeout,
};

use super::{Exit, check::say, sight, watch::Watch};
use crate::{
    config::{self, Config},
    deliver::{courier::Courier, incident_points},
    flux::InfluxDb,
    render::Renderer,
    store::{Store, judgement::Policy, keeper::Keeper},
};

/// What is being sent when the program is to stop may take this long; then it is left to the next start.
const GRACE: Duration = Duration::from_secs(4);

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

async fn serve(config: Config) -> Result<Exit, anyhow::Error> {
    // reqwest leaves the choice to the program; lettre was built with the same one.
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        anyhow::bail!("another library installed its own cryptography");
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let store = match Store::open(&config.store).await {
        Ok(store) => store,
        Err(error) => {
            tracing::error!("{error}");
            return Ok(Exit::Store);
        }
    };
    let influxdb = Arc::new(InfluxDb::new(&config.influxdb, &config.influxdb_token)?);
    let renderer = Arc::new(Renderer::new(config.style)?);
    let recipients = config
        .channels
        .iter()
        .map(|(name, channel)| (name.clone(), channel.recipients()))
        .collect();
    let (keeper, ledger) = Keeper::new(
        store,
        Policy {
            routes: config.routes,
            recipients,
        },
    )
    .await?;
    let keeper = tokio::spawn(keeper.run());
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    tracing::info!(
        rules = config.rules.len(),
        channels = config.channels.len(),
        "watching"
    );
    let (reports, heard) = mpsc::channel(REPORTS);
    let names = config.rules.iter().map(|rule| rule.name.clone()).collect();
    let sight = sight::Sight {
        rules: names,
        blind_after: config.influxdb.blind_after,
        ledger: ledger.clone(),
    };
    tasks.spawn(sight.follow(heard, stopped.clone()));
    for rule in config.rules {
        let watch = Watch {
            rule,
            influxdb: Arc::clone(&influxdb),
            ledger: ledger.clone(),
            reports: reports.clone(),
        };
        tasks.spawn(watch.run(stopped.clone()));
    }
    for (name, channel) in config.channels {
        let courier = Courier {
            name,
            channel,
            ledger: ledger.clone(),
            influxdb: Arc::clone(&influxdb),
            renderer: Arc::clone(&renderer),
        };
        tasks.spawn(courier.run(stopped.clone()));
    }
    tasks.spawn(incident_points::run(ledger, influxdb, stopped));
    let outcome = tokio::select! {
        _ = terminate.recv() => Ok(Exit::Success),
        _ = interrupt.recv() => Ok(Exit::Success),
        ended = tasks.join_next() => Err(anyhow::anyhow!("a task ended by itself: {ended:?}")),
    };
    tracing::info!("stopping");
    stop.send_replace(true);
    let all_ended = async { while tasks.join_next().await.is_some() {} };
    if timeout(GRACE, all_ended).await.is_err() {
        tracing::warn!("a message is still being sent; it is repeated at the next start");
        tasks.shutdown().await;
    }
    keeper.await?;
    outcome
}
