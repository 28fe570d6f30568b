//! Does what [`look`] says is to be done about incidents, inside the transaction of the caller: conversations, intents to send,
//! and the decisions with their reasons.
//!
//! One [`Teller`] lives as long as one transaction. What it is told of the conversations it notes, and [`Teller::finish`] writes
//! the messages that follow, so that a thousand incidents that open at once are one message.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use sqlx::{AnyConnection, Result, Row};
use vigia_contract::data_model::Impact;

use super::{
    conversations::{self, Beginning, Form},
    decisions, incidents,
    judgement::Policy,
    outbox::{self, Kind, State},
    stored, time,
};
use crate::{
    incident::{Change, Incident, untold},
    route::{
        decision::{Decision, Reason, Verdict},
        look::{Look, Outlook, Reach, Standing, Step, Told, look},
        matcher::Labels,
        silence::Silence,
    },
};

/// How many incidents are looked at again in one transaction.
const PORTION: i64 = 500;

/// Tells of incidents within one transaction.
pub(super) struct Teller<'a> {
    policy: &'a Policy,
    now: Timestamp,
    silences: Vec<Silence>,
    /// The live conversations, the newest first.
    live: Vec<Live>,
    /// What others may follow from, with the channel where it is told; nothing where nothing depends on anything.
    causes: Vec<(Incident, String)>,
    /// The conversations of the causes, by identity of the incident and channel.
    told_in: BTreeMap<(String, String), String>,
    touched: BTreeMap<String, Touch>,
    /// The conversations that ended, and whether that is told.
    ended: Vec<(String, bool)>,
    changes: Vec<Change>,
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

impl<'a> Teller<'a> {
    /// Reads what counts for all incidents.
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
        let mut teller = Self {
            policy,
            now,
            silences: decisions::silences(connection, now).await?,
            live: live.collect(),
            causes: Vec::new(),
            told_in: BTreeMap::new(),
            touched: BTreeMap::new(),
            ended: Vec::new(),
            changes: Vec::new(),
        };
        if !policy.dependencies.is_empty() {
            for incident in incidents::open(connection).await? {
                for (conversation, channel) in
                    conversations::live_of(connection, &incident.id).await?
                {
                    teller.is_cause(&incident, &channel, &conversation);
                }
            }
        }
        Ok(teller)
    }

    fn is_cause(&mut self, incident: &Incident, channel: &str, conversation: &str) {
        self.causes.push((incident.clone(), channel.to_owned()));
        let place = (incident.id.clone(), channel.to_owned());
        self.told_in.insert(place, conversation.to_owned());
    }

    /// An incident opened; `former` is the one that it follows.
    pub async fn open(
        &mut self,
        connection: &mut AnyConnection,
        incident: &Incident,
        former: Option<&Incident>,
    ) -> Result<()> {
        // Runs that come again bring an incident again that was told.
        let is_known = incidents::with_id(connection, &incident.id)
            .await?
            .is_some();
        incidents::put(connection, incident).await?;
        if is_known
            && !conversations::live_of(connection, &incident.id)
                .await?
                .is_empty()
        {
            return Ok(());
        }
        let mut heirs = Vec::new();
        if let Some(former) = former {
            let told = conversations::live_of(connection, &former.id).await?;
            heirs.extend(told.into_iter().map(|(_, channel)| channel));
        }
        let standing = Standing {
            known_at: self.now,
            told: Vec::new(),
            heirs,
            is_acknowledged: false,
            digested_at: None,
            is_raised: false,
        };
        let look = self.look(incident, &standing);
        self.act(connection, incident, &look, former).await?;
        incidents::look_again(connection, &incident.id, Some(self.now), look.next).await
    }

    /// An incident ended, in a way that people are told; where it is the `former` of another, it only leaves its conversations.
    pub async fn close(
        &mut self,
        connection: &mut AnyConnection,
        incident: &Incident,
        successor: Option<&Incident>,
    ) -> Result<()> {
        incidents::put(connection, incident).await?;
        let over = conversations::end_of(connection, &incident.id, self.now).await?;
        self.live.retain(|live| !over.contains(&live.id));
        let ended = over.iter().cloned();
        self.ended
            .extend(ended.map(|conversation| (conversation, successor.is_none())));
        let places = conversations::live_of(connection, &incident.id).await?;
        for (conversation, channel) in &places {
            if over.contains(conversation) {
                continue;
            }
            let followers: Vec<String> = sqlx::query_scalar(
                "SELECT incident.id FROM member JOIN incident ON incident.id = member.incident_id
                 WHERE member.conversation_id = $1 AND member.cause_id = $2 AND incident.ended_ns IS NULL",
            )
            .bind(conversation)
            .bind(&incident.id)
            .fetch_all(&mut *connection)
            .await?;
            let touch = self.touch(conversation, channel);
            touch.has_left = true;
            touch.has_lost_cause |= !followers.is_empty();
            for follower in followers {
                let reason = Reason::CauseOver(incident.id.clone());
                self.decide(connection, &follower, Verdict::Told, Some(channel), reason)
                    .await?;
            }
        }
        self.causes.retain(|(cause, _)| cause.id != incident.id);
        let standing = self.standing(connection, incident).await?;
        let look = self.look(incident, &standing);
        if places.is_empty()
            && look.next.is_none()
            && !decisions::is_settled(connection, &incident.id).await?
        {
            self.decide(
                connection,
                &incident.id,
                Verdict::Untold,
                None,
                Reason::EndedBefore,
            )
            .await?;
        }
        self.act(connection, incident, &look, None).await?;
        incidents::look_again(connection, &incident.id, None, look.next).await
    }

    /// Looks again at those incidents whose time has come; gives when the next one's comes.
    pub async fn look_again(
        &mut self,
        connection: &mut AnyConnection,
    ) -> Result<Option<Timestamp>> {
        self.settle_untold(connection).await?;
        for incident in incidents::to_look_at(connection, self.now, PORTION).await? {
            let standing = self.standing(connection, &incident).await?;
            let look = self.look(&incident, &standing);
            self.act(connection, &incident, &look, None).await?;
            incidents::look_again(connection, &incident.id, None, look.next).await?;
        }
        incidents::next_look(connection).await
    }

    /// Whether somebody is told.
    pub fn has_news(&self) -> bool {
        !(self.touched.is_empty() && self.ended.is_empty() && self.changes.is_empty())
    }

    /// Writes the messages that follow from everything; gives the incidents that came and went on the way.
    pub async fn finish(mut self, connection: &mut AnyConnection) -> Result<Vec<Change>> {
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
        Ok(self.changes)
    }

    fn look(&self, incident: &Incident, standing: &Standing) -> Look {
        let outlook = Outlook {
            routes: &self.policy.routes,
            maintenance: &self.policy.maintenance,
            silences: &self.silences,
            dependencies: &self.policy.dependencies,
            causes: &self.causes,
        };
        look(incident, standing, outlook, self.now)
    }

    async fn act(
        &mut self,
        connection: &mut AnyConnection,
        incident: &Incident,
        look: &Look,
        former: Option<&Incident>,
    ) -> Result<()> {
        for step in &look.steps {
            match step {
                Step::Open(channel, reason) => {
                    let reason = match (reason, former) {
                        (Reason::GoesOnFrom(_), Some(former)) => {
                            Reason::GoesOnFrom(former.id.clone())
                        }
                        (reason, _) => reason.clone(),
                    };
                    self.tell_on(connection, incident, channel, Kind::Opened)
                        .await?;
                    self.say_told(connection, incident, channel, reason).await?;
                }
                Step::Escalate(channel, reason) => {
                    self.tell_on(connection, incident, channel, Kind::Escalated)
                        .await?;
                    self.say_told(connection, incident, channel, reason.clone())
                        .await?;
                }
                Step::Join(channel, cause) => {
                    self.tell_inside(connection, incident, channel, cause)
                        .await?;
                }
                Step::Remind(channel, reason) => {
                    for (conversation, told_on) in
                        conversations::live_of(connection, &incident.id).await?
                    {
                        if told_on == *channel {
                            self.touch(&conversation, channel).is_reminded = true;
                        }
                    }
                    self.say_told(connection, incident, channel, reason.clone())
                        .await?;
                }
                Step::Digest(channel) => self.digest(connection, incident, channel).await?,
                Step::Hold(channel, reason) => {
                    let channel = channel.as_deref();
                    self.decide_anew(connection, incident, Verdict::Held, channel, reason.clone())
                        .await?;
                }
                Step::Nobody(reason) => {
                    tracing::warn!(incident = incident.id, %reason, "nobody is told");
                    self.decide_anew(connection, incident, Verdict::Untold, None, reason.clone())
                        .await?;
                }
                Step::Raise(reason) => {
                    let reason = reason.clone();
                    self.decide(connection, &incident.id, Verdict::Noted, None, reason)
                        .await?;
                    let raised = untold::untold(incident);
                    Box::pin(self.raise(connection, raised)).await?;
                }
            }
        }
        Ok(())
    }

    async fn say_told(
        &self,
        connection: &mut AnyConnection,
        incident: &Incident,
        channel: &str,
        reason: Reason,
    ) -> Result<()> {
        self.decide(
            connection,
            &incident.id,
            Verdict::Told,
            Some(channel),
            reason,
        )
        .await
    }

    /// It is told as part of what is told on this channel of what it follows from.
    async fn tell_inside(
        &mut self,
        connection: &mut AnyConnection,
        incident: &Incident,
        channel: &str,
        cause: &str,
    ) -> Result<()> {
        let place = (cause.to_owned(), channel.to_owned());
        let Some(conversation) = self.told_in.get(&place).cloned() else {
            return Ok(());
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
        let reason = Reason::Inside(cause.to_owned());
        self.say_told(connection, incident, channel, reason).await
    }

    /// It is in the digest that this channel is told now.
    async fn digest(
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
        self.say_told(connection, incident, channel, Reason::Digest)
            .await
    }

    /// Nobody was told of something critical: whoever watches Vigía is told that, or else everybody.
    async fn raise(&mut self, connection: &mut AnyConnection, raised: Incident) -> Result<()> {
        self.open(connection, &raised, None).await?;
        let is_told = !conversations::live_of(connection, &raised.id)
            .await?
            .is_empty();
        if !is_told {
            for channel in self.policy.recipients.keys() {
                self.tell_on(connection, &raised, channel, Kind::Opened)
                    .await?;
                let reason = Reason::Raised(raised.id.clone());
                self.decide(connection, &raised.id, Verdict::Told, Some(channel), reason)
                    .await?;
            }
        }
        self.changes.push(Change::Opened(raised));
        Ok(())
    }

    /// Where somebody was told after all, or it is over, it is not an incident any more that nobody was told.
    async fn settle_untold(&mut self, connection: &mut AnyConnection) -> Result<()> {
        for raised in incidents::open_of(connection, untold::RULE).await? {
            let is_over: Option<i64> = sqlx::query_scalar(
                "SELECT 1 FROM incident WHERE id = $1 AND (ended_ns IS NOT NULL OR EXISTS (
                     SELECT 1 FROM delivery JOIN member ON member.conversation_id = delivery.conversation_id
                     WHERE member.incident_id = incident.id AND delivery.state = 'accepted'
                       AND delivery.kind <> 'digest'))",
            )
            .bind(&raised.run_id)
            .fetch_optional(&mut *connection)
            .await?;
            if is_over.is_some() {
                let change = untold::is_over(raised, self.now);
                if let Change::Closed(incident) = &change {
                    self.close(connection, incident, None).await?;
                }
                self.changes.push(change);
            }
        }
        Ok(())
    }

    /// Takes an incident into a conversation of others on this channel, or begins one.
    async fn tell_on(
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

    /// Those in the conversation that follow from this incident were told before it.
    async fn explain_others(
        &self,
        connection: &mut AnyConnection,
        cause: &Incident,
        conversation: &str,
    ) -> Result<()> {
        for effect in conversations::read(connection, conversation)
            .await?
            .incidents
        {
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
            let mut told = None;
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
                told = told.max(Some(sent.intended_at));
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
                        Some(impact) => {
                            grouping.told_of_joining(impact, told.unwrap_or(*now), *now)
                        }
                        None if touch.is_reminded => *now,
                        None if touch.has_lost_cause => *now + grouping.after_cause,
                        None if touch.has_left => *now + grouping.again,
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

    async fn standing(
        &self,
        connection: &mut AnyConnection,
        incident: &Incident,
    ) -> Result<Standing> {
        let id = &incident.id;
        let rows = sqlx::query(
            "SELECT conversation.form, conversation.channel, conversation.started_ns, delivery.kind, delivery.state,
                    delivery.intended_ns
             FROM member JOIN conversation ON conversation.id = member.conversation_id
             LEFT JOIN delivery ON delivery.conversation_id = conversation.id
             WHERE member.incident_id = $1",
        )
        .bind(id)
        .fetch_all(&mut *connection)
        .await?;
        let mut told: BTreeMap<String, Told> = BTreeMap::new();
        let mut digested_at = None;
        for row in &rows {
            let began = time(row.try_get("started_ns")?);
            if row.try_get::<&str, _>("form")? == "digest" {
                digested_at = digested_at.max(Some(began));
                continue;
            }
            let channel: String = row.try_get("channel")?;
            let told = told.entry(channel.clone()).or_insert(Told {
                channel,
                since: began,
                last: began,
                reach: Reach::Refused,
            });
            let Some(kind) = row.try_get::<Option<&str>, _>("kind")? else {
                continue;
            };
            told.last = told.last.max(time(row.try_get("intended_ns")?));
            told.reach = match (kind, row.try_get("state")?) {
                ("opened" | "escalated" | "whole", "accepted") => Reach::Accepted,
                ("opened" | "escalated" | "whole", "pending" | "sending")
                    if told.reach == Reach::Refused =>
                {
                    Reach::Waiting
                }
                _ => told.reach,
            };
        }
        let known: Option<i64> = sqlx::query_scalar("SELECT known_ns FROM incident WHERE id = $1")
            .bind(id)
            .fetch_one(&mut *connection)
            .await?;
        let raised = incidents::with_id(connection, &untold::id_of(incident)).await?;
        Ok(Standing {
            known_at: known.map_or(incident.started_at, time),
            told: told.into_values().collect(),
            heirs: decisions::channels_of_former(connection, id).await?,
            is_acknowledged: !decisions::acknowledgements(connection, id)
                .await?
                .is_empty(),
            digested_at,
            is_raised: raised.is_some(),
        })
    }

    async fn decide(
        &self,
        connection: &mut AnyConnection,
        incident: &str,
        verdict: Verdict,
        channel: Option<&str>,
        reason: Reason,
    ) -> Result<()> {
        let decision = Decision {
            verdict,
            channel: channel.map(str::to_owned),
            reason,
        };
        decisions::decide(connection, incident, self.now, &decision).await
    }

    /// Records a decision that is not the one that was recorded last for this channel.
    async fn decide_anew(
        &self,
        connection: &mut AnyConnection,
        incident: &Incident,
        verdict: Verdict,
        channel: Option<&str>,
        reason: Reason,
    ) -> Result<()> {
        let decision = Decision {
            verdict,
            channel: channel.map(str::to_owned),
            reason,
        };
        let last: Option<String> = sqlx::query_scalar(
            "SELECT decision FROM decision WHERE incident_id = $1 AND COALESCE(channel, '') = $2
             ORDER BY at_ns DESC LIMIT 1",
        )
        .bind(&incident.id)
        .bind(channel.unwrap_or_default())
        .fetch_optional(&mut *connection)
        .await?;
        if last.as_deref() == Some(decision.to_string().as_str()) {
            return Ok(());
        }
        decisions::decide(connection, &incident.id, self.now, &decision).await
    }
}

/// Everything that is open is looked at again at once: what people muted changed.
pub(super) async fn look_at_all(connection: &mut AnyConnection, now: Timestamp) -> Result<()> {
    sqlx::query("UPDATE incident SET next_look_ns = $1 WHERE ended_ns IS NULL")
        .bind(stored(now))
        .execute(connection)
        .await
        .map(drop)
}
