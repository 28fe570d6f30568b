//! A journey that is being written: what its file says, printed as a person would have written it.

use std::fmt::Write;

use toml::Value;

/// A journey's file before it is text.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What the reader is told first, a line each, without the `#`.
    pub header: Vec<String>,
    /// A slug.
    pub system: String,
    /// A slug.
    pub name: String,
    /// As it is written: `"5m"`.
    pub every: String,
    /// As it is written.
    pub timeout: String,
    /// As it is written; nothing where the default will do.
    pub action_timeout: Option<String>,
    /// It looks only where it is told to, as recordings do.
    pub looks_where_told: bool,
    /// Names and values, in the order in which they are written.
    pub variables: Vec<(String, String)>,
    /// Address, user and the name of the secret with the password.
    pub basic_auth: Option<(String, String, String)>,
    /// Each has an action or uses a fragment.
    pub steps: Vec<StepDraft>,
}

/// A step's table.
#[derive(Clone, Debug, Default)]
pub struct StepDraft {
    /// As a person reads it.
    pub name: String,
    /// The shared actions that come first.
    pub uses: Option<Use>,
    /// Actions and remarks.
    pub lines: Vec<Line>,
}

/// A reference to shared actions.
#[derive(Clone, Debug)]
pub struct Use {
    /// Relative to the journey's file.
    pub file: String,
    /// The values of its parameters.
    pub with: Vec<(String, String)>,
}

/// What stands between the brackets of `actions`.
#[derive(Clone, Debug)]
pub enum Line {
    /// An action in its written form: a text such as `"back"`, or a table with one key.
    Action(Value),
    /// What is told to the reader, without the `#`; may have several lines.
    Comment(String),
}

impl Draft {
    /// The file's text.
    pub fn print(&self) -> String {
        let mut text = String::new();
        for line in &self.header {
            comment(&mut text, "", line);
        }
        entry(&mut text, "system", &self.system);
        entry(&mut text, "name", &self.name);
        // An imported journey pages nobody before somebody has decided that it may.
        entry(&mut text, "impact", "low");
        entry(&mut text, "every", &self.every);
        entry(&mut text, "timeout", &self.timeout);
        if let Some(action_timeout) = &self.action_timeout {
            entry(&mut text, "action_timeout", action_timeout);
        }
        if self.looks_where_told {
            entry(&mut text, "looks", "where_told");
        }
        if !self.variables.is_empty() {
            text.push_str("\n[variables]\n");
            for (name, value) in &self.variables {
                entry(&mut text, name, value);
            }
        }
        if let Some((url, user, secret)) = &self.basic_auth {
            text.push_str("\n[[basic_auth]]\n");
            entry(&mut text, "url", url);
            entry(&mut text, "user", user);
            entry(&mut text, "password", &format!("${{secret:{secret}}}"));
        }
        for step in &self.steps {
            step.print(&mut text);
        }
        text
    }
}

impl StepDraft {
    fn print(&self, text: &mut String) {
        text.push_str("\n[[step]]\n");
        entry(text, "name", &self.name);
        if let Some(Use { file, with }) = &self.uses {
            entry(text, "use", file);
            if !with.is_empty() {
                let values: Vec<String> = with
                    .iter()
                    .map(|(name, value)| format!("{name} = {}", quoted(value)))
                    .collect();
                line(text, &format!("with = {{ {} }}", values.join(", ")));
            }
        }
        if !self.lines.is_empty() {
            actions(text, &self.lines);
        }
    }
}

/// The text of a file with shared actions.
pub fn print_fragment(header: &[String], parameters: &[String], lines: &[Line]) -> String {
    let mut text = String::new();
    for line in header {
        comment(&mut text, "", line);
    }
    if !parameters.is_empty() {
        let names: Vec<String> = parameters.iter().map(|name| quoted(name)).collect();
        line(&mut text, &format!("parameters = [{}]", names.join(", ")));
    }
    actions(&mut text, lines);
    text
}

fn actions(text: &mut String, lines: &[Line]) {
    text.push_str("actions = [\n");
    for each in lines {
        match each {
            Line::Action(action) => line(text, &format!("  {},", inline(action))),
            Line::Comment(said) => comment(text, "  ", said),
        }
    }
    text.push_str("]\n");
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

/// TOML takes no control character but the tab in a comment.
fn comment(text: &mut String, indent: &str, said: &str) {
    for said in said.lines() {
        let said: String = said
            .chars()
            .map(|letter| {
                if letter.is_control() && letter != '\t' {
                    ' '
                } else {
                    letter
                }
            })
            .collect();
        line(text, format!("{indent}# {said}").trim_end());
    }
}

fn entry(text: &mut String, key: &str, value: &str) {
    line(text, &format!("{key} = {}", quoted(value)));
}

/// A value on one line; only a text of several lines takes more.
pub fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(values) => {
            let values: Vec<String> = values.iter().map(inline).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Table(table) => {
            let mut keys: Vec<&String> = table.keys().collect();
            keys.sort_by_key(|key| place(key));
            let entries: Vec<String> = keys
                .iter()
                .map(|key| format!("{key} = {}", inline(&table[*key])))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

/// What an action is done to comes first, as one says it.
fn place(key: &str) -> usize {
    const FIRST: [&str; 12] = [
        "key", "on", "in", "of", "field", "answer", "run", "as", "from", "url", "name", "width",
    ];
    if key == "timeout" {
        return usize::MAX;
    }
    let known = FIRST.iter().position(|first| *first == key);
    known.unwrap_or(FIRST.len())
}

/// The quotes that need the fewest backslashes.
fn quoted(text: &str) -> String {
    let plain = |letter: char| !letter.is_control() || letter == '\t';
    if text.lines().count() > 1
        && !text.contains("'''")
        && !text.ends_with('\'')
        && text.chars().all(|letter| plain(letter) || letter == '\n')
    {
        return format!("'''\n{text}'''");
    }
    if text.contains(['"', '\\']) && !text.contains('\'') && text.chars().all(plain) {
        return format!("'{text}'");
    }
    let mut written = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => {
                written.push('\\');
                written.push(letter);
            }
            '\n' => written.push_str("\\n"),
            letter if !plain(letter) => {
                write!(written, "\\u{:04X}", u32::from(letter))
                    .expect("a text takes all that is written");
            }
            letter => written.push(letter),
        }
    }
    written.push('"');
    written
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_action_is_written_in_the_order_in_which_one_says_it() {
        let action = r##"{ click = { on = ["#a", 'css=[x="1"]'], button = "right", count = 2, offset = { x = 1.5, y = 2.0 } } }"##;
        let table: toml::Table = toml::from_str(&format!("action = {action}")).unwrap();
        assert_eq!(inline(&table["action"]), action);
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_it_was_meant(text in "[a'\"\\\\\n\r\t\u{0}\u{7f}\u{85}ñ$ {}]{0,12}") {
            let written = format!("action = {}", inline(&Value::String(text.clone())));
            let read: toml::Table = toml::from_str(&written).unwrap();
            prop_assert_eq!(read["action"].as_str(), Some(text.as_str()), "{}", written);
        }

        #[test]
        fn any_comment_is_a_comment(said in "[a\n\r\t\u{0}\u{7f}ñ#]{0,12}") {
            let text = print_fragment(&[], &[], &[Line::Comment(said)]);
            prop_assert!(toml::from_str::<toml::Table>(&text).is_ok(), "{}", text);
        }
    }
}
