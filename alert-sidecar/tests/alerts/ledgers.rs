//! The store as the rest of the program uses it, where time passes as a test says.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use jiff::{SignedDuration, Timestamp};
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use vigia_alert::{
    flux::{Observation, Rule, Series, ShippedQuery, observation::Failure, poll::Answer},
    judge::Threshold,
    route::Route,
    store::{
        Store,
        judgement::Policy,
        keeper::{Claim, Keeper, Ledger},
        outbox::{Delivery, Kind, Settlement},
    },
};
use vigia_contract::data_model::{Impact, Outcome};

const CHANNEL: &str = "mail";

/// A store that tells these recipients of everything.
struct Desk {
    folder: TempDir,
    ledger: Ledger,
    keeper: JoinHandle<()>,
}

impl Desk {
    async fn new(recipients: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let route: Route = toml::from_str(&format!("channels = [\"{CHANNEL}\"]")).unwrap();
        let policy = Policy {
            routes: vec![route],
            recipients: BTreeMap::from([(
                CHANNEL.to_owned(),
                recipients.iter().map(ToString::to_string).collect(),
            )]),
        };
        let store = Store::open(&store(&folder)).await.unwrap();
        let (keeper, ledger) = Keeper::new(store, policy).await.unwrap();
        let keeper = tokio::spawn(keeper.run());
        Self {
            folder,
            ledger,
            keeper,
        }
    }

    async fn judge(&self, outcomes: &[(Timestamp, Outcome)], now: Timestamp) {
        let runs: Vec<_> = outcomes
            .iter()
            .map(|(at, outcome)| run("consultar", *at, *outcome))
            .collect();
        let answer = Answer {
            read_until: runs.last().map(|run| run.at),
            runs,
            unusable: None,
        };
        self.ledger.judge(&rule(), answer, now).await.unwrap();
    }

    async fn claim(&self, now: Timestamp) -> Option<Delivery> {
        match self.ledger.claim(CHANNEL, now).await.unwrap() {
            Claim::Delivery(delivery) => Some(*delivery),
            Claim::Nothing(_) => None,
        }
    }

    /// How many rows a table has once the store is closed.
    async fn rows(self, table: &str) -> i64 {
        drop(self.ledger);
        self.keeper.await.unwrap();
        let address = format!("sqlite://{}", store(&self.folder).display());
        let mut connection = SqliteConnection::connect(&address).await.unwrap();
        let count = format!("SELECT COUNT(*) FROM {table}");
        sqlx::query_scalar(sqlx::AssertSqlSafe(count))
            .fetch_one(&mut connection)
            .await
            .unwrap()
    }
}

fn store(folder: &TempDir) -> PathBuf {
    folder.path().join("vigia-alert.db")
}

pub fn rule() -> Rule {
    Rule {
        name: "journeys-failed".into(),
        query: ShippedQuery::JourneysFailed,
        every: Duration::from_secs(1),
        fails_after: Threshold::default(),
        overlap: Duration::from_mins(5),
    }
}

pub fn run(journey: &str, at: Timestamp, outcome: Outcome) -> Observation {
    Observation {
        series: Series {
            system: "tramites".into(),
            journey: journey.into(),
            probe: "sede".into(),
        },
        at,
        impact: Impact::Critical,
        outcome,
        run_id: at.to_string(),
        failure: Failure::default(),
    }
}

/// A moment, in minutes after a morning.
fn minute(minute: i64) -> Timestamp {
    "2026-11-22T09:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minute)
}

const FAILED_TWICE: [i64; 2] = [0, 1];

async fn break_journey(desk: &Desk, now: Timestamp) {
    let runs = FAILED_TWICE.map(|at| (minute(at), Outcome::Failed));
    desk.judge(&runs, now).await;
}

#[tokio::test]
async fn what_two_probes_or_two_journeys_see_does_not_count_together() {
    let desk = Desk::new(&["director@agency.example"]).await;
    let here = run("consultar", minute(0), Outcome::Failed);
    let mut there = here.clone();
    there.series.probe = "sucursal".into();
    let other = run("ingresar", minute(0), Outcome::Failed);

    let answer = Answer {
        runs: vec![here, there, other],
        ..Answer::default()
    };
    desk.ledger.judge(&rule(), answer, minute(1)).await.unwrap();

    assert_eq!(desk.claim(minute(1)).await, None);
    desk.judge(&[(minute(1), Outcome::Failed)], minute(2)).await;
    let told = desk.claim(minute(2)).await.unwrap();
    assert_eq!(
        (
            told.incident.series.probe.as_str(),
            told.incident.started_at
        ),
        ("sede", minute(0))
    );
    assert_eq!(desk.claim(minute(2)).await, None);
}

#[tokio::test]
async fn runs_that_come_again_count_once() {
    let desk = Desk::new(&["director@agency.example"]).await;

    for now in 1..4 {
        desk.judge(&[(minute(0), Outcome::Failed)], minute(now))
            .await;
    }

    assert_eq!(desk.claim(minute(4)).await, None);
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_hold_a_message_up() {
    let desk = Desk::new(&["director@agency.example"]).await;

    break_journey(&desk, minute(60)).await;

    assert!(desk.claim(minute(2)).await.is_some());
}

#[tokio::test]
async fn a_message_that_was_postponed_waits_for_its_moment() {
    let desk = Desk::new(&["director@agency.example"]).await;

    break_journey(&desk, minute(2)).await;
    let delivery = desk.claim(minute(2)).await.unwrap();
    let busy = Settlement::Postponed("451".into(), minute(6));
    desk.ledger
        .settle(&delivery, busy, minute(2))
        .await
        .unwrap();

    assert_eq!(desk.claim(minute(3)).await, None);
    assert!(desk.claim(minute(6)).await.is_some());
}

#[tokio::test]
async fn an_address_that_is_there_twice_blinds_nobody_and_is_told_once() {
    let desk = Desk::new(&["director@agency.example"; 2]).await;

    break_journey(&desk, minute(2)).await;

    assert!(desk.claim(minute(2)).await.is_some());
    assert_eq!(desk.claim(minute(2)).await, None);
}

#[tokio::test]
async fn who_was_refused_the_beginning_is_not_told_the_end() {
    let desk = Desk::new(&["gone@agency.example", "director@agency.example"]).await;

    break_journey(&desk, minute(2)).await;
    while let Some(delivery) = desk.claim(minute(2)).await {
        let settlement = if delivery.recipient.starts_with("gone") {
            Settlement::Refused("550".into())
        } else {
            Settlement::Accepted("250".into())
        };
        desk.ledger
            .settle(&delivery, settlement, minute(2))
            .await
            .unwrap();
    }
    desk.judge(&[(minute(3), Outcome::Ok)], minute(4)).await;

    let end = desk.claim(minute(4)).await.unwrap();
    assert_eq!(
        (end.kind, end.recipient.as_str()),
        (Kind::Closed, "director@agency.example")
    );
    assert_eq!(desk.claim(minute(4)).await, None);
}

#[tokio::test]
async fn a_beginning_that_is_refused_after_the_end_came_takes_the_end_with_it() {
    let desk = Desk::new(&["gone@agency.example"]).await;

    break_journey(&desk, minute(2)).await;
    let beginning = desk.claim(minute(2)).await.unwrap();
    desk.judge(&[(minute(3), Outcome::Ok)], minute(4)).await;
    let refused = Settlement::Refused("550".into());
    desk.ledger
        .settle(&beginning, refused, minute(4))
        .await
        .unwrap();

    assert_eq!(desk.claim(minute(4)).await, None);
}

#[tokio::test]
async fn a_series_that_never_says_anything_about_its_system_does_not_fill_the_store() {
    let desk = Desk::new(&["director@agency.example"]).await;

    for at in (0..120).step_by(4) {
        let runs = [Outcome::Unmeasured, Outcome::Missed].map(|outcome| {
            let moment = minute(at) + SignedDuration::from_secs(outcome.code());
            (moment, outcome)
        });
        desk.judge(&runs, minute(at)).await;
    }

    // Those of the last ten minutes, which a query may bring again.
    assert_eq!(desk.rows("observation").await, 6);
}
