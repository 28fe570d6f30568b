//! What is done with the mouse, as the operator writes it: `click`, `hover`, `drag`, `scroll`.

use std::{fmt, time::Duration};

use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{
        Error, MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};

use vigia_contract::duration;

use super::Target;

/// A click, written as a selector or list of selectors, or as a table with options.
#[derive(Clone, Debug)]
pub struct Click {
    /// What is clicked.
    pub on: Target,
    /// Which button of the mouse.
    pub button: Button,
    /// 1, 2 for a double click, 3 for a triple click.
    pub count: u32,
    /// The keys that are held down.
    pub modifiers: Vec<Modifier>,
    /// Where; a free point of the element, its middle first, where it is left out.
    pub offset: Option<Offset>,
    /// How long the button stays down, the last time.
    pub hold: Option<Duration>,
}

/// A move of the mouse onto an element, where it stays.
#[derive(Clone, Debug)]
pub struct Hover {
    /// What it comes to.
    pub on: Target,
    /// Where; a free point of the element, its middle first, where it is left out.
    pub offset: Option<Offset>,
}

/// An element taken with the mouse and let go on another.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Drag {
    /// What is taken.
    pub from: Target,
    /// What it is let go on.
    pub to: Target,
    /// Where on `to`; its middle where it is left out.
    pub offset: Option<Offset>,
}

/// A way of scrolling.
#[derive(Clone, Debug)]
pub enum Scroll {
    /// Until this element is in the window.
    To(Target),
    /// By the wheel of the mouse.
    By {
        /// How far, in CSS pixels.
        by: Distance,
        /// Over which box; the page where there is none.
        over: Option<Target>,
    },
    /// By the wheel of the mouse, until something can be seen: the rows of some lists are there only while they are near.
    Until {
        /// What is to be seen.
        until: Target,
        /// Over which box; the page where there is none.
        over: Option<Target>,
    },
    /// By a script, at once, until this point is in the upper left corner.
    At {
        /// The point, in CSS pixels of what is scrolled.
        at: Distance,
        /// Of which box; of the page where there is none.
        of: Option<Target>,
    },
}

/// A button of the mouse.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Button {
    /// The one that clicks.
    #[default]
    Left,
    /// The wheel.
    Middle,
    /// The one that opens a menu.
    Right,
    /// The one at the side that goes back.
    Back,
    /// The one at the side that goes forward.
    Forward,
}

/// A key that is held down, by the name of `KeyboardEvent.key`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Modifier {
    /// Alt.
    Alt,
    /// Ctrl.
    Control,
    /// The Windows key, or Command.
    Meta,
    /// Shift.
    Shift,
}

/// A point inside an element, in CSS pixels from its top left corner.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Offset {
    /// To the right.
    #[serde(deserialize_with = "inside")]
    pub x: f64,
    /// Down.
    #[serde(deserialize_with = "inside")]
    pub y: f64,
}

/// How far to scroll, in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Distance {
    /// To the right.
    #[serde(default)]
    pub x: f64,
    /// Down.
    #[serde(default)]
    pub y: f64,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClickTable {
    on: Target,
    #[serde(default)]
    button: Button,
    count: Option<u32>,
    #[serde(default)]
    modifiers: Vec<Modifier>,
    offset: Option<Offset>,
    #[serde(default, deserialize_with = "duration::deserialize_some")]
    #[schemars(with = "Option<duration::Written>")]
    hold: Option<Duration>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HoverTable {
    on: Target,
    offset: Option<Offset>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ScrollTable {
    to: Option<Target>,
    by: Option<Distance>,
    until: Option<Target>,
    at: Option<Distance>,
    r#in: Option<Target>,
}

impl From<Target> for Click {
    fn from(on: Target) -> Self {
        Self {
            on,
            button: Button::Left,
            count: 1,
            modifiers: Vec::new(),
            offset: None,
            hold: None,
        }
    }
}

impl From<Target> for Hover {
    fn from(on: Target) -> Self {
        Self { on, offset: None }
    }
}

impl<'de> Deserialize<'de> for Click {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = match short_or_table::<D, ClickTable>(deserializer)? {
            Written::Short(on) => return Ok(on.into()),
            Written::Table(table) => table,
        };
        let count = table.count.unwrap_or(1);
        if !(1..=3).contains(&count) {
            return Err(D::Error::custom(format!(
                "a `count` of {count} is no click\nhint: 2 is a double click, 3 a triple click"
            )));
        }
        Ok(Self {
            on: table.on,
            button: table.button,
            count,
            modifiers: table.modifiers,
            offset: table.offset,
            hold: table.hold,
        })
    }
}

impl<'de> Deserialize<'de> for Hover {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match short_or_table::<D, HoverTable>(deserializer)? {
            Written::Short(on) => on.into(),
            Written::Table(HoverTable { on, offset }) => Self { on, offset },
        })
    }
}

impl<'de> Deserialize<'de> for Scroll {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ScrollTable {
            to,
            by,
            until,
            at,
            r#in,
        } = ScrollTable::deserialize(deserializer)?;
        match (to, by, until, at) {
            (Some(to), None, None, None) if r#in.is_none() => Ok(Self::To(to)),
            (None, Some(by), None, None) if by.x != 0.0 || by.y != 0.0 => {
                Ok(Self::By { by, over: r#in })
            }
            (None, None, Some(until), None) => Ok(Self::Until { until, over: r#in }),
            (None, None, None, Some(at)) => Ok(Self::At { at, of: r#in }),
            _ => Err(D::Error::custom(
                "a `scroll` says one of `to`, `by`, `until` and `at`\nhint: { to = \"text=Fila 9\" }, { by = { y = 600 } }, { in = \"#lista\", until = \"text=Fila 4000\" } or { at = { y = 0 } }; `in` goes with all but `to`",
            )),
        }
    }
}

fn inside<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let value = f64::deserialize(deserializer)?;
    if value.is_finite() && value >= 0.0 {
        return Ok(value);
    }
    Err(D::Error::custom(format!(
        "an offset of {value} is outside the element\nhint: it is counted from the element's top left corner"
    )))
}

enum Written<T> {
    Short(Target),
    Table(T),
}

/// Selectors alone, or a table.
fn short_or_table<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Written<T>, D::Error> {
    deserializer.deserialize_any(WrittenVisitor(std::marker::PhantomData))
}

struct WrittenVisitor<T>(std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for WrittenVisitor<T> {
    type Value = Written<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a selector, a list of selectors, or a table with `on`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Target::deserialize(serde::de::value::StrDeserializer::new(text)).map(Written::Short)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<Self::Value, A::Error> {
        Target::deserialize(SeqAccessDeserializer::new(sequence)).map(Written::Short)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Written::Table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journey::Action;

    #[derive(Debug, Deserialize)]
    struct Line {
        action: Action,
    }

    fn read(action: &str) -> Result<Action, String> {
        let line: Result<Line, _> = toml::from_str(&format!("action = {action}"));
        line.map(|line| line.action)
            .map_err(|error| error.message().to_owned())
    }

    #[test]
    fn an_action_of_the_mouse_is_written_short_or_with_options() {
        for action in [
            "{ click = 'text=A' }",
            "{ click = ['text=A', '#a'] }",
            "{ click = { on = ['text=A', '#a'], button = 'right', count = 3, modifiers = ['Meta'], offset = { x = 1, y = 2.5 } } }",
            "{ hover = 'text=A' }",
            "{ hover = { on = 'text=A', offset = { x = 0, y = 0 } } }",
            "{ drag = { from = '#a', to = ['#b', '#c'] } }",
            "{ scroll = { to = '#a' } }",
            "{ scroll = { by = { x = -5.0 }, in = '#a' } }",
            "{ scroll = { until = 'text=A' } }",
            "{ scroll = { at = { x = 0, y = 0 }, in = '#a' } }",
            "{ click = { on = '#a', button = 'back', hold = '1s' } }",
        ] {
            assert!(read(action).is_ok(), "{action}: {:?}", read(action));
        }
    }

    #[test]
    fn an_action_of_the_mouse_that_makes_no_sense_is_refused_with_a_hint() {
        for action in [
            "{ click = { on = '#a', count = 4 } }",
            "{ click = { on = '#a', offset = { x = -1, y = 0 } } }",
            "{ click = { on = 'lable=A' } }",
            "{ scroll = { to = '#a', by = { y = 5 } } }",
            "{ scroll = { by = { x = 0 } } }",
            "{ scroll = { to = '#a', in = '#b' } }",
            "{ scroll = {} }",
        ] {
            let told = read(action).unwrap_err();
            assert!(told.contains("\nhint: "), "{action}: {told}");
        }
        for (action, told) in [
            ("{ click = { button = 'right' } }", "missing field `on`"),
            (
                "{ click = { on = '#a', times = 2 } }",
                "unknown field `times`, expected one of `on`, `button`, `count`, `modifiers`, `offset`, `hold`",
            ),
            (
                "{ click = 7 }",
                "invalid type: integer `7`, expected a selector, a list of selectors, or a table with `on`",
            ),
            ("{ drag = { from = '#a' } }", "missing field `to`"),
        ] {
            assert_eq!(read(action).unwrap_err(), told, "{action}");
        }
    }
}
