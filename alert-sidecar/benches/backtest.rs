//! How long a backtest of thirty days takes: `make benchmark-backtest`.
//!
//! A real InfluxDB is filled with 150 journeys a minute, of which some fail for a while and some once, as the points of robots
//! have it; then the rules and routes of an agency are tried on all of it: every rule that is shipped, and some alone. One
//! configuration that takes longer than its limit ends the benchmark with a failure. Filling takes some minutes and is not in the
//! figures.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on has failed, and its figures are what it is for"
)]

use std::{
    collections::BTreeMap,
    fmt::Write,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use vigia_alert::{
    backtest::{self, Trial},
    flux::{InfluxDb, Rule, Settings, ShippedQuery},
    route::tree::Route,
    store::judgement::Policy,
};
use vigia_testbed::{benchmark::machine, servers::influxdb};

const JOURNEYS: usize = 150;
const DAYS: i64 = 30;
const LIMIT: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(measure())
}

async fn measure() -> ExitCode {
    rustls::crypto::ring::default_provider()
        .install_default()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let server = influxdb::InfluxDb::start(&folder.path().join("influxdb"))
        .await
        .unwrap();
    let until = Timestamp::now();
    let since = until - SignedDuration::from_hours(24 * DAYS);
    let began = Instant::now();
    fill(&server, since).await;
    println!("filling took {:.0} s", began.elapsed().as_secs_f64());
    wait_until_quiet().await;

    let settings = format!(
        "url = \"{}\"\norganization = \"{}\"\nbucket = \"{}\"\ntoken = \"unused\"\ntimeout = \"30s\"",
        server.url(),
        influxdb::ORGANIZATION,
        influxdb::BUCKET
    );
    let settings: Settings = toml::from_str(&settings).unwrap();
    let influxdb = Arc::new(InfluxDb::new(&settings, &influxdb::TOKEN.into()).unwrap());
    let mut is_too_slow = false;
    for (configurations, rules) in [
        (1, ShippedQuery::ALL.as_slice()),
        (2, &ShippedQuery::ALL),
        (1, &OF_RUNS),
        (1, &[ShippedQuery::JourneysSilent]),
        (1, &[ShippedQuery::JourneysDrifting]),
        (1, &[ShippedQuery::JourneysSlowerThanUsual]),
    ] {
        let trials = (0..configurations).map(|_| trial(rules)).collect();
        let (began, busy_before) = (Instant::now(), machine::busy().unwrap());
        let (measured, tallies) = backtest::run(Arc::clone(&influxdb), trials, since, until)
            .await
            .unwrap();
        let took = began.elapsed();
        let busy = machine::busy().unwrap().saturating_sub(busy_before);
        let opened: usize = tallies[0].incidents.values().map(|rule| rule.opened).sum();
        let days = tallies[0].cells(&TimeZone::UTC).len();
        let names: Vec<&str> = rules.iter().map(|rule| rule.name()).collect();
        let what = if rules.len() == ShippedQuery::ALL.len() {
            "every shipped rule".to_owned()
        } else {
            names.join(" and ")
        };
        println!(
            "{what}, {configurations} configuration(s), {} runs, {opened} incidents, {} messages, {days} cells: {:.1} s, {:.1} s of the machine's processors",
            measured.runs,
            tallies[0].sent.len(),
            took.as_secs_f64(),
            busy.as_secs_f64(),
        );
        is_too_slow |= configurations == 1 && took > LIMIT;
    }
    if is_too_slow {
        println!(
            "TOO SLOW: one configuration takes at most {} s",
            LIMIT.as_secs()
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// What is judged by what runs came to.
const OF_RUNS: [ShippedQuery; 2] = [ShippedQuery::JourneysFailed, ShippedQuery::JourneysSlow];

fn trial(rules: &[ShippedQuery]) -> Trial {
    Trial {
        rules: rules
            .iter()
            .map(|query| Rule::shipped(query.name(), *query))
            .collect(),
        policy: Policy {
            routes: vec![Route::of_everything("mail")],
            recipients: BTreeMap::from([(
                "mail".to_owned(),
                vec!["director@agency.example".to_owned()],
            )]),
            ..Policy::default()
        },
    }
}

/// InfluxDB puts together what it was told for a while after it was told it; nobody who looks back at a month sees that.
async fn wait_until_quiet() {
    let second = Duration::from_secs(1);
    // A machine that others use is never quiet.
    for _ in 0..60 {
        let before = machine::busy().unwrap();
        tokio::time::sleep(second).await;
        if machine::busy().unwrap().saturating_sub(before) < second / 10 {
            return;
        }
    }
}

/// A number that looks like chance, and is the same every time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

async fn fill(server: &influxdb::InfluxDb, since: Timestamp) {
    let mut chance = Chance(0x9E37_79B9_7F4A_7C15);
    let mut broken = [0_u64; JOURNEYS];
    let mut lines = String::new();
    for minute in 0..DAYS * 24 * 60 {
        let at = since + SignedDuration::from_mins(minute);
        for (journey, broken) in broken.iter_mut().enumerate() {
            if *broken > 0 {
                *broken -= 1;
            } else if chance.below(5000) == 0 {
                *broken = chance.below(40) + 1;
            }
            let result = match (*broken, chance.below(1000)) {
                (0, 0) => "failed",
                (0, 1) => "unmeasured",
                (0, 2..=4) => "slow",
                (0, _) => "ok",
                _ => "failed",
            };
            let ms = 500 + chance.below(400);
            point(&mut lines, (journey, result, ms), at);
        }
        if minute % 120 == 119 {
            server.write(std::mem::take(&mut lines)).await.unwrap();
        }
    }
    server.write(lines).await.unwrap();
}

fn point(lines: &mut String, (journey, result, ms): (usize, &str, u64), at: Timestamp) {
    let duration = match result {
        "ok" | "slow" => format!(",duration_ms={ms}.5"),
        _ => String::new(),
    };
    let impact = match journey {
        0..30 => "critical",
        30..90 => "high",
        _ => "low",
    };
    let system = journey / 3;
    let at_ns = at.as_nanosecond() + i128::try_from(journey).unwrap() * 400_000_000;
    writeln!(
        lines,
        "journey,system=sistema-{system},journey=recorrido-{journey},probe=sede,impact={impact},host=h result=\"{result}\",run_id=\"{at_ns:x}\",every_s=60{duration},url=\"https://tramites.example/\" {at_ns}"
    )
    .unwrap();
}
