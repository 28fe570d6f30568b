//! What a journey brings to some addresses and to no others: a name and a password, a client certificate, headers, cookies.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error};
use url::Url;
use vigia_contract::secret::Template;

/// All addresses that begin with this one: never those of another host, as written by a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses(pub String);

impl<'de> Deserialize<'de> for Addresses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let hint = "hint: write the beginning of the system's addresses, for example \"https://tramites.example/\"";
        let no_address = || D::Error::custom(format!("`{text}` is no address\n{hint}"));
        let url = Url::parse(&text).map_err(|_| no_address())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(no_address());
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(D::Error::custom(format!(
                "an address with a user, a password or a `#` is not the beginning of others\n{hint}"
            )));
        }
        Ok(Self(url.into()))
    }
}

/// What answers a server that asks for a name and a password before it shows anything.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BasicAuth {
    /// Where.
    pub url: Addresses,
    /// The name.
    pub user: Template,
    /// Refers to a secret.
    pub password: Template,
}

/// What is shown to a server that wants to see a certificate before it talks.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientCertificate {
    /// Where: `https` alone.
    #[serde(deserialize_with = "encrypted")]
    pub url: Addresses,
    /// Refers to a secret: the certificate, and those that vouch for it, as PEM.
    pub certificate: Template,
    /// Refers to a secret: its key as PEM. Left out where it stands with the certificate.
    pub key: Option<Template>,
}

fn encrypted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Addresses, D::Error> {
    let addresses = Addresses::deserialize(deserializer)?;
    if addresses.0.starts_with("https:") {
        Ok(addresses)
    } else {
        Err(D::Error::custom(format!(
            "`{}` is not encrypted: nobody asks for a certificate there\nhint: write the address with https://",
            addresses.0
        )))
    }
}

/// Headers that the browser would not send by itself.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Headers {
    /// With which requests.
    pub url: Addresses,
    /// Names and values; a value may hold references to secrets.
    #[serde(deserialize_with = "headers")]
    pub set: BTreeMap<String, Template>,
}

fn headers<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, Template>, D::Error> {
    let headers = BTreeMap::<String, Template>::deserialize(deserializer)?;
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.!#$%&'*+^`|~".contains(&byte))
    };
    match headers.keys().find(|name| !is_name(name)) {
        Some(name) => Err(D::Error::custom(format!(
            "`{name}` is no name of a header\nhint: write letters, digits and hyphens, for example X-Robot"
        ))),
        None => Ok(headers),
    }
}

/// What is done to the cookies that the browser has.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Cookie {
    /// Gives it one.
    Set(SetCookie),
    /// Takes away those that would be sent to this address.
    Clear(Addresses),
}

/// A cookie as if the system itself had set it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetCookie {
    /// An address of the host that it belongs to; secure where that is.
    pub url: Addresses,
    /// Its name.
    pub name: String,
    /// May hold references to secrets.
    pub value: Template,
    /// With addresses of other hosts of this domain too; of this one only where it is left out.
    pub domain: Option<String>,
    /// With addresses whose path begins so; `/` where it is left out.
    pub path: Option<String>,
}
