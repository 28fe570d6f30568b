//! Links in messages that let whoever got the message acknowledge or silence, without a login.
//!
//! A link names one thing to do about one incident and ends; its signature is HMAC-SHA256 with a key that only this program
//! knows. Programs that scan mail open every link: opening one only shows a page, and its button does the thing.

use std::{fmt, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::hmac;
use serde::Deserialize;
use url::Url;
use vigia_contract::secret::{ExposeSecret, SecretString};

/// What stands before everything that is signed, so that no other signature with the same key can be taken for a link.
const CONTEXT: &str = "vigia link 1";

/// What a link lets people do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Say that somebody takes care of it.
    Acknowledge,
    /// Say that nobody is to hear of it for a while.
    Silence,
}

impl Action {
    /// Its name in the address.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Acknowledge => "acknowledge",
            Self::Silence => "silence",
        }
    }
}

/// Makes links, and knows its own again.
#[derive(Clone)]
pub struct Signer {
    /// Where people reach the page, without a slash at the end.
    url: String,
    key: hmac::Key,
    lasts: Duration,
}

impl fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Signer")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// What a link says, as it comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What is to be done.
    pub action: Action,
    /// About which incident, or which conversation.
    pub about: String,
    /// Until when it is good, in seconds since 1970.
    pub until: i64,
    /// The signature.
    pub signature: String,
}

/// Why a link is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkError {
    /// Somebody else made it, or changed it.
    NotOurs,
    /// It was good, and is too old.
    Expired,
}

impl Signer {
    /// Links to this address, good for so long.
    #[must_use]
    pub fn new(url: &str, key: &SecretString, lasts: Duration) -> Self {
        Self {
            url: url.trim_end_matches('/').to_owned(),
            key: hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret().as_bytes()),
            lasts,
        }
    }

    /// The address that does this about that incident, or that conversation.
    #[must_use]
    pub fn address(&self, action: Action, about: &str, now: Timestamp) -> String {
        let until = (now + self.lasts).as_second();
        let signature = hmac::sign(&self.key, &signed(action, about, until));
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature.as_ref());
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("do", action.name())
            .append_pair("about", about)
            .append_pair("until", &until.to_string())
            .append_pair("signature", &signature)
            .finish();
        format!("{}/act?{query}", self.url)
    }

    /// Whether this program made the link, and it is still good.
    pub fn verify(&self, link: &Link, now: Timestamp) -> Result<(), LinkError> {
        let signature = BASE64_URL_SAFE_NO_PAD
            .decode(&link.signature)
            .map_err(|_| LinkError::NotOurs)?;
        let signed = signed(link.action, &link.about, link.until);
        hmac::verify(&self.key, &signed, &signature).map_err(|_| LinkError::NotOurs)?;
        if now.as_second() > link.until {
            return Err(LinkError::Expired);
        }
        Ok(())
    }
}

/// Where people reach a page at this address: what a link may be put behind.
#[must_use]
pub fn is_address(text: &str) -> bool {
    text.parse::<Url>().is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none()
    })
}

/// Everything that a link says, one a line: no incident's name holds a line feed.
fn signed(action: Action, about: &str, until: i64) -> Vec<u8> {
    format!("{CONTEXT}\n{}\n{until}\n{about}", action.name()).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(key: &str) -> Signer {
        Signer::new(
            "https://vigia.example/",
            &key.into(),
            Duration::from_hours(1),
        )
    }

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn link(address: &str) -> Link {
        let url: Url = address.parse().unwrap();
        assert_eq!(url.path(), "/act");
        let pairs: std::collections::BTreeMap<_, _> = url.query_pairs().collect();
        let action = [Action::Acknowledge, Action::Silence]
            .into_iter()
            .find(|action| action.name() == pairs["do"]);
        Link {
            action: action.unwrap(),
            about: pairs["about"].to_string(),
            until: pairs["until"].parse().unwrap(),
            signature: pairs["signature"].to_string(),
        }
    }

    #[test]
    fn a_link_is_good_for_what_it_says_until_it_ends() {
        let signer = signer("a key of the operator's");
        let address = signer.address(Action::Silence, "rule.trámites & más.1", second(1000));
        let good = link(&address);
        assert_eq!(good.about, "rule.trámites & más.1");
        assert_eq!(signer.verify(&good, second(1000)), Ok(()));
        assert_eq!(signer.verify(&good, second(4600)), Ok(()));
        assert_eq!(signer.verify(&good, second(4601)), Err(LinkError::Expired));
    }

    #[test]
    fn whatever_is_changed_in_a_link_makes_it_somebody_elses() {
        let ours = signer("a key of the operator's");
        let good = link(&ours.address(Action::Acknowledge, "one", second(0)));
        for changed in [
            Link {
                action: Action::Silence,
                ..good.clone()
            },
            Link {
                about: "two".into(),
                ..good.clone()
            },
            Link {
                until: good.until + 1,
                ..good.clone()
            },
            Link {
                signature: String::new(),
                ..good.clone()
            },
            Link {
                signature: "%".into(),
                ..good.clone()
            },
            link(&signer("another key").address(Action::Acknowledge, "one", second(0))),
        ] {
            assert_eq!(
                ours.verify(&changed, second(1)),
                Err(LinkError::NotOurs),
                "{changed:?}"
            );
        }
    }
}
