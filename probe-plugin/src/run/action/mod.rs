//! Does one action as a user would, and says when it began and ended by the browser's own clock. One file an action;
//! here is what all of them share.

mod click;
mod code;
mod cookie;
mod download;
mod expect;
mod fill;
mod goto;
mod press;
mod wait;

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use vigia_contract::{
    data_model::ErrorClass,
    secret::{SecretPlaces, SecretString, Template},
};

use super::{
    Failure,
    document::{Documents, Timings},
    net_error, still_answers,
};
use crate::{
    browser::{Answer, CallError, Context, Function, PageError, PageState, Place},
    journey::{Action, Target},
};

/// A look that nobody waits for.
const LOOK_DEADLINE: Duration = Duration::from_millis(200);

/// When something was, in milliseconds since 1970 by the browser's monotonic clock. Only differences mean anything.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The user's input, or the request for the document.
    pub began_ms: f64,
    /// What was waited for was there.
    pub ended_ms: f64,
}

/// Hands and eyes on one browser.
#[derive(Debug)]
pub struct Robot<'a> {
    /// The browser as this run has it.
    pub context: Context,
    /// Where secrets are looked up, at the moment that they are typed.
    pub secrets: &'a SecretPlaces,
    /// How long one action may take.
    pub action_timeout: Duration,
    /// When the journey's time is over.
    pub deadline: Instant,
    /// The slug of the step that it is in.
    pub step: String,
    /// What it saw of each document.
    pub documents: Documents,
    /// Each selector that had to stand in for the one that is meant.
    pub drifts: Vec<String>,
    /// What it waited in this step for reasons of its own, in milliseconds: no user's time.
    pub own_wait_ms: f64,
    /// The one-time codes that it typed, so that they are told to nobody.
    pub typed_codes: Vec<SecretString>,
}

/// Where the robot stood before an input: what has changed since tells what the input set off.
#[derive(Debug)]
struct Before {
    tab: Option<String>,
    loader: String,
    /// The frame that the input goes to.
    frame: Option<String>,
}

impl Robot<'_> {
    /// Does it, or says why it cannot be done.
    pub async fn act(&mut self, action: &Action) -> Result<Moment, Failure> {
        if Instant::now() >= self.deadline {
            return Err(over_time(None));
        }
        let waited_since_ms = self.await_code(action).await?;
        let deadline = self.deadline.min(Instant::now() + self.action_timeout);
        let mut moment = match action {
            Action::Goto(address) => self.goto(address, deadline).await,
            Action::Click(target) => self.click(target, deadline).await,
            Action::Fill(fill) => self.fill(fill, deadline).await,
            Action::Cookie(cookie) => self.cookie(cookie, deadline).await,
            Action::Press(key) => self.press(key, deadline).await,
            Action::Expect(expectation) => self.expect(expectation, deadline).await,
            Action::Wait(duration) => self.wait(*duration).await,
        }?;
        moment.began_ms = waited_since_ms.unwrap_or(moment.began_ms);
        match self.unexpected_dialog() {
            Some(failure) => Err(failure),
            None => Ok(moment),
        }
    }

    /// Looks at the document once more, outside of any step's time: what it measured of itself until now is kept. It
    /// decides nothing: a page that does not answer is the next action's matter.
    pub async fn look(&mut self) {
        if self.context.state().is_none_or(PageState::navigating) {
            return;
        }
        let request = json!({ "what": "now" });
        let soon = Instant::now() + LOOK_DEADLINE;
        if let Ok(answer) = self.context.ask(Function::Perform, &request, soon).await {
            self.keep(&answer);
        }
    }

    /// What an answer of the main frame brings along is kept for the document that gave it.
    fn keep(&mut self, answer: &Answer) {
        let timings = answer.page.clone();
        if let Some(timings) = timings.and_then(|page| serde_json::from_value::<Timings>(page).ok())
            && let Some(state) = self.context.state()
        {
            self.documents.look(&self.step, state.loader(), timings);
        }
    }

    fn before(&self, frame: Option<String>) -> Before {
        Before {
            tab: self.context.front().map(str::to_owned),
            loader: self
                .context
                .state()
                .map(|state| state.loader().to_owned())
                .unwrap_or_default(),
            frame,
        }
    }

    /// After a click or a key, when what it set off has begun: if that is another document or another tab, it has loaded.
    async fn arrive(
        &mut self,
        began_ms: f64,
        settled: Option<&Answer>,
        before: &Before,
        did: &str,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let arrived = self
            .context
            .until(deadline, |context| context.arrived(before.frame.as_deref()))
            .await;
        self.or_failure(arrived, &format!("{did} the next page did not arrive"))
            .await?;
        let now = self.before(None);
        if now.loader == before.loader && now.tab == before.tab {
            let ended_ms = match settled {
                Some(settled) => settled.at,
                None => self.now(deadline).await?,
            };
            return Ok(Moment { began_ms, ended_ms });
        }
        self.document_is_good()?;
        let loaded = self.moment_of_load(deadline).await?;
        Ok(Moment { began_ms, ..loaded })
    }

    /// Lets what an input set off begin, and says where the input landed; nothing where its document is gone by then.
    async fn settle(
        &mut self,
        before: &Before,
        did: &str,
        deadline: Instant,
    ) -> Result<Option<Answer>, Failure> {
        let settled = self.context.settle(before.frame.as_deref(), deadline).await;
        self.or_failure(settled, &format!("{did} the page did not respond"))
            .await
    }

    fn document_is_good(&self) -> Result<(), Failure> {
        let Some(state) = self.context.state() else {
            return Ok(());
        };
        match (state.http_status, &state.load_error) {
            (Some(status @ 400..), _) => Err(Failure::of_system(
                ErrorClass::HttpStatus,
                format!("`{}` answered with HTTP status {status}", state.url()),
            )),
            (_, Some(error)) => Err(net_error::failure(state.url(), error)),
            _ => Ok(()),
        }
    }

    async fn moment_of_load(&mut self, deadline: Instant) -> Result<Moment, Failure> {
        let answer = self
            .context
            .ask(Function::Loaded, &json!({}), deadline)
            .await;
        let answer = self.or_failure(answer, "the page does not respond").await?;
        self.keep(&answer);
        Ok(Moment {
            began_ms: answer.began.unwrap_or(answer.at),
            ended_ms: answer.at,
        })
    }

    /// The page's clock.
    async fn now(&mut self, deadline: Instant) -> Result<f64, Failure> {
        let request = json!({ "what": "now" });
        let answer = self
            .context
            .ask(Function::Perform, &request, deadline)
            .await;
        let answer = self.or_failure(answer, "the page does not respond").await?;
        self.keep(&answer);
        Ok(answer.at)
    }

    /// Asks the script in every frame to wait until something can be done with an element, and says in which it can.
    async fn perform(
        &mut self,
        what: &str,
        target: &Target,
        more: Value,
        deadline: Instant,
    ) -> Result<(Place, Answer), Failure> {
        let mut request = more;
        request["what"] = what.into();
        request["target"] = target.for_script();
        let (place, answer) = self.wait_for(request, deadline).await?;
        if answer.won > 0
            && let Some(stood_in) = target.selectors().get(answer.won)
        {
            self.drifts
                .push(format!("`{stood_in}` instead of `{target}`"));
        }
        Ok((place, answer))
    }

    /// Asks the script in every frame to wait for something; an answer of no is the failure.
    async fn wait_for(
        &mut self,
        request: Value,
        deadline: Instant,
    ) -> Result<(Place, Answer), Failure> {
        let asked = Instant::now();
        let answer = self.context.perform(&request, deadline).await;
        let (place, answer) = self.or_failure(answer, "the page does not respond").await?;
        if self
            .context
            .state()
            .is_some_and(|state| state.frames.main().id == place.frame)
        {
            self.keep(&answer);
        }
        if answer.ok {
            return Ok((place, answer));
        }
        Err(self.refusal(answer, asked))
    }

    /// What an answer of no means.
    fn refusal(&self, answer: Answer, asked: Instant) -> Failure {
        let mut message = answer.message.unwrap_or_default();
        if Instant::now() >= self.deadline {
            return over_time(Some(&message));
        }
        write!(message, " (waited {:.1} s)", asked.elapsed().as_secs_f64()).ok();
        if let Some(error) = self
            .context
            .state()
            .and_then(|state| state.script_error.as_ref())
        {
            // It may have nothing to do with it, and often has.
            write!(message, "; a script of the page failed: {error}").ok();
        }
        match answer.why.as_deref() {
            Some("selector") => Failure::of_probe(ErrorClass::Config, message),
            Some("missing") => Failure::of_system(ErrorClass::ElementMissing, message),
            Some("unmet") => Failure::of_system(ErrorClass::Assertion, message),
            _ => Failure::of_system(ErrorClass::NotActionable, message),
        }
    }

    fn unexpected_dialog(&self) -> Option<Failure> {
        let message = self
            .context
            .tabs()
            .find_map(|(_, state)| state.dialog.as_ref())?;
        Some(Failure::of_system(
            ErrorClass::Dialog,
            format!("the page opened a dialog that nobody expected: `{message}`"),
        ))
    }

    /// What a page that did not answer says about whose fault it is. `late` tells what did not happen in time.
    async fn or_failure<T>(&self, answer: Result<T, PageError>, late: &str) -> Result<T, Failure> {
        let error = match answer {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let by_browser = |told: String| Failure::of_probe(ErrorClass::Browser, told);
        Err(match error {
            PageError::Crashed(ref crash) if crash.is_by_itself() => {
                Failure::of_system(ErrorClass::Crash, error.to_string())
            }
            // The system's page may be at fault, or this machine's memory: nobody can tell.
            PageError::Crashed(_) => Failure::of_probe(ErrorClass::Crash, error.to_string()),
            PageError::Gone => Failure::of_system(ErrorClass::Script, error.to_string()),
            PageError::Late | PageError::Call(CallError::Deadline(_)) => {
                if let Some(failure) = self.unexpected_dialog() {
                    failure
                } else if still_answers(self.context.chromium()).await {
                    Failure::of_system(ErrorClass::Timeout, format!("{late} in time"))
                } else {
                    by_browser("the browser hangs: it answers nothing".into())
                }
            }
            PageError::Call(_) | PageError::Script(_) => by_browser(error.to_string()),
        })
    }

    fn resolve(&self, template: &Template) -> Result<SecretString, Failure> {
        template
            .resolve(self.secrets)
            .map_err(|error| Failure::of_probe(ErrorClass::Config, error.to_string()))
    }
}

/// When the user's time began: with the input where all was ready for it, with the wait where it was not.
fn begin(answer: &Answer) -> f64 {
    match answer.began {
        Some(began) if answer.waited => began,
        _ => answer.at,
    }
}

/// The journey's own time is over; `during` is what was not there by then.
fn over_time(during: Option<&str>) -> Failure {
    let told = "the journey took longer than its `timeout`";
    let told = during.map_or_else(|| told.to_owned(), |during| format!("{told}: {during}"));
    Failure::of_system(ErrorClass::Timeout, told)
}
