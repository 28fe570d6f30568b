//! How long the report of a month takes: `make benchmark-report`.
//!
//! Thirty systems, each with a journey of four steps a minute, over two months, in a real InfluxDB; the released program makes the
//! report of the second. Filling InfluxDB takes some minutes, and is not in the figures. A figure above its limit ends the
//! benchmark with a failure.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on has failed, and its figures are what it is for"
)]

use std::{
    fmt::Write,
    fs,
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use vigia_testbed::servers::{
    InfluxDb,
    influxdb::{BUCKET, ORGANIZATION, TOKEN},
};

const SYSTEMS: i32 = 30;
const STEPS: usize = 4;
const LIMIT: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(measure())
}

async fn measure() -> ExitCode {
    let folder = tempfile::tempdir().unwrap();
    let influxdb = InfluxDb::start(&folder.path().join("influxdb"))
        .await
        .unwrap();
    let from: Timestamp = "2026-09-01T00:00:00Z".parse().unwrap();
    let began = Instant::now();
    for day in 0..61 {
        for system in 0..SYSTEMS {
            let lines = day_of(system, from + SignedDuration::from_hours(24 * day));
            influxdb.write(lines).await.unwrap();
        }
    }
    println!("filled in {:.0} s", began.elapsed().as_secs_f64());
    let config = folder.path().join("alert.toml");
    let url = influxdb.url();
    let text = format!(
        r#"time_zone = "UTC"
[influxdb]
url = "{url}"
organization = "{ORGANIZATION}"
bucket = "{BUCKET}"
token = "${{secret:INFLUX_TOKEN}}"
[store]
path = "vigia-alert.db"
[[channel]]
name = "mail"
email = {{ server = "127.0.0.1", tls = "none", from = "vigia@agency.example", to = ["director@agency.example"] }}
[[route]]
channels = ["mail"]
[[target]]
availability = 99.9
"#
    );
    fs::write(&config, text).unwrap();
    let mut is_too_slow = false;
    for (what, formats) in [("CSV", "csv"), ("HTML, PDF and CSV", "html,pdf,csv")] {
        for time in 1..=3 {
            let began = Instant::now();
            let output = Command::new(env!("CARGO_BIN_EXE_vigia-alert"))
                .args([
                    "report", "--month", "2026-10", "--format", formats, "--config",
                ])
                .arg(&config)
                .arg("--output")
                .arg(folder.path().join("report"))
                .env("INFLUX_TOKEN", TOKEN)
                .output()
                .unwrap();
            let took = began.elapsed();
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            is_too_slow |= took > LIMIT;
            println!(
                "{what}, {time}: {:.2} s, at most {} s",
                took.as_secs_f64(),
                LIMIT.as_secs()
            );
        }
    }
    for entry in fs::read_dir(folder.path().join("report")).unwrap() {
        let entry = entry.unwrap();
        println!(
            "{:>9} bytes  {}",
            entry.metadata().unwrap().len(),
            entry.file_name().display()
        );
    }
    ExitCode::from(u8::from(is_too_slow))
}

/// A day of a system: every third one fails for three minutes every 500.
fn day_of(system: i32, from: Timestamp) -> String {
    let mut lines = String::new();
    for minute in 0..24 * 60 {
        let at_ns = (from + SignedDuration::from_mins(minute)).as_nanosecond() + i128::from(system);
        let code = match minute % 500 {
            0..3 if system % 3 == 0 => 2,
            70 => 1,
            _ => 0,
        };
        let ok = i32::from(code < 2);
        let result = ["ok", "slow", "failed"][code];
        let took_ms = 200.0 + f64::from(i32::try_from((minute * 37) % 211).unwrap() + system);
        let tags = format!("system=s{system},journey=j{system},probe=sede,impact=critical,host=h");
        let outcome = if code == 2 {
            ",failed_step=\"Buscar\",error_class=\"http_status\",error=\"status 500\"".to_owned()
        } else {
            format!(",duration_ms={:?}", took_ms * 4.0)
        };
        writeln!(
            lines,
            "journey,{tags} ok={ok}i,valid=1i,result=\"{result}\",result_code={code}i,every_s=60.0,run_id=\"{at_ns}\"{outcome} {at_ns}"
        )
        .unwrap();
        for step in 0..STEPS {
            writeln!(
                lines,
                "journey_step,{tags},step=paso-{step} index={step}i,ok={ok}i,result_code={code}i,duration_ms={took_ms:?},run_id=\"{at_ns}\" {at_ns}"
            )
            .unwrap();
        }
    }
    lines
}
