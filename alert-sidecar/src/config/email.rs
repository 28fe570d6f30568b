//! A mail channel's settings, made ready to send.

use lettre::{message::Mailbox, transport::smtp::client::Certificate};
use vigia_contract::config_file::Spanned;

use super::{Findings, check::secret};
use crate::deliver::email::{Email, Settings, Tls};

pub(super) fn resolve(settings: Settings, findings: &mut Findings) -> Option<Email> {
    let tls = settings
        .tls
        .as_ref()
        .map(|tls| *tls.as_ref())
        .unwrap_or_default();
    if let (Some(written), Tls::None, Some(_)) = (&settings.tls, tls, &settings.password) {
        findings.add(
            written,
            "a password would be sent over a connection that is not encrypted",
            "use tls = \"starttls\" or tls = \"implicit\", or take the password out",
        );
    }
    let from = mailbox(&settings.from, findings);
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
    let login = match (settings.username, &settings.password) {
        (Some(name), Some(password)) => {
            secret(password, findings).map(|password| (name.into_inner(), password))
        }
        (None, None) => None,
        (Some(name), None) => {
            findings.add(
                &name,
                "there is a username without a password",
                "add password = \"${secret:NAME}\"",
            );
            None
        }
        (None, Some(password)) => {
            findings.add(
                password,
                "there is a password without a username",
                "add username = \"...\"",
            );
            None
        }
    };
    let authority = settings.ca_file.and_then(|file| {
        let path = findings.folder.join(file.as_ref());
        let read = std::fs::read(&path).map_err(|error| error.to_string());
        match read.and_then(|pem| Certificate::from_pem(&pem).map_err(|error| error.to_string())) {
            Ok(authority) => Some(authority),
            Err(error) => {
                let what = format!(
                    "the certificate authority `{}` cannot be used: {error}",
                    path.display()
                );
                findings.add(&file, what, "name a file with a certificate in PEM format");
                None
            }
        }
    });
    Some(Email {
        port: settings.port.unwrap_or(tls.default_port()),
        server: settings.server,
        tls,
        login,
        from: from?,
        to,
        authority,
    })
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
