//! Which conversations incidents are told in, and the messages that follow from what happened to those.
//!
//! One [`Gathering`] lives as long as one transaction. What happens to conversations it notes, and [`Gathering::finish`] writes
//! the messages that follow, so that a thousand incidents that open at once are one message. Whether an incident is told at
//! all, and where, is decided in [`super::telling`].

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use sqlx::{AnyConnection, Result};
use vigia_contract::data_model::Impact;

use super::{
    conversations::{self, Beginning, Form},
    incidents,
    judgement::Policy,
    outbox::{self, Kind, State},
};
use crate::{
    incident::Incident,
    route::{group::Told, matcher::Labels},
};

/// The conversations within one transaction.
pub(super) struct Gathering<'a> {
    policy: &'a Policy,
    now: Timestamp,
    /// The live conversations, the newest first.
    live: Vec<Live>,
    /// What others may follow from, with the channel where it is told; nothing where nothing depends on anything.
    causes: Vec<(Incident, String)>,
    /// The conversations of the causes, by identity of the incident and channel.
    told_in: BTreeMap<(String, String), String>,
    touched: BTreeMap<String, Touch>,
    /// The conversations that ended, and whether that is told.
    ended: Vec<(String, bool)>,
}

struct Live {
    id: String,
    channel: String,
    common: String,
    began: Timestamp,
}

/// What happened to a conversation.
#[derive(Default)]
struct Touch {
    channel: String,
    /// What its first message is, for who has none.
    opener: Option<Kind>,
    /// The most that somebody who joined matters.
    joined: Option<Impact>,
    /// Somebody left, and others go on.
    has_left: bool,
    /// What those who go on followed from is over.
    has_lost_cause: bool,
    /// Those who have it are told again.
    is_reminded: bool,
}

impl<'a> Gathering<'a> {
    /// Reads the conversations that go on.
    pub async fn new(
        connection: &mut AnyConnection,
        policy: &'a Policy,
        now: Timestamp,
    ) -> Result<Self> {
        let open = conversations::open(connection).await?.into_iter();
        let live = open.map(|(id, channel, common, began)| Live {
            id,
            channel,
            common,
            began,
        });
        let mut gathering = Self {
            policy,
            now,
            live: live.collect(),
            causes: Vec::new(),
            told_in: BTreeMap::new(),
            touched: BTreeMap::new(),
            ended: Vec::new(),
        };
        if !policy.dependencies.is_empty() {
            for incident in incidents::open(connection).await? {
                for (conversation, channel) in
                    conversations::live_of(connection, &incident.id).await?
                {
                    gathering.is_cause(&incident, &channel, &conversation);
                }
            }
        }
        Ok(gathering)
    }

    fn is_cause(&mut self, incident: &Incident, channel: &str, conversation: &str) {
        self.causes.push((incident.clone(), channel.to_owned()));
        let place = (incident.id.clone(), channel.to_owned());
        self.told_in.insert(place, conversation.to_owned());
    }

    /// What others may follow from, with the channel where it is told.
    pub fn causes(&self) -> &[(Incident, String)] {
        &self.causes
    }

    /// Whether somebody is told.
    pub fn has_news(&self) -> bool {
        !(self.touched.is_empty() && self.ended.is_empty())
    }

    /// Takes an incident into a conversation of others on this channel, or begins one.
    pub async fn tell_on(
        &mut self,
        connection: &mut AnyConnection,
        incident: &Incident,
        channel: &str,
        opener: Kind,
    ) -> Result<()> {
        let grouping = &self.policy.grouping;
        let common = grouping.common(Labels::from(incident));
        let open = self.live.iter().find(|live| {
            live.channel == channel
                && live.common == common
                && grouping.is_joined(live.began, self.now)
        });
        let conversation = if let Some(live) = open {
            live.id.clone()
        } else {
            let id = format!("{}/{channel}", incident.id);
            let beginning = Beginning {
                id: &id,
                channel,
                form: Form::Live,
                common: &common,
                impact: incident.impact,
            };
            conversations::begin(connection, &beginning, self.now).await?;
            let began = Live {
                id: id.clone(),
                channel: channel.to_owned(),
                common,
                began: self.now,
            };
            self.live.insert(0, began);
            id
        };
        conversations::join(connection, &conversation, &incident.id, None, self.now).await?;
        if !self.policy.dependencies.is_empty() {
            self.explain_others(connection, incident, &conversation)
                .await?;
            self.is_cause(incident, channel, &conversation);
        }
        self.joined(incident, channel, &conversation, opener);
        Ok(())
    }

    /// Takes an incident into the conversation on this channel of what it follows from; says whether there is one.
    pub async fn tell_inside(
        &mut self,
        connection: &mut AnyConnection,
        incident: &Incident,
        channel: &str,
        cause: &str,
    ) -> Result<bool> {
        let place = (cause.to_owned(), channel.to_owned());
        let Some(conversation) = self.told_in.get(&place).cloned() else {
            return Ok(false);
        };
        conversations::join(
            connection,
            &conversation,
            &incident.id,
            Some(cause),
            self.now,
        )
        .await?;
        self.joined(incident, channel, &conversation, Kind::Opened);
        Ok(true)
    }

    /// Takes an incident into the digest that this channel is told now.
    pub async fn digest(
        &mut self,
        connection: &mut AnyConnection,
        incident: &Incident,
        channel: &str,
    ) -> Result<()> {
        let id = format!("digest.{}/{channel}", self.now.as_nanosecond());
        let digest = Beginning {
            id: &id,
            channel,
            form: Form::Digest,
            common: "",
            impact: Impact::Low,
        };
        conversations::begin(connection, &digest, self.now).await?;
        conversations::join(connection, &id, &incident.id, None, self.now).await?;
        self.touch(&id, channel).opener = Some(Kind::Digest);
        Ok(())
    }

    /// Those who are told of an incident on this channel are told again.
    pub async fn remind(
        &mut self,
        connection: &mut AnyConnection,
        incident: &Incident,
        channel: &str,
    ) -> Result<()> {
        for (conversation, told_on) in conversations::live_of(connection, &incident.id).await? {
            if told_on == *channel {
                self.touch(&conversation, channel).is_reminded = true;
            }
        }
        Ok(())
    }

    /// An incident ended: it leaves its conversations, and those end whose last it was, which is told where no other one goes on
    /// in its place. Gives whether it was in any, and who followed from it and goes on, with the channel.
    pub async fn leave(
        &mut self,
        connection: &mut AnyConnection,
        incident: &Incident,
        successor: Option<&Incident>,
    ) -> Result<(bool, Vec<(String, String)>)> {
        let over = conversations::end_of(connection, &incident.id, self.now).await?;
        self.live.retain(|live| !over.contains(&live.id));
        let ended = over.iter().cloned();
        self.ended
            .extend(ended.map(|conversation| (conversation, successor.is_none())));
        let places = conversations::live_of(connection, &incident.id).await?;
        let mut left_behind = Vec::new();
        for (conversation, channel) in &places {
            if over.contains(conversation) {
                continue;
            }
            let followers =
                conversations::followers(connection, conversation, &incident.id).await?;
            let touch = self.touch(conversation, channel);
            touch.has_left = true;
            touch.has_lost_cause |= !followers.is_empty();
            let followers = followers.into_iter();
            left_behind.extend(followers.map(|follower| (follower, channel.clone())));
        }
        self.causes.retain(|(cause, _)| cause.id != incident.id);
        Ok((!places.is_empty(), left_behind))
    }

    /// Writes the messages that follow from everything.
    pub async fn finish(mut self, connection: &mut AnyConnection) -> Result<()> {
        for (conversation, touch) in std::mem::take(&mut self.touched) {
            self.tell(connection, &conversation, &touch).await?;
        }
        for (conversation, is_told) in &self.ended {
            if *is_told {
                outbox::intend_end(connection, conversation, self.now).await?;
            } else {
                outbox::let_go(connection, conversation).await?;
            }
        }
        Ok(())
    }

    /// Those in the conversation that follow from this incident were told before it.
    async fn explain_others(
        &self,
        connection: &mut AnyConnection,
        cause: &Incident,
        conversation: &str,
    ) -> Result<()> {
        let told = conversations::read(connection, conversation).await?;
        for effect in told.into_iter().flat_map(|told| told.incidents) {
            if effect.id != cause.id && self.policy.dependencies.explains(cause, &effect) {
                sqlx::query(
                    "UPDATE member SET cause_id = $3 WHERE conversation_id = $1 AND incident_id = $2 AND cause_id IS NULL",
                )
                .bind(conversation)
                .bind(&effect.id)
                .bind(&cause.id)
                .execute(&mut *connection)
                .await?;
            }
        }
        Ok(())
    }

    fn joined(&mut self, incident: &Incident, channel: &str, conversation: &str, opener: Kind) {
        let touch = self.touch(conversation, channel);
        touch.opener.get_or_insert(opener);
        let impact = touch
            .joined
            .map_or(incident.impact, |impact| impact.min(incident.impact));
        touch.joined = Some(impact);
    }

    fn touch(&mut self, conversation: &str, channel: &str) -> &mut Touch {
        let touch = self.touched.entry(conversation.to_owned()).or_default();
        if touch.channel.is_empty() {
            channel.clone_into(&mut touch.channel);
        }
        touch
    }

    /// Writes the messages of one conversation that something happened to.
    async fn tell(
        &self,
        connection: &mut AnyConnection,
        conversation: &str,
        touch: &Touch,
    ) -> Result<()> {
        let Self { policy, now, .. } = self;
        let grouping = &policy.grouping;
        let sent = outbox::of_conversation(connection, conversation).await?;
        let mut recipients: BTreeSet<&str> =
            sent.iter().map(|sent| sent.recipient.as_str()).collect();
        if touch.opener.is_some() {
            let named = policy.recipients.get(&touch.channel).into_iter().flatten();
            recipients.extend(named.map(String::as_str));
        }
        for recipient in recipients {
            let to = (conversation, touch.channel.as_str(), recipient);
            let mut first = None;
            let mut told = Told {
                last: Timestamp::MIN,
                updates: 0,
            };
            let mut is_update_waiting = false;
            for sent in sent.iter().filter(|sent| sent.recipient == recipient) {
                let is_first = matches!(
                    sent.kind,
                    Kind::Opened | Kind::Escalated | Kind::Whole | Kind::Digest
                );
                if is_first && sent.state != State::Refused {
                    first = Some(sent.state);
                }
                is_update_waiting |= sent.state == State::Pending
                    && matches!(sent.kind, Kind::Updated | Kind::Reminder);
                told.last = told.last.max(sent.settled_at.unwrap_or(sent.intended_at));
                told.updates +=
                    u32::from(sent.kind == Kind::Updated && sent.state == State::Accepted);
            }
            match (first, touch.opener) {
                (None, Some(kind)) => {
                    let wait = match kind {
                        Kind::Digest => SignedDuration::ZERO,
                        _ => grouping.wait,
                    };
                    outbox::intend(connection, to, kind, *now, *now + wait).await?;
                }
                // It lists everything as it stands when it is sent.
                (None, None) | (Some(State::Pending), _) => {}
                (Some(_), _) => {
                    let due = match touch.joined {
                        Some(impact) => grouping.told_of_joining(impact, told, *now),
                        None if touch.is_reminded => *now,
                        None if touch.has_lost_cause => *now + grouping.after_cause,
                        None if touch.has_left => grouping.told_of_leaving(told, *now),
                        None => continue,
                    };
                    if is_update_waiting {
                        outbox::bring_forward(connection, to, due).await?;
                    } else {
                        let kind = if touch.is_reminded {
                            Kind::Reminder
                        } else {
                            Kind::Updated
                        };
                        outbox::intend(connection, to, kind, *now, due).await?;
                    }
                }
            }
        }
        Ok(())
    }
}
