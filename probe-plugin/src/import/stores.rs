//! What a test keeps for later, and the JavaScript that it runs.

use vigia_contract::stored::is_name;

use super::{
    locators::Locator,
    side::Command,
    variables::{Known, Origin},
    walk::{Role, Walk, entries, table, target},
};

/// Carries a command of this family over; nothing where it is none.
pub fn carry(walk: &mut Walk<'_>, name: &str, command: &Command) -> Option<Result<(), String>> {
    let carried = match name {
        "store" => text(walk, command),
        "storeJson" => json(walk, command),
        "storeText" | "storeValue" => shown(walk, command),
        "storeAttribute" => attribute(walk, command),
        "storeTitle" => title(walk, command),
        "storeElementCount" | "storeXpathCount" => count(walk, name, command),
        "runScript" => script(walk, &command.target, "", command),
        "executeScript" => script(walk, &command.target, &command.value, command),
        "executeAsyncScript" => {
            let body = command.target.trim();
            let body = if body.starts_with("return") {
                body.to_owned()
            } else {
                format!("return {body}")
            };
            script(walk, &body, &command.value, command)
        }
        _ => return None,
    };
    if carried.is_err() {
        forget(walk, command);
    }
    Some(carried)
}

/// What this command would have stored is not there: whoever refers to it must be told, and not be given an older value.
pub fn forget(walk: &mut Walk<'_>, command: &Command) {
    let name = command.name.trim();
    let variable = match name {
        "storeTitle" if command.value.trim().is_empty() => &command.target,
        _ if name.starts_with("store") || name.starts_with("execute") => &command.value,
        _ => return,
    };
    walk.variables.forget(variable);
}

/// The variable, if it can be stored under its name.
fn variable(name: &str) -> Result<&str, String> {
    let name = name.trim();
    if is_name(name) {
        Ok(name)
    } else {
        Err(format!(
            "nothing can be stored as `{name}`: a name is a letter, then letters, digits and underscores"
        ))
    }
}

fn text(walk: &mut Walk<'_>, command: &Command) -> Result<(), String> {
    let name = command.value.trim();
    let passwords = walk.ground.passwords;
    if passwords.of_variable(name).is_some()
        && let Some(secret) = passwords.of_literal(command.target.trim())
    {
        walk.variables.set(name, Known::Secret(secret));
        return Ok(());
    }
    let text = walk.fill(&command.target)?;
    if let Some(secret) = passwords.of_literal(&text) {
        walk.variables.set(name, Known::Secret(secret));
        return Ok(());
    }
    if passwords.stand_in(&text) {
        return Err("it holds what is typed as a password elsewhere".into());
    }
    walk.variables.set_text(name, text);
    Ok(())
}

fn json(walk: &mut Walk<'_>, command: &Command) -> Result<(), String> {
    let text = walk.fill(&command.target)?;
    if walk.ground.passwords.stand_in(&text) {
        return Err("it holds what is typed as a password elsewhere".into());
    }
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| format!("it is no JSON: {error}"))?;
    walk.variables
        .set(&command.value, Known::Json(value.to_string()));
    Ok(())
}

fn shown(walk: &mut Walk<'_>, command: &Command) -> Result<(), String> {
    let name = variable(&command.value)?;
    let element = walk.element(command)?;
    let store = entries([("as", name.into()), ("from", target(&element))]);
    walk.write(table("store", store), Role::Beside, None)?;
    walk.variables.set(name, Known::Stored(Origin::Page));
    Ok(())
}

fn attribute(walk: &mut Walk<'_>, command: &Command) -> Result<(), String> {
    let name = variable(&command.value)?;
    let (locator, attribute) = command
        .target
        .rsplit_once('@')
        .ok_or("it names no attribute")?;
    let of = Command {
        target: locator.to_owned(),
        ..command.clone()
    };
    let element = walk.element(&of)?;
    let store = entries([
        ("as", name.into()),
        ("from", target(&element)),
        ("attribute", attribute.trim().into()),
    ]);
    walk.write(table("store", store), Role::Beside, None)?;
    walk.variables.set(name, Known::Stored(Origin::Page));
    Ok(())
}

fn title(walk: &mut Walk<'_>, command: &Command) -> Result<(), String> {
    // The application writes the name first, the extension before it wrote it second.
    let name = if command.value.trim().is_empty() {
        &command.target
    } else {
        &command.value
    };
    let name = variable(name)?;
    let script = entries([("as", name.into()), ("run", "return document.title".into())]);
    walk.write(table("script", script), Role::Beside, None)?;
    walk.variables.set(name, Known::Stored(Origin::Page));
    Ok(())
}

fn count(walk: &mut Walk<'_>, command_name: &str, command: &Command) -> Result<(), String> {
    let name = variable(&command.value)?;
    in_main_frame(walk)?;
    let locator = walk.fill(&command.target)?;
    let locator = if command_name == "storeXpathCount" && !locator.starts_with("xpath=") {
        Locator::parse(&format!("xpath={locator}"))?
    } else {
        Locator::parse(&locator)?
    };
    let run = format!("return {}", locator.count_in_script());
    let script = entries([("as", name.into()), ("run", run.into())]);
    walk.write(table("script", script), Role::Beside, None)?;
    walk.variables.set(name, Known::Stored(Origin::Script));
    Ok(())
}

fn script(
    walk: &mut Walk<'_>,
    body: &str,
    stored_as: &str,
    command: &Command,
) -> Result<(), String> {
    in_main_frame(walk)?;
    let (body, was_more) = walk.variables.script(body)?;
    if was_more {
        walk.changed(command, "what a script stored before is a text here: write Number(...) or JSON.parse(...) around it where it was more");
    }
    if stored_as.trim().is_empty() {
        return walk.write(table("script", body), Role::Do, None);
    }
    let name = variable(stored_as)?;
    let script = entries([("as", name.into()), ("run", body.into())]);
    walk.write(table("script", script), Role::Beside, None)?;
    walk.variables.set(name, Known::Stored(Origin::Script));
    Ok(())
}

/// Scripts of a journey run in the page and not in its frames.
pub fn in_main_frame(walk: &Walk<'_>) -> Result<(), String> {
    if walk.frames == 0 {
        Ok(())
    } else {
        Err("it runs in a frame, and JavaScript of a journey runs in the page".into())
    }
}
