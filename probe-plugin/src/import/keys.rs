//! The keys of `sendKeys`: `Ana${KEY_ENTER}`.

/// What is typed, or a key that is pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stroke {
    /// As it is written; may hold references to variables.
    Text(String),
    /// As a journey names it.
    Key(String),
}

/// Selenium's names of keys and those of a journey.
const NAMES: [(&str, &str); 45] = [
    ("LEFT", "ArrowLeft"),
    ("ARROW_LEFT", "ArrowLeft"),
    ("UP", "ArrowUp"),
    ("ARROW_UP", "ArrowUp"),
    ("RIGHT", "ArrowRight"),
    ("ARROW_RIGHT", "ArrowRight"),
    ("DOWN", "ArrowDown"),
    ("ARROW_DOWN", "ArrowDown"),
    ("PGUP", "PageUp"),
    ("PAGE_UP", "PageUp"),
    ("PGDN", "PageDown"),
    ("PAGE_DOWN", "PageDown"),
    ("BKSP", "Backspace"),
    ("BACKSPACE", "Backspace"),
    ("BACK_SPACE", "Backspace"),
    ("DEL", "Delete"),
    ("DELETE", "Delete"),
    ("ENTER", "Enter"),
    ("RETURN", "Enter"),
    ("TAB", "Tab"),
    ("HOME", "Home"),
    ("END", "End"),
    ("INS", "Insert"),
    ("INSERT", "Insert"),
    ("ESC", "Escape"),
    ("ESCAPE", "Escape"),
    ("SPACE", "Space"),
    ("N0", "0"),
    ("N1", "1"),
    ("N2", "2"),
    ("N3", "3"),
    ("N4", "4"),
    ("N5", "5"),
    ("N6", "6"),
    ("N7", "7"),
    ("N8", "8"),
    ("N9", "9"),
    ("N_MULTIPLY", "*"),
    ("N_MUL", "*"),
    ("N_ADD", "+"),
    ("N_SUBTRACT", "-"),
    ("N_SUB", "-"),
    ("N_DECIMAL", "."),
    ("N_DIVIDE", "/"),
    ("N_DIV", "/"),
];

/// Keys that are held down until the command ends.
const HELD: [(&str, &str); 6] = [
    ("CTRL", "Control"),
    ("CONTROL", "Control"),
    ("SHIFT", "Shift"),
    ("ALT", "Alt"),
    ("META", "Meta"),
    ("COMMAND", "Meta"),
];

/// Takes a sequence apart; a key that a journey does not know is told.
pub fn parse(text: &str) -> Result<Vec<Stroke>, String> {
    let mut strokes = Vec::new();
    let mut held: Vec<&str> = Vec::new();
    let mut pressed = true;
    let mut rest = text;
    while !rest.is_empty() {
        let start = rest.find("${KEY_").unwrap_or(rest.len());
        let typed = &rest[..start];
        if held.is_empty() && !typed.is_empty() {
            strokes.push(Stroke::Text(typed.to_owned()));
        } else if typed.contains("${") {
            return Err("what is pressed with a key held down is not known before it runs".into());
        } else {
            for letter in typed.chars() {
                strokes.push(Stroke::Key(format!(
                    "{}{}",
                    with(&held),
                    letter.to_uppercase()
                )));
                pressed = true;
            }
        }
        let Some(after) = rest[start..].strip_prefix("${KEY_") else {
            break;
        };
        let (name, after) = after.split_once('}').ok_or("a `${` without its `}`")?;
        if let Some((_, key)) = HELD.iter().find(|(known, _)| *known == name) {
            held.push(key);
            pressed = false;
        } else {
            strokes.push(Stroke::Key(format!("{}{}", with(&held), named(name)?)));
            pressed = true;
        }
        rest = after;
    }
    if !pressed && let Some((last, before)) = held.split_last() {
        strokes.push(Stroke::Key(format!("{}{last}", with(before))));
    }
    if strokes.is_empty() {
        return Err("it sends nothing".into());
    }
    Ok(strokes)
}

fn with(held: &[&str]) -> String {
    held.iter().flat_map(|key| [*key, "+"]).collect()
}

fn named(name: &str) -> Result<String, String> {
    let is_function = name
        .strip_prefix('F')
        .and_then(|number| number.parse::<u8>().ok())
        .is_some_and(|number| (1..=12).contains(&number));
    if is_function {
        return Ok(name.to_owned());
    }
    let known = NAMES.iter().find(|(known, _)| *known == name);
    known
        .map(|(_, key)| (*key).to_owned())
        .ok_or_else(|| format!("no journey knows the key `{name}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_pressed_between_texts_and_with_others_held_down() {
        let text = |text: &str| Stroke::Text(text.into());
        let key = |key: &str| Stroke::Key(key.into());
        for (sequence, strokes) in [
            ("Ana", vec![text("Ana")]),
            ("${KEY_ENTER}", vec![key("Enter")]),
            (
                "Ana${KEY_TAB}Luz ${x}${KEY_ENTER}",
                vec![text("Ana"), key("Tab"), text("Luz ${x}"), key("Enter")],
            ),
            ("${KEY_CONTROL}a", vec![key("Control+A")]),
            (
                "${KEY_CTRL}${KEY_SHIFT}${KEY_F5}",
                vec![key("Control+Shift+F5")],
            ),
            ("${KEY_ALT}", vec![key("Alt")]),
        ] {
            assert_eq!(parse(sequence), Ok(strokes), "{sequence}");
        }
        for sequence in ["", "${KEY_NUMLOCK}", "${KEY_ENTER", "${KEY_CTRL}${x}"] {
            assert!(parse(sequence).is_err(), "{sequence}");
        }
    }

    #[test]
    fn every_key_is_one_that_a_journey_knows() {
        for (name, key) in NAMES.iter().chain(&HELD) {
            assert!(crate::journey::Key::parse(key).is_ok(), "{name}");
        }
    }
}
