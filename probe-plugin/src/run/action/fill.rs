//! Puts a text into a field.

use std::time::Instant;

use headless_chrome::protocol::cdp::Input;
use serde_json::json;
use vigia_contract::secret::ExposeSecret;

use super::{Moment, Robot, begin};
use crate::{
    journey::{Fill, Key},
    run::Failure,
};

impl Robot<'_> {
    pub(super) async fn fill(&mut self, fill: &Fill, deadline: Instant) -> Result<Moment, Failure> {
        let text = self.resolve_typed(&fill.with)?;
        let asked = Instant::now();
        let (place, found) = self
            .perform("fill", &fill.field, json!({}), deadline)
            .await?;
        self.is_the_only_one(&fill.field, &place, deadline).await?;
        let late = format!("`{}` did not take the text", fill.field);
        if text.expose_secret().is_empty() {
            let delete = Key {
                name: "Delete".into(),
                code: "Delete",
                virtual_code: 46,
                text: None,
            };
            self.strike(&delete, deadline, &late).await?;
        } else {
            let insert = Input::InsertText {
                text: text.expose_secret().to_owned(),
            };
            let inserted = self.context.call(&insert, deadline).await;
            self.or_failure(inserted, &late).await?;
        }
        let request = json!({
            "what": "filled",
            "shown": fill.field.to_string(),
            "empty": text.expose_secret().is_empty(),
        });
        let kept = self.context.ask_at(&place, &request, deadline).await;
        let kept = self.or_failure(kept, &late).await?;
        let ended_ms = match kept {
            Some(kept) if !kept.ok => return Err(self.refusal(kept, asked)),
            Some(kept) => kept.at,
            // What was typed has led elsewhere already.
            None => self.now(deadline).await?,
        };
        Ok(Moment {
            began_ms: begin(&found),
            ended_ms,
        })
    }
}
