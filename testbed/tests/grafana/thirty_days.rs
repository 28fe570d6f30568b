//! The dashboards over 30 days: few runs in every test; and how long their queries take on 30 days of 30 journeys a minute. That
//! is a measurement, no verdict: it is run by hand, with `make dashboards-benchmark`, and prints a line a query.

use std::{fmt::Write, time::Instant};

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use vigia_testbed::servers::{InfluxDb, Program, influxdb::BUCKET, requires};

use crate::{
    dashboard::{Dashboard, list, text},
    interpolation::View,
    shape,
};

const DAYS: i64 = 30;
const JOURNEYS: usize = 30;
/// Three journeys each.
const SYSTEMS: usize = 10;
const STEPS: usize = 4;
const PROBE: &str = "sede-central";

/// One day of a journey, a run in so many minutes: every 500th minute it fails for five, every 70th run is slow.
fn day_of(journey: usize, from: Timestamp, every_minutes: usize) -> String {
    let mut lines = String::new();
    for minute in (0..24 * 60).step_by(every_minutes) {
        let at = from + SignedDuration::from_mins(i64::from(minute));
        let at_ns = at.as_nanosecond() + i128::try_from(journey).unwrap();
        let code = match minute % 500 {
            0..5 => 2,
            past if past % 70 == 6 => 1,
            _ => 0,
        };
        let took_ms = 200.0 + f64::from(u16::try_from((minute * 37) % 211).unwrap());
        let (ok, result) = (i32::from(code < 2), ["ok", "slow", "failed"][code]);
        let tags = format!(
            "system=s{},journey=j{journey},probe={PROBE},impact=critical,host=h",
            journey % SYSTEMS
        );
        let fields = format!(
            "ok={ok}i,valid=1i,result=\"{result}\",result_code={code}i,queued_ms=1.5,run_id=\"{at_ns}\""
        );
        let outcome = if code == 2 {
            ",failed_step=\"Buscar\",error_class=\"http_status\",error=\"status 500\"".to_owned()
        } else {
            format!(",duration_ms={:?}", took_ms * 4.0)
        };
        writeln!(lines, "journey,{tags} {fields}{outcome} {at_ns}").unwrap();
        for step in 0..STEPS {
            writeln!(
                lines,
                "journey_step,{tags},step=paso-{step} index={step}i,result_code=0i,duration_ms={took_ms:?},budget_ms=3000.0,run_id=\"{at_ns}\" {at_ns}"
            )
            .unwrap();
        }
        if journey < 3 {
            writeln!(
                lines,
                "journey_page,{tags},step=paso-0 url=\"https://a.example\",ttfb_ms=50.5,fcp_ms=300.5,lcp_ms={took_ms:?},cls=0.01,inp_ms=20.5 {at_ns}"
            )
            .unwrap();
        }
    }
    lines
}

/// A month on a real InfluxDB.
struct Month {
    influxdb: InfluxDb,
    start: Timestamp,
    stop: Timestamp,
    systems: Vec<String>,
    journeys: Vec<String>,
    _folder: TempDir,
}

impl Month {
    /// All journeys, each with a run in so many minutes.
    async fn with_runs_every(minutes: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let influxdb = InfluxDb::start(&folder.path().join("influxdb"))
            .await
            .unwrap();
        let stop = Timestamp::now();
        let start = stop - SignedDuration::from_hours(24 * DAYS);
        for day in 0..DAYS {
            let from = start + SignedDuration::from_hours(24 * day);
            for journey in 0..JOURNEYS {
                let lines = day_of(journey, from, minutes);
                influxdb.write(lines).await.unwrap();
            }
        }
        let names = |letter: &str, count: usize| {
            let numbers = 0..count;
            numbers.map(|number| format!("{letter}{number}")).collect()
        };
        Self {
            influxdb,
            start,
            stop,
            systems: names("s", SYSTEMS),
            journeys: names("j", JOURNEYS),
            _folder: folder,
        }
    }

    /// What Grafana makes of a query of this dashboard for all of the month.
    fn flux(&self, uid: &str, query: &str) -> String {
        let systems: Vec<&str> = self.systems.iter().map(String::as_str).collect();
        let journeys: Vec<&str> = self.journeys.iter().map(String::as_str).collect();
        let view = View {
            start: self.start,
            stop: self.stop,
            // What Grafana makes of 30 days on a panel of 500 points.
            window: "1h30m0s",
            systems: if uid == "vigia-systems" {
                &systems
            } else {
                &systems[..1]
            },
            impacts: &["critical", "high", "low"],
            journeys: &journeys,
            probes: &[PROBE],
            hosts: &["h"],
            silent_after: "15m",
            target: "99.5",
            at: "",
            bucket: BUCKET,
        };
        view.of(query)
    }
}

#[tokio::test]
async fn every_panel_can_draw_thirty_days() {
    if !requires(&[Program::Influxd]) {
        return;
    }
    let month = Month::with_runs_every(120).await;
    for dashboard in Dashboard::in_language("en") {
        let uid = text(&dashboard.json["uid"]);
        for panel in dashboard.panels() {
            for target in list(&panel["targets"]) {
                let flux = month.flux(uid, text(&target["query"]));
                let rows = month.influxdb.query(&flux).await.unwrap();
                shape::check(panel, text(&target["refId"]), &rows);
            }
        }
    }
    let dashboard = Dashboard::with_uid("vigia-systems");
    let flux = month.flux("vigia-systems", dashboard.query_of("Journeys now"));
    let rows = month.influxdb.query(&flux).await.unwrap();
    assert_eq!(rows.len(), JOURNEYS);
    for row in rows {
        // Of twelve runs a day the first one fails; it is never rounded up.
        assert_eq!(row["availability"], "0.9166", "{row:?}");
    }
}

#[expect(clippy::print_stdout, reason = "a benchmark is for its reader")]
#[tokio::test]
#[ignore = "a benchmark of some minutes"]
async fn thirty_days_of_thirty_journeys_a_minute() {
    if !requires(&[Program::Influxd]) {
        return;
    }
    let month = Month::with_runs_every(1).await;
    let mut took = Vec::new();
    for dashboard in Dashboard::in_language("en") {
        let uid = text(&dashboard.json["uid"]).to_owned();
        for query in dashboard.queries() {
            let flux = month.flux(&uid, &query.flux);
            let began = Instant::now();
            let rows = month.influxdb.query(&flux).await.unwrap().len();
            took.push((began.elapsed(), rows, format!("{uid}, {}", query.place)));
        }
    }
    took.sort();
    for (took, rows, place) in took.iter().rev() {
        println!("{:>6.2} s {rows:>6} rows  {place}", took.as_secs_f64());
    }
}
