//! Takes an element with the mouse and lets it go on another, whether the page follows the mouse itself or leaves the
//! dragging to the browser.

use std::time::Instant;

use headless_chrome::protocol::cdp::Input;
use serde_json::{Value, json};

use super::{Moment, Robot, pointing::Reached};
use crate::{
    browser::Place,
    journey::Drag,
    run::{
        Failure,
        input::{DragEvent, Held, Point},
    },
};

/// The movement has so many parts: a page that follows the mouse is shown a way, not a leap.
const PARTS: u32 = 6;

/// The browser takes an element to be dragged after a way of 3 pixels; most pages that follow the mouse after 5 to 10.
const FIRST_PART: f64 = 12.0;

impl Robot<'_> {
    pub(super) async fn drag(&mut self, drag: &Drag, deadline: Instant) -> Result<Moment, Failure> {
        let asked = Instant::now();
        let did = format!("after dragging `{}`", drag.from);
        let intercept = |enabled| Input::SetInterceptDrags { enabled };
        self.context.send(&intercept(true));
        let mut first: Option<f64> = None;
        loop {
            let more = json!({
                "enabled": true,
                "presses": 1,
                "lasts": true,
                "again": first.is_some(),
            });
            let (found, missed) = match self.reach(&drag.from, more, deadline).await? {
                Ok(Reached {
                    place,
                    found,
                    point,
                }) => match self.take_hold(&place, point, &did, deadline).await? {
                    None => {
                        let input = self.input_since(first, &found);
                        let before = self.before(Some(place.frame.clone()));
                        self.carry(drag, &place, point, &did, deadline).await?;
                        self.context.send(&intercept(false));
                        let settled = self.settle(&before, &did, deadline).await?;
                        return self
                            .arrive(input, settled.as_ref(), &before, &did, deadline)
                            .await;
                    }
                    Some(missed) => (found, missed),
                },
                Err(covered) => covered,
            };
            first = first.or(Some(found.began));
            if Instant::now() >= deadline {
                let told = format!("`{}` could not be taken: {missed}", drag.from);
                return Err(self.not_done(told, asked));
            }
        }
    }

    /// Presses; what was there instead, where that did not reach the element.
    async fn take_hold(
        &mut self,
        place: &Place,
        point: Point,
        did: &str,
        deadline: Instant,
    ) -> Result<Option<String>, Failure> {
        let late = format!("{did} the page did not respond");
        let held = Held::default();
        self.context.send(&held.come(point));
        let pressed = self.context.call(&held.press(point, 1), deadline).await;
        self.or_failure(pressed, &late).await?;
        let seen = self.holding(place, &late, deadline).await?;
        if seen["pressed"] == 1 {
            return Ok(None);
        }
        let released = self.context.call(&held.release(point, 1), deadline).await;
        self.or_failure(released, &late).await?;
        Ok(Some(
            seen["missed"]
                .as_str()
                .unwrap_or("its document is gone")
                .to_owned(),
        ))
    }

    async fn holding(
        &mut self,
        place: &Place,
        late: &str,
        deadline: Instant,
    ) -> Result<Value, Failure> {
        let request = json!({ "what": "held" });
        let answer = self.context.ask_at(place, &request, deadline).await;
        let answer = self.or_failure(answer, late).await?;
        Ok(answer
            .and_then(|answer| answer.value)
            .unwrap_or(Value::Null))
    }

    /// Moves to the other element and lets go there.
    async fn carry(
        &mut self,
        drag: &Drag,
        place: &Place,
        from: Point,
        did: &str,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let asked = Instant::now();
        let late = format!("{did} the page did not respond");
        let held = Held::default();
        let reached = self
            .reach(&drag.to, json!({ "offset": drag.offset }), deadline)
            .await;
        let to = match reached {
            Ok(Ok(to)) => to,
            refused => {
                // Nothing is left hanging on the mouse.
                self.context.send(&held.release(from, 1));
                let (_, cover) = refused?.err().unwrap_or_default();
                let told = format!("`{}` could not be reached: {cover}", drag.to);
                return Err(self.not_done(told, asked));
            }
        };
        let mut data: Option<Value> = None;
        for point in way(from, to.point) {
            if let Some(data) = &data {
                let over = DragEvent::new("dragOver", point, data);
                let answered = self.context.call(&over, deadline).await;
                self.or_failure(answered, &late).await?;
                continue;
            }
            // One by one: the browser hands a page one movement a frame, and a page counts them.
            let answered = self.context.call(&held.pull(point), deadline).await;
            self.or_failure(answered, &late).await?;
            if self.holding(place, &late, deadline).await?["dragging"] == true {
                let begun = self
                    .context
                    .until(deadline, |context| context.dragged().is_some())
                    .await;
                self.or_failure(begun, &late).await?;
                data = self.context.take_dragged();
                if let Some(data) = &data {
                    let enter = DragEvent::new("dragEnter", point, data);
                    let answered = self.context.call(&enter, deadline).await;
                    self.or_failure(answered, &late).await?;
                }
            }
        }
        let Some(data) = data else {
            let released = self
                .context
                .call(&held.release(to.point, 1), deadline)
                .await;
            self.or_failure(released, &late).await?;
            return Ok(());
        };
        let dropped = DragEvent::new("drop", to.point, &data);
        let answered = self.context.call(&dropped, deadline).await;
        self.or_failure(answered, &late).await?;
        let request = json!({ "what": "dropped", "shown": drag.to.to_string() });
        let answer = self.context.wait_at(&to.place, &request, deadline).await;
        match self.or_failure(answer, &late).await? {
            Some(no) if !no.ok => Err(self.refusal(no, asked)),
            _ => Ok(()),
        }
    }
}

/// From here to there: a first bit, then in even parts; the last point twice, because some pages look only at the second
/// movement over a place.
fn way(from: Point, to: Point) -> impl Iterator<Item = Point> {
    let (across, down) = (to.0 - from.0, to.1 - from.1);
    let length = across.hypot(down).max(1.0);
    let first = (FIRST_PART / length).min(1.0);
    let at = move |part: f64| (from.0 + across * part, from.1 + down * part);
    std::iter::once(at(first))
        .chain(
            (1..=PARTS)
                .map(move |part| at(first + (1.0 - first) * f64::from(part) / f64::from(PARTS))),
        )
        .chain(std::iter::once(to))
}
