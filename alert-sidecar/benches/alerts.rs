//! What the alert engine costs at the size of a country: `make benchmark-alerts`.
//!
//! The answers are as InfluxDB gives them, read and judged by the parts that the program is made of, with the store on a real
//! disk; how long InfluxDB itself takes is not in the figures. A figure above its limit ends the benchmark with a failure.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on has failed, and its figures are what it is for"
)]

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::Path,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use rustix::time::{ClockId, clock_gettime};
use tokio::task::JoinSet;
use vigia_alert::{
    flux::{
        Rule, ShippedQuery,
        poll::{Answer, Judged},
    },
    route::{group::Grouping, tree::Route},
    store::{
        Store,
        judgement::Policy,
        keeper::Keeper,
        ledger::{Claim, Ledger},
        outbox::Settlement,
        place::{Database, Place},
    },
};
use vigia_testbed::servers::{PostgreSql, Program, postgresql};

const SERIES: usize = 10_000;
const RULES: [&str; 3] = ["first", "second", "third"];
const INCIDENTS: usize = 1_000;
/// So many answers are judged.
const ROUNDS: u32 = 14;
/// In the first of them nothing fails; of every second one after that the median is told.
const QUIET: u32 = 8;

/// The figures, and whether each is within its limit.
#[derive(Default)]
struct Figures {
    is_too_much: bool,
}

impl Figures {
    fn milliseconds(&mut self, what: &str, took: Duration, limit: Option<Duration>) {
        let limit_ms = limit.map(|limit| limit.as_millis().to_string());
        self.add(
            what,
            took.as_millis(),
            "ms",
            limit_ms,
            limit.is_some_and(|limit| took > limit),
        );
    }

    fn megabytes(&mut self, what: &str, kilobytes: u64, limit_mb: u64) {
        let megabytes = kilobytes.div_ceil(1024);
        let limit = Some(limit_mb.to_string());
        self.add(what, megabytes.into(), "MB", limit, megabytes > limit_mb);
    }

    fn add(
        &mut self,
        what: &str,
        figure: u128,
        unit: &str,
        limit: Option<String>,
        is_too_much: bool,
    ) {
        self.is_too_much |= is_too_much;
        let limit = limit.map_or(String::new(), |limit| format!("at most {limit}"));
        let verdict = if is_too_much { "TOO MUCH" } else { "" };
        println!("{what:<72} {figure:>6} {unit}  {limit:<12} {verdict}");
    }
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut figures = Figures::default();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        large(&mut figures, &Place::Sqlite(folder.path().join("large.db"))).await;
        let place = Place::Sqlite(folder.path().join("many.db"));
        many(&mut figures, "SQLite", &place).await;
        if Program::Postgres.find().is_some() {
            let server = PostgreSql::start(&folder.path().join("postgresql"))
                .await
                .unwrap();
            let address = server.address("postgres").parse().unwrap();
            let database = Database::new(address, Some(postgresql::PASSWORD.into()));
            many(&mut figures, "PostgreSQL", &Place::PostgreSql(database)).await;
        }
    });
    ExitCode::from(u8::from(figures.is_too_much))
}

async fn open(place: &Place) -> Ledger {
    let recipients = vec!["director@agency.example".to_owned()];
    let policy = Policy {
        routes: vec![Route::of_everything("mail")],
        grouping: Grouping::default(),
        recipients: BTreeMap::from([("mail".to_owned(), recipients)]),
        ..Policy::default()
    };
    let store = Store::open(place).await.unwrap();
    let (keeper, ledger) = Keeper::new(store, policy).await.unwrap();
    tokio::spawn(keeper.run());
    ledger
}

/// The answer of InfluxDB with one run of so many series.
fn body(series: usize, at: Timestamp, failed: impl Fn(usize) -> bool) -> String {
    let mut body = String::from(
        "#datatype,string,long,dateTime:RFC3339,string,string,string,string,string,string,string\r\n\
         #group,false,false,false,true,true,true,true,false,false,false\r\n\
         #default,_result,,,,,,,,,\r\n\
         ,result,table,_time,system,journey,probe,impact,result,run_id,error\r\n",
    );
    for number in 0..series {
        let (result, error) = if failed(number) {
            ("failed", "the text `Bienvenido` did not appear within 5 s")
        } else {
            ("ok", "")
        };
        write!(
            body,
            ",,{number},{at},system-{},journey-{number},probe-1,critical,{result},{at}-{number},{error}\r\n",
            number / 10
        )
        .unwrap();
    }
    body.push_str("\r\n");
    body
}

fn read(body: &str, rule: &Rule, judged: &Judged, read_until: Timestamp) -> Answer {
    let mut answer = Answer::read(body, rule, judged).unwrap();
    answer.read_until = Some(read_until);
    answer
}

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap(),
    )
}

/// What the process holds of memory, and held at most, in kilobytes.
fn memory() -> (u64, u64) {
    let status = fs::read_to_string(Path::new("/proc/self/status")).unwrap();
    let figure = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    (figure("VmRSS:"), figure("VmHWM:"))
}

/// Three rules over ten thousand series, of which a few fail.
async fn large(figures: &mut Figures, place: &Place) {
    let ledger = open(place).await;
    let rules = RULES.map(|name| Rule::shipped(name, ShippedQuery::JourneysFailed));
    let began = Timestamp::now();
    let mut answers = 0;
    let mut samples = Vec::new();
    for round in 0..ROUNDS {
        let at = began + SignedDuration::from_mins(round.into());
        // In every second round others have failed twice: ten incidents a rule.
        let fails = |number: usize| round >= QUIET && number % 1000 == (round - QUIET) as usize / 2;
        let text: Arc<str> = body(SERIES, at, fails).into();
        answers += rules.len();
        let mut changes = ledger.changes();
        changes.mark_unchanged();
        // As in the program, the rules come at the same time, each with an answer of its own, and somebody is told as soon as
        // the first incident is safe.
        let answered = Instant::now();
        let mut judgements = JoinSet::new();
        for rule in rules.clone() {
            let (ledger, text) = (ledger.clone(), Arc::clone(&text));
            judgements.spawn(async move {
                let answer = read(&text, &rule, &Judged::default(), at);
                let reading = answered.elapsed();
                ledger.judge(&rule, answer, at).await.unwrap();
                reading
            });
        }
        let mut judging = Duration::ZERO;
        let all = async {
            let mut longest = Duration::ZERO;
            while let Some(reading) = judgements.join_next().await {
                longest = longest.max(reading.unwrap());
            }
            longest
        };
        tokio::pin!(all);
        let reading = loop {
            tokio::select! {
                biased;
                news = changes.changed() => {
                    news.unwrap();
                    judging = answered.elapsed();
                }
                reading = &mut all => break reading,
            }
        };
        let writing = answered.elapsed();
        if round >= QUIET && (round - QUIET) % 2 == 1 {
            samples.push([reading, judging, writing]);
        }
    }
    let at_this_size = format!("{SERIES} series, {} rules", rules.len());
    let [reading, judging, writing] = [0, 1, 2].map(|part| {
        let mut times: Vec<Duration> = samples.iter().map(|sample| sample[part]).collect();
        times.sort();
        times[times.len() / 2]
    });
    let what = format!("{at_this_size}: of it, reading the answers");
    figures.milliseconds(&what, reading, None);
    let what = format!("{at_this_size}: read and judged, the intents committed");
    figures.milliseconds(&what, judging, Some(Duration::from_millis(100)));
    let what = format!("{at_this_size}: all runs written");
    figures.milliseconds(&what, writing, None);
    let at = began + SignedDuration::from_mins((ROUNDS - 1).into());
    let wait = Grouping::default().wait;
    let told = ledger.claim("mail", at + wait).await.unwrap();
    assert!(matches!(told, Claim::Delivery(_)), "nobody is told");
    let text = body(SERIES, at, |number| {
        number % 1000 == (ROUNDS - 1 - QUIET) as usize / 2
    });
    let mut answer = Answer::read(&text, &rules[0], &Judged::default()).unwrap();
    let judged = answer.once_judged();
    let before = cpu();
    let mut answer = read(&text, &rules[0], &judged, at);
    drop(answer.once_judged());
    let read = cpu();
    ledger.judge(&rules[0], answer, at).await.unwrap();
    let judged = cpu();
    figures.milliseconds(
        "nothing new among 10000 rows: of it, reading, CPU",
        read.saturating_sub(before),
        None,
    );
    figures.milliseconds(
        "nothing new among 10000 rows: read and judged, CPU",
        judged.saturating_sub(before),
        Some(Duration::from_millis(10)),
    );
    let before = cpu();
    let answer = Answer::default();
    ledger.judge(&rules[0], answer, at).await.unwrap();
    figures.milliseconds(
        "an answer without rows, CPU",
        cpu().saturating_sub(before),
        Some(Duration::from_millis(10)),
    );
    drop(text);
    let (holds, held) = memory();
    figures.megabytes(&format!("memory after {answers} answers"), holds, 60);
    figures.megabytes("memory at most", held, 60);
}

/// A thousand incidents that open at once.
async fn many(figures: &mut Figures, name: &str, place: &Place) {
    let ledger = open(place).await;
    let rule = Rule::shipped(RULES[0], ShippedQuery::JourneysFailed);
    let began = Timestamp::now();
    for second in 0..2 {
        let at = began + SignedDuration::from_secs(second);
        let answer = read(
            &body(INCIDENTS, at, |_| true),
            &rule,
            &Judged::default(),
            at,
        );
        let asked = Instant::now();
        ledger.judge(&rule, answer, at).await.unwrap();
        if second == 1 {
            let what = format!("{INCIDENTS} incidents at once, with their intents, in {name}");
            figures.milliseconds(&what, asked.elapsed(), Some(Duration::from_secs(1)));
        }
    }
    assert_eq!(ledger.unwritten().await.unwrap().len(), INCIDENTS);
    let at = began + SignedDuration::from_secs(2);
    let asked = Instant::now();
    let mut messages = 0;
    while let Claim::Delivery(delivery) = ledger.claim("mail", at).await.unwrap() {
        messages += 1;
        assert_eq!(delivery.conversation.incidents.len(), INCIDENTS);
        let accepted = Settlement::Accepted("250".to_owned());
        ledger.settle(&delivery, accepted, at).await.unwrap();
    }
    assert_eq!(messages, 1, "they are one message");
    let what = format!("{INCIDENTS} incidents claimed as one message and settled, in {name}");
    figures.milliseconds(&what, asked.elapsed(), Some(Duration::from_secs(1)));
    let asked = Instant::now();
    ledger.look_again(at).await.unwrap();
    let what = format!("{INCIDENTS} incidents looked at again, in {name}");
    figures.milliseconds(&what, asked.elapsed(), Some(Duration::from_secs(1)));
}
