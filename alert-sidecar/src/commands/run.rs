//! `vigia-alert run`: starts the tasks, and stops them within seconds.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
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
    health::{Seen, heartbeat::Heartbeat},
    page::{self, Page, Sources, socket},
    render::Renderer,
    report::{Maker, mailing::Mailing, schedule::Schedule},
    store::{Store, access::End, judgement::Policy, keeper::Keeper, ledger::Ledger, place::Place},
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
    page: Arc<Page>,
    /// Where commands reach this process.
    socket: Option<PathBuf>,
    heartbeat: Option<(Heartbeat, reqwest::Client)>,
    /// For the page: the store while this process works with it, and how the rules fare.
    lent: watch::Sender<Option<Ledger>>,
    seen: Arc<watch::Sender<Seen>>,
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
    let maker = Maker::new(&config)?;
    let influxdb = Arc::new(InfluxDb::new(&config.influxdb, &config.influxdb_token)?);
    let rules = config.rules.iter();
    let (seen, follow_seen) = watch::channel(Seen::new(
        rules.map(|rule| (rule.name.clone(), rule.every)),
        config.influxdb.blind_after,
        Timestamp::now(),
    ));
    let (lent, ledger) = watch::channel(None);
    let sources = Sources {
        style: config.style.clone(),
        journey_rules: journey_rules(&config.rules),
        influxdb: Arc::clone(&influxdb),
        ledger,
        seen: follow_seen,
    };
    let page = Arc::new(Page::new(config.page.as_ref(), sources)?);
    let (closing, closed) = watch::channel(false);
    let served = config
        .page
        .map(|settings| tokio::spawn(page::serve(Arc::clone(&page), settings.listen, closed)));
    let heartbeat = match config.heartbeat {
        Some(heartbeat) => Some((heartbeat, reqwest::Client::builder().build()?)),
        None => None,
    };
    let works = Works {
        maker,
        reports: config.reports,
        rules: config.rules,
        channels: config
            .channels
            .into_iter()
            .map(|(name, paced)| (name, (Arc::new(paced.channel), paced.pace)))
            .collect(),
        policy: config.policy,
        blind_after: config.influxdb.blind_after,
        influxdb,
        renderer: Arc::new(Renderer::new(config.style)?),
        page,
        socket: socket::path(&config.store),
        heartbeat,
        lent,
        seen: Arc::new(seen),
    };
    let exit = works.always(&config.store, &mut stops).await;
    closing.send_replace(true);
    if let Some(served) = served {
        served.await?;
    }
    exit
}

/// The rules whose rows are the runs of journeys, as they are.
fn journey_rules(rules: &[Rule]) -> BTreeSet<String> {
    let about_journeys = rules.iter().filter(|rule| rule.meaning.trouble.is_none());
    about_journeys.map(|rule| rule.name.clone()).collect()
}

impl Works {
    /// Works with the store whenever it is ours, until the program is to stop.
    async fn always(&self, place: &Place, stops: &mut Stops) -> Result<Exit, anyhow::Error> {
        loop {
            let opened = tokio::select! {
                opened = Store::open(place) => opened,
                () = stops.next() => return Ok(Exit::Success),
            };
            let store = match opened {
                Ok(store) => store,
                Err(error) => {
                    tracing::error!("{error}");
                    return Ok(Exit::Store);
                }
            };
            match self.with(store, stops).await? {
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
            seen: Arc::clone(&self.seen),
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
        if let Some((heartbeat, http)) = self.heartbeat.clone() {
            let seen = self.seen.subscribe();
            tasks.spawn(heartbeat.run(http, ledger.clone(), seen, stopped.clone()));
        }
        self.lent.send_replace(Some(ledger.clone()));
        if let Some(path) = self.socket.clone() {
            tasks.spawn(socket::serve(Arc::clone(&self.page), path, stopped.clone()));
        }
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
        // The keeper serves until nobody holds the store any more.
        self.lent.send_replace(None);
        stop.send_replace(true);
        let all_ended = async { while tasks.join_next().await.is_some() {} };
        if timeout(GRACE, all_ended).await.is_err() {
            tracing::warn!("something is still being sent; it is repeated at the next start");
            tasks.shutdown().await;
        }
        match outcome? {
            Some(end) => Ok(end),
            None => Ok(keeper.await?),
        }
    }
}
