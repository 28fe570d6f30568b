//! A mail server that wants an access token in place of a password, and a service that gives tokens.

use std::{
    collections::BTreeMap,
    net::Ipv4Addr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Form, Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::json;
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use vigia_alert::{
    deliver::{Attempt, Channel},
    render::{Illustration, Language},
    store::outbox::Kind,
};
use vigia_testbed::{
    servers::{
        Program,
        mail::{self, MailServer},
        requires,
    },
    until::until,
};

use super::{
    conformance::{accepted, configured},
    messages::{delivery, render_as},
};

/// What proves who asks. Here it is no secret.
const CLIENT_SECRET: &str = "testbed-client-secret";
const REFRESH_TOKEN: &str = "testbed-refresh-token";
const STRANGERS_SECRET: &str = "somebody-elses-secret";

/// Gives tokens as RFC 6749 says (4.4 and 6), for as long as it has some.
struct Issuer {
    address: String,
    asked: Arc<Mutex<Vec<BTreeMap<String, String>>>>,
    server: JoinHandle<()>,
}

#[derive(Clone)]
struct Desk {
    /// Each with how long it is good, in seconds; the last is given first.
    tokens: Arc<Mutex<Vec<(&'static str, u64)>>>,
    asked: Arc<Mutex<Vec<BTreeMap<String, String>>>>,
}

impl Issuer {
    /// With these tokens, one after the other.
    async fn start(tokens: &[(&'static str, u64)]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = format!("http://{}/token", listener.local_addr().unwrap());
        let desk = Desk {
            tokens: Arc::new(Mutex::new(tokens.iter().rev().copied().collect())),
            asked: Arc::default(),
        };
        let asked = Arc::clone(&desk.asked);
        let router = Router::new().route("/token", post(give)).with_state(desk);
        let server = tokio::spawn(async { axum::serve(listener, router).await.unwrap() });
        Self {
            address,
            asked,
            server,
        }
    }

    /// What was asked for, the oldest first.
    fn asked(&self) -> Vec<BTreeMap<String, String>> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn give(State(desk): State<Desk>, Form(form): Form<BTreeMap<String, String>>) -> Response {
    desk.asked.lock().unwrap().push(form.clone());
    let is = |name: &str, value: &str| form.get(name).is_some_and(|given| given == value);
    let is_client = is("client_id", "vigia") && is("client_secret", CLIENT_SECRET);
    let (status, answer) = match form.get("grant_type").map(String::as_str) {
        _ if !is_client => (
            StatusCode::UNAUTHORIZED,
            json!({ "error": "invalid_client", "error_description": format!("unknown: {:?}", form.get("client_secret")) }),
        ),
        _ if is("grant_type", "client_credentials") || is("refresh_token", REFRESH_TOKEN) => {
            let token = desk.tokens.lock().unwrap().pop();
            let (token, lasts) = token.expect("the test says how often tokens are asked for");
            (
                StatusCode::OK,
                json!({ "token_type": "Bearer", "access_token": token, "expires_in": lasts }),
            )
        }
        Some("refresh_token") => (StatusCode::BAD_REQUEST, json!({ "error": "invalid_grant" })),
        _ => (
            StatusCode::BAD_REQUEST,
            json!({ "error": "unsupported_grant_type" }),
        ),
    };
    let kind = [(CONTENT_TYPE, "application/json")];
    (status, kind, answer.to_string()).into_response()
}

/// A mail channel whose tokens come from there; these keys are said besides.
fn channel(
    server: &MailServer,
    issuer: &Issuer,
    secret: &str,
    keys: &str,
    folder: &TempDir,
) -> Channel {
    let lines = format!(
        r#"email = {{ server = "{host}", port = {port}, username = "{user}", oauth = {{ token_url = "{address}", client_id = "vigia", client_secret = "${{secret:CLIENT}}"{keys} }}, from = "Vigía <vigia@agency.example>", to = ["director@agency.example"], ca_file = "{ca}" }}"#,
        host = mail::HOST,
        port = server.port(),
        user = mail::USERNAME,
        address = issuer.address,
        ca = server.ca_file().display(),
    );
    let secrets = [("CLIENT", secret), ("REFRESH", REFRESH_TOKEN)];
    configured(&lines, &secrets, folder)
}

async fn send(channel: &Channel) -> Attempt {
    let mut delivery = delivery(Kind::Opened);
    delivery.recipient = "director@agency.example".into();
    let abilities = channel.abilities();
    let layout = abilities.layout(Illustration::None);
    let message = render_as(Language::Spanish, &delivery, layout);
    let outgoing = vigia_alert::deliver::Outgoing::of(&delivery, &message, &[]);
    channel.send(&outgoing).await
}

/// Why a message did not arrive.
fn failed(attempt: Attempt) -> String {
    match attempt {
        Attempt::Failed { reason, .. } => {
            for secret in [
                CLIENT_SECRET,
                STRANGERS_SECRET,
                REFRESH_TOKEN,
                mail::ACCESS_TOKEN,
                "stale",
            ] {
                assert!(!reason.contains(secret), "{reason}");
            }
            reason
        }
        other => panic!("{other:?}"),
    }
}

async fn arrived(server: &MailServer, count: usize) {
    let look = async || (server.mailbox().mails().unwrap().len() == count).then_some(());
    until("the mails", Duration::from_secs(20), look)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_mail_server_that_wants_a_token_gets_one_and_another_when_it_refuses_it() {
    if !requires(&[Program::Exim]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = MailServer::start(&folder.path().join("mail"))
        .await
        .unwrap();
    let good = mail::ACCESS_TOKEN;

    // One that somebody took back, and then a good one, which is kept.
    let issuer = Issuer::start(&[("stale", 3600), (good, 3600)]).await;
    let files = tempfile::tempdir().unwrap();
    let mail = channel(
        &server,
        &issuer,
        CLIENT_SECRET,
        r#", scope = "mail.send""#,
        &files,
    );
    let reason = failed(send(&mail).await);
    assert!(
        reason.starts_with("the mail server refuses the access token: permanent error (535)"),
        "{reason}"
    );
    accepted(send(&mail).await);
    accepted(send(&mail).await);
    let asked = issuer.asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert_eq!(asked[1]["grant_type"], "client_credentials");
    assert_eq!(asked[1]["scope"], "mail.send");
    arrived(&server, 2).await;

    // What somebody allowed; a token that ends in a moment is used once.
    let issuer = Issuer::start(&[(good, 30), (good, 30)]).await;
    let files = tempfile::tempdir().unwrap();
    let allowed = r#", refresh_token = "${secret:REFRESH}""#;
    let mail = channel(&server, &issuer, CLIENT_SECRET, allowed, &files);
    accepted(send(&mail).await);
    accepted(send(&mail).await);
    let asked = issuer.asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert_eq!(asked[0]["refresh_token"], REFRESH_TOKEN);
    arrived(&server, 4).await;
}

#[tokio::test]
async fn who_gets_no_token_sends_no_mail_and_says_why() {
    if !requires(&[Program::Exim]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = MailServer::start(&folder.path().join("mail"))
        .await
        .unwrap();
    let issuer = Issuer::start(&[]).await;
    let files = tempfile::tempdir().unwrap();
    let mail = channel(&server, &issuer, STRANGERS_SECRET, "", &files);
    let reason = failed(send(&mail).await);
    assert!(
        reason.starts_with("the access token was refused: 401: {\"error\":\"invalid_client\""),
        "{reason}"
    );
    assert_eq!(server.mailbox().mails().unwrap().len(), 0);
}
