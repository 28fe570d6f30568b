//! Looks at one frame alone, or at all of them again.

use std::time::Instant;

use vigia_contract::data_model::ErrorClass;

use super::{Moment, Robot};
use crate::{
    browser::{PageError, Scope},
    journey::FramePath,
    run::{Failure, waiting::Wait},
};

impl Robot<'_> {
    /// Waits until the frame is there.
    pub(super) async fn frame(
        &mut self,
        path: &FramePath,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let FramePath::Inside(path) = path else {
            self.context.look_at(None);
            return Ok(Moment::Was);
        };
        let scope = Scope {
            address: self.context.scope().and_then(|scope| scope.address.clone()),
            path: path.clone(),
        };
        let moment = if self.context.shows(&scope) {
            Moment::Was
        } else {
            let from_ms = self.clock.now_ms();
            match self
                .context
                .until(deadline, |context| context.shows(&scope))
                .await
            {
                Err(PageError::Late) => {
                    return Err(Failure::of_system(
                        ErrorClass::ElementMissing,
                        format!("the page has no frame at the place {path:?}"),
                    ));
                }
                there => self.or_failure(there, "").await?,
            }
            Moment::Came(Wait {
                from_ms,
                until_ms: self.clock.now_ms(),
            })
        };
        self.context.look_at(Some(scope));
        Ok(moment)
    }
}
