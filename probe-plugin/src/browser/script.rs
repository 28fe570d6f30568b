//! The robot's script in a page (`in_page/`): how it is put there, how it is called, what it answers.

use headless_chrome::protocol::cdp::types::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::connection::SessionId;

/// The script, which each document runs in a world of its own that the page can neither see nor change.
pub const SOURCE: &str = concat!(
    "globalThis.vigia = (() => {\n'use strict';\n",
    include_str!("in_page/sight.js"),
    include_str!("in_page/names.js"),
    include_str!("in_page/find.js"),
    include_str!("in_page/pointer.js"),
    include_str!("in_page/fields.js"),
    include_str!("in_page/expect.js"),
    include_str!("in_page/holds.js"),
    include_str!("in_page/vitals.js"),
    include_str!("in_page/perform.js"),
    "return { perform, settle, loaded, through, cancel };\n})();\n",
);

/// A function of the script.
#[derive(Clone, Copy, Debug)]
pub enum Function {
    /// Waits until something can be done or is to be seen.
    Perform,
    /// Lets what an input set off begin.
    Settle,
    /// When the document was asked for and complete.
    Loaded,
    /// Stops a wait.
    Cancel,
}

/// `Runtime.callFunctionOn` with the few parameters that are used, and an answer that is read leniently.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    function_declaration: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_context_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_id: Option<String>,
    arguments: [Argument; 1],
    await_promise: bool,
    return_by_value: bool,
}

#[derive(Debug, Serialize)]
struct Argument {
    value: serde_json::Value,
}

/// What came back.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Returned {
    result: ResultValue,
    exception_details: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct ResultValue {
    value: Option<serde_json::Value>,
}

impl Method for Call {
    const NAME: &'static str = "Runtime.callFunctionOn";
    type ReturnObject = Returned;
}

impl Call {
    /// Of a function in a world.
    pub fn new(function: Function, world: i64, argument: serde_json::Value) -> Self {
        Self {
            function_declaration: match function {
                Function::Perform => "request => vigia.perform(request)",
                Function::Settle => "() => vigia.settle()",
                Function::Loaded => "() => vigia.loaded()",
                Function::Cancel => "id => vigia.cancel(id)",
            },
            execution_context_id: Some(world),
            object_id: None,
            arguments: [Argument { value: argument }],
            await_promise: true,
            return_by_value: true,
        }
    }

    /// Where a point of the content of this frame element is in the window that the element stands in.
    pub fn through(object_id: String, x: f64, y: f64) -> Self {
        Self {
            function_declaration: "function (point) { return vigia.through(this, point) }",
            execution_context_id: None,
            object_id: Some(object_id),
            arguments: [Argument {
                value: json!({ "x": x, "y": y }),
            }],
            await_promise: false,
            return_by_value: true,
        }
    }
}

impl Returned {
    /// The value, or what was thrown.
    pub fn value(self) -> Result<serde_json::Value, String> {
        match self.exception_details {
            Some(details) => Err(thrown(&details)),
            None => Ok(self.result.value.unwrap_or_default()),
        }
    }
}

/// Where the script of one frame is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The frame.
    pub frame: String,
    /// The session of its process.
    pub session: SessionId,
    /// The script's world in its document.
    pub world: i64,
}

/// What the script answers. Times are in milliseconds since 1970 by the browser's monotonic clock.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Answer {
    /// It is so, or it was done.
    pub ok: bool,
    /// What kind of no it is.
    pub why: Option<String>,
    /// For whoever repairs it.
    pub message: Option<String>,
    /// When it was asked, or when the input came.
    pub began: Option<f64>,
    /// When it was so.
    pub at: f64,
    /// Not so at the first look.
    #[serde(default)]
    pub waited: bool,
    /// Which of several selectors found the element.
    #[serde(default)]
    pub won: usize,
    /// Where to point, in CSS pixels of the frame.
    pub x: Option<f64>,
    /// Where to point.
    pub y: Option<f64>,
    /// Whether the input reached what it was meant for; nothing where no event came.
    pub landed: Option<bool>,
    /// What was asked for.
    pub value: Option<serde_json::Value>,
    /// What the browser measured of the document until now.
    pub page: Option<serde_json::Value>,
}

fn thrown(details: &serde_json::Value) -> String {
    let said = details["exception"]["description"]
        .as_str()
        .or(details["text"].as_str());
    said.and_then(|said| said.lines().next())
        .unwrap_or("nothing was said")
        .to_owned()
}
