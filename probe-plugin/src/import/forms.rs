//! Fields, lists, boxes and keys.

use toml::Value;

use super::{
    keys,
    side::Command,
    variables::Known,
    walk::{Item, Role, Walk, entries, table, target},
};

/// Carries a command of this family over; nothing where it is none.
pub fn carry(walk: &mut Walk<'_>, name: &str, command: &Command) -> Option<Result<(), String>> {
    Some(match name {
        "type" => fill(walk, command, &command.value),
        "editContent" => edit(walk, command),
        "sendKeys" => send_keys(walk, command),
        "select" => select(walk, command),
        "addSelection" => add(walk, command),
        "removeSelection" => remove(walk, command),
        "check" | "uncheck" => tick(walk, name, command),
        "submit" => Err(
            "Selenium does not submit forms any more; click the button, or press Enter in a field"
                .into(),
        ),
        _ => return None,
    })
}

/// What is typed, a password as a reference.
fn typed(walk: &mut Walk<'_>, command: &Command, text: &str) -> Result<String, String> {
    match walk.ground.passwords.reference(command) {
        Some(reference) => Ok(reference),
        None => walk.fill(text),
    }
}

fn fill(walk: &mut Walk<'_>, command: &Command, text: &str) -> Result<(), String> {
    if text.contains("${KEY_") {
        return send_keys(walk, command);
    }
    let element = walk.element(command)?;
    if let Some(file) = file_name(command) {
        let upload = entries([("field", target(&element)), ("file", file.as_str().into())]);
        let line = super::draft::inline(&table("upload", upload));
        return Err(format!("put `{file}` beside the journey and write {line}"));
    }
    let with = typed(walk, command, text)?;
    let field = target(&element);
    let fill = entries([("field", field.clone()), ("with", with.into())]);
    walk.write(table("fill", fill), Role::Do, element.label())?;
    walk.focus = Some(field);
    Ok(())
}

/// The file that is put into a field for files.
fn file_name(command: &Command) -> Option<String> {
    let path = command.value.trim();
    let absolute =
        path.starts_with('/') || path.chars().nth(1) == Some(':') || path.starts_with("\\\\");
    let recorded = command.targets.iter().map(|(text, _)| text);
    let of_files = [&command.target]
        .into_iter()
        .chain(recorded)
        .any(|locator| {
            let words = super::naming::words(locator);
            words.iter().any(|word| {
                ["file", "upload", "archivo", "adjunt", "fichero"]
                    .iter()
                    .any(|part| word.contains(part))
            })
        });
    let name = path
        .rsplit(['/', '\\'])
        .next()
        .filter(|name| !name.is_empty())?;
    (absolute && of_files).then(|| name.to_owned())
}

/// The IDE records the HTML of an editor, and plays it as a text.
fn edit(walk: &mut Walk<'_>, command: &Command) -> Result<(), String> {
    let mut text = String::new();
    let mut within = false;
    for letter in command.value.chars() {
        match letter {
            '<' => within = true,
            '>' if within => within = false,
            _ if within => {}
            _ => text.push(letter),
        }
    }
    let whole = !command.value.contains('<');
    fill(walk, command, &text)?;
    if !whole {
        walk.changed(command, "only the text of the HTML is typed");
    }
    Ok(())
}

fn send_keys(walk: &mut Walk<'_>, command: &Command) -> Result<(), String> {
    let element = walk.element(command)?;
    let field = target(&element);
    // Where the focus is already it stays, with what is selected there.
    let mut is_there = walk.focus.as_ref() == Some(&field);
    let mut actions = Vec::new();
    let strokes = keys::parse(&command.value)?;
    let texts = strokes
        .iter()
        .filter(|stroke| matches!(stroke, keys::Stroke::Text(_)));
    if texts.count() > 1 && walk.ground.passwords.reference(command).is_some() {
        return Err("a password is typed in pieces".into());
    }
    for stroke in strokes {
        let action = match stroke {
            keys::Stroke::Text(text) => {
                let with: Value = typed(walk, command, &text)?.into();
                let there = with.clone();
                let into = entries([("field", field.clone()), ("with", with)]);
                table("type", if is_there { there } else { into })
            }
            keys::Stroke::Key(key) if is_there => table("press", key),
            keys::Stroke::Key(key) => table(
                "press",
                entries([("key", key.into()), ("on", field.clone())]),
            ),
        };
        walk.accept(&action)?;
        actions.push(action);
        is_there = true;
    }
    for action in actions {
        walk.write(action, Role::Do, element.label())?;
    }
    walk.focus = Some(field);
    Ok(())
}

/// How an option is named: the key of `select`, and its value.
fn option(walk: &mut Walk<'_>, locator: &str) -> Result<(&'static str, Value), String> {
    let locator = walk.fill(locator)?;
    let (kind, value) = match locator.split_once('=') {
        Some((kind @ ("label" | "value" | "index" | "id"), value)) => (kind, value),
        _ => ("label", locator.as_str()),
    };
    match kind {
        "label" => {
            let label = value
                .strip_prefix("mostly-equals:")
                .or_else(|| value.strip_prefix("exact:"))
                .unwrap_or(value);
            if ["regexp:", "regexpi:", "glob:"]
                .iter()
                .any(|pattern| label.starts_with(pattern))
            {
                return Err("an option is named by its whole label".into());
            }
            Ok(("option", label.trim().into()))
        }
        "value" => Ok(("value", value.into())),
        "index" => {
            let index = value
                .trim()
                .parse::<i64>()
                .map_err(|_| format!("`{value}` is no place in a list"))?;
            Ok(("index", index.into()))
        }
        _ => Err("an option is named by its label, its value or its place".into()),
    }
}

fn select(walk: &mut Walk<'_>, command: &Command) -> Result<(), String> {
    let element = walk.element(command)?;
    let label = element.label();
    let (by, value) = option(walk, &command.value)?;
    let select = entries([("field", target(&element)), (by, value)]);
    walk.write(table("select", select), Role::Do, label)
}

/// The options that were added to this list just before.
fn added<'w>(walk: &'w mut Walk<'_>, field: &Value, by: &str) -> Option<&'w mut Vec<Value>> {
    let Some(Item::Action { action, .. }) = walk.items.last_mut() else {
        return None;
    };
    let select = action.get_mut("select")?;
    if select.get("field") != Some(field) {
        return None;
    }
    select.get_mut(by)?.as_array_mut()
}

fn add(walk: &mut Walk<'_>, command: &Command) -> Result<(), String> {
    let element = walk.element(command)?;
    let (field, label) = (target(&element), element.label());
    let (by, value) = option(walk, &command.value)?;
    if let Some(options) = added(walk, &field, by) {
        options.push(value);
        return Ok(());
    }
    let select = entries([("field", field), (by, Value::Array(vec![value]))]);
    walk.write(table("select", select), Role::Do, label)
}

fn remove(walk: &mut Walk<'_>, command: &Command) -> Result<(), String> {
    let field = target(&walk.element(command)?);
    let (by, value) = option(walk, &command.value)?;
    if let Some(options) = added(walk, &field, by)
        && options.len() > 1
        && let Some(at) = options.iter().position(|known| *known == value)
    {
        options.remove(at);
        return Ok(());
    }
    Err("`select` says all that is chosen; write what is left".into())
}

fn tick(walk: &mut Walk<'_>, name: &str, command: &Command) -> Result<(), String> {
    let element = walk.element(command)?;
    walk.write(table(name, target(&element)), Role::Do, element.label())
}

/// A text or number that a variable holds for good.
pub fn known_text(walk: &Walk<'_>, variable: &str) -> Option<String> {
    match walk.variables.get(variable)? {
        Known::Named(text) | Known::Text(text) if !text.contains("${") => Some(text.clone()),
        Known::Json(text) => Some(text.clone()),
        _ => None,
    }
}
