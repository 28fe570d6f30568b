//! Reads the JSON that the Recorder of Chrome's developer tools exports: lenient in what more it may hold, strict in what it
//! means.
//!
//! Every step is read by itself, so that the mistakes of all of them are told at once, each with its line.

use std::{ops::Range, time::Duration};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};
use vigia_contract::mistake::{Mistake, Source};

use super::recorded::{Done, Navigation, Recorded, Recording};

/// The step of an extension that is ours: it only names what follows it. Chrome keeps it where it drops keys that it does not
/// know.
const TITLE_STEP: &str = "vigia-step";

const KINDS: &str = "setViewport, emulateNetworkConditions, navigate, click, doubleClick, hover, change, keyDown, keyUp, \
    scroll, close, waitForElement, waitForExpression";

/// What can be read of it; nothing where it is no recording at all. Everything that is wrong is told.
pub fn parse(source: &Source, mistakes: &mut Vec<Mistake>) -> Option<Recording> {
    #[derive(Deserialize)]
    struct Flow<'t> {
        title: String,
        timeout: Option<Value>,
        #[serde(borrow)]
        steps: Vec<&'t RawValue>,
    }
    let text = without_source_map(&source.text);
    let flow: Flow<'_> = match serde_json::from_str(text) {
        Ok(flow) => flow,
        Err(error) => {
            let at = position(text, error.line(), error.column());
            mistakes.push(source.mistake(
                at..at,
                format!("is no recording: {}", without_place(&error)),
                "export it from Chrome's Recorder as \"JSON\"",
            ));
            return None;
        }
    };
    let whole = 0..text.len();
    if flow.title.trim().is_empty() {
        mistakes.push(source.mistake(
            whole.clone(),
            "the recording has no title",
            "give it one: \"title\": \"Consultar trámite\"",
        ));
    }
    if flow.steps.is_empty() {
        mistakes.push(source.mistake(
            whole.clone(),
            "the recording has no step",
            "record what your users do, and export it again",
        ));
    }
    let timeout = flow.timeout.map(|value| read_timeout(&value)).transpose();
    let timeout = timeout.unwrap_or_else(|what| {
        mistakes.push(source.mistake(whole, what, TIMEOUT_HINT));
        None
    });
    let mut steps = Vec::new();
    for (index, raw) in flow.steps.into_iter().enumerate() {
        let start = raw.get().as_ptr() as usize - text.as_ptr() as usize;
        let at = start..start + raw.get().len();
        match read_step(raw, index + 1, at.clone()) {
            Ok(step) => steps.push(step),
            Err(wrong) => mistakes.extend(
                wrong
                    .into_iter()
                    .map(|(what, hint)| source.mistake(at.clone(), what, hint)),
            ),
        }
    }
    Some(Recording {
        title: flow.title,
        timeout,
        steps,
    })
}

/// Exports can end with lines such as `//# recorderSourceMap=...`, which are no JSON.
fn without_source_map(text: &str) -> &str {
    let mut text = text.trim_end();
    while let Some(start) = text.rfind('\n').map(|end| end + 1)
        && text[start..].trim_start().starts_with("//")
    {
        text = text[..start].trim_end();
    }
    text
}

fn position(text: &str, line: usize, column: usize) -> usize {
    let before = text.split_inclusive('\n').take(line.saturating_sub(1));
    let start: usize = before.map(str::len).sum();
    (start + column.saturating_sub(1)).min(text.len())
}

/// serde's own words without `at line 1 column 2`: that is told beside them.
fn without_place(error: &serde_json::Error) -> String {
    let told = error.to_string();
    match told.rfind(" at line ") {
        Some(end) => told[..end].to_owned(),
        None => told,
    }
}

const TIMEOUT_HINT: &str = "write milliseconds, for example 10000";

fn read_timeout(value: &Value) -> Result<Duration, String> {
    match value.as_f64() {
        Some(milliseconds) if (1.0..=3_600_000.0).contains(&milliseconds) => {
            Ok(Duration::from_secs_f64(milliseconds / 1000.0))
        }
        _ => Err(format!("`{value}` is no time that a step may take")),
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Base {
    r#type: String,
    title: Option<String>,
    timeout: Option<Value>,
    target: Option<String>,
    frame: Vec<usize>,
    asserted_events: Vec<AssertedEvent>,
}

#[derive(Deserialize)]
struct AssertedEvent {
    r#type: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    title: String,
}

#[derive(Deserialize)]
struct CustomStep {
    name: String,
    #[serde(default)]
    parameters: Value,
}

/// What is wrong, and what to do about it.
type Wrong = (String, String);

fn read_step(raw: &RawValue, number: usize, at: Range<usize>) -> Result<Recorded, Vec<Wrong>> {
    let base: Base = serde_json::from_str(raw.get()).map_err(|error| {
        let what = format!("step {number}: {}", without_place(&error));
        vec![(what, FIELD_HINT.to_owned())]
    })?;
    let kind = base.r#type;
    let told = |what: String| format!("step {number}, `{kind}`: {what}");
    let mut wrong: Vec<Wrong> = Vec::new();
    let timeout = base.timeout.map(|value| read_timeout(&value)).transpose();
    let timeout = timeout.unwrap_or_else(|what| {
        wrong.push((told(what), TIMEOUT_HINT.into()));
        None
    });
    for event in &base.asserted_events {
        if event.r#type != "navigation" {
            let what = format!("the asserted event `{}` is unknown", event.r#type);
            let hint = "only `navigation` is known; take the event out";
            wrong.push((told(what), hint.into()));
        }
    }
    let mut title = base.title;
    let done = if kind == "customStep" {
        named_step(raw).map(|named| {
            title = Some(named);
            Done::Title
        })
    } else {
        done(&kind, raw)
    };
    match done {
        Ok(done) if wrong.is_empty() => Ok(Recorded {
            at,
            number,
            title,
            timeout,
            target: base.target.filter(|target| target != "main"),
            frame: base.frame,
            navigations: base
                .asserted_events
                .into_iter()
                .map(|AssertedEvent { url, title, .. }| Navigation { url, title })
                .collect(),
            done,
            kind,
        }),
        Ok(_) => Err(wrong),
        Err((what, hint)) => {
            wrong.insert(0, (told(what), hint));
            Err(wrong)
        }
    }
}

const FIELD_HINT: &str = "compare it with what Chrome's Recorder exports";

fn done(kind: &str, raw: &RawValue) -> Result<Done, Wrong> {
    #[derive(Deserialize)]
    struct Url {
        url: String,
    }
    #[derive(Deserialize)]
    struct Key {
        key: String,
    }
    #[derive(Deserialize)]
    struct Expression {
        expression: String,
    }
    match kind {
        "setViewport" => read(raw).map(Done::SetViewport),
        "emulateNetworkConditions" => read(raw).map(Done::EmulateNetworkConditions),
        "navigate" => read(raw).map(|Url { url }| Done::Navigate { url }),
        "click" => read(raw).map(Done::Click),
        "doubleClick" => read(raw).map(Done::DoubleClick),
        "hover" => read(raw).map(Done::Hover),
        "change" => read(raw).map(Done::Change),
        "keyDown" => read(raw).map(|Key { key }| Done::KeyDown { key }),
        "keyUp" => read(raw).map(|Key { key }| Done::KeyUp { key }),
        "scroll" => read(raw).map(Done::Scroll),
        "close" => Ok(Done::Close),
        "waitForElement" => read(raw).map(Done::WaitForElement),
        "waitForExpression" => {
            read(raw).map(|Expression { expression }| Done::WaitForExpression { expression })
        }
        "" => Err(("it has no `type`".into(), format!("known types: {KINDS}"))),
        _ => Err((
            "unknown type of step".into(),
            format!("known types: {KINDS}"),
        )),
    }
}

fn read<T: DeserializeOwned>(raw: &RawValue) -> Result<T, Wrong> {
    serde_json::from_str(raw.get()).map_err(|error| (without_place(&error), FIELD_HINT.to_owned()))
}

/// A step of an extension is played by nobody but that extension.
fn named_step(raw: &RawValue) -> Result<String, Wrong> {
    let custom: CustomStep = read(raw)?;
    if custom.name != TITLE_STEP {
        return Err((
            format!(
                "the custom step `{}` is played by the extension that made it, and by nothing else",
                custom.name
            ),
            "record what it does as other steps, or take it out".into(),
        ));
    }
    match custom.parameters["title"].as_str() {
        Some(title) if !title.trim().is_empty() => Ok(title.to_owned()),
        _ => Err((
            format!("the step `{TITLE_STEP}` has no title"),
            "write \"parameters\": { \"title\": \"Ingresar\" }".into(),
        )),
    }
}
