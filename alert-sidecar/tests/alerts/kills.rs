//! Killed at every commit, at everything that is said to others, and at any moment, while faults come and go: no incident is
//! lost, no message is lost, and a kill repeats at most one message, which says so.
//!
//! The kernel kills the real program when it enters a system call that writes to the disk or to the network, for the first
//! time, the second, the third ... `KILLS=500` says how many kills there are; `make kills` does it.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    path::Path,
    time::Duration,
};

use jiff::Timestamp;
use rustix::process::Signal;
use vigia_testbed::{
    servers::{PostgreSql, Program, requires},
    until::until,
};

use super::{
    scripted_smtp::{Received, ScriptedSmtp},
    sidecar::{self, Sidecar, Stage},
};

/// What every commit does, what fills the log of a commit, and what brings words to InfluxDB and the mail server.
const CALLS: [&str; 3] = ["fsync", "pwrite64", "sendto,writev"];

/// The journeys break and heal in turns of four runs, each at another moment.
const JOURNEYS: [&str; 3] = ["consultar", "ingresar", "pagar"];
const TURN: [&str; 4] = ["failed", "failed", "ok", "ok"];

/// What the journeys did so far, and what that means.
#[derive(Default)]
struct World {
    rounds: usize,
    /// The incidents, by the time of their first failed run.
    expected: BTreeSet<String>,
    /// Those whose last run failed, with the first run that did.
    first_failed: BTreeMap<&'static str, Timestamp>,
}

impl World {
    /// Every journey runs once more.
    async fn goes_on(&mut self, stage: &Stage) {
        let round = self.rounds;
        self.run(stage, |number| TURN[(round + number) % TURN.len()])
            .await;
    }

    /// Every journey gets through.
    async fn heals(&mut self, stage: &Stage) {
        self.run(stage, |_| "ok").await;
    }

    async fn run(&mut self, stage: &Stage, result: impl Fn(usize) -> &'static str) {
        let mut points = String::new();
        for (number, journey) in JOURNEYS.into_iter().enumerate() {
            let (at, result) = (Timestamp::now(), result(number));
            if result == "ok" {
                self.first_failed.remove(journey);
            } else if let Some(first) = self.first_failed.get(journey) {
                let began = first.as_nanosecond();
                self.expected.insert(format!("{journey} {began}"));
            } else {
                self.first_failed.insert(journey, at);
            }
            let run_id = format!("{journey}-{}", self.rounds);
            points.push_str(&sidecar::run(journey, result, &run_id, at));
        }
        self.rounds += 1;
        stage.influxdb.write(points).await.unwrap();
    }
}

/// What a mail is about, as [`World::expected`] says it.
fn about(mail: &Received) -> String {
    let id = mail.header("X-Vigia-Incident").unwrap();
    let (names, began) = id.rsplit_once('.').unwrap();
    let journey = JOURNEYS.into_iter().find(|name| names.contains(name));
    format!("{} {began}", journey.unwrap())
}

/// The incidents that were told in messages of these kinds.
fn told(mails: &[Received], kinds: &[&str]) -> BTreeSet<String> {
    mails
        .iter()
        .filter(|mail| kinds.contains(&mail.header("X-Vigia-Message").unwrap()))
        .map(about)
        .collect()
}

/// The next places at which the program is killed: each call for the first time, the second ... until its work needs no
/// more of them, and then again from the first. Each fourth kill knows only the clock.
struct Places {
    /// A program that did not come to its call for so long has nothing more to do, and is killed idle.
    longest: Duration,
    round: usize,
    reached: [usize; CALLS.len()],
}

impl Places {
    async fn kill_at_next(&mut self, config: &Path) {
        let kind = self.round % (CALLS.len() + 1);
        self.round += 1;
        let Some(calls) = CALLS.get(kind) else {
            // Time itself is what is tried here.
            let moment = Duration::from_millis(u64::try_from(self.round * 37 % 400).unwrap());
            let moment = moment.max(self.longest.saturating_sub(Duration::from_millis(700)));
            Sidecar::spawn(config).dies_within(moment).await;
            return;
        };
        let sidecar = Sidecar::spawn_to_die_at(config, calls, self.reached[kind] + 1);
        if sidecar.dies_within(self.longest).await {
            self.reached[kind] += 1;
        } else {
            self.reached[kind] = 0;
        }
    }
}

/// How many times the program is killed, where nobody says it.
fn kills(usual: usize) -> usize {
    env::var("KILLS").map_or(usual, |count| count.parse().unwrap())
}

#[expect(
    clippy::print_stdout,
    reason = "`make kills` shows how often it was killed, and what came of it"
)]
async fn survives(
    stage: &Stage,
    smtp: &ScriptedSmtp,
    config: &Path,
    kills: usize,
    longest: Duration,
) {
    let mut world = World::default();
    let mut places = Places {
        longest,
        round: 0,
        reached: [0; CALLS.len()],
    };
    for _ in 0..kills {
        world.goes_on(stage).await;
        places.kill_at_next(config).await;
    }
    let last = Sidecar::start(config).await;
    world.heals(stage).await;
    let everything = async || {
        let ends = told(&smtp.mails(), &["closed", "whole"]);
        world.expected.is_subset(&ends).then_some(())
    };
    let told_all = until("every end to be told", Duration::from_secs(30), everything).await;
    let log = last.log();
    last.end(Signal::TERM).await;

    let mails = smtp.mails();
    told_all.unwrap_or_else(|error| {
        let ends = told(&mails, &["closed", "whole"]);
        let untold: Vec<_> = world.expected.difference(&ends).collect();
        panic!("{error}: {untold:?} are missing\n{log}")
    });
    assert_eq!(
        told(&mails, &["opened", "whole"]),
        world.expected,
        "the beginnings that were told are not those that were"
    );
    assert_eq!(told(&mails, &["opened", "closed", "whole"]), world.expected);
    let mut fresh: Vec<_> = mails
        .iter()
        .filter(|mail| mail.header("X-Vigia-Repeat").is_none())
        .map(|mail| mail.header("Message-ID"))
        .collect();
    let count = fresh.len();
    fresh.sort_unstable();
    fresh.dedup();
    assert_eq!(fresh.len(), count, "a message came twice without saying so");
    let repeats = mails.len() - count;
    assert!(repeats <= kills, "{repeats} repeats for {kills} kills");
    println!(
        "{kills} kills, {} incidents, {} mails of which {repeats} say that they may be repeats",
        world.expected.len(),
        mails.len(),
    );
}

#[tokio::test]
async fn killed_at_every_commit_it_tells_each_beginning_and_each_end() {
    if !requires(&[Program::Influxd, Program::Strace]) {
        return;
    }
    let stage = Stage::new().await;
    let smtp = ScriptedSmtp::start(&[]).await;
    let config = stage.configure_plain(smtp.port);
    survives(
        &stage,
        &smtp,
        &config,
        kills(40),
        Duration::from_millis(700),
    )
    .await;
}

#[tokio::test]
async fn killed_with_its_store_in_postgresql_it_tells_each_beginning_and_each_end() {
    if !requires(&[Program::Influxd, Program::Strace, Program::Postgres]) {
        return;
    }
    let stage = Stage::new().await;
    let smtp = ScriptedSmtp::start(&[]).await;
    let folder = stage.folder.path().join("postgresql");
    let server = PostgreSql::start(&folder).await.unwrap();
    let config = stage.configure_with(&sidecar::shared_store(&server), &sidecar::plain(smtp.port));
    // Each start waits until the one before counts as dead, so these are fewer.
    let longest = Duration::from_secs(7);
    survives(&stage, &smtp, &config, kills(40) / 10, longest).await;
}
