//! A real PostgreSQL with a user that has a password; each caller takes a database of its own.
//!
//! It refuses to run as root, so root runs it in a namespace where root is called nobody: the files stay the caller's.

use std::{
    fs,
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use super::{Process, Program, ports};
use crate::until::until;

/// The user that is set up, who may make databases.
pub const USER: &str = "vigia";
/// The user's password. No secret: the server listens on the loopback address, for minutes.
pub const PASSWORD: &str = "vigia-testbed/%?#";

const STARTUP: Duration = Duration::from_secs(30);

/// A running server.
#[derive(Debug)]
pub struct PostgreSql {
    port: u16,
    folder: PathBuf,
    process: Process,
}

impl PostgreSql {
    /// Starts it with its data in `folder`, which is made.
    pub async fn start(folder: &Path) -> Result<Self> {
        // Its other programs stand beside it, and what it reads is found from there.
        let program = Program::Postgres
            .path()?
            .canonicalize()
            .context("failed to resolve the path of postgres")?;
        fs::create_dir_all(folder)
            .with_context(|| format!("failed to create `{}`", folder.display()))?;
        let data = folder.join("data");
        initialize(&program, folder, &data)?;
        ports::on_a_free_one(async |port| {
            let mut command = unprivileged(&program);
            command
                .arg("-D")
                .arg(&data)
                .args(["-p", &port.to_string()])
                .args(["-c", "listen_addresses=127.0.0.1"])
                .args(["-c", "unix_socket_directories="])
                // The machine that it runs on does not fail in a test; only its clients do.
                .args([
                    "-c",
                    "fsync=off",
                    "-c",
                    "jit=off",
                    "-c",
                    "shared_buffers=16MB",
                ]);
            let process = Process::start("postgres", &folder.join("postgres.log"), &mut command)?;
            let server = Self {
                port,
                folder: folder.to_owned(),
                process,
            };
            server.ready().await?;
            Ok(server)
        })
        .await
    }

    async fn ready(&self) -> Result<()> {
        let ready = until("postgres to be ready", STARTUP, async || {
            let listens = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok();
            let says = fs::read_to_string(self.folder.join("postgres.log")).unwrap_or_default();
            let ready = listens && says.contains("database system is ready to accept connections");
            let ended = self.process.ended().ok().flatten().is_some();
            (ready || ended).then_some(ready)
        })
        .await;
        match ready {
            Ok(true) => Ok(()),
            Ok(false) => Err(self
                .process
                .explain(anyhow::anyhow!("postgres ended while it started"))),
            Err(error) => Err(self.process.explain(error)),
        }
    }

    /// The address of a database, without the password. `postgres` is there from the beginning.
    #[must_use]
    pub fn address(&self, database: &str) -> String {
        format!(
            "postgres://{USER}@127.0.0.1:{}/{database}?sslmode=disable",
            self.port
        )
    }

    /// The process, for its number and its log.
    #[must_use]
    pub const fn process(&self) -> &Process {
        &self.process
    }
}

fn initialize(program: &Path, folder: &Path, data: &Path) -> Result<()> {
    let password = folder.join("password");
    fs::write(&password, PASSWORD).context("failed to write the password")?;
    let mut command = unprivileged(&program.with_file_name("initdb"));
    let output = command
        .arg("-D")
        .arg(data)
        .args(["--username", USER, "--auth", "scram-sha-256", "--pwfile"])
        .arg(&password)
        .args(["--encoding", "UTF8", "--locale", "C", "--no-sync"])
        .output()
        .context("failed to start initdb")?;
    ensure!(
        output.status.success(),
        "initdb failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// A command that the kernel kills with its starter. The memory that PostgreSQL shares among its processes is gone with them.
fn unprivileged(program: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--ipc"]);
    if rustix::process::geteuid().is_root() {
        command.args(["--map-user", "65534", "--map-group", "65534"]);
    } else {
        command.arg("--map-current-user");
    }
    // Inside, because a change of the user breaks the kernel's promise.
    command
        .args(["--", "setpriv", "--pdeathsig", "KILL", "--"])
        .arg(program);
    command
}
