//! One thing done inside a step, as the operator writes it: a table with a single key that names the action.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;
use vigia_contract::{duration, secret::Template};

use super::{
    Change, Click, Cookie, Destination, Dialog, Drag, Expectation, FramePath, Hover, Key,
    NetworkSpeed, Press, Screenshot, Script, Scroll, Select, Store, Tab, Target, Type, Typed,
    Upload, Viewport,
};

/// What the robot does.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Opens an address and waits until the page has loaded.
    #[serde(deserialize_with = "address")]
    Goto(Template),
    /// Goes to the page before this one, as the browser's button does.
    Back,
    /// Goes to the page that was left by going back.
    Forward,
    /// Loads the page anew, as the browser's button does.
    Reload,
    /// Clicks an element with the mouse.
    Click(Click),
    /// Brings the mouse to an element.
    Hover(Hover),
    /// Takes an element with the mouse and lets it go on another.
    Drag(Drag),
    /// Scrolls the page, or a box in it.
    Scroll(Scroll),
    /// Puts a text into a field, in place of what it holds.
    Fill(Fill),
    /// Types a text key by key.
    Type(Type),
    /// Presses a key: `Enter`, `Tab`, an arrow, a single character, `Control+A`.
    Press(Press),
    /// Holds a key down until it is let go: what is typed and clicked meanwhile is with this key.
    KeyDown(Key),
    /// Lets a key go.
    KeyUp(Key),
    /// Gives a control a new value, whatever kind of control it is: a field, a list, a box.
    Change(Change),
    /// Chooses options of a list.
    Select(Select),
    /// Ticks a box, a radio button or a switch.
    Check(Target),
    /// Takes the tick out of a box or a switch.
    Uncheck(Target),
    /// Hands files to a page.
    Upload(Upload),
    /// Answers a dialog that the action before it opens, or one that comes by itself.
    Dialog(Dialog),
    /// Turns to another tab or window, or closes the one in front.
    Tab(Tab),
    /// Looks at one frame alone from now on.
    Frame(FramePath),
    /// Gives the window another size, or makes it that of a telephone.
    Viewport(Viewport),
    /// Makes the network as slow as that of some users.
    Network(NetworkSpeed),
    /// Gives the browser a cookie, or takes some away.
    Cookie(Cookie),
    /// Waits until the page shows or holds something.
    Expect(Expectation),
    /// Keeps something that the page shows or holds, for later.
    Store(Store),
    /// Runs JavaScript in the page's own world.
    Script(Script),
    /// Keeps a picture of the page under this name, where artifacts are kept. Its time does not count.
    Screenshot(Screenshot),
    /// Does nothing for a while, as a user who reads. The time counts.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Written")]
    Wait(Duration),
}

/// A field and its new text; for a date, a time, a colour or a range what such a field holds: `2026-05-31`, `14:30`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fill {
    /// The field.
    pub field: Target,
    /// May hold references to secrets and to one-time codes.
    pub with: Typed,
}

/// An address that a browser opens over the network.
fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Template, D::Error> {
    let address = Template::deserialize(deserializer)?;
    let shown = address.shown();
    // What begins with a reference that could not be filled in is told already.
    if !["http://", "https://", "${"]
        .iter()
        .any(|beginning| shown.starts_with(beginning))
    {
        return Err(D::Error::custom(format!(
            "`{shown}` is no address of a page\nhint: begin with https:// or http://"
        )));
    }
    Ok(address)
}

impl Action {
    /// The word that it is written with.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Goto(_) => "goto",
            Self::Back => "back",
            Self::Forward => "forward",
            Self::Reload => "reload",
            Self::Click(_) => "click",
            Self::Hover(_) => "hover",
            Self::Drag(_) => "drag",
            Self::Scroll(_) => "scroll",
            Self::Fill(_) => "fill",
            Self::Type(_) => "type",
            Self::Press(_) => "press",
            Self::KeyDown(_) => "key_down",
            Self::KeyUp(_) => "key_up",
            Self::Change(_) => "change",
            Self::Select(_) => "select",
            Self::Check(_) => "check",
            Self::Uncheck(_) => "uncheck",
            Self::Upload(_) => "upload",
            Self::Dialog(_) => "dialog",
            Self::Tab(_) => "tab",
            Self::Frame(_) => "frame",
            Self::Viewport(_) => "viewport",
            Self::Network(_) => "network",
            Self::Cookie(_) => "cookie",
            Self::Expect(_) => "expect",
            Self::Store(_) => "store",
            Self::Script(_) => "script",
            Self::Screenshot(_) => "screenshot",
            Self::Wait(_) => "wait",
        }
    }

    /// What it is done to, as the script in the page takes it: where somebody has to look when it fails.
    pub fn is_about(&self) -> Option<Value> {
        let target = match self {
            Self::Click(click) => &click.on,
            Self::Hover(hover) => &hover.on,
            Self::Drag(drag) => &drag.from,
            Self::Fill(fill) => &fill.field,
            Self::Type(typing) => typing.field.as_ref()?,
            Self::Press(press) => press.on.as_ref()?,
            Self::Change(change) => &change.field,
            Self::Select(select) => &select.field,
            Self::Scroll(Scroll::To(target))
            | Self::Check(target)
            | Self::Uncheck(target)
            | Self::Upload(Upload {
                to: Destination::Field(target) | Destination::Onto(target),
                ..
            }) => target,
            Self::Expect(expectation) => return expectation.is_about(),
            Self::Store(store) => &store.from,
            _ => return None,
        };
        Some(target.for_script())
    }

    /// It only looks, keeps or waits: it leads to no other page.
    pub const fn only_looks(&self) -> bool {
        matches!(
            self,
            Self::Expect(_)
                | Self::Store(_)
                | Self::Dialog(_)
                | Self::Screenshot(_)
                | Self::Wait(_)
        )
    }

    /// It looks at a document or does something to it, be it the blank one of a tab that has shown nothing yet.
    pub const fn is_about_a_document(&self) -> bool {
        !matches!(
            self,
            Self::Goto(_)
                | Self::Dialog(_)
                | Self::Viewport(_)
                | Self::Network(_)
                | Self::Cookie(_)
                | Self::Wait(_)
        )
    }

    /// The names of the secrets that it types.
    pub fn secrets(&self) -> Vec<&str> {
        match self {
            Self::Goto(template) => template.secrets().collect(),
            Self::Fill(Fill { with: typed, .. })
            | Self::Type(Type { with: typed, .. })
            | Self::Change(Change { to: typed, .. }) => typed.secrets().collect(),
            Self::Dialog(dialog) => dialog.typed.iter().flat_map(Template::secrets).collect(),
            Self::Cookie(Cookie::Set(set)) => set.value.secrets().collect(),
            Self::Cookie(Cookie::Clear(_))
            | Self::Back
            | Self::Forward
            | Self::Reload
            | Self::Tab(_)
            | Self::Frame(_)
            | Self::Viewport(_)
            | Self::Network(_)
            | Self::KeyDown(_)
            | Self::KeyUp(_)
            | Self::Click(_)
            | Self::Hover(_)
            | Self::Drag(_)
            | Self::Scroll(_)
            | Self::Press(_)
            | Self::Select(_)
            | Self::Check(_)
            | Self::Uncheck(_)
            | Self::Upload(_)
            | Self::Expect(_)
            | Self::Store(_)
            | Self::Script(_)
            | Self::Screenshot(_)
            | Self::Wait(_) => Vec::new(),
        }
    }

    /// The names of the secrets that hold the keys of the one-time codes that it types.
    pub fn codes(&self) -> Vec<&str> {
        match self {
            Self::Fill(Fill { with: typed, .. })
            | Self::Type(Type { with: typed, .. })
            | Self::Change(Change { to: typed, .. }) => typed.codes().collect(),
            _ => Vec::new(),
        }
    }
}
