//! Adds up what a user waits. Pure: moments in, milliseconds out.
//!
//! A user waits from an input to what comes of it, and for what he needs next where that is not there yet. The rest of a
//! step is the robot's own: its calls to the page, its look whether an element stands still.

/// What one action took, in milliseconds by the run's clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    /// Something was done.
    Done {
        /// What it needed was not ready at the first look.
        waited: Option<Wait>,
        /// The input.
        began_ms: f64,
        /// What came of it was there.
        ended_ms: f64,
    },
    /// Something came to be.
    Came(Wait),
    /// Something was there, and nobody waited.
    Was,
}

impl Moment {
    /// The same where what came of it was there only then.
    pub fn longer(self, until_ms: f64) -> Self {
        match self {
            Self::Done {
                waited, began_ms, ..
            } => Self::Done {
                waited,
                began_ms,
                ended_ms: until_ms,
            },
            other => other,
        }
    }

    /// The same after a wait for what it needed.
    pub fn with_wait(self, before: Option<Wait>) -> Self {
        match self {
            Self::Done {
                waited,
                began_ms,
                ended_ms,
            } => Self::Done {
                waited: before.or(waited),
                began_ms,
                ended_ms,
            },
            other => other,
        }
    }
}

/// A wait for something to be ready.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wait {
    /// The first look.
    pub from_ms: f64,
    /// It was ready.
    pub until_ms: f64,
}

/// What a user waited so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Waiting {
    step_ms: f64,
    /// The end of the last wait: whoever waits for more has waited since.
    since_ms: Option<f64>,
}

impl Waiting {
    /// One more action.
    pub fn add(&mut self, moment: Moment) {
        match moment {
            Moment::Done {
                waited,
                began_ms,
                ended_ms,
            } => {
                if let Some(wait) = waited {
                    self.wait(wait);
                }
                self.step_ms += (ended_ms - began_ms).max(0.0);
                self.since_ms = Some(ended_ms);
            }
            Moment::Came(wait) => self.wait(wait),
            Moment::Was => {}
        }
    }

    /// What the step took; the next one begins.
    pub fn end_step(&mut self) -> f64 {
        std::mem::take(&mut self.step_ms)
    }

    /// The step has failed and the journey goes on: what was waited in vain is no part of the next one.
    pub fn forget_step(&mut self) {
        *self = Self::default();
    }

    fn wait(&mut self, wait: Wait) {
        let from_ms = self.since_ms.unwrap_or(wait.from_ms);
        if wait.until_ms > from_ms {
            self.step_ms += wait.until_ms - from_ms;
            self.since_ms = Some(wait.until_ms);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn done(began_ms: f64, ended_ms: f64) -> Moment {
        Moment::Done {
            waited: None,
            began_ms,
            ended_ms,
        }
    }

    /// In whole milliseconds, for the sake of comparing.
    fn took(moments: &[Moment]) -> String {
        let mut waiting = Waiting::default();
        for moment in moments {
            waiting.add(*moment);
        }
        format!("{:.0}", waiting.end_step())
    }

    #[test]
    fn what_the_robot_takes_between_two_inputs_is_not_waited() {
        assert_eq!(took(&[done(0.0, 100.0), done(150.0, 160.0)]), "110");
    }

    #[test]
    fn a_button_that_comes_late_is_waited_for_since_the_last_end() {
        let second = Moment::Done {
            waited: Some(Wait {
                from_ms: 105.0,
                until_ms: 300.0,
            }),
            began_ms: 340.0,
            ended_ms: 350.0,
        };
        assert_eq!(took(&[done(0.0, 100.0), second]), "310");
    }

    #[test]
    fn what_was_there_before_is_not_waited_for() {
        assert_eq!(took(&[done(0.0, 100.0), Moment::Was]), "100");
    }

    #[test]
    fn a_wait_across_two_steps_belongs_to_the_one_that_waits() {
        let mut waiting = Waiting::default();
        waiting.add(done(0.0, 5.0));
        assert!((waiting.end_step() - 5.0).abs() < 0.001);
        waiting.add(Moment::Came(Wait {
            from_ms: 40.0,
            until_ms: 1000.0,
        }));
        assert!((waiting.end_step() - 995.0).abs() < 0.001);
    }
}
