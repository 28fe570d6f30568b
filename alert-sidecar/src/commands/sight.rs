//! Hears from every rule whether it could be asked, and has written down when the monitoring is blind, and when it sees
//! again.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};

use crate::{
    health::Seen,
    incident::{
        Change,
        monitoring::{self, Blindness, Monitoring},
    },
    store::{StoreError, ledger::Ledger},
};

/// While the store fails, what is to be written down is tried again this often.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// How a rule fared.
#[derive(Debug)]
pub(super) struct Report {
    /// Its name.
    pub rule: String,
    /// Nothing, or why it was not answered.
    pub answer: Result<(), Blindness>,
    /// When.
    pub at: Timestamp,
}

/// What following needs.
pub(super) struct Sight {
    /// The rules that report.
    pub rules: Vec<String>,
    /// See [`crate::flux::Settings::blind_after`].
    pub blind_after: Duration,
    /// The store.
    pub ledger: Ledger,
    /// Who wants to know how the rules fare.
    pub seen: Arc<watch::Sender<Seen>>,
}

impl Sight {
    /// Follows until `stop` is set.
    pub async fn follow(
        self,
        mut reports: mpsc::Receiver<Report>,
        mut stop: watch::Receiver<bool>,
    ) {
        let heard = async {
            let open = loop {
                match self.ledger.open_of(monitoring::RULE).await {
                    Ok(open) => break open,
                    Err(StoreError::Closed) => return,
                    Err(error) => complain(&error).await,
                }
            };
            let mut monitoring = Monitoring::new(self.rules.clone(), self.blind_after, open);
            while let Some(Report { rule, answer, at }) = reports.recv().await {
                self.seen
                    .send_modify(|seen| seen.hear(&rule, answer.is_ok(), at));
                let changes = monitoring.hear(&rule, answer, at);
                if !changes.is_empty() {
                    self.record(&changes, at).await;
                }
            }
        };
        tokio::select! {
            () = heard => {}
            _ = stop.changed() => return,
        }
        // The rules have gone; the end of one task before the others would stop the program.
        drop(stop.changed().await);
    }

    async fn record(&self, changes: &[Change], at: Timestamp) {
        loop {
            match self.ledger.record(changes.to_vec(), at).await {
                Ok(()) | Err(StoreError::Closed) => return,
                Err(error) => complain(&error).await,
            }
        }
    }
}

async fn complain(error: &StoreError) {
    tracing::error!(%error, "that the monitoring is blind could not be written down; it is tried again");
    sleep(TRY_AGAIN_AFTER).await;
}
