//! A real mail server: Exim, with encryption and a login as musts, delivering into a maildir.
//!
//! It runs in mount and process namespaces of its own (`exim.sh`), so that it neither meets the machine's own mail
//! server nor leaves anything behind. Debian 12's `opensmtpd` cannot take its place: its TLS fails with OpenSSL 3.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};

use super::{Process, Program, ports, process};
pub use crate::tls::HOST;
use crate::{mailbox::Mailbox, tls::Authority, until::until};

/// Who may send.
pub const USERNAME: &str = "vigia";
/// The password. No secret: the server listens on the loopback address, for minutes.
pub const PASSWORD: &str = "testbed-password";
/// The same for who comes with a token in place of a password (`XOAUTH2`).
pub const ACCESS_TOKEN: &str = "testbed-access-token";

const STARTUP: Duration = Duration::from_secs(20);
const CONFIGURATION: &str = include_str!("exim.conf");
const SCRIPT: &str = include_str!("exim.sh");

/// A running server.
#[derive(Debug)]
pub struct MailServer {
    port: u16,
    implicit_port: u16,
    ca_file: PathBuf,
    mailbox: Mailbox,
    process: Process,
}

impl MailServer {
    /// Starts it with its files in `folder`, which is made.
    pub async fn start(folder: &Path) -> Result<Self> {
        let program = Program::Exim.path()?;
        fs::create_dir_all(folder)
            .with_context(|| format!("failed to create `{}`", folder.display()))?;
        // Inside the namespaces the working directory is another one.
        let folder = folder
            .canonicalize()
            .context("failed to resolve the mail server's folder")?;
        let ca_file = write_certificates(&folder).context("failed to make certificates")?;
        let configuration = CONFIGURATION
            .replace("@USERNAME@", USERNAME)
            .replace("@PASSWORD@", PASSWORD)
            .replace("@ACCESS_TOKEN@", ACCESS_TOKEN);
        fs::write(folder.join("exim.sh"), SCRIPT).context("failed to write `exim.sh`")?;
        let mailbox = Mailbox::create(&folder.join("maildir"))?;
        ports::on_a_free_one(async |port| {
            let implicit_port = ports::free()?;
            let configuration =
                configuration.replace("@IMPLICIT_PORT@", &implicit_port.to_string());
            fs::write(folder.join("exim.conf"), configuration)
                .context("failed to write `exim.conf`")?;
            let mut command = process::in_namespaces();
            command
                .arg(folder.join("exim.sh"))
                .args([&folder, &program])
                .args([port, implicit_port].map(|port| port.to_string()));
            let process = Process::start("exim", &folder.join("exim.log"), &mut command)?;
            ready(port, &process).await?;
            Ok(Self {
                port,
                implicit_port,
                ca_file: ca_file.clone(),
                mailbox: mailbox.clone(),
                process,
            })
        })
        .await
    }

    /// Where it listens on 127.0.0.1 for connections that begin in the clear.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Where it listens on 127.0.0.1 for connections that are encrypted from the first byte.
    #[must_use]
    pub const fn implicit_port(&self) -> u16 {
        self.implicit_port
    }

    /// The authority that signed its certificate, PEM.
    #[must_use]
    pub fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    /// Where the mails land.
    #[must_use]
    pub const fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// The process, for its number and its log.
    #[must_use]
    pub const fn process(&self) -> &Process {
        &self.process
    }
}

async fn ready(port: u16, process: &Process) -> Result<()> {
    let greeted = until("exim to greet", STARTUP, async || {
        let greeted = greets(port);
        let ended = process.ended().ok().flatten().is_some();
        (greeted || ended).then_some(greeted)
    })
    .await;
    match greeted {
        Ok(true) => Ok(()),
        Ok(false) => Err(process.explain(anyhow::anyhow!("exim ended while it started"))),
        Err(error) => Err(process.explain(error)),
    }
}

/// A look that takes a moment on the loopback address, and ends at its own short deadline.
fn greets(port: u16) -> bool {
    let Ok(stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
        return false;
    };
    let mut line = String::new();
    stream
        .set_read_timeout(Some(Duration::from_secs(1)))
        .is_ok()
        && BufReader::new(stream).read_line(&mut line).is_ok()
        && line.starts_with("220 ")
}

/// An authority, and a certificate of its for the server; gives the file of the authority.
fn write_certificates(folder: &Path) -> Result<PathBuf> {
    let authority = Authority::new()?;
    let identity = authority.sign()?;
    let ca_file = folder.join("ca.pem");
    fs::write(&ca_file, authority.pem())?;
    fs::write(folder.join("certificate.pem"), identity.certificate)?;
    let key_file = folder.join("key.pem");
    fs::write(&key_file, identity.key)?;
    fs::set_permissions(&key_file, fs::Permissions::from_mode(0o600))?;
    Ok(ca_file)
}
