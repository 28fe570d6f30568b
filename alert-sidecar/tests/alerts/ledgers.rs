//! The store as the rest of the program uses it, where time passes as a test says: what SQLite keeps, PostgreSQL keeps too.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinHandle;
use vigia_alert::{
    flux::{Observation, Rule, Series, ShippedQuery, observation::Failure, poll::Answer},
    judge::Probes,
    route::{
        group::{Grouping, Label},
        tree::Route,
    },
    store::{
        Store,
        access::End,
        judgement::Policy,
        keeper::Keeper,
        ledger::{Claim, Ledger},
        outbox::{Delivery, Kind, Settlement},
        pictures::{Fate, Intent},
    },
};
use vigia_contract::data_model::{Impact, Outcome};
use vigia_testbed::servers::{PostgreSql, Program, requires};

use super::stores::Shelf;

pub const CHANNEL: &str = "mail";

/// Each promise is a test of its own on SQLite. On PostgreSQL, which takes seconds to start, all of them are one test.
macro_rules! promises {
    ($($promise:ident,)*) => {
        mod on_sqlite {
            use super::Shelf;
            $(#[tokio::test]
            async fn $promise() {
                super::$promise(Shelf::of_sqlite()).await;
            })*
        }

        #[tokio::test]
        async fn what_sqlite_promises_postgresql_promises_too() {
            if !requires(&[Program::Postgres]) {
                return;
            }
            let folder = tempfile::tempdir().unwrap();
            let server = PostgreSql::start(folder.path()).await.unwrap();
            $(
                let promise = stringify!($promise);
                println!("{promise}");
                $promise(Shelf::of_postgresql(&server, promise).await).await;
            )*
        }
    };
}

promises! {
    what_two_probes_or_two_journeys_see_does_not_count_together,
    what_fails_for_one_probe_only_is_told_as_such_and_told_again_when_it_fails_for_all,
    what_comes_and_goes_is_told_as_such_and_its_end_tells_what_is,
    what_was_over_long_before_it_was_known_of_is_written_down_and_told_to_nobody,
    runs_that_come_again_count_once,
    a_clock_that_is_set_back_does_not_hold_a_message_up,
    a_clock_that_is_set_back_does_not_let_the_end_overtake_the_beginning,
    a_clock_that_was_ahead_hides_nothing_once_it_is_set_back,
    what_came_of_an_attempt_counts_once_and_for_that_attempt_only,
    a_message_that_was_postponed_waits_for_its_moment,
    an_address_that_is_there_twice_blinds_nobody_and_is_told_once,
    who_was_refused_the_beginning_is_not_told_the_end,
    a_beginning_that_is_refused_after_the_end_came_takes_the_end_with_it,
    a_series_that_never_says_anything_about_its_system_does_not_fill_the_store,
    a_report_goes_to_each_address_once_whatever_becomes_of_the_process,
    a_message_whose_incidents_were_not_saved_holds_nobody_up,
    a_picture_follows_its_message_whatever_becomes_of_the_process,
    a_picture_that_waits_too_long_is_given_up,
    a_picture_is_of_what_its_message_leads_with,
}

/// A store that tells these recipients of everything.
pub struct Desk {
    shelf: Shelf,
    pub ledger: Ledger,
    keeper: JoinHandle<End>,
}

/// Everything goes to these recipients.
pub fn policy(recipients: &[&str]) -> Policy {
    Policy {
        routes: vec![Route::of_everything(CHANNEL)],
        grouping: Grouping::EACH_ALONE,
        recipients: BTreeMap::from([(
            CHANNEL.to_owned(),
            recipients.iter().map(ToString::to_string).collect(),
        )]),
        ..Policy::default()
    }
}

impl Desk {
    pub async fn new(shelf: Shelf, recipients: &[&str]) -> Self {
        Self::of(shelf, policy(recipients)).await
    }

    pub async fn of(shelf: Shelf, policy: Policy) -> Self {
        let store = Store::open(&shelf.place).await.unwrap();
        let (keeper, ledger) = Keeper::new(store, policy).await.unwrap();
        let keeper = tokio::spawn(keeper.run());
        Self {
            shelf,
            ledger,
            keeper,
        }
    }

    /// Closes the store.
    pub async fn close(self) -> Shelf {
        drop(self.ledger);
        assert_eq!(self.keeper.await.unwrap(), End::Unneeded);
        self.shelf
    }

    pub async fn judge(&self, outcomes: &[(Timestamp, Outcome)], now: Timestamp) {
        let runs: Vec<_> = outcomes
            .iter()
            .map(|(at, outcome)| run("consultar", *at, *outcome))
            .collect();
        let answer = Answer {
            read_until: runs.last().map(|run| run.at),
            runs,
            ..Answer::default()
        };
        self.ledger.judge(&rule(), answer, now).await.unwrap();
    }

    pub async fn claim(&self, now: Timestamp) -> Option<Delivery> {
        match self.ledger.claim(CHANNEL, now).await.unwrap() {
            Claim::Delivery(delivery) => Some(*delivery),
            Claim::Nothing(_) => None,
        }
    }
}

pub fn rule() -> Rule {
    Rule::shipped("journeys-failed", ShippedQuery::JourneysFailed)
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
        every: None,
    }
}

/// A moment, in minutes after a morning.
pub fn minute(minute: i64) -> Timestamp {
    "2026-11-22T09:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minute)
}

const FAILED_TWICE: [i64; 2] = [0, 1];

pub async fn break_journey(desk: &Desk, now: Timestamp) {
    let runs = FAILED_TWICE.map(|at| (minute(at), Outcome::Failed));
    desk.judge(&runs, now).await;
}

async fn what_two_probes_or_two_journeys_see_does_not_count_together(shelf: Shelf) {
    let desk = Desk::new(shelf, &["director@agency.example"]).await;
    let here = run("consultar", minute(0), Outcome::Failed);
    let mut there = here.clone();
    there.series.probe = "sucursal".into();
    let other = run("ingresar", minute(0), Outcome::Failed);

    let answer = Answer {
        runs: vec![here, there, other],
        ..Answer::default()
    };
    let mut each = rule();
    each.criteria.probes = Probes::Each;
    desk.ledger.judge(&each, answer, minute(1)).await.unwrap();

    assert_eq!(desk.claim(minute(1)).await, None);
    let again = Answer {
        runs: vec![run("consultar", minute(1), Outcome::Failed)],
        ..Answer::default()
    };
    desk.ledger.judge(&each, again, minute(2)).await.unwrap();
    let told = desk.claim(minute(2)).await.unwrap();
    assert_eq!(
        (
            told.conversation.lead().series.probe.as_str(),
            told.conversation.lead().started_at
        ),
        ("sede", minute(0))
    );
    assert_eq!(desk.claim(minute(2)).await, None);
}

/// The runs of two probes, one a minute each, a letter a run.
async fn two_probes_see(desk: &Desk, from: i64, here: &str, there: &str) {
    let mut runs = Vec::new();
    for (probe, letters) in [("sede", here), ("sucursal", there)] {
        for (at, letter) in (from..).zip(letters.chars()) {
            let outcome = Outcome::ALL
                .into_iter()
                .find(|outcome| outcome.name().starts_with(letter))
                .unwrap();
            // The second probe looks half a minute later.
            let later = SignedDuration::from_secs(if probe == "sede" { 0 } else { 30 });
            let mut seen = run("consultar", minute(at) + later, outcome);
            seen.series.probe = probe.into();
            runs.push(seen);
        }
    }
    runs.sort_by_key(|run| run.at);
    let now = runs.last().unwrap().at;
    let answer = Answer {
        read_until: Some(now),
        runs,
        ..Answer::default()
    };
    desk.ledger.judge(&rule(), answer, now).await.unwrap();
}

/// Everything that is sent now, as it is said.
async fn sent(desk: &Desk, now: Timestamp) -> Vec<String> {
    let mut sent = Vec::new();
    while let Some(delivery) = desk.claim(now).await {
        let incident = delivery.conversation.lead();
        sent.push(format!(
            "{} {:?} {}",
            delivery.kind.name(),
            incident.form,
            incident.impact
        ));
        let accepted = Settlement::Accepted("250".into());
        desk.ledger.settle(&delivery, accepted, now).await.unwrap();
    }
    sent
}

async fn what_fails_for_one_probe_only_is_told_as_such_and_told_again_when_it_fails_for_all(
    shelf: Shelf,
) {
    let desk = Desk::new(shelf, &["director@agency.example"]).await;

    two_probes_see(&desk, 0, "off", "ooo").await;
    assert_eq!(
        sent(&desk, minute(3)).await,
        ["opened Local([\"sucursal\"]) high"]
    );
    two_probes_see(&desk, 3, "ff", "ff").await;
    assert_eq!(sent(&desk, minute(5)).await, ["opened Failing critical"]);
    two_probes_see(&desk, 5, "oo", "oo").await;
    assert_eq!(sent(&desk, minute(7)).await, ["closed Failing critical"]);
}

async fn what_comes_and_goes_is_told_as_such_and_its_end_tells_what_is(shelf: Shelf) {
    let desk = Desk::new(shelf, &["director@agency.example"]).await;
    let mut told = Vec::new();
    // Down and up again three times, then calm.
    for (at, letters) in [
        (0, "ffo"),
        (3, "ffo"),
        (6, "ffo"),
        (9, "ffo"),
        (12, "oooooooooooooooo"),
    ] {
        let runs: Vec<_> = (at..)
            .zip(letters.chars())
            .map(|(at, letter)| {
                let outcome = if letter == 'f' {
                    Outcome::Failed
                } else {
                    Outcome::Ok
                };
                (minute(at), outcome)
            })
            .collect();
        let now = runs.last().unwrap().0;
        desk.judge(&runs, now).await;
        told.extend(sent(&desk, now).await);
    }
    assert_eq!(
        told,
        [
            "whole Failing critical",
            "whole Failing critical",
            "opened Flapping critical",
            "closed Flapping critical",
        ]
    );
}

async fn what_was_over_long_before_it_was_known_of_is_written_down_and_told_to_nobody(
    shelf: Shelf,
) {
    let desk = Desk::new(shelf, &["director@agency.example"]).await;
    let runs = [
        (minute(0), Outcome::Failed),
        (minute(1), Outcome::Failed),
        (minute(2), Outcome::Ok),
    ];

    desk.judge(&runs, minute(60)).await;

    assert_eq!(desk.claim(minute(60)).await, None);
    assert_eq!(desk.ledger.unwritten().await.unwrap().len(), 1);
}

async fn runs_that_come_again_count_once(shelf: Shelf) {
    let desk = Desk::new(shelf, &["director@agency.example"]).await;

    for now in 1..4 {
        desk.judge(&[(minute(0), Outcome::Failed)], minute(now))
            .await;
    }

    assert_eq!(desk.claim(minute(4)).await, None);
}

async fn a_clock_that_is_set_back_does_not_hold_a_message_up(shelf: Shelf) {
    let desk = Desk::new(shelf, &["director@agency.example"]).await;

    break_journey(&desk, minute(60)).await;

    assert!(desk.claim(minute(2)).await.is_some());
}

async fn a_clock_that_is_set_back_does_not_let_the_end_overtake_the_beginning(shelf: Shelf) {
    let desk = Desk::new(shelf, &["director@agency.example"]).await;

    break_journey(&desk, minute(60)).await;
    let beginning = desk.claim(minute(60)).await.unwrap();
    desk.judge(&[(minute(3), Outcome::Ok)], minute(4)).await;

    assert_eq!(desk.claim(minute(4)).await, None);
    let taken = Settlement::Accepted("250".into());
    let settled = desk.ledger.settle(&beginning, taken, minute(4)).await;
    settled.unwrap();
    assert_eq!(desk.claim(minute(4)).await.unwrap().kind, Kind::Closed);
}

async fn a_clock_that_was_ahead_hides_nothing_once_it_is_set_back(shelf: Shelf) {
    let desk = Desk::new(shelf, &["director@agency.example"]).await;
    let judge = async |from: i64, letters: &str| {
        let runs: Vec<_> = (from..)
            .zip(letters.chars())
            .map(|(at, letter)| match letter {
                'f' => (minute(at), Outcome::Failed),
                _ => (minute(at), Outcome::Ok),
            })
            .collect();
        let now = runs.last().unwrap().0;
        desk.judge(&runs, now).await;
        sent(&desk, now).await
    };
    let (beginning, end) = ("opened Failing critical", "closed Failing critical");

    // Everything happens an hour ahead; then the clock is set right.
    assert_eq!(judge(60, "ff").await, [beginning]);
    assert_eq!(judge(62, "o").await, [end]);
    assert_eq!(judge(63, "ff").await, [beginning]);
    assert_eq!(judge(3, "oo").await, [end]);
    assert_eq!(judge(5, "ff").await, [beginning]);
    assert_eq!(judge(7, "o").await, [end]);
    assert_eq!(judge(8, "ff").await, [beginning]);
    assert_eq!(judge(10, "o").await, [end]);
    // When its time has come, what lay ahead is brought again.
    assert!(judge(60, "ffoffoo").await.is_empty());
}

async fn what_came_of_an_attempt_counts_once_and_for_that_attempt_only(shelf: Shelf) {
    let desk = Desk::new(shelf, &["director@agency.example"]).await;
    let settle = async |delivery: &Delivery, settlement| {
        let settled = desk.ledger.settle(delivery, settlement, minute(2));
        settled.await.unwrap();
    };

    break_journey(&desk, minute(2)).await;
    let first = desk.claim(minute(2)).await.unwrap();
    settle(&first, Settlement::Postponed("451".into(), minute(2))).await;
    let second = desk.claim(minute(2)).await.unwrap();
    assert_eq!((second.id == first.id, second.attempt), (true, 2));
    // The answer to the first attempt arrives twice.
    settle(&first, Settlement::Refused("550".into())).await;
    settle(&second, Settlement::Postponed("451".into(), minute(2))).await;

    assert_eq!(desk.claim(minute(2)).await.unwrap().attempt, 3);
}

async fn a_message_that_was_postponed_waits_for_its_moment(shelf: Shelf) {
    let desk = Desk::new(shelf, &["director@agency.example"]).await;

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

async fn an_address_that_is_there_twice_blinds_nobody_and_is_told_once(shelf: Shelf) {
    let desk = Desk::new(shelf, &["director@agency.example"; 2]).await;

    break_journey(&desk, minute(2)).await;

    assert!(desk.claim(minute(2)).await.is_some());
    assert_eq!(desk.claim(minute(2)).await, None);
}

async fn who_was_refused_the_beginning_is_not_told_the_end(shelf: Shelf) {
    let desk = Desk::new(shelf, &["gone@agency.example", "director@agency.example"]).await;

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

async fn a_beginning_that_is_refused_after_the_end_came_takes_the_end_with_it(shelf: Shelf) {
    let desk = Desk::new(shelf, &["gone@agency.example"]).await;

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

async fn a_series_that_never_says_anything_about_its_system_does_not_fill_the_store(shelf: Shelf) {
    let desk = Desk::new(shelf, &["director@agency.example"]).await;

    for at in (0..120).step_by(4) {
        let runs = [Outcome::Unmeasured, Outcome::Missed].map(|outcome| {
            let moment = minute(at) + SignedDuration::from_secs(outcome.code());
            (moment, outcome)
        });
        desk.judge(&runs, minute(at)).await;
    }

    // Those of the last 25 minutes: what a query may bring again, and as far as the criteria look back.
    assert_eq!(desk.close().await.count("observation").await, 14);
}

async fn a_report_goes_to_each_address_once_whatever_becomes_of_the_process(shelf: Shelf) {
    let desk = Desk::new(shelf, &["director@agency.example"]).await;
    let ledger = &desk.ledger;
    let recipients = || {
        ["director@agency.example", "ministra@agency.example"]
            .map(|recipient| (CHANNEL.to_owned(), recipient.to_owned()))
            .to_vec()
    };
    assert_eq!(ledger.newest_report("mensual").await.unwrap(), None);
    ledger.begin_reports("mensual", "2026-09").await.unwrap();
    assert_eq!(ledger.due_report(minute(0)).await.unwrap(), None);
    // It is planned at every start; what is written down already stays as it is.
    for _ in 0..2 {
        ledger
            .intend_reports("mensual", vec!["2026-10".into()], recipients(), minute(0))
            .await
            .unwrap();
    }

    let first = ledger.due_report(minute(0)).await.unwrap().unwrap();
    assert_eq!(
        (first.recipient.as_str(), first.attempt, first.is_repeat),
        ("director@agency.example", 1, false)
    );
    ledger.send_report(&first).await.unwrap();
    // The process ends here, and nobody knows whether the mail arrived.
    let desk = Desk::new(desk.close().await, &["director@agency.example"]).await;
    let ledger = &desk.ledger;
    assert_eq!(ledger.recover_reports().await.unwrap(), 1);
    let repeat = ledger.due_report(minute(0)).await.unwrap().unwrap();
    assert_eq!(
        (repeat.recipient.as_str(), repeat.attempt, repeat.is_repeat),
        ("director@agency.example", 2, true)
    );
    ledger.send_report(&repeat).await.unwrap();
    let accepted = Settlement::Accepted("250 OK".into());
    ledger
        .settle_report(&repeat, accepted, minute(0))
        .await
        .unwrap();

    let second = ledger.due_report(minute(0)).await.unwrap().unwrap();
    assert_eq!(second.recipient, "ministra@agency.example");
    ledger.send_report(&second).await.unwrap();
    let busy = Settlement::Postponed("451 later".into(), minute(5));
    ledger
        .settle_report(&second, busy, minute(0))
        .await
        .unwrap();
    assert_eq!(ledger.due_report(minute(4)).await.unwrap(), None);
    assert_eq!(ledger.next_report().await.unwrap(), Some(minute(5)));
    let later = ledger.due_report(minute(5)).await.unwrap().unwrap();
    assert_eq!((later.attempt, later.is_repeat), (2, false));
    ledger.send_report(&later).await.unwrap();
    let refused = Settlement::Refused("550 nobody".into());
    ledger
        .settle_report(&later, refused, minute(5))
        .await
        .unwrap();

    assert_eq!(ledger.due_report(minute(99)).await.unwrap(), None);
    assert_eq!(ledger.next_report().await.unwrap(), None);
    assert_eq!(ledger.recover_reports().await.unwrap(), 0);
    assert_eq!(
        ledger.newest_report("mensual").await.unwrap().as_deref(),
        Some("2026-10")
    );
}

/// As in a store that was saved from a damaged one.
async fn a_message_whose_incidents_were_not_saved_holds_nobody_up(shelf: Shelf) {
    let desk = Desk::new(shelf, &["director@agency.example"]).await;
    break_journey(&desk, minute(2)).await;
    let shelf = desk.close().await;
    let mut connection = shelf.connect().await;
    // That an incident is in no conversation is what is lost; nothing refers to it.
    sqlx::raw_sql("DELETE FROM member")
        .execute(&mut connection)
        .await
        .unwrap();
    drop(connection);

    let desk = Desk::new(shelf, &["director@agency.example"]).await;
    assert!(desk.claim(minute(3)).await.is_none());
    let overview = desk.ledger.overview(minute(3)).await.unwrap();
    assert!(overview.messages.is_empty(), "{:?}", overview.messages);
    let of_the_channel: Vec<_> = overview.channels.iter().collect();
    assert_eq!(of_the_channel.len(), 1);
    assert_eq!(of_the_channel[0].waiting, 0);
    let other = run("ingresar", minute(4), Outcome::Failed);
    let again = run("ingresar", minute(5), Outcome::Failed);
    let answer = Answer {
        runs: vec![other, again],
        ..Answer::default()
    };
    desk.ledger.judge(&rule(), answer, minute(6)).await.unwrap();
    let told = desk.claim(minute(6)).await.unwrap();
    assert_eq!(told.conversation.lead().series.journey, "ingresar");
}

/// A message is accepted, and a picture is to follow it.
async fn accept(desk: &Desk, delivery: &Delivery, now: Timestamp) {
    let accepted = Settlement::Accepted("ok".into());
    let picture = Intent {
        message: Some("C1 7".into()),
    };
    desk.ledger
        .settle_with_picture(delivery, accepted, Some(picture), now)
        .await
        .unwrap();
}

async fn a_picture_follows_its_message_whatever_becomes_of_the_process(shelf: Shelf) {
    let recipients = ["#guardia"];
    let desk = Desk::new(shelf, &recipients).await;
    break_journey(&desk, minute(2)).await;
    let mut told = desk.claim(minute(2)).await.unwrap();
    assert_eq!(
        desk.ledger.next_picture(CHANNEL, minute(2)).await.unwrap(),
        None
    );
    told.thread = Some("C1 7".into());
    accept(&desk, &told, minute(2)).await;
    assert_eq!(
        desk.ledger.next_picture(CHANNEL, minute(2)).await.unwrap(),
        Some(minute(2))
    );
    let first = desk.ledger.claim_picture(CHANNEL, minute(2)).await.unwrap();
    let first = first.unwrap();
    assert_eq!(first.delivery, told);
    assert_eq!(
        (first.message.as_deref(), first.failures),
        (Some("C1 7"), 0)
    );
    let none = desk.ledger.claim_picture(CHANNEL, minute(2)).await.unwrap();
    assert_eq!(none, None, "it is being sent");

    // The process dies meanwhile.
    let desk = Desk::new(desk.close().await, &recipients).await;
    let again = desk.ledger.claim_picture(CHANNEL, minute(3)).await.unwrap();
    assert_eq!(again.as_ref(), Some(&first));
    let busy = Fate::Postponed("503".into(), minute(5));
    desk.ledger.settle_picture(&first, busy).await.unwrap();
    let too_early = desk.ledger.claim_picture(CHANNEL, minute(4)).await;
    assert_eq!(too_early.unwrap(), None);
    assert_eq!(
        desk.ledger.next_picture(CHANNEL, minute(4)).await.unwrap(),
        Some(minute(5))
    );
    let later = desk.ledger.claim_picture(CHANNEL, minute(5)).await.unwrap();
    assert_eq!(later.unwrap().failures, 1);
    let accepted = Fate::Accepted("uploaded".into());
    desk.ledger.settle_picture(&first, accepted).await.unwrap();

    let desk = Desk::new(desk.close().await, &recipients).await;
    assert_eq!(
        desk.ledger.next_picture(CHANNEL, minute(9)).await.unwrap(),
        None
    );
}

async fn a_picture_that_waits_too_long_is_given_up(shelf: Shelf) {
    let desk = Desk::new(shelf, &["#guardia", "#turno"]).await;
    break_journey(&desk, minute(2)).await;
    for at in [2, 50] {
        let told = desk.claim(minute(at)).await.unwrap();
        accept(&desk, &told, minute(at)).await;
    }

    let found = desk.ledger.claim_picture(CHANNEL, minute(63)).await;
    assert_eq!(found.unwrap().unwrap().delivery.recipient, "#turno");
    assert_eq!(
        desk.ledger.next_picture(CHANNEL, minute(63)).await.unwrap(),
        None
    );
    assert_eq!(desk.close().await.count("picture").await, 2);
}

/// The conversation leads with what goes on; its first message led with what is over meanwhile.
async fn a_picture_is_of_what_its_message_leads_with(shelf: Shelf) {
    let mut together = policy(&["#guardia"]);
    together.grouping.join = SignedDuration::from_mins(5);
    together.grouping.by = vec![Label::System];
    let desk = Desk::of(shelf, together).await;
    let failed = |journey, at| run(journey, minute(at), Outcome::Failed);
    let judge = async |runs: Vec<Observation>, at| {
        let answer = Answer {
            runs,
            ..Answer::default()
        };
        desk.ledger
            .judge(&rule(), answer, minute(at))
            .await
            .unwrap();
    };
    let runs = ["consultar", "ingresar"].map(|journey| [failed(journey, 0), failed(journey, 1)]);
    judge(runs.concat(), 2).await;
    let told = desk.claim(minute(2)).await.unwrap();
    assert_eq!(told.conversation.incidents.len(), 2);
    accept(&desk, &told, minute(2)).await;
    let led = told.conversation.lead().series.journey.clone();
    judge(vec![run(&led, minute(3), Outcome::Ok)], 3).await;

    let found = desk.ledger.claim_picture(CHANNEL, minute(4)).await;
    let conversation = found.unwrap().unwrap().delivery.conversation;
    assert_eq!(conversation.incidents.len(), 2);
    assert_eq!(conversation.lead().series.journey, led);
    assert!(conversation.lead().end.is_some());
}
