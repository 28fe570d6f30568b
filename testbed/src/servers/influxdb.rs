//! A real InfluxDB 2 with an organization, a bucket and a token.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use anyhow::{Context, Result, ensure};
use reqwest::{Client, Response};

use super::{Process, Program, ports, process};
use crate::{http, until::until};

/// The organization that is set up.
pub const ORGANIZATION: &str = "vigia";
/// The bucket that is set up.
pub const BUCKET: &str = "vigia";
/// The token with all rights. No secret: the server listens on the loopback address, for minutes.
pub const TOKEN: &str = "testbed-token";

/// It is up in under a second; a loaded machine takes longer.
const STARTUP: Duration = Duration::from_secs(30);

/// A running server.
#[derive(Debug)]
pub struct InfluxDb {
    url: String,
    client: Client,
    process: Process,
}

/// A row of a query's answer: the values by their columns' names.
pub type Row = BTreeMap<String, String>;

impl InfluxDb {
    /// Starts it with its data in `folder`, which is made, and sets it up.
    pub async fn start(folder: &Path) -> Result<Self> {
        let program = Program::Influxd.path()?;
        fs::create_dir_all(folder)
            .with_context(|| format!("failed to create `{}`", folder.display()))?;
        let server = ports::on_a_free_one(async |port| {
            let mut command = process::tied(&program);
            command
                .arg("--bolt-path")
                .arg(folder.join("influxd.bolt"))
                .arg("--sqlite-path")
                .arg(folder.join("influxd.sqlite"))
                .arg("--engine-path")
                .arg(folder.join("engine"))
                .args(["--http-bind-address", &format!("127.0.0.1:{port}")])
                .arg("--reporting-disabled");
            let process = Process::start("influxd", &folder.join("influxd.log"), &mut command)?;
            Self::ready(port, process).await
        })
        .await?;
        server.set_up().await?;
        Ok(server)
    }

    async fn ready(port: u16, process: Process) -> Result<Self> {
        let url = format!("http://127.0.0.1:{port}");
        let client = http::client()?;
        let health = format!("{url}/health");
        let healthy = until("influxd to be healthy", STARTUP, async || {
            let answer = client.get(&health).send().await;
            let healthy = answer.is_ok_and(|answer| answer.status().is_success());
            let ended = process.ended().ok().flatten().is_some();
            (healthy || ended).then_some(healthy)
        })
        .await;
        match healthy {
            Ok(true) => Ok(Self {
                url,
                client,
                process,
            }),
            Ok(false) => Err(process.explain(anyhow::anyhow!("influxd ended while it started"))),
            Err(error) => Err(process.explain(error)),
        }
    }

    async fn set_up(&self) -> Result<()> {
        let answer = self
            .client
            .post(format!("{}/api/v2/setup", self.url))
            .json(&BTreeMap::from([
                ("username", "vigia"),
                ("password", "vigia-testbed"),
                ("org", ORGANIZATION),
                ("bucket", BUCKET),
                ("token", TOKEN),
            ]))
            .send()
            .await
            .context("failed to reach influxd")?;
        succeeded(answer)
            .await
            .context("failed to set influxd up")?;
        Ok(())
    }

    /// Where it listens, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The process, for its number and its log.
    #[must_use]
    pub const fn process(&self) -> &Process {
        &self.process
    }

    /// Writes points in line protocol, timestamps in nanoseconds.
    pub async fn write(&self, lines: impl Into<String>) -> Result<()> {
        let answer = self
            .client
            .post(format!(
                "{}/api/v2/write?org={ORGANIZATION}&bucket={BUCKET}",
                self.url
            ))
            .header("Authorization", format!("Token {TOKEN}"))
            .body(lines.into())
            .send()
            .await
            .context("failed to reach influxd")?;
        succeeded(answer).await.context("failed to write")?;
        Ok(())
    }

    /// Runs a Flux query and gives the rows of all its tables.
    pub async fn query(&self, flux: &str) -> Result<Vec<Row>> {
        let answer = self
            .client
            .post(format!("{}/api/v2/query?org={ORGANIZATION}", self.url))
            .header("Authorization", format!("Token {TOKEN}"))
            .header("Content-Type", "application/vnd.flux")
            .body(flux.to_owned())
            .send()
            .await
            .context("failed to reach influxd")?;
        let text = succeeded(answer).await.context("failed to query")?;
        rows(&text)
    }

    /// Makes a token that may do only this, `read` or `write`, with the buckets.
    pub async fn authorize(&self, action: &str) -> Result<String> {
        let organizations = self.api("orgs", None).await?;
        let organization = organizations["orgs"][0]["id"]
            .as_str()
            .context("influxd has no organization")?;
        let wanted = serde_json::json!({
            "orgID": organization,
            "permissions": [{"action": action, "resource": {"type": "buckets", "orgID": organization}}],
        });
        let made = self.api("authorizations", Some(wanted)).await?;
        let token = made["token"].as_str().context("influxd made no token")?;
        Ok(token.to_owned())
    }

    /// Reads something of its API, or makes it where it is given.
    async fn api(&self, what: &str, made: Option<serde_json::Value>) -> Result<serde_json::Value> {
        let address = format!("{}/api/v2/{what}", self.url);
        let request = match made {
            Some(made) => self.client.post(address).json(&made),
            None => self.client.get(address),
        };
        let answer = request
            .header("Authorization", format!("Token {TOKEN}"))
            .send()
            .await
            .context("failed to reach influxd")?;
        let text = succeeded(answer)
            .await
            .with_context(|| format!("failed to use `{what}` of influxd"))?;
        serde_json::from_str(&text).context("failed to read influxd's answer")
    }

    /// Asks it to end, so that it leaves its files whole.
    pub async fn stop(self) -> Result<()> {
        self.process.stop(Duration::from_secs(10)).await
    }
}

async fn succeeded(answer: Response) -> Result<String> {
    let status = answer.status();
    let text = answer
        .text()
        .await
        .context("failed to read influxd's answer")?;
    ensure!(status.is_success(), "influxd answered `{status}`: {text}");
    Ok(text)
}

/// Without annotations the answer is one CSV table after the other, an empty line between them. An error that comes after
/// the first rows is a table too, the only one without the column `table`.
fn rows(text: &str) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for table in text.split("\r\n\r\n") {
        let mut reader = csv::Reader::from_reader(table.trim_start().as_bytes());
        for row in reader.deserialize() {
            let row: Row = row.context("failed to read a row of influxd's answer")?;
            ensure!(
                row.contains_key("table"),
                "influxd broke the query off: {row:?}"
            );
            rows.push(row);
        }
    }
    Ok(rows)
}
