//! The story: healthy, broken, mail, healed, recovery. Each chapter has a deadline, and a failure names what did not happen.

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail, ensure};

use super::{
    parts::Parts,
    runs::{self, JOURNEY, JOURNEY_NAME, OTHER_JOURNEY, Run},
    timeline::say,
};
use crate::{
    mailbox::Mail,
    portal::{Fault, Switch},
    until::until,
};

/// The first run also starts the browser.
const HEALTHY: Duration = Duration::from_mins(1);
/// Two runs that may each take their whole 30 s, and the pauses between them.
pub const NOTICED: Duration = Duration::from_secs(90);
/// The message of a run that has ended: the promise is 5 s, the rest is for a machine under load.
pub const DELIVERED: Duration = Duration::from_secs(30);

/// What happened when.
#[derive(Debug)]
pub struct Moments {
    pub fault: Fault,
    pub broken: SystemTime,
    /// Those that failed up to the mail, the oldest first; never empty.
    pub failing: Vec<Run>,
    pub mail: Mail,
    pub healed: SystemTime,
    /// The first good run after it was healed.
    pub good: Run,
    pub recovery: Mail,
}

/// Walks through the story once.
pub async fn walk(parts: &Parts, fault: Fault) -> Result<Moments> {
    say("waiting until every journey was walked once without a fault");
    let first_good = |run: &Run| run.result == "ok";
    wait_for_run(
        parts,
        OTHER_JOURNEY,
        "the first good run",
        HEALTHY,
        first_good,
    )
    .await?;
    let healthy = wait_for_run(parts, JOURNEY, "the first good run", HEALTHY, first_good).await?;
    say(&format!(
        "healthy: `{JOURNEY}` took {:.1} s",
        seconds(healthy.start, healthy.end)
    ));

    let broken = SystemTime::now();
    parts.portal.set_fault(fault, Switch::On);
    say(&format!("broken: {} is on", fault.name()));
    let first = wait_for_run(parts, JOURNEY, "a failing run", NOTICED, |run| {
        run.result == "failed" && run.end > broken
    })
    .await?;
    say(&format!("noticed: {}", first.failure));
    let mail = parts
        .mail
        .mailbox()
        .wait_for("the mail about it", NOTICED, |mail| {
            mail.in_reply_to.is_none()
                && mail.arrived > broken
                && mail.subject.contains(JOURNEY_NAME)
        });
    let mail = mail.await.map_err(|error| parts.alert.explain(error))?;
    say(&format!("mail: {}", mail.subject));

    let healed = SystemTime::now();
    parts.portal.set_fault(fault, Switch::Off);
    say("healed: the fault is off");
    let good = wait_for_run(parts, JOURNEY, "a good run", NOTICED, |run| {
        run.result == "ok" && run.start > healed
    })
    .await?;
    let recovery = parts.mail.mailbox().wait_for(
        "the recovery as an answer to the first mail",
        DELIVERED,
        |answer| {
            answer.arrived > healed
                && answer.in_reply_to.is_some()
                && answer.in_reply_to == mail.message_id
        },
    );
    let recovery = recovery.await.map_err(|error| parts.alert.explain(error))?;
    say(&format!("recovery: {}", recovery.subject));

    check_pictures(&mail)?;
    check_thread(&mail, &recovery)?;
    let failing: Vec<Run> = runs::all(&parts.influxdb, &parts.artifacts)
        .await?
        .into_iter()
        .filter(|run| run.journey == JOURNEY && run.result == "failed")
        .filter(|run| run.end > broken && run.end < mail.arrived)
        .collect();
    if failing.is_empty() {
        bail!("the mail came before any failing run had ended");
    }
    Ok(Moments {
        fault,
        broken,
        failing,
        mail,
        healed,
        good,
        recovery,
    })
}

pub async fn wait_for_run(
    parts: &Parts,
    journey: &str,
    what: &str,
    within: Duration,
    wanted: impl Fn(&Run) -> bool,
) -> Result<Run> {
    let what = format!("{what} of `{journey}` in InfluxDB");
    let found = until(&what, within, async || {
        match runs::all(&parts.influxdb, &parts.artifacts).await {
            Ok(runs) => runs
                .into_iter()
                .find(|run| run.journey == journey && wanted(run))
                .map(Ok),
            Err(error) => Some(Err(error)),
        }
    });
    match found.await {
        Ok(run) => run,
        Err(error) => Err(parts.telegraf.process().explain(error)),
    }
}

/// The page of the failure has to be in the message, to be seen, and beside it, to be kept.
fn check_pictures(mail: &Mail) -> Result<()> {
    let html = mail.html.as_deref().context("the mail has no HTML text")?;
    mail.text.as_deref().context("the mail has no plain text")?;
    let shown = mail.pictures.iter().any(|picture| {
        let id = picture.content_id.as_deref();
        id.is_some_and(|id| html.contains(&format!("cid:{id}")))
    });
    if !shown {
        bail!("the mail about the failure shows no picture");
    }
    if !mail.pictures.iter().any(|picture| picture.attached) {
        bail!("the mail about the failure has no picture attached");
    }
    Ok(())
}

/// A mail program that groups by the whole chain has to find the first mail in it.
fn check_thread(mail: &Mail, recovery: &Mail) -> Result<()> {
    let refers = mail
        .message_id
        .as_ref()
        .is_some_and(|id| recovery.references.contains(id));
    ensure!(
        refers,
        "the recovery refers to `{:?}`, and not to the first mail `{:?}`",
        recovery.references,
        mail.message_id
    );
    Ok(())
}

/// How long from one moment to a later one.
pub fn seconds(from: SystemTime, to: SystemTime) -> f64 {
    to.duration_since(from).unwrap_or_default().as_secs_f64()
}
