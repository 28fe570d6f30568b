//! `vigia-probe try` with many runs: what is told of all of them, to a person and to a program.

use std::process::Output;

use serde_json::Value;
use vigia_testbed::portal::{Fault, Portal, Switch};

use crate::running::{JOURNEY, Setting, browser_table};

fn attempt(setting: &Setting, more: &[&str]) -> Output {
    setting
        .command("try")
        .arg(setting.path().join("journeys/journey.toml"))
        .args(more)
        .output()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_at_once_are_told_to_a_program_one_by_one() {
    let portal = Portal::start().await.unwrap();
    let setting = Setting::new(JOURNEY, portal.url(), browser_table());

    let output = attempt(
        &setting,
        &["--runs", "3", "--concurrency", "2", "--json", "--phases"],
    );

    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["system"], "tramites");
    assert_eq!(told["ok"], 3, "{told}");
    assert_eq!(told["failed"], 0);
    assert_eq!(told["concurrency"], 2);
    let runs = told["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 3);
    for run in runs {
        assert_eq!(run["outcome"], "ok");
        assert!(run["error"].is_null());
        // The wall time holds all that the user waited, and all the phases.
        let wall_ms = run["wall_ms"].as_f64().unwrap();
        assert!(wall_ms > run["duration_ms"].as_f64().unwrap(), "{run}");
        assert_eq!(run["steps"].as_array().unwrap().len(), 3);
        let phases = run["phases"].as_array().unwrap();
        let names: Vec<_> = phases.iter().map(|p| p["name"].as_str().unwrap()).collect();
        assert_eq!(names[..2], ["browser", "context"]);
        let first = names.iter().position(|name| *name == "goto").unwrap();
        assert_eq!(names[first..first + 3], ["goto", "fill", "fill"]);
        assert_eq!(names.last(), Some(&"dispose"));
        let all_ms: f64 = phases.iter().map(|p| p["took_ms"].as_f64().unwrap()).sum();
        assert!(all_ms <= wall_ms && all_ms > 0.5 * wall_ms, "{run}");
    }
    // Two ran beside each other: all took less than one after the other.
    let wall_seconds = told["wall_seconds"].as_f64().unwrap();
    let one_by_one: f64 = runs
        .iter()
        .map(|run| run["wall_ms"].as_f64().unwrap())
        .sum();
    assert!(wall_seconds * 1000.0 < one_by_one, "{told}");
    assert!(told["own_cpu_ms_per_journey"].as_f64().unwrap() > 0.0);
    let resident = told["resident_bytes"].as_i64().unwrap();
    assert!(told["peak_resident_bytes"].as_i64().unwrap() >= resident && resident > 1_000_000);
    assert!(told["call_ms"].as_f64().unwrap() > 0.0);
    assert!(setting.profiles().is_empty(), "{:?}", setting.profiles());
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_runs_are_counted_and_explained_once() {
    let portal = Portal::start().await.unwrap();
    portal.set_fault(Fault::ServerError, Switch::On);
    let setting = Setting::new(JOURNEY, portal.url(), browser_table());

    let output = attempt(&setting, &["--runs", "2", "--json"]);

    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["ok"], &told["failed"]), (&0.into(), &2.into()));
    for run in told["runs"].as_array().unwrap() {
        assert_eq!(run["outcome"], "failed");
        assert_eq!(run["error_class"], "http_status");
        assert!(run["duration_ms"].is_null(), "{run}");
    }

    let output = attempt(&setting, &["--runs", "2"]);

    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.starts_with("tramites/consultar-tramite: 2 runs, 1 at a time, in "),
        "{text}"
    );
    assert!(text.contains("\n  failed          2\n"), "{text}");
    assert!(
        text.contains("\n  2 x Buscar expediente: http_status: "),
        "{text}"
    );
    // Nothing that failed has a time.
    assert!(
        text.contains("\n  the whole                  -          -          -\n"),
        "{text}"
    );
}

const BLANK: &str = r#"
system = "paginas"
name = "en-blanco"
impact = "low"
every = "24h"
timeout = "15s"
[variables]
portal = "https://t.example"
[[step]]
name = "En blanco"
actions = [
  { script = "document.body.innerHTML = '<button onclick=\"this.textContent = `hecho`\">ir</button>'" },
  { click = "text=ir" },
  { expect = { text = "hecho" } },
]
[[step]]
name = "Abrir"
actions = [{ goto = "${portal}/ingreso" }, { expect = { visible = "label=Usuario" } }]
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_journey_may_begin_in_the_blank_tab() {
    let portal = Portal::start().await.unwrap();
    let setting = Setting::new(BLANK, portal.url(), browser_table());

    let output = attempt(&setting, &["--runs", "2"]);

    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_written_for_a_build_server() {
    let portal = Portal::start().await.unwrap();
    portal.set_fault(Fault::ServerError, Switch::On);
    let setting = Setting::new(JOURNEY, portal.url(), browser_table());
    let file = setting.path().join("runs.xml");

    let output = attempt(&setting, &["--junit", file.to_str().unwrap()]);

    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let xml = std::fs::read_to_string(&file).unwrap();
    let has = |part: &str| assert!(xml.contains(part), "no {part} in {xml}");
    has(
        "<testsuite name=\"tramites/consultar-tramite\" tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\"",
    );
    has("<testcase classname=\"tramites/consultar-tramite\" name=\"Buscar expediente\"");
    has("<failure type=\"http_status\" message=\"");
    has("<skipped/>");
}

#[test]
fn a_journey_that_ends_now_this_way_and_now_that_is_called_flaky() {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let site = crate::site::serve(move |path| {
        let count = asked.fetch_add(
            usize::from(path == "/"),
            std::sync::atomic::Ordering::Relaxed,
        );
        if path == "/" && count % 2 == 1 {
            crate::site::Reply::raw("500 Internal Server Error\nContent-Length: 0", "")
        } else {
            crate::site::Reply::page("<p>Listo</p>")
        }
    });
    let journey = crate::site::journey("{ goto = '${portal}/' }, { expect = { text = 'Listo' } }");
    let setting = Setting::new(&journey, &site, browser_table());
    let output = attempt(&setting, &["--runs", "4"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("\n  ok              2\n"), "{text}");
    assert!(text.contains("\n  flaky: the same journey"), "{text}");

    // Whoever looks on may have it slow; what is told is what the user waits.
    let output = attempt(&setting, &["--json", "--slow-mo", "300ms"]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let run = &told["runs"][0];
    assert_eq!(
        (&told["flaky"], &run["outcome"]),
        (&false.into(), &"ok".into()),
        "{told}"
    );
    let (wall_ms, took_ms) = (
        run["wall_ms"].as_f64().unwrap(),
        run["duration_ms"].as_f64().unwrap(),
    );
    assert!(wall_ms > took_ms + 600.0, "{told}");
}

#[test]
fn a_window_needs_a_display() {
    let setting = Setting::new(JOURNEY, "http://127.0.0.1:9", browser_table());
    let output = setting
        .command("try")
        .arg(setting.path().join("journeys/journey.toml"))
        .arg("--headed")
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("there is no display"), "{told}");
}

#[test]
fn the_doctor_tells_what_was_looked_at_what_was_found_and_what_to_do() {
    let setting = Setting::new(JOURNEY, "http://127.0.0.1:9", browser_table());
    let look = |more: &[&str]| {
        let output = setting.command("doctor").args(more).output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    let telegraf = setting.path().join("telegraf.conf");
    std::fs::write(&telegraf, "[[inputs.execd]]\ncommand = ['vigia-probe', 'run', '--config', 'probe.toml']\ndata_format = 'json'\n").unwrap();
    let (code, told) = look(&["--telegraf", telegraf.to_str().unwrap()]);
    assert_eq!(code, Some(1), "{told}");
    for line in [
        "good      config",
        "good      browser",
        "good      fonts",
        "good      artifacts",
        "good      disk",
    ] {
        assert!(
            told.lines().any(|told| told.starts_with(line)),
            "no {line} in {told}"
        );
    }
    assert!(told.contains("its data_format is not \"influx\""), "{told}");
    assert!(
        told.contains("hint: write data_format = \"influx\""),
        "{told}"
    );
    assert!(setting.profiles().is_empty(), "{:?}", setting.profiles());

    let setting = Setting::new(
        JOURNEY,
        "http://127.0.0.1:9",
        "[browser]\nprogram = '/no/such/browser'\nsandbox = false",
    );
    let output = setting
        .command("doctor")
        .args(["--telegraf", "/nowhere"])
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("bad       browser     failed to start the browser `/no/such/browser`"),
        "{told}"
    );
    assert!(
        told.contains("doubtful  Telegraf    there is no configuration at `/nowhere`"),
        "{told}"
    );
}
