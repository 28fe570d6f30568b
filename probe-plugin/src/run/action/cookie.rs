//! Gives the browser a cookie, or takes some away.

use std::time::Instant;

use headless_chrome::protocol::cdp::{Network, types::Method};
use serde::{Deserialize, Serialize};
use vigia_contract::{data_model::ErrorClass, secret::ExposeSecret};

use super::{Moment, Robot};
use crate::{
    journey::{Cookie, SetCookie},
    run::Failure,
};

/// The crate's type for it reads more of a cookie than is needed, and fails at what Chromium added since.
#[derive(Debug, Serialize)]
struct GetCookies {
    urls: [String; 1],
}

#[derive(Debug, Deserialize)]
struct Cookies {
    cookies: Vec<KnownCookie>,
}

#[derive(Debug, Deserialize)]
struct KnownCookie {
    name: String,
    domain: String,
    path: String,
}

impl Method for GetCookies {
    const NAME: &'static str = "Network.getCookies";
    type ReturnObject = Cookies;
}

/// Chromium refuses some cookies with an error and others with a no.
#[derive(Debug, Deserialize)]
struct Done {
    success: bool,
}

#[derive(Debug, Serialize)]
struct SetOne<'a> {
    name: &'a str,
    value: &'a str,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<&'a str>,
    path: &'a str,
}

impl Method for SetOne<'_> {
    const NAME: &'static str = "Network.setCookie";
    type ReturnObject = Done;
}

impl Robot<'_> {
    pub(super) async fn cookie(
        &mut self,
        cookie: &Cookie,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        match cookie {
            Cookie::Set(set) => self.set_cookie(set, deadline).await?,
            Cookie::Clear(addresses) => self.clear_cookies(&addresses.0, deadline).await?,
        }
        Ok(Moment::Was)
    }

    async fn set_cookie(&mut self, set: &SetCookie, deadline: Instant) -> Result<(), Failure> {
        let value = self.resolve(&set.value)?;
        let one = SetOne {
            name: &set.name,
            value: value.expose_secret(),
            url: &set.url.0,
            domain: set.domain.as_deref(),
            path: set.path.as_deref().unwrap_or("/"),
        };
        let done = self.context.call(&one, deadline).await;
        let refused = match done {
            Ok(done) => !done.success,
            Err(crate::browser::PageError::Call(crate::browser::CallError::Refused { .. })) => true,
            error => {
                !self
                    .or_failure(error, "the cookie was not taken")
                    .await?
                    .success
            }
        };
        if refused {
            let told = format!(
                "the browser takes no cookie `{}` for `{}`",
                set.name, set.url.0
            );
            return Err(Failure::of_probe(ErrorClass::Config, told));
        }
        Ok(())
    }

    async fn clear_cookies(&mut self, url: &str, deadline: Instant) -> Result<(), Failure> {
        let late = "the cookies were not cleared";
        let get = GetCookies {
            urls: [url.to_owned()],
        };
        let known = self.context.call(&get, deadline).await;
        for known in self.or_failure(known, late).await?.cookies {
            let delete = Network::DeleteCookies {
                name: known.name,
                url: None,
                domain: Some(known.domain),
                path: Some(known.path),
                partition_key: None,
            };
            let deleted = self.context.call(&delete, deadline).await;
            self.or_failure(deleted, late).await?;
        }
        Ok(())
    }
}
