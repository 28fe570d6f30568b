//! Does one action as a user would, and says what the user waited for it. One file an action; here is what all of them
//! share.

mod change;
mod click;
mod code;
mod cookie;
mod dialog;
mod download;
mod drag;
mod expect;
mod expect_answers;
mod fill;
mod frame;
mod goto;
mod history;
mod in_one_call;
mod keys;
mod pointing;
mod press;
mod screenshot;
mod script;
mod scroll;
mod select;
mod store;
mod tab;
mod tick;
mod timing;
mod typing;
mod upload;
mod viewport;
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
    Blame, Failure, RunFile, clock::Clock, document::Documents, net_error, redaction::Redaction,
    still_answers, waiting::Moment,
};
use crate::{
    browser::{Answer, CallError, Context, DialogSurprise, Function, PageError, PageState, Place},
    journey::{Action, Dialog, Target, Timed},
};
use history::Way;
use tick::Tick;
use timing::UserInput;

/// A look that nobody waits for.
const LOOK_DEADLINE: Duration = Duration::from_millis(200);

/// What a document told so short a time ago need not be asked for again.
const JUST_NOW: Duration = Duration::from_millis(50);

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
    /// What all its times are told by.
    pub clock: Clock,
    /// What it saw of each document.
    pub documents: Documents,
    /// The pictures that the journey asked for.
    pub pictures: Pictures,
    /// Each selector that had to stand in for the one that is meant.
    pub drifts: Vec<String>,
    /// The keys that it holds down: the bits of the protocol's `modifiers`.
    pub held_keys: u32,
    /// The frame that was looked at before the last action, and how often it had come somewhere by then.
    pub arrivals: Option<(String, u64)>,
    /// What is told to nobody: the journey's secrets, and the one-time codes that it typed.
    pub redaction: Redaction,
    /// What the action that failed was to be done to, as the robot's script takes it.
    pub failed_at: Option<Value>,
    /// A pause behind every action, for a person who looks on.
    pub slow_motion: Duration,
}

/// The pictures that a journey asks for.
#[derive(Debug, Default)]
pub struct Pictures {
    /// Where nobody keeps them, none are taken.
    pub wanted: bool,
    /// In their order.
    pub taken: Vec<RunFile>,
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
    /// Does it, or says why it cannot be done. `upcoming` are the dialogs that follow it in the journey.
    pub async fn act(&mut self, timed: &Timed, upcoming: &[&Dialog]) -> Result<Moment, Failure> {
        let action = &timed.action;
        if Instant::now() >= self.deadline {
            return Err(over_time(None));
        }
        let timeout = timed.timeout.unwrap_or(self.action_timeout);
        let deadline = self.deadline.min(Instant::now() + timeout);
        if !action.only_looks() {
            self.arrivals = self.arrivals_in_view();
        }
        if !matches!(action, Action::Dialog(_)) {
            self.expect_dialogs(upcoming)?;
        }
        if action.is_about_a_document() {
            let awake = self.context.wake(deadline).await;
            self.or_failure(awake, "the blank page does not respond")
                .await?;
        }
        let acted = match action {
            Action::Goto(address) => self.goto(address, deadline).await,
            Action::Back => self.travel(Way::Back, deadline).await,
            Action::Forward => self.travel(Way::Forward, deadline).await,
            Action::Reload => self.reload(deadline).await,
            Action::Click(click) => self.click(click, deadline).await,
            Action::Hover(hover) => self.hover(hover, deadline).await,
            Action::Drag(drag) => self.drag(drag, deadline).await,
            Action::Scroll(scroll) => self.scroll(scroll, deadline).await,
            Action::Fill(fill) => self.fill(fill, deadline).await,
            Action::Type(typing) => self.type_keys(typing, deadline).await,
            Action::Press(press) => self.press(press, deadline).await,
            Action::KeyDown(key) => self.key_down(key, deadline).await,
            Action::KeyUp(key) => self.key_up(key, deadline).await,
            Action::Change(change) => self.change(change, deadline).await,
            Action::Select(select) => self.select(select, deadline).await,
            Action::Check(target) => self.tick(target, Tick::Set, deadline).await,
            Action::Uncheck(target) => self.tick(target, Tick::Cleared, deadline).await,
            Action::Upload(upload) => self.upload(upload, deadline).await,
            Action::Dialog(_) => self.dialog(deadline).await,
            Action::Tab(tab) => self.tab(tab, deadline).await,
            Action::Frame(path) => self.frame(path, deadline).await,
            Action::Viewport(viewport) => self.viewport(viewport, deadline).await,
            Action::Network(speed) => self.network(speed, deadline).await,
            Action::Cookie(cookie) => self.cookie(cookie, deadline).await,
            Action::Expect(expectation) => self.expect(expectation, deadline).await,
            Action::Store(store) => self.store(store, deadline).await,
            Action::Script(script) => self.script(script, deadline).await,
            Action::Screenshot(screenshot) => self.screenshot(screenshot, deadline).await,
            Action::Wait(duration) => self.wait(*duration).await,
        };
        if acted.is_err() {
            self.failed_at = action.is_about();
        }
        acted
    }

    /// For a person who looks on; it is no part of any time that is told, and of no time that is given.
    pub async fn stand_still(&mut self) {
        if self.slow_motion.is_zero() {
            return;
        }
        let end = Instant::now() + self.slow_motion;
        // What happens meanwhile is the next action's matter.
        self.context.until(end, |_| false).await.ok();
        self.deadline += self.slow_motion;
    }

    /// Looks at the document once more, outside of any step's time: what it measured of itself until now is kept. It
    /// decides nothing: a page that does not answer is the next action's matter.
    pub async fn look(&mut self) {
        if self.context.state().is_none_or(PageState::navigating) {
            return;
        }
        if self.context.was_heard_within(JUST_NOW) || self.context.is_bare() {
            return;
        }
        let request = json!({ "what": "now" });
        let soon = Instant::now() + LOOK_DEADLINE;
        self.context
            .ask(Function::Perform, &request, soon)
            .await
            .ok();
    }

    fn arrivals_in_view(&self) -> Option<(String, u64)> {
        let frame = self.context.frame_in_view()?;
        Some((frame.id.clone(), frame.arrivals))
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
        input: UserInput,
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
            return Ok(input.until(ended_ms));
        }
        self.document_is_good()?;
        Ok(input.until(self.moment_of_load(deadline).await?))
    }

    /// An input that closes its window is answered by that.
    async fn handled<T>(&self, answered: Result<T, PageError>, late: &str) -> Result<(), Failure> {
        match answered {
            Err(PageError::Closed) => Ok(()),
            answered => self.or_failure(answered, late).await.map(|_| ()),
        }
    }

    /// Lets what an input set off begin, and says where the input landed; nothing where its document is gone by then.
    async fn settle(
        &mut self,
        before: &Before,
        did: &str,
        deadline: Instant,
    ) -> Result<Option<Answer>, Failure> {
        let sent_ms = self.clock.now_ms();
        let settled = self.context.settle(before.frame.as_deref(), deadline).await;
        let late = format!("{did} the page did not respond");
        let settled = self.or_failure(settled, &late).await?;
        Ok(settled.map(|settled| settled.by(&self.clock, sent_ms)))
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
            (_, Some(error)) => Err(net_error::failure(state.url(), self.context.behind(error))),
            _ => Ok(()),
        }
    }

    /// When the document had loaded; now, where there was nothing to load.
    async fn moment_of_load(&mut self, deadline: Instant) -> Result<f64, Failure> {
        let main = self.context.state().map(|state| state.frames.main());
        match main.and_then(|main| main.loaded_at_s) {
            Some(loaded_at_s) => Ok(self.clock.of_browser_ms(loaded_at_s)),
            None => self.now(deadline).await,
        }
    }

    /// By the run's clock, as soon as the page answers. One that is on its way elsewhere is not waited for.
    async fn now(&mut self, deadline: Instant) -> Result<f64, Failure> {
        let request = json!({ "what": "now" });
        let sent_ms = self.clock.now_ms();
        let answer = self.context.ask_now(&request, deadline).await;
        let answer = self.or_failure(answer, "the page does not respond").await?;
        let Some(answer) = answer else {
            return Ok(self.clock.now_ms());
        };
        Ok(answer.by(&self.clock, sent_ms).at)
    }

    /// Asks the script in the main frame.
    async fn ask(
        &mut self,
        function: Function,
        request: &Value,
        deadline: Instant,
    ) -> Result<Answer, Failure> {
        let sent_ms = self.clock.now_ms();
        let answer = self.context.ask(function, request, deadline).await;
        let answer = self.or_failure(answer, "the page does not respond").await?;
        Ok(answer.by(&self.clock, sent_ms))
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
        self.note_drift(target, &answer);
        Ok((place, answer))
    }

    fn note_drift(&mut self, target: &Target, answer: &Answer) {
        if answer.won > 0
            && let Some(stood_in) = target.selectors().get(answer.won)
        {
            self.drifts
                .push(format!("`{stood_in}` instead of `{target}`"));
        }
    }

    /// Asks the script in every frame to wait for something; an answer of no is the failure.
    async fn wait_for(
        &mut self,
        request: Value,
        deadline: Instant,
    ) -> Result<(Place, Answer), Failure> {
        let asked = Instant::now();
        let sent_ms = self.clock.now_ms();
        let answer = self.context.perform(&request, deadline).await;
        let (place, answer) = self.or_failure(answer, "the page does not respond").await?;
        if answer.ok {
            return Ok((place, answer.by(&self.clock, sent_ms)));
        }
        Err(self.refusal(answer, asked))
    }

    /// What an answer of no means.
    fn refusal(&self, answer: Answer, asked: Instant) -> Failure {
        let mut message = answer.message.unwrap_or_default();
        if let Some(why) = self.on_its_way() {
            write!(message, ": {why}").ok();
        }
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
        let missing = match answer.why.as_deref() {
            Some("selector" | "value") => return Failure::of_probe(ErrorClass::Config, message),
            Some("missing") => ErrorClass::ElementMissing,
            Some("unmet") => ErrorClass::Assertion,
            _ => return Failure::of_system(ErrorClass::NotActionable, message),
        };
        // What is not there may be missing because the page is not the one that was meant.
        if self.on_its_way().is_some() {
            return Failure::of_system(ErrorClass::Timeout, message);
        }
        match self.document_is_good() {
            Err(failure) => Failure {
                error: format!("{}: {message}", failure.error),
                ..failure
            },
            Ok(()) => Failure::of_system(missing, message),
        }
    }

    /// What the page in front waits for when it is on its way to another one.
    fn on_its_way(&self) -> Option<String> {
        let main = self.context.state()?.frames.main();
        let destination = main.destination().filter(|_| main.leaving())?;
        Some(format!(
            "the page is on its way to `{destination}`, which does not answer"
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
            PageError::Gone | PageError::Closed => {
                Failure::of_system(ErrorClass::Script, error.to_string())
            }
            PageError::Dialog(DialogSurprise::SaysOtherwise { .. }) => {
                Failure::of_system(ErrorClass::Assertion, error.to_string())
            }
            PageError::Dialog(_) => Failure::of_system(ErrorClass::Dialog, error.to_string()),
            PageError::Late if !self.context.has_frame_in_view() => Failure::of_system(
                ErrorClass::ElementMissing,
                "the frame that the journey looks at is not there",
            ),
            PageError::Late | PageError::Call(CallError::Deadline(_)) => {
                if still_answers(self.context.chromium()).await {
                    // Not said twice, where it is what did not answer.
                    let way = self
                        .on_its_way()
                        .filter(|_| !late.ends_with("did not answer"));
                    let why = way.map_or_else(String::new, |why| format!(": {why}"));
                    Failure::of_system(ErrorClass::Timeout, format!("{late} in time{why}"))
                } else {
                    by_browser("the browser hangs: it answers nothing".into())
                }
            }
            PageError::Call(_) | PageError::Script(_) => by_browser(error.to_string()),
        })
    }

    fn resolve(&self, template: &Template) -> Result<SecretString, Failure> {
        template
            .resolve(self.secrets, &self.context.stored)
            .map_err(|error| Failure::of_probe(ErrorClass::Config, error.to_string()))
    }
}

/// The journey's own time is over; `during` is what was not there by then.
impl Robot<'_> {
    /// Whether a journey can go on after this in a step that is optional: the page still stands, and so does its time.
    pub fn can_do_without(&self, failure: &Failure) -> bool {
        let stands = !matches!(failure.class, ErrorClass::Crash | ErrorClass::Dialog);
        failure.blame == Blame::System && stands && Instant::now() < self.deadline
    }
}

fn over_time(during: Option<&str>) -> Failure {
    let told = "the journey took longer than its `timeout`";
    let told = during.map_or_else(|| told.to_owned(), |during| format!("{told}: {during}"));
    Failure::of_system(ErrorClass::Timeout, told)
}
