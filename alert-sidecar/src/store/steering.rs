//! What people ask the store for, to see why they were told, and to steer it.

use jiff::Timestamp;

use super::{
    StoreError, conversations,
    decisions::{self, Acknowledgement, Case},
    incidents,
    ledger::Ledger,
    overview::{self, Overview},
    telling::{self, Teller},
};
use crate::{
    incident::Incident,
    route::silence::{Draft, Refusal, Silence},
};

impl Ledger {
    /// How everything stands.
    pub async fn overview(&self, now: Timestamp) -> Result<Overview, StoreError> {
        self.read(move |connection| Box::pin(overview::read(connection, now)))
            .await
    }

    /// The incidents that are open, the oldest first, with everything that was decided and done about them.
    pub async fn open_cases(&self) -> Result<Vec<Case>, StoreError> {
        self.read(|connection| Box::pin(decisions::open_cases(connection)))
            .await
    }

    /// The incidents that ended since this moment, the oldest first, with everything about them.
    pub async fn ended_cases(&self, since: Timestamp) -> Result<Vec<Case>, StoreError> {
        self.read(move |connection| Box::pin(decisions::ended_cases(connection, since)))
            .await
    }

    /// The incident of this identity, open or not.
    pub async fn case(&self, id: &str) -> Result<Option<Case>, StoreError> {
        let id = id.to_owned();
        self.read(|connection| Box::pin(async move { decisions::case(connection, &id).await }))
            .await
    }

    /// The incidents of this identity: one, or those of a conversation.
    pub async fn incidents_of(&self, subject: &str) -> Result<Vec<Incident>, StoreError> {
        let subject = subject.to_owned();
        self.read(|connection| {
            Box::pin(async move {
                if let Some(incident) = incidents::with_id(connection, &subject).await? {
                    return Ok(vec![incident]);
                }
                let conversation = conversations::read(connection, &subject).await?;
                Ok(conversation.map_or_else(Vec::new, |told| told.incidents))
            })
        })
        .await
    }

    /// Somebody takes care of an incident, or of everything that is open in a conversation. Gives the identities of those
    /// incidents; none where nothing is open of this identity.
    pub async fn acknowledge(
        &self,
        subject: &str,
        acknowledgement: Acknowledgement,
    ) -> Result<Vec<String>, StoreError> {
        let subject = subject.to_owned();
        self.change(|transaction, _| {
            Box::pin(async move {
                let incidents =
                    decisions::acknowledge(transaction, &subject, &acknowledgement).await?;
                Ok((incidents, Some(Vec::new())))
            })
        })
        .await
    }

    /// Mutes what a person wants to mute, or says everything that is wrong with it.
    pub async fn silence(
        &self,
        draft: Draft,
        now: Timestamp,
    ) -> Result<Result<Silence, Vec<Refusal>>, StoreError> {
        self.change(move |transaction, _| {
            Box::pin(async move {
                let silence = decisions::silence(transaction, draft, now).await?;
                telling::look_at_all(transaction, now).await?;
                Ok((silence, Some(Vec::new())))
            })
        })
        .await
    }

    /// Ends a silence now; says whether there was one of this identity that had not ended.
    pub async fn end_silence(&self, id: &str, now: Timestamp) -> Result<bool, StoreError> {
        let id = id.to_owned();
        self.change(move |transaction, _| {
            Box::pin(async move {
                let was_active = decisions::end_silence(transaction, &id, now).await?;
                telling::look_at_all(transaction, now).await?;
                Ok((was_active, Some(Vec::new())))
            })
        })
        .await
    }

    /// Tells whoever is to be told by now, of what was held back, or again. Gives when somebody may be to be told next.
    pub async fn look_again(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.change(move |transaction, policy| {
            Box::pin(async move {
                let mut teller = Teller::new(transaction, policy, now).await?;
                let next = teller.look_again(transaction).await?;
                let is_news = teller.has_news();
                let changes = teller.finish(transaction).await?;
                Ok((next, is_news.then_some(changes)))
            })
        })
        .await
    }

    /// The silences that are not over, those to come too.
    pub async fn silences(&self, now: Timestamp) -> Result<Vec<Silence>, StoreError> {
        self.read(move |connection| Box::pin(decisions::silences(connection, now)))
            .await
    }
}
