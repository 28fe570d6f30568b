//! Waits until the page shows something.

use std::time::Instant;

use serde_json::json;

use super::{Moment, Robot};
use crate::{
    browser::{Answer, Function},
    journey::{Expectation, Target},
    run::Failure,
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
            Expectation::Download(download) => {
                return self.expect_download(download, deadline).await;
            }
            Expectation::Hidden(target) => return self.hidden(target, deadline).await,
        };
        Ok(Moment {
            began_ms: answer.began.unwrap_or(answer.at),
            ended_ms: answer.at,
        })
    }

    /// No frame shows it: each is waited for, and then all are looked at once more.
    async fn hidden(&mut self, target: &Target, deadline: Instant) -> Result<Moment, Failure> {
        let request = json!({ "what": "hidden", "target": target.for_script() });
        let mut began_ms = None;
        loop {
            let frames = self.context.frames();
            let mut last = Answer::default();
            let mut at_once = true;
            for frame in frames {
                let asked = Instant::now();
                let late = "the page does not respond";
                let answer = self
                    .context
                    .ask_in(&frame, Function::Perform, &request, deadline)
                    .await;
                if let Some(answer) = self.or_failure(answer, late).await? {
                    if !answer.ok {
                        return Err(self.refusal(answer, asked));
                    }
                    at_once &= !answer.waited;
                    last = answer;
                }
            }
            self.keep(&last);
            let began_ms = *began_ms.get_or_insert(last.began.unwrap_or(last.at));
            if at_once {
                return Ok(Moment {
                    began_ms,
                    ended_ms: last.at,
                });
            }
        }
    }
}
