//! The window's size and the network's speed, as a journey wants them.

use std::time::Instant;

use super::{Moment, Robot};
use crate::{
    browser::{Speed, Touch},
    journey::{NetworkSpeed, Viewport},
    run::{Failure, emulation},
};

impl Robot<'_> {
    /// Nobody waits for it: it is how the robot sits before the page.
    pub(super) async fn viewport(
        &mut self,
        viewport: &Viewport,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let late = "the window did not take its size";
        let metrics = emulation::metrics(viewport);
        let set = self.context.set_window(metrics, deadline).await;
        self.or_failure(set, late).await?;
        let touch = Touch {
            enabled: viewport.touch,
        };
        let set = self.context.call(&touch, deadline).await;
        self.or_failure(set, late).await?;
        Ok(Moment::Was)
    }

    pub(super) async fn network(
        &mut self,
        speed: &NetworkSpeed,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let speed: Speed = emulation::speed(speed);
        let set = self.context.call(&speed, deadline).await;
        self.or_failure(set, "the network did not take its speed")
            .await?;
        Ok(Moment::Was)
    }
}
