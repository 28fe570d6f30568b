//! What 500 messages to a service that limits them take: `make benchmark-messages`.
//!
//! The real program reads 500 journeys that fail at once from a real InfluxDB, and posts each by itself. The service refuses
//! what is more than it takes, as services do. A message that is lost or comes twice, or a pace that is not the service's,
//! ends the benchmark with a failure.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on has failed, and its figures are what it is for"
)]

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write,
    fs,
    net::Ipv4Addr,
    path::Path,
    process::ExitCode,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
    routing::post,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;
use tokio::{net::TcpListener, runtime::Runtime};
use vigia_testbed::{
    servers::{
        Process,
        influxdb::{self, InfluxDb},
        process,
    },
    until::until,
};

const MESSAGES: u32 = 500;

/// What the service takes in a second, and what the operator says of it.
const A_SECOND: u32 = 25;

/// More than this is not the limit's time any more.
const LIMIT_FACTOR: f64 = 1.1;

const LONGEST: Duration = Duration::from_mins(3);

/// What the service was given.
#[derive(Default)]
struct Desk {
    /// When it took those of the last second.
    taken: VecDeque<Instant>,
    /// How often it took the message about each journey.
    journeys: BTreeMap<String, usize>,
    first: Option<Instant>,
    last: Option<Instant>,
    refused: usize,
}

type Shared = Arc<Mutex<Desk>>;

async fn take(State(desk): State<Shared>, body: String) -> Response {
    let now = Instant::now();
    let mut desk = desk.lock().unwrap();
    while desk
        .taken
        .front()
        .is_some_and(|at| now.duration_since(*at) > Duration::from_secs(1))
    {
        desk.taken.pop_front();
    }
    // Twice as many: its second begins whenever ours ends.
    if desk.taken.len() >= 2 * usize::try_from(A_SECOND).unwrap() {
        desk.refused += 1;
        return (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "1")]).into_response();
    }
    desk.taken.push_back(now);
    let payload: Json = serde_json::from_str(&body).unwrap();
    for alert in payload["alerts"].as_array().unwrap() {
        let journey = alert["labels"]["journey"].as_str().unwrap().to_owned();
        *desk.journeys.entry(journey).or_default() += 1;
    }
    desk.first.get_or_insert(now);
    desk.last = Some(now);
    StatusCode::OK.into_response()
}

fn main() -> ExitCode {
    let desk = Shared::default();
    Runtime::new().unwrap().block_on(tell_all(&desk));
    let desk = desk.lock().unwrap();
    let took = desk.last.unwrap().duration_since(desk.first.unwrap());
    // Those of the first second go at once.
    let limit = Duration::from_secs(1) * (MESSAGES - A_SECOND) / A_SECOND;
    let lost = usize::try_from(MESSAGES).unwrap() - desk.journeys.len();
    let twice = desk.journeys.values().filter(|count| **count > 1).count();
    println!(
        "{MESSAGES} messages to a service that takes {A_SECOND} a second: {:.1} s from the first to the last, where the limit takes {:.1} s",
        took.as_secs_f64(),
        limit.as_secs_f64()
    );
    println!(
        "lost: {lost}, twice: {twice}, refused by the service and sent again: {}",
        desk.refused
    );
    let is_slow = took > limit.mul_f64(LIMIT_FACTOR);
    let is_fast = took.mul_f64(LIMIT_FACTOR) < limit;
    ExitCode::from(u8::from(lost > 0 || twice > 0 || is_slow || is_fast))
}

async fn tell_all(desk: &Shared) {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let router = Router::new()
        .route("/", post(take))
        .with_state(Arc::clone(desk));
    let service = tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
    let influxdb = InfluxDb::start(&folder.path().join("influxdb"))
        .await
        .unwrap();
    let now = Timestamp::now();
    for (number, ago_s) in [(1, 20), (2, 10)] {
        let at = now - SignedDuration::from_secs(ago_s);
        influxdb.write(failed_runs(number, at)).await.unwrap();
    }
    let sidecar = start(&influxdb, &address, folder.path());
    let messages = usize::try_from(MESSAGES).unwrap();
    let all = async || (desk.lock().unwrap().journeys.len() >= messages).then_some(());
    let told = until("all to be told", LONGEST, all).await;
    if let Err(error) = told {
        println!("{:#}", sidecar.explain(error));
    }
    sidecar.stop(Duration::from_secs(10)).await.unwrap();
    service.abort();
    influxdb.stop().await.unwrap();
}

fn failed_runs(number: u32, at: Timestamp) -> String {
    let at_ns = at.as_nanosecond();
    let mut points = String::new();
    for journey in 0..MESSAGES {
        writeln!(
            points,
            "journey,system=s{},journey=j{journey},probe=p,impact=high ok=0i,valid=1i,result=\"failed\",run_id=\"r{journey}-{number}\",error_class=\"timeout\" {at_ns}",
            journey / 10
        )
        .unwrap();
    }
    points
}

fn start(influxdb: &InfluxDb, address: &str, folder: &Path) -> Process {
    let (organization, bucket, url) = (influxdb::ORGANIZATION, influxdb::BUCKET, influxdb.url());
    let text = format!(
        r#"time_zone = "America/Montevideo"
[influxdb]
url = "{url}"
organization = "{organization}"
bucket = "{bucket}"
token = "${{secret:INFLUX_TOKEN}}"
[store]
path = "vigia-alert.db"
# Each by itself: one message for all of them would measure nothing.
[grouping]
wait = "0s"
join = "0s"
[[rule]]
name = "journeys-failed"
use = "journeys-failed"
[[channel]]
name = "tickets"
rate = {{ messages = {A_SECOND}, per = "1s" }}
webhook = {{ url = "{address}" }}
[[route]]
channels = ["tickets"]
"#
    );
    let configuration = folder.join("alert.toml");
    fs::write(&configuration, text).unwrap();
    let mut command = process::tied(Path::new(env!("CARGO_BIN_EXE_vigia-alert")));
    command
        .args(["run", "--config"])
        .arg(configuration)
        .env("INFLUX_TOKEN", influxdb::TOKEN);
    Process::start("vigia-alert", &folder.join("vigia-alert.log"), &mut command).unwrap()
}
