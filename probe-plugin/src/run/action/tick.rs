//! Ticks a box, or takes the tick out, by a click where it is not so already.

use std::time::Instant;

use serde_json::json;

use super::{Moment, Robot, pointing::Gesture};
use crate::{
    journey::Target,
    run::{Failure, input::Held},
};

/// How the box is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tick {
    /// With a tick.
    Set,
    /// Without one.
    Cleared,
}

impl Robot<'_> {
    pub(super) async fn tick(
        &mut self,
        target: &Target,
        tick: Tick,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let asked = Instant::now();
        let wanted = tick == Tick::Set;
        let gesture = Gesture {
            target,
            offset: None,
            held: Held::default(),
            presses: 1,
            hold: None,
            named: "the click",
        };
        let mut first: Option<f64> = None;
        loop {
            let more = json!({
                "ticked": wanted, "enabled": true, "presses": 1, "again": first.is_some(),
            });
            let (place, found) = self.perform("tick", target, more, deadline).await?;
            self.is_the_only_one(target, &place, deadline).await?;
            if found
                .value
                .as_ref()
                .is_some_and(|value| value["done"] == true)
            {
                return Ok(Moment::Was);
            }
            let began_ms = found.began;
            let missed = match self.in_window(place, found, deadline).await? {
                Ok(reached) => match self
                    .press_there(&gesture, &reached, first, deadline)
                    .await?
                {
                    Ok(moment) => {
                        let request = json!({ "what": "ticked", "target": target.for_script(), "ticked": wanted });
                        let kept = self.lasts(&reached.place, &request, deadline).await?;
                        return Ok(match kept {
                            Some(kept) if kept.ready.is_some() => moment.longer(kept.at),
                            _ => moment,
                        });
                    }
                    Err(missed) => missed,
                },
                Err((_, cover)) => cover,
            };
            first = first.or(Some(began_ms));
            if Instant::now() >= deadline {
                let told = format!("`{target}` did not receive the click: {missed}");
                return Err(self.not_done(told, asked));
            }
        }
    }
}
