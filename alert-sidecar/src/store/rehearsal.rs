//! A store that is only in memory, in which it is tried who would be told of what, by the same functions as in a real one.
//! Every message is taken the moment it is due.

use jiff::{SignedDuration, Timestamp};
use sqlx::{AnyConnection, ConnectOptions, Connection, Result, any::AnyConnectOptions};

use super::{
    incidents,
    judgement::{self, Policy},
    migrate,
    outbox::{self, Kind, Settlement},
    telling::Teller,
};
use crate::incident::{Change, Incident};

/// How much later something is looked at that is due again at once.
const TICK: SignedDuration = SignedDuration::from_secs(1);

/// A message that would have been sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rehearsed {
    /// When.
    pub at: Timestamp,
    /// Through which channel.
    pub channel: String,
    /// What it says.
    pub kind: Kind,
    /// The incidents that it is about; the first is what it leads with.
    pub incidents: Vec<Incident>,
}

/// When something is to be done next.
struct Next {
    due: Timestamp,
    /// When it is incidents that are to be looked at again.
    look: Option<Timestamp>,
}

/// The store.
#[derive(Debug)]
pub struct Rehearsal {
    connection: AnyConnection,
    policy: Policy,
    channels: Vec<String>,
}

impl Rehearsal {
    /// Begins with nothing known. However many recipients a channel has, a message through it is one.
    pub async fn begin(mut policy: Policy) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let options: AnyConnectOptions = "sqlite::memory:".parse()?;
        let mut connection = options.disable_statement_logging().connect().await?;
        migrate(&mut connection)
            .await
            .map_err(|error| sqlx::Error::Migrate(Box::new(error)))?;
        for recipients in policy.recipients.values_mut() {
            recipients.truncate(1);
        }
        Ok(Self {
            connection,
            channels: policy.recipients.keys().cloned().collect(),
            policy,
        })
    }

    /// Writes changes down that are known at this moment, with the intents to send.
    pub async fn record(&mut self, changes: &[Change], now: Timestamp) -> Result<()> {
        let mut transaction = self.connection.begin().await?;
        judgement::record(&mut transaction, &self.policy, changes, now).await?;
        transaction.commit().await
    }

    /// Lets the time pass until this moment; gives what is sent meanwhile, in the order of the time.
    pub async fn pass(&mut self, until: Timestamp) -> Result<Vec<Rehearsed>> {
        let mut sent = Vec::new();
        let mut last: Option<Timestamp> = None;
        while let Some(next) = self.next().await? {
            // What is due at the same moment again had its turn: the time goes on in any case.
            let now = last.map_or(next.due, |last| next.due.max(last + TICK));
            if now > until {
                break;
            }
            if next.look.is_some_and(|look| look <= now) {
                self.look_again(now).await?;
            }
            for channel in self.channels.clone() {
                self.send(&channel, now, &mut sent).await?;
            }
            last = Some(now);
        }
        Ok(sent)
    }

    /// When something is to be done next.
    async fn next(&mut self) -> Result<Option<Next>> {
        let look = incidents::next_look(&mut self.connection).await?;
        let mut due = look;
        for channel in &self.channels {
            let waiting = outbox::next_due(&mut self.connection, channel).await?;
            due = [due, waiting].into_iter().flatten().min();
        }
        Ok(due.map(|due| Next { due, look }))
    }

    async fn look_again(&mut self, now: Timestamp) -> Result<()> {
        let mut transaction = self.connection.begin().await?;
        let mut teller = Teller::new(&mut transaction, &self.policy, now).await?;
        teller.look_again(&mut transaction).await?;
        teller.finish(&mut transaction).await?;
        transaction.commit().await
    }

    async fn send(
        &mut self,
        channel: &str,
        now: Timestamp,
        sent: &mut Vec<Rehearsed>,
    ) -> Result<()> {
        while let Some(delivery) = outbox::claim(&mut self.connection, channel, now).await? {
            let accepted = Settlement::Accepted(String::new());
            outbox::settle(&mut self.connection, &delivery, &accepted, now).await?;
            sent.push(Rehearsed {
                at: now,
                channel: channel.to_owned(),
                kind: delivery.kind,
                incidents: delivery.conversation.incidents,
            });
        }
        Ok(())
    }

    /// Of how many incidents nobody was told anything.
    pub async fn untold(&mut self) -> Result<i64> {
        sqlx::query_scalar(
            "SELECT COUNT(*) FROM incident
             WHERE NOT EXISTS (SELECT 1 FROM member JOIN delivery ON delivery.conversation_id = member.conversation_id
                               WHERE member.incident_id = incident.id)",
        )
        .fetch_one(&mut self.connection)
        .await
    }
}
