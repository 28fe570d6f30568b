//! The page's and the heartbeat's settings, made ready to serve.

use axum::http::HeaderName;
use vigia_contract::{
    config_file::Spanned,
    secret::{ExposeSecret, SecretString, Template},
};

use super::{Findings, check::secret};
use crate::{
    health::heartbeat::{self, Heartbeat},
    page::{
        Config, ProxySettings, Settings,
        access::{Access, Proxy},
    },
    render::link::{Signer, is_address},
};

/// A token that can be guessed would show everything to everybody.
const TOKEN_MIN_CHARACTERS: usize = 16;

/// As long as what HMAC-SHA256 makes of it.
const KEY_MIN_CHARACTERS: usize = 32;

pub(super) fn resolve(settings: Spanned<Settings>, findings: &mut Findings) -> Option<Config> {
    let span = settings.span();
    let settings = settings.into_inner();
    let found = findings.mistakes.len();
    if let Some(url) = &settings.url
        && !is_address(url.as_ref())
    {
        findings.add(
            url,
            format!("`{}` is not an address of a page", url.as_ref()),
            "write where people reach it, for example \"https://vigia.agency.example\"",
        );
    }
    let token = settings
        .token
        .and_then(|token| long_secret(&token, TOKEN_MIN_CHARACTERS, findings));
    let proxy = settings
        .proxy
        .and_then(|settings| proxy(settings, findings));
    let key = match (settings.link_key, &settings.url) {
        (Some(key), Some(_)) => long_secret(&key, KEY_MIN_CHARACTERS, findings),
        (Some(key), None) => {
            findings.add(
                &key,
                "links need an address that they lead to",
                "add url = \"https://vigia.agency.example\", as people reach the page",
            );
            None
        }
        (None, _) => None,
    };
    if token.is_none() && proxy.is_none() && findings.mistakes.len() == found {
        let page = Spanned::new(span, ());
        findings.add(
            &page,
            "nobody could look at the page",
            "add token = \"${secret:PAGE_TOKEN}\", or proxy = { header = \"X-Remote-User\", from = [\"127.0.0.1\"] }",
        );
    }
    if findings.mistakes.len() > found {
        return None;
    }
    let url = settings
        .url
        .map(|url| url.into_inner().trim_end_matches('/').to_owned());
    let access = Access::new(token.as_ref(), proxy);
    let access = access
        .inspect_err(|error| tracing::error!(%error, "the page has no key"))
        .ok()?;
    let signer = url
        .as_ref()
        .zip(key)
        .map(|(url, key)| Signer::new(url, &key, settings.links_last));
    Some(Config {
        listen: settings.listen,
        url,
        access,
        signer,
    })
}

fn long_secret(
    template: &Spanned<Template>,
    least: usize,
    findings: &mut Findings,
) -> Option<SecretString> {
    let found = secret(template, findings)?;
    if found.expose_secret().chars().count() < least {
        findings.add(
            template,
            format!("this secret is shorter than {least} characters, and could be guessed"),
            "make one with: openssl rand -hex 32",
        );
        return None;
    }
    Some(found)
}

fn proxy(settings: Spanned<ProxySettings>, findings: &mut Findings) -> Option<Proxy> {
    let span = settings.span();
    let ProxySettings { header, from } = settings.into_inner();
    if from.is_empty() {
        findings.add(
            &Spanned::new(span, ()),
            "no address is trusted, so nobody could look at the page",
            "add from = [\"127.0.0.1\"], the address that the proxy asks from",
        );
        return None;
    }
    let name = header.as_ref().parse::<HeaderName>();
    let Ok(name) = name else {
        findings.add(
            &header,
            format!("`{}` is not the name of a header", header.as_ref()),
            "write for example \"X-Remote-User\"",
        );
        return None;
    };
    let from = from
        .into_iter()
        .map(|address| address.to_canonical())
        .collect();
    Some(Proxy { header: name, from })
}

pub(super) fn heartbeat(
    settings: &heartbeat::Settings,
    findings: &mut Findings,
) -> Option<Heartbeat> {
    let url = secret(&settings.url, findings)?;
    let is_good = reqwest::Url::parse(url.expose_secret())
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if !is_good {
        findings.add(
            &settings.url,
            "this is not an address that can be asked for",
            "write it whole, for example \"https://hc-ping.com/${secret:HEARTBEAT_ID}\"",
        );
        return None;
    }
    Some(Heartbeat {
        url,
        every: settings.every,
    })
}
