//! A real Telegraf with given configuration files on top of a minimal agent section.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};

use super::{Process, Program, process};

/// The agent of an ordinary machine, in short. The extra output keeps every point that was written, to be looked at.
const AGENT: &str = r#"[agent]
  interval = "10s"
  flush_interval = "10s"
  omit_hostname = false
  skip_processors_after_aggregators = true

[[outputs.file]]
  files = ["${VIGIA_TESTBED_POINTS}"]
  data_format = "influx"
  flush_interval = "1s"
  flush_jitter = "0s"
"#;

/// Telegraf gives its plugins 5 s, then 5 s more after a signal.
const SHUTDOWN: Duration = Duration::from_secs(12);

/// A running agent.
#[derive(Debug)]
pub struct Telegraf {
    points: PathBuf,
    process: Process,
}

impl Telegraf {
    /// Starts it with its files in `folder`, which is made; `configurations` are loaded after the agent section.
    pub fn start(
        folder: &Path,
        configurations: &[PathBuf],
        environment: &[(&str, String)],
    ) -> Result<Self> {
        let program = Program::Telegraf.path()?;
        fs::create_dir_all(folder)
            .with_context(|| format!("failed to create `{}`", folder.display()))?;
        let agent = folder.join("telegraf.conf");
        fs::write(&agent, AGENT)
            .with_context(|| format!("failed to write `{}`", agent.display()))?;
        let points = folder.join("points.influx");
        let mut command = process::tied(&program);
        command.arg("--config").arg(&agent);
        for configuration in configurations {
            command.arg("--config").arg(configuration);
        }
        command
            .env("VIGIA_TESTBED_POINTS", &points)
            .envs(environment.iter().map(|(name, value)| (name, value)));
        let process = Process::start("telegraf", &folder.join("telegraf.log"), &mut command)?;
        Ok(Self { points, process })
    }

    /// The file with every point that it wrote, in line protocol.
    #[must_use]
    pub fn points(&self) -> &Path {
        &self.points
    }

    /// The process, for its number and its log.
    #[must_use]
    pub const fn process(&self) -> &Process {
        &self.process
    }

    /// Asks it to end; its plugins report what they have, and it is written.
    pub async fn stop(self) -> Result<()> {
        self.process.stop(SHUTDOWN).await
    }
}
