//! An answer of the page, told by the run's clock.

use crate::{
    browser::{Answer, Place},
    run::{
        clock::{Clock, Exchange},
        waiting::{Moment, Wait},
    },
};

/// What the script in a page said yes to.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Where.
    pub place: Place,
    /// What; its times are the run's.
    pub answer: Answer,
}

/// An input on its way.
#[derive(Clone, Copy, Debug)]
pub struct UserInput {
    /// The wait for what it needed.
    pub waited: Option<Wait>,
    /// It went out.
    pub began_ms: f64,
}

impl Answer {
    /// Turns its times into the run's; `sent_ms` is when the question went out.
    pub fn by(mut self, clock: &Clock, sent_ms: f64) -> Self {
        let zero_ms = clock.zero_ms(Exchange {
            sent_ms,
            began_ms: self.began,
            answered_ms: self.answered,
        });
        self.began -= zero_ms;
        self.at -= zero_ms;
        self.came = self.came.map(|came| came - zero_ms);
        self.ready = self.ready.map(|ready| ready - zero_ms);
        self
    }

    /// The wait for what an action needed.
    pub fn waited(&self) -> Option<Wait> {
        self.ready.map(|until_ms| Wait {
            from_ms: self.began,
            until_ms,
        })
    }

    /// What an expectation that was met took.
    pub fn coming(&self) -> Moment {
        self.came.map_or(Moment::Was, |until_ms| {
            Moment::Came(Wait {
                from_ms: self.began,
                until_ms,
            })
        })
    }
}

impl UserInput {
    /// What it took.
    pub fn until(self, ended_ms: f64) -> Moment {
        Moment::Done {
            waited: self.waited,
            began_ms: self.began_ms,
            ended_ms,
        }
    }
}
