//! Every shipped query on a real InfluxDB, with points as their real writers make them: `telegraf.influx` is what Telegraf
//! 1.39.3 wrote on a machine, those of `systemd_units` as its documentation has them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use vigia_alert::{
    flux::{
        InfluxDb, Rule, ShippedQuery,
        poll::{self, Judged},
    },
    judge::Limit,
};

use super::{polls::connect, sidecar::Stage};

const TELEGRAF: &str = include_str!("telegraf.influx");

async fn said(influxdb: &InfluxDb, rule: &Rule, now: Timestamp) -> Vec<String> {
    let answer = poll::ask(influxdb, rule, &Judged::default(), None, now)
        .await
        .unwrap();
    assert_eq!(answer.unusable, None, "{}", rule.name);
    let said = answer.runs.iter().map(|run| {
        let series = &run.series;
        format!(
            "{} {}@{} {}: {}",
            series.system,
            series.journey,
            series.probe,
            run.outcome.name(),
            run.failure.error.as_deref().unwrap_or_default()
        )
    });
    let mut said: Vec<String> = said.collect();
    said.sort();
    said
}

#[tokio::test]
async fn servers_and_services_are_known_from_telegrafs_own_points() {
    let stage = Stage::new().await;
    let influxdb = connect(&stage);
    let now = Timestamp::now();
    // A minute that is over, so that what is averaged by the minute has it whole.
    let at = (now - SignedDuration::from_secs(90)).as_nanosecond();
    let lines = TELEGRAF.lines().map(|line| format!("{line} {at}\n"));
    stage
        .influxdb
        .write(lines.collect::<String>())
        .await
        .unwrap();
    // What was, a minute earlier, is another series of Telegraf's and no longer so.
    let before = at - 60_000_000_000;
    let earlier = format!(
        "http_response,host=web-01,method=GET,result=success,server=http://127.0.0.1:1/,status_code=200 result_code=0i {before}\n\
         systemd_units,active=active,host=web-01,load=loaded,name=tramites.service,sub=running active_code=0i {before}\n"
    );
    stage.influxdb.write(earlier).await.unwrap();

    for (query, limit, expected) in [
        (
            ShippedQuery::ServersCpu,
            Some(Limit::Above {
                bad: 40.0,
                good: 30.0,
            }),
            &["web-01 cpu@web-01 failed: the processors are 52 % busy"][..],
        ),
        (
            ShippedQuery::ServersMemory,
            None,
            &["web-01 memory@web-01 ok: the memory is 9 % full"],
        ),
        (
            ShippedQuery::ServersDisk,
            Some(Limit::Above {
                bad: 10.0,
                good: 5.0,
            }),
            &["web-01 /@web-01 failed: `/` is 41 % full"],
        ),
        (
            ShippedQuery::CertificatesExpiring,
            None,
            &["web-01 tramites.example@web-01 failed: `tramites.example` is valid for 9 more days"],
        ),
        (
            ShippedQuery::ServicesSystemd,
            None,
            &[
                "web-01 backup.service@web-01 unmeasured: `backup.service` is activating (auto-restart)",
                "web-01 nginx.service@web-01 ok: `nginx.service` is active (running)",
                "web-01 tramites.service@web-01 failed: `tramites.service` is failed (failed)",
            ],
        ),
        (
            ShippedQuery::ServicesProcesses,
            None,
            &[
                "web-01 a process@web-01 unmeasured: no process `a process` runs",
                "web-01 influxd@web-01 ok: no process `influxd` runs",
                "web-01 nothere@web-01 failed: no process `nothere` runs",
            ],
        ),
        (
            ShippedQuery::ServicesHttp,
            None,
            &[
                "web-01 GET http://127.0.0.1:1/@web-01 failed: `http://127.0.0.1:1/`: connection_failed",
                "web-01 GET http://127.0.0.1:8086/health@web-01 ok: `http://127.0.0.1:8086/health`: success",
            ],
        ),
        (
            ShippedQuery::ServicesPorts,
            None,
            &[
                "web-01 127.0.0.1:1/tcp@web-01 failed: `127.0.0.1:1`: connection_failed",
                "web-01 127.0.0.1:18086/tcp@web-01 ok: `127.0.0.1:18086`: success",
            ],
        ),
    ] {
        let mut rule = Rule::shipped("r", query);
        rule.meaning.limit = limit.or(rule.meaning.limit);
        assert_eq!(said(&influxdb, &rule, now).await, expected, "{query:?}");
    }
}

#[tokio::test]
async fn a_server_may_be_told_to_belong_to_a_system_and_to_matter() {
    let stage = Stage::new().await;
    let influxdb = connect(&stage);
    let now = Timestamp::now();
    let at = now.as_nanosecond();
    let lines =
        format!("disk,host=web-01,path=/var,system=tramites,impact=high used_percent=95.0 {at}\n");
    stage.influxdb.write(lines).await.unwrap();

    let rule = Rule::shipped("r", ShippedQuery::ServersDisk);
    let answer = poll::ask(&influxdb, &rule, &Judged::default(), None, now)
        .await
        .unwrap();

    let disk = &answer.runs[0];
    assert_eq!(
        (
            disk.series.system.as_str(),
            disk.impact.name(),
            disk.series.probe.as_str()
        ),
        ("tramites", "high", "web-01")
    );
    assert_eq!(disk.failure.class.as_deref(), Some("disk"));
}

/// Runs of one journey, as a probe writes them: minutes ago, what else the point says.
async fn runs(stage: &Stage, now: Timestamp, runs: &[(i64, &str)]) {
    let mut lines: Vec<String> = Vec::new();
    for (minutes, fields) in runs {
        let at = (now - SignedDuration::from_mins(*minutes)).as_nanosecond();
        let tags = "host=h,impact=critical,journey=consultar,probe=sede,system=tramites";
        let always = format!("valid=1i,run_id=\"r{minutes}\",every_s=60.0");
        lines.push(format!("journey,{tags} {always},{fields} {at}\n"));
        if fields.contains("\"slow\"") {
            let step = "result_code=1i,index=0i";
            lines.push(format!("journey_step,{tags},step=ingresar {step} {at}\n"));
        }
    }
    stage.influxdb.write(lines.concat()).await.unwrap();
}

#[tokio::test]
async fn journeys_are_known_from_what_the_probes_write() {
    let stage = Stage::new().await;
    let influxdb = connect(&stage);
    let now = Timestamp::now();
    runs(
        &stage,
        now,
        &[
            (4, r#"result="ok",duration_ms=2000.5"#),
            (3, r#"result="slow",duration_ms=9000.5"#),
            (2, r#"result="failed",error="it broke",http_status=500i"#),
            (
                1,
                r#"result="ok",duration_ms=2100.0,drift="Ingresar: `#u` instead of `label=U`""#,
            ),
        ],
    )
    .await;
    let name = "tramites consultar@sede";

    for (query, expected) in [
        (
            ShippedQuery::JourneysFailed,
            vec![
                format!("{name} failed: it broke"),
                format!("{name} ok: "),
                format!("{name} ok: "),
                format!("{name} slow: "),
            ],
        ),
        (
            // A run that failed is neither slow nor in time.
            ShippedQuery::JourneysSlow,
            vec![
                format!("{name} failed: "),
                format!("{name} ok: "),
                format!("{name} ok: "),
                format!("{name} unmeasured: "),
            ],
        ),
        (
            ShippedQuery::JourneysDrifting,
            vec![
                format!("{name} failed: Ingresar: `#u` instead of `label=U`"),
                format!("{name} ok: "),
                format!("{name} ok: "),
            ],
        ),
        (ShippedQuery::JourneysSilent, vec![format!("{name} ok: ")]),
    ] {
        let rule = Rule::shipped("r", query);
        assert_eq!(said(&influxdb, &rule, now).await, expected, "{query:?}");
    }
    let slow = Rule::shipped("r", ShippedQuery::JourneysSlow);
    let answer = poll::ask(&influxdb, &slow, &Judged::default(), None, now)
        .await
        .unwrap();
    let slow = &answer.runs[1];
    assert_eq!(slow.failure.step.as_deref(), Some("ingresar"));
    assert_eq!(
        (slow.impact.name(), slow.every),
        ("high", Some(Duration::from_mins(1)))
    );
}

#[tokio::test]
async fn a_journey_is_held_against_its_own_past_at_this_hour_of_the_week() {
    let stage = Stage::new().await;
    let influxdb = connect(&stage);
    let now = Timestamp::now();
    let usual = Rule::shipped("r", ShippedQuery::JourneysSlowerThanUsual);
    let present = [
        (3, r#"result="ok",duration_ms=2300.0"#),
        (2, r#"result="ok",duration_ms=3500.0"#),
    ];
    runs(&stage, now, &present).await;
    // Too little is known: nothing is said.
    assert_eq!(said(&influxdb, &usual, now).await, [""; 0]);

    let week = 7 * 24 * 60;
    let mut past = Vec::new();
    for weeks in 1..=4 {
        for minute in [-20, -12, -4, 4, 12, 20] {
            // One bad day of the four does not become what is usual; another hour of the day does not count.
            let ms = if weeks == 2 { "30000.0" } else { "2000.0" };
            past.push((
                weeks * week + minute,
                format!(r#"result="ok",duration_ms={ms}"#),
            ));
            past.push((
                weeks * week + minute + 120,
                r#"result="ok",duration_ms=90000.0"#.to_owned(),
            ));
        }
    }
    let past: Vec<(i64, &str)> = past
        .iter()
        .map(|(at, fields)| (*at, fields.as_str()))
        .collect();
    runs(&stage, now, &past).await;

    let told = "at this hour of the week it usually takes 2000 ms";
    assert_eq!(
        said(&influxdb, &usual, now).await,
        [
            format!("tramites consultar@sede failed: it took 3500 ms; {told}"),
            format!("tramites consultar@sede ok: it took 2300 ms; {told}"),
        ]
    );
}

/// An operator's own query, with a value and a limit.
#[tokio::test]
async fn an_operators_own_query_is_judged_like_the_shipped_ones() {
    let stage = Stage::new().await;
    let influxdb = connect(&stage);
    let now = Timestamp::now();
    let at = now.as_nanosecond();
    stage
        .influxdb
        .write(format!("queue,host=web-01 length=120i {at}\n"))
        .await
        .unwrap();
    let flux = r#"from(bucket: v.defaultBucket)
        |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
        |> filter(fn: (r) => r._measurement == "queue")
        |> last()
        |> rename(columns: {_value: "value"})"#;
    let mut rule = Rule::custom("La cola de trámites crece", flux.into());

    let answer = poll::ask(&influxdb, &rule, &Judged::default(), None, now)
        .await
        .unwrap();
    assert_eq!(
        answer.unusable.unwrap().to_string(),
        "a row has a `value`, and the rule has no `limit`"
    );
    rule.meaning.limit = Some(Limit::Above {
        bad: 100.0,
        good: 50.0,
    });
    assert_eq!(
        said(&influxdb, &rule, now).await,
        ["web-01 La cola de trámites crece@web-01 failed: "]
    );
}
