//! Scrolls: by the wheel of the mouse, as users do, or to an element.

use std::time::Instant;

use serde_json::json;
use vigia_contract::data_model::ErrorClass;

use super::{Moment, Robot, over_time};
use crate::{
    browser::{Answer, Function, Place},
    journey::{Distance, Scroll, Target},
    run::{Failure, input::Held},
};

impl Robot<'_> {
    pub(super) async fn scroll(
        &mut self,
        scroll: &Scroll,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        match scroll {
            Scroll::To(target) => {
                let (place, found) = self.perform("reveal", target, json!({}), deadline).await?;
                self.is_the_only_one(target, &place, deadline).await?;
                Ok(self.input(&found).until(found.at))
            }
            Scroll::By { by, over } => {
                let request = json!({ "by": by });
                let (place, found) = self
                    .ask_for("wheel", over.as_ref(), request, deadline)
                    .await?;
                let input = self.input(&found);
                let ended_ms = self.turn(&place, &found, *by, deadline).await?;
                Ok(input.until(ended_ms))
            }
            Scroll::At { at, of } => {
                let request = json!({ "what": "scrolled", "at": at });
                let found = if of.is_some() {
                    let found = self.ask_for("scrolled", of.as_ref(), request, deadline);
                    found.await?.1
                } else {
                    // The page itself, and not every frame of it.
                    self.ask(Function::Perform, &request, deadline).await?
                };
                Ok(self.input(&found).until(found.at))
            }
            Scroll::Until { until, over } => self.until_seen(until, over.as_ref()).await,
        }
    }

    /// Turns until it is there. Each turn has an action's time: a list may be long. At its end it is waited for, because a
    /// list may grow.
    async fn until_seen(
        &mut self,
        until: &Target,
        over: Option<&Target>,
    ) -> Result<Moment, Failure> {
        let mut input = None;
        loop {
            let deadline = self.deadline.min(Instant::now() + self.action_timeout);
            let request = json!({ "until": until.for_script() });
            let (place, found) = self.ask_for("wheel", over, request, deadline).await?;
            let input = *input.get_or_insert(self.input(&found));
            let value = found.value.clone().unwrap_or_default();
            if value["there"] == true {
                return Ok(input.until(found.at));
            }
            if Instant::now() >= self.deadline {
                let told = format!("`{until}` did not appear, and there was still more to scroll");
                return Err(over_time(Some(&told)));
            }
            let by = Distance {
                x: value["by"]["x"].as_f64().unwrap_or(0.0),
                y: value["by"]["y"].as_f64().unwrap_or(0.0),
            };
            self.turn(&place, &found, by, deadline).await?;
        }
    }

    /// Asks about a box; without one, about the page, whose middle is in its main frame.
    async fn ask_for(
        &mut self,
        what: &str,
        target: Option<&Target>,
        mut request: serde_json::Value,
        deadline: Instant,
    ) -> Result<(Place, Answer), Failure> {
        let Some(target) = target else {
            request["what"] = what.into();
            return self.wait_for(request, deadline).await;
        };
        let (place, found) = self.perform(what, target, request, deadline).await?;
        self.is_the_only_one(target, &place, deadline).await?;
        Ok((place, found))
    }

    /// Turns, and waits until what it moves has come to rest. Returns when.
    async fn turn(
        &mut self,
        place: &Place,
        found: &Answer,
        by: Distance,
        deadline: Instant,
    ) -> Result<f64, Failure> {
        let late = "the page did not answer the wheel of the mouse";
        let (Some(x), Some(y)) = (found.x, found.y) else {
            return Err(Failure::of_probe(
                ErrorClass::Browser,
                "the script in the page named no point",
            ));
        };
        let asked = Instant::now();
        let point = self.context.in_window(&place.frame, (x, y), deadline).await;
        let point = match self.or_failure(point, late).await? {
            Ok(point) => point,
            Err(cover) => return Err(self.not_done(cover, asked)),
        };
        let answered = self
            .context
            .call(&Held::default().turn(point, by), deadline)
            .await;
        self.or_failure(answered, late).await?;
        let request = json!({ "what": "turned", "by": by });
        let sent_ms = self.clock.now_ms();
        let turned = self.context.wait_at(place, &request, deadline).await;
        match self.or_failure(turned, late).await? {
            Some(no) if !no.ok => Err(self.refusal(no, asked)),
            Some(turned) => Ok(turned.by(&self.clock, sent_ms).at),
            None => self.now(deadline).await,
        }
    }
}
