//! A mail channel's settings, made ready to send.

use std::path::PathBuf;

use lettre::{message::Mailbox, transport::smtp::client::Certificate};
use vigia_contract::{config_file::Spanned, secret::Template};

use super::{
    Findings,
    channels::{http, service_address},
    check::secret,
};
use crate::deliver::{
    access_token::{self, Issuer},
    email::{Email, Login, Proof, Settings, Tls},
    http::Way,
};

/// `way` is that to the service that gives access tokens.
pub(super) fn resolve(
    settings: Settings,
    name: &Spanned<String>,
    mut way: Way,
    findings: &mut Findings,
) -> Option<Email> {
    let tls = settings
        .tls
        .as_ref()
        .map(|tls| *tls.as_ref())
        .unwrap_or_default();
    let secret_login = match (&settings.password, &settings.oauth) {
        (Some(_), _) => Some("a password"),
        (None, Some(_)) => Some("an access token"),
        (None, None) => None,
    };
    if let (Some(written), Tls::None, Some(what)) = (&settings.tls, tls, secret_login) {
        findings.add(
            written,
            format!("{what} would be sent over a connection that is not encrypted"),
            "use tls = \"starttls\" or tls = \"implicit\", or let nobody log in",
        );
    }
    let from = mailbox(&settings.from, findings);
    let to = recipients(&settings, findings);
    let authority = settings
        .ca_file
        .as_ref()
        .and_then(|file| authority(file, findings));
    let (authority, pem) = authority.unzip();
    // Where an organisation vouches for its mail server, it vouches for who gives the tokens too.
    way.authorities.extend(pem.unwrap_or_default());
    let proof = match (settings.password, settings.oauth) {
        (Some(password), Some(_)) => {
            findings.add(
                &password,
                "there are a password and an access token, and only one of them is sent",
                "keep either password or oauth",
            );
            Some(Written::new(&password, "a password", None))
        }
        (Some(password), None) => {
            let proof = secret(&password, findings).map(Proof::Password);
            Some(Written::new(&password, "a password", proof))
        }
        (None, Some(oauth)) => {
            let written = Spanned::new(oauth.span(), ());
            let issuer = issuer(oauth, name, &way, findings);
            let proof = issuer.map(|issuer| Proof::Token(Box::new(issuer)));
            Some(Written::new(&written, "oauth", proof))
        }
        (None, None) => None,
    };
    Some(Email {
        port: settings.port.unwrap_or(tls.default_port()),
        server: settings.server,
        tls,
        login: login(settings.username, proof, findings),
        from: from?,
        to,
        authority,
    })
}

/// What is to prove who logs in, and where that is written.
struct Written {
    /// What it is called there.
    what: Spanned<&'static str>,
    /// Nothing where it is not good.
    proof: Option<Proof>,
}

impl Written {
    fn new<T>(place: &Spanned<T>, what: &'static str, proof: Option<Proof>) -> Self {
        Self {
            what: Spanned::new(place.span(), what),
            proof,
        }
    }
}

fn login(
    username: Option<Spanned<String>>,
    written: Option<Written>,
    findings: &mut Findings,
) -> Option<Login> {
    match (username, written) {
        (Some(username), Some(Written { proof, .. })) => Some(Login {
            username: username.into_inner(),
            proof: proof?,
        }),
        (Some(username), None) => {
            findings.add(
                &username,
                "there is a username without a password",
                "add password = \"${secret:NAME}\", or oauth = { ... } where the server wants an access token",
            );
            None
        }
        (None, Some(Written { what, .. })) => {
            findings.add(
                &what,
                format!("there is {} without a username", what.as_ref()),
                "add username = \"...\"",
            );
            None
        }
        (None, None) => None,
    }
}

/// Those who are told, each once.
fn recipients(settings: &Settings, findings: &mut Findings) -> Vec<Mailbox> {
    let mut to: Vec<Mailbox> = Vec::new();
    for address in &settings.to {
        let Some(recipient) = mailbox(address, findings) else {
            continue;
        };
        if to.iter().any(|told| told.email == recipient.email) {
            findings.add(
                address,
                format!("`{}` is told already", recipient.email),
                "write every address once",
            );
        }
        to.push(recipient);
    }
    if settings.to.is_empty() {
        findings.add(
            &settings.from,
            "this channel sends to nobody",
            "add to = [\"somebody@agency.example\"]",
        );
    }
    to
}

/// The authority in a file, also as it stands there.
fn authority(file: &Spanned<PathBuf>, findings: &mut Findings) -> Option<(Certificate, Vec<u8>)> {
    let path = findings.folder.join(file.as_ref());
    let read = std::fs::read(&path).map_err(|error| error.to_string());
    let read = read.and_then(|pem| {
        let authority = Certificate::from_pem(&pem).map_err(|error| error.to_string())?;
        Ok((authority, pem))
    });
    match read {
        Ok(authority) => Some(authority),
        Err(error) => {
            let what = format!(
                "the certificate authority `{}` cannot be used: {error}",
                path.display()
            );
            findings.add(file, what, "name a file with a certificate in PEM format");
            None
        }
    }
}

fn issuer(
    settings: Spanned<access_token::Settings>,
    name: &Spanned<String>,
    way: &Way,
    findings: &mut Findings,
) -> Option<Issuer> {
    let written = Spanned::new(settings.span(), ());
    let settings = settings.into_inner();
    let found = findings.mistakes.len();
    service_address(&settings.token_url, findings);
    let mut known = |written: &Option<Spanned<Template>>| {
        written
            .as_ref()
            .and_then(|written| secret(written, findings))
    };
    let client_secret = known(&settings.client_secret);
    let refresh_token = known(&settings.refresh_token);
    if settings.client_secret.is_none() && settings.refresh_token.is_none() {
        findings.add(
            &written,
            "nothing proves to the service who asks it for a token",
            "add client_secret = \"${secret:NAME}\", or refresh_token = \"${secret:NAME}\"",
        );
    }
    let secrets = [client_secret.clone(), refresh_token.clone()];
    let http = http(way, name, secrets, findings);
    (findings.mistakes.len() == found)
        .then(|| http.map(|http| Issuer::new(http, settings, client_secret, refresh_token)))
        .flatten()
}

fn mailbox(address: &Spanned<String>, findings: &mut Findings) -> Option<Mailbox> {
    let read = address.as_ref().parse().ok();
    if read.is_none() {
        findings.add(
            address,
            format!("`{}` is not a mail address", address.as_ref()),
            "write \"somebody@agency.example\" or \"Somebody <somebody@agency.example>\"",
        );
    }
    read
}
