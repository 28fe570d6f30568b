//! A maildir and the mails in it, read as a mail program reads them.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result};
use mail_parser::{HeaderValue, Message, MessageParser, MimeHeaders};

use crate::until::until;

/// A maildir.
#[derive(Clone, Debug)]
pub struct Mailbox {
    folder: PathBuf,
}

/// A mail that arrived.
#[derive(Clone, Debug)]
pub struct Mail {
    /// When the server put it there.
    pub arrived: SystemTime,
    /// The sender, as the header says.
    pub from: String,
    /// The recipients' addresses.
    pub to: Vec<String>,
    /// The subject, decoded.
    pub subject: String,
    /// Its own id, without angle brackets.
    pub message_id: Option<String>,
    /// The id of the mail that it answers.
    pub in_reply_to: Option<String>,
    /// The ids of its thread, the first mail's first.
    pub references: Vec<String>,
    /// The plain text.
    pub text: Option<String>,
    /// The HTML text.
    pub html: Option<String>,
    /// The pictures, inline and attached.
    pub pictures: Vec<Picture>,
    /// The whole mail as it was received.
    pub raw: Vec<u8>,
}

/// A picture in a mail.
#[derive(Clone, Debug)]
pub struct Picture {
    /// What the HTML calls it (`cid:`), without angle brackets.
    pub content_id: Option<String>,
    /// The name of the attachment.
    pub file_name: Option<String>,
    /// For example `image/jpeg`.
    pub media_type: String,
    /// Whether it is offered as an attachment, and not only shown in the text.
    pub attached: bool,
    /// The picture.
    pub bytes: Vec<u8>,
}

impl Mailbox {
    /// Makes an empty maildir that another user can deliver into; its own folder must keep strangers out.
    pub fn create(folder: &Path) -> Result<Self> {
        for part in ["", "new", "cur", "tmp"] {
            let path = folder.join(part);
            fs::create_dir_all(&path)
                .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o777)))
                .with_context(|| format!("failed to make the maildir `{}`", path.display()))?;
        }
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// The mails, the newest first.
    pub fn mails(&self) -> Result<Vec<Mail>> {
        let mut mails = Vec::new();
        for part in ["new", "cur"] {
            let folder = self.folder.join(part);
            let entries = fs::read_dir(&folder)
                .with_context(|| format!("failed to list the maildir `{}`", folder.display()))?;
            for entry in entries {
                let path = entry.context("failed to list a maildir")?.path();
                mails
                    .push(read(&path).with_context(|| {
                        format!("failed to read the mail `{}`", path.display())
                    })?);
            }
        }
        mails.sort_by_key(|mail| std::cmp::Reverse(mail.arrived));
        Ok(mails)
    }

    /// Waits for a mail that is looked for and gives it.
    pub async fn wait_for(
        &self,
        what: &str,
        within: Duration,
        wanted: impl Fn(&Mail) -> bool,
    ) -> Result<Mail> {
        let found = until(what, within, async || {
            let mails = self.mails();
            match mails {
                Ok(mails) => mails.into_iter().find(&wanted).map(Ok),
                Err(error) => Some(Err(error)),
            }
        });
        found.await?
    }
}

fn read(path: &Path) -> Result<Mail> {
    let raw = fs::read(path)?;
    let arrived = path.metadata()?.modified()?;
    let message = MessageParser::default()
        .parse(&raw)
        .context("it is no mail")?;
    let addresses = |list: Option<&mail_parser::Address<'_>>| -> Vec<String> {
        list.into_iter()
            .flat_map(mail_parser::Address::iter)
            .filter_map(|address| address.address().map(str::to_owned))
            .collect()
    };
    Ok(Mail {
        arrived,
        from: addresses(message.from()).concat(),
        to: addresses(message.to()),
        subject: message.subject().unwrap_or_default().to_owned(),
        message_id: message.message_id().map(str::to_owned),
        in_reply_to: ids(message.in_reply_to()).into_iter().next(),
        references: ids(message.references()),
        // mail-parser makes a text out of the HTML where there is none; only what was sent is wanted here.
        text: message
            .text_part(0)
            .filter(|part| part.is_text() && !part.is_text_html())
            .and_then(|_| Some(message.body_text(0)?.into_owned())),
        html: message
            .html_part(0)
            .filter(|part| part.is_text_html())
            .and_then(|_| Some(message.body_html(0)?.into_owned())),
        pictures: pictures(&message),
        raw: raw.clone(),
    })
}

fn ids(header: &HeaderValue<'_>) -> Vec<String> {
    match header {
        HeaderValue::Text(id) => vec![id.to_string()],
        HeaderValue::TextList(ids) => ids.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}

fn pictures(message: &Message<'_>) -> Vec<Picture> {
    let is_picture = |part: &&mail_parser::MessagePart<'_>| {
        part.content_type()
            .is_some_and(|kind| kind.ctype() == "image")
    };
    let to_picture = |part: &mail_parser::MessagePart<'_>| Picture {
        content_id: part.content_id().map(str::to_owned),
        file_name: part.attachment_name().map(str::to_owned),
        media_type: part
            .content_type()
            .map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()))
            .unwrap_or_default(),
        attached: part
            .content_disposition()
            .is_some_and(mail_parser::ContentType::is_attachment),
        bytes: part.contents().to_vec(),
    };
    message
        .parts
        .iter()
        .filter(is_picture)
        .map(to_picture)
        .collect()
}
