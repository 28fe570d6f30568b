//! Links in messages that let whoever got the message acknowledge or silence, or see the picture, without a login.
//!
//! A link names one thing to do or to see about one incident and ends; its signature is HMAC-SHA256 with a key that only this
//! program knows. Programs that scan mail open every link: opening one only shows a page, and its button does the thing.

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

/// Which picture of an incident a link shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shown {
    /// Of the first run that failed.
    Failed,
    /// Of the run that ended it.
    Restored,
    /// Of the last run before it that got through.
    Before,
}

impl Shown {
    /// Its name in the address.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Restored => "restored",
            Self::Before => "before",
        }
    }
}

/// What a link is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To do something.
    Do(Action),
    /// To see a picture.
    Show(Shown),
}

impl Purpose {
    /// The path of its address, and the name and value that say it there.
    const fn place(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Do(action) => ("act", "do", action.name()),
            Self::Show(shown) => ("shown", "picture", shown.name()),
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
    /// What it is good for.
    pub purpose: Purpose,
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

    /// Whether a service may be told to fetch pictures here: the services do so over encrypted connections alone.
    #[must_use]
    pub fn shows_pictures(&self) -> bool {
        self.url.starts_with("https://")
    }

    /// The address that does or shows this about that incident, or that conversation.
    #[must_use]
    pub fn address(&self, purpose: Purpose, about: &str, now: Timestamp) -> String {
        let until = (now + self.lasts).as_second();
        let signature = hmac::sign(&self.key, &signed(purpose, about, until));
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature.as_ref());
        let (path, name, value) = purpose.place();
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair(name, value)
            .append_pair("about", about)
            .append_pair("until", &until.to_string())
            .append_pair("signature", &signature)
            .finish();
        format!("{}/{path}?{query}", self.url)
    }

    /// Whether this program made the link, and it is still good.
    pub fn verify(&self, link: &Link, now: Timestamp) -> Result<(), LinkError> {
        let signature = BASE64_URL_SAFE_NO_PAD
            .decode(&link.signature)
            .map_err(|_| LinkError::NotOurs)?;
        let signed = signed(link.purpose, &link.about, link.until);
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
fn signed(purpose: Purpose, about: &str, until: i64) -> Vec<u8> {
    let purpose = match purpose {
        Purpose::Do(action) => action.name().to_owned(),
        Purpose::Show(shown) => format!("picture {}", shown.name()),
    };
    format!("{CONTEXT}\n{purpose}\n{until}\n{about}").into_bytes()
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

    const PURPOSES: [Purpose; 5] = [
        Purpose::Do(Action::Acknowledge),
        Purpose::Do(Action::Silence),
        Purpose::Show(Shown::Failed),
        Purpose::Show(Shown::Restored),
        Purpose::Show(Shown::Before),
    ];

    fn link(address: &str) -> Link {
        let url: Url = address.parse().unwrap();
        let pairs: std::collections::BTreeMap<_, _> = url.query_pairs().collect();
        let purpose = PURPOSES.into_iter().find(|purpose| {
            let (path, name, value) = purpose.place();
            url.path() == format!("/{path}") && pairs.get(name).is_some_and(|given| given == value)
        });
        Link {
            purpose: purpose.unwrap(),
            about: pairs["about"].to_string(),
            until: pairs["until"].parse().unwrap(),
            signature: pairs["signature"].to_string(),
        }
    }

    #[test]
    fn a_link_is_good_for_what_it_says_until_it_ends() {
        let signer = signer("a key of the operator's");
        for purpose in PURPOSES {
            let address = signer.address(purpose, "rule.trámites & más.1", second(1000));
            let good = link(&address);
            assert_eq!(
                (good.purpose, good.about.as_str()),
                (purpose, "rule.trámites & más.1")
            );
            assert_eq!(signer.verify(&good, second(1000)), Ok(()));
            assert_eq!(signer.verify(&good, second(4600)), Ok(()));
            assert_eq!(signer.verify(&good, second(4601)), Err(LinkError::Expired));
        }
    }

    #[test]
    fn whatever_is_changed_in_a_link_makes_it_somebody_elses() {
        let ours = signer("a key of the operator's");
        let good = link(&ours.address(PURPOSES[0], "one", second(0)));
        for changed in [
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
            link(&signer("another key").address(PURPOSES[0], "one", second(0))),
        ]
        .into_iter()
        .chain(PURPOSES[1..].iter().map(|purpose| Link {
            purpose: *purpose,
            ..good.clone()
        })) {
            assert_eq!(
                ours.verify(&changed, second(1)),
                Err(LinkError::NotOurs),
                "{changed:?}"
            );
        }
    }
}
