//! Does one action on a page as a user would, and says what the user waited for it.

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use headless_chrome::protocol::cdp::{Input, Page as PageDomain};
use serde::Deserialize;
use serde_json::json;
use vigia_contract::{
    data_model::ErrorClass,
    secret::{ExposeSecret, SecretPlaces, SecretString, Template},
};

use super::{
    Failure,
    clock::{Clock, Exchange},
    document::Documents,
    input::{keyboard, mouse},
    net_error, still_answers,
    waiting::{Moment, Wait},
};
use crate::{
    browser::{CallError, Function, Page, PageError, Vitals},
    journey::{Action, Expectation, Fill, Key, Selector},
};

/// The browser makes its error pages itself.
const ERROR_PAGE_DEADLINE: Duration = Duration::from_secs(1);

/// A look that nobody waits for.
const LOOK_DEADLINE: Duration = Duration::from_millis(200);

/// Hands and eyes on one page.
#[derive(Debug)]
pub struct Robot<'a> {
    /// The page.
    pub page: Page,
    /// Where secrets are looked up, at the moment that they are typed.
    pub secrets: &'a SecretPlaces,
    /// How long one action may take.
    pub action_timeout: Duration,
    /// When the journey's time is over.
    pub deadline: Instant,
    /// What all its times are told by.
    pub clock: Clock,
    /// What it saw of each document.
    pub documents: Documents,
}

/// What the script in the page answers; its times are by the page's clock until [`Self::by`] has turned them.
#[derive(Debug, Deserialize)]
struct Answer {
    ok: bool,
    why: Option<String>,
    message: Option<String>,
    /// The first look.
    began: f64,
    /// The last one, or what was asked for.
    at: f64,
    /// What is there now came then; nothing where it may have been there for long.
    came: Option<f64>,
    /// What was not ready at the first look was ready then.
    ready: Option<f64>,
    /// The last thing that the script did.
    answered: f64,
    x: Option<f64>,
    y: Option<f64>,
    page: Option<Vitals>,
}

/// An input on its way.
#[derive(Clone, Copy, Debug)]
struct UserInput {
    waited: Option<Wait>,
    began_ms: f64,
}

impl Answer {
    /// Turns its times into the run's.
    fn by(mut self, clock: &Clock, sent_ms: f64) -> Self {
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
    fn waited(&self) -> Option<Wait> {
        self.ready.map(|until_ms| Wait {
            from_ms: self.began,
            until_ms,
        })
    }
}

impl Robot<'_> {
    /// Does it, or says why it cannot be done.
    pub async fn act(&mut self, action: &Action) -> Result<Moment, Failure> {
        if Instant::now() >= self.deadline {
            return Err(over_time(None));
        }
        let deadline = self.deadline.min(Instant::now() + self.action_timeout);
        let moment = match action {
            Action::Goto(address) => self.goto(address, deadline).await,
            Action::Click(selector) => self.click(selector, deadline).await,
            Action::Fill(fill) => self.fill(fill, deadline).await,
            Action::Press(key) => self.press(key, deadline).await,
            Action::Expect(expectation) => self.expect(expectation, deadline).await,
            Action::Wait(duration) => self.wait(*duration).await,
        }?;
        match &self.page.state().dialog {
            Some(message) => Err(Failure::of_system(
                ErrorClass::Dialog,
                format!("the page opened a dialog that nobody expected: `{message}`"),
            )),
            None => Ok(moment),
        }
    }

    /// Looks at the document once more, outside of any step's time: what it measured of itself until now is kept. It
    /// decides nothing: a page that does not answer is the next action's matter.
    pub async fn look(&mut self) {
        if self.page.state().navigating() {
            return;
        }
        let request = json!({ "what": "now" });
        let soon = Instant::now() + LOOK_DEADLINE;
        if let Ok(mut answer) = self
            .page
            .ask::<Answer>(Function::Perform, &request, soon)
            .await
        {
            self.keep(&mut answer);
        }
    }

    /// What an answer brings along is kept for the document that gave it.
    fn keep(&mut self, answer: &mut Answer) {
        if let Some(vitals) = answer.page.take() {
            self.page.look(vitals);
        }
    }

    async fn goto(&mut self, address: &Template, deadline: Instant) -> Result<Moment, Failure> {
        let shown = address.shown();
        let navigate = PageDomain::Navigate {
            url: self.resolve(address)?.expose_secret().to_owned(),
            referrer: None,
            transition_Type: None,
            frame_id: None,
            referrer_policy: None,
        };
        let late = format!("`{shown}` did not answer");
        let before = self.page.state().loader.clone();
        let began_ms = self.clock.now_ms();
        let answer = match self.page.call(&navigate, deadline).await {
            Err(PageError::Call(CallError::Refused { message, .. })) => {
                let told = format!("`{shown}` is no address that can be opened: {message}");
                return Err(Failure::of_probe(ErrorClass::Config, told));
            }
            answer => self.or_failure(answer, &late).await?,
        };
        if answer.error_text.as_deref() == Some("net::ERR_ABORTED") {
            let loader = answer.loader_id.unwrap_or_default();
            let status = self.page.state().answered_status(&loader);
            return Err(net_error::no_page(&shown, status));
        }
        if let Some(error) = answer.error_text {
            // The browser's own error page is on its way: it is what the picture of the failure will show.
            let soon = deadline.min(Instant::now() + ERROR_PAGE_DEADLINE);
            match self
                .page
                .until(soon, |state| state.load_error.is_some() && state.loaded)
                .await
            {
                Ok(()) | Err(PageError::Late) => {}
                error => self.or_failure(error, "").await?,
            }
            return Err(net_error::failure(&shown, &error));
        }
        if answer.loader_id.is_none() {
            // Another place of the same document: there is nothing to load.
            return Ok(Moment::Was);
        }
        // The document may hand over to another by script before its own load: the last one counts.
        let loaded = self
            .page
            .until(deadline, |state| {
                state.loader != before && state.loaded && !state.navigating()
            })
            .await;
        self.or_failure(loaded, &format!("`{shown}` did not finish loading"))
            .await?;
        self.document_is_good()?;
        Ok(Moment::Done {
            waited: None,
            began_ms,
            ended_ms: self.moment_of_load(deadline).await?,
        })
    }

    async fn click(&mut self, selector: &Selector, deadline: Instant) -> Result<Moment, Failure> {
        let found = self.perform("click", selector, deadline).await?;
        let (Some(x), Some(y)) = (found.x, found.y) else {
            return Err(Failure::of_probe(
                ErrorClass::Browser,
                "the script in the page named no point to click",
            ));
        };
        let before = self.page.state().loader.clone();
        let input = UserInput {
            waited: found.waited(),
            began_ms: self.clock.now_ms(),
        };
        // Written together: the three are one movement of a hand, and the last one's answer is the answer to all.
        self.page.send(&mouse(
            Input::DispatchMouseEventTypeOption::MouseMoved,
            x,
            y,
        ));
        self.page.send(&mouse(
            Input::DispatchMouseEventTypeOption::MousePressed,
            x,
            y,
        ));
        let released = mouse(Input::DispatchMouseEventTypeOption::MouseReleased, x, y);
        let answered = self.page.call(&released, deadline).await;
        let did = format!("after the click on `{selector}`");
        self.or_failure(answered, &format!("{did} the page did not respond"))
            .await?;
        self.after_input(input, &before, &did, deadline).await
    }

    async fn fill(&mut self, fill: &Fill, deadline: Instant) -> Result<Moment, Failure> {
        let text = self.resolve(&fill.with)?;
        let found = self.perform("fill", &fill.field, deadline).await?;
        let began_ms = self.clock.now_ms();
        let late = format!("`{}` did not take the text", fill.field);
        if text.expose_secret().is_empty() {
            let delete = Key {
                name: "Delete".into(),
                code: "Delete",
                virtual_code: 46,
                text: None,
            };
            self.strike(&delete, deadline, &late).await?;
        } else {
            let insert = Input::InsertText {
                text: text.expose_secret().to_owned(),
            };
            let inserted = self.page.call(&insert, deadline).await;
            self.or_failure(inserted, &late).await?;
        }
        let kept = json!({
            "what": "filled",
            "shown": fill.field.to_string(),
            "empty": text.expose_secret().is_empty(),
        });
        let kept = self.ask(kept, deadline).await?;
        Ok(Moment::Done {
            waited: found.waited(),
            began_ms,
            ended_ms: kept.at,
        })
    }

    async fn press(&mut self, key: &Key, deadline: Instant) -> Result<Moment, Failure> {
        self.ask(json!({ "what": "input" }), deadline).await?;
        let before = self.page.state().loader.clone();
        let did = format!("after the key `{}`", key.name);
        let input = UserInput {
            waited: None,
            began_ms: self.clock.now_ms(),
        };
        self.strike(key, deadline, &format!("{did} the page did not respond"))
            .await?;
        self.after_input(input, &before, &did, deadline).await
    }

    async fn expect(
        &mut self,
        expectation: &Expectation,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let answer = match expectation {
            Expectation::Text(text) => {
                self.ask(json!({ "what": "text", "text": text }), deadline)
                    .await?
            }
            Expectation::Visible(selector) => self.perform("visible", selector, deadline).await?,
            Expectation::Hidden(selector) => self.perform("hidden", selector, deadline).await?,
        };
        Ok(answer.came.map_or(Moment::Was, |until_ms| {
            Moment::Came(Wait {
                from_ms: answer.began,
                until_ms,
            })
        }))
    }

    async fn wait(&mut self, duration: Duration) -> Result<Moment, Failure> {
        let began_ms = self.clock.now_ms();
        let end = Instant::now() + duration;
        match self.page.until(end.min(self.deadline), |_| false).await {
            Ok(()) | Err(PageError::Late) => {}
            error => self.or_failure(error, "").await?,
        }
        if end > self.deadline {
            return Err(over_time(None));
        }
        Ok(Moment::Done {
            waited: None,
            began_ms,
            ended_ms: self.clock.now_ms(),
        })
    }

    /// After a click or a key: what it set off has begun, and if that is another document, it has loaded.
    async fn after_input(
        &mut self,
        input: UserInput,
        before: &str,
        did: &str,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let late = format!("{did} the next page did not arrive");
        let sent_ms = self.clock.now_ms();
        let settled = self.page.ask(Function::Settle, &json!({}), deadline).await;
        let settled: Answer = self.or_failure(settled, &late).await?;
        let settled = settled.by(&self.clock, sent_ms);
        let arrived = self
            .page
            .until(deadline, |state| state.loaded && !state.navigating())
            .await;
        self.or_failure(arrived, &late).await?;
        let UserInput { waited, began_ms } = input;
        let ended_ms = if self.page.state().loader == before {
            settled.at
        } else {
            self.document_is_good()?;
            self.moment_of_load(deadline).await?
        };
        Ok(Moment::Done {
            waited,
            began_ms,
            ended_ms,
        })
    }

    async fn strike(&mut self, key: &Key, deadline: Instant, late: &str) -> Result<(), Failure> {
        let down = match key.text {
            Some(_) => Input::DispatchKeyEventTypeOption::KeyDown,
            None => Input::DispatchKeyEventTypeOption::RawKeyDown,
        };
        for kind in [down, Input::DispatchKeyEventTypeOption::KeyUp] {
            let answered = self.page.call(&keyboard(kind, key), deadline).await;
            self.or_failure(answered, late).await?;
        }
        Ok(())
    }

    fn document_is_good(&self) -> Result<(), Failure> {
        let state = self.page.state();
        match (state.http_status, &state.load_error) {
            (Some(status @ 400..), _) => Err(Failure::of_system(
                ErrorClass::HttpStatus,
                format!("`{}` answered with HTTP status {status}", state.url),
            )),
            (_, Some(error)) => Err(net_error::failure(&state.url, error)),
            _ => Ok(()),
        }
    }

    /// When the document had loaded.
    async fn moment_of_load(&mut self, deadline: Instant) -> Result<f64, Failure> {
        let sent_ms = self.clock.now_ms();
        let answer = self.page.ask(Function::Loaded, &json!({}), deadline).await;
        let mut answer: Answer = self.or_failure(answer, "the page does not respond").await?;
        self.keep(&mut answer);
        Ok(answer.by(&self.clock, sent_ms).at)
    }

    async fn perform(
        &mut self,
        what: &str,
        selector: &Selector,
        deadline: Instant,
    ) -> Result<Answer, Failure> {
        let request = json!({ "what": what, "selector": selector, "shown": selector.to_string() });
        self.ask(request, deadline).await
    }

    /// Asks the script in the page to wait for something; an answer of no is the failure.
    async fn ask(
        &mut self,
        request: serde_json::Value,
        deadline: Instant,
    ) -> Result<Answer, Failure> {
        let asked = Instant::now();
        let sent_ms = self.clock.now_ms();
        let answer = self.page.ask(Function::Perform, &request, deadline).await;
        let mut answer: Answer = self.or_failure(answer, "the page does not respond").await?;
        self.keep(&mut answer);
        if answer.ok {
            return Ok(answer.by(&self.clock, sent_ms));
        }
        let mut message = answer.message.unwrap_or_default();
        if Instant::now() >= self.deadline {
            return Err(over_time(Some(&message)));
        }
        write!(message, " (waited {:.1} s)", asked.elapsed().as_secs_f64()).ok();
        if let Some(error) = &self.page.state().script_error {
            // It may have nothing to do with it, and often has.
            write!(message, "; a script of the page failed: {error}").ok();
        }
        Err(match answer.why.as_deref() {
            Some("selector") => Failure::of_probe(ErrorClass::Config, message),
            Some("missing") => Failure::of_system(ErrorClass::ElementMissing, message),
            Some("unmet") => Failure::of_system(ErrorClass::Assertion, message),
            _ => Failure::of_system(ErrorClass::NotActionable, message),
        })
    }

    /// What a page that did not answer says about whose fault it is. `late` tells what did not happen in time.
    async fn or_failure<T>(&self, answer: Result<T, PageError>, late: &str) -> Result<T, Failure> {
        let error = match answer {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let by_browser = |told: String| Failure::of_probe(ErrorClass::Browser, told);
        Err(match error {
            // The system's page may be at fault, or this machine's memory: nobody can tell.
            PageError::Crashed => Failure::of_probe(ErrorClass::Crash, error.to_string()),
            PageError::Late | PageError::Call(CallError::Deadline(_)) => {
                if still_answers(self.page.chromium()).await {
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

/// The journey's own time is over; `during` is what was not there by then.
fn over_time(during: Option<&str>) -> Failure {
    let told = "the journey took longer than its `timeout`";
    let told = during.map_or_else(|| told.to_owned(), |during| format!("{told}: {during}"));
    Failure::of_system(ErrorClass::Timeout, told)
}
