//! Tidies up after a run, whatever became of it: what the journey left in the system is taken out again.
//!
//! Nothing here changes what the run came to. What cannot be tidied up is said.

use std::time::{Duration, Instant};

use serde_json::json;

use super::action::Robot;
use crate::{
    browser::Function,
    journey::{CleanupStep, Dialog, Journey, Timed, Walk},
    log::{Level, log},
};

/// A page that stands as the run left it answers sooner than this.
const ANSWER_DEADLINE: Duration = Duration::from_secs(1);

/// What is still to be done after a run.
pub struct CleanUp<'a> {
    /// With the page as the run left it.
    pub(super) robot: Robot<'a>,
    pub(super) journey: &'a Journey,
    pub(super) walk: &'a Walk,
}

impl CleanUp<'_> {
    /// Does it all; a step that fails does not keep the others from being done.
    pub async fn make(mut self) {
        let deadline = Instant::now() + self.walk.cleanup_timeout;
        self.robot.deadline = deadline;
        self.robot.context.dialogs.begin_anew();
        self.robot.context.look_anew();
        if let Err(error) = self.page_that_answers(deadline).await {
            self.warn("was not made", &error);
            return;
        }
        for step in &self.walk.cleanup {
            // What was never stored was never made.
            if step
                .needs
                .iter()
                .all(|name| self.robot.context.stored.contains_key(name))
            {
                self.take(step, deadline).await;
            }
        }
    }

    /// The run has no browser any more.
    pub fn give_up(self) {
        self.warn("was not made", "the browser is not there");
    }

    async fn take(&mut self, step: &CleanupStep, deadline: Instant) {
        self.robot.step.clone_from(&step.name);
        self.robot.context.forget_responses();
        for (index, timed) in step.actions.iter().enumerate() {
            let behind = step.actions[index + 1..].iter();
            let upcoming: Vec<&Dialog> = behind.map_while(Timed::as_dialog).collect();
            let acted = self.robot.act(timed, &upcoming).await;
            if let Err(failure) = acted {
                let told = if Instant::now() >= deadline {
                    "it took longer than its `cleanup_timeout`"
                } else {
                    &failure.error
                };
                self.warn(&format!("`{}` failed", step.name), told);
                return;
            }
        }
    }

    /// A page that hangs, crashed or closed itself is no place to tidy up from: then a new tab is, which is the same user.
    async fn page_that_answers(&mut self, deadline: Instant) -> Result<(), String> {
        let request = json!({ "what": "now" });
        let soon = deadline.min(Instant::now() + ANSWER_DEADLINE);
        let context = &mut self.robot.context;
        if context.ask(Function::Perform, &request, soon).await.is_ok() {
            return Ok(());
        }
        let opened = context.open_tab(deadline).await;
        opened.map_err(|error| format!("no new page could be opened: {error}"))
    }

    fn warn(&self, what: &str, why: &str) {
        let Journey { system, name, .. } = self.journey;
        let why = self.robot.redaction.apply(why);
        log(
            Level::Warning,
            &format!("the clean-up of {system}/{name} {what}: {why}"),
        );
    }
}
