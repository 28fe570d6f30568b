//! The dashboards on what the real probe writes about a portal that works, breaks and heals: every panel's answer has the
//! shape that it needs, and its numbers are those of the points, counted here without Flux.

use jiff::{SignedDuration, Timestamp};
use vigia_contract::data_model::Outcome;
use vigia_testbed::{
    portal::{Fault, Portal, Switch},
    servers::{
        InfluxDb, Program,
        influxdb::{BUCKET, Row},
        requires,
    },
};

use crate::{
    dashboard::{Dashboard, list, text},
    interpolation::View,
    printed::{JOURNEY, PROBE, Point, Probe, points},
    shape,
};

struct Seen {
    influxdb: InfluxDb,
    points: Vec<Point>,
    _folder: tempfile::TempDir,
}

impl Seen {
    async fn a_portal_that_breaks_and_heals() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let portal = Portal::start().await.unwrap();
        let probe = Probe::start(folder.path(), &portal);
        probe.runs(Outcome::Ok, 1).await;
        portal.set_fault(Fault::ServerError, Switch::On);
        probe.runs(Outcome::Failed, 1).await;
        portal.set_fault(Fault::ServerError, Switch::Off);
        probe.runs(Outcome::Ok, 1).await;
        // What its counts grew by is known from the second time on.
        probe.tells_of_itself(2).await;
        let lines = probe.end();
        let influxdb = InfluxDb::start(&folder.path().join("influxdb"))
            .await
            .unwrap();
        influxdb.write(lines.clone()).await.unwrap();
        Self {
            influxdb,
            points: points(&lines),
            _folder: folder,
        }
    }

    fn of<'a>(&'a self, measurement: &'a str) -> impl Iterator<Item = &'a Point> {
        self.points.iter().filter(move |point| {
            point.measurement == measurement
                && (measurement == "probe" || point.tag("journey") == JOURNEY)
        })
    }

    async fn ask(&self, flux: &str, at: &str) -> Vec<Row> {
        let stop = Timestamp::now();
        let view = View {
            start: stop - SignedDuration::from_mins(15),
            stop,
            window: "10s",
            systems: &["tramites"],
            impacts: &["critical", "high", "low"],
            journeys: &[JOURNEY],
            probes: &[PROBE],
            hosts: &[],
            silent_after: "15m",
            target: "99.5",
            at,
            bucket: BUCKET,
        };
        let flux = view.of(flux);
        match self.influxdb.query(&flux).await {
            Ok(rows) => rows,
            Err(error) => panic!("{error:#}\n{flux}"),
        }
    }

    async fn panel(&self, dashboard: &str, title: &str, at: &str) -> Vec<Row> {
        self.ask(Dashboard::with_uid(dashboard).query_of(title), at)
            .await
    }
}

#[tokio::test]
async fn what_the_real_probe_saw_is_what_the_dashboards_show() {
    if !requires(&[Program::Influxd, Program::Chromium]) {
        return;
    }
    let seen = Seen::a_portal_that_breaks_and_heals().await;
    every_panel_gets_an_answer_of_its_shape(&seen).await;
    runs_are_counted_and_listed_as_they_were(&seen).await;
    failures_have_their_step_and_reason(&seen).await;
    a_run_is_opened_by_its_moment(&seen).await;
    the_robots_count_their_runs(&seen).await;
}

async fn every_panel_gets_an_answer_of_its_shape(seen: &Seen) {
    // Nothing judged the runs and nothing is asked of services here.
    const NOT_HERE: [&str; 15] = [
        "Open incidents",
        "What users suffer now",
        "Recent incidents",
        "Services",
        "Certificates",
        "Servers",
        "What could not be measured, and why",
        "Journeys without data",
        "Not measured and missed",
        "Queue",
        "Processor pressure",
        "Deliveries",
        "From the run to the channel",
        "Blind times of the alerts",
        "Duration of ${journey}",
    ];
    for uid in ["vigia-systems", "vigia-system", "vigia-run", "vigia-robots"] {
        for panel in Dashboard::with_uid(uid).panels() {
            for target in list(&panel["targets"]) {
                let rows = seen.ask(text(&target["query"]), "").await;
                let title = text(&panel["title"]);
                assert!(
                    !rows.is_empty() || NOT_HERE.contains(&title),
                    "{uid}, {title}: nothing"
                );
                shape::check(panel, text(&target["refId"]), &rows);
            }
        }
    }
}

async fn runs_are_counted_and_listed_as_they_were(seen: &Seen) {
    let runs: Vec<_> = seen.of("journey").collect();
    let with = |outcome: Outcome| {
        let runs = runs
            .iter()
            .filter(|run| run.field("result") == Some(outcome.name()));
        runs.count().to_string()
    };
    let rows = seen.panel("vigia-system", "Runs by outcome", "").await;
    for outcome in Outcome::ALL {
        assert_eq!(rows[0][outcome.name()], with(outcome), "{outcome:?}");
    }

    let sum = |field: &str| runs.iter().filter_map(|run| run.number(field)).sum::<f64>();
    let share = (sum("ok") * 100_000.0 / sum("valid")).floor() / 100_000.0;
    let rows = seen
        .panel("vigia-system", "Availability against the target", "")
        .await;
    assert_eq!(rows[0]["availability"], share.to_string());
    assert_eq!(rows[0]["target"], "0.995");
    assert!(
        rows[0]["left"].starts_with('-'),
        "one failure is more than 0.5 %: {rows:?}"
    );

    let rows = seen.panel("vigia-system", "Last runs", "").await;
    let told: Vec<_> = rows
        .iter()
        .rev()
        .map(|row| {
            (
                row["at"].clone(),
                row["state"].clone(),
                row["duration_ms"].clone(),
            )
        })
        .collect();
    let mut expected: Vec<_> = runs
        .iter()
        .map(|run| {
            let field = |name| run.field(name).unwrap_or_default().to_owned();
            (
                run.at.to_string(),
                field("result_code"),
                field("duration_ms"),
            )
        })
        .collect();
    expected.sort();
    assert_eq!(told, expected);

    let rows = seen.panel("vigia-system", "Steps", "").await;
    let steps: Vec<_> = rows.iter().map(|row| row["step"].as_str()).collect();
    assert_eq!(steps, ["ingresar", "buscar-expediente", "ver-detalle"]);
    for row in &rows {
        let of_step = || {
            seen.of("journey_step")
                .filter(|point| point.tag("step") == row["step"])
        };
        assert_eq!(row["runs"], of_step().count().to_string());
        let failed = of_step().filter(|point| point.field("result_code") == Some("2"));
        assert_eq!(row["failed"], failed.count().to_string());
        let took: Vec<f64> = of_step()
            .filter_map(|point| point.number("duration_ms"))
            .collect();
        let (least, most) = took
            .iter()
            .fold((f64::MAX, 0.0_f64), |(least, most), took| {
                (least.min(*took), most.max(*took))
            });
        let median: f64 = row["p50_ms"].parse().unwrap();
        assert!((least..=most).contains(&median), "{median} of {took:?}");
    }
}

async fn failures_have_their_step_and_reason(seen: &Seen) {
    let failed: Vec<_> = seen
        .of("journey")
        .filter(|run| run.field("result") == Some("failed"))
        .collect();
    let rows = seen
        .panel("vigia-system", "Failures by step and reason", "")
        .await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["runs"], failed.len().to_string());
    let last = failed.iter().max_by_key(|run| run.at).unwrap();
    assert_eq!(rows[0]["last"], last.at.to_string());
    for field in ["failed_step", "error_class", "error"] {
        assert_eq!(Some(rows[0][field].as_str()), last.field(field), "{field}");
    }

    let mut expected = Vec::new();
    for journey in [JOURNEY, "presentar-solicitud"] {
        let of = seen
            .points
            .iter()
            .filter(|point| point.measurement == "journey" && point.tag("journey") == journey);
        let mut codes: Vec<_> = of
            .map(|run| (run.at.to_string(), run.field("result_code").unwrap()))
            .collect();
        codes.sort();
        let pairs = codes.iter().zip(codes.iter().skip(1));
        expected.extend(
            pairs
                .filter(|((_, was), (_, is))| was != is)
                .map(|((_, was), (at, is))| (at.clone(), *was, *is)),
        );
    }
    expected.sort();
    assert!(!expected.is_empty());
    let rows = seen
        .panel("vigia-systems", "Changed in the last hour", "")
        .await;
    let told: Vec<_> = rows
        .iter()
        .rev()
        .map(|row| {
            (
                row["at"].clone(),
                row["was"].as_str(),
                row["state"].as_str(),
            )
        })
        .collect();
    assert_eq!(told, expected);
}

async fn a_run_is_opened_by_its_moment(seen: &Seen) {
    let first_failed = seen
        .of("journey")
        .filter(|run| run.field("result") == Some("failed"))
        .min_by_key(|run| run.at)
        .unwrap();
    let at = first_failed.at.as_millisecond().to_string();
    let rows = seen.panel("vigia-run", "The run", &at).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["at"], first_failed.at.to_string());
    assert_eq!(rows[0]["state"], "2");
    let rows = seen.panel("vigia-run", "Reason and artifacts", &at).await;
    for field in [
        "failed_step",
        "error_class",
        "error",
        "url",
        "artifact",
        "run_id",
    ] {
        assert_eq!(
            Some(rows[0][field].as_str()),
            first_failed.field(field),
            "{field}"
        );
    }
    let run_id = first_failed.field("run_id");
    let steps = |rows: &[Row]| {
        rows.iter()
            .map(|row| row["step"].clone())
            .collect::<Vec<_>>()
    };
    let rows = seen.panel("vigia-run", "Steps", &at).await;
    assert_eq!(steps(&rows), ["ingresar", "buscar-expediente"]);
    assert_eq!(rows[1]["duration_ms"], "", "a failed step has none");

    let picture = Dashboard::with_uid("vigia-run");
    let picture = picture
        .variables()
        .iter()
        .find(|variable| variable["name"] == "picture")
        .unwrap();
    let shown = seen.ask(text(&picture["query"]), &at).await;
    let image = seen
        .of("journey_screenshot")
        .find(|point| point.field("run_id") == run_id)
        .unwrap();
    assert_eq!(Some(shown[0]["picture"].as_str()), image.field("image"));

    let good = seen
        .of("journey")
        .filter(|run| run.field("result") == Some("ok"))
        .min_by_key(|run| run.at)
        .unwrap();
    let at = good.at.as_millisecond().to_string();
    let rows = seen.panel("vigia-run", "Steps as a waterfall", &at).await;
    let mut began = 0.0;
    let mut of_run: Vec<_> = seen
        .of("journey_step")
        .filter(|step| step.field("run_id") == good.field("run_id"))
        .collect();
    of_run.sort_by_key(|step| step.field("index"));
    assert_eq!(rows.len(), of_run.len());
    for (row, step) in rows.iter().zip(of_run) {
        let took = step.number("duration_ms").unwrap();
        let number = |column: &str| row[column].parse::<f64>().unwrap();
        assert!((number("before_ms") - began).abs() < 0.01, "{row:?}");
        assert!(
            (number("ok_ms") + number("slow_ms") - took).abs() < 0.01,
            "{row:?}"
        );
        began += took;
    }
    let shown = seen.ask(text(&picture["query"]), &at).await;
    let kept = seen
        .of("journey_screenshot")
        .find(|point| point.field("run_id") == good.field("run_id"));
    assert_eq!(
        shown.first().map(|row| row["picture"].as_str()),
        kept.and_then(|point| point.field("image")),
        "a run has its own picture or none"
    );
}

async fn the_robots_count_their_runs(seen: &Seen) {
    let rows = seen.panel("vigia-robots", "Probes", "").await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    let runs = seen
        .points
        .iter()
        .filter(|point| point.measurement == "journey");
    let made = runs
        .filter(|run| run.field("result") != Some("missed"))
        .count();
    assert_eq!(rows[0]["runs"], made.to_string());
    let last = seen.of("probe").max_by_key(|point| point.at).unwrap();
    assert_eq!(rows[0]["last_heard"], last.at.to_string());
    assert_eq!(Some(rows[0]["journeys"].as_str()), last.field("journeys"));
}
