//! Brings the mouse to an element of any frame and presses it there, or moves it away with the button down. What every
//! action with the mouse shares.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vigia_contract::data_model::ErrorClass;

use super::{Moment, Robot};
use crate::{
    browser::{Answer, PageError, Place},
    journey::{Offset, Target},
    run::{
        Failure,
        input::{Held, Point},
    },
};

/// A frame that does not even say whether it has such an element by then has hung, and is not what is meant.
const OTHERS_DEADLINE: Duration = Duration::from_millis(500);

/// The pages around a frame may take so long to say where it stands, also when the action's own time is over: what they say
/// is the reason.
const THROUGH_MARGIN: Duration = Duration::from_secs(1);

/// What a hand does at one point.
pub(super) struct Gesture<'a> {
    /// Where.
    pub target: &'a Target,
    /// Where on it.
    pub offset: Option<Offset>,
    /// With what.
    pub held: Held,
    /// How often the button goes down and up.
    pub presses: u32,
    /// How long it stays down, the last time.
    pub hold: Option<Duration>,
    /// What it is called: `the click`.
    pub named: &'static str,
}

/// Where the mouse has to go.
pub(super) struct Reached {
    pub place: Place,
    pub found: Answer,
    pub point: Point,
}

impl Robot<'_> {
    /// Brings the mouse to the element and presses. An input that the script withheld from the page because it would have
    /// reached something else, or that never came, is tried again.
    pub(super) async fn do_there(
        &mut self,
        gesture: &Gesture<'_>,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let Gesture { target, named, .. } = gesture;
        let asked = Instant::now();
        let mut first: Option<f64> = None;
        loop {
            let more = json!({
                "enabled": gesture.presses > 0,
                "presses": gesture.presses,
                "lasts": gesture.hold.is_some(),
                "offset": gesture.offset,
                "again": first.is_some(),
            });
            let (found, missed) = match self.reach(target, more, deadline).await? {
                Ok(reached) => {
                    let pressed = self.press_there(gesture, &reached, first, deadline).await?;
                    match pressed {
                        Ok(moment) => return Ok(moment),
                        Err(missed) => (reached.found, missed),
                    }
                }
                Err((found, cover)) => (found, cover),
            };
            first = first.or(Some(found.began));
            if Instant::now() >= deadline {
                let told = format!("`{target}` did not receive {named}: {missed}");
                return Err(self.not_done(told, asked));
            }
        }
    }

    /// One try, with all that it sets off; or what was there instead. `first_ms` is when the first try of all looked.
    pub(super) async fn press_there(
        &mut self,
        gesture: &Gesture<'_>,
        reached: &Reached,
        first_ms: Option<f64>,
        deadline: Instant,
    ) -> Result<Result<Moment, String>, Failure> {
        let asked = Instant::now();
        let did = format!("after {} on `{}`", gesture.named, gesture.target);
        let before = self.before(Some(reached.place.frame.clone()));
        let input = self.input_since(first_ms, &reached.found);
        self.strike_mouse(gesture, reached.point, &did, deadline)
            .await?;
        let settled = self.settle(&before, &did, deadline).await?;
        if let Some(missed) = self.missed(gesture, settled.as_ref(), asked)? {
            return Ok(Err(missed));
        }
        self.arrive(input, settled.as_ref(), &before, &did, deadline)
            .await
            .map(Ok)
    }

    /// The element's point in the window; or what lies over its frame there.
    pub(super) async fn reach(
        &mut self,
        target: &Target,
        more: Value,
        deadline: Instant,
    ) -> Result<Result<Reached, (Answer, String)>, Failure> {
        self.reach_by("point", target, more, deadline).await
    }

    /// The same for what another look of the script finds.
    pub(super) async fn reach_by(
        &mut self,
        what: &str,
        target: &Target,
        more: Value,
        deadline: Instant,
    ) -> Result<Result<Reached, (Answer, String)>, Failure> {
        let (place, found) = self.perform(what, target, more, deadline).await?;
        self.is_the_only_one(target, &place, deadline).await?;
        self.in_window(place, found, deadline).await
    }

    /// Where the mouse has to go in the window for what was found in a frame.
    pub(super) async fn in_window(
        &mut self,
        place: Place,
        found: Answer,
        deadline: Instant,
    ) -> Result<Result<Reached, (Answer, String)>, Failure> {
        let (Some(x), Some(y)) = (found.x, found.y) else {
            return Err(Failure::of_probe(
                ErrorClass::Browser,
                "the script in the page named no point",
            ));
        };
        let soon = deadline + THROUGH_MARGIN;
        let point = self.context.in_window(&place.frame, (x, y), soon).await;
        let point = self.or_failure(point, "the page does not respond").await?;
        Ok(match point {
            Ok(point) => Ok(Reached {
                place,
                found,
                point,
            }),
            Err(cover) => Err((found, cover)),
        })
    }

    /// Moves, presses, releases. Written together: they are one movement of a hand, and the last one's answer is the answer
    /// to all.
    async fn strike_mouse(
        &mut self,
        gesture: &Gesture<'_>,
        point: Point,
        did: &str,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let held = gesture.held;
        let mut last = held.come(point);
        for count in 1..=gesture.presses {
            self.context.send(&last);
            self.context.send(&held.press(point, count));
            last = held.release(point, count);
        }
        if let Some(hold) = gesture.hold {
            self.pause(hold, deadline).await?;
        }
        let answered = self.context.call(&last, deadline).await;
        self.handled(answered, &format!("{did} the page did not respond"))
            .await
    }

    /// Lets some time go by.
    pub(super) async fn pause(
        &mut self,
        duration: Duration,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let end = deadline.min(Instant::now() + duration);
        match self.context.until(end, |_| false).await {
            Ok(()) | Err(PageError::Late) => Ok(()),
            error => self.or_failure(error, "").await,
        }
    }

    /// What was there instead. A part of a double click that was received is not tried again: nothing is clicked more often
    /// than it was told.
    fn missed(
        &self,
        gesture: &Gesture<'_>,
        settled: Option<&Answer>,
        asked: Instant,
    ) -> Result<Option<String>, Failure> {
        // The document is gone: nothing but the input can have led away from it.
        let Some(Answer {
            value: Some(seen),
            message,
            ..
        }) = settled
        else {
            return Ok(None);
        };
        let pressed = seen["pressed"].as_u64().unwrap_or(0);
        let done = if gesture.presses == 0 {
            seen["hovered"] == true
        } else {
            pressed >= u64::from(gesture.presses)
        };
        let instead = message.clone().unwrap_or_default();
        if done {
            return Ok(None);
        }
        if pressed > 0 {
            let Gesture { target, named, .. } = gesture;
            let told = format!("`{target}` received only {pressed} of {named}: {instead}");
            return Err(self.not_done(told, asked));
        }
        Ok(Some(instead))
    }

    /// A selector that finds an element in two frames is as ambiguous as one that finds two in one.
    pub(super) async fn is_the_only_one(
        &mut self,
        target: &Target,
        place: &Place,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let request = json!({ "what": "visible", "target": target.for_script() });
        let soon = deadline.min(Instant::now() + OTHERS_DEADLINE);
        let others = self.context.ask_others(place, &request, soon).await;
        let others = self.or_failure(others, "the page does not respond").await?;
        let Some((other, _)) = others.into_iter().find(|(_, found)| found.ok) else {
            return Ok(());
        };
        Err(Failure::of_system(
            ErrorClass::NotActionable,
            format!(
                "`{target}` matched elements of two frames: {} and {}",
                self.shown_frame(place),
                self.shown_frame(&other)
            ),
        ))
    }

    fn shown_frame(&self, place: &Place) -> String {
        let Some(frames) = self.context.state().map(|state| &state.frames) else {
            return "one that is gone".into();
        };
        if frames.main().id == place.frame {
            return "the page itself".into();
        }
        let url = frames.get(&place.frame).map_or("", |frame| &frame.url);
        format!("`{}`", url.split(['?', '#']).next().unwrap_or_default())
    }

    /// The element was there and it could not be done to it.
    pub(super) fn not_done(&self, told: String, asked: Instant) -> Failure {
        let no = Answer {
            message: Some(told),
            ..Answer::default()
        };
        self.refusal(no, asked)
    }
}
