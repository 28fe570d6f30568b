//! What happens to the store: written by an earlier version, by a later one, damaged, or on a disk that is full.

use std::{
    fs,
    io::{ErrorKind, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::SignedDuration;
use rustix::process::Signal;
use sqlx::Connection;
use vigia_alert::{
    flux::poll::Answer,
    store::{
        Store,
        keeper::Keeper,
        outbox::{Kind, Settlement},
    },
};
use vigia_contract::data_model::Outcome;
use vigia_testbed::{
    servers::{PostgreSql, Program, requires},
    until::until,
};

use super::{
    ledgers::{self, Desk, minute, rule, run},
    scripted_smtp::{Act, ScriptedSmtp},
    sidecar::{Sidecar, Stage, plain},
    stores::Shelf,
};

const SOON: Duration = Duration::from_secs(10);
const RECIPIENTS: [&str; 2] = ["director@agency.example", "turno@agency.example"];

#[tokio::test]
async fn what_the_first_version_wrote_is_carried_on() {
    let shelf = Shelf::of_sqlite();
    let mut connection = shelf.connect().await;
    sqlx::raw_sql(include_str!("stores/first.sql"))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let desk = Desk::new(shelf, &RECIPIENTS).await;

    // The second was being told when the process was killed.
    let repeat = desk.claim(minute(3)).await.unwrap();
    assert_eq!(
        (repeat.recipient.as_str(), repeat.kind, repeat.is_repeat),
        (RECIPIENTS[1], Kind::Opened, true)
    );
    let taken = Settlement::Accepted("250".into());
    desk.ledger.settle(&repeat, taken, minute(3)).await.unwrap();
    desk.judge(&[(minute(4), Outcome::Ok)], minute(4)).await;
    for recipient in RECIPIENTS {
        let end = desk.claim(minute(4)).await.unwrap();
        assert_eq!(
            (end.recipient.as_str(), end.kind),
            (recipient, Kind::Closed)
        );
    }
}

#[tokio::test]
async fn what_a_later_version_wrote_is_left_alone() {
    let shelf = Desk::new(Shelf::of_sqlite(), &RECIPIENTS)
        .await
        .close()
        .await;
    let mut connection = shelf.connect().await;
    sqlx::raw_sql(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'from the future', 1, x'00', 0)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();

    let refused = Store::open(&shelf.place).await.unwrap_err().to_string();

    assert_eq!(
        refused,
        format!(
            "failed to bring the store `{}` up to date: migration 9999 was previously applied but is missing in the resolved migrations",
            shelf.file().display()
        )
    );
    assert!(set_aside(shelf.file()).is_empty());
}

/// What stands beside the store as its damaged former self.
fn set_aside(store: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(store.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains(".damaged-"))
        .collect();
    found.sort();
    found
}

/// A closed store with this many incidents, each to be told to two.
async fn full_store(shelf: Shelf, incidents: i64) -> Shelf {
    let desk = Desk::new(shelf, &RECIPIENTS).await;
    let mut runs = Vec::new();
    for second in [0, 1] {
        for journey in 0..incidents {
            let at = minute(0) + SignedDuration::from_secs(second);
            runs.push(run(&format!("journey-{journey}"), at, Outcome::Failed));
        }
    }
    let answer = Answer {
        read_until: Some(minute(1)),
        runs,
        ..Answer::default()
    };
    desk.ledger.judge(&rule(), answer, minute(1)).await.unwrap();
    desk.close().await
}

/// Writes nonsense over a part of the file, in thousandths of its length.
fn damage(store: &Path, from: usize, to: usize) {
    let mut bytes = fs::read(store).unwrap();
    let length = bytes.len();
    bytes[length * from / 1000..length * to / 1000].fill(0xA5);
    fs::write(store, bytes).unwrap();
}

#[tokio::test]
async fn a_damaged_store_is_set_aside_and_what_can_be_read_of_it_is_told() {
    const INCIDENTS: i64 = 100;
    let shelf = full_store(Shelf::of_sqlite(), INCIDENTS).await;
    damage(shelf.file(), 600, 650);
    let damaged = fs::read(shelf.file()).unwrap();

    let desk = Desk::new(shelf, &RECIPIENTS).await;
    let mut told = 0;
    while let Some(delivery) = desk.claim(minute(2)).await {
        let taken = Settlement::Accepted("250".into());
        desk.ledger
            .settle(&delivery, taken, minute(2))
            .await
            .unwrap();
        told += 1;
    }
    let shelf = desk.close().await;

    let aside = set_aside(shelf.file());
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert_eq!(fs::read(&aside[0]).unwrap(), damaged, "it was written to");
    let incidents = shelf.count("incident").await;
    assert!(
        (INCIDENTS * 3 / 4..=INCIDENTS).contains(&incidents),
        "{incidents} of {INCIDENTS} incidents came over"
    );
    assert!(
        (INCIDENTS..=INCIDENTS * 2).contains(&told),
        "{told} of {} messages came over",
        INCIDENTS * 2
    );
}

#[tokio::test]
async fn a_store_of_which_nothing_can_be_read_is_set_aside_and_a_new_one_begins() {
    let shelf = full_store(Shelf::of_sqlite(), 2).await;
    damage(shelf.file(), 0, 1000);

    let desk = Desk::new(shelf, &RECIPIENTS).await;

    assert_eq!(desk.claim(minute(2)).await, None);
    let shelf = desk.close().await;
    let aside = set_aside(shelf.file());
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert!(
        fs::read(&aside[0])
            .unwrap()
            .iter()
            .all(|byte| *byte == 0xA5)
    );
}

#[tokio::test]
async fn a_file_that_never_was_a_store_is_refused_and_left_alone() {
    let shelf = Shelf::of_sqlite();
    let text = "language = \"es\"\n".repeat(1000);
    fs::write(shelf.file(), &text).unwrap();

    let refused = Store::open(&shelf.place).await.unwrap_err().to_string();

    assert_eq!(
        refused,
        format!(
            "`{}` is not a store of vigia-alert, and is left as it is\nhint: name another file as `path` under [store]",
            shelf.file().display()
        )
    );
    assert_eq!(fs::read_to_string(shelf.file()).unwrap(), text);
}

/// PostgreSQL looks after its own pages. What somebody did to the tables is said, and nothing of them is emptied or made anew.
#[tokio::test]
async fn a_database_that_is_not_as_it_was_left_is_refused_and_left_alone() {
    if !requires(&[Program::Postgres]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = PostgreSql::start(folder.path()).await.unwrap();
    for (name, damage, said) in [
        (
            "later",
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (9999, 'from the future', true, '', 0)",
            "migration 9999 was previously applied but is missing in the resolved migrations",
        ),
        (
            "without_a_table",
            "ALTER TABLE delivery RENAME TO elsewhere",
            "relation \"delivery\" does not exist",
        ),
        (
            "with_nonsense",
            "UPDATE observation SET outcome = 'perhaps'",
            "`perhaps`",
        ),
    ] {
        let shelf = full_store(Shelf::of_postgresql(&server, name).await, 3).await;
        sqlx::raw_sql(damage)
            .execute(&mut shelf.connect().await)
            .await
            .unwrap();

        let refused = match Store::open(&shelf.place).await {
            Err(error) => error.to_string(),
            Ok(store) => match Keeper::new(store, ledgers::policy(&RECIPIENTS)).await {
                Err(error) => error.to_string(),
                Ok((keeper, ledger)) => {
                    let keeper = tokio::spawn(keeper.run());
                    let error = ledger
                        .judge(&rule(), Answer::default(), minute(2))
                        .await
                        .unwrap_err();
                    keeper.abort();
                    error.to_string()
                }
            },
        };

        assert!(refused.contains(said), "{name}: {refused}");
        assert_eq!(shelf.count("incident").await, 3, "{name}");
        assert_eq!(shelf.count("observation").await, 6, "{name}");
    }
}

/// Writes nonsense over a table in the file of a program that runs, which notices when it reads there next.
async fn damage_table(shelf: &Shelf, table: &str) {
    let mut connection = shelf.connect().await;
    let is_calm = async || {
        let statement = "SELECT COUNT(*) FROM incident WHERE point_state = 'unwritten'";
        let unwritten: i64 = sqlx::query_scalar(statement)
            .fetch_one(&mut shelf.connect().await)
            .await
            .unwrap();
        (unwritten == 0).then_some(())
    };
    until("everything to be written down", SOON, is_calm)
        .await
        .unwrap();
    // Then everything is in the file itself, and nothing beside it.
    let (busy, _, _): (i64, i64, i64) = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(busy, 0);
    let page: i64 = sqlx::query_scalar("SELECT rootpage FROM sqlite_master WHERE name = $1")
        .bind(table)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    let size: i64 = sqlx::query_scalar("PRAGMA page_size")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    let file = fs::File::options().write(true).open(shelf.file()).unwrap();
    let place = u64::try_from((page - 1) * size).unwrap();
    let nonsense = vec![0xA5; usize::try_from(size).unwrap()];
    file.write_all_at(&nonsense, place).unwrap();
    // Somebody else wrote: what is known by heart of the file does not count any more.
    sqlx::raw_sql("UPDATE rule_progress SET read_until_ns = read_until_ns")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn damage_that_appears_while_it_runs_is_noticed_and_what_can_be_read_is_carried_on() {
    if !requires(&[Program::Influxd]) {
        return;
    }
    let stage = Stage::new().await;
    let smtp = ScriptedSmtp::start(&[]).await;
    let sidecar = Sidecar::start(&stage.configure_plain(smtp.port)).await;
    stage.run_ends("consultar-tramite", "failed", "r1").await;
    stage.run_ends("consultar-tramite", "failed", "r2").await;
    sidecar.wait_for_log("a message was accepted").await;

    let shelf = Shelf::at(stage.folder.path().join("vigia-alert.db"));
    damage_table(&shelf, "observation").await;
    stage.run_ends("consultar-tramite", "ok", "r3").await;
    sidecar.wait_for_log("the store is damaged").await;
    let mails = smtp.wait_for(2).await;

    let told: Vec<_> = mails
        .iter()
        .map(|mail| {
            let kind = mail.header("X-Vigia-Message").unwrap();
            (kind, mail.header("X-Vigia-Repeat"))
        })
        .collect();
    assert_eq!(told, [("opened", None), ("closed", None)]);
    assert_eq!(set_aside(shelf.file()).len(), 1);
}

/// The folder of the store on a disk of its own, seen from outside the program's namespace.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn of(sidecar: &Sidecar, folder: &Path) -> Self {
        let root = PathBuf::from(format!("/proc/{}/root", sidecar.id()));
        Self(root.join(folder.strip_prefix("/").unwrap()))
    }

    fn fill(&self) {
        let mut file = fs::File::create(self.0.join("filler")).unwrap();
        loop {
            match file.write_all(&[0; 4096]) {
                Ok(()) => {}
                Err(error) => break assert_eq!(error.kind(), ErrorKind::StorageFull),
            }
        }
    }

    fn free(&self) {
        fs::remove_file(self.0.join("filler")).unwrap();
    }
}

#[tokio::test]
async fn on_a_full_disk_nothing_is_forgotten_and_nothing_is_told_twice() {
    if !requires(&[Program::Influxd]) {
        return;
    }
    let stage = Stage::new().await;
    let smtp = ScriptedSmtp::start(&[Act::HoldRecipient]).await;
    let folder = stage.folder.path().join("small-disk");
    fs::create_dir(&folder).unwrap();
    let config = stage.configure_with("path = \"small-disk/vigia-alert.db\"", &plain(smtp.port));
    let sidecar = Sidecar::spawn_on_disk_of_its_own(&config, &folder);
    sidecar.wait_for_log("watching").await;
    let disk = SmallDisk::of(&sidecar, &folder);

    // The disk fills up while a message is on its way: that it arrived is written down as soon as there is room.
    stage.run_ends("consultar-tramite", "failed", "r1").await;
    stage.run_ends("consultar-tramite", "failed", "r2").await;
    smtp.wait_for_command("RCPT").await;
    disk.fill();
    smtp.go_on();
    sidecar
        .wait_for_log("what came of a message could not be written down")
        .await;
    // While it is full, what is new waits.
    stage.run_ends("ingresar", "failed", "r3").await;
    stage.run_ends("ingresar", "failed", "r4").await;
    sidecar.wait_for_log("database or disk is full").await;
    assert_eq!(smtp.mails().len(), 1);
    disk.free();
    smtp.wait_for(2).await;
    stage.run_ends("consultar-tramite", "ok", "r5").await;
    stage.run_ends("ingresar", "ok", "r6").await;
    let mails = smtp.wait_for(4).await;
    sidecar.end(Signal::TERM).await;

    let told: Vec<_> = mails
        .iter()
        .map(|mail| mail.header("X-Vigia-Message").unwrap())
        .collect();
    assert_eq!(told, ["opened", "opened", "closed", "closed"]);
    assert!(
        mails
            .iter()
            .all(|mail| mail.header("X-Vigia-Repeat").is_none())
    );
}
