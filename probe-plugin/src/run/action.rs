//! Does one action on a page as a user would, and says when it began and ended by the browser's own clock.

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
    document::{Documents, Timings},
    input::{keyboard, mouse},
    net_error, still_answers,
};
use crate::{
    browser::{CallError, Function, Page, PageError},
    journey::{Action, Expectation, Fill, Key, Selector},
};

/// The browser makes its error pages itself.
const ERROR_PAGE_DEADLINE: Duration = Duration::from_secs(1);

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
    /// The slug of the step that it is in.
    pub step: String,
    /// What it saw of each document.
    pub documents: Documents,
}

/// What the script in the page answers.
#[derive(Debug, Deserialize)]
struct Answer {
    ok: bool,
    why: Option<String>,
    message: Option<String>,
    began: Option<f64>,
    at: f64,
    /// Not ready at the first look.
    #[serde(default)]
    waited: bool,
    x: Option<f64>,
    y: Option<f64>,
    page: Option<Timings>,
}

impl Answer {
    /// When the user's time began: with the input where all was ready for it, with the wait where it was not.
    fn begin(&self) -> f64 {
        match self.began {
            Some(began) if self.waited => began,
            _ => self.at,
        }
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
        if let Ok(answer) = self.page.ask(Function::Perform, &request, soon).await {
            self.keep(&answer);
        }
    }

    /// What an answer brings along is kept for the document that gave it.
    fn keep(&mut self, answer: &Answer) {
        if let Some(timings) = answer.page {
            let loader = &self.page.state().loader;
            self.documents.look(&self.step, loader, timings);
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
        let answer = match self.page.call(&navigate, deadline).await {
            Err(PageError::Call(CallError::Refused { message, .. })) => {
                let told = format!("`{shown}` is no address that can be opened: {message}");
                return Err(Failure::of_probe(ErrorClass::Config, told));
            }
            answer => self.or_failure(answer, &late).await?,
        };
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
            let at = self.now(deadline).await?;
            return Ok(Moment {
                began_ms: at,
                ended_ms: at,
            });
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
        self.moment_of_load(deadline).await
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
        let began_ms = found.begin();
        self.after_input(began_ms, &before, &did, deadline).await
    }

    async fn fill(&mut self, fill: &Fill, deadline: Instant) -> Result<Moment, Failure> {
        let text = self.resolve(&fill.with)?;
        let found = self.perform("fill", &fill.field, deadline).await?;
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
        Ok(Moment {
            began_ms: found.begin(),
            ended_ms: kept.at,
        })
    }

    async fn press(&mut self, key: &Key, deadline: Instant) -> Result<Moment, Failure> {
        let began = self.now(deadline).await?;
        let before = self.page.state().loader.clone();
        let did = format!("after the key `{}`", key.name);
        self.strike(key, deadline, &format!("{did} the page did not respond"))
            .await?;
        self.after_input(began, &before, &did, deadline).await
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
        Ok(Moment {
            began_ms: answer.began.unwrap_or(answer.at),
            ended_ms: answer.at,
        })
    }

    async fn wait(&mut self, duration: Duration) -> Result<Moment, Failure> {
        let began = self.now(self.deadline).await?;
        let end = Instant::now() + duration;
        match self.page.until(end.min(self.deadline), |_| false).await {
            Ok(()) | Err(PageError::Late) => {}
            error => self.or_failure(error, "").await?,
        }
        if end > self.deadline {
            return Err(over_time(None));
        }
        let ended = self.now(self.deadline).await?;
        Ok(Moment {
            began_ms: began,
            ended_ms: ended,
        })
    }

    /// After a click or a key: what it set off has begun, and if that is another document, it has loaded.
    async fn after_input(
        &mut self,
        began_ms: f64,
        before: &str,
        did: &str,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let late = format!("{did} the next page did not arrive");
        let settled = self.page.ask(Function::Settle, &json!({}), deadline).await;
        let settled: Answer = self.or_failure(settled, &late).await?;
        let arrived = self
            .page
            .until(deadline, |state| state.loaded && !state.navigating())
            .await;
        self.or_failure(arrived, &late).await?;
        if self.page.state().loader == before {
            return Ok(Moment {
                began_ms,
                ended_ms: settled.at,
            });
        }
        self.document_is_good()?;
        let loaded = self.moment_of_load(deadline).await?;
        Ok(Moment { began_ms, ..loaded })
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

    async fn moment_of_load(&mut self, deadline: Instant) -> Result<Moment, Failure> {
        let answer = self.page.ask(Function::Loaded, &json!({}), deadline).await;
        let answer: Answer = self.or_failure(answer, "the page does not respond").await?;
        self.keep(&answer);
        Ok(Moment {
            began_ms: answer.began.unwrap_or(answer.at),
            ended_ms: answer.at,
        })
    }

    async fn now(&mut self, deadline: Instant) -> Result<f64, Failure> {
        Ok(self.ask(json!({ "what": "now" }), deadline).await?.at)
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
        let answer = self.page.ask(Function::Perform, &request, deadline).await;
        let answer: Answer = self.or_failure(answer, "the page does not respond").await?;
        self.keep(&answer);
        if answer.ok {
            return Ok(answer);
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
