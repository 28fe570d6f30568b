//! Holds a key down and lets it go, each by itself.

use std::time::Instant;

use headless_chrome::protocol::cdp::Input::DispatchKeyEventTypeOption as Stroke;

use super::{Moment, Robot};
use crate::{
    journey::Key,
    run::{Failure, input::keyboard},
};

impl Robot<'_> {
    pub(super) async fn key_down(
        &mut self,
        key: &Key,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        self.held_keys |= key.own_bit();
        let key = key.beside(self.held_keys);
        let stroke = match key.text {
            Some(_) => Stroke::KeyDown,
            None => Stroke::RawKeyDown,
        };
        self.stroke(stroke, &key, deadline).await
    }

    pub(super) async fn key_up(&mut self, key: &Key, deadline: Instant) -> Result<Moment, Failure> {
        self.held_keys &= !key.own_bit();
        self.stroke(Stroke::KeyUp, key, deadline).await
    }

    async fn stroke(
        &mut self,
        stroke: Stroke,
        key: &Key,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        self.attend(deadline).await?;
        let input = self.input_now();
        let before = self.before(None);
        let did = format!("after the key `{}`", key.name);
        let event = keyboard(stroke, key, self.held_keys);
        let answered = self.context.call(&event, deadline).await;
        self.handled(answered, &format!("{did} the page did not respond"))
            .await?;
        let settled = self.settle(&before, &did, deadline).await?;
        self.arrive(input, settled.as_ref(), &before, &did, deadline)
            .await
    }
}
