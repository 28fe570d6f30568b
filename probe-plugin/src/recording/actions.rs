//! What a recorded step does, in the written form of a journey's actions.

use std::time::Duration;

use toml::{Table, Value};

use super::{
    recorded::{
        Button, Change, Click, Done, NetworkConditions, Operator, Recorded, Scroll, Viewport,
        WaitForElement,
    },
    selector::target,
};

/// How long a page may take to load where its step does not say: Puppeteer's own limit, which the others do not share.
const NAVIGATE_TIMEOUT: Duration = Duration::from_secs(30);

/// Where the robot looks by now, as far as the recording tells.
#[derive(Debug, Default, PartialEq, Eq)]
pub enum Looking {
    /// At the page of the first window.
    #[default]
    AtMain,
    /// At a frame of it, or at another window, or at a frame of that.
    At {
        target: Option<String>,
        frame: Vec<usize>,
    },
    /// At what is in front now that a window is closed.
    Unknown,
}

/// What a step does, with a turn to where it does it. What is wrong ends with a hint.
pub fn written(step: &Recorded, looking: &mut Looking) -> Result<Vec<Value>, String> {
    let mut actions = look_there(step, looking);
    let mut act = |name: &str, value: Value| actions.push(within(name, value, step.timeout));
    match &step.done {
        Done::Title => {}
        Done::SetViewport(viewport) => act("viewport", viewport_table(viewport)),
        Done::EmulateNetworkConditions(conditions) => act("network", network_table(conditions)),
        Done::Navigate { url } => {
            if !step.frame.is_empty() {
                return Err(
                    "a frame alone is not sent to an address\nhint: open the page, and click what changes the frame"
                        .into(),
                );
            }
            let timeout = step.timeout.unwrap_or(NAVIGATE_TIMEOUT);
            actions.push(within("goto", url.as_str().into(), Some(timeout)));
        }
        Done::Click(click) => act("click", click_table(click, 1)?),
        Done::DoubleClick(click) => act("click", click_table(click, 2)?),
        Done::Hover(on) => act("hover", target(&on.selectors)?),
        Done::Change(change) => act("change", change_table(change)?),
        Done::KeyDown { key } => act("key_down", key_name(key).into()),
        Done::KeyUp { key } => act("key_up", key_name(key).into()),
        Done::Scroll(scroll) => act("scroll", scroll_table(scroll)?),
        Done::Close => {
            act("tab", "close".into());
            *looking = Looking::Unknown;
        }
        Done::WaitForElement(wait) => act("expect", wait_table(wait)?),
        Done::WaitForExpression { expression } => {
            act(
                "expect",
                table([("expression", expression.as_str().into())]),
            );
        }
    }
    actions.extend(arrival(step));
    Ok(actions)
}

/// A key that goes down and up again, and nothing between.
pub fn press(step: &Recorded, key: &str, looking: &mut Looking) -> Vec<Value> {
    let mut actions = look_there(step, looking);
    actions.push(within("press", key_name(key).into(), step.timeout));
    actions.extend(arrival(step));
    actions
}

fn look_there(step: &Recorded, looking: &mut Looking) -> Vec<Value> {
    let there = if step.target.is_none() && step.frame.is_empty() {
        Looking::AtMain
    } else {
        Looking::At {
            target: step.target.clone(),
            frame: step.frame.clone(),
        }
    };
    if matches!(step.done, Done::Title) || there == *looking {
        return Vec::new();
    }
    let before = std::mem::replace(looking, there);
    let (target, frame) = match &before {
        Looking::AtMain => (Some(&None), &[][..]),
        Looking::At { target, frame } => (Some(target), frame.as_slice()),
        Looking::Unknown => (None, &[][..]),
    };
    let mut actions = Vec::new();
    let turns = target != Some(&step.target);
    if turns {
        let tab = match &step.target {
            Some(address) => table([("target", address.as_str().into())]),
            None => "main".into(),
        };
        actions.push(within("tab", tab, step.timeout));
    }
    let frame = if turns { &[][..] } else { frame };
    if frame != step.frame {
        let path: Option<Vec<Value>> = step
            .frame
            .iter()
            .map(|index| i64::try_from(*index).ok().map(Value::Integer))
            .collect();
        let frame = match path {
            Some(path) if !path.is_empty() => table([("path", Value::Array(path))]),
            _ => "main".into(),
        };
        actions.push(within("frame", frame, step.timeout));
    }
    actions
}

/// A recorded navigation has to come, and the page that it comes to has to be the one that was recorded. On the way to that
/// there may have been others.
fn arrival(step: &Recorded) -> Vec<Value> {
    let Some(last) = step.navigations.last() else {
        return Vec::new();
    };
    let mut actions = Vec::new();
    if !matches!(step.done, Done::Navigate { .. }) {
        actions.push(within("expect", "navigation".into(), step.timeout));
    }
    let title = last.title.split_whitespace().collect::<Vec<_>>().join(" ");
    for (what, text) in [("url", last.url.trim()), ("title", title.as_str())] {
        if !text.is_empty() {
            actions.push(within("expect", table([(what, text.into())]), step.timeout));
        }
    }
    actions
}

fn within(name: &str, value: Value, timeout: Option<Duration>) -> Value {
    let mut action = Table::from_iter([(name.to_owned(), value)]);
    if let Some(timeout) = timeout {
        action.insert("timeout".into(), duration(timeout).into());
    }
    Value::Table(action)
}

fn table<const N: usize>(entries: [(&str, Value); N]) -> Value {
    let entries = entries.into_iter();
    Value::Table(
        entries
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    )
}

/// As it is written: `30s`, `500ms`.
pub fn duration(duration: Duration) -> String {
    let milliseconds = duration.as_millis().max(1);
    if milliseconds.is_multiple_of(1000) {
        format!("{}s", milliseconds / 1000)
    } else {
        format!("{milliseconds}ms")
    }
}

/// A whole number is written without its `.0`.
fn number(value: f64) -> Value {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "it is whole and far from the limits of i64"
    )]
    if value.fract() == 0.0 && value.abs() < 1e15 {
        Value::Integer(value as i64)
    } else {
        Value::Float(value)
    }
}

fn viewport_table(viewport: &Viewport) -> Value {
    let mut table = Table::from_iter([
        ("width".to_owned(), i64::from(viewport.width).into()),
        ("height".to_owned(), i64::from(viewport.height).into()),
    ]);
    if (viewport.device_scale_factor - 1.0).abs() > f64::EPSILON {
        table.insert("scale".into(), viewport.device_scale_factor.into());
    }
    for (key, is_so) in [
        ("mobile", viewport.is_mobile),
        ("touch", viewport.has_touch),
        ("landscape", viewport.is_landscape),
    ] {
        if is_so {
            table.insert(key.into(), true.into());
        }
    }
    Value::Table(table)
}

fn network_table(conditions: &NetworkConditions) -> Value {
    let mut table = Table::from_iter([
        ("download".to_owned(), conditions.download.into()),
        ("upload".to_owned(), conditions.upload.into()),
    ]);
    if conditions.latency > 0.0 {
        let latency = Duration::from_secs_f64(conditions.latency / 1000.0);
        table.insert("latency".into(), duration(latency).into());
    }
    Value::Table(table)
}

fn click_table(click: &Click, count: i64) -> Result<Value, String> {
    let mut table = Table::from_iter([("on".to_owned(), target(&click.selectors)?)]);
    if count > 1 {
        table.insert("count".into(), count.into());
    }
    let button = match click.button {
        None | Some(Button::Primary) => None,
        Some(Button::Auxiliary) => Some("middle"),
        Some(Button::Secondary) => Some("right"),
        Some(Button::Back) => Some("back"),
        Some(Button::Forward) => Some("forward"),
    };
    if let Some(button) = button {
        table.insert("button".into(), button.into());
    }
    let offset = [("x", number(click.offset_x)), ("y", number(click.offset_y))];
    table.insert("offset".into(), self::table(offset));
    if let Some(hold) = click.duration.filter(|duration| *duration > 0.0) {
        let hold = Duration::try_from_secs_f64(hold / 1000.0)
            .map_err(|_| "the `duration` is no time\nhint: write milliseconds, for example 500")?;
        table.insert("hold".into(), duration(hold).into());
    }
    Ok(Value::Table(table))
}

fn change_table(change: &Change) -> Result<Value, String> {
    let field = target(&change.selectors)?;
    Ok(table([
        ("field", field),
        ("to", change.value.as_str().into()),
    ]))
}

fn scroll_table(scroll: &Scroll) -> Result<Value, String> {
    let at = table([("x", number(scroll.x)), ("y", number(scroll.y))]);
    Ok(match &scroll.selectors {
        None => table([("at", at)]),
        Some(selectors) => table([("at", at), ("in", target(selectors)?)]),
    })
}

fn wait_table(wait: &WaitForElement) -> Result<Value, String> {
    let mut elements = Table::from_iter([("of".to_owned(), target(&wait.selectors)?)]);
    let count = i64::try_from(wait.count.unwrap_or(1)).unwrap_or(i64::MAX);
    match wait.operator.unwrap_or(Operator::AtLeast) {
        Operator::AtLeast if count == 1 => {}
        Operator::AtLeast => drop(elements.insert("at_least".into(), count.into())),
        Operator::Is => drop(elements.insert("is".into(), count.into())),
        Operator::AtMost => drop(elements.insert("at_most".into(), count.into())),
    }
    for (key, values) in [
        ("attributes", &wait.attributes),
        ("properties", &wait.properties),
    ] {
        if !values.is_empty() {
            let values = Value::try_from(values).map_err(|_| {
                format!(
                    "`null` among its `{key}` cannot be waited for\nhint: use `waitForExpression`"
                )
            })?;
            elements.insert(key.into(), values);
        }
    }
    let what = match wait.visible {
        Some(false) => "absent",
        _ => "present",
    };
    Ok(table([(what, Value::Table(elements))]))
}

/// The key by the name that a journey gives it. Recordings name keys as events do; written by hand they may name them by
/// their place on the keyboard.
fn key_name(key: &str) -> String {
    let by_place = key
        .strip_suffix("Left")
        .or(key.strip_suffix("Right"))
        .filter(|name| ["Alt", "Control", "Meta", "Shift"].contains(name));
    match key {
        "\r" | "\n" | "NumpadEnter" => "Enter".into(),
        "\t" => "Tab".into(),
        _ if by_place.is_some() => by_place.unwrap_or_default().into(),
        _ => {
            let place = key.strip_prefix("Key").or(key.strip_prefix("Digit"));
            let place = place.filter(|place| place.chars().count() == 1);
            place.map_or_else(|| key.to_owned(), str::to_lowercase)
        }
    }
}
