//! How many journeys a machine carries: 150 of them every minute, as an organisation has them, and what they cost.
//! `make sizing` runs it.

use std::{
    collections::HashMap,
    fs,
    io::Write,
    time::{Duration, Instant},
};

use vigia_testbed::portal::Portal;

use crate::running::{JOURNEY, Point, Running, Setting, browser_table, members};

/// How many journeys, where the environment variable `SIZING_JOURNEYS` does not say.
const JOURNEYS: usize = 150;

/// One of so many is critical.
const CRITICAL_OF: usize = 5;

/// For how long, where the environment variable `SIZING_MINUTES` does not say.
const MINUTES: usize = 4;

/// How many at once, where the environment variable `SIZING_CONCURRENT` does not say.
const CONCURRENT: usize = 2;

/// What Linux counts processor time in: a hundredth of a second wherever Debian runs.
const TICKS_PER_SECOND: f64 = 100.0;

#[derive(Debug, Default)]
struct Told {
    of_each: HashMap<String, usize>,
    missed: usize,
    missed_critical: usize,
    not_ok: usize,
    queued_ms: Vec<f64>,
    queued_critical_ms: Vec<f64>,
    took_ms: Vec<f64>,
}

impl Told {
    fn take(&mut self, point: &Point) {
        *self
            .of_each
            .entry(point.tag("journey").unwrap())
            .or_default() += 1;
        let is_critical = point.tag("impact").as_deref() == Some("critical");
        if point.text("result") == Some("missed") {
            self.missed += 1;
            self.missed_critical += usize::from(is_critical);
            return;
        }
        self.not_ok += usize::from(point.integer("ok") != Some(1));
        self.took_ms.extend(point.float("duration_ms"));
        let queued = point.float("queued_ms");
        self.queued_ms.extend(queued);
        self.queued_critical_ms
            .extend(queued.filter(|_| is_critical));
    }
}

fn from_environment(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |value| value.parse().unwrap())
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

fn percentiles(values: &mut [f64]) -> String {
    values.sort_by(f64::total_cmp);
    let at = |of_hundred: usize| {
        let index = (values.len() * of_hundred / 100).min(values.len().saturating_sub(1));
        values.get(index).copied().unwrap_or_default()
    };
    format!("p50 {:.0}, p95 {:.0}, most {:.0}", at(50), at(95), at(100))
}

/// Its own processor time in seconds, and that of the children that it has buried: `proc_pid_stat(5)`.
fn cpu_seconds(process: i32) -> (f64, f64) {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let fields: Vec<f64> = stat
        .rsplit_once(") ")
        .map_or("", |(_, fields)| fields)
        .split(' ')
        .map(|field| field.parse().unwrap_or_default())
        .collect();
    let ticks = |from: usize| {
        fields
            .get(from..from + 2)
            .map_or(0.0, |two| two.iter().sum())
    };
    (ticks(11) / TICKS_PER_SECOND, ticks(13) / TICKS_PER_SECOND)
}

/// What belongs to it alone and its part of what it shares, in million bytes: a sum over processes counts nothing twice.
fn proportional_mb(process: i32) -> f64 {
    let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap_or_default();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kilobytes = line.and_then(|line| line.trim().split(' ').next()?.parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) * 1024.0 / 1_000_000.0
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: `make sizing`"]
async fn every_run_of_an_organisations_journeys_is_told() {
    let journeys = from_environment("SIZING_JOURNEYS", JOURNEYS);
    let minutes = from_environment("SIZING_MINUTES", MINUTES);
    let concurrent = from_environment("SIZING_CONCURRENT", CONCURRENT);
    let portal = Portal::start().await.unwrap();
    let journey = |number: usize| {
        let impact = if number.is_multiple_of(CRITICAL_OF) {
            "critical"
        } else {
            "low"
        };
        JOURNEY
            .replace("consultar-tramite", &format!("consultar-{number}"))
            .replace("\"critical\"", &format!("\"{impact}\""))
            .replace("every = \"24h\"", "every = \"1m\"")
            .replace("action_timeout = \"3s\"", "action_timeout = \"15s\"")
    };
    let head = format!("max_concurrent = {concurrent}\n{}", browser_table());
    let setting = Setting::new(&journey(0), portal.url(), &head);
    for number in 1..journeys {
        setting.add_journey(&format!("journey-{number}"), &journey(number));
    }
    let probe = Running::start(&setting);
    let id = probe.id().as_raw_nonzero().get();
    let mut told = Told::default();
    let mut memory_mb: Vec<f64> = Vec::new();
    let mut probe_mb: Vec<f64> = Vec::new();
    let began = Instant::now();
    let lasts = Duration::from_mins(1) * u32::try_from(minutes).unwrap();
    while began.elapsed() < lasts {
        told.take(&probe.next("journey"));
        let browsers = setting.browser_groups().into_iter().flat_map(members);
        memory_mb.push(browsers.map(proportional_mb).sum());
        probe_mb.push(proportional_mb(id));
    }
    let took = began.elapsed().as_secs_f64();
    let (own, buried) = cpu_seconds(id);
    let browsers = setting.browser_groups().into_iter().flat_map(members);
    let browsers = browsers.map(cpu_seconds).map(|(own, buried)| own + buried);
    let browser = buried + browsers.sum::<f64>();
    let runs = told.took_ms.len();
    let mut stdout = std::io::stdout().lock();
    let mut line = |text: String| writeln!(stdout, "{text}").unwrap();
    line(format!(
        "{journeys} journeys every minute, {concurrent} at once, for {took:.0} s"
    ));
    line(format!(
        "runs {runs}, of them not ok {}; missed {}, of them critical {}",
        told.not_ok, told.missed, told.missed_critical
    ));
    line(format!("duration_ms: {}", percentiles(&mut told.took_ms)));
    line(format!("queued_ms: {}", percentiles(&mut told.queued_ms)));
    line(format!(
        "queued_ms of critical ones: {}",
        percentiles(&mut told.queued_critical_ms)
    ));
    line(format!(
        "processor: browser {:.0} ms a run, probe {:.1} ms a run; {:.2} cores in all",
        browser * 1000.0 / number(runs.max(1)),
        own * 1000.0 / number(runs.max(1)),
        (browser + own) / took
    ));
    line(format!("browser, MB: {}", percentiles(&mut memory_mb)));
    line(format!("probe, MB: {}", percentiles(&mut probe_mb)));
    probe.stop();

    // From its first slot, which is within the first minute, each has a point a minute, whatever became of the run; the last
    // one may still be under way.
    assert_eq!(told.of_each.len(), journeys);
    for (journey, points) in &told.of_each {
        assert!(points + 2 >= minutes, "{journey}: {points}");
    }
}
