//! Who may look: whoever brings the token, whom a proxy vouches for, and whoever may open the socket beside the store.
//!
//! A browser brings the token once and gets a cookie for it, which is signed with a key made of the token: another token ends
//! every session. A form holds a mark that only a page of ours could give to this visitor, so that no other site can make
//! a visitor's browser do anything.

use std::{fmt, net::IpAddr, time::Duration};

use axum::http::{HeaderMap, HeaderName, header};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::hmac;
use vigia_contract::secret::{ExposeSecret, SecretString};

/// How long a browser stays logged in.
pub const SESSION: Duration = Duration::from_hours(30 * 24);

/// How long a form may stay open before it is sent.
const FORM: Duration = Duration::from_hours(24);

/// The cookie's name.
const COOKIE: &str = "vigia_session";

/// Who may look.
#[derive(Clone)]
pub struct Access {
    /// Signs cookies and forms; it is made of the token, and of chance where there is none.
    key: hmac::Key,
    /// The token, as its own signature, which is compared without telling where it differs.
    token: Option<hmac::Tag>,
    proxy: Option<Proxy>,
}

/// A proxy that knows who asks.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// The header with the visitor's name.
    pub header: HeaderName,
    /// The only addresses that the header is believed from.
    pub from: Vec<IpAddr>,
}

/// Where a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// From this address.
    Network(IpAddr),
    /// Through the socket beside the store, which only its owner can open.
    Socket,
}

/// Somebody who may look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visitor {
    /// With this session.
    Session(String),
    /// A program with the token.
    Token,
    /// Whom the proxy calls so.
    Named(String),
    /// Through the socket.
    Owner,
}

impl Visitor {
    /// What the visitor is called, where anybody says so.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::Session(_) | Self::Token | Self::Owner => None,
        }
    }

    /// What a form's mark is bound to.
    fn identity(&self) -> String {
        match self {
            Self::Session(cookie) => format!("session {cookie}"),
            Self::Token => "token".to_owned(),
            Self::Named(name) => format!("named {name}"),
            Self::Owner => "owner".to_owned(),
        }
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Access")
            .field("proxy", &self.proxy)
            .finish_non_exhaustive()
    }
}

impl Access {
    /// By this token, or by what this proxy says.
    pub fn new(token: Option<&SecretString>, proxy: Option<Proxy>) -> Result<Self, anyhow::Error> {
        let key = match token {
            Some(token) => {
                let token = hmac::Key::new(hmac::HMAC_SHA256, token.expose_secret().as_bytes());
                hmac::Key::new(
                    hmac::HMAC_SHA256,
                    hmac::sign(&token, b"vigia session 1").as_ref(),
                )
            }
            None => hmac::Key::generate(hmac::HMAC_SHA256, &ring::rand::SystemRandom::new())
                .map_err(|_| anyhow::anyhow!("the system gives no random numbers"))?,
        };
        let token = token.map(|token| hmac::sign(&key, &presented(token.expose_secret())));
        Ok(Self { key, token, proxy })
    }

    /// Whether there is a token to log in with.
    #[must_use]
    pub const fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Who asks, where it is somebody who may.
    #[must_use]
    pub fn visitor(&self, door: Door, headers: &HeaderMap, now: Timestamp) -> Option<Visitor> {
        let address = match door {
            Door::Socket => return Some(Visitor::Owner),
            Door::Network(address) => address.to_canonical(),
        };
        if let Some(Proxy { header, from }) = &self.proxy
            && from.contains(&address)
            && let Some(name) = one(headers, header)
        {
            return Some(Visitor::Named(name.to_owned()));
        }
        let bearer =
            one(headers, &header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        if let Some(token) = bearer {
            return self.is_token(token).then_some(Visitor::Token);
        }
        let cookie = cookie(headers)?;
        self.is_session(cookie, now)
            .then(|| Visitor::Session(cookie.to_owned()))
    }

    /// Whether this is the token.
    #[must_use]
    pub fn is_token(&self, given: &str) -> bool {
        self.token
            .is_some_and(|token| hmac::verify(&self.key, &presented(given), token.as_ref()).is_ok())
    }

    /// The cookie of a browser that brought the token.
    #[must_use]
    pub fn cookie(&self, now: Timestamp, is_encrypted: bool) -> String {
        let until = (now + SESSION).as_second();
        let secure = if is_encrypted { "; Secure" } else { "" };
        let session = format!("{until}.{}", self.mark("session", "", until));
        format!(
            "{COOKIE}={session}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{secure}",
            SESSION.as_secs()
        )
    }

    fn is_session(&self, cookie: &str, now: Timestamp) -> bool {
        self.token.is_some() && self.is_mark(cookie, "session", "", now)
    }

    /// The mark of a form for this visitor.
    #[must_use]
    pub fn form(&self, visitor: &Visitor, now: Timestamp) -> String {
        let until = (now + FORM).as_second();
        format!("{until}.{}", self.mark("form", &visitor.identity(), until))
    }

    /// Whether a page of ours gave this form to this visitor.
    #[must_use]
    pub fn is_form(&self, mark: &str, visitor: &Visitor, now: Timestamp) -> bool {
        self.is_mark(mark, "form", &visitor.identity(), now)
    }

    fn mark(&self, purpose: &str, identity: &str, until: i64) -> String {
        let mark = hmac::sign(&self.key, &marked(purpose, identity, until));
        BASE64_URL_SAFE_NO_PAD.encode(mark.as_ref())
    }

    fn is_mark(&self, text: &str, purpose: &str, identity: &str, now: Timestamp) -> bool {
        let Some((until, mark)) = text.split_once('.') else {
            return false;
        };
        let (Ok(until), Ok(mark)) = (until.parse::<i64>(), BASE64_URL_SAFE_NO_PAD.decode(mark))
        else {
            return false;
        };
        hmac::verify(&self.key, &marked(purpose, identity, until), &mark).is_ok()
            && now.as_second() <= until
    }
}

fn presented(token: &str) -> Vec<u8> {
    format!("token\n{token}").into_bytes()
}

fn marked(purpose: &str, identity: &str, until: i64) -> Vec<u8> {
    format!("{purpose}\n{until}\n{identity}").into_bytes()
}

/// The value of a header that is there once: of two, nobody knows who wrote which.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?.trim();
    (values.next().is_none() && !value.is_empty()).then_some(value)
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const FROM: Door = Door::Network(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7)));

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_str(value).unwrap(),
                )
            })
            .collect()
    }

    fn access(token: &str) -> Access {
        Access::new(Some(&token.into()), None).unwrap()
    }

    #[test]
    fn a_token_opens_and_its_cookie_too_until_it_ends_or_the_token_is_another() {
        let access = access("a token of the operator's");
        assert_eq!(access.visitor(FROM, &headers(&[]), second(0)), None);
        let wrong = headers(&[("authorization", "Bearer a token")]);
        assert_eq!(access.visitor(FROM, &wrong, second(0)), None);
        let right = headers(&[("authorization", "Bearer a token of the operator's")]);
        assert_eq!(
            access.visitor(FROM, &right, second(0)),
            Some(Visitor::Token)
        );

        let given = access.cookie(second(0), true);
        let cookie = given.split(';').next().unwrap();
        let with = headers(&[("cookie", &format!("other=1; {cookie}"))]);
        assert!(matches!(
            access.visitor(FROM, &with, second(1)),
            Some(Visitor::Session(_))
        ));
        let late = second(30 * 24 * 3600 + 1);
        assert_eq!(access.visitor(FROM, &with, late), None);
        assert_eq!(
            self::access("another token").visitor(FROM, &with, second(1)),
            None
        );
        let invented = headers(&[("cookie", "vigia_session=99999999999.AAAA")]);
        assert_eq!(access.visitor(FROM, &invented, second(1)), None);
    }

    #[test]
    fn a_proxys_word_counts_from_its_address_alone() {
        let proxy = Proxy {
            header: HeaderName::from_static("x-remote-user"),
            from: vec!["192.0.2.7".parse().unwrap()],
        };
        let access = Access::new(None, Some(proxy)).unwrap();
        let said = headers(&[("x-remote-user", "ana")]);
        let named = Some(Visitor::Named("ana".into()));
        assert_eq!(access.visitor(FROM, &said, second(0)), named);
        let mapped = Door::Network("::ffff:192.0.2.7".parse().unwrap());
        assert_eq!(access.visitor(mapped, &said, second(0)), named);
        let elsewhere = Door::Network("192.0.2.8".parse().unwrap());
        assert_eq!(access.visitor(elsewhere, &said, second(0)), None);
        let twice = headers(&[("x-remote-user", "ana"), ("x-remote-user", "root")]);
        assert_eq!(access.visitor(FROM, &twice, second(0)), None);
        assert_eq!(
            access.visitor(FROM, &headers(&[("x-remote-user", " ")]), second(0)),
            None
        );
        assert!(!access.is_token(""));
    }

    #[test]
    fn a_form_is_good_for_whom_it_was_given_to() {
        let access = access("a token of the operator's");
        let (ana, eva) = (Visitor::Named("ana".into()), Visitor::Named("eva".into()));
        let form = access.form(&ana, second(0));
        assert!(access.is_form(&form, &ana, second(10)));
        assert!(!access.is_form(&form, &eva, second(10)));
        assert!(!access.is_form(&form, &ana, second(24 * 3600 + 1)));
        assert!(!access.is_form("", &ana, second(10)));
        let cookie = access.cookie(second(0), false);
        let session = cookie.split(['=', ';']).nth(1).unwrap();
        assert!(!access.is_form(session, &Visitor::Session(String::new()), second(10)));
    }
}
