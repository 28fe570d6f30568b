//! What a report says of a test that went wrong, in one line, and whose fault it was.

use super::{
    evidence::{self, Otherwise},
    junit::{Case, Trouble},
};
use crate::run::Failure;

/// What pytest and Mocha call what did not go well around a test.
const AROUND: [&str; 5] = [
    "failed on setup",
    "failed on teardown",
    "collection failure",
    "\"before ",
    "\"after ",
];

/// What a test that went wrong says of the system.
pub fn failure_of(case: &Case, trouble: &Trouble) -> Failure {
    let told = told(trouble);
    let is_around = |text: &String| AROUND.iter().any(|known| text.starts_with(known));
    let otherwise = if [&trouble.message, &case.name, &case.class]
        .into_iter()
        .any(is_around)
    {
        Otherwise::Around
    } else {
        Otherwise::Tested
    };
    let (blame, class) = evidence::judge(&format!("{}\n{told}", trouble.kind), otherwise);
    Failure {
        blame,
        class,
        error: told,
    }
}

/// One line for whoever repairs it.
fn told(trouble: &Trouble) -> String {
    let lines = || trouble.text.lines().map(str::trim);
    let mut said = trouble.message.lines().chain(lines()).map(str::trim);
    let first = said.find(|line| !line.is_empty());
    let first = first.unwrap_or("it failed, and the report does not say why");
    let detail = if AROUND.iter().any(|known| first.starts_with(known)) {
        // pytest: the exception stands behind the last `E`.
        lines()
            .filter_map(|line| line.strip_prefix("E  "))
            .next_back()
    } else if first.ends_with("Message:") {
        // Selenium's exception says nothing: the line of the test does.
        lines().find_map(|line| line.strip_prefix("> "))
    } else {
        // Playwright's own account of it.
        lines().find_map(|line| {
            line.strip_prefix("- ")
                .filter(|line| line.starts_with("waiting for"))
                .or_else(|| line.starts_with("Locator:").then_some(line))
        })
    };
    let first = first
        .strip_prefix("selenium.common.exceptions.")
        .unwrap_or(first);
    match detail.map(str::trim) {
        Some(detail) if !first.contains(detail) => format!("{first} ({detail})"),
        _ => first.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_wrong_is_told_in_one_line_that_says_where() {
        for (message, text, told) in [
            (
                "expect(locator).toBeVisible() failed",
                "  x.js:1\n\n    Error: expect(locator)\n\n    Locator: getByText('Chau')\n    - waiting for getByText('Chau')",
                "expect(locator).toBeVisible() failed (Locator: getByText('Chau'))",
            ),
            (
                "selenium.common.exceptions.TimeoutException: Message: \n",
                "def test_a():\n>       wait.until(visible)\nE       x",
                "TimeoutException: Message: (wait.until(visible))",
            ),
            (
                "collection failure",
                "import nada\nE   ModuleNotFoundError: No module named 'nada'",
                "collection failure (ModuleNotFoundError: No module named 'nada')",
            ),
            (
                "failed on setup with \"RuntimeError: no arranca\"",
                "E   RuntimeError: no arranca",
                "failed on setup with \"RuntimeError: no arranca\"",
            ),
            ("", "\n  primera\nsegunda", "primera"),
            ("", "", "it failed, and the report does not say why"),
        ] {
            let trouble = Trouble {
                kind: String::new(),
                message: message.into(),
                text: text.into(),
            };
            assert_eq!(failure_of(&Case::default(), &trouble).error, told);
        }
    }
}
