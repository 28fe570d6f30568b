//! Every way in which InfluxDB can fail to answer: what is said of it, that nobody is told of it thirty times, and that what
//! was missed meanwhile is judged.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::task::JoinSet;
use vigia_alert::flux::{
    Rule,
    poll::{self, Judged},
};
use vigia_testbed::{servers::influxdb, until::until};

use super::{
    gate::{Act, Gate},
    ledgers::rule,
    polls::{connect, connect_to},
    scripted_smtp::{Received, ScriptedSmtp},
    sidecar::{Sidecar, Stage, run},
};

/// As InfluxDB 2.9 sends it, in one chunk.
const ROWS: &str = "#datatype,string,long,dateTime:RFC3339,string,string,string,string,string\r\n#group,false,false,false,true,true,true,true,false\r\n#default,_result,,,,,,,\r\n,result,table,_time,system,journey,probe,impact,result\r\n,,0,2026-11-22T13:32:05Z,tramites,consultar,sede,critical,failed\r\n";

async fn failure(url: &str, bucket: &str, token: &str, rule: &Rule) -> String {
    let influxdb = connect_to(url, bucket, token);
    poll::ask(&influxdb, rule, &Judged::default(), None, Timestamp::now())
        .await
        .unwrap_err()
        .to_string()
}

#[tokio::test]
async fn what_influxdb_or_a_proxy_answers_on_a_bad_day_is_no_answer_and_is_said_as_it_is() {
    let gate = Gate::start("http://127.0.0.1:9").await;
    let error = "{\"code\":\"too many requests\",\"message\":\"the limit is 5 queries\"}";
    let queue = "{\"code\":\"invalid\",\"message\":\"queue length exceeded\"}";
    let error_row = "#datatype,string,string\r\n#group,true,true\r\n#default,,\r\n,error,reference\r\n,failed to read the shard,897\r\n\r\n";
    let chunked = |body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/csv; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n"
        )
    };
    for (act, expected) in [
        (
            Act::answer("429 Too Many Requests", "Retry-After: 7\r\n", error),
            "InfluxDB answered 429 Too Many Requests: the limit is 5 queries",
        ),
        (
            Act::answer("400 Bad Request", "", queue),
            "InfluxDB answered 400 Bad Request: queue length exceeded",
        ),
        (
            Act::answer("502 Bad Gateway", "", "<html>nginx</html>"),
            "InfluxDB answered 502 Bad Gateway: <html>nginx</html>",
        ),
        (
            Act::answer("200 OK", "", &format!("{ROWS}\r\n{error_row}")),
            "the query failed after its answer began: failed to read the shard",
        ),
        (
            Act::answer("200 OK", "", ROWS),
            "the answer ends in the middle",
        ),
        (
            Act::Answer(chunked(ROWS)),
            "failed to reach InfluxDB: unexpected EOF during chunk size line",
        ),
        (
            Act::answer("200 OK", "", "<html>Sign in</html>"),
            "record 1 of the answer is not annotated CSV: a row begins with an annotation or an empty cell",
        ),
        (
            Act::HangUp,
            "failed to reach InfluxDB: connection closed before message completed",
        ),
        (
            Act::StaySilent,
            "InfluxDB did not answer within its deadline",
        ),
    ] {
        gate.act(act);
        let said = failure(&gate.url(), "vigia", "t", &rule()).await;
        assert_eq!(said, expected);
    }
}

#[tokio::test]
async fn however_many_rules_there_are_four_ask_at_once() {
    let gate = Gate::start("http://127.0.0.1:9").await;
    gate.act(Act::StaySilent);
    let influxdb = Arc::new(connect_to(&gate.url(), "vigia", "t"));
    let mut questions = JoinSet::new();
    for _ in 0..12 {
        let influxdb = Arc::clone(&influxdb);
        questions.spawn(async move {
            let answer = poll::ask(
                &influxdb,
                &rule(),
                &Judged::default(),
                None,
                Timestamp::now(),
            )
            .await;
            answer.unwrap_err().to_string()
        });
    }
    gate.wait_to_turn_away(4).await;
    // Somebody else asks, and is heard after all of them could have been.
    let other = connect_to(&gate.url(), "vigia", "t");
    questions.spawn(async move {
        let answer = poll::ask(&other, &rule(), &Judged::default(), None, Timestamp::now()).await;
        answer.unwrap_err().to_string()
    });
    gate.wait_to_turn_away(1).await;
    assert_eq!(gate.turned_away(), 5);

    // The others come when these are done.
    gate.act(Act::HangUp);
    assert_eq!(questions.join_all().await.len(), 13);
    assert_eq!(gate.turned_away(), 13);
}

#[tokio::test]
async fn what_a_real_influxdb_refuses_is_said_with_what_it_may_mean() {
    let stage = Stage::new().await;
    let url = stage.influxdb.url();
    let mut custom = Rule::custom("mixed", String::new());
    for (bucket, token, flux, expected) in [
        (
            influxdb::BUCKET,
            "wrong",
            rule().flux,
            "InfluxDB answered 401 Unauthorized: unauthorized access",
        ),
        (
            "elsewhere",
            influxdb::TOKEN,
            rule().flux,
            "InfluxDB answered 404 Not Found: failed to initialize execute state: could not find bucket \"elsewhere\": it does not exist, or the token may not read it",
        ),
        (
            influxdb::BUCKET,
            influxdb::TOKEN,
            "from(bucket: v.defaultBucket) |> rnge(start: -1h)".to_owned(),
            "InfluxDB answered 400 Bad Request: error @1:34-1:38: undefined identifier rnge",
        ),
    ] {
        custom.flux = flux;
        assert_eq!(failure(url, bucket, token, &custom).await, expected);
    }
    let said = failure("http://127.0.0.1:9", "vigia", "t", &rule()).await;
    assert!(
        said.starts_with("failed to reach InfluxDB: Connection refused"),
        "{said}"
    );
}

#[tokio::test]
async fn a_token_with_too_few_rights_is_told_from_a_bucket_that_is_not_there() {
    let stage = Stage::new().await;
    let token = stage.influxdb.authorize("write").await.unwrap();
    let said = failure(stage.influxdb.url(), influxdb::BUCKET, &token, &rule()).await;
    assert_eq!(
        said,
        "InfluxDB answered 404 Not Found: failed to initialize execute state: could not find bucket \"vigia\": it does not exist, or the token may not read it"
    );
}

#[tokio::test]
async fn columns_of_two_types_in_one_are_an_error_and_a_column_that_was_renamed_is_named() {
    let stage = Stage::new().await;
    let influxdb = connect(&stage);
    let now = Timestamp::now();
    let at = now.as_nanosecond();
    let good = run("consultar", "failed", "r1", now);
    // Somebody else's point in our measurement: `result` is called otherwise.
    let renamed = format!(
        "journey,system=s,journey=j,probe=p,impact=high outcome=\"ok\",run_id=\"r\" {at}\n"
    );
    stage.influxdb.write(good + &renamed).await.unwrap();

    let answer = poll::ask(&influxdb, &rule(), &Judged::default(), None, now)
        .await
        .unwrap();
    assert_eq!(answer.runs.len(), 1);
    assert_eq!(
        answer.unusable.unwrap().to_string(),
        "a row has no `result`"
    );

    // Texts and numbers, put into one table.
    let mixed = r#"from(bucket: v.defaultBucket) |> range(start: v.timeRangeStart, stop: v.timeRangeStop) |> filter(fn: (r) => r._measurement == "journey") |> group()"#;
    let error = poll::ask(
        &influxdb,
        &Rule::custom("mixed", mixed.into()),
        &Judged::default(),
        None,
        now,
    )
    .await
    .unwrap_err()
    .to_string();
    assert!(error.contains("schema collision"), "{error}");
}

/// Three rules that ask through a gate, and a mailbox.
struct Watched {
    stage: Stage,
    gate: Gate,
    smtp: ScriptedSmtp,
    config: std::path::PathBuf,
}

async fn watched() -> Watched {
    let stage = Stage::new().await;
    let gate = Gate::start(stage.influxdb.url()).await;
    let smtp = ScriptedSmtp::start(&[]).await;
    let config = stage.configure_plain(smtp.port);
    let more = r#"blind_after = "2s"
timeout = "5s""#;
    let rules = r#"[[rule]]
name = "slow"
use = "journeys-slow"
every = "100ms"
[[rule]]
name = "silent"
use = "journeys-silent"
every = "100ms"
[[channel]]"#;
    let text = std::fs::read_to_string(&config)
        .unwrap()
        .replace(stage.influxdb.url(), &gate.url())
        .replace("timeout = \"2s\"", more)
        .replace("[[channel]]", rules);
    std::fs::write(&config, text).unwrap();
    Watched {
        stage,
        gate,
        smtp,
        config,
    }
}

fn told(mails: &[Received]) -> Vec<String> {
    let header = |mail: &Received, name| mail.header(name).unwrap_or_default().to_owned();
    let told = mails.iter().map(|mail| {
        let incident = header(mail, "X-Vigia-Incident");
        let about = incident.rsplit_once('.').unwrap().0.to_owned();
        format!("{} {about}", header(mail, "X-Vigia-Message"))
    });
    told.collect()
}

#[tokio::test]
async fn whatever_blinds_it_is_one_incident_and_what_was_missed_is_judged_when_it_sees_again() {
    let Watched {
        stage,
        gate,
        smtp,
        config,
    } = watched().await;
    let sidecar = Sidecar::start(&config).await;
    stage.run_ends("consultar-tramite", "ok", "r0").await;

    gate.act(Act::StaySilent);
    gate.wait_to_turn_away(3).await;
    stage.run_ends("consultar-tramite", "failed", "r1").await;
    gate.act(Act::answer("503 Service Unavailable", "", "busy"));
    gate.wait_to_turn_away(3).await;
    stage.run_ends("consultar-tramite", "failed", "r2").await;
    gate.act(Act::HangUp);
    smtp.wait_for(1).await;
    gate.wait_to_turn_away(3).await;
    gate.act(Act::Pass);
    let mails = smtp.wait_for(3).await;

    let mut told = told(&mails);
    told[1..].sort();
    assert_eq!(
        told,
        [
            "opened monitoring.vigia.influxdb.vigia-alert",
            "closed monitoring.vigia.influxdb.vigia-alert",
            "opened journeys-failed.tramites.consultar-tramite.sede",
        ]
        .map(str::to_owned)
    );
    sidecar.end(rustix::process::Signal::TERM).await;
}

#[tokio::test]
async fn blindness_outlives_a_restart_and_is_told_once() {
    let Watched {
        stage: _stage,
        gate,
        smtp,
        config,
    } = watched().await;
    gate.act(Act::HangUp);
    let first = Sidecar::start(&config).await;
    first.wait_for_log("a message was accepted").await;
    first.end(rustix::process::Signal::KILL).await;
    let second = Sidecar::start(&config).await;
    gate.wait_to_turn_away(6).await;
    gate.act(Act::Pass);
    second.wait_for_log("a message was accepted").await;

    let mails = smtp.mails();
    assert_eq!(
        told(&mails),
        [
            "opened monitoring.vigia.influxdb.vigia-alert",
            "closed monitoring.vigia.influxdb.vigia-alert"
        ]
    );
    assert_eq!(
        mails[0].header("X-Vigia-Incident"),
        mails[1].header("X-Vigia-Incident")
    );
}

#[tokio::test]
async fn a_rule_that_is_wrong_is_told_and_does_not_blind_the_others() {
    let Watched {
        stage,
        gate: _gate,
        smtp,
        config,
    } = watched().await;
    let wrong = "[[rule]]\nname = \"wrong\"\nflux = \"from(bucket: v.defaultBucket)\"\nevery = \"100ms\"\n[[channel]]";
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("[[channel]]", wrong)).unwrap();
    let _sidecar = Sidecar::start(&config).await;
    smtp.wait_for(1).await;
    stage.run_ends("consultar-tramite", "failed", "r1").await;
    stage.run_ends("consultar-tramite", "failed", "r2").await;
    let mails = smtp.wait_for(2).await;

    assert_eq!(
        told(&mails),
        [
            "opened monitoring.vigia.wrong.vigia-alert",
            "opened journeys-failed.tramites.consultar-tramite.sede"
        ]
    );
}

#[tokio::test]
async fn who_wants_to_be_left_alone_is_left_alone() {
    is_left_alone("429 Too Many Requests", "{}").await;
}

#[tokio::test]
async fn who_has_too_many_queries_in_its_queue_is_left_alone() {
    // InfluxDB says so with 400; what stands before it adds the header.
    let queue = "{\"code\":\"invalid\",\"message\":\"queue length exceeded\"}";
    is_left_alone("400 Bad Request", queue).await;
}

async fn is_left_alone(status: &'static str, body: &'static str) {
    let Watched {
        stage: _stage,
        gate,
        smtp: _smtp,
        config,
    } = watched().await;
    let text = std::fs::read_to_string(&config).unwrap();
    let only_one = text
        .split("[[rule]]\nname = \"slow\"")
        .next()
        .unwrap()
        .to_owned()
        + "[[channel]]"
        + text.split_once("[[channel]]").unwrap().1;
    std::fs::write(&config, only_one).unwrap();
    gate.act(Act::answer(status, "Retry-After: 2\r\n", body));
    let _sidecar = Sidecar::start(&config).await;
    let asked = async || (gate.turned_away() >= 1).then_some(());
    until("the first question", Duration::from_secs(20), asked)
        .await
        .unwrap();
    let first = Instant::now();
    gate.wait_to_turn_away(1).await;

    // Seen up to 50 ms late, and the writer of incidents asks nothing while there are none.
    assert!(
        first.elapsed() > Duration::from_millis(1800),
        "{:?}",
        first.elapsed()
    );
}
