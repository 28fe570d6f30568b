//! Whom a text calls and where it leads, in markup that several services share.

/// The names of these that a text calls by `@name`.
pub fn called(text: &str, names: &[&str]) -> Vec<String> {
    let is_word = |sign: char| sign.is_alphanumeric() || sign == '_';
    text.match_indices('@')
        .filter_map(|(place, _)| {
            let rest = &text[place + 1..];
            names.iter().find(|name| {
                rest.strip_prefix(**name)
                    .is_some_and(|behind| !behind.starts_with(is_word))
            })
        })
        .map(|name| (*name).to_owned())
        .collect()
}

/// The targets of Markdown's `[label](target)` that no backslash takes apart.
pub fn links(text: &str) -> Vec<String> {
    text.match_indices("](")
        .filter(|(place, _)| !text[..*place].ends_with('\\'))
        .filter_map(|(place, _)| {
            let target = text[place + 2..].split([')', ' ']).next()?;
            Some(target.to_owned())
        })
        .collect()
}

/// Markdown without the backslashes that take its signs for what they are.
pub fn unescaped(text: &str) -> String {
    let mut shown = String::new();
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        let is_escape = sign == '\\' && signs.peek().is_some_and(char::is_ascii_punctuation);
        if !is_escape {
            shown.push(sign);
        } else if let Some(meant) = signs.next() {
            shown.push(meant);
        }
    }
    shown
}

#[test]
fn an_invisible_sign_or_a_backslash_keeps_a_text_from_calling_and_leading() {
    let text = "@all @allen @\u{200b}here a@here [a](https://a.example) \\[b\\](https://b.example)";
    assert_eq!(called(text, &["all", "here"]), ["all", "here"]);
    assert_eq!(links(text), ["https://a.example"]);
    assert_eq!(unescaped(r"\[b\] C:\\d 5\5"), r"[b] C:\d 5\5");
}
