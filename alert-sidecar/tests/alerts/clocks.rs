//! The clock of the machine is set while the program runs: nobody is missed because of it, and nothing is hidden by it.

use std::{fs, path::PathBuf, time::Duration};

use jiff::{SignedDuration, Timestamp};
use vigia_testbed::{
    servers::{Program, requires},
    until::until,
};

use super::{
    scripted_smtp::{Received, ScriptedSmtp},
    sidecar::{self, Sidecar, Stage},
    stores::Shelf,
};

/// The clock that the program sees, and the probe beside it.
struct Clock {
    file: PathBuf,
    ahead: SignedDuration,
}

impl Clock {
    fn right(file: PathBuf) -> Self {
        let mut clock = Self {
            file,
            ahead: SignedDuration::ZERO,
        };
        clock.set_ahead(SignedDuration::ZERO);
        clock
    }

    fn set_ahead(&mut self, ahead: SignedDuration) {
        self.ahead = ahead;
        // Whoever reads it finds the old or the new one.
        let new = self.file.with_extension("new");
        fs::write(&new, format!("+{}", ahead.as_secs())).unwrap();
        fs::rename(new, &self.file).unwrap();
    }

    /// Runs of one journey end, one after the other.
    async fn runs_end(&self, stage: &Stage, results: &[&str]) {
        for result in results {
            let at = Timestamp::now() + self.ahead;
            let point = sidecar::run("consultar-tramite", result, &at.to_string(), at);
            stage.influxdb.write(point).await.unwrap();
        }
    }
}

fn told(mails: &[Received]) -> Vec<String> {
    mails
        .iter()
        .map(|mail| {
            let rule = mail.header("X-Vigia-Incident").unwrap();
            let (rule, _) = rule.split_once('.').unwrap();
            format!("{} {rule}", mail.header("X-Vigia-Message").unwrap())
        })
        .collect()
}

#[tokio::test]
async fn a_clock_that_is_set_forward_and_back_alarms_nobody_and_hides_nothing() {
    if !requires(&[Program::Influxd, Program::Faketime]) {
        return;
    }
    let stage = Stage::new().await;
    let smtp = ScriptedSmtp::start(&[]).await;
    let config = stage.configure_plain(smtp.port);
    let silent =
        "[[rule]]\nname = \"silent\"\nuse = \"journeys-silent\"\nevery = \"100ms\"\n[[channel]]";
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("[[channel]]", silent)).unwrap();
    let mut clock = Clock::right(stage.folder.path().join("clock"));
    let sidecar = Sidecar::spawn_with_clock(&config, &clock.file);
    sidecar.wait_for_log("watching").await;

    clock.runs_end(&stage, &["ok", "failed", "failed"]).await;
    smtp.wait_for(1).await;
    clock.runs_end(&stage, &["ok"]).await;
    smtp.wait_for(2).await;
    let shelf = Shelf::at(stage.folder.path().join("vigia-alert.db"));
    let is_known = async || (shelf.count("rule_progress").await == 2).then_some(());
    until(
        "silence to be listened for",
        Duration::from_secs(10),
        is_known,
    )
    .await
    .unwrap();
    // All of a sudden the last runs are two hours old.
    clock.set_ahead(SignedDuration::from_hours(2));
    sidecar
        .wait_for_log("nobody is missed before there was time")
        .await;
    clock.runs_end(&stage, &["failed", "failed"]).await;
    smtp.wait_for(3).await;
    // All of a sudden they lie ahead.
    clock.set_ahead(SignedDuration::ZERO);
    sidecar.wait_for_log("the clock was set back").await;
    clock.runs_end(&stage, &["ok"]).await;
    smtp.wait_for(4).await;
    clock.runs_end(&stage, &["failed", "failed"]).await;
    smtp.wait_for(5).await;
    clock.runs_end(&stage, &["ok"]).await;
    let mails = smtp.wait_for(6).await;

    let turn = ["opened journeys-failed", "closed journeys-failed"];
    assert_eq!(told(&mails), turn.repeat(3), "{}", sidecar.log());
}
