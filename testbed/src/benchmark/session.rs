//! One session: blocks of all contestants in turn, again and again.

use anyhow::{Result, ensure};
use serde::Serialize;

use super::{
    contestant::{Arena, Contestant, Load, Report},
    say,
};

/// How many times more runs a block has where they are walked side by side: about the same time.
const SIDE_BY_SIDE: usize = 3;

/// What is to be done.
#[derive(Debug)]
pub struct Plan {
    /// Who takes part.
    pub contestants: Vec<Contestant>,
    /// How many journeys at once.
    pub concurrency: Vec<usize>,
    /// Of a block one at a time.
    pub runs: usize,
    /// Blocks of each kind.
    pub repeats: usize,
}

/// What a block came to.
#[derive(Debug, Serialize)]
pub struct Block {
    /// Who walked.
    pub contestant: Contestant,
    /// How many at once.
    pub concurrency: usize,
    /// How many in all.
    pub runs: usize,
    /// Those that did not get to the end.
    pub failed: usize,
    /// With the start of the browser.
    pub journeys_per_minute: f64,
    /// From taking its slot until its context was gone.
    pub p50_ms: f64,
    /// Without the browser.
    pub own_cpu_ms: f64,
    /// Without the browser, at the end.
    pub resident_mb: f64,
    /// Of a journey, all processors and all that runs on them.
    pub machine_cpu_seconds: f64,
}

/// Walks through the plan, and tells each block as it ends.
pub async fn run(arena: &Arena, plan: &Plan) -> Result<Vec<Block>> {
    let mut blocks = Vec::new();
    for repeat in 0..plan.repeats {
        for (index, &concurrency) in plan.concurrency.iter().enumerate() {
            // Nobody always follows the same one.
            let mut order = plan.contestants.clone();
            let first = (repeat + index) % order.len();
            order.rotate_left(first);
            for contestant in order {
                let load = Load {
                    runs: plan.runs * if concurrency > 1 { SIDE_BY_SIDE } else { 1 },
                    concurrency,
                };
                let block = block(arena, contestant, load).await?;
                say(&format!(
                    "{}/{}  {concurrency} at a time  {:<18} {:>4.0} journeys a minute, {:.2} s of the machine's CPU each\n",
                    repeat + 1,
                    plan.repeats,
                    contestant.title(),
                    block.journeys_per_minute,
                    block.machine_cpu_seconds,
                ));
                blocks.push(block);
            }
        }
    }
    Ok(blocks)
}

async fn block(arena: &Arena, contestant: Contestant, load: Load) -> Result<Block> {
    arena.site.forget();
    let report = arena.block(contestant, load).await?;
    let errors: Vec<&str> = report
        .runs
        .iter()
        .filter(|run| !matches!(run.outcome.as_str(), "ok" | "slow"))
        .map(|run| run.error.as_deref().unwrap_or("nothing was said"))
        .collect();
    if let Some(first) = errors.first() {
        say(&format!(
            "{}: {} runs failed, the first: {first}\n",
            contestant.title(),
            errors.len()
        ));
    } else {
        let differences = arena.site.differences(load.runs);
        ensure!(
            differences.is_empty(),
            "{} did not walk the journey in full: {}",
            contestant.title(),
            differences.join("; ")
        );
    }
    Ok(told(contestant, load, &report, errors.len()))
}

fn told(contestant: Contestant, load: Load, report: &Report, failed: usize) -> Block {
    #[expect(clippy::cast_precision_loss, reason = "a count of runs is small")]
    let runs = load.runs as f64;
    Block {
        contestant,
        concurrency: load.concurrency,
        runs: load.runs,
        failed,
        journeys_per_minute: runs / report.wall_seconds * 60.0,
        p50_ms: median(report.runs.iter().map(|run| run.wall_ms)),
        own_cpu_ms: report.own_cpu_ms_per_journey,
        resident_mb: report.resident_bytes / 1_000_000.0,
        machine_cpu_seconds: report.machine_cpu.as_secs_f64() / runs,
    }
}

/// The value in the middle, or between the two that are; not a number where there is none.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    match values.as_slice() {
        [] => f64::NAN,
        all if all.len() % 2 == 1 => all[all.len() / 2],
        all => f64::midpoint(all[all.len() / 2 - 1], all[all.len() / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median([9.0, 1.0, 2.0].into_iter()) - 2.0).abs() < f64::EPSILON);
        assert!((median([9.0, 1.0, 2.0, 4.0].into_iter()) - 3.0).abs() < f64::EPSILON);
        assert!(median(std::iter::empty()).is_nan());
    }
}
