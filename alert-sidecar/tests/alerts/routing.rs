//! Who is told, when, and together with what: through the store, where time passes as a test says.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp, civil::Time, tz::TimeZone};
use proptest::prelude::*;
use vigia_alert::{
    flux::{Observation, Rule, poll::Answer},
    judge::Threshold,
    route::{
        dependency::Dependencies,
        group::Grouping,
        matcher::Matcher,
        silence::Draft,
        tree::{Escalation, Route, Target, When},
    },
    store::{
        decisions::{Acknowledgement, Case},
        judgement::Policy,
        ledger::Claim,
        outbox::{Delivery, Kind, Settlement, State},
    },
};
use vigia_contract::data_model::{Impact, Outcome};
use vigia_testbed::servers::{PostgreSql, Program, requires};

use super::{
    ledgers::{Desk, minute, rule, run},
    stores::Shelf,
};

promises! {
    thirty_systems_behind_one_switch_are_one_message,
    those_who_go_on_joining_are_told_ever_more_rarely,
    who_fails_later_joins_the_conversation_and_who_recovers_leaves_it,
    what_matters_less_is_never_in_the_message_of_what_is_critical,
    what_follows_from_a_cause_is_told_inside_it_and_by_itself_when_it_outlasts_it,
    a_cause_that_matters_less_mutes_nothing,
    what_is_muted_is_told_when_that_ends,
    what_is_over_before_it_may_be_told_is_told_to_nobody_and_the_reason_is_known,
    who_is_told_is_told_again_and_others_next_until_somebody_takes_care,
    what_is_low_waits_for_its_digest_and_is_in_it_until_its_end_was,
    what_is_critical_and_reached_nobody_is_itself_an_incident,
    what_goes_on_in_another_form_is_told_where_it_was_told,
    nobody_mutes_every_critical_system_by_accident,
}

/// A moment, in seconds after the morning's minute.
fn second(second: i64) -> Timestamp {
    minute(0) + SignedDuration::from_secs(second)
}

pub fn route(channel: &str, impact: &[Impact]) -> Route {
    Route {
        matcher: Matcher {
            impact: (!impact.is_empty()).then(|| impact.to_vec()),
            ..Matcher::default()
        },
        ..Route::of_everything(channel)
    }
}

/// One recipient a channel.
pub fn policy(routes: Vec<Route>, channels: &[&str]) -> Policy {
    let recipients = channels.iter().map(|name| {
        let recipient = format!("{name}@agency.example");
        ((*name).to_owned(), vec![recipient])
    });
    Policy {
        routes,
        recipients: recipients.collect(),
        ..Policy::default()
    }
}

fn seen(system: &str, impact: Impact, at: Timestamp, outcome: Outcome) -> Observation {
    let mut seen = run("consultar", at, outcome);
    seen.series.system = system.into();
    seen.impact = impact;
    seen
}

/// The first failed run counts.
fn quick() -> Rule {
    let mut rule = rule();
    rule.criteria.fails_after = Threshold::FIRST;
    rule.criteria.flapping.after = 1000;
    rule
}

/// What these systems do at this moment.
pub async fn happens(desk: &Desk, at: Timestamp, systems: &[(&str, Impact, Outcome)]) {
    let runs = systems
        .iter()
        .map(|(system, impact, outcome)| seen(system, *impact, at, *outcome))
        .collect();
    let answer = Answer {
        runs,
        read_until: Some(at),
        ..Answer::default()
    };
    desk.ledger.judge(&quick(), answer, at).await.unwrap();
}

pub async fn fail(desk: &Desk, at: Timestamp, systems: &[&str]) {
    let failed = systems
        .iter()
        .map(|system| (*system, Impact::Critical, Outcome::Failed));
    happens(desk, at, &failed.collect::<Vec<_>>()).await;
}

pub async fn recover(desk: &Desk, at: Timestamp, systems: &[&str]) {
    let restored = systems
        .iter()
        .map(|system| (*system, Impact::Critical, Outcome::Ok));
    happens(desk, at, &restored.collect::<Vec<_>>()).await;
}

/// A message as kind and systems; a `-` stands before one that is over.
pub fn said(delivery: &Delivery) -> String {
    let systems = delivery.conversation.incidents.iter().map(|incident| {
        let mark = if incident.end.is_some() { "-" } else { "" };
        format!("{mark}{}", incident.series.system)
    });
    let systems: Vec<_> = systems.collect();
    format!("{} {}", delivery.kind.name(), systems.join(" "))
}

/// Everything that this channel is told at this moment.
async fn told_on(desk: &Desk, channel: &str, now: Timestamp) -> Vec<String> {
    desk.ledger.look_again(now).await.unwrap();
    let mut told = Vec::new();
    while let Claim::Delivery(delivery) = desk.ledger.claim(channel, now).await.unwrap() {
        told.push(said(&delivery));
        let accepted = Settlement::Accepted("250".into());
        desk.ledger.settle(&delivery, accepted, now).await.unwrap();
    }
    told
}

async fn case_of(desk: &Desk, system: &str) -> Case {
    let unwritten = desk.ledger.unwritten().await.unwrap();
    let incident = unwritten
        .iter()
        .map(|unwritten| &unwritten.incident)
        .filter(|incident| incident.series.system == system)
        .max_by_key(|incident| incident.started_at)
        .unwrap();
    desk.ledger.case(&incident.id).await.unwrap().unwrap()
}

pub async fn reasons(desk: &Desk, system: &str) -> Vec<String> {
    let decisions = case_of(desk, system).await.decisions.into_iter();
    decisions
        .map(|decision| format!("{} {}", decision.verdict.name(), decision.reason))
        .collect()
}

async fn thirty_systems_behind_one_switch_are_one_message(shelf: Shelf) {
    let desk = Desk::of(shelf, policy(vec![route("mail", &[])], &["mail"])).await;
    let systems: Vec<String> = (10..40).map(|number| format!("s{number}")).collect();
    let systems: Vec<&str> = systems.iter().map(String::as_str).collect();

    fail(&desk, second(0), &systems[..20]).await;
    assert_eq!(told_on(&desk, "mail", second(0)).await, [""; 0]);
    fail(&desk, second(1), &systems[20..]).await;
    let all = systems.join(" ");
    assert_eq!(
        told_on(&desk, "mail", second(1)).await,
        [format!("opened {all}")]
    );
    assert_eq!(told_on(&desk, "mail", second(600)).await, [""; 0]);

    recover(&desk, second(700), &systems).await;
    let all = systems.join(" -");
    assert_eq!(
        told_on(&desk, "mail", second(700)).await,
        [format!("closed -{all}")]
    );
    assert_eq!(reasons(&desk, "s10").await, ["told route"]);
}

async fn those_who_go_on_joining_are_told_ever_more_rarely(shelf: Shelf) {
    let desk = Desk::of(shelf, policy(vec![route("mail", &[])], &["mail"])).await;
    fail(&desk, second(0), &["a"]).await;
    assert_eq!(told_on(&desk, "mail", second(1)).await, ["opened a"]);
    let mut told = 1;
    for (system, silence) in [("b", 10), ("c", 20), ("d", 40), ("e", 80), ("f", 80)] {
        fail(&desk, second(told + 1), &[system]).await;
        let before = told_on(&desk, "mail", second(told + silence - 1)).await;
        assert_eq!(before, [""; 0], "{system}");
        told += silence;
        assert_eq!(
            told_on(&desk, "mail", second(told)).await.len(),
            1,
            "{system}"
        );
    }
}

async fn who_fails_later_joins_the_conversation_and_who_recovers_leaves_it(shelf: Shelf) {
    let desk = Desk::of(shelf, policy(vec![route("mail", &[])], &["mail"])).await;

    fail(&desk, second(0), &["a", "b"]).await;
    assert_eq!(told_on(&desk, "mail", second(1)).await, ["opened a b"]);
    // Not at once after the first, and soon.
    fail(&desk, second(2), &["c"]).await;
    fail(&desk, second(5), &["d"]).await;
    assert_eq!(told_on(&desk, "mail", second(10)).await, [""; 0]);
    assert_eq!(
        told_on(&desk, "mail", second(11)).await,
        ["updated a b c d"]
    );
    recover(&desk, second(60), &["a"]).await;
    recover(&desk, second(70), &["c"]).await;
    assert_eq!(told_on(&desk, "mail", second(89)).await, [""; 0]);
    assert_eq!(
        told_on(&desk, "mail", second(90)).await,
        ["updated b d -a -c"]
    );
    // Long after it began, another one has nothing to do with it.
    fail(&desk, second(400), &["e"]).await;
    assert_eq!(told_on(&desk, "mail", second(401)).await, ["opened e"]);
    recover(&desk, second(500), &["b", "d"]).await;
    assert_eq!(
        told_on(&desk, "mail", second(500)).await,
        ["closed -a -b -c -d"]
    );
    // Its end and another one's beginning do not meet.
    recover(&desk, second(501), &["e"]).await;
    fail(&desk, second(502), &["a"]).await;
    let told = told_on(&desk, "mail", second(503)).await;
    assert_eq!(told, ["closed -e", "opened a"]);
}

async fn what_matters_less_is_never_in_the_message_of_what_is_critical(shelf: Shelf) {
    let desk = Desk::of(shelf, policy(vec![route("mail", &[])], &["mail"])).await;

    let failed = [
        ("low", Impact::Low, Outcome::Failed),
        ("critical", Impact::Critical, Outcome::Failed),
        ("high", Impact::High, Outcome::Failed),
    ];
    happens(&desk, second(0), &failed).await;

    let told = told_on(&desk, "mail", second(1)).await;
    assert_eq!(told, ["opened critical", "opened high", "opened low"]);
}

fn depending(routes: Vec<Route>) -> Policy {
    let needs = |system: &str| (system.to_owned(), vec!["identidad".to_owned()]);
    Policy {
        dependencies: Dependencies::new(BTreeMap::from([needs("tramites"), needs("pagos")])),
        ..policy(routes, &["mail"])
    }
}

async fn what_follows_from_a_cause_is_told_inside_it_and_by_itself_when_it_outlasts_it(
    shelf: Shelf,
) {
    let desk = Desk::of(shelf, depending(vec![route("mail", &[])])).await;
    let high = |system, outcome| (system, Impact::High, outcome);

    fail(&desk, second(0), &["identidad"]).await;
    assert_eq!(
        told_on(&desk, "mail", second(1)).await,
        ["opened identidad"]
    );
    let followed = [
        high("tramites", Outcome::Failed),
        high("pagos", Outcome::Failed),
        high("otro", Outcome::Failed),
    ];
    happens(&desk, second(40), &followed).await;
    let told = told_on(&desk, "mail", second(41)).await;
    assert_eq!(told, ["updated identidad pagos tramites", "opened otro"]);
    assert_eq!(reasons(&desk, "tramites").await, ["told inside"]);

    // The cause is over: what follows has a while to be over too.
    recover(&desk, second(100), &["identidad"]).await;
    happens(&desk, second(110), &[high("pagos", Outcome::Ok)]).await;
    assert_eq!(told_on(&desk, "mail", second(139)).await, [""; 0]);
    let told = told_on(&desk, "mail", second(220)).await;
    assert_eq!(told, ["updated tramites -identidad -pagos"]);
    assert_eq!(
        reasons(&desk, "tramites").await,
        ["told inside", "told cause_over"]
    );
    happens(&desk, second(300), &[high("tramites", Outcome::Ok)]).await;
    let told = told_on(&desk, "mail", second(300)).await;
    assert_eq!(told, ["closed -identidad -pagos -tramites"]);
}

async fn a_cause_that_matters_less_mutes_nothing(shelf: Shelf) {
    let desk = Desk::of(shelf, depending(vec![route("mail", &[])])).await;

    let cause = [("identidad", Impact::High, Outcome::Failed)];
    happens(&desk, second(0), &cause).await;
    fail(&desk, second(0), &["tramites"]).await;

    let told = told_on(&desk, "mail", second(1)).await;
    assert_eq!(told, ["opened tramites", "opened identidad"]);
}

fn muting(system: &str, from: Timestamp, to: Timestamp) -> Draft {
    Draft {
        matcher: Matcher {
            system: Some(vec![system.to_owned()]),
            ..Matcher::default()
        },
        starts: from,
        ends: to,
        author: "Ana".into(),
        comment: "cambio de disco".into(),
        may_mute_everything: false,
    }
}

async fn what_is_muted_is_told_when_that_ends(shelf: Shelf) {
    let desk = Desk::of(shelf, policy(vec![route("mail", &[])], &["mail"])).await;
    recover(&desk, minute(0), &["tramites", "pagos"]).await;
    let mute = muting("tramites", minute(0), minute(60));
    let silence = desk.ledger.silence(mute, minute(0)).await.unwrap().unwrap();

    fail(&desk, minute(1), &["tramites", "pagos"]).await;
    assert_eq!(told_on(&desk, "mail", minute(2)).await, ["opened pagos"]);
    assert_eq!(told_on(&desk, "mail", minute(59)).await, [""; 0]);
    assert_eq!(reasons(&desk, "tramites").await, ["held silenced"]);
    let active = desk.ledger.silences(minute(2)).await.unwrap();
    assert_eq!(active, std::slice::from_ref(&silence));
    // Ended early, or by itself: who was not told is told.
    assert!(
        desk.ledger
            .end_silence(&silence.id, minute(30))
            .await
            .unwrap()
    );
    assert!(
        !desk
            .ledger
            .end_silence(&silence.id, minute(30))
            .await
            .unwrap()
    );
    desk.ledger.look_again(minute(30)).await.unwrap();
    assert_eq!(
        told_on(&desk, "mail", minute(31)).await,
        ["opened tramites"]
    );
    assert_eq!(
        reasons(&desk, "tramites").await,
        ["held silenced", "told route"]
    );

    // The end of what was told is told, muted or not.
    let mute = muting("pagos", minute(32), minute(60));
    desk.ledger
        .silence(mute, minute(32))
        .await
        .unwrap()
        .unwrap();
    recover(&desk, minute(33), &["pagos"]).await;
    assert_eq!(told_on(&desk, "mail", minute(33)).await, ["closed -pagos"]);
    fail(&desk, minute(40), &["pagos"]).await;
    assert_eq!(told_on(&desk, "mail", minute(59)).await, [""; 0]);
    desk.ledger.look_again(minute(60)).await.unwrap();
    assert_eq!(told_on(&desk, "mail", minute(61)).await, ["opened pagos"]);
}

async fn what_is_over_before_it_may_be_told_is_told_to_nobody_and_the_reason_is_known(
    shelf: Shelf,
) {
    let desk = Desk::of(shelf, policy(vec![route("mail", &[])], &["mail"])).await;
    recover(&desk, minute(0), &["tramites", "pagos"]).await;
    let mute = muting("tramites", minute(0), minute(60));
    desk.ledger.silence(mute, minute(0)).await.unwrap().unwrap();

    fail(&desk, minute(1), &["tramites"]).await;
    recover(&desk, minute(2), &["tramites"]).await;

    assert_eq!(told_on(&desk, "mail", minute(61)).await, [""; 0]);
    let known = reasons(&desk, "tramites").await;
    assert_eq!(known, ["held silenced", "untold ended_before"]);
}

async fn who_is_told_is_told_again_and_others_next_until_somebody_takes_care(shelf: Shelf) {
    let insistent = Route {
        repeat: Some(SignedDuration::from_mins(10)),
        escalate: vec![Escalation {
            after: SignedDuration::from_mins(25),
            channels: vec![Target::Channel("chiefs".into())],
        }],
        ..route("mail", &[Impact::Critical])
    };
    let desk = Desk::of(shelf, policy(vec![insistent], &["mail", "chiefs"])).await;

    fail(&desk, minute(0), &["a", "b"]).await;
    assert_eq!(told_on(&desk, "mail", second(1)).await, ["opened a b"]);
    let mut told = Vec::new();
    for at in 2..=40 {
        for channel in ["mail", "chiefs"] {
            for message in told_on(&desk, channel, minute(at) + SignedDuration::from_secs(2)).await
            {
                told.push(format!("{at} {channel}: {message}"));
            }
        }
        if at == 32 {
            let conversation = case_of(&desk, "a").await.conversations.remove(0);
            let acknowledgement = Acknowledgement {
                at: minute(33),
                person: "Ana".into(),
                comment: "lo veo".into(),
            };
            let taken = desk.ledger.acknowledge(&conversation.id, acknowledgement);
            assert_eq!(taken.await.unwrap().len(), 2);
        }
    }
    assert_eq!(
        told,
        [
            "10 mail: reminder a b",
            "20 mail: reminder a b",
            // The first to be told of it comes a second after it is decided.
            "26 chiefs: escalated a b",
            "30 mail: reminder a b",
        ]
    );
    assert_eq!(case_of(&desk, "b").await.acknowledgements[0].person, "Ana");
    recover(&desk, minute(50), &["a", "b"]).await;
    for channel in ["mail", "chiefs"] {
        assert_eq!(told_on(&desk, channel, minute(50)).await, ["closed -a -b"]);
    }
}

async fn what_is_low_waits_for_its_digest_and_is_in_it_until_its_end_was(shelf: Shelf) {
    let digest = Route {
        when: When::Digest(Time::constant(8, 0, 0, 0), TimeZone::UTC),
        ..route("mail", &[Impact::Low])
    };
    let desk = Desk::of(shelf, policy(vec![digest], &["mail"])).await;
    let low = |system, outcome| (system, Impact::Low, outcome);
    let next_morning = |days: i64| {
        "2026-11-22T08:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(24 * days)
    };

    let failed = [low("a", Outcome::Failed), low("b", Outcome::Failed)];
    happens(&desk, minute(0), &failed).await;
    happens(&desk, minute(5), &[low("a", Outcome::Ok)]).await;
    assert_eq!(told_on(&desk, "mail", minute(600)).await, [""; 0]);

    assert_eq!(
        told_on(&desk, "mail", next_morning(1)).await,
        ["digest b -a"]
    );
    assert_eq!(told_on(&desk, "mail", next_morning(1)).await, [""; 0]);
    let at = next_morning(1) + SignedDuration::from_hours(1);
    happens(&desk, at, &[low("b", Outcome::Ok)]).await;
    assert_eq!(told_on(&desk, "mail", at).await, [""; 0]);
    assert_eq!(told_on(&desk, "mail", next_morning(2)).await, ["digest -b"]);
    assert_eq!(told_on(&desk, "mail", next_morning(3)).await, [""; 0]);
    let known = reasons(&desk, "a").await;
    assert_eq!(known, ["held digest_at", "told digest"]);
}

async fn what_is_critical_and_reached_nobody_is_itself_an_incident(shelf: Shelf) {
    let narrow = Route {
        matcher: Matcher {
            system: Some(vec!["tramites".into()]),
            ..Matcher::default()
        },
        ..route("mail", &[])
    };
    let desk = Desk::of(shelf, policy(vec![narrow], &["mail", "operators"])).await;

    // No route takes it: everybody is told that.
    fail(&desk, minute(0), &["pagos"]).await;
    for channel in ["mail", "operators"] {
        let told = told_on(&desk, channel, second(1)).await;
        assert_eq!(told, ["opened vigia"], "{channel}");
    }
    assert_eq!(
        reasons(&desk, "pagos").await,
        ["untold no_route", "noted raised"]
    );
    recover(&desk, minute(1), &["pagos"]).await;
    for channel in ["mail", "operators"] {
        let told = told_on(&desk, channel, minute(1)).await;
        assert_eq!(told, ["closed -vigia"], "{channel}");
    }

    // The only channel refuses it for good.
    fail(&desk, minute(10), &["tramites"]).await;
    let at = minute(10) + SignedDuration::from_secs(1);
    let Claim::Delivery(delivery) = desk.ledger.claim("mail", at).await.unwrap() else {
        panic!("nobody is told");
    };
    let refused = Settlement::Refused("550".into());
    desk.ledger.settle(&delivery, refused, at).await.unwrap();
    desk.ledger.look_again(at).await.unwrap();
    let at = at + SignedDuration::from_secs(1);
    assert_eq!(told_on(&desk, "operators", at).await, ["opened vigia"]);
    recover(&desk, minute(12), &["tramites"]).await;
    assert_eq!(
        told_on(&desk, "operators", minute(12)).await,
        ["closed -vigia"]
    );
}

async fn what_goes_on_in_another_form_is_told_where_it_was_told(shelf: Shelf) {
    let routes = vec![
        route("owners", &[Impact::High]),
        route("mail", &[Impact::Critical]),
    ];
    let desk = Desk::of(shelf, policy(routes, &["owners", "mail"])).await;
    let see = async |at: Timestamp, here: Outcome, there: Outcome| {
        let mut runs = vec![seen("tramites", Impact::Critical, at, here)];
        let later = at + SignedDuration::from_secs(10);
        let mut elsewhere = seen("tramites", Impact::Critical, later, there);
        elsewhere.series.probe = "sucursal".into();
        runs.push(elsewhere);
        let answer = Answer {
            runs,
            ..Answer::default()
        };
        let mut rule = quick();
        rule.criteria.probes = vigia_alert::judge::Probes::Together(2);
        desk.ledger.judge(&rule, answer, later).await.unwrap();
    };

    see(minute(0), Outcome::Ok, Outcome::Ok).await;
    see(minute(1), Outcome::Failed, Outcome::Ok).await;
    assert_eq!(
        told_on(&desk, "owners", minute(2)).await,
        ["opened tramites"]
    );
    see(minute(2), Outcome::Failed, Outcome::Failed).await;
    for channel in ["owners", "mail"] {
        let told = told_on(&desk, channel, minute(3)).await;
        assert_eq!(told, ["opened tramites"], "{channel}");
    }
    see(minute(4), Outcome::Ok, Outcome::Ok).await;
    for channel in ["owners", "mail"] {
        let told = told_on(&desk, channel, minute(5)).await;
        assert_eq!(told, ["closed -tramites"], "{channel}");
    }
}

async fn nobody_mutes_every_critical_system_by_accident(shelf: Shelf) {
    let desk = Desk::of(shelf, policy(vec![route("mail", &[])], &["mail"])).await;
    recover(&desk, minute(0), &["tramites", "pagos"]).await;
    let mute = async |system: &str, hours: i64, may_mute_everything: bool| {
        let draft = Draft {
            may_mute_everything,
            ..muting(system, minute(0), minute(60 * hours))
        };
        let answer = desk.ledger.silence(draft, minute(0)).await.unwrap();
        answer.map_or_else(
            |refusals| refusals.iter().map(ToString::to_string).collect(),
            |silence| silence.author,
        )
    };

    assert_eq!(mute("tramites", 1, false).await, "Ana");
    assert_eq!(
        mute("*", 1, false).await,
        "it names nothing, so it would mute everything"
    );
    assert_eq!(
        mute("*a*", 1, false).await,
        "it would mute every critical system"
    );
    assert_eq!(mute("*a*", 4, true).await, "Ana");
    assert_eq!(
        mute("*a*", 5, true).await,
        "what mutes everything, or every critical system, ends after four hours at the latest"
    );
}

/// What may happen, each some seconds after the other.
#[derive(Clone, Debug)]
enum Event {
    Fails(usize),
    Recovers(usize),
    Muted(usize),
    Unmuted,
    TakenCareOf(usize),
    Looked,
    /// A message is taken by this channel, in this way.
    Sent(usize, Sending),
}

#[derive(Clone, Copy, Debug)]
enum Sending {
    Accepted,
    Refused,
    Postponed,
    /// The process dies while it is being sent.
    Died,
}

const SYSTEMS: [(&str, Impact); 5] = [
    ("identidad", Impact::Critical),
    ("tramites", Impact::Critical),
    ("pagos", Impact::High),
    ("portal", Impact::High),
    ("cartelera", Impact::Low),
];
const CHANNELS: [&str; 3] = ["mail", "owners", "chiefs"];

fn event() -> impl Strategy<Value = Event> {
    let system = || 0..SYSTEMS.len();
    let sending = prop_oneof![
        6 => Just(Sending::Accepted),
        1 => Just(Sending::Refused),
        2 => Just(Sending::Postponed),
        1 => Just(Sending::Died),
    ];
    prop_oneof![
        4 => system().prop_map(Event::Fails),
        4 => system().prop_map(Event::Recovers),
        1 => system().prop_map(Event::Muted),
        1 => Just(Event::Unmuted),
        1 => system().prop_map(Event::TakenCareOf),
        3 => Just(Event::Looked),
        8 => (0..CHANNELS.len(), sending).prop_map(|(channel, sending)| Event::Sent(channel, sending)),
    ]
}

fn everything() -> Policy {
    let chiefs = Escalation {
        after: SignedDuration::from_mins(3),
        channels: vec![Target::Channel("chiefs".into())],
    };
    let routes = vec![
        Route {
            repeat: Some(SignedDuration::from_mins(2)),
            escalate: vec![chiefs],
            ..route("mail", &[Impact::Critical])
        },
        route("owners", &[Impact::Critical, Impact::High]),
        Route {
            when: When::Digest(Time::constant(9, 5, 0, 0), TimeZone::UTC),
            ..route("owners", &[Impact::Low])
        },
    ];
    Policy {
        grouping: Grouping::default(),
        ..Policy {
            dependencies: depending(Vec::new()).dependencies,
            ..policy(routes, &CHANNELS)
        }
    }
}

/// Plays the events, then lets everything end and be sent; gives what became of every incident.
async fn played(events: Vec<(u8, Event)>) -> (Vec<Case>, Vec<(String, String, Kind)>) {
    let mut desk = Desk::of(Shelf::of_sqlite(), everything()).await;
    let mut now = minute(0);
    let mut sent: Vec<(String, String, Kind)> = Vec::new();
    recover(&desk, now, &SYSTEMS.map(|(system, _)| system)).await;
    let mut ids = BTreeSet::new();
    let mut silences = Vec::new();
    for (pause, event) in events {
        now += SignedDuration::from_secs(i64::from(pause) + 1);
        match event {
            Event::Fails(number) | Event::Recovers(number) => {
                let (system, impact) = SYSTEMS[number];
                let outcome = match event {
                    Event::Fails(_) => Outcome::Failed,
                    _ => Outcome::Ok,
                };
                happens(&desk, now, &[(system, impact, outcome)]).await;
            }
            Event::Muted(number) => {
                let until = now + SignedDuration::from_mins(4);
                let mute = muting(SYSTEMS[number].0, now, until);
                if let Ok(silence) = desk.ledger.silence(mute, now).await.unwrap() {
                    silences.push(silence.id);
                }
            }
            Event::Unmuted => {
                if let Some(silence) = silences.pop() {
                    desk.ledger.end_silence(&silence, now).await.unwrap();
                }
            }
            Event::TakenCareOf(number) => {
                for case in desk.ledger.open_cases().await.unwrap() {
                    if case.incident.series.system == SYSTEMS[number].0 {
                        let acknowledgement = Acknowledgement {
                            at: now,
                            person: "Ana".into(),
                            comment: String::new(),
                        };
                        let id = &case.incident.id;
                        desk.ledger.acknowledge(id, acknowledgement).await.unwrap();
                    }
                }
            }
            Event::Looked => {
                desk.ledger.look_again(now).await.unwrap();
            }
            Event::Sent(channel, sending) => {
                let channel = CHANNELS[channel];
                let claim = desk.ledger.claim(channel, now).await.unwrap();
                if let Claim::Delivery(delivery) = claim {
                    let settlement = match sending {
                        Sending::Accepted => Settlement::Accepted("250".into()),
                        Sending::Refused => Settlement::Refused("550".into()),
                        Sending::Postponed => Settlement::Postponed("451".into(), now),
                        Sending::Died => {
                            desk = Desk::of(desk.close().await, everything()).await;
                            continue;
                        }
                    };
                    if matches!(sending, Sending::Accepted) {
                        let of = delivery.conversation.id.clone();
                        sent.push((of, delivery.recipient.clone(), delivery.kind));
                    }
                    desk.ledger
                        .settle(&delivery, settlement, now)
                        .await
                        .unwrap();
                }
            }
        }
        for case in desk.ledger.open_cases().await.unwrap() {
            ids.insert(case.incident.id);
        }
    }
    end_everything(&desk, now, &mut ids, &mut sent).await;
    let mut cases = Vec::new();
    for id in ids {
        cases.push(desk.ledger.case(&id).await.unwrap().unwrap());
    }
    (cases, sent)
}

/// A day later everything is well, and everything was sent that was to be.
async fn end_everything(
    desk: &Desk,
    mut now: Timestamp,
    ids: &mut BTreeSet<String>,
    sent: &mut Vec<(String, String, Kind)>,
) {
    for round in 0..3 {
        now += SignedDuration::from_hours(24);
        if round == 0 {
            for (system, impact) in SYSTEMS {
                happens(desk, now, &[(system, impact, Outcome::Ok)]).await;
            }
        }
        for _ in 0..2 {
            desk.ledger.look_again(now).await.unwrap();
            now += SignedDuration::from_mins(10);
            for channel in CHANNELS {
                while let Claim::Delivery(delivery) = desk.ledger.claim(channel, now).await.unwrap()
                {
                    let of = delivery.conversation.id.clone();
                    sent.push((of, delivery.recipient.clone(), delivery.kind));
                    let accepted = Settlement::Accepted("250".into());
                    desk.ledger.settle(&delivery, accepted, now).await.unwrap();
                }
            }
            for case in desk.ledger.open_cases().await.unwrap() {
                ids.insert(case.incident.id);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// For every incident somebody is told, or it is known why nobody was; who was told that it began is told that it ended, and
    /// nobody is told of an end without a beginning, or of anything after the end.
    #[test]
    fn whatever_happens_somebody_is_told_or_it_is_known_why_nobody_was(
        events in prop::collection::vec((0_u8..60, event()), 1..60),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (cases, sent) = runtime.block_on(played(events));
        for case in &cases {
            let id = &case.incident.id;
            prop_assert!(!case.decisions.is_empty(), "nothing was decided about {id}");
            prop_assert!(case.incident.end.is_some(), "{id} never ended");
            let is_told = !case.deliveries.is_empty();
            let last = case.decisions.last().unwrap();
            let said = last.verdict.name();
            prop_assert!(is_told || said == "untold", "{id}: {:?}", case.decisions);
            for delivery in &case.deliveries {
                let is_settled = matches!(delivery.state, State::Accepted | State::Refused);
                prop_assert!(is_settled, "{delivery:?} was never settled");
            }
            for conversation in &case.conversations {
                let is_digest = conversation.id.starts_with("digest.");
                prop_assert!(is_digest || conversation.ended_at.is_some(), "{conversation:?}");
            }
        }
        let mut conversations: BTreeMap<(&str, &str), Vec<Kind>> = BTreeMap::new();
        for (conversation, recipient, kind) in &sent {
            conversations.entry((conversation, recipient)).or_default().push(*kind);
        }
        for (of, kinds) in conversations {
            let (first, last) = (kinds[0], kinds[kinds.len() - 1]);
            match first {
                Kind::Whole | Kind::Digest => prop_assert_eq!(kinds.len(), 1, "{:?} {:?}", of, kinds),
                Kind::Opened | Kind::Escalated => {
                    let went_on = sent.iter().any(|(conversation, _, _)| conversation == of.0);
                    prop_assert!(went_on);
                    let former = cases.iter().any(|case| {
                        case.decisions.iter().any(|decision| decision.reason == "goes_on_as")
                            && case.conversations.iter().any(|conversation| conversation.id == of.0)
                    });
                    let is_refused = cases.iter().flat_map(|case| &case.deliveries).any(|delivery| {
                        delivery.conversation == of.0 && delivery.state == State::Refused
                    });
                    prop_assert!(last.is_end() || former || is_refused, "{:?} {:?}", of, kinds);
                    let ends = kinds.iter().filter(|kind| kind.is_end()).count();
                    prop_assert!(ends <= 1, "{:?} {:?}", of, kinds);
                }
                other => prop_assert!(false, "{:?} begins with {:?}", of, other),
            }
        }
    }
}
