//! The commands of Selenium IDE, family by family.

use super::{dialogs, forms, looks, mouse, pages, side::Command, stores, walk::Walk};

/// Every command that Selenium IDE has or had: those of the application, of the browser extension before it, and the few of
/// the oldest one that projects of other tools still hold. `verify...` is there for every `assert...`.
pub const KNOWN: &[&str] = &[
    "acceptAlert",
    "acceptConfirmation",
    "addSelection",
    "answerOnNextPrompt",
    "answerPrompt",
    "assert",
    "assertAlert",
    "assertChecked",
    "assertConfirmation",
    "assertEditable",
    "assertElementNotPresent",
    "assertElementPresent",
    "assertLocation",
    "assertNotChecked",
    "assertNotEditable",
    "assertNotSelectedLabel",
    "assertNotSelectedValue",
    "assertNotText",
    "assertNotValue",
    "assertPrompt",
    "assertSelectedLabel",
    "assertSelectedValue",
    "assertText",
    "assertTextPresent",
    "assertTitle",
    "assertValue",
    "captureEntirePageScreenshot",
    "check",
    "chooseCancelOnNextConfirmation",
    "chooseCancelOnNextPrompt",
    "chooseOkOnNextConfirmation",
    "click",
    "clickAt",
    "close",
    "contextMenu",
    "debugger",
    "dismissConfirmation",
    "dismissPrompt",
    "do",
    "doubleClick",
    "doubleClickAt",
    "dragAndDropToObject",
    "echo",
    "editContent",
    "else",
    "elseIf",
    "end",
    "executeAsyncScript",
    "executeScript",
    "forEach",
    "goBack",
    "if",
    "mouseDown",
    "mouseDownAt",
    "mouseMoveAt",
    "mouseOut",
    "mouseOver",
    "mouseUp",
    "mouseUpAt",
    "open",
    "pause",
    "refresh",
    "removeSelection",
    "repeatIf",
    "run",
    "runScript",
    "select",
    "selectFrame",
    "selectWindow",
    "sendKeys",
    "setSpeed",
    "setWindowSize",
    "store",
    "storeAttribute",
    "storeElementCount",
    "storeJson",
    "storeText",
    "storeTitle",
    "storeValue",
    "storeWindowHandle",
    "storeXpathCount",
    "submit",
    "takeScreenshot",
    "times",
    "type",
    "uncheck",
    "waitForElementEditable",
    "waitForElementNotEditable",
    "waitForElementNotPresent",
    "waitForElementNotVisible",
    "waitForElementPresent",
    "waitForElementVisible",
    "waitForPageToLoad",
    "waitForText",
    "waitForTextPresent",
    "webdriverAnswerOnVisiblePrompt",
    "webdriverChooseCancelOnVisibleConfirmation",
    "webdriverChooseCancelOnVisiblePrompt",
    "webdriverChooseOkOnVisibleConfirmation",
    "while",
];

/// The name without what makes no difference here: `verify` goes on where `assert` stops, which no journey does, and every
/// action of a journey waits for the page.
pub fn plain_name(name: &str) -> String {
    let name = name.trim();
    let name = name.strip_suffix("AndWait").unwrap_or(name);
    match name.strip_prefix("verify") {
        Some(rest) => format!("assert{rest}"),
        None => name.to_owned(),
    }
}

/// Whether Selenium IDE has or had this command.
pub fn is_known(name: &str) -> bool {
    KNOWN.contains(&plain_name(name).as_str())
}

/// A user does it: a comment beside it says what a part of the workflow is called, and not what is looked for.
pub fn is_workflow(name: &str) -> bool {
    let name = plain_name(name);
    let beside = ["assert", "waitFor", "store", "echo", "pause", "set"];
    !beside.iter().any(|beginning| name.starts_with(beginning))
}

/// Carries a command over, or says why not.
pub fn carry(walk: &mut Walk<'_>, command: &Command) -> Result<(), String> {
    let name = plain_name(&command.name);
    let name = name.as_str();
    pages::carry(walk, name, command)
        .or_else(|| mouse::carry(walk, name, command))
        .or_else(|| forms::carry(walk, name, command))
        .or_else(|| dialogs::carry(walk, name, &command.target))
        .or_else(|| stores::carry(walk, name, command))
        .or_else(|| looks::carry(walk, name, command))
        .unwrap_or_else(|| {
            Err(if is_known(name) {
                "it stands outside of its block".into()
            } else {
                format!(
                    "`{}` is no command of Selenium IDE, but perhaps of a plugin",
                    command.name.trim()
                )
            })
        })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use serde_json::{Value, json};
    use vigia_contract::mistake::Source;

    use super::*;
    use crate::import::{Imported, selenium};

    /// Each example stands at the beginning of a line: commands in their order, `command | target | value`, parted by ` ; `,
    /// behind an `open`. Under it, indented, stands what becomes of it: the journey's lines, and then what is told.
    const EXAMPLES: &str = include_str!("examples.txt");

    fn examples() -> impl Iterator<Item = &'static str> {
        EXAMPLES.lines().filter(|line| !line.starts_with(' '))
    }

    fn command(text: &str) -> Value {
        let parts: Vec<&str> = text.split(" | ").map(str::trim).collect();
        let part = |at: usize| parts.get(at).copied().unwrap_or_default();
        let mut command = json!({ "command": part(0), "target": part(1), "value": part(2) });
        if let Some(window) = part(2).strip_prefix("opens ") {
            command["value"] = "".into();
            command["opensWindow"] = true.into();
            command["windowHandleName"] = window.into();
        }
        command
    }

    fn imported(example: &str) -> Imported {
        let mut commands = vec![command("open | /")];
        commands.extend(example.split(" ; ").map(command));
        let other = json!({ "id": "2", "name": "otra", "commands": [command("click | id=otra")] });
        let project = json!({
            "name": "p", "url": "https://t.example",
            "tests": [{ "id": "1", "name": "una", "commands": commands }, other],
        });
        let source = Source {
            path: "p.side".into(),
            text: project.to_string(),
        };
        selenium(&source, None).unwrap()
    }

    /// What stands behind the `goto`, and what is told.
    fn carried_over(example: &str) -> Vec<String> {
        let imported = imported(example);
        let text = &imported.files[0].text;
        let lines = text.lines().filter(|line| {
            line.starts_with("  ") || line.starts_with("use ") || line.starts_with("action_timeout")
        });
        let mut told: Vec<String> = lines
            .map(|line| line.trim().to_owned())
            .filter(|line| line != r#"{ goto = "${portal}/" },"#)
            .collect();
        for remark in &imported.remarks {
            told.push(format!(
                "{} {}: {}",
                remark.weight.word(),
                remark.command.unwrap_or_default(),
                remark.why
            ));
        }
        told
    }

    #[test]
    fn every_command_is_carried_over_or_named() {
        let mut table = String::new();
        for example in examples() {
            writeln!(table, "{example}").unwrap();
            for line in carried_over(example) {
                writeln!(table, "    {line}").unwrap();
            }
        }
        assert!(table == EXAMPLES, "examples.txt would have to be:\n{table}");
    }

    #[test]
    fn every_command_has_its_example_and_its_line_in_the_guide() {
        let guide = include_str!("../../../docs/import.md");
        for name in KNOWN {
            let is_there = examples()
                .flat_map(|example| example.split(" ; "))
                .any(|command| {
                    plain_name(command.split(" | ").next().unwrap()) == plain_name(name)
                });
            assert!(is_there, "no example of {name}");
            assert!(
                guide.contains(&format!("`{name}`")),
                "docs/import.md does not tell of {name}"
            );
        }
    }
}
