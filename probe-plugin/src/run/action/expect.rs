//! Waits until the page shows something.

use std::time::Instant;

use serde_json::json;

use super::{Moment, Robot};
use crate::{
    browser::Function,
    journey::{Expectation, Target},
    run::{Failure, waiting::Wait},
};

impl Robot<'_> {
    pub(super) async fn expect(
        &mut self,
        expectation: &Expectation,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let (_, answer) = match expectation {
            Expectation::Text(text) => {
                let request = json!({ "what": "text", "text": text });
                self.wait_for(request, deadline).await?
            }
            Expectation::Visible(target) => {
                self.perform("visible", target, json!({}), deadline).await?
            }
            Expectation::Hidden(target) => return self.hidden(target, deadline).await,
        };
        Ok(answer.coming())
    }

    /// No frame shows it: each is waited for, and then all are looked at once more.
    async fn hidden(&mut self, target: &Target, deadline: Instant) -> Result<Moment, Failure> {
        let request = json!({ "what": "hidden", "target": target.for_script() });
        let mut moment = Moment::Was;
        loop {
            let mut at_once = true;
            for frame in self.context.frames() {
                let asked = Instant::now();
                let sent_ms = self.clock.now_ms();
                let late = "the page does not respond";
                let answer = self
                    .context
                    .ask_in(&frame, Function::Perform, &request, deadline)
                    .await;
                let Some(mut answer) = self.or_failure(answer, late).await? else {
                    continue;
                };
                self.keep(&frame, &mut answer);
                if !answer.ok {
                    return Err(self.refusal(answer, asked));
                }
                at_once &= answer.ready.is_none();
                let answer = answer.by(&self.clock, sent_ms);
                moment = match (moment, answer.coming()) {
                    (Moment::Came(first), Moment::Came(next)) => Moment::Came(Wait {
                        from_ms: first.from_ms,
                        until_ms: next.until_ms,
                    }),
                    (known, Moment::Was) => known,
                    (_, next) => next,
                };
            }
            if at_once {
                return Ok(moment);
            }
        }
    }
}
