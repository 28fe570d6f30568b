//! Killed at every commit, at everything that is said to others, and at any moment, while faults come and go: no incident is
//! lost, no message is lost, and a kill repeats at most one message, which says so; whether incidents are told one by one or
//! several in one message.
//!
//! The kernel kills the real program when it enters a system call that writes to the disk or to the network, for the first
//! time, the second, the third ... `KILLS=500` says how many kills there are; `make kills` does it.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::Path,
    time::{Duration, Instant},
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

/// The journeys break and heal in turns of five runs.
const JOURNEYS: [&str; 3] = ["consultar", "ingresar", "pagar"];
const TURN: [&str; 5] = ["failed", "failed", "failed", "ok", "ok"];

/// How far each journey is in its turn.
type Shifts = [usize; JOURNEYS.len()];

/// Each breaks at another moment.
const APART: Shifts = [0, 1, 2];

/// Two break at once, while the third is already broken; so they join it, and it leaves them.
const TOGETHER: Shifts = [0, 0, 1];

/// What the journeys did so far, and what that means.
struct World {
    shifts: Shifts,
    rounds: usize,
    /// The incidents, by the time of their first failed run.
    expected: BTreeSet<String>,
    /// Those whose last run failed, with the first run that did.
    first_failed: BTreeMap<&'static str, Timestamp>,
}

impl World {
    fn new(shifts: Shifts) -> Self {
        Self {
            shifts,
            rounds: 0,
            expected: BTreeSet::new(),
            first_failed: BTreeMap::new(),
        }
    }

    /// Every journey runs once more.
    async fn goes_on(&mut self, stage: &Stage) {
        let (round, shifts) = (self.rounds, self.shifts);
        self.run(stage, |number| TURN[(round + shifts[number]) % TURN.len()])
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

/// What the plain text of each mail says; [`members`] reads it.
const TEMPLATE: &str = "\
{% for member in members %}
member {{ member.id }} {{ 'goes-on' if member.ended_at is none else 'over' }}
{% endfor %}
";

/// Changes the configuration so that incidents are told together, and each mail says of which and how they stand. The waits are
/// short, so that kills meet them.
fn tell_together(config: &Path) {
    let templates = config.with_file_name("templates");
    fs::create_dir_all(&templates).unwrap();
    fs::write(templates.join("message.txt"), TEMPLATE).unwrap();
    let mut text = fs::read_to_string(config).unwrap();
    for (alone, together) in [
        (
            "wait = \"0s\"\njoin = \"0s\"",
            "wait = \"100ms\"\njoin = \"5m\"\nagain = \"200ms\"",
        ),
        (
            "[[route]]\nchannels = [\"mail\"]",
            "[[route]]\nimpact = [\"critical\", \"high\"]\nchannels = [\"mail\"]\n\
             [[route.route]]\nsystem = [\"tramites\"]\nchannels = [\"mail\"]",
        ),
    ] {
        assert!(text.contains(alone), "{text}");
        text = text.replace(alone, together);
    }
    fs::write(config, format!("templates = \"templates\"\n{text}")).unwrap();
}

/// An incident, as [`World::expected`] says it.
fn named(id: &str) -> String {
    let (names, began) = id.rsplit_once('.').unwrap();
    let journey = JOURNEYS.into_iter().find(|name| names.contains(name));
    format!("{} {began}", journey.unwrap())
}

/// The incidents that a mail is about, and whether each is over; where it does not list them, the one that it is about is what
/// its kind says.
fn members(mail: &Received) -> BTreeMap<String, bool> {
    let listed = mail.raw.lines().filter_map(|line| {
        let mut words = line.strip_prefix("member ")?.split_whitespace();
        let (id, state) = (words.next()?, words.next()?);
        Some((named(id), state == "over"))
    });
    let listed: BTreeMap<_, _> = listed.collect();
    if listed.is_empty() {
        let id = mail.header("X-Vigia-Incident").unwrap();
        return BTreeMap::from([(named(id), is_end(mail))]);
    }
    listed
}

fn kind(mail: &Received) -> &str {
    mail.header("X-Vigia-Message").unwrap()
}

fn is_end(mail: &Received) -> bool {
    matches!(kind(mail), "closed" | "whole")
}

fn is_repeat(mail: &Received) -> bool {
    mail.header("X-Vigia-Repeat").is_some()
}

/// The incidents that some mail tells as over, or that any tells.
fn told(mails: &[Received], is_over: bool) -> BTreeSet<String> {
    let members = mails.iter().flat_map(members);
    members
        .filter(|(_, over)| *over || !is_over)
        .map(|(incident, _)| incident)
        .collect()
}

/// The beginning of the conversation of a mail: its own identity, or that of the mail that it answers.
fn conversation(mail: &Received) -> &str {
    let answers = mail.header("In-Reply-To");
    answers.unwrap_or_else(|| mail.header("Message-ID").unwrap())
}

/// Each conversation begins once, goes on, and ends once; what comes again says so.
fn assert_each_conversation_is_sound(mails: &[Received]) {
    let mut conversations: BTreeMap<&str, Vec<&Received>> = BTreeMap::new();
    for mail in mails {
        let known = conversations.entry(conversation(mail)).or_default();
        // A repeat is of the last one that came, or the first of one that never did.
        let came = known
            .iter()
            .any(|known| known.header("Message-ID") == mail.header("Message-ID"));
        assert!(
            !came || is_repeat(mail),
            "a message came twice without saying so"
        );
        if !came {
            known.push(mail);
        }
    }
    for (id, mails) in conversations {
        let kinds: Vec<&str> = mails.iter().map(|mail| kind(mail)).collect();
        let is_sound = match kinds.as_slice() {
            ["whole"] => true,
            // The end of a beginning that nobody knows the fate of says both.
            ["opened", .., "closed" | "whole"] => kinds[1..kinds.len() - 1]
                .iter()
                .all(|kind| *kind == "updated"),
            _ => false,
        };
        assert!(is_sound, "the conversation {id} is {kinds:?}");
        let end = members(mails[mails.len() - 1]);
        assert!(
            end.values().all(|is_over| *is_over),
            "{id} ends with {end:?}"
        );
    }
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
    shifts: Shifts,
    (kills, longest): (usize, Duration),
) {
    let mut world = World::new(shifts);
    let mut places = Places {
        longest,
        round: 0,
        reached: [0; CALLS.len()],
    };
    let mut calm = 0;
    let mut caught_up = Instant::now();
    for _ in 0..kills {
        world.goes_on(stage).await;
        places.kill_at_next(config).await;
        let has_told_all = || world.expected.is_subset(&told(&smtp.mails(), false));
        if !has_told_all() && caught_up.elapsed() > LONGEST_LAG {
            let sidecar = Sidecar::start(config).await;
            let told_all = async || has_told_all().then_some(());
            until("every beginning to be told", LONGEST_LAG, told_all)
                .await
                .unwrap();
            sidecar.end(Signal::KILL).await;
            calm += 1;
        }
        if has_told_all() {
            caught_up = Instant::now();
        }
    }
    let kills = kills + calm;
    let last = Sidecar::start(config).await;
    world.heals(stage).await;
    let told_until_the_end = || {
        let mails = smtp.mails();
        let ends: Vec<_> = mails.iter().filter(|mail| is_end(mail)).cloned().collect();
        told(&ends, true)
    };
    let everything = async || {
        world
            .expected
            .is_subset(&told_until_the_end())
            .then_some(())
    };
    let told_all = until("every end to be told", Duration::from_secs(30), everything).await;
    let log = last.log();
    last.end(Signal::TERM).await;

    told_all.unwrap_or_else(|error| {
        let ends = told_until_the_end();
        let untold: Vec<_> = world.expected.difference(&ends).collect();
        panic!("{error}: {untold:?} are missing\n{log}")
    });
    let mails = smtp.mails();
    assert_eq!(
        told(&mails, false),
        world.expected,
        "the incidents that were told are not those that were"
    );
    assert_each_conversation_is_sound(&mails);
    let repeats = mails.iter().filter(|mail| is_repeat(mail)).count();
    assert!(repeats <= kills, "{repeats} repeats for {kills} kills");
    println!(
        "{kills} kills, {} incidents, {} mails of which {repeats} say that they may be repeats",
        world.expected.len(),
        mails.len(),
    );
    if shifts == TOGETHER {
        let most = mails.iter().map(|mail| members(mail).len()).max();
        assert!(most > Some(1), "nothing was told together");
    }
}

/// On a machine under load one life after the other may be too short to ask InfluxDB anything. What was over for minutes when it
/// is known of is told to nobody, so now and then a life lasts until it has told what there is.
const LONGEST_LAG: Duration = Duration::from_secs(30);

/// What a program needs at most to come to a call.
const SOON: Duration = Duration::from_millis(700);

/// Where each start waits until the one before counts as dead.
const AFTER_THE_LEASE: Duration = Duration::from_secs(7);

#[tokio::test]
async fn killed_at_every_commit_it_tells_each_beginning_and_each_end() {
    if !requires(&[Program::Influxd, Program::Strace]) {
        return;
    }
    let stage = Stage::new().await;
    let smtp = ScriptedSmtp::start(&[]).await;
    let config = stage.configure_plain(smtp.port);
    survives(&stage, &smtp, &config, APART, (kills(40), SOON)).await;
}

#[tokio::test]
async fn killed_while_incidents_are_told_together_it_tells_each_beginning_and_each_end() {
    if !requires(&[Program::Influxd, Program::Strace]) {
        return;
    }
    let stage = Stage::new().await;
    let smtp = ScriptedSmtp::start(&[]).await;
    let config = stage.configure_plain(smtp.port);
    tell_together(&config);
    survives(&stage, &smtp, &config, TOGETHER, (kills(40), SOON)).await;
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
    tell_together(&config);
    let few = (kills(40) / 10, AFTER_THE_LEASE);
    survives(&stage, &smtp, &config, TOGETHER, few).await;
}
