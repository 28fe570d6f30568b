//! Has incidents looked at again when somebody may have to be told by then: again, next, or what was held back.

use std::time::Duration;

use jiff::Timestamp;
use tokio::{sync::watch, time::sleep};

use crate::store::{StoreError, ledger::Ledger};

/// The clock of the machine may be set while we wait; this is how long that can go unnoticed.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Goes on until `stop` is set.
pub(super) async fn run(ledger: Ledger, mut stop: watch::Receiver<bool>) {
    let mut changes = ledger.changes();
    while !*stop.borrow() {
        changes.mark_unchanged();
        let wait = match ledger.look_again(Timestamp::now()).await {
            Ok(next) => next.map_or(LONGEST_WAIT, |next| {
                Duration::try_from(next.duration_since(Timestamp::now()))
                    .unwrap_or_default()
                    .min(LONGEST_WAIT)
            }),
            Err(StoreError::Closed) => return,
            Err(error) => {
                tracing::error!(%error, "who is to be told next could not be found out; it is tried again");
                LONGEST_WAIT
            }
        };
        tokio::select! {
            _ = stop.changed() => {}
            news = changes.changed() => if news.is_err() { return },
            () = sleep(wait) => {}
        }
    }
}
