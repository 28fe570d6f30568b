//! How long the dashboards' queries take on 30 days of 30 journeys a minute. A measurement, no verdict: it is run by hand,
//! with `make dashboards-benchmark`, and prints a line a query.

use std::{fmt::Write, time::Instant};

use jiff::{SignedDuration, Timestamp};
use vigia_testbed::servers::{InfluxDb, Program, influxdb::BUCKET, requires};

use crate::{dashboard::Dashboard, interpolation::View};

const DAYS: i64 = 30;
const JOURNEYS: usize = 30;
/// Three journeys each.
const SYSTEMS: usize = 10;
const STEPS: usize = 4;
const PROBE: &str = "sede-central";

/// One day of a journey: every 500th minute it fails for five, every 70th run is slow.
fn day_of(journey: usize, from: Timestamp) -> String {
    let mut lines = String::new();
    for minute in 0..24 * 60 {
        let at = from + SignedDuration::from_mins(minute);
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

#[expect(clippy::print_stdout, reason = "a benchmark is for its reader")]
#[tokio::test]
#[ignore = "a benchmark of some minutes"]
async fn thirty_days_of_thirty_journeys_a_minute() {
    if !requires(&[Program::Influxd]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let influxdb = InfluxDb::start(&folder.path().join("influxdb"))
        .await
        .unwrap();
    let stop = Timestamp::now();
    let start = stop - SignedDuration::from_hours(24 * DAYS);
    for journey in 0..JOURNEYS {
        for day in 0..DAYS {
            let from = start + SignedDuration::from_hours(24 * day);
            influxdb.write(day_of(journey, from)).await.unwrap();
        }
    }
    let names = |letter: &str, count: usize| -> Vec<String> {
        (0..count)
            .map(|number| format!("{letter}{number}"))
            .collect()
    };
    let (systems, journeys) = (names("s", SYSTEMS), names("j", JOURNEYS));
    let systems: Vec<&str> = systems.iter().map(String::as_str).collect();
    let journeys: Vec<&str> = journeys.iter().map(String::as_str).collect();
    let mut took = Vec::new();
    for dashboard in Dashboard::in_language("en") {
        let uid = dashboard.json["uid"].as_str().unwrap().to_owned();
        let view = View {
            start,
            stop,
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
        for query in dashboard.queries() {
            let began = Instant::now();
            let rows = influxdb.query(&view.of(&query.flux)).await.unwrap().len();
            took.push((began.elapsed(), rows, format!("{uid}, {}", query.place)));
        }
    }
    took.sort();
    for (took, rows, place) in took.iter().rev() {
        println!("{:>6.2} s {rows:>6} rows  {place}", took.as_secs_f64());
    }
}
