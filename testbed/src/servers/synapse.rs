//! A real Matrix homeserver: Synapse, with a robot that may write into a room and a person who reads there.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result, bail};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use super::{Process, Program, ports, process};
use crate::{http, until::until};

/// It is up in three seconds; a loaded machine takes longer.
const STARTUP: Duration = Duration::from_mins(1);
const CONFIGURATION: &str = include_str!("synapse.yaml");
const LOGGING: &str = "version: 1\nformatters: {plain: {format: '%(levelname)s %(name)s %(message)s'}}\nhandlers: {console: {class: logging.StreamHandler, formatter: plain}}\nroot: {level: WARNING, handlers: [console]}\ndisable_existing_loggers: false\n";

/// A running server.
#[derive(Debug)]
pub struct Synapse {
    url: String,
    client: Client,
    process: Process,
    robot_token: String,
    reader_token: String,
    room: String,
}

impl Synapse {
    /// Starts it with its files in `folder`, which is made, and makes the users and the room.
    pub async fn start(folder: &Path) -> Result<Self> {
        let program = Program::Synapse.path()?;
        fs::create_dir_all(folder)
            .with_context(|| format!("failed to create `{}`", folder.display()))?;
        fs::write(folder.join("log.yaml"), LOGGING).context("failed to write `log.yaml`")?;
        let client = http::client()?;
        let (url, process) = ports::on_a_free_one(async |port| {
            let configuration = CONFIGURATION
                .replace("@FOLDER@", &folder.display().to_string())
                .replace("@PORT@", &port.to_string());
            let file = folder.join("synapse.yaml");
            fs::write(&file, configuration).context("failed to write `synapse.yaml`")?;
            let mut command = process::tied(&program);
            command.arg("--config-path").arg(file);
            let process = Process::start("synapse", &folder.join("synapse.log"), &mut command)?;
            let url = format!("http://127.0.0.1:{port}");
            ready(&client, &url, &process).await?;
            Ok((url, process))
        })
        .await?;
        let mut server = Self {
            url,
            client,
            process,
            robot_token: String::new(),
            reader_token: String::new(),
            room: String::new(),
        };
        server.reader_token = server.register("director").await?;
        server.robot_token = server.register("vigia").await?;
        let room =
            json!({ "name": "Alertas", "preset": "private_chat", "invite": ["@vigia:localhost"] });
        let path = "/_matrix/client/v3/createRoom";
        let made = server
            .ask(Method::POST, path, &server.reader_token)
            .json(&room);
        server.room = text(&answer(made).await?, "room_id")?;
        let path = format!("/_matrix/client/v3/join/{}", server.room);
        answer(
            server
                .ask(Method::POST, &path, &server.robot_token)
                .json(&json!({})),
        )
        .await?;
        Ok(server)
    }

    /// Where it listens, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The token of the robot that may write.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.robot_token
    }

    /// The id of the room.
    #[must_use]
    pub fn room(&self) -> &str {
        &self.room
    }

    /// The process, for its log.
    #[must_use]
    pub const fn process(&self) -> &Process {
        &self.process
    }

    /// The messages in the room as the person is given them, the oldest first.
    pub async fn messages(&self) -> Result<Vec<Value>> {
        let path = format!(
            "/_matrix/client/v3/rooms/{}/messages?dir=b&limit=100",
            self.room
        );
        let asked = self.ask(Method::GET, &path, &self.reader_token);
        let mut answer = answer(asked).await?;
        let chunk = answer["chunk"].as_array_mut().context("no messages")?;
        let mut messages = std::mem::take(chunk);
        messages.retain(|event| event["type"] == "m.room.message");
        messages.reverse();
        Ok(messages)
    }

    /// The file behind an `mxc://` address.
    pub async fn download(&self, address: &str) -> Result<Vec<u8>> {
        let media = address.strip_prefix("mxc://").context("no `mxc://`")?;
        let path = format!("/_matrix/client/v1/media/download/{media}");
        let sent = self.ask(Method::GET, &path, &self.reader_token).send();
        let answer = sent.await?.error_for_status()?;
        Ok(answer.bytes().await?.to_vec())
    }

    /// Lets the robot no longer in.
    pub async fn revoke(&self) -> Result<()> {
        let path = "/_matrix/client/v3/logout";
        answer(
            self.ask(Method::POST, path, &self.robot_token)
                .json(&json!({})),
        )
        .await?;
        Ok(())
    }

    async fn register(&self, name: &str) -> Result<String> {
        let account = json!({ "username": name, "password": format!("testbed-{name}"), "auth": { "type": "m.login.dummy" } });
        let path = "/_matrix/client/v3/register";
        let registered = answer(self.ask(Method::POST, path, "").json(&account)).await?;
        text(&registered, "access_token")
    }

    fn ask(&self, method: Method, path: &str, token: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        if token.is_empty() {
            request
        } else {
            request.bearer_auth(token)
        }
    }
}

async fn ready(client: &Client, url: &str, process: &Process) -> Result<()> {
    let versions = format!("{url}/_matrix/client/versions");
    let up = until("synapse to answer", STARTUP, async || {
        let answer = client.get(&versions).send().await;
        let up = answer.is_ok_and(|answer| answer.status().is_success());
        let ended = process.ended().ok().flatten().is_some();
        (up || ended).then_some(up)
    })
    .await;
    match up {
        Ok(true) => Ok(()),
        Ok(false) => Err(process.explain(anyhow::anyhow!("synapse ended while it started"))),
        Err(error) => Err(process.explain(error)),
    }
}

async fn answer(request: RequestBuilder) -> Result<Value> {
    let answer = request.send().await.context("failed to reach synapse")?;
    let status = answer.status();
    let body: Value = answer.json().await.context("synapse answered no JSON")?;
    if !status.is_success() {
        bail!("synapse answered {status}: {body}");
    }
    Ok(body)
}

fn text(answer: &Value, name: &str) -> Result<String> {
    let text = answer[name].as_str();
    Ok(text.with_context(|| format!("no `{name}`"))?.to_owned())
}
