//! `vigia-alert test CHANNEL`: sends each kind of message through a channel, with a picture, and says what the service
//! answered.

use std::path::Path;

use clap::ValueEnum;
use jiff::Timestamp;
use tokio::time::sleep;
use vigia_contract::data_model::Impact;

use super::{Exit, check::say};
use crate::{
    config::{self, channels::Paced},
    deliver::{Attempt, Outgoing, Pictures, Receipt, pace::Turns},
    flux::picture::Picture,
    render::{
        Illustration, Message, Renderer,
        sample::{self, Addressee},
    },
    store::outbox::{Delivery, Kind},
};

/// What is sent, in this order, as a conversation has it.
const KINDS: [Kind; 5] = [
    Kind::Opened,
    Kind::Updated,
    Kind::Reminder,
    Kind::Closed,
    Kind::Digest,
];

/// What `--impact` takes.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum TestedImpact {
    /// As a critical incident is told.
    Critical,
    /// As one of high impact.
    High,
    /// As one of low impact.
    Low,
}

pub(super) fn test(path: &Path, channel: &str, impact: TestedImpact) -> Exit {
    let mut config = match config::read(path) {
        Ok(config) => config,
        Err(mistakes) => {
            say(&mistakes.to_string());
            return Exit::Configuration;
        }
    };
    let Some(paced) = config.channels.remove(channel) else {
        let there: Vec<&str> = config.channels.keys().map(String::as_str).collect();
        say(&format!(
            "there is no channel `{channel}`\nhint: there are {}",
            there.join(", ")
        ));
        return Exit::Failure;
    };
    // Nobody is to think that something is broken.
    let names = config.style.language.words().test;
    config
        .style
        .names
        .insert(sample::SYSTEM.to_owned(), names.system);
    config
        .style
        .names
        .insert(sample::JOURNEY.to_owned(), names.journey);
    let sent = Renderer::new(config.style).map_err(anyhow::Error::from);
    let sent = sent.and_then(|renderer| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let impact = match impact {
            TestedImpact::Critical => Impact::Critical,
            TestedImpact::High => Impact::High,
            TestedImpact::Low => Impact::Low,
        };
        let tested = Tested {
            name: channel,
            paced: &paced,
            renderer: &renderer,
            impact,
        };
        runtime.block_on(tested.send_all())
    });
    match sent {
        Ok(true) => Exit::Success,
        Ok(false) => Exit::Failure,
        Err(error) => {
            say(&format!("{error:#}"));
            Exit::Failure
        }
    }
}

struct Tested<'a> {
    name: &'a str,
    paced: &'a Paced,
    renderer: &'a Renderer,
    impact: Impact,
}

impl Tested<'_> {
    /// Says whether the service took everything.
    async fn send_all(&self) -> Result<bool, anyhow::Error> {
        let mut turns = Turns::new(self.paced.pace);
        let now = Timestamp::now();
        let mut is_good = true;
        for recipient in self.paced.channel.recipients() {
            let mut thread = None;
            for kind in KINDS {
                while let Some(wait) = turns.wait(tokio::time::Instant::now()) {
                    sleep(wait).await;
                }
                turns.take();
                let addressee = Addressee {
                    channel: self.name,
                    recipient: &recipient,
                };
                let mut delivery = sample::delivery(kind, self.impact, addressee, now);
                delivery.thread.clone_from(&thread);
                let (attempt, message, pictures) = self.send(&delivery).await?;
                is_good &= self.told(&recipient, kind.name(), &attempt);
                let Attempt::Accepted(receipt) = attempt else {
                    continue;
                };
                if thread.is_none() {
                    thread.clone_from(&receipt.thread);
                    delivery.thread.clone_from(&thread);
                }
                if kind == Kind::Opened
                    && self.paced.channel.abilities().pictures == Pictures::After
                {
                    let brought = self
                        .illustrate(&delivery, &message, &receipt, &pictures)
                        .await;
                    is_good &= self.told(&recipient, "picture", &brought);
                }
            }
        }
        Ok(is_good)
    }

    async fn send(
        &self,
        delivery: &Delivery,
    ) -> Result<(Attempt, Message, Vec<Picture>), minijinja::Error> {
        let channel = &self.paced.channel;
        let abilities = channel.abilities();
        let pictures = if delivery.kind == Kind::Opened {
            vec![sample::picture()]
        } else {
            Vec::new()
        };
        let is_inside = abilities.pictures == Pictures::Inside;
        let is_linked = abilities.pictures == Pictures::Linked && self.renderer.links_pictures();
        let layout = abilities.layout(match pictures.len() {
            count @ 1.. if is_inside => Illustration::Pictures(count),
            count @ 1.. if is_linked => Illustration::Linked(count),
            _ => Illustration::Later,
        });
        let message = self.renderer.render(delivery, layout, Timestamp::now())?;
        let inside: &[Picture] = if is_inside { &pictures } else { &[] };
        let attempt = channel
            .send(&Outgoing::of(delivery, &message, inside))
            .await;
        Ok((attempt, message, pictures))
    }

    async fn illustrate(
        &self,
        delivery: &Delivery,
        message: &Message,
        receipt: &Receipt,
        pictures: &[Picture],
    ) -> Attempt {
        let outgoing = Outgoing::of(delivery, message, pictures);
        self.paced.channel.illustrate(&outgoing, receipt).await
    }

    /// Says what came of it, and whether that is good.
    fn told(&self, recipient: &str, what: &str, attempt: &Attempt) -> bool {
        let (is_good, answer) = match attempt {
            Attempt::Accepted(receipt) if receipt.answer.is_empty() => (true, "accepted".into()),
            Attempt::Accepted(receipt) => (true, format!("accepted: {}", receipt.answer)),
            Attempt::Refused(answer) => (false, format!("refused for good: {answer}")),
            Attempt::Failed {
                reason,
                retry_after: None,
            } => (false, format!("did not arrive: {reason}")),
            Attempt::Failed {
                reason,
                retry_after: Some(rest),
            } => {
                let rest_s = rest.as_secs();
                (
                    false,
                    format!("did not arrive, to be tried again after {rest_s} s: {reason}"),
                )
            }
            Attempt::Uncertain(reason) => (false, format!("may have arrived: {reason}")),
        };
        say(&format!("{} -> {recipient}: {what}: {answer}", self.name));
        is_good
    }
}
