//! Clicks an element with the mouse, or only comes to it.

use std::time::Instant;

use super::{Moment, Robot, pointing::Gesture};
use crate::{
    journey::{Click, Hover},
    run::{Failure, input::Held},
};

impl Robot<'_> {
    pub(super) async fn click(
        &mut self,
        click: &Click,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let gesture = Gesture {
            target: &click.on,
            offset: click.offset,
            held: Held::new(&click.modifiers, click.button).and(self.held_keys),
            presses: click.count,
            hold: click.hold,
            named: match click.count {
                1 => "the click",
                2 => "the double click",
                _ => "the triple click",
            },
        };
        self.do_there(&gesture, deadline).await
    }

    pub(super) async fn hover(
        &mut self,
        hover: &Hover,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let gesture = Gesture {
            target: &hover.on,
            offset: hover.offset,
            held: Held::default().and(self.held_keys),
            presses: 0,
            hold: None,
            named: "the mouse",
        };
        self.do_there(&gesture, deadline).await
    }
}
