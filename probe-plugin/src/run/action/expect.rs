//! Waits until the page shows or holds something.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Moment, Robot};
use crate::{
    browser::{Context, Function, PageError},
    journey::{Count, Elements, Expectation, ShownText, Target},
    run::{Failure, waiting::Wait},
};

/// What other frames show is looked at again so often.
const FRAMES_AGAIN: Duration = Duration::from_millis(100);

impl Robot<'_> {
    pub(super) async fn expect(
        &mut self,
        expectation: &Expectation,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let often = json!({ "often": true });
        match expectation {
            Expectation::Text(ShownText::Anywhere(text)) => {
                let request = json!({ "what": "text", "text": text });
                let (_, answer) = self.wait_for(request, deadline).await?;
                Ok(answer.coming())
            }
            Expectation::Text(ShownText::In(target, wanted)) => {
                self.of_one("shows", target, json!({ "wanted": wanted }), deadline)
                    .await
            }
            Expectation::Visible(target) => {
                let (_, answer) = self.perform("visible", target, json!({}), deadline).await?;
                Ok(answer.coming())
            }
            Expectation::Hidden(target) => self.hidden(target, deadline).await,
            Expectation::Count(count) => self.count(count, deadline).await,
            Expectation::Present(elements) => self.elements("present", elements, deadline).await,
            Expectation::Absent(elements) => self.elements("absent", elements, deadline).await,
            Expectation::Navigation => self.expect_navigation(deadline).await,
            Expectation::Value(value) => {
                let more = json!({ "wanted": value.wanted, "often": true });
                self.of_one("value", &value.of, more, deadline).await
            }
            Expectation::Attribute(attribute) => {
                let more = json!({ "wanted": attribute.wanted, "name": attribute.name });
                self.of_one("attribute", &attribute.of, more, deadline)
                    .await
            }
            Expectation::Checked(target) => self.of_one("checked", target, often, deadline).await,
            Expectation::Unchecked(target) => {
                self.of_one("unchecked", target, often, deadline).await
            }
            Expectation::Enabled(target) => self.of_one("enabled", target, often, deadline).await,
            Expectation::Disabled(target) => self.of_one("disabled", target, often, deadline).await,
            Expectation::Url(wanted) => {
                let request = json!({ "what": "url", "wanted": wanted, "often": true });
                self.of_document(request, deadline).await
            }
            Expectation::Title(wanted) => {
                let request = json!({ "what": "title", "wanted": wanted });
                self.of_document(request, deadline).await
            }
            Expectation::Status(status) => self.expect_status(status, deadline).await,
            Expectation::Console(console) => self.expect_clean_console(console, deadline).await,
            Expectation::Expression(code) => self.expect_expression(code, deadline).await,
            Expectation::Download(download) => self.expect_download(download, deadline).await,
        }
    }

    /// Of an element that there is only one of.
    async fn of_one(
        &mut self,
        what: &str,
        target: &Target,
        more: Value,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let (place, answer) = self.perform(what, target, more, deadline).await?;
        self.is_the_only_one(target, &place, deadline).await?;
        Ok(answer.coming())
    }

    async fn of_document(&mut self, request: Value, deadline: Instant) -> Result<Moment, Failure> {
        let asked = Instant::now();
        let answer = self.ask(Function::Perform, &request, deadline).await?;
        if answer.ok {
            Ok(answer.coming())
        } else {
            Err(self.refusal(answer, asked))
        }
    }

    /// In one frame only: what is not there in one may be there in another.
    async fn elements(
        &mut self,
        what: &str,
        elements: &Elements,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let request = json!({
            "what": what,
            "target": elements.of.for_script(),
            "at_least": elements.at_least,
            "at_most": elements.at_most,
            "attributes": elements.attributes,
            "properties": elements.properties,
            "often": true,
        });
        self.of_document(request, deadline).await
    }

    /// The frame that the last action was done in has come to another document, or to another place of its own; or it is
    /// gone with the page around it.
    async fn expect_navigation(&mut self, deadline: Instant) -> Result<Moment, Failure> {
        let asked = Instant::now();
        let Some((frame, arrivals)) = self.arrivals.clone() else {
            return Err(self.unmet("no action before it could lead anywhere".into(), asked));
        };
        let has_come = |context: &Context| {
            let there = context.state().map(|state| state.frames.get(&frame));
            match there {
                Some(Some(frame)) => frame.arrivals > arrivals && frame.arrived(),
                _ => true,
            }
        };
        if has_come(&self.context) {
            return Ok(Moment::Was);
        }
        let from_ms = self.clock.now_ms();
        match self.context.until(deadline, has_come).await {
            Err(PageError::Late) => {
                return Err(self.unmet("the page did not lead to another one".into(), asked));
            }
            come => self.or_failure(come, "").await?,
        }
        self.document_is_good()?;
        Ok(Moment::Came(Wait {
            from_ms,
            until_ms: self.clock.now_ms(),
        }))
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
                let Some(answer) = self.or_failure(answer, late).await? else {
                    continue;
                };
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

    /// The main frame is waited for, with what the others show at the moment; where there are others, not for long.
    async fn count(&mut self, count: &Count, deadline: Instant) -> Result<Moment, Failure> {
        let asked = Instant::now();
        let request = json!({
            "what": "count",
            "target": count.of.for_script(),
            "at_least": count.at_least,
            "at_most": count.at_most,
            "others": 0,
        });
        let mut first_ms: Option<f64> = None;
        loop {
            let mut others = 0;
            let places = self.context.places_below_main();
            for place in &places {
                let answer = self.context.ask_at(place, &request, deadline).await;
                let answer = self.or_failure(answer, "the page does not respond").await?;
                let seen = answer.and_then(|answer| answer.value?.as_u64());
                others += seen.unwrap_or(0);
            }
            let mut in_main = request.clone();
            in_main["others"] = others.into();
            let until = if places.is_empty() {
                deadline
            } else {
                deadline.min(Instant::now() + FRAMES_AGAIN)
            };
            let answer = self.ask(Function::Perform, &in_main, until).await?;
            if answer.ok {
                return Ok(match first_ms {
                    Some(from_ms) => Moment::Came(Wait {
                        from_ms,
                        until_ms: answer.came.unwrap_or(answer.at),
                    }),
                    None => answer.coming(),
                });
            }
            first_ms.get_or_insert(answer.began);
            if Instant::now() >= deadline || answer.why.as_deref() == Some("selector") {
                return Err(self.refusal(answer, asked));
            }
        }
    }
}
