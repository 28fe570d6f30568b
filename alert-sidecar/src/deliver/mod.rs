//! Brings messages to people: a closed set of channels, one file each, and the courier that serves each of them.
//!
//! What is said is decided before; here it is only whether it arrived. The text is the delivery; a picture follows it where a
//! service takes it apart, and can neither delay nor break it.

pub mod access_token;
pub mod courier;
pub mod delivery_points;
pub mod discord;
pub mod email;
pub mod google_chat;
pub mod http;
pub mod incident_points;
pub mod matrix;
pub mod mattermost;
pub mod mattermost_webhook;
pub mod ntfy;
pub mod outgoing;
pub mod pace;
pub mod pagerduty;
mod pictures;
pub mod rocketchat;
pub mod service;
pub mod slack;
pub mod slack_webhook;
pub mod teams;
pub mod telegram;
pub mod webhook;
pub mod zulip;

pub use outgoing::{Abilities, Attempt, Outgoing, Pace, Pictures, Receipt};

/// A way to people.
#[derive(Debug)]
pub enum Channel {
    /// By mail.
    Email(Box<email::Email>),
    /// By a bot in Slack.
    Slack(Box<slack::Slack>),
    /// Through a webhook of Slack.
    SlackWebhook(Box<slack_webhook::SlackWebhook>),
    /// To Microsoft Teams.
    Teams(Box<teams::Teams>),
    /// To Discord.
    Discord(Box<discord::Discord>),
    /// To PagerDuty.
    PagerDuty(Box<pagerduty::PagerDuty>),
    /// To phones, by ntfy.
    Ntfy(Box<ntfy::Ntfy>),
    /// By a bot in Telegram.
    Telegram(Box<telegram::Telegram>),
    /// By a bot in Mattermost.
    Mattermost(Box<mattermost::Mattermost>),
    /// Through a webhook of Mattermost.
    MattermostWebhook(Box<mattermost_webhook::MattermostWebhook>),
    /// By a bot in Rocket.Chat.
    RocketChat(Box<rocketchat::RocketChat>),
    /// Into rooms of Matrix.
    Matrix(Box<matrix::Matrix>),
    /// Through a webhook of Google Chat.
    GoogleChat(Box<google_chat::GoogleChat>),
    /// By a bot in Zulip.
    Zulip(Box<zulip::Zulip>),
    /// To a program.
    Webhook(Box<webhook::Webhook>),
}

impl Channel {
    /// Whom it brings messages to. A secret address is not told; its only recipient has the name of the kind.
    #[must_use]
    pub fn recipients(&self) -> Vec<String> {
        match self {
            Self::Email(email) => email.recipients(),
            Self::Slack(slack) => slack.bot.to.clone(),
            Self::Telegram(telegram) => telegram.bot.to.clone(),
            Self::SlackWebhook(_) => vec!["slack_webhook".to_owned()],
            Self::Teams(_) => vec!["teams".to_owned()],
            Self::Discord(_) => vec!["discord".to_owned()],
            Self::PagerDuty(_) => vec!["pagerduty".to_owned()],
            Self::Ntfy(ntfy) => ntfy.to.clone(),
            Self::Mattermost(mattermost) => mattermost.bot.to.clone(),
            Self::MattermostWebhook(_) => vec!["mattermost_webhook".to_owned()],
            Self::RocketChat(rocketchat) => rocketchat.bot.to.clone(),
            Self::Matrix(matrix) => matrix.bot.to.clone(),
            Self::GoogleChat(_) => vec!["google_chat".to_owned()],
            Self::Zulip(zulip) => zulip.bot.to.clone(),
            Self::Webhook(_) => vec!["webhook".to_owned()],
        }
    }

    /// What it can do.
    #[must_use]
    pub const fn abilities(&self) -> Abilities {
        match self {
            Self::Email(_) => email::Email::ABILITIES,
            Self::Slack(_) => slack::Slack::ABILITIES,
            Self::SlackWebhook(_) => slack_webhook::SlackWebhook::ABILITIES,
            Self::Telegram(_) => telegram::Telegram::ABILITIES,
            Self::Teams(_) => teams::Teams::ABILITIES,
            Self::Discord(discord) => discord.abilities(),
            Self::PagerDuty(_) => pagerduty::PagerDuty::ABILITIES,
            Self::Ntfy(_) => ntfy::Ntfy::ABILITIES,
            Self::Mattermost(_) => mattermost::Mattermost::ABILITIES,
            Self::MattermostWebhook(_) => mattermost_webhook::MattermostWebhook::ABILITIES,
            Self::RocketChat(_) => rocketchat::RocketChat::ABILITIES,
            Self::Matrix(_) => matrix::Matrix::ABILITIES,
            Self::GoogleChat(_) => google_chat::GoogleChat::ABILITIES,
            Self::Zulip(_) => zulip::Zulip::ABILITIES,
            Self::Webhook(webhook) => webhook.abilities(),
        }
    }

    /// Sends one message; ends within the channel's own deadlines.
    pub async fn send(&self, outgoing: &Outgoing<'_>) -> Attempt {
        match self {
            Self::Email(email) => email.send(outgoing).await,
            Self::Slack(slack) => slack.send(outgoing).await,
            Self::SlackWebhook(webhook) => webhook.send(outgoing).await,
            Self::Telegram(telegram) => telegram.send(outgoing).await,
            Self::Teams(teams) => teams.send(outgoing).await,
            Self::Discord(discord) => discord.send(outgoing).await,
            Self::PagerDuty(pagerduty) => pagerduty.send(outgoing).await,
            Self::Ntfy(ntfy) => ntfy.send(outgoing).await,
            Self::Mattermost(mattermost) => mattermost.send(outgoing).await,
            Self::MattermostWebhook(webhook) => webhook.send(outgoing).await,
            Self::RocketChat(rocketchat) => rocketchat.send(outgoing).await,
            Self::Matrix(matrix) => matrix.send(outgoing).await,
            Self::GoogleChat(google_chat) => google_chat.send(outgoing).await,
            Self::Zulip(zulip) => zulip.send(outgoing).await,
            Self::Webhook(webhook) => webhook.send(outgoing).await,
        }
    }

    /// Brings the pictures of a message that was accepted, where the channel's [`Pictures`] come after it.
    pub async fn illustrate(&self, outgoing: &Outgoing<'_>, receipt: &Receipt) -> Attempt {
        match self {
            Self::Slack(slack) => slack.illustrate(outgoing, receipt).await,
            Self::Telegram(telegram) => telegram.illustrate(outgoing, receipt).await,
            Self::Discord(discord) => discord.illustrate(outgoing, receipt).await,
            Self::Mattermost(mattermost) => mattermost.illustrate(outgoing, receipt).await,
            Self::RocketChat(rocketchat) => rocketchat.illustrate(outgoing, receipt).await,
            Self::Matrix(matrix) => matrix.illustrate(outgoing, receipt).await,
            Self::Zulip(zulip) => zulip.illustrate(outgoing, receipt).await,
            Self::Ntfy(ntfy) => ntfy.illustrate(outgoing, receipt).await,
            Self::Email(_)
            | Self::SlackWebhook(_)
            | Self::Teams(_)
            | Self::PagerDuty(_)
            | Self::MattermostWebhook(_)
            | Self::GoogleChat(_)
            | Self::Webhook(_) => {
                Attempt::Refused("this channel brings no pictures after a message".into())
            }
        }
    }
}
