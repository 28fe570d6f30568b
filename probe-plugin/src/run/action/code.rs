//! Types one-time codes: at the moment that the field is ready, and never one that is about to end.

use std::time::{Duration, Instant, SystemTime};

use serde_json::json;
use vigia_contract::{
    data_model::ErrorClass,
    secret::{ExposeSecret, SecretString},
};

use super::{Robot, begin};
use crate::{
    browser::PageError,
    journey::{Action, CodeKey, Part, Target, Typed},
    run::Failure,
};

/// A code must still be good when it arrives; a person who sees that little left waits for the next one too.
const LEFT_AT_LEAST: Duration = Duration::from_secs(3);

impl Robot<'_> {
    /// Before an action that types a code: waits for its field, which is the user's time, and then for a code that is good
    /// for a while, which is not. Says when the user began to wait.
    pub(super) async fn await_code(&mut self, action: &Action) -> Result<Option<f64>, Failure> {
        let Some((field, names)) = action.codes() else {
            return Ok(None);
        };
        let deadline = self.deadline.min(Instant::now() + self.action_timeout);
        let began_ms = self.began_to_wait_for(field, deadline).await?;
        let mut wait = Duration::ZERO;
        for name in names {
            let left = self.key(name)?.left(since_1970()?);
            if left < LEFT_AT_LEAST {
                wait = wait.max(left);
            }
        }
        if wait > Duration::ZERO {
            let before_ms = self.now(deadline).await?;
            match self.context.until(Instant::now() + wait, |_| false).await {
                Ok(()) | Err(PageError::Late) => {}
                error => self.or_failure(error, "").await?,
            }
            self.deadline += wait;
            let deadline = self.deadline.min(Instant::now() + self.action_timeout);
            self.own_wait_ms += self.now(deadline).await? - before_ms;
        }
        Ok(Some(began_ms))
    }

    async fn began_to_wait_for(
        &mut self,
        field: &Target,
        deadline: Instant,
    ) -> Result<f64, Failure> {
        let (_, found) = self.perform("visible", field, json!({}), deadline).await?;
        Ok(begin(&found))
    }

    /// The text with every secret and every code of this moment in its place.
    pub(super) fn resolve_typed(&mut self, typed: &Typed) -> Result<SecretString, Failure> {
        let mut whole = String::new();
        for part in typed.parts() {
            match part {
                Part::Text(template) => whole.push_str(self.resolve(template)?.expose_secret()),
                Part::Code(name) => {
                    let code = self.key(name)?.at(since_1970()?);
                    whole.push_str(&code);
                    self.typed_codes.push(code.into());
                }
            }
        }
        Ok(whole.into())
    }

    fn key(&self, name: &str) -> Result<CodeKey, Failure> {
        let config = |told: String| Failure::of_probe(ErrorClass::Config, told);
        let secret = self
            .secrets
            .find(name)
            .map_err(|error| config(error.to_string()))?;
        CodeKey::parse(secret.expose_secret()).map_err(|what| {
            config(format!(
                "the secret `{name}` is no key for one-time codes: {what}"
            ))
        })
    }
}

fn since_1970() -> Result<Duration, Failure> {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_err(|_| {
            Failure::of_probe(
                ErrorClass::Config,
                "this machine's clock stands before 1970",
            )
        })
}
