//! Presses a key on whatever has the focus.

use std::time::Instant;

use headless_chrome::protocol::cdp::Input;

use super::{Moment, Robot};
use crate::{
    journey::Key,
    run::{Failure, input::keyboard},
};

impl Robot<'_> {
    pub(super) async fn press(&mut self, key: &Key, deadline: Instant) -> Result<Moment, Failure> {
        let began = self.now(deadline).await?;
        let before = self.before(None);
        let did = format!("after the key `{}`", key.name);
        self.strike(key, deadline, &format!("{did} the page did not respond"))
            .await?;
        let settled = self.settle(&before, &did, deadline).await?;
        self.arrive(began, settled.as_ref(), &before, &did, deadline)
            .await
    }

    pub(super) async fn strike(
        &mut self,
        key: &Key,
        deadline: Instant,
        late: &str,
    ) -> Result<(), Failure> {
        let down = match key.text {
            Some(_) => Input::DispatchKeyEventTypeOption::KeyDown,
            None => Input::DispatchKeyEventTypeOption::RawKeyDown,
        };
        for kind in [down, Input::DispatchKeyEventTypeOption::KeyUp] {
            let answered = self.context.call(&keyboard(kind, key), deadline).await;
            self.handled(answered, late).await?;
        }
        Ok(())
    }
}
