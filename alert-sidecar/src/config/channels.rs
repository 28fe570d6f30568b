//! The channels' settings, made ready to send: each says exactly one kind, its secrets are there, its addresses are some.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;
use vigia_contract::{
    config_file::Spanned,
    secret::{ExposeSecret, SecretString, Template},
};

use super::{Findings, check::secret, email};
use crate::deliver::{
    self, Channel, Pace,
    discord::{self, Discord},
    google_chat::{self, GoogleChat},
    http::{Http, Way},
    matrix::{self, Matrix},
    mattermost::{self, Mattermost},
    mattermost_webhook::{self, MattermostWebhook},
    ntfy::{self, Ntfy},
    pagerduty::{self, PagerDuty},
    rocketchat::{self, RocketChat},
    service::{Bot, Hook},
    slack::{self, Slack},
    slack_webhook::{self, SlackWebhook},
    teams::{self, Teams},
    telegram::{self, Telegram},
    webhook::{self, Webhook},
    zulip::{self, Zulip},
};

/// A `[[channel]]`: a name, and exactly one kind.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// By which routes name it.
    pub name: Spanned<String>,
    /// The proxy that leads to the service, for example `http://proxy.agency.example:3128`. Default: the one that the
    /// environment names (`HTTPS_PROXY`, `NO_PROXY`), or none. Mail goes through none; who gives access tokens for it is asked
    /// through it.
    proxy: Option<Spanned<Template>>,
    /// Certificate authorities to trust besides those of the system, PEM, relative to the configuration file.
    ca_file: Option<Spanned<PathBuf>>,
    /// How many messages the service wants in how long. Default: what the service documents.
    rate: Option<deliver::pace::Settings>,
    email: Option<deliver::email::Settings>,
    slack: Option<slack::Settings>,
    slack_webhook: Option<slack_webhook::Settings>,
    teams: Option<teams::Settings>,
    telegram: Option<telegram::Settings>,
    discord: Option<discord::Settings>,
    pagerduty: Option<pagerduty::Settings>,
    ntfy: Option<ntfy::Settings>,
    mattermost: Option<mattermost::Settings>,
    mattermost_webhook: Option<mattermost_webhook::Settings>,
    rocketchat: Option<rocketchat::Settings>,
    matrix: Option<matrix::Settings>,
    google_chat: Option<google_chat::Settings>,
    zulip: Option<zulip::Settings>,
    webhook: Option<webhook::Settings>,
}

/// The kind that a channel says it is.
enum Kind {
    Email(Box<deliver::email::Settings>),
    Slack(slack::Settings),
    SlackWebhook(slack_webhook::Settings),
    Teams(teams::Settings),
    Telegram(telegram::Settings),
    Discord(discord::Settings),
    PagerDuty(pagerduty::Settings),
    Ntfy(ntfy::Settings),
    Mattermost(mattermost::Settings),
    MattermostWebhook(mattermost_webhook::Settings),
    RocketChat(rocketchat::Settings),
    Matrix(matrix::Settings),
    GoogleChat(google_chat::Settings),
    Zulip(zulip::Settings),
    Webhook(webhook::Settings),
}

/// The keys of the kinds, for hints.
const KINDS: &str = "email, slack, slack_webhook, teams, telegram, discord, pagerduty, ntfy, mattermost, mattermost_webhook, rocketchat, matrix, google_chat, zulip or webhook";

/// A channel and how often it may send.
#[derive(Debug)]
pub struct Paced {
    /// The channel.
    pub channel: Channel,
    /// How often.
    pub pace: Pace,
}

pub(super) fn resolve_all(
    channels: Vec<Settings>,
    findings: &mut Findings,
) -> BTreeMap<String, Paced> {
    let mut ready = BTreeMap::new();
    for mut settings in channels {
        let rate = settings.rate;
        let Some(kind) = kind(&mut settings, findings) else {
            continue;
        };
        let way = way(&settings, &kind, findings);
        let name = settings.name;
        let channel = match kind {
            Kind::Email(email) => email::resolve(*email, &name, way, findings)
                .map(|email| Channel::Email(Box::new(email))),
            Kind::Slack(slack) => {
                let written = Written {
                    address: slack.api,
                    usual: slack::API,
                    token: &slack.token,
                    to: slack.to,
                    hint: "add to = [\"C0123456789\"]",
                };
                bot(written, &name, &way, findings)
                    .map(|bot| Channel::Slack(Box::new(Slack { bot })))
            }
            Kind::SlackWebhook(slack_webhook::Settings { url }) => {
                hook(&url, &name, &way, findings)
                    .map(|hook| Channel::SlackWebhook(Box::new(SlackWebhook { hook })))
            }
            Kind::Telegram(telegram) => resolve_telegram(telegram, &name, &way, findings),
            Kind::Teams(teams::Settings { url }) => hook(&url, &name, &way, findings)
                .map(|hook| Channel::Teams(Box::new(Teams { hook }))),
            Kind::Discord(discord::Settings { url, forum }) => hook(&url, &name, &way, findings)
                .map(|hook| Channel::Discord(Box::new(Discord { hook, forum }))),
            Kind::PagerDuty(pagerduty) => resolve_pagerduty(pagerduty, &name, &way, findings),
            Kind::Ntfy(ntfy) => resolve_ntfy(ntfy, &name, &way, findings),
            Kind::Mattermost(mattermost) => {
                let hint = "add to = [\"4xp9fdt77pncbef59f4k1qe83o\"], a channel's ID";
                let written = Written {
                    address: Some(mattermost.server),
                    usual: "",
                    token: &mattermost.token,
                    to: mattermost.to,
                    hint,
                };
                bot(written, &name, &way, findings)
                    .map(|bot| Channel::Mattermost(Box::new(Mattermost { bot })))
            }
            Kind::MattermostWebhook(mattermost_webhook::Settings { url }) => {
                hook(&url, &name, &way, findings)
                    .map(|hook| Channel::MattermostWebhook(Box::new(MattermostWebhook { hook })))
            }
            Kind::RocketChat(rocketchat) => {
                let written = Written {
                    address: Some(rocketchat.server),
                    usual: "",
                    token: &rocketchat.token,
                    to: rocketchat.to,
                    hint: "add to = [\"GENERAL\"], a room's ID",
                };
                let user = rocketchat.user.into_inner();
                bot(written, &name, &way, findings)
                    .map(|bot| Channel::RocketChat(Box::new(RocketChat { bot, user })))
            }
            Kind::Matrix(matrix) => resolve_matrix(matrix, &name, &way, findings),
            Kind::GoogleChat(google_chat::Settings { url }) => hook(&url, &name, &way, findings)
                .map(|hook| Channel::GoogleChat(Box::new(GoogleChat { hook }))),
            Kind::Zulip(zulip) => {
                let written = Written {
                    address: Some(zulip.server),
                    usual: "",
                    token: &zulip.key,
                    to: zulip.to,
                    hint: "add to = [\"alerts\"], a channel's name",
                };
                let account = zulip.bot.into_inner();
                bot(written, &name, &way, findings)
                    .map(|bot| Channel::Zulip(Box::new(Zulip { bot, account })))
            }
            Kind::Webhook(webhook) => resolve_webhook(&webhook, &name, &way, findings),
        };
        if let Some(channel) = channel {
            let pace = rate.map_or(channel.abilities().pace, Pace::from);
            ready.insert(name.into_inner(), Paced { channel, pace });
        }
    }
    ready
}

/// Exactly one.
fn kind(settings: &mut Settings, findings: &mut Findings) -> Option<Kind> {
    let kinds = [
        settings.email.take().map(Box::new).map(Kind::Email),
        settings.slack.take().map(Kind::Slack),
        settings.slack_webhook.take().map(Kind::SlackWebhook),
        settings.teams.take().map(Kind::Teams),
        settings.telegram.take().map(Kind::Telegram),
        settings.discord.take().map(Kind::Discord),
        settings.pagerduty.take().map(Kind::PagerDuty),
        settings.ntfy.take().map(Kind::Ntfy),
        settings.mattermost.take().map(Kind::Mattermost),
        settings
            .mattermost_webhook
            .take()
            .map(Kind::MattermostWebhook),
        settings.rocketchat.take().map(Kind::RocketChat),
        settings.matrix.take().map(Kind::Matrix),
        settings.google_chat.take().map(Kind::GoogleChat),
        settings.zulip.take().map(Kind::Zulip),
        settings.webhook.take().map(Kind::Webhook),
    ];
    let mut said = kinds.into_iter().flatten();
    let name = &settings.name;
    match (said.next(), said.next()) {
        (Some(kind), None) => return Some(kind),
        (None, _) => findings.add(
            name,
            format!("the channel `{}` does not say what it is", name.as_ref()),
            format!("add one of {KINDS} to it"),
        ),
        (Some(_), Some(_)) => findings.add(
            name,
            format!("the channel `{}` says more than one kind", name.as_ref()),
            "make each of them a [[channel]] of its own, with a name of its own",
        ),
    }
    None
}

fn way(settings: &Settings, kind: &Kind, findings: &mut Findings) -> Way {
    let is_mail = matches!(kind, Kind::Email(_));
    // Who gives access tokens is asked through it.
    let goes_through_none = matches!(kind, Kind::Email(email) if email.oauth.is_none());
    if let (true, Some(proxy)) = (goes_through_none, &settings.proxy) {
        findings.add(
            proxy,
            "mail goes through no proxy",
            "take proxy out; a mail server inside the network can pass mails on",
        );
    }
    if let (true, Some(file)) = (is_mail, &settings.ca_file) {
        findings.add(
            file,
            "the ca_file of a mail channel stands elsewhere",
            "write it into the table email",
        );
    }
    let proxy = settings
        .proxy
        .as_ref()
        .and_then(|proxy| secret(proxy, findings));
    let authorities = settings.ca_file.as_ref().and_then(|file| {
        let path = findings.folder.join(file.as_ref());
        let read = std::fs::read(&path);
        if let Err(error) = &read {
            let what = format!(
                "the certificate authority `{}` cannot be used: {error}",
                path.display()
            );
            findings.add(file, what, "name a file with a certificate in PEM format");
        }
        read.ok()
    });
    Way {
        proxy,
        authorities: authorities.unwrap_or_default(),
    }
}

/// What the settings of every bot say.
struct Written<'a> {
    address: Option<Spanned<String>>,
    /// The address where none is written.
    usual: &'a str,
    token: &'a Spanned<Template>,
    to: Vec<Spanned<String>>,
    /// What to do where nobody is told.
    hint: &'a str,
}

fn bot(
    written: Written<'_>,
    name: &Spanned<String>,
    way: &Way,
    findings: &mut Findings,
) -> Option<Bot> {
    let address = api(written.address, written.usual, findings);
    let to = recipients(written.to, name, written.hint, findings);
    let token = token(written.token, findings);
    let http = http(way, name, [token.clone()], findings);
    Some(Bot {
        http: http?,
        address: address?,
        token: token?,
        to: to?,
    })
}

fn hook(
    url: &Spanned<Template>,
    name: &Spanned<String>,
    way: &Way,
    findings: &mut Findings,
) -> Option<Hook> {
    let url = secret_address(url, findings);
    let http = http(way, name, [url.clone()], findings);
    Some(Hook {
        http: http?,
        url: url?,
    })
}

fn resolve_telegram(
    settings: telegram::Settings,
    name: &Spanned<String>,
    way: &Way,
    findings: &mut Findings,
) -> Option<Channel> {
    for chat in &settings.to {
        if !is_chat(chat.as_ref()) {
            findings.add(
                chat,
                format!("`{}` is not a chat of Telegram", chat.as_ref()),
                "write its id (\"-1001234567890\"), its public name (\"@agency_alerts\"), or its id and a topic (\"-1001234567890/45\")",
            );
        }
    }
    let written = Written {
        address: settings.api,
        usual: telegram::API,
        token: &settings.token,
        to: settings.to,
        hint: "add to = [\"-1001234567890\"]",
    };
    let bot = bot(written, name, way, findings)?;
    Some(Channel::Telegram(Box::new(Telegram { bot })))
}

fn is_chat(text: &str) -> bool {
    let (chat, topic) = text.split_once('/').unwrap_or((text, "1"));
    let is_named = chat.strip_prefix('@').is_some_and(|name| !name.is_empty());
    (is_named || chat.parse::<i64>().is_ok()) && topic.parse::<u32>().is_ok()
}

fn resolve_pagerduty(
    settings: pagerduty::Settings,
    name: &Spanned<String>,
    way: &Way,
    findings: &mut Findings,
) -> Option<Channel> {
    let api = api(settings.api, pagerduty::API, findings);
    let routing_key = token(&settings.routing_key, findings);
    let http = http(way, name, [routing_key.clone()], findings);
    Some(Channel::PagerDuty(Box::new(PagerDuty {
        http: http?,
        api: api?,
        routing_key: routing_key?,
    })))
}

fn resolve_ntfy(
    settings: ntfy::Settings,
    name: &Spanned<String>,
    way: &Way,
    findings: &mut Findings,
) -> Option<Channel> {
    let server = api(Some(settings.server), "", findings);
    for topic in &settings.to {
        let is_one = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
        if topic.as_ref().is_empty() || !topic.as_ref().chars().all(is_one) {
            findings.add(
                topic,
                format!("`{}` is not a topic of ntfy", topic.as_ref()),
                "write letters, digits, `-` and `_`",
            );
        }
    }
    let to = recipients(settings.to, name, "add to = [\"alerts\"]", findings);
    let token = match &settings.token {
        None => Some(None),
        Some(written) => token(written, findings).map(Some),
    };
    let http = http(way, name, [token.clone().flatten()], findings);
    Some(Channel::Ntfy(Box::new(Ntfy {
        http: http?,
        server: server?,
        to: to?,
        token: token?,
    })))
}

fn resolve_matrix(
    settings: matrix::Settings,
    name: &Spanned<String>,
    way: &Way,
    findings: &mut Findings,
) -> Option<Channel> {
    for room in &settings.to {
        if !room.as_ref().starts_with('!') {
            findings.add(
                room,
                format!("`{}` is not the ID of a room", room.as_ref()),
                "write the ID that the room's settings show, which begins with `!`; an address such as #alerts:agency.example is none",
            );
        }
    }
    let written = Written {
        address: Some(settings.server),
        usual: "",
        token: &settings.token,
        to: settings.to,
        hint: "add to = [\"!abcdefg:agency.example\"]",
    };
    let bot = bot(written, name, way, findings)?;
    Some(Channel::Matrix(Box::new(Matrix { bot })))
}

fn resolve_webhook(
    settings: &webhook::Settings,
    name: &Spanned<String>,
    way: &Way,
    findings: &mut Findings,
) -> Option<Channel> {
    let url = secret_address(&settings.url, findings);
    let signing = settings.signing_secret.as_ref();
    let signing = signing.map(|written| (written, secret(written, findings)));
    let key = match &signing {
        None => Some(None),
        Some((_, None)) => None,
        Some((written, Some(secret))) => {
            let key = webhook::key(secret.expose_secret());
            if key.is_none() {
                findings.add(
                    written,
                    "this is not a signing secret of Standard Webhooks",
                    "make one with: echo \"whsec_$(openssl rand -base64 32)\"",
                );
            }
            key.map(Some)
        }
    };
    let authorization = match &settings.authorization {
        None => Some(None),
        Some(written) => token(written, findings).map(Some),
    };
    let secrets = [
        url.clone(),
        signing.and_then(|(_, secret)| secret),
        authorization.clone().flatten(),
    ];
    let http = http(way, name, secrets, findings);
    Some(Channel::Webhook(Box::new(Webhook {
        http: http?,
        url: url?,
        key: key?,
        authorization: authorization?,
        picture: settings.picture,
        name: name.as_ref().clone(),
    })))
}

/// The client; what is wrong with the way there is told at the channel's name, for it may be in a secret.
pub(super) fn http<const N: usize>(
    way: &Way,
    name: &Spanned<String>,
    secrets: [Option<SecretString>; N],
    findings: &mut Findings,
) -> Option<Http> {
    let secrets = secrets.into_iter().chain([way.proxy.clone()]).flatten();
    match Http::new(way, secrets.collect()) {
        Ok(http) => Some(http),
        Err(error) => {
            findings.add(
                name,
                format!("the service cannot be reached like this: {error}"),
                "look at proxy and ca_file of this channel",
            );
            None
        }
    }
}

/// Those who are told, each once.
fn recipients(
    to: Vec<Spanned<String>>,
    name: &Spanned<String>,
    hint: &str,
    findings: &mut Findings,
) -> Option<Vec<String>> {
    if to.is_empty() {
        findings.add(name, "this channel sends to nobody", hint);
        return None;
    }
    let mut told: Vec<String> = Vec::new();
    for recipient in to {
        if told.contains(recipient.as_ref()) {
            findings.add(
                &recipient,
                format!("`{}` is told already", recipient.as_ref()),
                "write everybody once",
            );
        }
        told.push(recipient.into_inner());
    }
    Some(told)
}

/// A secret that goes into a header.
fn token(template: &Spanned<Template>, findings: &mut Findings) -> Option<SecretString> {
    let token = secret(template, findings)?;
    let is_one = !token.expose_secret().is_empty()
        && token
            .expose_secret()
            .bytes()
            .all(|byte| (b' '..=b'~').contains(&byte));
    if !is_one {
        findings.add(
            template,
            "the secret is empty or holds a character that no token has",
            "look for a line feed or a blank in its file or variable",
        );
    }
    is_one.then_some(token)
}

/// The address of a service that everybody may know.
fn api(written: Option<Spanned<String>>, usual: &str, findings: &mut Findings) -> Option<String> {
    let Some(written) = written else {
        return Some(usual.to_owned());
    };
    service_address(&written, findings)?;
    Some(written.as_ref().trim_end_matches('/').to_owned())
}

/// Whether messages and secrets may be sent there.
pub(super) fn service_address(written: &Spanned<String>, findings: &mut Findings) -> Option<()> {
    let Some((what, hint)) = trouble_with(written.as_ref()) else {
        return Some(());
    };
    findings.add(written, what, hint);
    None
}

/// An address that nobody else may know; it is not shown.
fn secret_address(template: &Spanned<Template>, findings: &mut Findings) -> Option<SecretString> {
    let address = secret(template, findings)?;
    let trouble = trouble_with(address.expose_secret());
    if let Some((what, hint)) = trouble {
        findings.add(template, what, hint);
        return None;
    }
    Some(address)
}

/// What is wrong with an address, and what to do.
fn trouble_with(address: &str) -> Option<(&'static str, &'static str)> {
    let url = match url::Url::parse(address) {
        Ok(url) if url.has_host() => url,
        _ => {
            return Some((
                "this is not an address",
                "write it with its scheme, for example \"https://chat.agency.example\"",
            ));
        }
    };
    let is_here = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => None,
        "http" if is_here => None,
        "http" => Some((
            "messages and secrets would be sent over a connection that is not encrypted",
            "write https://; http:// is for this machine itself",
        )),
        _ => Some((
            "this is not an address of the web",
            "write it with https://",
        )),
    }
}
