//! The probe under a real Telegraf that stops reading, is reloaded, or cannot get rid of what it has.

use std::{
    collections::BTreeSet,
    fs,
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rustix::process::{Pid, Signal, kill_process};
use vigia_testbed::{
    repository,
    servers::{InfluxDb, Program, Telegraf, influxdb, requires},
};

use crate::{
    running::{PATIENCE, Point, Setting, browser_table, members, until},
    site::{Reply, serve},
};

fn journey(name: &str, every: &str, path: &str) -> String {
    format!(
        r#"
system = "paginas"
name = "{name}"
impact = "low"
every = "{every}"
timeout = "50s"
action_timeout = "1s"
[variables]
portal = "https://t.example"
[[step]]
name = "Abrir"
actions = [{{ goto = "${{portal}}/{path}" }}, {{ expect = {{ text = "Bienvenido" }} }}]
"#
    )
}

/// A page with so many colours that its picture is no small one.
fn colourful() -> String {
    "<canvas id=c width=1200 height=700></canvas><script>
     const x = c.getContext('2d');
     for (let i = 0; i < 20000; i++) { x.fillStyle = `hsl(${i * 137 % 360} 90% 50%)`; x.fillRect(i * 7919 % 1200, i * 104729 % 700, 9, 9); }
     </script>"
        .into()
}

fn setting(journeys: &[String], reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Setting {
    let setting = Setting::new(&journeys[0], &serve(reply), browser_table());
    for (number, other) in journeys.iter().enumerate().skip(1) {
        setting.add_journey(&format!("otra-{number}"), other);
    }
    setting
}

fn start(setting: &Setting, influx_url: &str) -> Telegraf {
    let temporary = setting.path().join("tmp");
    fs::create_dir_all(&temporary).unwrap();
    let text = |path: &std::path::Path| path.display().to_string();
    Telegraf::start(
        &setting.path().join("telegraf"),
        &[repository::path("telegraf.d/vigia-probe.conf")],
        &[
            ("VIGIA_PROBE", env!("CARGO_BIN_EXE_vigia-probe").to_owned()),
            (
                "VIGIA_PROBE_CONFIG",
                text(&setting.path().join("probe.toml")),
            ),
            ("TMPDIR", text(&temporary)),
            ("INFLUX_URL", influx_url.to_owned()),
            ("INFLUX_TOKEN", influxdb::TOKEN.to_owned()),
        ],
    )
    .unwrap()
}

fn signal(telegraf: &Telegraf, signal: Signal) {
    let id = Pid::from_raw(telegraf.process().id()).unwrap();
    kill_process(id, signal).unwrap();
}

/// The runs that Telegraf has written into its file.
fn runs(telegraf: &Telegraf) -> Vec<Point> {
    let text = fs::read_to_string(telegraf.points()).unwrap_or_default();
    // The last line may not be whole yet.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole
        .lines()
        .filter(|line| line.starts_with("journey,"))
        .map(|line| Point(line.to_owned()))
        .collect()
}

fn run_ids(points: &[Point]) -> BTreeSet<String> {
    points
        .iter()
        .filter_map(|point| Some(point.text("run_id")?.to_owned()))
        .collect()
}

const NAMES: [&str; 4] = ["una", "otra", "tercera", "cuarta"];

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_while_telegraf_does_not_read_is_told_when_it_reads_again() {
    if !requires(&[Program::Telegraf]) {
        return;
    }
    // Pictures of failures are more than the pipe holds.
    let journeys = NAMES.map(|name| journey(name, "1s", "mala"));
    let setting = setting(&journeys, |_| Reply::page(colourful()));
    let file = setting.path().join("probe.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        text.replace(
            "journeys = \"journeys\"",
            "journeys = \"journeys\"\nmax_concurrent = 4",
        ),
    )
    .unwrap();
    let telegraf = start(&setting, "http://127.0.0.1:9");
    until("the browser", || setting.browser_group().is_some());
    signal(&telegraf, Signal::STOP);
    let before = run_ids(&runs(&telegraf));
    let kept = |name: &str| -> BTreeSet<String> {
        let folder = setting.artifacts().join("paginas").join(name);
        let entries = fs::read_dir(folder).into_iter().flatten();
        entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect()
    };
    let all_kept = || -> BTreeSet<String> { NAMES.iter().flat_map(|name| kept(name)).collect() };
    until("runs that nobody reads", || {
        NAMES
            .iter()
            .all(|name| kept(name).difference(&before).count() >= 2)
    });
    let made_meanwhile = all_kept();

    signal(&telegraf, Signal::CONT);

    until("all of them", || {
        made_meanwhile.is_subset(&run_ids(&runs(&telegraf)))
    });
    telegraf.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_telegraf_that_is_reloaded_ends_its_probe_whole_and_starts_another_one() {
    if !requires(&[Program::Telegraf]) {
        return;
    }
    let setting = setting(&[journey("una", "1s", "buena")], |_| {
        Reply::page("Bienvenido")
    });
    let telegraf = start(&setting, "http://127.0.0.1:9");
    until("a run", || !run_ids(&runs(&telegraf)).is_empty());
    let first = setting.browser_group().unwrap();
    let before = run_ids(&runs(&telegraf)).len();

    signal(&telegraf, Signal::HUP);

    until("the end of the first browser", || members(first).is_empty());
    until("another browser", || {
        setting.browser_group().is_some_and(|group| group != first)
    });
    until("runs of the other probe", || {
        run_ids(&runs(&telegraf)).len() > before + 2
    });
    telegraf.stop().await.unwrap();
    assert_eq!(setting.browser_groups(), Vec::<i32>::new());
    assert_eq!(setting.profiles(), Vec::<std::path::PathBuf>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_output_could_not_take_for_a_time_is_there_when_it_can_again() {
    if !requires(&[Program::Telegraf, Program::Influxd]) {
        return;
    }
    let setting = setting(&[journey("una", "1s", "buena")], |_| {
        Reply::page("Bienvenido")
    });
    let influxdb = InfluxDb::start(&setting.path().join("influxdb"))
        .await
        .unwrap();
    let is_up = Arc::new(AtomicBool::new(false));
    let way = way_to(influxdb.url(), &is_up);
    let telegraf = start(&setting, &way);
    until("runs", || run_ids(&runs(&telegraf)).len() >= 5);
    let made_meanwhile = run_ids(&runs(&telegraf));
    let asked = r#"from(bucket: "vigia") |> range(start: -1h)
        |> filter(fn: (r) => r._measurement == "journey" and r._field == "run_id")
        |> group() |> distinct()"#;
    assert!(influxdb.query(asked).await.unwrap().is_empty());

    is_up.store(true, Ordering::SeqCst);

    vigia_testbed::until::until("every run in the output", PATIENCE, async || {
        let rows = influxdb.query(asked).await.ok()?;
        let there: BTreeSet<String> = rows.iter().map(|row| row["_value"].clone()).collect();
        made_meanwhile.is_subset(&there).then_some(())
    })
    .await
    .unwrap();
    telegraf.stop().await.unwrap();
    influxdb.stop().await.unwrap();
}

/// An address that leads to this one while it is up, and hangs up otherwise.
fn way_to(url: &str, is_up: &Arc<AtomicBool>) -> String {
    let target = url.trim_start_matches("http://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let is_up = Arc::clone(is_up);
    std::thread::spawn(move || {
        for near in listener.incoming() {
            let near = near.unwrap();
            if is_up.load(Ordering::SeqCst) {
                let far = TcpStream::connect(&target).unwrap();
                for (mut from, mut to) in [
                    (near.try_clone().unwrap(), far.try_clone().unwrap()),
                    (far, near),
                ] {
                    // Either side may hang up.
                    std::thread::spawn(move || std::io::copy(&mut from, &mut to).ok());
                }
            }
        }
    });
    format!("http://{address}")
}
