//! Does nothing for a while.

use std::time::{Duration, Instant};

use super::{Moment, Robot, over_time};
use crate::{browser::PageError, run::Failure};

impl Robot<'_> {
    pub(super) async fn wait(&mut self, duration: Duration) -> Result<Moment, Failure> {
        let began = self.now(self.deadline).await?;
        let end = Instant::now() + duration;
        match self.context.until(end.min(self.deadline), |_| false).await {
            Ok(()) | Err(PageError::Late) => {}
            error => self.or_failure(error, "").await?,
        }
        if end > self.deadline {
            return Err(over_time(None));
        }
        Ok(Moment {
            began_ms: began,
            ended_ms: self.now(self.deadline).await?,
        })
    }
}
