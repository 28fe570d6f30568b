//! What a test expects, and what it waits for: both are waited for in a journey.

use toml::Value;

use super::{
    forms::known_text,
    side::Command,
    stores::in_main_frame,
    variables::Known,
    walk::{Role, Walk, entries, table, target},
};

/// Carries a command of this family over; nothing where it is none.
pub fn carry(walk: &mut Walk<'_>, name: &str, command: &Command) -> Option<Result<(), String>> {
    Some(match name {
        "assertElementPresent" => seen(walk, "visible", command),
        "assertElementNotPresent" => seen(walk, "hidden", command),
        "waitForElementPresent" | "waitForElementVisible" => {
            waited(walk, command).and_then(|()| seen(walk, "visible", command))
        }
        "waitForElementNotPresent" | "waitForElementNotVisible" => {
            waited(walk, command).and_then(|()| seen(walk, "hidden", command))
        }
        "waitForElementEditable" => {
            waited(walk, command).and_then(|()| stands(walk, "enabled", command))
        }
        "waitForElementNotEditable" => {
            waited(walk, command).and_then(|()| stands(walk, "disabled", command))
        }
        "assertEditable" => stands(walk, "enabled", command),
        "assertNotEditable" => stands(walk, "disabled", command),
        "assertChecked" => stands(walk, "checked", command),
        "assertNotChecked" => stands(walk, "unchecked", command),
        "assertText" | "waitForText" => compared(walk, "text", "in", command, Wanted::This),
        "assertNotText" => compared(walk, "text", "in", command, Wanted::NotThis),
        "assertValue" => value(walk, command),
        "assertNotValue" => compared(walk, "value", "of", command, Wanted::NotThis),
        "assertSelectedValue" | "assertSelectedLabel" => {
            compared(walk, "value", "of", command, Wanted::This)
        }
        "assertNotSelectedValue" => not_selected(walk, command, "value"),
        "assertNotSelectedLabel" => not_selected(walk, command, "selectedOptions[0]?.label.trim()"),
        "assertTitle" => title(walk, command),
        "assertLocation" => location(walk, command),
        "assertTextPresent" | "waitForTextPresent" => present(walk, command),
        "assert" => variable(walk, command),
        _ => return None,
    })
}

/// Users of most systems wait less than this, and a journey waits as long without a word.
const USUAL_WAIT_MS: u64 = 10_000;

fn expect(walk: &mut Walk<'_>, what: &str, expected: Value) -> Result<(), String> {
    let mut action = table("expect", table(what, expected));
    if let (Some(milliseconds), Value::Table(action)) = (walk.wait_ms.take(), &mut action)
        && milliseconds > USUAL_WAIT_MS
    {
        action.insert(
            "timeout".into(),
            super::pages::duration(milliseconds).into(),
        );
        walk.longest_wait_ms = walk.longest_wait_ms.max(milliseconds);
    }
    walk.write(action, Role::Look, None)
}

/// Keeps how long the wait may take that comes next.
fn waited(walk: &mut Walk<'_>, command: &Command) -> Result<(), String> {
    let text = command.value.trim();
    if !text.is_empty() {
        let milliseconds = walk.variables.constant(text);
        let milliseconds = milliseconds.and_then(|text| text.trim().parse::<u64>().ok());
        walk.wait_ms = Some(milliseconds.ok_or("how long it waits is not known before it runs")?);
    }
    Ok(())
}

/// Exactly what the project names: a stand-in that is there too would say that all is well.
fn seen(walk: &mut Walk<'_>, what: &str, command: &Command) -> Result<(), String> {
    let element = walk.element(command)?;
    expect(walk, what, element.chosen.exactly().into())
}

fn stands(walk: &mut Walk<'_>, what: &str, command: &Command) -> Result<(), String> {
    let element = walk.element(command)?;
    expect(walk, what, target(&element))
}

#[derive(Clone, Copy)]
enum Wanted {
    This,
    NotThis,
}

fn compared(
    walk: &mut Walk<'_>,
    what: &str,
    of: &str,
    command: &Command,
    wanted: Wanted,
) -> Result<(), String> {
    let element = walk.element(command)?;
    let text = walk.fill(&command.value)?;
    let (how, text) = match wanted {
        Wanted::This => ("is", text),
        Wanted::NotThis if text.contains("${") => {
            return Err("what it must not be is not known before it runs".into());
        }
        Wanted::NotThis => ("matches", format!("^(?!{}$)", in_pattern(&text))),
    };
    expect(
        walk,
        what,
        entries([(of, target(&element)), (how, text.into())]),
    )
}

/// `on` and `off` say how a box stands.
fn value(walk: &mut Walk<'_>, command: &Command) -> Result<(), String> {
    match command.value.trim() {
        "on" => stands(walk, "checked", command),
        "off" => stands(walk, "unchecked", command),
        _ => compared(walk, "value", "of", command, Wanted::This),
    }
}

/// Of a list a journey compares value and label at once, which says nothing of what they are not.
fn not_selected(walk: &mut Walk<'_>, command: &Command, property: &str) -> Result<(), String> {
    in_main_frame(walk)?;
    let element = walk.element(command)?;
    let wanted = walk
        .variables
        .constant(&command.value)
        .ok_or("what it must not be is not known before it runs")?;
    let text = serde_json::Value::from(wanted).to_string();
    let expression = format!("{}.{property} !== {text}", element.chosen.in_script());
    expect(walk, "expression", expression.into())
}

fn title(walk: &mut Walk<'_>, command: &Command) -> Result<(), String> {
    let title = walk.fill(&command.target)?;
    walk.windows.has_title(&title);
    expect(walk, "title", title.into())
}

fn location(walk: &mut Walk<'_>, command: &Command) -> Result<(), String> {
    let address = walk.fill(&command.target)?;
    if ["regexp:", "glob:"]
        .iter()
        .any(|pattern| address.starts_with(pattern))
        || address.contains('*')
    {
        return Err("the address is a pattern; write url = { matches = \"...\" }".into());
    }
    expect(walk, "url", address.into())
}

fn present(walk: &mut Walk<'_>, command: &Command) -> Result<(), String> {
    let text = walk.fill(&command.target)?;
    expect(walk, "text", text.into())
}

/// Of a variable: what the project holds is compared now, what is read from a page when it is read.
fn variable(walk: &mut Walk<'_>, command: &Command) -> Result<(), String> {
    let name = command.target.trim();
    let wanted = walk
        .variables
        .constant(&command.value)
        .ok_or("what it must be is not known before it runs")?;
    match walk.variables.get(name) {
        Some(Known::Stored(_)) => {
            let wanted = serde_json::Value::from(wanted).to_string();
            expect(
                walk,
                "expression",
                format!("${{stored:{name}}} === {wanted}").into(),
            )
        }
        Some(Known::Secret(_)) => Err("a page must not know a password".into()),
        Some(_) => match known_text(walk, name) {
            // The project says both: there is nothing to look at.
            Some(text) if text == wanted => Ok(()),
            _ => Err(format!("`{name}` is never `{wanted}`")),
        },
        None => Err(format!("nothing stores `{name}` before")),
    }
}

/// For a regular expression of JavaScript with the flag `u`.
fn in_pattern(text: &str) -> String {
    let mut pattern = String::new();
    for letter in text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
    {
        if "\\^$.*+?()[]{}|/".contains(letter) {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern
}
