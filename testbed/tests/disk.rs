//! What a month of a journey takes on InfluxDB's disk. It is a measurement, no verdict, for `docs/sizing.md`: `make sizing-disk` runs it.

#![expect(
    clippy::unwrap_used,
    reason = "a measurement that cannot be set up has failed"
)]

use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use vigia_testbed::{
    servers::{InfluxDb, Program, requires},
    until::until,
};

const DAYS: i64 = 30;
const JOURNEYS: usize = 2;
/// Compacting takes seconds once InfluxDB takes a shard for cold, which `make sizing-disk` has it do soon.
const PATIENCE: Duration = Duration::from_mins(8);

#[tokio::test]
#[ignore = "a measurement: make sizing-disk runs it"]
#[expect(clippy::print_stdout, reason = "the figures are what it is run for")]
async fn a_month_of_journeys_on_disk() {
    if !requires(&[Program::Influxd]) {
        return;
    }
    for (steps, pages) in [(1, 1), (3, 2), (8, 6)] {
        let folder = tempfile::tempdir().unwrap();
        let influxdb = InfluxDb::start(&folder.path().join("influxdb"))
            .await
            .unwrap();
        let engine = folder.path().join("influxdb/engine");
        let start = Timestamp::now() - SignedDuration::from_hours(24 * DAYS);
        let mut noise = Noise(7);
        for day in 0..DAYS {
            for journey in 0..JOURNEYS {
                let from = start + SignedDuration::from_hours(24 * day);
                let lines = day_of(journey, from, steps, pages, &mut noise);
                influxdb.write(lines).await.unwrap();
            }
        }
        until("every shard to be compacted", PATIENCE, async || {
            is_compacted(&engine).then_some(())
        })
        .await
        .unwrap();
        let bytes = size(&tables(&engine));
        let runs = u64::try_from(DAYS * 24 * 60).unwrap() * u64::try_from(JOURNEYS).unwrap();
        println!(
            "{steps} steps, {pages} pages: {} MB a journey and month of a run a minute, {} bytes a run",
            bytes / u64::try_from(JOURNEYS).unwrap() / 1_000_000,
            bytes / runs
        );
    }
}

/// One day of a journey, a run a minute, with every field of a healthy run and values that differ as measured ones do.
fn day_of(
    journey: usize,
    from: Timestamp,
    steps: usize,
    pages: usize,
    noise: &mut Noise,
) -> String {
    let mut lines = String::new();
    let tags = format!("system=tramites,journey=j{journey},probe=sede,impact=critical,host=h");
    for minute in 0..24 * 60 {
        let at_ns = (from + SignedDuration::from_mins(minute)).as_nanosecond()
            + i128::from(noise.up_to(1_000_000));
        let run = format!("{:x}-7e9e-{minute}", at_ns >> 20);
        let took = noise.ms(900.0);
        writeln!(
            lines,
            "journey,{tags} ok=1i,valid=1i,result=\"ok\",result_code=0i,every_s=60,attempts=1i,steps_ok={steps}i,steps_total={steps}i,run_id=\"{run}\",queued_ms={},duration_ms={took},url=\"https://tramites.example/expedientes/2026-004512\",http_status=200i {at_ns}",
            noise.ms(1.0)
        )
        .unwrap();
        for step in 0..steps {
            writeln!(
                lines,
                "journey_step,{tags},step=paso-{step} index={step}i,ok=1i,result_code=0i,run_id=\"{run}\",duration_ms={},budget_ms=3000 {at_ns}",
                noise.ms(300.0)
            )
            .unwrap();
        }
        for page in 0..pages {
            // Chromium gives these to a tenth of a millisecond.
            let mut tenths = |usual: u64| {
                let tenths = usual + noise.up_to(usual);
                format!("{}.{}", tenths / 10, tenths % 10)
            };
            writeln!(
                lines,
                "journey_page,{tags},step=paso-{page} url=\"https://tramites.example/pagina-{page}\",run_id=\"{run}\",requests=24i,failed_requests=0i,transferred_bytes={}i,console_errors=0i,http_status=200i,ttfb_ms={},fcp_ms={},lcp_ms={},cls=0,inp_ms=8,dom_content_loaded_ms={},load_ms={},dns_ms=0,connect_ms={},tls_ms={} {at_ns}",
                tenths(4_000_000).replace('.', ""),
                tenths(500),
                tenths(2_000),
                tenths(2_600),
                tenths(2_200),
                tenths(3_000),
                tenths(20),
                tenths(90)
            )
            .unwrap();
        }
    }
    lines
}

/// Whether what was written lies in one file a shard, and nothing waits to get there.
fn is_compacted(engine: &Path) -> bool {
    let tables = tables(engine);
    let mut shards: Vec<&Path> = tables.iter().filter_map(|file| file.parent()).collect();
    shards.dedup();
    !tables.is_empty() && shards.len() == tables.len() && size(&files(&engine.join("wal"))) == 0
}

/// The files with the points. Those of the index are as large for one journey as for many.
fn tables(engine: &Path) -> Vec<PathBuf> {
    let mut files = files(&engine.join("data"));
    files.retain(|file| file.extension().is_some_and(|extension| extension == "tsm"));
    files
}

fn size(files: &[PathBuf]) -> u64 {
    files
        .iter()
        .filter_map(|file| fs::metadata(file).ok())
        .map(|file| file.len())
        .sum()
}

/// Every file below a folder, in order; one that goes meanwhile is left out.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Numbers that are the same in every measurement, and have no pattern that a compressor finds.
struct Noise(u64);

impl Noise {
    /// As Knuth's MMIX generator makes them.
    fn up_to(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    /// About as long as usual, to the nanosecond, as the probe tells it.
    fn ms(&mut self, usual: f64) -> f64 {
        let share = f64::from(u32::try_from(self.up_to(1_000_000)).unwrap_or(0)) / 1e6;
        usual.mul_add(share, usual)
    }
}
