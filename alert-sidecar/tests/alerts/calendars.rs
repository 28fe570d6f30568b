//! Hours, digests, windows and turns by the clock of their place, through the store. Nobody asks it at moments that a test chooses:
//! it says itself when it is to be asked next, as the program asks it, so each message comes with the moment at which it went.

use jiff::{SignedDuration, Timestamp, civil::Weekday, tz::TimeZone};
use vigia_alert::{
    route::{
        group::Grouping,
        holidays::Holidays,
        hours::Hours,
        maintenance::{Maintenance, Window},
        matcher::Matcher,
        on_call::{Instead, OnCall},
        tree::{Route, Target, When},
    },
    store::{judgement::Policy, ledger::Claim, outbox::Settlement},
};
use vigia_contract::data_model::{Impact, Outcome};
use vigia_testbed::servers::{PostgreSql, Program, requires};

use super::{
    ledgers::Desk,
    routing::{self, happens, reasons, route, said},
    stores::Shelf,
};

promises! {
    what_fails_at_night_at_the_weekend_or_on_a_holiday_waits_for_the_hours,
    who_is_told_outside_of_the_hours_waits_for_their_end,
    hours_begin_by_the_clock_of_their_place_in_summer_and_in_winter,
    a_digest_comes_once_a_night_also_when_its_hour_is_left_out_or_comes_twice,
    a_window_holds_everything_back_and_ends_by_the_stopwatch_when_the_clocks_change,
    the_turn_changes_at_its_hour_and_who_was_told_is_told_the_rest,
    what_is_critical_and_nobody_has_after_two_minutes_is_itself_an_incident,
    what_is_critical_and_waits_for_hours_is_itself_an_incident,
}

/// The program looks at least this often, also where nothing is due: what was told may end something.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_secs(30);

const GUARDS: &[&str] = &["ana", "beto", "carla"];

/// What happens, and what is told meanwhile.
struct Play {
    desk: Desk,
    /// The channels that work.
    channels: &'static [&'static str],
    now: Timestamp,
    told: Vec<String>,
}

impl Play {
    async fn new(shelf: Shelf, policy: Policy, channels: &'static [&'static str]) -> Self {
        Self {
            desk: Desk::of(shelf, policy).await,
            channels,
            now: Timestamp::UNIX_EPOCH,
            told: Vec::new(),
        }
    }

    /// Lets the time pass: the store is asked when it said that there would be something to do.
    async fn until(&mut self, until: Timestamp) {
        // Who wakes up for nothing again and again burns the machine.
        for _ in 0..1000 {
            let mut next = self.desk.ledger.look_again(self.now).await.unwrap();
            let told = self.told.len();
            for channel in self.channels {
                let due = self.bring(channel).await;
                next = [next, due].into_iter().flatten().min();
            }
            if self.told.len() > told {
                let then = self.now + LONGEST_WAIT;
                next = Some(next.map_or(then, |next| next.min(then)));
            }
            let next = next.filter(|next| *next <= until);
            // What is due again at the same moment had its turn.
            let tick = self.now + SignedDuration::from_secs(1);
            match next {
                Some(next) if next.max(tick) <= until => self.now = next.max(tick),
                _ => {
                    self.now = until;
                    return;
                }
            }
        }
        panic!("it is still {} after a thousand looks", self.now);
    }

    /// Brings what is due on a channel; gives when something is due next.
    async fn bring(&mut self, channel: &str) -> Option<Timestamp> {
        loop {
            match self.desk.ledger.claim(channel, self.now).await.unwrap() {
                Claim::Nothing(due) => return due,
                Claim::Delivery(delivery) => {
                    let message = said(&delivery);
                    self.told.push(format!("{} {channel}: {message}", self.now));
                    let accepted = Settlement::Accepted("250".into());
                    let settled = self.desk.ledger.settle(&delivery, accepted, self.now);
                    settled.await.unwrap();
                }
            }
        }
    }

    async fn sees(&mut self, at: &str, system: &str, impact: Impact, outcome: Outcome) {
        let at: Timestamp = at.parse().unwrap();
        if self.now == Timestamp::UNIX_EPOCH {
            self.now = at;
        }
        self.until(at).await;
        happens(&self.desk, at, &[(system, impact, outcome)]).await;
    }

    async fn fails(&mut self, at: &str, system: &str, impact: Impact) {
        self.sees(at, system, impact, Outcome::Failed).await;
    }

    async fn recovers(&mut self, at: &str, system: &str, impact: Impact) {
        self.sees(at, system, impact, Outcome::Ok).await;
    }

    /// What was told until this moment, since this was last asked.
    async fn told(&mut self, until: &str) -> Vec<String> {
        self.until(until.parse().unwrap()).await;
        std::mem::take(&mut self.told)
    }
}

/// Nothing waits for others, so that each message goes at the moment that is looked at.
fn policy(routes: Vec<Route>, channels: &[&str]) -> Policy {
    Policy {
        grouping: Grouping {
            wait: SignedDuration::ZERO,
            ..Grouping::default()
        },
        ..routing::policy(routes, channels)
    }
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

/// From nine to six on working days that are not Christmas.
fn office(place: &str) -> Hours {
    let christmas = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261225\nEND:VEVENT\nEND:VCALENDAR";
    Hours {
        name: "office".into(),
        days: vec![
            Weekday::Monday,
            Weekday::Tuesday,
            Weekday::Wednesday,
            Weekday::Thursday,
            Weekday::Friday,
        ],
        from: "09:00".parse().unwrap(),
        to: "18:00".parse().unwrap(),
        time_zone: zone(place),
        holidays: Holidays::read(christmas).unwrap(),
    }
}

fn when(when: When, route: Route) -> Route {
    Route { when, ..route }
}

async fn what_fails_at_night_at_the_weekend_or_on_a_holiday_waits_for_the_hours(shelf: Shelf) {
    use Impact::High;
    let owners = when(When::In(office("America/Montevideo")), route("mail", &[]));
    let mut play = Play::new(shelf, policy(vec![owners], &["mail"]), &["mail"]).await;

    // A Saturday.
    play.fails("2026-11-28T10:00:00Z", "a", High).await;
    play.fails("2026-11-28T11:00:00Z", "b", High).await;
    play.recovers("2026-11-29T11:00:00Z", "b", High).await;
    play.fails("2026-11-30T15:00:00Z", "c", High).await;
    // The ends go to those who were told, at any hour.
    play.recovers("2026-11-30T23:00:00Z", "c", High).await;
    play.recovers("2026-11-30T23:30:00Z", "a", High).await;
    assert_eq!(
        play.told("2026-12-01T00:00:00Z").await,
        [
            "2026-11-30T12:00:00Z mail: opened a",
            "2026-11-30T15:00:00Z mail: opened c",
            "2026-11-30T23:00:00Z mail: closed -c",
            "2026-11-30T23:30:00Z mail: closed -a",
        ]
    );
    let known = reasons(&play.desk, "b").await;
    assert_eq!(known, ["held hours", "untold ended_before"]);

    // The hours of Christmas Eve are just over.
    play.fails("2026-12-24T21:00:00Z", "d", High).await;
    assert_eq!(
        play.told("2026-12-29T00:00:00Z").await,
        ["2026-12-28T12:00:00Z mail: opened d"]
    );
}

async fn who_is_told_outside_of_the_hours_waits_for_their_end(shelf: Shelf) {
    let office = office("America/Montevideo");
    let night = when(When::Outside(office), route("mail", &[]));
    let mut play = Play::new(shelf, policy(vec![night], &["mail"]), &["mail"]).await;

    play.fails("2026-11-28T10:00:00Z", "a", Impact::High).await;
    play.fails("2026-11-30T15:00:00Z", "b", Impact::High).await;
    assert_eq!(
        play.told("2026-12-01T00:00:00Z").await,
        [
            "2026-11-28T10:00:00Z mail: opened a",
            "2026-11-30T21:00:00Z mail: opened b",
        ]
    );
}

async fn hours_begin_by_the_clock_of_their_place_in_summer_and_in_winter(shelf: Shelf) {
    let owners = when(When::In(office("Europe/Madrid")), route("mail", &[]));
    let mut play = Play::new(shelf, policy(vec![owners], &["mail"]), &["mail"]).await;

    // The clocks go forward on Sunday, 29 March, and back on Sunday, 25 October.
    for (friday, system) in [
        ("2026-03-20T20:00:00Z", "a"),
        ("2026-03-27T20:00:00Z", "b"),
        ("2026-10-23T20:00:00Z", "c"),
    ] {
        play.fails(friday, system, Impact::High).await;
    }
    assert_eq!(
        play.told("2026-10-27T00:00:00Z").await,
        [
            "2026-03-23T08:00:00Z mail: opened a",
            "2026-03-30T07:00:00Z mail: opened b",
            "2026-10-26T08:00:00Z mail: opened c",
        ]
    );
}

async fn a_digest_comes_once_a_night_also_when_its_hour_is_left_out_or_comes_twice(shelf: Shelf) {
    let at = When::Digest("02:30".parse().unwrap(), zone("Europe/Madrid"));
    let digest = when(at, route("mail", &[Impact::Low]));
    let mut play = Play::new(shelf, policy(vec![digest], &["mail"]), &["mail"]).await;

    play.fails("2026-03-27T12:00:00Z", "a", Impact::Low).await;
    play.recovers("2026-03-30T12:00:00Z", "a", Impact::Low)
        .await;
    assert_eq!(
        play.told("2026-04-02T00:00:00Z").await,
        [
            "2026-03-28T01:30:00Z mail: digest a",
            // There is no half past two in this night: it is half past three.
            "2026-03-29T01:30:00Z mail: digest a",
            "2026-03-30T00:30:00Z mail: digest a",
            "2026-03-31T00:30:00Z mail: digest -a",
        ]
    );
    play.fails("2026-10-24T12:00:00Z", "b", Impact::Low).await;
    play.recovers("2026-10-26T12:00:00Z", "b", Impact::Low)
        .await;
    assert_eq!(
        play.told("2026-10-29T00:00:00Z").await,
        [
            "2026-10-25T00:30:00Z mail: digest b",
            "2026-10-26T01:30:00Z mail: digest b",
            "2026-10-27T01:30:00Z mail: digest -b",
        ]
    );
}

async fn a_window_holds_everything_back_and_ends_by_the_stopwatch_when_the_clocks_change(
    shelf: Shelf,
) {
    use Impact::Critical;
    let insistent = Route {
        repeat: Some(SignedDuration::from_mins(10)),
        ..route("mail", &[])
    };
    let sundays = Maintenance {
        name: "sundays".into(),
        matcher: Matcher::default(),
        window: Window::Again {
            cron: Box::new("0 2 * * SUN".parse().unwrap()),
            lasts: SignedDuration::from_hours(2),
            time_zone: zone("Europe/Madrid"),
        },
    };
    let policy = Policy {
        maintenance: vec![sundays],
        ..policy(vec![insistent], &["mail"])
    };
    let mut play = Play::new(shelf, policy, &["mail"]).await;

    // There is no two o'clock in this night: the window begins at three, which is one in UTC.
    play.fails("2026-03-29T00:55:00Z", "a", Critical).await;
    play.fails("2026-03-29T01:10:00Z", "b", Critical).await;
    play.fails("2026-03-29T01:20:00Z", "c", Critical).await;
    play.recovers("2026-03-29T01:40:00Z", "c", Critical).await;
    play.recovers("2026-03-29T03:05:00Z", "a", Critical).await;
    play.recovers("2026-03-29T03:05:00Z", "b", Critical).await;
    assert_eq!(
        play.told("2026-03-29T04:00:00Z").await,
        [
            "2026-03-29T00:55:00Z mail: opened a",
            "2026-03-29T03:00:00Z mail: opened b",
            "2026-03-29T03:00:00Z mail: reminder a",
            "2026-03-29T03:05:00Z mail: closed -a",
            "2026-03-29T03:05:00Z mail: closed -b",
        ]
    );
    let known = reasons(&play.desk, "c").await;
    assert_eq!(known, ["held maintenance", "untold ended_before"]);

    // In this night it is between two and three twice: the window begins the first time, and two hours are two hours.
    play.fails("2026-10-25T00:00:00Z", "d", Critical).await;
    assert_eq!(
        play.told("2026-10-25T02:05:00Z").await,
        ["2026-10-25T02:00:00Z mail: opened d"]
    );
}

async fn the_turn_changes_at_its_hour_and_who_was_told_is_told_the_rest(shelf: Shelf) {
    use Impact::Critical;
    let guard = OnCall {
        name: "guard".into(),
        channels: ["ana", "beto", "carla"].map(String::from).into(),
        since: "2026-03-16T09:00".parse().unwrap(),
        days: 7,
        time_zone: zone("Europe/Madrid"),
        instead: vec![Instead {
            from: "2026-04-01T00:00".parse().unwrap(),
            to: "2026-04-02T00:00".parse().unwrap(),
            channel: "ana".into(),
        }],
    };
    let on_call = Route {
        channels: vec![Target::OnCall(guard)],
        repeat: Some(SignedDuration::from_mins(30)),
        ..Route::default()
    };
    let mut play = Play::new(shelf, policy(vec![on_call], GUARDS), GUARDS).await;

    play.fails("2026-03-23T07:50:00Z", "a", Critical).await;
    play.fails("2026-03-23T08:00:00Z", "b", Critical).await;
    play.recovers("2026-03-23T08:25:00Z", "a", Critical).await;
    play.recovers("2026-03-23T08:26:00Z", "b", Critical).await;
    assert_eq!(
        play.told("2026-03-24T00:00:00Z").await,
        [
            "2026-03-23T07:50:00Z ana: opened a",
            "2026-03-23T08:00:00Z beto: opened b",
            "2026-03-23T08:20:00Z ana: reminder a",
            "2026-03-23T08:25:00Z ana: closed -a",
            "2026-03-23T08:26:00Z beto: closed -b",
        ]
    );
    // The clocks went forward: nine o'clock is seven in UTC now.
    play.fails("2026-03-30T06:59:59Z", "c", Critical).await;
    play.fails("2026-03-30T07:00:00Z", "d", Critical).await;
    play.recovers("2026-03-30T07:10:00Z", "c", Critical).await;
    play.recovers("2026-03-30T07:10:00Z", "d", Critical).await;
    // Carla's day off.
    play.fails("2026-03-31T22:00:00Z", "e", Critical).await;
    assert_eq!(
        play.told("2026-03-31T22:00:00Z").await,
        [
            "2026-03-30T06:59:59Z beto: opened c",
            "2026-03-30T07:00:00Z carla: opened d",
            "2026-03-30T07:10:00Z beto: closed -c",
            "2026-03-30T07:10:00Z carla: closed -d",
            "2026-03-31T22:00:00Z ana: opened e",
        ]
    );
}

/// What is told of Vigía itself goes to its operators.
fn watched(route: Route) -> Policy {
    let operators = Route {
        matcher: Matcher {
            system: Some(vec!["vigia".into()]),
            ..Matcher::default()
        },
        ..self::route("operators", &[])
    };
    policy(vec![route, operators], &["mail", "operators"])
}

async fn what_is_critical_and_nobody_has_after_two_minutes_is_itself_an_incident(shelf: Shelf) {
    let policy = || watched(route("mail", &[]));
    let mut play = Play::new(shelf, policy(), &["operators"]).await;

    play.fails("2026-11-28T10:00:00Z", "tramites", Impact::Critical)
        .await;
    // The mail server hangs with it in its hand, and the program is started again.
    let claim = play.desk.ledger.claim("mail", play.now).await.unwrap();
    assert!(matches!(claim, Claim::Delivery(_)), "{claim:?}");
    assert_eq!(play.told("2026-11-28T10:01:00Z").await, [""; 0]);
    play.desk = Desk::of(play.desk.close().await, policy()).await;
    assert_eq!(
        play.told("2026-11-28T10:05:00Z").await,
        ["2026-11-28T10:02:00Z operators: opened vigia"]
    );
    let known = reasons(&play.desk, "tramites").await;
    assert_eq!(known, ["told route", "noted raised"]);
    // It works again.
    play.channels = &["mail", "operators"];
    assert_eq!(
        play.told("2026-11-28T10:10:00Z").await,
        [
            "2026-11-28T10:05:00Z mail: opened tramites",
            "2026-11-28T10:05:30Z operators: closed -vigia",
        ]
    );
}

async fn what_is_critical_and_waits_for_hours_is_itself_an_incident(shelf: Shelf) {
    let waiting = when(When::In(office("Europe/Madrid")), route("mail", &[]));
    let channels: &[&str] = &["mail", "operators"];
    let mut play = Play::new(shelf, watched(waiting), channels).await;

    play.fails("2026-11-28T10:00:00Z", "tramites", Impact::Critical)
        .await;
    assert_eq!(
        play.told("2026-11-30T08:01:00Z").await,
        [
            "2026-11-28T10:02:00Z operators: opened vigia",
            "2026-11-30T08:00:00Z mail: opened tramites",
            "2026-11-30T08:00:30Z operators: closed -vigia",
        ]
    );
}
