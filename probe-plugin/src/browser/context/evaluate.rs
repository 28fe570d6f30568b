//! Runs JavaScript of the operator's in the page's own world, in the document of the tab in front,
//! or of the one frame of it that is looked at.

use std::time::Instant;

use headless_chrome::protocol::cdp::types::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Context, PageError};
use crate::browser::CallError;

/// What became of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Evaluated {
    /// What it returned.
    Value(Value),
    /// What it threw.
    Threw(String),
    /// It is not JavaScript.
    NoScript(String),
    /// The document was left before it came to its end.
    Left,
}

/// `Runtime.evaluate` with the few parameters that are used.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Evaluate {
    expression: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    context_id: Option<i64>,
    await_promise: bool,
    return_by_value: bool,
    /// Pages let some things happen only when a user wants them.
    user_gesture: bool,
}

impl Method for Evaluate {
    const NAME: &'static str = "Runtime.evaluate";
    type ReturnObject = Returned;
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Returned {
    result: ResultValue,
    exception_details: Option<Exception>,
}

#[derive(Debug, Deserialize)]
struct ResultValue {
    value: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Exception {
    text: String,
    exception: Option<Thrown>,
}

#[derive(Debug, Deserialize)]
struct Thrown {
    description: Option<String>,
    value: Option<Value>,
}

impl Context {
    /// `expression` is a promise, so that whatever it does wrong while it runs is a rejection.
    pub async fn evaluate(
        &mut self,
        expression: String,
        deadline: Instant,
    ) -> Result<Evaluated, PageError> {
        self.until(deadline, |context| {
            context.state().is_none_or(|state| !state.navigating())
        })
        .await?;
        // The session's own default is the page's world in the outermost frame of its process.
        let ready = |context: &Self| {
            context
                .frame_in_view()
                .is_none_or(|frame| frame.parent.is_none() || frame.page_world.is_some())
        };
        self.until(deadline, ready).await?;
        let (session, context_id) = match self.frame_in_view() {
            Some(frame) if frame.parent.is_some() => (frame.session.clone(), frame.page_world),
            _ => (self.front_session()?, None),
        };
        let evaluate = Evaluate {
            expression,
            context_id,
            await_promise: true,
            return_by_value: true,
            user_gesture: true,
        };
        let returned = match self.call_in(&session, &evaluate, deadline).await {
            Ok(returned) => returned,
            Err(PageError::Call(CallError::Refused { .. })) => return Ok(Evaluated::Left),
            Err(error) => return Err(error),
        };
        Ok(match returned.exception_details {
            None => Evaluated::Value(returned.result.value.unwrap_or_default()),
            Some(exception) if exception.text.contains("(in promise)") => {
                Evaluated::Threw(exception.told())
            }
            Some(exception) => Evaluated::NoScript(exception.told()),
        })
    }
}

impl Exception {
    /// The first line of what was thrown.
    fn told(self) -> String {
        let thrown = self.exception.and_then(|thrown| match thrown.value {
            Some(Value::String(text)) => Some(text),
            Some(value) => Some(value.to_string()),
            None => thrown.description,
        });
        let told = thrown.unwrap_or(self.text);
        told.lines().next().unwrap_or_default().to_owned()
    }
}
