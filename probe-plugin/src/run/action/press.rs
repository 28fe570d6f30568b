//! Presses a key, with those that are held down meanwhile.

use std::time::Instant;

use headless_chrome::protocol::cdp::Input::DispatchKeyEventTypeOption as Stroke;
use serde_json::json;

use super::{Moment, Robot};
use crate::{
    journey::{Key, Press},
    run::{Failure, input::keyboard},
};

impl Robot<'_> {
    pub(super) async fn press(
        &mut self,
        press: &Press,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let key = &press.key;
        let (input, frame) = if let Some(target) = &press.on {
            let (place, found) = self.perform("focus", target, json!({}), deadline).await?;
            self.is_the_only_one(target, &place, deadline).await?;
            (self.input(&found), Some(place.frame))
        } else {
            self.attend(deadline).await?;
            (self.input_now(), None)
        };
        let before = self.before(frame);
        let did = format!("after the key `{}`", key.name);
        self.strike(key, deadline, &format!("{did} the page did not respond"))
            .await?;
        let settled = self.settle(&before, &did, deadline).await?;
        self.arrive(input, settled.as_ref(), &before, &did, deadline)
            .await
    }

    /// Down and up again. All is written together: it is one movement of a hand, and the last answer is the answer to all.
    pub(super) async fn strike(
        &mut self,
        key: &Key,
        deadline: Instant,
        late: &str,
    ) -> Result<(), Failure> {
        let mut strokes = strokes(key);
        let last = strokes.pop();
        for (stroke, key) in &strokes {
            self.context
                .send(&keyboard(stroke.clone(), key, self.held_keys));
        }
        if let Some((stroke, key)) = last {
            let event = keyboard(stroke, &key, self.held_keys);
            let answered = self.context.call(&event, deadline).await;
            self.handled(answered, late).await?;
        }
        Ok(())
    }
}

/// What a keyboard sends for a key: the held ones go down before it and up after it, the last one first.
pub(super) fn strokes(key: &Key) -> Vec<(Stroke, Key)> {
    let modifier =
        |index: usize, down: usize| Key::of_modifier(key.held[index], key.held[..down].to_vec());
    let down = match key.text {
        Some(_) => Stroke::KeyDown,
        None => Stroke::RawKeyDown,
    };
    let count = key.held.len();
    let downs = (0..count).map(|index| (Stroke::RawKeyDown, modifier(index, index + 1)));
    let ups = (0..count)
        .rev()
        .map(|index| (Stroke::KeyUp, modifier(index, index)));
    downs
        .chain([(down, key.clone()), (Stroke::KeyUp, key.clone())])
        .chain(ups)
        .collect()
}
