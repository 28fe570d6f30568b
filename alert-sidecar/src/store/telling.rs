//! Does what [`look`] says is to be done about incidents, inside the transaction of the caller, and records the decisions with
//! their reasons. In which conversation an incident is told, and in what messages, is [`super::gathering`]'s.

use jiff::Timestamp;
use sqlx::{AnyConnection, Result};

use super::{
    conversations, decisions, gathering::Gathering, incidents, judgement::Policy, outbox::Kind,
    standing, stored,
};
use crate::{
    incident::{Change, Incident, untold},
    route::{
        decision::{Decision, Reason, Verdict},
        look::{Look, Outlook, Standing, Step, look},
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
    gathering: Gathering<'a>,
    changes: Vec<Change>,
}

impl<'a> Teller<'a> {
    /// Reads what counts for all incidents.
    pub async fn new(
        connection: &mut AnyConnection,
        policy: &'a Policy,
        now: Timestamp,
    ) -> Result<Self> {
        Ok(Self {
            policy,
            now,
            silences: decisions::silences(connection, now).await?,
            gathering: Gathering::new(connection, policy, now).await?,
            changes: Vec::new(),
        })
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
        let (was_told, left_behind) = self
            .gathering
            .leave(connection, incident, successor)
            .await?;
        for (follower, channel) in left_behind {
            let (channel, reason) = (
                Some(channel.as_str()),
                Reason::CauseOver(incident.id.clone()),
            );
            self.decide(connection, &follower, Verdict::Told, channel, reason)
                .await?;
        }
        let standing = standing::read(connection, incident).await?;
        let look = self.look(incident, &standing);
        if !was_told
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
            let standing = standing::read(connection, &incident).await?;
            let look = self.look(&incident, &standing);
            self.act(connection, &incident, &look, None).await?;
            incidents::look_again(connection, &incident.id, None, look.next).await?;
        }
        incidents::next_look(connection).await
    }

    /// Whether somebody is told.
    pub fn has_news(&self) -> bool {
        self.gathering.has_news() || !self.changes.is_empty()
    }

    /// Writes the messages that follow from everything; gives the incidents that came and went on the way.
    pub async fn finish(self, connection: &mut AnyConnection) -> Result<Vec<Change>> {
        self.gathering.finish(connection).await?;
        Ok(self.changes)
    }

    fn look(&self, incident: &Incident, standing: &Standing) -> Look {
        let outlook = Outlook {
            routes: &self.policy.routes,
            maintenance: &self.policy.maintenance,
            silences: &self.silences,
            dependencies: &self.policy.dependencies,
            causes: self.gathering.causes(),
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
                    self.gathering
                        .tell_on(connection, incident, channel, Kind::Opened)
                        .await?;
                    self.say_told(connection, incident, channel, reason).await?;
                }
                Step::Escalate(channel, reason) => {
                    self.gathering
                        .tell_on(connection, incident, channel, Kind::Escalated)
                        .await?;
                    self.say_told(connection, incident, channel, reason.clone())
                        .await?;
                }
                Step::Join(channel, cause) => {
                    let gathering = &mut self.gathering;
                    if gathering
                        .tell_inside(connection, incident, channel, cause)
                        .await?
                    {
                        let reason = Reason::Inside(cause.clone());
                        self.say_told(connection, incident, channel, reason).await?;
                    }
                }
                Step::Remind(channel, reason) => {
                    self.gathering.remind(connection, incident, channel).await?;
                    self.say_told(connection, incident, channel, reason.clone())
                        .await?;
                }
                Step::Digest(channel) => {
                    self.gathering.digest(connection, incident, channel).await?;
                    self.say_told(connection, incident, channel, Reason::Digest)
                        .await?;
                }
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

    /// Nobody was told of something critical: whoever watches Vigía is told that, or else everybody.
    async fn raise(&mut self, connection: &mut AnyConnection, raised: Incident) -> Result<()> {
        self.open(connection, &raised, None).await?;
        let is_told = !conversations::live_of(connection, &raised.id)
            .await?
            .is_empty();
        if !is_told {
            for channel in self.policy.recipients.keys() {
                self.gathering
                    .tell_on(connection, &raised, channel, Kind::Opened)
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
