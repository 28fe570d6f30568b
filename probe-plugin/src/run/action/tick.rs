//! Ticks a box, or takes the tick out, by a click where it is not so already.

use std::time::Instant;

use serde_json::json;

use super::{Moment, Robot};
use crate::{browser::Answer, journey::Target, run::Failure};

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
        let did = format!("after the click on `{target}`");
        let wanted = tick == Tick::Set;
        let mut first: Option<f64> = None;
        loop {
            let more = json!({ "ticked": wanted, "again": first.is_some() });
            let (place, found) = self.perform("tick", target, more, deadline).await?;
            self.is_the_only_one(target, &place, deadline).await?;
            let input = self.input_since(first, &found);
            if found.value.is_some_and(|value| value["done"] == true) {
                return Ok(Moment::Was);
            }
            let found = Answer {
                value: None,
                ..found
            };
            let before = self.before(Some(place.frame.clone()));
            let missed = match self.point_in_window(&place, &found, deadline).await? {
                Ok(point) => match self.press_mouse(&before, point, &did, deadline).await? {
                    Ok(settled) => {
                        let moment = self
                            .arrive(input, settled.as_ref(), &before, &did, deadline)
                            .await?;
                        let request = json!({ "what": "ticked", "target": target.for_script(), "ticked": wanted });
                        let kept = self.lasts(&place, &request, deadline).await?;
                        return Ok(match kept {
                            Some(kept) if kept.ready.is_some() => moment.longer(kept.at),
                            _ => moment,
                        });
                    }
                    Err(missed) => missed,
                },
                Err(cover) => format!("its frame is covered by {cover}"),
            };
            first = first.or(Some(found.began));
            if Instant::now() >= deadline {
                let no = Answer {
                    message: Some(format!("`{target}` did not receive the click: {missed}")),
                    ..Answer::default()
                };
                return Err(self.refusal(no, asked));
            }
        }
    }
}
