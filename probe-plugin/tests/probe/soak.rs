//! Nothing grows with the age of the process: many runs one after the other, and what the probe and its browser take at
//! the beginning and at the end. `make soak` runs it.

use std::{
    fmt,
    io::Write,
    time::{Duration, Instant},
};

use rustix::process::Pid;
use vigia_testbed::portal::Portal;

use crate::running::{Running, Setting, browser_table, members};

/// How many runs, where the environment variable `SOAK_RUNS` does not say.
const RUNS: usize = 2000;

/// So many at the beginning are held against so many at the end.
const COMPARED: usize = 100;

/// At the beginning the browser's caches and the allocator's reserves fill.
const WARM_UP: usize = 20;

/// More journeys than places: there is always one that waits.
const JOURNEYS: usize = 8;

const JOURNEY: &str = r#"
system = "tramites"
name = "ingresar-NUMBER"
impact = "low"
every = "1s"
timeout = "30s"
[variables]
portal = "https://tramites.example"
[[step]]
name = "Ingresar"
actions = [
  { goto = "${portal}/ingreso" },
  { fill = { field = "label=Usuario", with = "robot" } },
  { fill = { field = "label=Clave", with = "${secret:TRAMITES_CLAVE}" } },
  { click = "role=button[name='Ingresar']" },
  { expect = { text = "Bienvenido" } },
]
"#;

/// What was in use when a run had ended, or the mean of many.
#[derive(Clone, Copy, Debug, Default)]
struct Use {
    probe_mb: f64,
    browser_mb: f64,
    browser_processes: f64,
    descriptors: f64,
    tasks: f64,
}

impl Use {
    fn now(probe: Pid, setting: &Setting) -> Self {
        let count = |folder: &str| {
            let entries = std::fs::read_dir(format!("/proc/{probe}/{folder}"));
            number(entries.map_or(0, Iterator::count))
        };
        let browser: Vec<i32> = setting
            .browser_groups()
            .into_iter()
            .flat_map(members)
            .collect();
        Self {
            probe_mb: resident_mb(probe.as_raw_nonzero().get()),
            browser_mb: browser.iter().copied().map(resident_mb).sum(),
            browser_processes: number(browser.len()),
            descriptors: count("fd"),
            tasks: count("task"),
        }
    }

    fn mean(of: &[Self]) -> Self {
        let mean = |what: fn(&Self) -> f64| of.iter().map(what).sum::<f64>() / number(of.len());
        Self {
            probe_mb: mean(|of| of.probe_mb),
            browser_mb: mean(|of| of.browser_mb),
            browser_processes: mean(|of| of.browser_processes),
            descriptors: mean(|of| of.descriptors),
            tasks: mean(|of| of.tasks),
        }
    }
}

impl fmt::Display for Use {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "probe {:.1} MB, browser {:.0} MB in {:.1} processes, {:.1} descriptors, {:.1} tasks",
            self.probe_mb, self.browser_mb, self.browser_processes, self.descriptors, self.tasks
        )
    }
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

fn resident_mb(process: i32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().split(' ').next()?.parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) * 1024.0 / 1_000_000.0
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: `make soak`"]
async fn many_runs_hold_memory_descriptors_and_tasks_flat() {
    let runs = std::env::var("SOAK_RUNS").map_or(RUNS, |runs| runs.parse().unwrap());
    assert!(runs >= WARM_UP + 2 * COMPARED);
    let portal = Portal::start().await.unwrap();
    let name = |number: usize| JOURNEY.replace("NUMBER", &number.to_string());
    let setting = Setting::new(
        &name(0),
        portal.url(),
        &format!("max_concurrent = 4\n{}", browser_table()),
    );
    for number in 1..JOURNEYS {
        setting.add_journey(&format!("journey-{number}"), &name(number));
    }
    let probe = Running::start(&setting);
    let began = Instant::now();
    let mut used = Vec::new();
    let mut bad = 0;
    while used.len() < runs {
        let run = probe.run_that_started();
        bad += usize::from(run.journey.integer("ok") != Some(1));
        used.push(Use::now(probe.id(), &setting));
    }
    let took = began.elapsed();
    let first = Use::mean(&used[WARM_UP..WARM_UP + COMPARED]);
    let last = Use::mean(&used[runs - COMPARED..]);
    let mut stdout = std::io::stdout().lock();
    writeln!(
        stdout,
        "{runs} runs in {:.0} s, {bad} of them not ok",
        Duration::as_secs_f64(&took)
    )
    .unwrap();
    writeln!(stdout, "first {COMPARED}: {first}").unwrap();
    writeln!(stdout, "last {COMPARED}:  {last}").unwrap();
    probe.stop();

    assert_eq!(bad, 0);
    // What is left of noise: a page of the allocator, how many pages are open at the moment of a look.
    assert!(last.probe_mb < first.probe_mb + 3.0);
    assert!(last.browser_mb < first.browser_mb * 1.25);
    assert!(last.descriptors < first.descriptors + 1.0);
    assert!(last.tasks < first.tasks + 1.0);
}
