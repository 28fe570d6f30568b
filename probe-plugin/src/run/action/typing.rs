//! Types a text key by key.

use std::time::{Duration, Instant};

use serde_json::json;
use vigia_contract::secret::ExposeSecret;

use super::{Moment, Robot, press::strokes};
use crate::{
    journey::{Key, Type},
    run::{Failure, input::keyboard},
};

impl Robot<'_> {
    pub(super) async fn type_keys(
        &mut self,
        typing: &Type,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let field = typing.field.as_ref().map(|field| ("focus", field));
        let ready = self.await_code(&typing.with, field, deadline).await?;
        let deadline = ready.deadline;
        let text = self.resolve_typed(&typing.with)?;
        let (input, place) = if let Some(field) = &typing.field {
            let secret = typing.with.secrets().next().is_some();
            let request = json!({ "end": true, "all": typing.replaces, "secret": secret });
            let (place, found) = self.perform("focus", field, request, deadline).await?;
            self.is_the_only_one(field, &place, deadline).await?;
            (ready.before(self.input(&found)), Some(place))
        } else {
            self.attend(deadline).await?;
            (self.input_now(), None)
        };
        let before = self.before(place.as_ref().map(|place| place.frame.clone()));
        let did = "after the typed text";
        self.strike_all(text.expose_secret(), typing.delay, deadline)
            .await?;
        let settled = self.settle(&before, did, deadline).await?;
        let moment = self
            .arrive(input, settled.as_ref(), &before, did, deadline)
            .await?;
        // `Enter` may have sent the text off and emptied the field.
        let sends = text.expose_secret().contains('\n');
        if let (Some(field), Some(place)) = (&typing.field, &place)
            && settled.is_some()
            && !sends
            && !text.expose_secret().is_empty()
        {
            let request = json!({
                "what": "filled",
                "target": field.for_script(),
                "shown": field.to_string(),
                "empty": false,
            });
            self.lasts(place, &request, deadline).await?;
        }
        Ok(moment)
    }

    /// Without a delay all keys are written together; Chromium hands them to the page one by one.
    async fn strike_all(
        &mut self,
        text: &str,
        delay: Option<Duration>,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let late = "the page did not take the typed text";
        let mut keys = text.chars().map(Key::of_character).peekable();
        while let Some(key) = keys.next() {
            match (delay, keys.peek()) {
                (None, Some(_)) => {
                    for (stroke, key) in strokes(&key) {
                        self.context.send(&keyboard(stroke, &key, self.held_keys));
                    }
                }
                (_, None) => self.strike(&key, deadline, late).await?,
                (Some(delay), Some(_)) => {
                    self.strike(&key, deadline, late).await?;
                    self.pause(delay, deadline).await?;
                }
            }
        }
        Ok(())
    }
}
