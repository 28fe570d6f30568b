//! Clicks an element with the mouse.

use std::time::Instant;

use headless_chrome::protocol::cdp::Input::DispatchMouseEventTypeOption as Mouse;
use serde_json::json;
use vigia_contract::data_model::ErrorClass;

use super::{Before, Moment, Robot, begin};
use crate::{
    browser::{Answer, Place},
    journey::Target,
    run::{Failure, input::mouse},
};

impl Robot<'_> {
    pub(super) async fn click(
        &mut self,
        target: &Target,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let asked = Instant::now();
        let did = format!("after the click on `{target}`");
        let mut first: Option<f64> = None;
        loop {
            let more = json!({ "enabled": true, "again": first.is_some() });
            let (place, found) = self.perform("point", target, more, deadline).await?;
            self.is_the_only_one(target, &place, deadline).await?;
            let before = self.before(Some(place.frame.clone()));
            let missed = match self.point_in_window(&place, &found, deadline).await? {
                Ok((x, y)) => {
                    let began = first.unwrap_or_else(|| begin(&found));
                    match self.press_mouse(&before, (x, y), &did, deadline).await? {
                        Ok(settled) => {
                            return self
                                .arrive(began, settled.as_ref(), &before, &did, deadline)
                                .await;
                        }
                        Err(missed) => missed,
                    }
                }
                Err(cover) => format!("its frame is covered by {cover}"),
            };
            first = first.or(found.began);
            if Instant::now() >= deadline {
                let no = Answer {
                    message: Some(format!("`{target}` did not receive the click: {missed}")),
                    ..Answer::default()
                };
                return Err(self.refusal(no, asked));
            }
        }
    }

    /// A selector that finds an element in two frames is as ambiguous as one that finds two in one.
    pub(super) async fn is_the_only_one(
        &mut self,
        target: &Target,
        place: &Place,
        deadline: Instant,
    ) -> Result<(), Failure> {
        for other in self.context.other_places(place) {
            let request = json!({ "what": "visible", "target": target.for_script() });
            let found = self.context.ask_at(&other, &request, deadline).await;
            let found = self.or_failure(found, "the page does not respond").await?;
            if found.is_some_and(|found| found.ok) {
                return Err(Failure::of_system(
                    ErrorClass::NotActionable,
                    format!("`{target}` matched elements of two frames"),
                ));
            }
        }
        Ok(())
    }

    /// Where the mouse has to go in the window; or what lies over the frame there.
    pub(super) async fn point_in_window(
        &mut self,
        place: &Place,
        found: &Answer,
        deadline: Instant,
    ) -> Result<Result<(f64, f64), String>, Failure> {
        let (Some(x), Some(y)) = (found.x, found.y) else {
            return Err(Failure::of_probe(
                ErrorClass::Browser,
                "the script in the page named no point",
            ));
        };
        let point = self.context.in_window(&place.frame, (x, y), deadline).await;
        self.or_failure(point, "the page does not respond").await
    }

    /// Moves, presses, releases. An input that the script withheld from the page because it would have reached something
    /// else, or that never came, is a miss.
    async fn press_mouse(
        &mut self,
        before: &Before,
        (x, y): (f64, f64),
        did: &str,
        deadline: Instant,
    ) -> Result<Result<Option<Answer>, String>, Failure> {
        // Written together: the three are one movement of a hand, and the last one's answer is the answer to all.
        self.context.send(&mouse(Mouse::MouseMoved, x, y));
        self.context.send(&mouse(Mouse::MousePressed, x, y));
        let released = mouse(Mouse::MouseReleased, x, y);
        let answered = self.context.call(&released, deadline).await;
        self.handled(answered, &format!("{did} the page did not respond"))
            .await?;
        let settled = self.settle(before, did, deadline).await?;
        Ok(match settled {
            Some(Answer {
                landed: Some(false),
                message,
                ..
            }) => Err(format!("{} was there instead", message.unwrap_or_default())),
            settled => Ok(settled),
        })
    }
}
