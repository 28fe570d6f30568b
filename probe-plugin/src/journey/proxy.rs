//! The proxy that a journey's requests go through.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error};
use url::Url;
use vigia_contract::secret::Template;

const HINT: &str = "hint: write kind, host and port: \"http://proxy.example:3128\", https:// or socks5:// likewise";

/// Where, for whom, and with what login.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// As the browser takes it.
    pub server: String,
    /// Hosts that are asked without it: `intranet.example`, `*.intranet.example`, `10.0.0.0/8`.
    pub bypass: Vec<String>,
    /// Where it asks for a name and a password.
    pub login: Option<ProxyLogin>,
}

/// A name and a password.
#[derive(Clone, Debug)]
pub struct ProxyLogin {
    /// The name.
    pub user: Template,
    /// Refers to a secret.
    pub password: Template,
}

/// As the operator writes it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProxyTable {
    #[serde(deserialize_with = "server")]
    server: String,
    #[serde(default)]
    bypass: Vec<String>,
    user: Option<Template>,
    password: Option<Template>,
}

impl<'de> Deserialize<'de> for Proxy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = ProxyTable::deserialize(deserializer)?;
        let login = match (table.user, table.password) {
            (Some(user), Some(password)) => Some(ProxyLogin { user, password }),
            (None, None) => None,
            _ => {
                return Err(D::Error::custom(
                    "a proxy that knows who asks wants a name and a password\nhint: write both `user` and `password`, or neither",
                ));
            }
        };
        if login.is_some() && table.server.starts_with("socks") {
            return Err(D::Error::custom(
                "the browser tells a socks proxy no name and no password\nhint: use an http:// or https:// proxy, or take `user` and `password` out",
            ));
        }
        // The browser takes them as one text, cut at these.
        if let Some(host) = table
            .bypass
            .iter()
            .find(|host| host.is_empty() || host.contains([';', ',', ' ']))
        {
            return Err(D::Error::custom(format!(
                "`{host}` is no host\nhint: write each host by itself: bypass = [\"intranet.example\", \"*.local\"]"
            )));
        }
        Ok(Self {
            server: table.server,
            bypass: table.bypass,
            login,
        })
    }
}

fn server<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    let no_proxy = |what: &str| D::Error::custom(format!("`{text}` {what}\n{HINT}"));
    let url = Url::parse(&text).map_err(|_| no_proxy("is no proxy"))?;
    if !matches!(url.scheme(), "http" | "https" | "socks4" | "socks5")
        || !matches!(url.path(), "" | "/")
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(no_proxy("is no proxy"));
    }
    let host = url
        .host_str()
        .filter(|host| !host.is_empty())
        .ok_or_else(|| no_proxy("names no host"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(D::Error::custom(
            "a proxy's address with a user or a password would be told in messages\nhint: write `user` and `password` beside it",
        ));
    }
    // What the scheme has as its own is left out by the parser.
    let port = url
        .port_or_known_default()
        .ok_or_else(|| no_proxy("names no port"))?;
    Ok(format!("{}://{host}:{port}", url.scheme()))
}
