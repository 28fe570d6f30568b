//! The same alerts given to Vigía and to Alertmanager: `make benchmark-storm`.
//!
//! Vigía gets runs the way it does at work: points in a real InfluxDB, which the real program asks for. Alertmanager gets
//! what Prometheus would send it of the same runs: an alert with the second failed run of three, again and again while it
//! lasts, and its end. Both post to one receiver. First some systems fail, each by itself: how long until the receiver hears of
//! each. Then thirty systems behind one switch flap for an hour: how many messages come, and how soon each system is told of.
//!
//! Nobody can set Alertmanager's clock, so the hour is a minute: all intervals of both are a sixtieth of what they are by
//! default, or at work. What the programs themselves take is not shortened, so the hour's times are an upper bound.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on has failed, and its figures are what it is for"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Json, Router, extract, routing::post};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use vigia_testbed::{
    http,
    servers::{InfluxDb, Process, Program, influxdb, ports, process},
    until::until,
};

const SYSTEMS: usize = 30;
/// Debian's looks for its templates under /usr.
const ALERTMANAGER: &str = r#"set -e
mount -t overlay none -o "lowerdir=$1/usr:/usr" /usr
shift
exec /usr/bin/prometheus-alertmanager "$@""#;
const STARTUP: Duration = Duration::from_secs(30);

/// A minute of the hour.
const MINUTE: Duration = Duration::from_secs(1);
const SCALE: u32 = 60;
/// In so many parts of a minute runs end, a few systems' in each.
const PARTS: usize = 10;
/// The switch drops out for three minutes, and works for three.
const FLAP: usize = 6;
const FLAPPING_MINUTES: usize = 60;
/// Until Vigía says that it is calm, and until the longest interval of Alertmanager's is over.
const CALM_MINUTES: usize = 20;

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        one_by_one().await;
        storm().await;
    });
}

/// A message, as both post it.
struct Posted {
    at: Instant,
    /// The systems that it says cannot be used.
    failing: BTreeSet<String>,
}

type Inbox = Arc<Mutex<BTreeMap<String, Vec<Posted>>>>;

/// Listens; gives its address, and what was posted, by the last part of the path.
async fn receiver() -> (String, Inbox) {
    let inbox = Inbox::default();
    let shared = Arc::clone(&inbox);
    let take = move |extract::Path(from): extract::Path<String>, Json(body): Json<Value>| {
        let at = Instant::now();
        let alerts = body["alerts"].as_array().unwrap().iter();
        let failing = alerts
            .filter(|alert| alert["status"] == "firing")
            .map(|alert| alert["labels"]["system"].as_str().unwrap().to_owned());
        let failing = failing.collect();
        let mut inbox = shared.lock().unwrap();
        inbox.entry(from).or_default().push(Posted { at, failing });
        std::future::ready(())
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/{from}", post(take));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, inbox)
}

/// The three programs, and what feeds them.
struct Stage {
    influxdb: InfluxDb,
    alertmanager: String,
    client: reqwest::Client,
    inbox: Inbox,
    /// They end with the stage.
    _processes: [Process; 2],
    folder: tempfile::TempDir,
}

impl Stage {
    /// `vigia` is written after the connections, the store and the channel; `routes` is Alertmanager's route without its receiver.
    async fn new(vigia: &str, route: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (receiver, inbox) = receiver().await;
        let influxdb = InfluxDb::start(&folder.path().join("influxdb"))
            .await
            .unwrap();
        let client = http::client().unwrap();
        let (alertmanager, theirs) =
            start_alertmanager(folder.path(), &receiver, route, &client).await;
        let ours = start_vigia(folder.path(), &receiver, vigia, &influxdb).await;
        Self {
            folder,
            influxdb,
            alertmanager,
            client,
            inbox,
            _processes: [theirs, ours],
        }
    }

    /// Runs ended: of each system, whether it failed.
    async fn runs(&self, outcomes: &[(String, bool)]) {
        let at = Timestamp::now().as_nanosecond();
        let points = outcomes.iter().map(|(system, failed)| {
            let (result, why) = if *failed {
                ("failed", r#",error_class="connect",error="no route to host""#)
            } else {
                ("ok", "")
            };
            format!(
                "journey,system={system},journey=use,probe=office,impact=critical result=\"{result}\",run_id=\"{at}\"{why} {at}\n"
            )
        });
        let points: String = points.collect();
        self.influxdb.write(points).await.unwrap();
    }

    /// What Prometheus would send now: of each system, since when it fails, and until when that holds without another word.
    async fn alerts(&self, alerts: &[(String, Timestamp, Timestamp)]) {
        if alerts.is_empty() {
            return;
        }
        let alerts: Vec<Value> = alerts
            .iter()
            .map(|(system, starts, ends)| {
                json!({
                    "labels": {"alertname": "journey-failed", "system": system, "severity": "critical"},
                    "annotations": {"summary": "no route to host"},
                    "startsAt": starts.to_string(),
                    "endsAt": ends.to_string(),
                })
            })
            .collect();
        let url = format!("{}/api/v2/alerts", self.alertmanager);
        let answer = self.client.post(url).json(&alerts).send().await.unwrap();
        answer.error_for_status().unwrap();
    }

    fn count(&self, from: &str) -> usize {
        self.inbox.lock().unwrap().get(from).map_or(0, Vec::len)
    }

    /// How long after each of these moments the first message came that says that the system cannot be used.
    fn heard(&self, from: &str, since: &BTreeMap<String, Instant>) -> Vec<Duration> {
        let inbox = self.inbox.lock().unwrap();
        let posted = inbox.get(from).map_or(&[][..], Vec::as_slice);
        let mut heard: Vec<Duration> = since
            .iter()
            .map(|(system, since)| {
                let first = posted
                    .iter()
                    .find(|posted| posted.at >= *since && posted.failing.contains(system));
                let first = first.unwrap_or_else(|| {
                    let log = fs::read_to_string(self.folder.path().join("vigia-alert.log"));
                    panic!("{from} never told of {system}: {log:?}")
                });
                first.at.duration_since(*since)
            })
            .collect();
        heard.sort();
        heard
    }
}

async fn start_alertmanager(
    folder: &Path,
    receiver: &str,
    route: &str,
    client: &reqwest::Client,
) -> (String, Process) {
    let config = folder.join("alertmanager.yml");
    let text = format!(
        "route:\n{route}\nreceivers:\n\
         - name: alertmanager\n  webhook_configs: [{{url: '{receiver}/alertmanager'}}]\n\
         - name: alertmanager-as-soon\n  webhook_configs: [{{url: '{receiver}/alertmanager-as-soon'}}]\n"
    );
    fs::write(&config, text).unwrap();
    let program = Program::Alertmanager.path().unwrap();
    let unpacked = program.parent().unwrap();
    ports::on_a_free_one(async |port| {
        let mut command = process::in_namespaces();
        command
            .args(["-c", ALERTMANAGER, "alertmanager"])
            .arg(unpacked)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.path={}",
                folder.join("alertmanager").display()
            ))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--cluster.listen-address=");
        let log = folder.join("alertmanager.log");
        let process = Process::start("alertmanager", &log, &mut command)?;
        let url = format!("http://127.0.0.1:{port}");
        let ready = async || {
            let answer = client.get(format!("{url}/-/ready")).send().await.ok()?;
            answer.status().is_success().then_some(())
        };
        let waited = until("Alertmanager to be ready", STARTUP, ready).await;
        waited.map_err(|error| process.explain(error))?;
        Ok((url, process))
    })
    .await
    .unwrap()
}

async fn start_vigia(folder: &Path, receiver: &str, vigia: &str, influxdb: &InfluxDb) -> Process {
    let config = folder.join("alert.toml");
    let (url, organization, bucket) = (influxdb.url(), influxdb::ORGANIZATION, influxdb::BUCKET);
    let text = format!(
        "time_zone = \"UTC\"\n\
         [influxdb]\nurl = \"{url}\"\norganization = \"{organization}\"\nbucket = \"{bucket}\"\n\
         token = \"${{secret:INFLUX_TOKEN}}\"\n\
         [store]\npath = \"vigia-alert.db\"\n\
         [[channel]]\nname = \"vigia\"\nwebhook = {{ url = \"{receiver}/vigia\" }}\n\
         [[route]]\nchannels = [\"vigia\"]\n{vigia}"
    );
    fs::write(&config, text).unwrap();
    let log = folder.join("vigia-alert.log");
    let mut command = process::tied(Path::new(env!("CARGO_BIN_EXE_vigia-alert")));
    command.arg("run").arg("--config").arg(&config);
    command.env("INFLUX_TOKEN", influxdb::TOKEN);
    let process = Process::start("vigia-alert", &log, &mut command).unwrap();
    let watching = async || {
        let said = fs::read_to_string(&log).ok()?;
        said.contains("watching").then_some(())
    };
    let waited = until("Vigía to watch", STARTUP, watching).await;
    waited.map_err(|error| process.explain(error)).unwrap();
    process
}

fn system(number: usize) -> String {
    format!("system-{number:02}")
}

/// The middle one, and the one that nineteen of twenty are not longer than.
fn shown(heard: &[Duration]) -> String {
    let at = |percent: usize| heard[(heard.len() - 1) * percent / 100].as_secs_f64();
    format!("{:>6.2} s  {:>6.2} s", at(50), at(95))
}

/// Each system has a message of its own, so nobody waits for another one's interval.
async fn one_by_one() {
    let vigia = "[grouping]\nby = [\"system\"]\n\
        [[rule]]\nname = \"journeys-failed\"\nuse = \"journeys-failed\"\nfails_after = \"1 of 1\"\n";
    let route = "  receiver: alertmanager\n  group_by: [system]\n  routes:\n  \
        - {receiver: alertmanager, continue: true}\n  \
        - {receiver: alertmanager-as-soon, group_wait: 1s}\n";
    let stage = Stage::new(vigia, route).await;
    let mut since = BTreeMap::new();
    let mut pause = interval(Duration::from_millis(370));
    for number in 0..SYSTEMS {
        pause.tick().await;
        let (system, at) = (system(number), Timestamp::now());
        since.insert(system.clone(), Instant::now());
        let lasts = at + Duration::from_mins(5);
        let (runs, alerts) = ([(system.clone(), true)], [(system, at, lasts)]);
        tokio::join!(stage.runs(&runs), stage.alerts(&alerts));
    }
    let all = async || {
        let from = ["vigia", "alertmanager", "alertmanager-as-soon"];
        let is_all = from.iter().all(|from| stage.count(from) >= SYSTEMS);
        is_all.then_some(())
    };
    until("all to be told", Duration::from_mins(2), all)
        .await
        .unwrap();
    println!("from the alert to the receiver                               p50       p95");
    for (what, from) in [
        (
            "Vigía as shipped: asked every 2 s, others waited for 1 s",
            "vigia",
        ),
        (
            "Alertmanager with the same group_wait, 1 s",
            "alertmanager-as-soon",
        ),
        ("Alertmanager as shipped: group_wait 30 s", "alertmanager"),
    ] {
        println!("{what:<57} {}", shown(&stage.heard(from, &since)));
    }
}

/// Whether the runs of a system fail in this minute: its connection drops out a little later than that of others.
fn is_broken(number: usize, minute: usize) -> bool {
    minute < FLAPPING_MINUTES && minute >= number % 3 && (minute - number % 3) % FLAP < FLAP / 2
}

/// What is known of a system, as a rule of Prometheus has it.
#[derive(Default)]
struct Watched {
    last: [bool; 3],
    fires_since: Option<Timestamp>,
}

async fn storm() {
    let scaled = |duration: Duration| format!("{}ms", (duration / SCALE).as_millis());
    let vigia = format!(
        "[grouping]\nwait = \"{}\"\njoin = \"{}\"\nagain = \"{}\"\nafter_cause = \"{}\"\n\
         [[rule]]\nname = \"journeys-failed\"\nuse = \"journeys-failed\"\nevery = \"{}\"\n\
         flapping = {{ after = 3, within = \"{}\", calm = \"{}\" }}\n",
        scaled(Duration::from_secs(1)),
        scaled(Duration::from_mins(5)),
        // What is critical is told again this soon by default, and the rest after half a minute.
        scaled(Duration::from_secs(10)),
        scaled(Duration::from_mins(2)),
        scaled(Duration::from_secs(2)),
        scaled(Duration::from_hours(1)),
        scaled(Duration::from_mins(15)),
    );
    let route = format!(
        "  receiver: alertmanager\n  group_by: [alertname]\n  group_wait: {}\n  group_interval: {}\n  repeat_interval: {}\n",
        scaled(Duration::from_secs(30)),
        scaled(Duration::from_mins(5)),
        scaled(Duration::from_hours(4)),
    );
    let stage = Stage::new(&vigia, &route).await;
    let mut watched: Vec<Watched> = (0..SYSTEMS).map(|_| Watched::default()).collect();
    let mut first = BTreeMap::new();
    let mut episodes = 0;
    let mut parts = interval(MINUTE / u32::try_from(PARTS).unwrap());
    parts.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for minute in 0..FLAPPING_MINUTES + CALM_MINUTES {
        for part in 0..PARTS {
            parts.tick().await;
            let now = Timestamp::now();
            let (mut runs, mut alerts) = (Vec::new(), Vec::new());
            for number in (part..SYSTEMS).step_by(PARTS) {
                let (system, broken) = (system(number), is_broken(number, minute));
                let known = &mut watched[number];
                known.last.rotate_left(1);
                known.last[2] = broken;
                let fails = known.last.iter().filter(|failed| **failed).count() >= 2;
                match known.fires_since {
                    None if broken && fails => {
                        episodes += 1;
                        known.fires_since = Some(now);
                        first.entry(system.clone()).or_insert_with(Instant::now);
                        alerts.push((system.clone(), now, now + 4 * MINUTE));
                    }
                    Some(since) if broken => alerts.push((system.clone(), since, now + 4 * MINUTE)),
                    Some(since) => {
                        known.fires_since = None;
                        alerts.push((system.clone(), since, now));
                    }
                    None => {}
                }
                runs.push((system, broken));
            }
            tokio::join!(stage.runs(&runs), stage.alerts(&alerts));
        }
    }
    sleep_until(Instant::now() + MINUTE).await;
    println!(
        "\n{SYSTEMS} systems behind one switch, an hour in a minute: each failed {} times",
        episodes / SYSTEMS
    );
    println!(
        "messages, and from a system's first alert to the first message with it (of the hour's time)"
    );
    for (what, from) in [("Vigía", "vigia"), ("Alertmanager", "alertmanager")] {
        let heard: Vec<_> = stage
            .heard(from, &first)
            .iter()
            .map(|heard| *heard * SCALE)
            .collect();
        println!("{what:<45} {:>5}     {}", stage.count(from), shown(&heard));
    }
}
