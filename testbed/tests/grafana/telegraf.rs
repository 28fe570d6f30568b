//! The drop-ins for servers and services in a real Telegraf, and the dashboard on what it writes.

use std::{fs, net::UdpSocket, path::Path, process::Command, thread, time::Duration};

use jiff::{SignedDuration, Timestamp};
use vigia_testbed::{
    repository,
    servers::{
        InfluxDb, Program, Telegraf,
        influxdb::{BUCKET, ORGANIZATION, Row, TOKEN},
        requires,
    },
    until::until,
};

use crate::{
    dashboard::{Dashboard, list, text},
    interpolation::View,
    shape,
};

/// What stands on this server, in these tests.
const SYSTEMS: &str = "tramites,turnos";
const DROP_INS: [&str; 2] = [
    "telegraf.d/vigia-servers.conf",
    "telegraf.d/vigia-services.conf",
];

/// The drop-in with its examples replaced, as an operator replaces them.
fn with_addresses(file: &str, replaced: &[(&str, &str)]) -> String {
    let mut drop_in = fs::read_to_string(repository::path(file)).unwrap();
    for (example, address) in replaced {
        assert!(drop_in.contains(example), "{file} has no `{example}`");
        drop_in = drop_in.replace(example, address);
    }
    drop_in
}

#[test]
fn telegraf_takes_every_drop_in_as_it_is_shipped() {
    if !requires(&[Program::Telegraf]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let agent = folder.path().join("agent.conf");
    fs::write(&agent, "[agent]\n  omit_hostname = true\n").unwrap();
    let shipped = fs::read_dir(repository::path("telegraf.d")).unwrap();
    let mut command = Command::new(Program::Telegraf.path().unwrap());
    command.args(["config", "check", "--config"]).arg(&agent);
    for file in shipped {
        command.arg("--config").arg(file.unwrap().path());
    }
    let output = command.env("INFLUX_TOKEN", "none").output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
}

#[test]
fn a_test_of_the_servers_drop_in_prints_what_the_server_has_left_and_which_systems_stand_on_it() {
    if !requires(&[Program::Telegraf]) {
        return;
    }
    let test = |systems: Option<&str>| {
        let mut command = Command::new(Program::Telegraf.path().unwrap());
        command
            .arg("--config")
            .arg(repository::path(DROP_INS[0]))
            .arg("--test")
            .env_remove("VIGIA_SYSTEMS")
            .envs(systems.map(|systems| ("VIGIA_SYSTEMS", systems)));
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    };
    let told = test(Some(SYSTEMS));
    for measurement in ["mem", "swap", "disk", "diskio", "system", "procstat_lookup"] {
        let mut of = told
            .lines()
            .filter(|line| line.starts_with(&format!("> {measurement},")));
        let line = of
            .next()
            .unwrap_or_else(|| panic!("no `{measurement}` in\n{told}"));
        assert!(line.contains(r"systems=tramites\,turnos"), "{line}");
    }
    assert!(!test(None).contains("systems="), "an empty tag is none");
}

/// Answers every question for an A record with 127.0.0.1, as far as a DNS server has to for that.
fn name_server() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut question = [0; 512];
        while let Ok((length, asker)) = socket.recv_from(&mut question) {
            let mut answer = question[..12].to_vec();
            // An authoritative answer with one record, and nothing beside.
            answer[2..12].copy_from_slice(&[0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0]);
            let name = question[12..length]
                .iter()
                .position(|byte| *byte == 0)
                .unwrap();
            answer.extend(&question[12..12 + name + 5]);
            // The asked name, A, IN, a minute, four bytes.
            answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
            if socket.send_to(&answer, asker).is_err() {
                return;
            }
        }
    });
    port
}

struct Asked {
    influxdb: InfluxDb,
    host: String,
}

impl Asked {
    async fn ask(&self, flux: &str) -> Vec<Row> {
        let stop = Timestamp::now();
        let view = View {
            start: stop - SignedDuration::from_mins(15),
            stop,
            window: "5s",
            systems: &["turnos"],
            impacts: &[],
            journeys: &[],
            probes: &[],
            hosts: &[&self.host],
            silent_after: "15m",
            target: "99.5",
            at: "",
            bucket: BUCKET,
        };
        let flux = view.of(flux);
        match self.influxdb.query(&flux).await {
            Ok(rows) => rows,
            Err(error) => panic!("{error:#}\n{flux}"),
        }
    }
}

/// Everything that the two drop-ins make Telegraf measure; a network interface but the loopback one may be missing.
const MEASURED: [&str; 12] = [
    "cpu",
    "disk",
    "diskio",
    "dns_query",
    "http_response",
    "mem",
    "net_response",
    "ping",
    "procstat_lookup",
    "swap",
    "system",
    "x509_cert",
];

/// A row for each measurement, with a host that it comes from.
const HEARD: &str = r#"from(bucket: "vigia") |> range(start: -1h) |> filter(fn: (r) => r._measurement != "journey") |> first() |> keep(columns: ["host", "_measurement"]) |> group() |> unique(column: "_measurement")"#;

impl Asked {
    /// Both drop-ins have run long enough for everything to be measured, and for rates to be known.
    async fn after_a_while(folder: &Path) -> Self {
        let influxdb = InfluxDb::start(&folder.join("influxdb")).await.unwrap();
        let configuration = folder.join("services.conf");
        fs::write(&configuration, services(folder, &influxdb)).unwrap();
        let telegraf = Telegraf::start(
            &folder.join("telegraf"),
            &[repository::path(DROP_INS[0]), configuration],
            &[
                ("VIGIA_SYSTEMS", SYSTEMS.to_owned()),
                ("VIGIA_PROCESSES", "no-such-program".to_owned()),
            ],
        )
        .unwrap();
        let heard = until(
            "points of all inputs",
            Duration::from_secs(30),
            async || {
                let rows = influxdb.query(HEARD).await.ok()?;
                MEASURED
                    .iter()
                    .all(|name| rows.iter().any(|row| row["_measurement"] == *name))
                    .then_some(rows)
            },
        )
        .await;
        let heard = heard
            .map_err(|error| telegraf.process().explain(error))
            .unwrap();
        let asked = Self {
            influxdb,
            host: heard[0]["host"].clone(),
        };
        let dashboard = Dashboard::with_uid("vigia-servers");
        let traffic = dashboard.query_of("Disk traffic");
        until("traffic of disks", Duration::from_secs(10), async || {
            (!asked.ask(traffic).await.is_empty()).then_some(())
        })
        .await
        .unwrap();
        telegraf.stop().await.unwrap();
        asked
    }
}

/// The services' drop-in with this machine's addresses, behind an agent section and an output as installations have them.
fn services(folder: &Path, influxdb: &InfluxDb) -> String {
    let certificate = rcgen::generate_simple_self_signed(["tramites.example".to_owned()]).unwrap();
    let file = folder.join("certificate.pem");
    fs::write(&file, certificate.cert.pem()).unwrap();
    let url = influxdb.url();
    let drop_in = with_addresses(
        DROP_INS[1],
        &[
            ("https://tramites.example/health", &format!("{url}/health")),
            ("database.example:5432", url.trim_start_matches("http://")),
            ("\"192.0.2.53\"", "\"127.0.0.1\""),
            ("# port = 53", &format!("port = {}", name_server())),
            (
                "https://tramites.example:443",
                &format!("file://{}", file.display()),
            ),
            ("\"database.example\"", "\"127.0.0.1\""),
            // Nobody waits for five minutes here.
            ("interval = \"5m\"", "interval = \"1s\""),
        ],
    );
    format!(
        r#"[agent]
  interval = "1s"
  round_interval = false
[[outputs.influxdb_v2]]
  urls = ["{url}"]
  token = "{TOKEN}"
  organization = "{ORGANIZATION}"
  bucket = "{BUCKET}"
  flush_interval = "1s"
  flush_jitter = "0s"
{drop_in}"#
    )
}

#[tokio::test]
async fn servers_and_services_are_shown_with_the_systems_that_stand_on_them() {
    if !requires(&[Program::Telegraf, Program::Influxd]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let asked = Asked::after_a_while(folder.path()).await;
    let at = (Timestamp::now() - SignedDuration::from_mins(1)).as_nanosecond();
    let host = &asked.host;
    let runs = format!(
        "journey_incident,system={host},journey=/,probe={host},impact=low state=\"open\",error_class=\"disk\",error=\"95 % full\" {at}\n\
         journey,system=turnos,journey=reservar,probe=p,impact=high result_code=2i {at}\n\
         journey,system=correo,journey=leer,probe=p,impact=high result_code=0i {at}\n"
    );
    asked.influxdb.write(runs).await.unwrap();
    for panel in Dashboard::with_uid("vigia-servers").panels() {
        let rows = asked.ask(text(&list(&panel["targets"])[0]["query"])).await;
        assert!(
            !rows.is_empty() || panel["title"] == "Network",
            "{}: nothing",
            panel["title"]
        );
        shape::check(panel, "A", &rows);
        if panel["type"] == "table" {
            shape::check_headings(panel, &rows);
        }
    }
    failures_that_are_over_and_one_that_is_not(&asked).await;
    the_services_are_well(&asked).await;
    the_server_names_its_systems(&asked).await;
    a_system_shows_what_it_stands_on(&asked).await;
}

/// Telegraf writes each result into a series of its own; one service is down.
async fn failures_that_are_over_and_one_that_is_not(asked: &Asked) {
    let at = (Timestamp::now() - SignedDuration::from_mins(5)).as_nanosecond();
    let (host, url) = (&asked.host, asked.influxdb.url());
    let lines = format!(
        "http_response,host={host},method=GET,server={url}/health,systems=tramites,result=timeout result_code=4i {at}\n\
         net_response,host={host},server=down.example,port=1,protocol=tcp,result=connection_failed result_code=2i {at}\n\
         procstat_lookup,host={host},result=lookup_error pid_count=0i {at}\n\
         systemd_units,host={host},name=nginx.service,active=failed active_code=3i {at}\n\
         systemd_units,host={host},name=nginx.service,active=active active_code=0i {}\n",
        at + 1_000_000_000,
    );
    asked.influxdb.write(lines).await.unwrap();
}

async fn the_services_are_well(asked: &Asked) {
    let servers = Dashboard::with_uid("vigia-servers");
    let rows = asked.ask(servers.query_of("Services")).await;
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row["kind"].as_str(),
                row["state"].as_str(),
                row["systems"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("net_response", "failed", ""),
            ("dns_query", "ok", SYSTEMS),
            ("http_response", "ok", "tramites"),
            ("net_response", "ok", SYSTEMS),
            ("ping", "ok", SYSTEMS),
        ],
        "{rows:?}"
    );
    assert_eq!(rows[0]["took_ms"], "-1", "no answer took no time");
    for row in &rows[1..] {
        assert!(row["took_ms"].parse::<f64>().unwrap() > 0.0, "{row:?}");
    }
    let rows = asked.ask(servers.query_of("Certificates")).await;
    assert_eq!(
        (rows.len(), rows[0]["state"].as_str()),
        (1, "1"),
        "nobody signed it: {rows:?}"
    );
    assert!(rows[0]["left_s"].parse::<f64>().unwrap() > 0.0);
    let rows = asked.ask(servers.query_of("Not running")).await;
    assert_eq!(
        (rows.len(), rows[0]["name"].as_str()),
        (1, "no-such-program")
    );
}

async fn the_server_names_its_systems(asked: &Asked) {
    let servers = Dashboard::with_uid("vigia-servers");
    let rows = asked
        .ask(servers.query_of("Systems on these servers"))
        .await;
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row["system"].as_str(), row["state"].as_str()))
        .collect();
    assert_eq!(
        told,
        [("turnos", "failed")],
        "`correo` stands elsewhere, nothing is known of `tramites`"
    );
    let rows = asked.ask(servers.query_of("Servers")).await;
    assert_eq!((rows.len(), rows[0]["systems"].as_str()), (1, SYSTEMS));
    for column in ["cpu", "memory_left", "disk", "uptime_s"] {
        assert!(rows[0][column].parse::<f64>().unwrap() >= 0.0, "{column}");
    }
}

async fn a_system_shows_what_it_stands_on(asked: &Asked) {
    let system = Dashboard::with_uid("vigia-system");
    let rows = asked.ask(system.query_of("Services")).await;
    let kinds: Vec<_> = rows.iter().map(|row| row["kind"].as_str()).collect();
    assert_eq!(
        kinds,
        ["dns_query", "net_response", "ping"],
        "the address serves another system"
    );
    assert_eq!(asked.ask(system.query_of("Servers")).await.len(), 1);
    assert_eq!(asked.ask(system.query_of("Certificates")).await, []);
}
