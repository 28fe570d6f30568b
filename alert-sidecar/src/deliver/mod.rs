//! Brings messages to people: a closed set of channels, one file each, and the courier that serves each of them.
//!
//! What is said is decided before; here it is only whether it arrived. The text is the delivery; a picture follows it where a
//! service takes it apart, and can neither delay nor break it.

pub mod courier;
pub mod delivery_points;
pub mod discord;
pub mod email;
pub mod http;
pub mod incident_points;
pub mod ntfy;
pub mod outgoing;
pub mod pace;
pub mod pagerduty;
mod pictures;
pub mod slack;
pub mod slack_webhook;
pub mod teams;
pub mod telegram;
pub mod webhook;

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
    /// To a program.
    Webhook(Box<webhook::Webhook>),
}

impl Channel {
    /// Whom it brings messages to. A secret address is not told; its only recipient has the name of the kind.
    #[must_use]
    pub fn recipients(&self) -> Vec<String> {
        match self {
            Self::Email(email) => email.recipients(),
            Self::Slack(slack) => slack.to.clone(),
            Self::Telegram(telegram) => telegram.to.clone(),
            Self::SlackWebhook(_) => vec!["slack_webhook".to_owned()],
            Self::Teams(_) => vec!["teams".to_owned()],
            Self::Discord(_) => vec!["discord".to_owned()],
            Self::PagerDuty(_) => vec!["pagerduty".to_owned()],
            Self::Ntfy(ntfy) => ntfy.to.clone(),
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
            Self::Discord(_) => discord::Discord::ABILITIES,
            Self::PagerDuty(_) => pagerduty::PagerDuty::ABILITIES,
            Self::Ntfy(_) => ntfy::Ntfy::ABILITIES,
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
            Self::Webhook(webhook) => webhook.send(outgoing).await,
        }
    }

    /// Brings the pictures of a message that was accepted, where the channel's [`Pictures`] come after it.
    pub async fn illustrate(&self, outgoing: &Outgoing<'_>, receipt: &Receipt) -> Attempt {
        match self {
            Self::Slack(slack) => slack.illustrate(outgoing, receipt).await,
            Self::Telegram(telegram) => telegram.illustrate(outgoing, receipt).await,
            Self::Discord(discord) => discord.illustrate(outgoing, receipt).await,
            Self::Ntfy(ntfy) => ntfy.illustrate(outgoing, receipt).await,
            Self::Email(_)
            | Self::SlackWebhook(_)
            | Self::Teams(_)
            | Self::PagerDuty(_)
            | Self::Webhook(_) => {
                Attempt::Refused("this channel brings no pictures after a message".into())
            }
        }
    }
}
