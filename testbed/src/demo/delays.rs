//! How long people wait for a message, over many faults: `make benchmark-messages`.
//!
//! From the end of the run that made it an incident, as its picture's file has it, until the mail server put the mail into the
//! mailbox and the homeserver took the message for its room. The defaults are the shipped ones: Telegraf's flush, the poll,
//! and the second in which others may join.

use std::{
    path::Path,
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result, ensure};

use super::{
    parts::{Measured, Parts},
    runs::{self, JOURNEY},
    timeline::say,
    walk::{self, DELIVERED, Moments, NOTICED},
};
use crate::{portal::Fault, servers::Synapse, until::until};

/// What is promised for nineteen messages of twenty.
const LIMIT: Duration = Duration::from_secs(5);

/// By default two failed runs of the last three are an incident; as many good ones in between make the second one count.
const CONFIRMS: usize = 2;
const LOOKS_BACK: usize = 3;

pub async fn measure(state: &Path, fault: Fault, count: usize) -> Result<()> {
    let room = Synapse::start(&state.join("synapse")).await?;
    let parts = Parts::start(state, Some(Measured { room: &room })).await?;
    let (mut by_mail, mut by_chat) = (Vec::new(), Vec::new());
    for number in 1..=count {
        let measured = async {
            let moments = walk::walk(&parts, fault).await?;
            let told = told_in_room(&room, &moments).await?;
            until_well(&parts, &moments).await?;
            anyhow::Ok((moments, told))
        };
        let (moments, told) = tokio::select! {
            measured = measured => measured?,
            ended = parts.first_end() => return Err(ended),
        };
        let confirmed = moments.failing.get(CONFIRMS - 1);
        let confirmed = confirmed.context("the mail came before the second failed run ended")?;
        let [mail, chat] = [moments.mail.arrived, told]
            .map(|told| told.duration_since(confirmed.end).unwrap_or_default());
        say(&format!(
            "fault {number} of {count}: mail after {:.2} s, chat after {:.2} s",
            mail.as_secs_f64(),
            chat.as_secs_f64()
        ));
        by_mail.push(mail);
        by_chat.push(chat);
    }
    parts.stop().await?;
    let late: Vec<&str> = [("mail", &mut by_mail), ("chat", &mut by_chat)]
        .into_iter()
        .filter_map(|(name, taken)| is_late(name, taken).then_some(name))
        .collect();
    ensure!(
        late.is_empty(),
        "it took longer than {} s for {}",
        LIMIT.as_secs(),
        late.join(" and ")
    );
    Ok(())
}

/// When the homeserver took the message that began this incident's thread.
async fn told_in_room(room: &Synapse, moments: &Moments) -> Result<SystemTime> {
    until("the message in the room", DELIVERED, async || {
        let messages = match room.messages().await {
            Ok(messages) => messages,
            Err(error) => return Some(Err(error)),
        };
        messages.iter().find_map(|message| {
            let is_first = message["content"]["m.relates_to"].is_null();
            let at_ms = message["origin_server_ts"].as_u64()?;
            let at = SystemTime::UNIX_EPOCH + Duration::from_millis(at_ms);
            (is_first && at > moments.broken).then_some(Ok(at))
        })
    })
    .await?
}

/// Waits until no failed run is among those that the next decision looks at.
async fn until_well(parts: &Parts, moments: &Moments) -> Result<()> {
    until("the good runs after it", NOTICED, async || {
        let runs = match runs::all(&parts.influxdb, &parts.artifacts).await {
            Ok(runs) => runs,
            Err(error) => return Some(Err(error)),
        };
        let good = runs.iter().filter(|run| {
            run.journey == JOURNEY && run.result == "ok" && run.start > moments.healed
        });
        (good.count() >= LOOKS_BACK).then_some(Ok(()))
    })
    .await?
}

/// Says how long it took, and whether that is longer than promised.
fn is_late(name: &str, taken: &mut [Duration]) -> bool {
    taken.sort();
    let (p50, p95) = (percentile(taken, 50), percentile(taken, 95));
    say(&format!(
        "{name}, from the end of the failing run to the accepted message over {} faults: p50 {:.2} s, p95 {:.2} s (at most {} s), most {:.2} s",
        taken.len(),
        p50.as_secs_f64(),
        p95.as_secs_f64(),
        LIMIT.as_secs(),
        percentile(taken, 100).as_secs_f64()
    ));
    p95 > LIMIT
}

/// The smallest value that so many of a hundred are not above; of values in their order.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_values() {
        let values: Vec<Duration> = (1..=50).map(Duration::from_secs).collect();
        for (percent, expected_s) in [(50, 25), (95, 48), (100, 50)] {
            assert_eq!(percentile(&values, percent).as_secs(), expected_s);
        }
        assert_eq!(percentile(&values[..1], 95).as_secs(), 1);
    }
}
