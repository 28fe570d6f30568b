//! A real IMAP server over a maildir: Dovecot, in namespaces of its own (`dovecot.sh`), with a session to ask it.
//!
//! It reads mails as the servers of most organisations do, and `THREAD REFERENCES` says which of them belong together.

use std::{fs, net::Ipv4Addr, path::Path, time::Duration};

use anyhow::{Context, Result, bail};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

use super::{Process, Program, ports, process};
use crate::until::until;

/// Anybody may log in with this. No secret: the server listens on the loopback address, for minutes.
pub const PASSWORD: &str = "testbed-password";

const STARTUP: Duration = Duration::from_secs(20);
const ANSWER: Duration = Duration::from_secs(10);
const CONFIGURATION: &str = include_str!("dovecot.conf");
const SCRIPT: &str = include_str!("dovecot.sh");

/// A running server.
#[derive(Debug)]
pub struct Imap {
    port: u16,
    process: Process,
}

impl Imap {
    /// Starts it over the maildir in the folder `maildir` of this one.
    pub async fn start(folder: &Path) -> Result<Self> {
        let program = Program::Dovecot.path()?;
        let unpacked = program.parent().context("Dovecot is in no folder")?;
        // Inside the namespaces the working directory is another one.
        let folder = folder
            .canonicalize()
            .context("failed to resolve the IMAP server's folder")?;
        fs::write(folder.join("dovecot.sh"), SCRIPT).context("failed to write `dovecot.sh`")?;
        ports::on_a_free_one(async |port| {
            let configuration = CONFIGURATION
                .replace("@PORT@", &port.to_string())
                .replace("@PASSWORD@", PASSWORD);
            fs::write(folder.join("dovecot.conf"), configuration)
                .context("failed to write `dovecot.conf`")?;
            let mut command = process::in_namespaces();
            command
                .arg(folder.join("dovecot.sh"))
                .args([folder.as_path(), unpacked]);
            let process = Process::start("dovecot", &folder.join("dovecot.log"), &mut command)?;
            let server = Self { port, process };
            server.ready().await?;
            Ok(server)
        })
        .await
    }

    async fn ready(&self) -> Result<()> {
        let answers = until("dovecot to let somebody in", STARTUP, async || {
            let answers = self.session().await.is_ok();
            let ended = self.process.ended().ok().flatten().is_some();
            (answers || ended).then_some(answers)
        })
        .await;
        match answers {
            Ok(true) => Ok(()),
            Ok(false) => Err(self
                .process
                .explain(anyhow::anyhow!("dovecot ended while it started"))),
            Err(error) => Err(self.process.explain(error)),
        }
    }

    /// Logs in and opens the inbox.
    pub async fn session(&self) -> Result<Session> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))
            .await
            .context("failed to reach dovecot")?;
        let mut session = Session {
            stream: BufReader::new(stream),
            number: 0,
        };
        timeout(ANSWER, async {
            session.read_line().await?;
            session.ask(&format!("LOGIN vigia {PASSWORD}")).await?;
            session.ask("SELECT INBOX").await
        })
        .await
        .context("dovecot did not answer in time")??;
        Ok(session)
    }
}

/// A conversation with the inbox open.
#[derive(Debug)]
pub struct Session {
    stream: BufReader<TcpStream>,
    number: usize,
}

impl Session {
    /// Sends a command and gives what was answered before its success, for example of `THREAD REFERENCES UTF-8 ALL`.
    pub async fn command(&mut self, command: &str) -> Result<String> {
        timeout(ANSWER, self.ask(command))
            .await
            .context("dovecot did not answer in time")?
    }

    async fn ask(&mut self, command: &str) -> Result<String> {
        self.number += 1;
        let tag = format!("v{}", self.number);
        self.stream
            .write_all(format!("{tag} {command}\r\n").as_bytes())
            .await?;
        let mut answer = String::new();
        loop {
            let line = self.read_line().await?;
            if let Some(end) = line.strip_prefix(&tag) {
                if end.trim_start().starts_with("OK") {
                    return Ok(answer);
                }
                bail!("dovecot answered `{}`", end.trim());
            }
            answer += &line;
            // `{12}` at the end of a line: so many bytes follow as they are.
            if let Some(length) = literal(&line) {
                let mut bytes = vec![0; length];
                self.stream.read_exact(&mut bytes).await?;
                answer += &String::from_utf8_lossy(&bytes);
            }
        }
    }

    async fn read_line(&mut self) -> Result<String> {
        let mut line = Vec::new();
        if self.stream.read_until(b'\n', &mut line).await? == 0 {
            bail!("dovecot hung up");
        }
        Ok(String::from_utf8_lossy(&line).into_owned())
    }
}

fn literal(line: &str) -> Option<usize> {
    let (_, length) = line.trim_end().strip_suffix('}')?.rsplit_once('{')?;
    length.parse().ok()
}
