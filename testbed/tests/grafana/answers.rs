//! What the dashboards' queries answer, on a real InfluxDB.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use vigia_testbed::servers::{InfluxDb, Program, influxdb::BUCKET, influxdb::Row, requires};

use crate::{
    dashboard::{Dashboard, text},
    interpolation::View,
    seed::{self, AWKWARD, PICTURE, PROBE, SYSTEMS, ago},
    shape,
};

const IMPACTS: [&str; 3] = ["critical", "high", "low"];

/// The last hour, all systems; Grafana's time range ends a moment after the last run.
fn view(now: Timestamp) -> View<'static> {
    View {
        start: ago(now, 60),
        stop: now + SignedDuration::from_secs(1),
        window: "1m0s",
        systems: &SYSTEMS,
        impacts: &IMPACTS,
        journeys: &["consultar"],
        probes: &[PROBE],
        hosts: &["h1"],
        silent_after: "15m",
        target: "99.5",
        at: "",
        bucket: BUCKET,
    }
}

/// The last minute of a quarter of an hour, so that windows of a quarter end with it.
fn end_of_a_quarter() -> Timestamp {
    let seconds = Timestamp::now().as_second();
    Timestamp::from_second(seconds - seconds % 900 - 60).unwrap()
}

struct Seeded {
    influxdb: InfluxDb,
    now: Timestamp,
    dashboard: Dashboard,
    _folder: tempfile::TempDir,
}

impl Seeded {
    async fn with(points: impl FnOnce(Timestamp) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let influxdb = InfluxDb::start(&folder.path().join("influxdb"))
            .await
            .unwrap();
        let now = end_of_a_quarter();
        influxdb.write(points(now)).await.unwrap();
        let dashboard = Dashboard::with_uid("vigia-systems");
        Self {
            influxdb,
            now,
            dashboard,
            _folder: folder,
        }
    }

    async fn ask(&self, flux: &str) -> Vec<Row> {
        self.ask_in(&view(self.now), flux).await
    }

    async fn ask_in(&self, view: &View<'_>, flux: &str) -> Vec<Row> {
        let flux = view.of(flux);
        match self.influxdb.query(&flux).await {
            Ok(rows) => rows,
            Err(error) => panic!("{error:#}\n{flux}"),
        }
    }
}

fn number(row: &Row, column: &str) -> f64 {
    row[column]
        .parse()
        .unwrap_or_else(|_| panic!("`{column}` in {row:?}"))
}

#[tokio::test]
async fn nothing_is_broken_before_the_first_run() {
    if !requires(&[Program::Influxd]) {
        return;
    }
    let empty = Seeded::with(|_| String::new()).await;
    for dashboard in Dashboard::all() {
        for query in dashboard.queries() {
            assert_eq!(empty.ask(&query.flux).await, [], "{}", query.place);
        }
    }
}

#[tokio::test]
async fn a_first_run_that_could_not_be_measured_is_shown_as_that() {
    if !requires(&[Program::Influxd]) {
        return;
    }
    let first = Seeded::with(|now| {
        let at = ago(now, 1).as_nanosecond();
        format!("journey,system=tramites,journey=consultar,probe={PROBE},impact=high ok=0i,valid=0i,result=\"unmeasured\",result_code=3i {at}")
    })
    .await;
    for query in first.dashboard.queries() {
        first.ask(&query.flux).await;
    }
    let rows = first.ask(first.dashboard.query_of("Journeys now")).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["state"], "unmeasured");
    assert_eq!(rows[0]["since"], ago(first.now, 1).to_string());
    assert_eq!(rows[0].get("availability"), None, "nothing is known of it");
}

#[tokio::test]
async fn an_hour_of_an_agency_is_told_as_it_was() {
    if !requires(&[Program::Influxd]) {
        return;
    }
    let agency = Seeded::with(seed::points).await;
    systems_are_counted_once_each_by_their_worst_journey(&agency).await;
    what_is_not_well_comes_first_with_its_reason(&agency).await;
    a_silence_is_a_state_of_its_own_over_time(&agency).await;
    only_completed_runs_have_a_duration(&agency).await;
    incidents_that_reach_into_the_time_range_are_listed(&agency).await;
    the_choice_of_systems_is_kept_to(&agency).await;
    every_column_with_a_heading_is_there(&agency).await;
    what_users_cannot_do_now_is_told_with_its_picture(&agency).await;
    what_changed_in_the_last_hour_is_told_once_and_the_newest_first(&agency).await;
}

async fn systems_are_counted_once_each_by_their_worst_journey(agency: &Seeded) {
    let rows = agency.ask(agency.dashboard.query_of("Systems now")).await;
    let counts = ["working", "slow", "failing", "unmeasured", "silent"].map(|name| &rows[0][name]);
    assert_eq!(
        (rows.len(), counts),
        (1, ["1", "1", "1", "2", "2"].map(String::from).each_ref())
    );

    let rows = agency
        .ask(agency.dashboard.query_of("Open incidents"))
        .await;
    assert_eq!((rows.len(), rows[0]["incidents"].as_str()), (1, "1"));
}

async fn what_is_not_well_comes_first_with_its_reason(agency: &Seeded) {
    let rows = agency.ask(agency.dashboard.query_of("Journeys now")).await;
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            [
                "impact",
                "system",
                "journey",
                "state",
                "failed_step",
                "picture",
            ]
            .map(|column| row[column].as_str())
        })
        .collect();
    assert_eq!(
        told,
        [
            [
                "critical",
                "tramites",
                "consultar",
                "failed",
                "Ingresar",
                PICTURE
            ],
            ["high", "correo", "leer", "slow", "", ""],
            ["high", "censo", "consultar", "no data", "", ""],
            ["low", "archivo", "buscar", "unmeasured", "", ""],
            ["low", "registro", "ver", "no data", "", ""],
            ["low", "turnos", "reservar", "missed", "", ""],
            ["critical", AWKWARD, "pagar", "ok", "", ""],
        ]
    );
    assert_eq!(rows[0]["error"], "no text `Bienvenido`");
    let since: Vec<&str> = rows.iter().map(|row| row["since"].as_str()).collect();
    let minutes_ago = [10, 4, 31, 2, 3 * 24 * 60, 1, 60];
    assert_eq!(
        since,
        minutes_ago.map(|minutes| ago(agency.now, minutes).to_string())
    );

    // 50 of 61 runs are 81.967 %: cut off, not rounded up.
    assert_eq!(rows[0]["availability"], "0.8196");
    assert_eq!(
        rows[3]["availability"], "1",
        "what could not be measured counts neither way"
    );
    assert_eq!(
        rows[4]["availability"], "",
        "nothing is known of it in this hour"
    );
    let p95_ms = number(&rows[6], "p95_ms");
    assert!(
        (156.0..=159.0).contains(&p95_ms),
        "of 100 to 160 ms: {p95_ms}"
    );
    assert_eq!(number(&rows[0], "p95_ms").to_string(), "500");
    assert_eq!(rows[4]["p95_ms"], "");
}

async fn a_silence_is_a_state_of_its_own_over_time(agency: &Seeded) {
    let rows = agency
        .ask(agency.dashboard.query_of("Journeys over time"))
        .await;
    let changes = |system: &str| -> Vec<(String, String)> {
        let rows = rows.iter().filter(|row| row["system"] == system);
        rows.map(|row| (row["_value"].clone(), row["_time"].clone()))
            .collect()
    };
    let at = |code: &str, minutes| (code.to_owned(), ago(agency.now, minutes).to_string());
    assert_eq!(changes("tramites"), [at("0", 60), at("2", 10)]);
    assert_eq!(changes("correo"), [at("0", 60), at("1", 4)]);
    assert_eq!(changes("archivo"), [at("0", 60), at("3", 2)]);
    assert_eq!(changes("turnos"), [at("0", 60), at("4", 1)]);
    assert_eq!(
        changes("censo"),
        [at("0", 60), at("5", 30)],
        "grey from a window after its last run"
    );
    assert_eq!(changes(AWKWARD), [at("0", 60)]);
    assert_eq!(changes("registro"), [], "no run in this hour");

    // In a window of a quarter of an hour the worst run that says something wins; the others count where they are alone.
    let wide = View {
        window: "15m0s",
        ..view(agency.now)
    };
    let flux = agency.dashboard.query_of("Journeys over time");
    let rows = agency.ask_in(&wide, flux).await;
    let last = |system: &str| {
        let row = rows.iter().rfind(|row| row["system"] == system);
        row.map(|row| row["_value"].as_str())
    };
    assert_eq!(last("tramites"), Some("2"));
    assert_eq!(last("correo"), Some("1"));
    assert_eq!(last("archivo"), Some("0"));
    assert_eq!(last("turnos"), Some("0"));

    // A silence between two runs, too, not only one that lasts.
    let days = View {
        start: ago(agency.now, 4 * 24 * 60),
        ..view(agency.now)
    };
    let rows = agency.ask_in(&days, flux).await;
    let rows = rows.iter().filter(|row| row["system"] == "registro");
    let codes: Vec<&str> = rows.map(|row| row["_value"].as_str()).collect();
    assert_eq!(codes, ["0", "5", "0", "5"]);
}

async fn only_completed_runs_have_a_duration(agency: &Seeded) {
    let rows = agency
        .ask(agency.dashboard.query_of("Duration of completed runs"))
        .await;
    let of = |system: &str| {
        rows.iter()
            .filter(|row| row["system"] == system)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("tramites").len(), 50);
    assert_eq!(of("censo").len(), 30);
    assert_eq!(of(AWKWARD).len(), 61);
    let mean: Vec<&str> = of("correo")
        .iter()
        .rev()
        .take(6)
        .map(|row| row["_value"].as_str())
        .collect();
    assert_eq!(mean, ["3000", "3000", "3000", "3000", "3000", "900"]);
    let series: BTreeSet<&str> = rows.iter().map(|row| row["table"].as_str()).collect();
    assert_eq!(
        series.len(),
        6,
        "one series, and so one line, for each journey"
    );
}

async fn incidents_that_reach_into_the_time_range_are_listed(agency: &Seeded) {
    let flux = agency.dashboard.query_of("Recent incidents");
    let rows = agency.ask(flux).await;
    assert_eq!(
        rows.len(),
        1,
        "the other one was over an hour ago: {rows:?}"
    );
    assert_eq!(rows[0]["state"], "open");
    assert_eq!(
        number(&rows[0], "duration_s").to_string(),
        "601",
        "up to the end of the time range"
    );
    assert_eq!(rows[0]["artifact"], "tramites/consultar/r1");

    let day = View {
        start: ago(agency.now, 150),
        ..view(agency.now)
    };
    let rows = agency.ask_in(&day, flux).await;
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row["system"].as_str(), row["state"].as_str()))
        .collect();
    assert_eq!(
        told,
        [("tramites", "open"), ("correo", "closed")],
        "the newest first"
    );
    assert_eq!(number(&rows[1], "duration_s").to_string(), "3600");
    assert_eq!(
        rows[1]["artifact"], "",
        "of an incident whose runs kept nothing"
    );

    let annotation = text(&agency.dashboard.annotations()[0]["target"]["query"]);
    let rows = agency.ask_in(&day, annotation).await;
    assert_eq!(rows[0]["title"], "tramites / consultar");
    assert_eq!(rows[0]["text"], "Ingresar: no text `Bienvenido`");
    assert_eq!(rows[0]["tags"], "critical,open");
    assert_eq!(rows[1]["time"], ago(agency.now, 180).to_string());
    assert_eq!(rows[1]["timeEnd"], ago(agency.now, 120).to_string());
}

async fn the_choice_of_systems_is_kept_to(agency: &Seeded) {
    let flux = agency.dashboard.query_of("Journeys now");
    let one = View {
        systems: &[AWKWARD],
        ..view(agency.now)
    };
    let rows = agency.ask_in(&one, flux).await;
    assert_eq!(
        rows.iter()
            .map(|row| row["system"].as_str())
            .collect::<Vec<_>>(),
        [AWKWARD]
    );

    let low = View {
        impacts: &["low"],
        ..view(agency.now)
    };
    let rows = agency.ask_in(&low, flux).await;
    assert!(
        rows.len() == 3 && rows.iter().all(|row| row["impact"] == "low"),
        "{rows:?}"
    );

    let offered = agency
        .ask(text(&variable(&agency.dashboard, "system")["query"]))
        .await;
    let offered: BTreeSet<&str> = offered.iter().map(|row| row["_value"].as_str()).collect();
    assert_eq!(offered, SYSTEMS.into_iter().collect());
}

async fn every_column_with_a_heading_is_there(agency: &Seeded) {
    for panel in agency.dashboard.panels() {
        let rows = agency.ask(text(&panel["targets"][0]["query"])).await;
        shape::check(panel, "A", &rows);
        shape::check_headings(panel, &rows);
    }
}

async fn what_users_cannot_do_now_is_told_with_its_picture(agency: &Seeded) {
    let flux = agency.dashboard.query_of("What users suffer now");
    let rows = agency.ask(flux).await;
    assert_eq!(rows.len(), 1, "the other incident is over: {rows:?}");
    assert_eq!(rows[0]["began"], ago(agency.now, 10).to_string());
    let told =
        ["system", "failed_step", "error", "picture", "probe"].map(|name| rows[0][name].as_str());
    let error = "no text `Bienvenido`";
    assert_eq!(told, ["tramites", "Ingresar", error, PICTURE, PROBE]);
}

async fn what_changed_in_the_last_hour_is_told_once_and_the_newest_first(agency: &Seeded) {
    let flux = agency.dashboard.query_of("Changed in the last hour");
    let rows = agency.ask(flux).await;
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row["system"].as_str(),
                row["was"].as_str(),
                row["state"].as_str(),
                row["at"].clone(),
            )
        })
        .collect();
    let at = |minutes| ago(agency.now, minutes).to_string();
    assert_eq!(
        told,
        [
            ("turnos", "0", "4", at(1)),
            ("archivo", "0", "3", at(2)),
            ("correo", "0", "1", at(4)),
            ("tramites", "0", "2", at(10)),
        ]
    );
    assert_eq!(rows[3]["failed_step"], "Ingresar");
}

fn variable<'a>(dashboard: &'a Dashboard, name: &str) -> &'a serde_json::Value {
    dashboard
        .variables()
        .iter()
        .find(|variable| variable["name"] == name)
        .unwrap()
}
