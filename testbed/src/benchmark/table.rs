//! What a session came to, as tables that can stand in a document.

use std::fmt::Write;

use super::{
    contestant::Contestant,
    session::{Block, median},
};

/// A figure that is wanted of Vigía.
struct Wanted {
    what: &'static str,
    /// Whose figure is 1; nothing where the figure is wanted as it is.
    of: Option<Contestant>,
    unit: &'static str,
    figure: fn(&Block) -> f64,
    /// At these concurrencies.
    bounds: &'static [(usize, f64)],
    better: Better,
}

/// Which way.
enum Better {
    More,
    Less,
}

const WANTED: [Wanted; 5] = [
    Wanted {
        what: "journeys a minute, of playwright-core's",
        of: Some(Contestant::Playwright),
        unit: "x",
        figure: |block| block.journeys_per_minute,
        bounds: &[(1, 1.5), (4, 1.8), (8, 1.7)],
        better: Better::More,
    },
    Wanted {
        what: "journeys a minute, of the floor's",
        of: Some(Contestant::Floor),
        unit: "x",
        figure: |block| block.journeys_per_minute,
        bounds: &[(1, 1.0), (4, 1.0), (8, 1.0)],
        better: Better::More,
    },
    Wanted {
        what: "the machine's CPU a journey, of playwright-core's",
        of: Some(Contestant::Playwright),
        unit: "x",
        figure: |block| block.machine_cpu_seconds,
        bounds: &[(1, 0.6), (4, 0.55), (8, 0.6)],
        better: Better::Less,
    },
    Wanted {
        what: "own CPU a journey",
        of: None,
        unit: " ms",
        figure: |block| block.own_cpu_ms,
        bounds: &[(1, 6.0), (4, 6.0), (8, 6.0)],
        better: Better::Less,
    },
    Wanted {
        what: "own memory",
        of: None,
        unit: " MB",
        figure: |block| block.resident_mb,
        bounds: &[(8, 15.0)],
        better: Better::Less,
    },
];

/// All the tables.
pub fn tell(blocks: &[Block]) -> String {
    let mut concurrencies: Vec<usize> = blocks.iter().map(|block| block.concurrency).collect();
    concurrencies.sort_unstable();
    concurrencies.dedup();
    format!(
        "\nVigía beside the others (wanted in brackets)\n\n{}\nMedians of the blocks\n\n{}\n",
        compared(blocks, &concurrencies),
        absolute(blocks, &concurrencies)
    )
}

fn compared(blocks: &[Block], concurrencies: &[usize]) -> String {
    let mut table = head(
        "",
        concurrencies
            .iter()
            .map(|count| format!("{count} at a time")),
    );
    for wanted in WANTED {
        let cells = concurrencies
            .iter()
            .map(|&concurrency| cell(blocks, &wanted, concurrency));
        row(&mut table, wanted.what, cells);
    }
    table
}

fn cell(blocks: &[Block], wanted: &Wanted, concurrency: usize) -> String {
    let figures = |contestant| of_kind(blocks, contestant, concurrency).map(wanted.figure);
    let own = figures(Contestant::Vigia);
    // Each block is held against the one of its own repeat: the machine's speed wanders in the course of a session.
    let reached = match wanted.of {
        Some(other) => median(own.zip(figures(other)).map(|(own, other)| own / other)),
        None => median(own),
    };
    if reached.is_nan() {
        return "-".into();
    }
    let unit = wanted.unit;
    let Some((_, bound)) = wanted.bounds.iter().find(|(at, _)| *at == concurrency) else {
        return format!("{reached:.2}{unit}");
    };
    let (sign, enough) = match wanted.better {
        Better::More => ("≥", reached >= *bound),
        Better::Less => ("≤", reached <= *bound),
    };
    let verdict = if enough { "" } else { ", missed" };
    format!("{reached:.2}{unit} ({sign} {bound}{unit}{verdict})")
}

fn absolute(blocks: &[Block], concurrencies: &[usize]) -> String {
    let columns = [
        "journeys a minute",
        "p50 of a run",
        "own CPU a journey",
        "own memory",
        "the machine's CPU a journey",
        "failed runs",
    ];
    let mut table = head("", columns.map(ToOwned::to_owned).into_iter());
    for &concurrency in concurrencies {
        for contestant in Contestant::ALL {
            let kind = || of_kind(blocks, contestant, concurrency);
            let of = |read: fn(&Block) -> f64| median(kind().map(read));
            let journeys = of(|block| block.journeys_per_minute);
            if journeys.is_nan() {
                continue;
            }
            let shown =
                |value: f64, decimals: usize, unit: &str| format!("{value:.decimals$} {unit}");
            let failed: usize = kind().map(|block| block.failed).sum();
            let cells = [
                format!("{journeys:.0}"),
                shown(of(|block| block.p50_ms), 0, "ms"),
                shown(of(|block| block.own_cpu_ms), 1, "ms"),
                shown(of(|block| block.resident_mb), 1, "MB"),
                shown(of(|block| block.machine_cpu_seconds), 3, "s"),
                failed.to_string(),
            ];
            let name = format!("{}, {concurrency} at a time", contestant.title());
            row(&mut table, &name, cells.into_iter());
        }
    }
    table
}

/// One for each repeat, in their order.
fn of_kind(
    blocks: &[Block],
    contestant: Contestant,
    concurrency: usize,
) -> impl Iterator<Item = &Block> {
    let blocks = blocks.iter();
    blocks.filter(move |block| block.contestant == contestant && block.concurrency == concurrency)
}

fn head(first: &str, others: impl Iterator<Item = String>) -> String {
    let mut table = String::new();
    let others: Vec<String> = others.collect();
    row(&mut table, first, others.iter().cloned());
    writeln!(table, "|---|{}", "---|".repeat(others.len())).expect(WRITES);
    table
}

fn row(table: &mut String, first: &str, cells: impl Iterator<Item = String>) {
    write!(table, "| {first} |").expect(WRITES);
    for cell in cells {
        write!(table, " {cell} |").expect(WRITES);
    }
    table.push('\n');
}

const WRITES: &str = "writing to a string cannot fail";

#[cfg(test)]
mod tests {
    use super::*;

    fn block(contestant: Contestant, journeys_per_minute: f64, own_cpu_ms: f64) -> Block {
        Block {
            contestant,
            concurrency: 4,
            runs: 60,
            failed: 0,
            journeys_per_minute,
            p50_ms: 700.0,
            own_cpu_ms,
            resident_mb: 6.0,
            machine_cpu_seconds: 0.4,
        }
    }

    #[test]
    fn blocks_are_held_against_those_of_their_repeat_and_the_median_against_what_is_wanted() {
        // After the first repeat the machine was twice as fast.
        let blocks = [
            block(Contestant::Vigia, 300.0, 9.0),
            block(Contestant::Playwright, 200.0, 90.0),
            block(Contestant::Playwright, 400.0, 90.0),
            block(Contestant::Vigia, 640.0, 4.0),
            block(Contestant::Vigia, 560.0, 5.0),
            block(Contestant::Playwright, 400.0, 90.0),
        ];
        let told = compared(&blocks, &[4]);
        assert_eq!(
            told,
            "|  | 4 at a time |\n\
             |---|---|\n\
             | journeys a minute, of playwright-core's | 1.50x (≥ 1.8x, missed) |\n\
             | journeys a minute, of the floor's | - |\n\
             | the machine's CPU a journey, of playwright-core's | 1.00x (≤ 0.55x, missed) |\n\
             | own CPU a journey | 5.00 ms (≤ 6 ms) |\n\
             | own memory | 6.00 MB |\n"
        );
    }
}
