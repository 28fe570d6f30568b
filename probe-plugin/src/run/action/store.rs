//! Keeps something that the page shows or holds, for later actions.

use std::time::Instant;

use serde_json::json;

use super::{Moment, Robot};
use crate::{journey::Store, run::Failure};

impl Robot<'_> {
    pub(super) async fn store(
        &mut self,
        store: &Store,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let more = json!({
            "attribute": store.attribute,
            "matches": store.matches,
            "often": true,
        });
        let (place, answer) = self.perform("read", &store.from, more, deadline).await?;
        self.is_the_only_one(&store.from, &place, deadline).await?;
        let value = answer.value.as_ref().and_then(|value| value.as_str());
        self.context
            .stored
            .insert(store.r#as.clone(), value.unwrap_or_default().to_owned());
        Ok(answer.coming())
    }
}
