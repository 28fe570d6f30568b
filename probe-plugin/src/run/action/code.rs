//! Types one-time codes: at the moment that the field is ready, and never one that is about to end.

use std::time::{Duration, Instant, SystemTime};

use serde_json::json;
use vigia_contract::{
    data_model::ErrorClass,
    secret::{ExposeSecret, SecretString},
};

use super::{Robot, UserInput};
use crate::{
    browser::PageError,
    journey::{CodeKey, Part, Target, Typed},
    run::{Failure, waiting::Wait},
};

/// A code must still be good when it arrives; a person who sees that little left waits for the next one too.
const LEFT_AT_LEAST: Duration = Duration::from_secs(3);

/// A text can be typed now.
#[derive(Clone, Copy, Debug)]
pub struct Ready {
    /// The wait for its field.
    waited: Option<Wait>,
    /// A code was waited for after that.
    over: bool,
    /// For all that is still to be done.
    pub deadline: Instant,
}

impl Ready {
    /// The input with the wait that was the user's: for its field until that was there, and in no case for a code.
    pub fn before(self, input: UserInput) -> UserInput {
        let again = input.waited.filter(|_| !self.over);
        let waited = match (self.waited, again) {
            (Some(first), Some(again)) => Some(Wait {
                from_ms: first.from_ms,
                until_ms: again.until_ms,
            }),
            (first, again) => first.or(again),
        };
        UserInput { waited, ..input }
    }
}

impl Robot<'_> {
    /// Before a text with a code is typed: waits for its field, which is the user's time, and then for a code that is good
    /// for a while, which is not.
    pub(super) async fn await_code(
        &mut self,
        typed: &Typed,
        field: Option<(&'static str, &Target)>,
        deadline: Instant,
    ) -> Result<Ready, Failure> {
        let mut ready = Ready {
            waited: None,
            over: false,
            deadline,
        };
        if typed.codes().next().is_none() {
            return Ok(ready);
        }
        if let Some((look, field)) = field {
            let request = json!({ "end": true });
            let (_, found) = self.perform(look, field, request, deadline).await?;
            ready.waited = found.waited();
        }
        let mut wait = Duration::ZERO;
        for name in typed.codes() {
            let left = self.key(name)?.left(since_1970()?);
            if left < LEFT_AT_LEAST {
                wait = wait.max(left);
            }
        }
        if wait > Duration::ZERO {
            match self.context.until(Instant::now() + wait, |_| false).await {
                Ok(()) | Err(PageError::Late) => {}
                error => self.or_failure(error, "").await?,
            }
            self.deadline += wait;
            ready.deadline = self.deadline.min(Instant::now() + self.action_timeout);
            ready.over = true;
        }
        Ok(ready)
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
                    self.redaction.add(&[code.into()]);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn waited(over: bool) -> Option<Wait> {
        let ready = Ready {
            waited: Some(Wait {
                from_ms: 10.0,
                until_ms: 300.0,
            }),
            over,
            deadline: Instant::now(),
        };
        let input = ready.before(UserInput {
            waited: Some(Wait {
                from_ms: 310.0,
                until_ms: 3400.0,
            }),
            began_ms: 3400.0,
        });
        input.waited
    }

    #[test]
    fn a_wait_for_a_fresh_code_is_no_users_wait() {
        let until_ms = |over| waited(over).map(|wait| wait.until_ms);
        assert_eq!(until_ms(true), Some(300.0));
        assert_eq!(until_ms(false), Some(3400.0));
    }
}
