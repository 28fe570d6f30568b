//! The webhook, read by a program that was written for Alertmanager: Google's relay to IRC, which decodes what is posted into
//! Alertmanager's own types and tells each alert to people.

use std::{
    fs,
    net::Ipv4Addr,
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use vigia_alert::{
    deliver::Channel,
    render::{Illustration, Language},
    store::outbox::{Delivery, Kind},
};
use vigia_testbed::{
    servers::{Process, Program, ports, process, requires},
    until::until,
};

use super::{
    conformance::{accepted, configured},
    messages::{delivery, render_as},
};

const SOON: Duration = Duration::from_secs(30);

/// As much of an IRC server as a robot needs that says something in a channel (RFC 2812).
struct Irc {
    port: u16,
    said: Arc<Mutex<Vec<String>>>,
    server: JoinHandle<()>,
}

impl Irc {
    async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let said = Arc::<Mutex<Vec<String>>>::default();
        let heard = Arc::clone(&said);
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, Arc::clone(&heard)));
            }
        });
        Self { port, said, server }
    }

    /// Waits until so many messages were said, and gives them.
    async fn wait_for(&self, count: usize) -> Vec<String> {
        let said = async || {
            let said = self.said.lock().unwrap().clone();
            (said.len() >= count).then_some(said)
        };
        until("what is said in IRC", SOON, said).await.unwrap()
    }
}

impl Drop for Irc {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A robot that goes away ends it.
async fn converse(stream: TcpStream, said: Arc<Mutex<Vec<String>>>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        let answer = match command {
            "USER" => ":irc.example 001 vigia :Welcome\r\n".to_owned(),
            "PING" => format!(":irc.example PONG irc.example {rest}\r\n"),
            "JOIN" => format!(":vigia!vigia@localhost JOIN {rest}\r\n"),
            // What robots say; other words are for the services of a server that has some.
            "NOTICE" => {
                said.lock().unwrap().push(rest.to_owned());
                continue;
            }
            _ => continue,
        };
        stream.write_all(answer.as_bytes()).await?;
    }
}

/// The relay, and where it takes webhooks.
async fn relay(irc: &Irc, folder: &Path) -> (Process, String) {
    let program = Program::IrcRelay.path().unwrap();
    ports::on_a_free_one(async |port| {
        let settings = format!(
            r##"http_host: 127.0.0.1
http_port: {port}
irc_host: 127.0.0.1
irc_port: {}
irc_use_ssl: no
irc_nickname: vigia
irc_channels:
  - name: "#alertas"
msg_once_per_alert_group: no
msg_template: "{{{{ .Status }}}} {{{{ .Labels.alertname }}}} {{{{ .Labels.system }}}} {{{{ .Labels.severity }}}} {{{{ .Fingerprint }}}} {{{{ .StartsAt.Unix }}}} {{{{ .EndsAt.IsZero }}}} {{{{ .Annotations.summary }}}}"
"##,
            irc.port
        );
        let file = folder.join("relay.yml");
        fs::write(&file, settings)?;
        let mut command: Command = process::tied(&program);
        command.arg("--config").arg(file);
        let process = Process::start("alertmanager-irc-relay", &folder.join("relay.log"), &mut command)?;
        let listens = async || {
            let listens = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok();
            let ended = process.ended().ok().flatten().is_some();
            (listens || ended).then_some(listens)
        };
        match until("the relay to listen", SOON, listens).await {
            Ok(true) => Ok((process, format!("http://127.0.0.1:{port}/alertas"))),
            Ok(false) => Err(process.explain(anyhow::anyhow!("the relay ended while it started"))),
            Err(error) => Err(process.explain(error)),
        }
    })
    .await
    .unwrap()
}

async fn send(channel: &Channel, delivery: &Delivery) {
    let layout = channel.abilities().layout(Illustration::Later);
    let message = render_as(Language::Spanish, delivery, layout);
    let outgoing = vigia_alert::deliver::Outgoing::of(delivery, &message, &[]);
    accepted(channel.send(&outgoing).await);
}

#[tokio::test]
async fn a_program_for_alertmanager_understands_every_alert() {
    if !requires(&[Program::IrcRelay]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let irc = Irc::start().await;
    let (_relay, address) = relay(&irc, folder.path()).await;
    let lines = format!("webhook = {{ url = \"{address}\", picture = true }}");
    let files = tempfile::tempdir().unwrap();
    let channel = configured(&lines, &[], &files);

    send(&channel, &delivery(Kind::Opened)).await;
    let said = irc.wait_for(1).await;
    let (alert, summary) = said[0].split_once(" true ").unwrap();
    let (beginning, fingerprint) = (
        "#alertas :firing journeys-failed tramites critical ",
        alert.split(' ').nth(5).unwrap(),
    );
    assert_eq!(alert, format!("{beginning}{fingerprint} 1795354325"));
    assert_eq!(
        summary,
        "CRÍTICO Trámites: no se puede usar «Consultar un trámite» desde las 10:32 (paso Ingresar: falta «Bienvenido»)"
    );

    // Two of one message, one of them over.
    let mut updated = delivery(Kind::Updated);
    let incidents = &mut updated.conversation.incidents;
    let mut second = incidents[0].clone();
    second.id = "second".into();
    second.series.system = "pagos".into();
    second.end = None;
    incidents.push(second);
    send(&channel, &updated).await;
    let said = irc.wait_for(3).await;
    let over = format!(
        "#alertas :resolved journeys-failed tramites critical {fingerprint} 1795354325 false "
    );
    assert!(said[1].starts_with(&over), "{said:#?}");
    assert!(
        said[2].starts_with("#alertas :firing journeys-failed pagos critical "),
        "{said:#?}"
    );
}
