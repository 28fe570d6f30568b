//! The robot's script in a page (`in_page/`): how it is put there, how it is called, what it answers.

use std::sync::LazyLock;

use headless_chrome::protocol::cdp::types::Method;
use serde::{Deserialize, Serialize};
use serde_json::{
    json,
    value::{RawValue, to_raw_value},
};

use super::{connection::SessionId, frames::WORLD, vitals::Vitals};

/// The script, which each document runs in a world of its own that the page can neither see nor change. Chromium keeps it
/// with every session, copies it to the page's process and reads it for every document: it goes there without what is for
/// people alone.
pub static SOURCE: LazyLock<String> = LazyLock::new(|| lean(WRITTEN));

/// As it is written.
const WRITTEN: &str = concat!(
    "globalThis.vigia = (() => {\n'use strict';\n",
    include_str!("in_page/sight.js"),
    include_str!("in_page/roles.js"),
    include_str!("in_page/names.js"),
    include_str!("in_page/text.js"),
    include_str!("in_page/find.js"),
    include_str!("in_page/instead.js"),
    include_str!("in_page/marked.js"),
    include_str!("in_page/pointer.js"),
    include_str!("in_page/guard.js"),
    include_str!("in_page/wheel.js"),
    include_str!("in_page/fields.js"),
    include_str!("in_page/choices.js"),
    include_str!("in_page/files.js"),
    include_str!("in_page/expect.js"),
    include_str!("in_page/holds.js"),
    include_str!("in_page/vitals.js"),
    include_str!("in_page/perform.js"),
    "return { perform, settle, through, cancel, fileField: () => fileField, named: marked, of: home };\n})();\n",
);

/// Without comments and indentation.
fn lean(written: &str) -> String {
    let lines = written.lines().map(str::trim);
    let code = lines.filter(|line| !line.is_empty() && !line.starts_with("//"));
    code.flat_map(|line| [line, "\n"]).collect()
}

/// Whether the document that a session begins with is worth the robot's script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// A page may have written into it.
    Scripted,
    /// It is the blank one of a tab of our own: nearly every journey leaves it unseen, and the script is the dearest part of
    /// opening a tab. [`super::Context::wake`] brings it to those that do not.
    Bare,
}

/// Has every new document run the script. It is most of what a session is told, so it is written as JSON once for all.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(transparent)]
pub struct Install(&'static RawValue);

impl Install {
    /// For a session that begins with such a document.
    pub fn new(first: First) -> Self {
        static SCRIPTED: LazyLock<Box<RawValue>> = LazyLock::new(|| written(First::Scripted));
        static BARE: LazyLock<Box<RawValue>> = LazyLock::new(|| written(First::Bare));
        Self(match first {
            First::Scripted => &SCRIPTED,
            First::Bare => &BARE,
        })
    }
}

fn written(first: First) -> Box<RawValue> {
    let at_once = first == First::Scripted;
    let params = json!({ "source": *SOURCE, "worldName": WORLD, "runImmediately": at_once });
    to_raw_value(&params).expect("texts and a truth are JSON")
}

impl Method for Install {
    const NAME: &'static str = "Page.addScriptToEvaluateOnNewDocument";
    type ReturnObject = serde_json::Value;
}

/// Puts the script into a world anew where it is still that of the document before.
///
/// The first document of a window that a page opens takes over the blank one's window, and with it this world: the
/// script is there, but it is that of the blank document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Renew {
    expression: String,
    context_id: i64,
}

impl Renew {
    /// In a world that has been there before the document.
    pub fn new(world: i64) -> Self {
        Self {
            expression: format!("if (globalThis.vigia?.of !== document) {{ {} }}", *SOURCE),
            context_id: world,
        }
    }
}

impl Method for Renew {
    const NAME: &'static str = "Runtime.evaluate";
    type ReturnObject = serde_json::Value;
}

/// A function of the script.
#[derive(Clone, Copy, Debug)]
pub enum Function {
    /// Waits until something can be done or is to be seen.
    Perform,
    /// Lets what an input set off begin.
    Settle,
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
#[serde(rename_all = "camelCase")]
struct ResultValue {
    value: Option<serde_json::Value>,
    object_id: Option<String>,
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
                Function::Cancel => "id => vigia.cancel(id)",
            },
            execution_context_id: Some(world),
            object_id: None,
            arguments: [Argument { value: argument }],
            await_promise: true,
            return_by_value: true,
        }
    }

    /// The file field that the script found last, as an object of the protocol.
    pub fn file_field(world: i64) -> Self {
        Self {
            function_declaration: "() => vigia.fileField()",
            execution_context_id: Some(world),
            object_id: None,
            arguments: [Argument {
                value: serde_json::Value::Null,
            }],
            await_promise: false,
            return_by_value: false,
        }
    }

    /// The element that is meant, or what stands where it was expected, as an object of the protocol.
    pub fn named(world: i64, target: serde_json::Value) -> Self {
        Self {
            function_declaration: "target => vigia.named(target)",
            execution_context_id: Some(world),
            object_id: None,
            arguments: [Argument { value: target }],
            await_promise: false,
            return_by_value: false,
        }
    }

    /// The document itself, as an object of the protocol.
    pub fn document(world: i64) -> Self {
        Self {
            function_declaration: "() => document",
            execution_context_id: Some(world),
            object_id: None,
            arguments: [Argument {
                value: serde_json::Value::Null,
            }],
            await_promise: false,
            return_by_value: false,
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
            await_promise: true,
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

impl Returned {
    /// The object's identity; nothing where no object was returned.
    pub fn object(self) -> Option<String> {
        self.result.object_id
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

/// What the script answers. Its times are in milliseconds by the page's clock, until the run's clock has turned them.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Answer {
    /// It is so, or it was done.
    pub ok: bool,
    /// What kind of no it is.
    pub why: Option<String>,
    /// For whoever repairs it.
    pub message: Option<String>,
    /// The first look.
    pub began: f64,
    /// The last one, or what was asked for.
    pub at: f64,
    /// What is there now came then; nothing where it may have been there for long.
    pub came: Option<f64>,
    /// What was not ready at the first look was ready then.
    pub ready: Option<f64>,
    /// The last thing that the script did.
    pub answered: f64,
    /// Where the script itself did what a user does: when it began to.
    pub input: Option<f64>,
    /// Which of several selectors found the element.
    #[serde(default)]
    pub won: usize,
    /// Where to point, in CSS pixels of the frame.
    pub x: Option<f64>,
    /// Where to point.
    pub y: Option<f64>,
    /// What was asked for.
    pub value: Option<serde_json::Value>,
    /// What the browser measured of the document until now.
    pub page: Option<Vitals>,
}

fn thrown(details: &serde_json::Value) -> String {
    let said = details["exception"]["description"]
        .as_str()
        .or(details["text"].as_str());
    said.and_then(|said| said.lines().next())
        .unwrap_or("nothing was said")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_what_chromium_keeps_with_one_byte_a_letter() {
        let letter = SOURCE.chars().find(|letter| !letter.is_ascii());
        assert_eq!(letter, None, "write it as \\u....");
    }

    #[test]
    fn no_text_of_the_script_is_over_several_lines_so_that_lines_can_be_shortened() {
        for line in WRITTEN
            .lines()
            .filter(|line| !line.trim().starts_with("//"))
        {
            assert_eq!(line.matches('`').count() % 2, 0, "{line}");
        }
        assert_eq!(lean("// why\n  a;\n\n    // and\n\tb;\n"), "a;\nb;\n");
    }
}
