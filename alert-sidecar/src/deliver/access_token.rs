//! Access tokens of OAuth 2.0 (RFC 6749), for mail servers that take no password: asked for when one is needed, kept until it
//! ends or a server refuses it.

use std::time::Duration;

use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};
use vigia_contract::secret::{ExposeSecret, SecretString, Template};

use super::http::{Http, Trouble};

/// The value `oauth` of a mail channel, as the operator writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where tokens are given, for example `https://login.microsoftonline.com/TENANT/oauth2/v2.0/token`.
    pub token_url: toml::Spanned<String>,
    /// What the service that gives them calls this program.
    pub client_id: String,
    /// What this program proves itself with, as `${secret:NAME}`.
    pub client_secret: Option<toml::Spanned<Template>>,
    /// What somebody allowed this program to send mail with, as `${secret:NAME}`; it must be good more than once. Without it
    /// the program asks for itself, with its `client_secret`.
    pub refresh_token: Option<toml::Spanned<Template>>,
    /// What the token is to be good for, for example `https://outlook.office365.com/.default`.
    pub scope: Option<String>,
}

/// A token that ends sooner than this is not used any more: the mail server's clock may be another.
const MARGIN: Duration = Duration::from_mins(1);

/// Asks for tokens.
#[derive(Debug)]
pub struct Issuer {
    /// The way there.
    pub http: Http,
    /// Where tokens are given.
    pub token_url: String,
    /// What this program is called there.
    pub client_id: String,
    /// What it proves itself with.
    pub client_secret: Option<SecretString>,
    /// What somebody allowed it to send mail with.
    pub refresh_token: Option<SecretString>,
    /// What the token is to be good for.
    pub scope: Option<String>,
    kept: Mutex<Option<Kept>>,
}

#[derive(Debug)]
struct Kept {
    token: SecretString,
    until: Instant,
}

/// What is answered to who may have a token.
#[derive(Deserialize)]
struct Given {
    access_token: String,
    /// In seconds. Without it nobody knows for how long the token is good.
    expires_in: Option<f64>,
}

impl Issuer {
    /// From these settings, with the secrets in their places.
    #[must_use]
    pub fn new(
        http: Http,
        settings: Settings,
        client_secret: Option<SecretString>,
        refresh_token: Option<SecretString>,
    ) -> Self {
        Self {
            http,
            token_url: settings.token_url.into_inner(),
            client_id: settings.client_id,
            client_secret,
            refresh_token,
            scope: settings.scope,
            kept: Mutex::default(),
        }
    }

    /// A token that is good, or why there is none.
    pub async fn token(&self) -> Result<SecretString, String> {
        // Who asks meanwhile waits for the same token.
        let mut kept = self.kept.lock().await;
        if let Some(Kept { token, until }) = &*kept
            && Instant::now() < *until
        {
            return Ok(token.clone());
        }
        let given = self.ask().await?;
        let lasts = given.expires_in.and_then(super::http::seconds_of);
        let lasts = lasts.unwrap_or_default().saturating_sub(MARGIN);
        let token = SecretString::from(given.access_token);
        *kept = Some(Kept {
            token: token.clone(),
            until: Instant::now() + lasts,
        });
        Ok(token)
    }

    /// A server refused the token: the next one is a new one.
    pub async fn forget(&self) {
        *self.kept.lock().await = None;
    }

    async fn ask(&self) -> Result<Given, String> {
        let mut form = vec![("client_id", self.client_id.as_str())];
        match &self.refresh_token {
            None => form.push(("grant_type", "client_credentials")),
            Some(token) => form.extend([
                ("grant_type", "refresh_token"),
                ("refresh_token", token.expose_secret()),
            ]),
        }
        form.extend(
            self.client_secret
                .iter()
                .map(|secret| ("client_secret", secret.expose_secret())),
        );
        form.extend(self.scope.iter().map(|scope| ("scope", scope.as_str())));
        let request = self.http.post(&self.token_url).form(&form);
        let answer = match self.http.ask(request).await {
            Ok(answer) => answer,
            Err(Trouble::Unreached(why) | Trouble::Unanswered(why)) => {
                return Err(format!("no access token could be asked for: {why}"));
            }
        };
        if !answer.status.is_success() {
            return Err(format!("the access token was refused: {}", answer.said()));
        }
        // What it says instead is not told: a token may be in it.
        serde_json::from_str(&answer.body)
            .map_err(|_| "the answer of the service that gives access tokens holds none".to_owned())
    }
}
