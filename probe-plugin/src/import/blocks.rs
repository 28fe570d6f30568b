//! Blocks of commands: what the project itself decides is carried over, what a page would decide is not. A journey takes the
//! same way every time, or its times say nothing.

use std::ops::Range;

use super::{side::Command, variables::Known, walk::Walk};

/// More repetitions make a journey that nobody reads.
const REPETITIONS_MAX: usize = 20;

/// Goes through these commands.
pub fn walk(walk: &mut Walk<'_>, commands: &[Command], range: Range<usize>) {
    let mut at = range.start;
    while at < range.end {
        let command = &commands[at];
        if is_on(command) && opens(command) {
            at = block(walk, commands, at, range.end);
            continue;
        }
        let next = commands[at + 1..range.end].iter().find(|next| is_on(next));
        walk.command(at + 1, command, next);
        at += 1;
    }
}

fn is_on(command: &Command) -> bool {
    let name = command.name.trim();
    !command.skip && !name.is_empty() && !name.starts_with("//")
}

fn opens(command: &Command) -> bool {
    matches!(
        command.name.trim(),
        "if" | "while" | "times" | "forEach" | "do"
    )
}

fn closes(command: &Command) -> bool {
    matches!(command.name.trim(), "end" | "repeatIf")
}

/// Carries a block over, or leaves it out; returns where it goes on.
fn block(into: &mut Walk<'_>, commands: &[Command], start: usize, end: usize) -> usize {
    let opener = &commands[start];
    into.number = start + 1;
    let Some(close) = end_of(commands, start, end) else {
        into.left_out(opener, "its `end` is missing");
        return start + 1;
    };
    if !opener.comment.trim().is_empty() {
        into.say(&opener.comment);
    }
    match rounds(into, commands, start, close) {
        Ok(rounds) => {
            if matches!(opener.name.trim(), "if" | "while" | "do") {
                into.needless(
                    opener,
                    "what it comes to stands in the project: only what is played is written",
                );
            }
            for (body, item) in rounds {
                if let Some((name, value)) = item {
                    into.variables.changing.insert(name.clone());
                    into.variables.set(&name, value);
                }
                walk(into, commands, body);
            }
        }
        Err(why) => {
            into.number = start + 1;
            into.left_out(opener, &why);
            let name = opener.name.trim();
            let within = commands[start + 1..close].iter().enumerate();
            for (offset, command) in within.filter(|(_, command)| is_on(command)) {
                into.number = start + 2 + offset;
                into.left_out(
                    command,
                    &format!("it stands in the `{name}` of command {}", start + 1),
                );
            }
            // What they would have stored is not known behind them.
            for command in &commands[start..close] {
                super::stores::forget(into, command);
            }
        }
    }
    close + 1
}

/// The command that closes a block.
fn end_of(commands: &[Command], start: usize, end: usize) -> Option<usize> {
    let mut depth = 0;
    for (at, command) in commands.iter().enumerate().take(end).skip(start) {
        if !is_on(command) {
            continue;
        }
        if opens(command) {
            depth += 1;
        } else if closes(command) {
            depth -= 1;
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

type Round = (Range<usize>, Option<(String, Known)>);

/// The commands that are played, as often as they are; or why nobody knows before they are.
fn rounds(
    into: &mut Walk<'_>,
    commands: &[Command],
    start: usize,
    close: usize,
) -> Result<Vec<Round>, String> {
    let opener = &commands[start];
    let body = start + 1..close;
    match opener.name.trim() {
        "times" => {
            let count = into.variables.constant(&opener.target);
            let count = count.and_then(|count| count.trim().parse::<usize>().ok());
            let count =
                count.ok_or("a journey does not count: how often is not known before it runs")?;
            if count > REPETITIONS_MAX {
                return Err(format!("{count} repetitions are too many for a journey"));
            }
            if count != 1 {
                into.say(&format!("{count} times:"));
            }
            mark_changing(into, commands, &body, count);
            Ok(vec![(body, None); count])
        }
        "forEach" => {
            let array = match into.variables.get(opener.target.trim()) {
                Some(Known::Json(json)) => {
                    serde_json::from_str::<Vec<serde_json::Value>>(json).ok()
                }
                _ => None,
            };
            let array = array.ok_or(
                "a journey has no loops: what it goes through is not known before it runs",
            )?;
            if array.len() > REPETITIONS_MAX {
                return Err(format!(
                    "{} repetitions are too many for a journey",
                    array.len()
                ));
            }
            let variable = opener.value.trim();
            into.say(&format!("for each of {}: {variable}", opener.target.trim()));
            mark_changing(into, commands, &body, array.len());
            let item = |value: serde_json::Value| match value {
                serde_json::Value::String(text) => Known::Text(text),
                other @ (serde_json::Value::Array(_) | serde_json::Value::Object(_)) => {
                    Known::Json(other.to_string())
                }
                other => Known::Text(other.to_string()),
            };
            let rounds = array
                .into_iter()
                .map(|value| (body.clone(), Some((variable.to_owned(), item(value)))));
            Ok(rounds.collect())
        }
        "do" if condition(into, &commands[close].target) == Some(false) => Ok(vec![(body, None)]),
        "while" if condition(into, &opener.target) == Some(false) => Ok(Vec::new()),
        "if" => branch(into, commands, start, close),
        _ => Err("a journey has no loops: it takes the same way every time".into()),
    }
}

/// A variable that is stored anew in every round has no one value.
fn mark_changing(into: &mut Walk<'_>, commands: &[Command], body: &Range<usize>, rounds: usize) {
    if rounds > 1 {
        let stored = commands[body.clone()]
            .iter()
            .filter(|command| command.name.trim() == "store");
        let names: Vec<String> = stored
            .map(|command| command.value.trim().to_owned())
            .collect();
        into.variables.changing.extend(names);
    }
}

/// The branch that is taken.
fn branch(
    into: &Walk<'_>,
    commands: &[Command],
    start: usize,
    close: usize,
) -> Result<Vec<Round>, String> {
    let mut depth = 0;
    let mut heads = vec![start];
    for (at, command) in commands.iter().enumerate().take(close).skip(start + 1) {
        if !is_on(command) {
            continue;
        }
        if opens(command) {
            depth += 1;
        } else if closes(command) {
            depth -= 1;
        } else if depth == 0 && matches!(command.name.trim(), "else" | "elseIf") {
            heads.push(at);
        }
    }
    for (index, head) in heads.iter().enumerate() {
        let taken = match commands[*head].name.trim() {
            "else" => true,
            _ => condition(into, &commands[*head].target)
                .ok_or("a journey has no branches: it takes the same way every time, and this depends on the page")?,
        };
        if taken {
            let end = heads.get(index + 1).copied().unwrap_or(close);
            return Ok(vec![(head + 1..end, None)]);
        }
    }
    Ok(Vec::new())
}

/// What a condition comes to that holds nothing but what the project holds: `true`, `"a" === "b"`.
fn condition(into: &Walk<'_>, text: &str) -> Option<bool> {
    let mut variables = into.variables.clone();
    let (text, _) = variables.script(text).ok()?;
    match text.trim() {
        "true" => return Some(true),
        "false" => return Some(false),
        _ => {}
    }
    let operator = ["===", "!==", "==", "!="]
        .into_iter()
        .find(|operator| text.contains(operator))?;
    let (left, right) = text.split_once(operator)?;
    let value = |side: &str| {
        let side = side.trim();
        let single = side
            .strip_prefix('\'')
            .and_then(|side| side.strip_suffix('\''));
        match single {
            Some(inner) if !inner.contains(['\'', '\\', '"']) => {
                Some(serde_json::Value::from(inner))
            }
            _ => serde_json::from_str::<serde_json::Value>(side).ok(),
        }
    };
    let (left, right) = (value(left)?, value(right)?);
    // Of two kinds JavaScript may take one for the other.
    let alike = std::mem::discriminant(&left) == std::mem::discriminant(&right);
    alike.then(|| (left == right) == operator.starts_with('='))
}
