//! What a recording holds, as Chrome's Recorder says it. Its words are not those of a journey.

use std::{ops::Range, time::Duration};

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::{Map, Value};

/// What was recorded.
#[derive(Clone, Debug)]
pub struct Recording {
    /// As the user called it.
    pub title: String,
    /// For each step that has none of its own.
    pub timeout: Option<Duration>,
    /// In their order.
    pub steps: Vec<Recorded>,
}

/// One recorded step.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Where it stands in the file.
    pub at: Range<usize>,
    /// Its place, from 1.
    pub number: usize,
    /// The word for what is done.
    pub kind: String,
    /// How the user calls what begins here.
    pub title: Option<String>,
    /// How long it may take.
    pub timeout: Option<Duration>,
    /// The address of the window or frame that it is done in; nothing: the first window.
    pub target: Option<String>,
    /// The way to the frame that it is done in, from the target's own page.
    pub frame: Vec<usize>,
    /// Where it leads.
    pub navigations: Vec<Navigation>,
    /// What is done.
    pub done: Done,
}

/// Where a step leads; what is empty was not recorded.
#[derive(Clone, Debug)]
pub struct Navigation {
    /// The whole address.
    pub url: String,
    /// The title of the page.
    pub title: String,
}

/// What a step does; the words are the Recorder's.
#[derive(Clone, Debug)]
pub enum Done {
    SetViewport(Viewport),
    EmulateNetworkConditions(NetworkConditions),
    Navigate {
        url: String,
    },
    Click(Click),
    DoubleClick(Click),
    Hover(Selectors),
    Change(Change),
    KeyDown {
        key: String,
    },
    KeyUp {
        key: String,
    },
    Scroll(Scroll),
    Close,
    WaitForElement(WaitForElement),
    WaitForExpression {
        expression: String,
    },
    /// Only tells how what follows is called.
    Title,
}

/// How large the window is, in CSS pixels, and what kind of screen it is on.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Viewport {
    pub width: u32,
    pub height: u32,
    pub device_scale_factor: f64,
    pub is_mobile: bool,
    pub has_touch: bool,
    pub is_landscape: bool,
}

/// How slow the network is: bytes a second, and milliseconds.
#[derive(Clone, Debug, Deserialize)]
pub struct NetworkConditions {
    pub download: f64,
    pub upload: f64,
    pub latency: f64,
}

/// An element and nothing more.
#[derive(Clone, Debug, Deserialize)]
pub struct Selectors {
    pub selectors: Vec<Chain>,
}

/// One way to an element: a selector, or several from shadow root to shadow root.
#[derive(Clone, Debug)]
pub struct Chain(pub Vec<String>);

/// A click on an element: where on it, in CSS pixels from its top left corner, and for how many milliseconds.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Click {
    pub selectors: Vec<Chain>,
    pub offset_x: f64,
    pub offset_y: f64,
    pub button: Option<Button>,
    pub duration: Option<f64>,
}

/// A button of the mouse, as `PointerEvent` calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Button {
    Primary,
    Auxiliary,
    Secondary,
    Back,
    Forward,
}

/// A control and its new value.
#[derive(Clone, Debug, Deserialize)]
pub struct Change {
    pub selectors: Vec<Chain>,
    pub value: String,
}

/// A place of the page, or of a box, in CSS pixels.
#[derive(Clone, Debug, Deserialize)]
pub struct Scroll {
    pub selectors: Option<Vec<Chain>>,
    #[serde(default)]
    pub x: f64,
    #[serde(default)]
    pub y: f64,
}

/// So many elements with these attributes and properties; with `visible: false`, that this is not so.
#[derive(Clone, Debug, Deserialize)]
pub struct WaitForElement {
    pub selectors: Vec<Chain>,
    pub operator: Option<Operator>,
    pub count: Option<u64>,
    pub visible: Option<bool>,
    #[serde(default)]
    pub attributes: Map<String, Value>,
    #[serde(default)]
    pub properties: Map<String, Value>,
}

/// How many there must be, beside the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Operator {
    #[serde(rename = ">=")]
    AtLeast,
    #[serde(rename = "==")]
    Is,
    #[serde(rename = "<=")]
    AtMost,
}

impl<'de> Deserialize<'de> for Chain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parts = match Value::deserialize(deserializer)? {
            Value::String(selector) => vec![Value::String(selector)],
            Value::Array(parts) => parts,
            other => return Err(D::Error::custom(format!("`{other}` is no selector"))),
        };
        let parts: Option<Vec<String>> = parts
            .into_iter()
            .map(|part| part.as_str().map(str::to_owned))
            .collect();
        match parts {
            Some(parts) if !parts.is_empty() => Ok(Self(parts)),
            _ => Err(D::Error::custom("a list of selectors holds something else")),
        }
    }
}
