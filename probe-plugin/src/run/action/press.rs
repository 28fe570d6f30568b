//! Presses a key on whatever has the focus.

use std::time::Instant;

use headless_chrome::protocol::cdp::Input;
use serde_json::json;

use super::{Moment, Robot, UserInput};
use crate::{
    browser::Function,
    journey::Key,
    run::{Failure, input::keyboard},
};

impl Robot<'_> {
    pub(super) async fn press(&mut self, key: &Key, deadline: Instant) -> Result<Moment, Failure> {
        let request = json!({ "what": "input" });
        self.ask(Function::Perform, &request, deadline).await?;
        let before = self.before(None);
        let did = format!("after the key `{}`", key.name);
        let input = UserInput {
            waited: None,
            began_ms: self.clock.now_ms(),
        };
        self.strike(key, deadline, &format!("{did} the page did not respond"))
            .await?;
        let settled = self.settle(&before, &did, deadline).await?;
        self.arrive(input, settled.as_ref(), &before, &did, deadline)
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
            self.or_failure(answered, late).await?;
        }
        Ok(())
    }
}
