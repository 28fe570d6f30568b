//! An answer of the page, told by the run's clock.

use std::time::Instant;

use serde_json::json;

use super::Robot;
use crate::{
    browser::{Acted, Answer, Function},
    run::{
        Failure,
        clock::{Clock, Exchange},
        waiting::{Moment, Wait},
    },
};

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
        self.input = self.input.map(|input| input - zero_ms);
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

impl Acted {
    /// The same with the times of the run.
    pub fn by(self, clock: &Clock, sent_ms: f64) -> Self {
        match self {
            Self::Answered(answer) => Self::Answered(Box::new(answer.by(clock, sent_ms))),
            other => other,
        }
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

impl Robot<'_> {
    /// An input that goes out now, to what was found.
    pub fn input(&self, found: &Answer) -> UserInput {
        UserInput {
            waited: found.waited(),
            began_ms: self.clock.now_ms(),
        }
    }

    /// An input that goes out now and waited for nothing.
    pub fn input_now(&self) -> UserInput {
        UserInput {
            waited: None,
            began_ms: self.clock.now_ms(),
        }
    }

    /// An input that goes out now, after earlier ones that missed: the wait began with the first look of all.
    pub fn input_since(&self, first_ms: Option<f64>, found: &Answer) -> UserInput {
        let ready_ms = found.ready.unwrap_or(found.at);
        let since = first_ms.map(|from_ms| Wait {
            from_ms,
            until_ms: ready_ms,
        });
        UserInput {
            waited: since.or(found.waited()),
            began_ms: self.clock.now_ms(),
        }
    }

    /// From now on the document is watched: what the next input does to it is the user's time.
    pub async fn attend(&mut self, deadline: Instant) -> Result<(), Failure> {
        let request = json!({ "what": "input" });
        self.ask(Function::Perform, &request, deadline)
            .await
            .map(drop)
    }
}
