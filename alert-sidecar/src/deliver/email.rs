//! Mail: one message to one address, over a connection that is encrypted or refused.
//!
//! The conversation is held command by command, because only so it is known whether a message that failed may have
//! arrived: before its last line it cannot have, after it nobody knows.

use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

use lettre::{
    Address,
    message::{
        Attachment, Mailbox, MultiPart, SinglePart,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::{
        Error,
        authentication::{Credentials, DEFAULT_MECHANISMS, Mechanism},
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        commands::{Auth, Data, Mail, Rcpt},
        extension::ClientId,
    },
};
use serde::Deserialize;
use tokio::time::timeout;
use vigia_contract::{
    data_model::Impact,
    secret::{ExposeSecret, SecretString, Template},
};

use super::{
    Abilities, Attempt, Outgoing, Pace, Pictures, Receipt,
    access_token::{self, Issuer},
};
use crate::{
    render::{Markup, PICTURE_ID, Room},
    store::outbox::Kind,
};

/// From the first packet until the server is ready for the message.
const PREPARE_DEADLINE: Duration = Duration::from_secs(30);

/// From the message's first byte to the answer. Nobody who is to be told of an outage can wait longer.
const MESSAGE_DEADLINE: Duration = Duration::from_mins(1);

/// The same for a repeat: what RFC 5321 (4.5.3.2.6) asks for. A server that answers late has the message, and would get it
/// again and again.
const REPEAT_DEADLINE: Duration = Duration::from_mins(10);

/// The value `email` of a `[[channel]]`, as the operator writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The name of the mail server; its certificate must be for this name.
    pub server: String,
    /// Its port. Default: 587 with `starttls`, 465 with `implicit`, 25 with `none`.
    pub port: Option<u16>,
    /// How the connection is encrypted. Default `starttls`.
    pub tls: Option<toml::Spanned<Tls>>,
    /// The name to log in with; without it nobody logs in.
    pub username: Option<toml::Spanned<String>>,
    /// The password, as `${secret:NAME}`.
    pub password: Option<toml::Spanned<Template>>,
    /// Where an access token is given in place of a password, for servers that log in by `XOAUTH2`.
    pub oauth: Option<toml::Spanned<access_token::Settings>>,
    /// Who sends, for example `Vigía <vigia@agency.example>`.
    pub from: toml::Spanned<String>,
    /// Who is told; each gets a mail of their own.
    pub to: Vec<toml::Spanned<String>>,
    /// A certificate authority to trust besides those of the system, PEM, relative to the configuration file.
    pub ca_file: Option<toml::Spanned<PathBuf>>,
}

/// How a connection is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// After the greeting; a server that does not offer it is refused.
    #[default]
    Starttls,
    /// From the first byte.
    Implicit,
    /// Not at all: for a server on the same machine, and never with a password.
    None,
}

impl Tls {
    /// The port that such servers listen on.
    #[must_use]
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Starttls => 587,
            Self::Implicit => 465,
            Self::None => 25,
        }
    }
}

/// Who logs in to the server.
#[derive(Debug)]
pub struct Login {
    /// The name.
    pub username: String,
    /// What proves it.
    pub proof: Proof,
}

/// What proves who logs in.
#[derive(Debug)]
pub enum Proof {
    /// A password.
    Password(SecretString),
    /// A token that this gives, by the mechanism `XOAUTH2`
    /// (<https://developers.google.com/workspace/gmail/imap/xoauth2-protocol>).
    Token(Box<Issuer>),
}

/// A mail channel, ready to send.
pub struct Email {
    /// The server's name.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: Tls,
    /// How it logs in, where it does.
    pub login: Option<Login>,
    /// Who sends.
    pub from: Mailbox,
    /// Who is told.
    pub to: Vec<Mailbox>,
    /// An authority to trust besides those of the system.
    pub authority: Option<Certificate>,
}

impl std::fmt::Debug for Email {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Email({}:{})", self.server, self.port)
    }
}

/// Some mail programs hide what comes after 102 kB of a page, and the picture is not in it.
const ROOM: Room = Room::Bytes(90_000);

impl Email {
    pub(super) const ABILITIES: Abilities = Abilities {
        markup: Markup::Html,
        room: ROOM,
        pictures: Pictures::Inside,
        keeps_threads: true,
        recognises_repeats: false,
        pace: Pace::new(10, Duration::from_secs(1)),
    };

    /// The addresses of those who are told.
    #[must_use]
    pub fn recipients(&self) -> Vec<String> {
        self.to
            .iter()
            .map(|mailbox| mailbox.email.to_string())
            .collect()
    }

    /// Sends one mail.
    pub async fn send(&self, outgoing: &Outgoing<'_>) -> Attempt {
        match self.compose(outgoing) {
            Ok((mail, recipient)) => self.bring(&mail, &recipient, outgoing.is_repeat).await,
            Err(reason) => Attempt::Refused(reason.to_string()),
        }
    }

    /// Brings a mail that is written; `is_repeat` where it may have arrived before.
    pub async fn bring(&self, mail: &[u8], recipient: &Address, is_repeat: bool) -> Attempt {
        let mut connection = match timeout(PREPARE_DEADLINE, self.connect()).await {
            Ok(Ok(connection)) => connection,
            Ok(Err(reason)) => return Attempt::failed(reason),
            Err(_) => return Attempt::failed("the mail server did not answer in time"),
        };
        match timeout(
            PREPARE_DEADLINE,
            offer(&mut connection, &self.from.email, recipient),
        )
        .await
        {
            Ok(Ok(())) => {}
            Ok(Err(error)) if error.is_permanent() => return Attempt::Refused(told(&error)),
            Ok(Err(error)) => return Attempt::failed(told(&error)),
            Err(_) => return Attempt::failed("the mail server did not answer in time"),
        }
        match timeout(answer_deadline(is_repeat), connection.message(mail)).await {
            Ok(Ok(response)) => {
                // The server has the mail, whatever it answers to the farewell; one that hangs is left alone.
                drop(timeout(Duration::from_secs(1), connection.abort()).await);
                Attempt::Accepted(Receipt {
                    answer: response.message().collect::<Vec<_>>().join(" "),
                    ..Receipt::default()
                })
            }
            Ok(Err(error)) if error.is_permanent() => Attempt::Refused(told(&error)),
            Ok(Err(error)) if error.is_transient() => Attempt::failed(told(&error)),
            Ok(Err(error)) => Attempt::Uncertain(told(&error)),
            Err(_) => Attempt::Uncertain(
                "the mail server did not say in time whether it has the mail".into(),
            ),
        }
    }

    /// A connection that is ready for mail, or why there is none.
    async fn connect(&self) -> Result<AsyncSmtpConnection, String> {
        let mut connection = self.reach().await.map_err(|error| told(&error))?;
        if let Some(login) = &self.login {
            log_in(&mut connection, login).await?;
        }
        Ok(connection)
    }

    async fn reach(&self) -> Result<AsyncSmtpConnection, Error> {
        let me = ClientId::default();
        let parameters = || {
            let builder = TlsParameters::builder(self.server.clone());
            let builder = self
                .authority
                .iter()
                .cloned()
                .fold(builder, |builder, authority| {
                    builder.add_root_certificate(authority)
                });
            builder.build()
        };
        let implicit = if self.tls == Tls::Implicit {
            Some(parameters()?)
        } else {
            None
        };
        let address = (self.server.as_str(), self.port);
        let mut connection = AsyncSmtpConnection::connect_tokio1(
            address,
            Some(PREPARE_DEADLINE),
            &me,
            implicit,
            None,
        )
        .await?;
        if self.tls == Tls::Starttls {
            connection.starttls(parameters()?, &me).await?;
        }
        Ok(connection)
    }

    fn compose(&self, outgoing: &Outgoing<'_>) -> Result<(Vec<u8>, Address), anyhow::Error> {
        let Outgoing { message, kind, .. } = *outgoing;
        let recipient: Address = outgoing.recipient.parse()?;
        let domain = self.from.email.domain();
        let first = format!("<{}.opened@{domain}>", message_safe(outgoing.conversation));
        let identity = match kind {
            Kind::Opened => first.clone(),
            _ => format!("<{}@{domain}>", message_safe(outgoing.id)),
        };
        let text = SinglePart::plain(message.text.clone());
        let html = SinglePart::html(message.marked.clone());
        let content = if outgoing.pictures.is_empty() {
            MultiPart::alternative().singlepart(text).singlepart(html)
        } else {
            let mut page = MultiPart::related().singlepart(html);
            for (number, picture) in outgoing.pictures.iter().enumerate() {
                let media_type = ContentType::parse(picture.format.media_type())?;
                let identity = match number {
                    0 => PICTURE_ID.to_owned(),
                    _ => format!("{PICTURE_ID}-{}", number + 1),
                };
                let inline = Attachment::new_inline_with_name(identity, picture.file_name());
                page = page.singlepart(inline.body(picture.bytes.clone(), media_type));
            }
            let content = MultiPart::mixed()
                .multipart(MultiPart::alternative().singlepart(text).multipart(page));
            // For programs that show no page: the one that matters.
            match outgoing.pictures.first() {
                Some(picture) => {
                    let media_type = ContentType::parse(picture.format.media_type())?;
                    let file = Attachment::new(picture.file_name());
                    content.singlepart(file.body(picture.bytes.clone(), media_type))
                }
                None => content,
            }
        };
        let mut builder = lettre::Message::builder()
            .from(self.from.clone())
            .subject(&message.subject)
            .date(SystemTime::now())
            .message_id(Some(identity));
        for mailbox in &self.to {
            builder = builder.to(mailbox.clone());
        }
        if kind != Kind::Opened {
            builder = builder.in_reply_to(first.clone()).references(first);
        }
        let incident = message.parts.members.first();
        let incident = incident.map_or(outgoing.conversation, |member| &member.id);
        let list = format!("Vigia <alerts.vigia.{domain}>");
        let mut headers = vec![
            // RFC 3834, and what Exchange asks for: nobody's absence note answers an alert.
            ("Auto-Submitted", "auto-generated"),
            ("X-Auto-Response-Suppress", "All"),
            ("List-Id", list.as_str()),
            ("X-Vigia-Incident", incident),
            ("X-Vigia-Impact", outgoing.impact.name()),
            ("X-Vigia-Message", kind.name()),
        ];
        if outgoing.is_repeat {
            headers.push(("X-Vigia-Repeat", "true"));
        }
        if kind == Kind::Opened && outgoing.impact == Impact::Critical {
            headers.extend([("Importance", "high"), ("X-Priority", "1")]);
        }
        for (name, value) in headers {
            builder = builder.raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str(name),
                value.to_owned(),
            ));
        }
        Ok((builder.multipart(content)?.formatted(), recipient))
    }
}

async fn log_in(connection: &mut AsyncSmtpConnection, login: &Login) -> Result<(), String> {
    let credentials = |proof: &SecretString| {
        Credentials::new(login.username.clone(), proof.expose_secret().to_owned())
    };
    let issuer = match &login.proof {
        Proof::Password(password) => {
            let answer = connection
                .auth(DEFAULT_MECHANISMS, &credentials(password))
                .await;
            return answer.map(drop).map_err(|error| told(&error));
        }
        Proof::Token(issuer) => issuer,
    };
    let offered = connection.server_info();
    if !offered.supports_auth_mechanism(Mechanism::Xoauth2) {
        return Err("the mail server offers no login by `XOAUTH2`".to_owned());
    }
    let token = issuer.token().await?;
    let answer = match Auth::new(Mechanism::Xoauth2, credentials(&token), None) {
        Ok(command) => connection.command(command).await,
        Err(error) => Err(error),
    };
    let answer = match answer {
        // A server that refuses a token may say why in a challenge; its "no" comes when it was heard.
        Ok(response) if response.has_code(334) => connection.command("\r\n").await,
        answer => answer,
    };
    if let Err(error) = answer {
        issuer.forget().await;
        return Err(format!(
            "the mail server refuses the access token: {}",
            told(&error)
        ));
    }
    Ok(())
}

const fn answer_deadline(is_repeat: bool) -> Duration {
    if is_repeat {
        REPEAT_DEADLINE
    } else {
        MESSAGE_DEADLINE
    }
}

/// Everything before the message itself: what fails here has not arrived.
async fn offer(
    connection: &mut AsyncSmtpConnection,
    from: &Address,
    to: &Address,
) -> Result<(), Error> {
    connection
        .command(Mail::new(Some(from.clone()), vec![]))
        .await?;
    connection.command(Rcpt::new(to.clone(), vec![])).await?;
    connection.command(Data).await?;
    Ok(())
}

/// An error with its causes, which is where it says what happened.
fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        let source_text = source.to_string();
        if !text.contains(&source_text) {
            text = format!("{text}: {source_text}");
        }
        cause = source.source();
    }
    text
}

/// A name inside an identity: ASCII letters, digits, hyphens and dots.
fn message_safe(name: &str) -> String {
    name.chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() || character == '.' {
                character
            } else {
                '-'
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_answers_late_is_given_time_before_it_gets_a_third_copy() {
        assert_eq!(answer_deadline(false), MESSAGE_DEADLINE);
        assert_eq!(answer_deadline(true), REPEAT_DEADLINE);
    }
}
