//! Waits for something to become true, with a deadline. Nothing in the testbed sleeps to wait.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::{Instant, sleep};

/// How often one looks: short against everything that is waited for, long against what a look costs.
const PAUSE: Duration = Duration::from_millis(50);

/// Looks until there is something to see, and says what did not happen when it takes too long.
///
/// A single look counts as much as the pauses do: one that hangs is given up at the deadline.
pub async fn until<T>(
    what: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> Result<T> {
    let deadline = Instant::now() + within;
    loop {
        match tokio::time::timeout_at(deadline, look()).await {
            Ok(Some(seen)) => return Ok(seen),
            Ok(None) if Instant::now() < deadline => sleep(PAUSE).await,
            Ok(None) | Err(_) => bail!("waited {within:?} in vain for {what}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_comes_in_time_is_seen_and_what_does_not_is_named() {
        let mut looks = 0;
        let seen = until("the third look", Duration::from_secs(1), async || {
            looks += 1;
            (looks == 3).then_some(looks)
        })
        .await;
        assert_eq!(seen.unwrap(), 3);

        let missed = until("rain", Duration::from_secs(1), async || None::<()>).await;
        assert_eq!(
            missed.unwrap_err().to_string(),
            "waited 1s in vain for rain"
        );
    }
}
