//! What a recording calls an element, in the words of a journey.

use toml::Value;

use super::recorded::Chain;

/// All the ways to an element, each once: a path through open shadow roots is what any selector of a journey goes.
pub fn target(chains: &[Chain]) -> Result<Value, String> {
    let mut written: Vec<String> = Vec::new();
    for chain in chains {
        let parts: Result<Vec<String>, String> = chain.0.iter().map(|part| one(part)).collect();
        let selector = parts?.join(" >> ");
        if !written.contains(&selector) {
            written.push(selector);
        }
    }
    match written.as_mut_slice() {
        [] => Err(
            "it has no selector\nhint: write for example \"selectors\": [\"aria/Ingresar\"]".into(),
        ),
        [only] => Ok(std::mem::take(only).into()),
        _ => Ok(written.into()),
    }
}

/// What a user would call the element: its accessible name, or else its text.
pub fn spoken(chains: &[Chain]) -> Option<String> {
    let last = |chain: &Chain| chain.0.last().cloned().unwrap_or_default();
    let name = |selector: String| {
        let (name, _) = name_and_role(selector.strip_prefix("aria/")?).ok()?;
        (!name.is_empty()).then_some(name)
    };
    let text = |selector: String| selector.strip_prefix("text/").map(str::to_owned);
    let named = chains.iter().map(last).find_map(name);
    named.or_else(|| chains.iter().map(last).find_map(text))
}

fn one(selector: &str) -> Result<String, String> {
    let kinds = ["aria", "text", "xpath", "pierce", "css"];
    let kind = kinds.into_iter().find_map(|kind| {
        let value = selector.strip_prefix(kind)?.strip_prefix('/')?;
        Some((kind, value))
    });
    let (kind, value) = kind.unwrap_or(("css", selector));
    let value = value.trim();
    if value.is_empty() {
        return Err(format!(
            "the selector `{selector}` names no element\nhint: write for example \"aria/Ingresar\""
        ));
    }
    match kind {
        "aria" => aria(selector, value),
        "text" if value.split_whitespace().any(|word| word == ">>") => Err(format!(
            "`>>` inside of the text `{value}` means something else in a journey\nhint: take this selector out, or name a part of the text"
        )),
        "text" if value.starts_with(['\'', '"']) => Ok(format!("text=\\{value}")),
        "text" | "xpath" => Ok(format!("{kind}={value}")),
        _ => css(value),
    }
}

fn css(value: &str) -> Result<String, String> {
    if value.contains("::-p-") || value.contains(">>>") {
        return Err(format!(
            "`{value}` is no CSS\nhint: write a list for a way through shadow roots, [\"#host\", \"#inner\"], and `aria/`, `text/` or `xpath/` for what is no CSS"
        ));
    }
    // A beginning such as `label=` would be taken for another kind.
    let looks_like_a_kind = value.split_once('=').is_some_and(|(kind, _)| {
        !kind.is_empty() && kind.chars().all(|letter| letter.is_ascii_lowercase())
    });
    Ok(if looks_like_a_kind {
        format!("css={value}")
    } else {
        value.to_owned()
    })
}

fn aria(selector: &str, value: &str) -> Result<String, String> {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('\'', "\\'");
    let (name, role) = name_and_role(value)?;
    Ok(match (name.as_str(), role) {
        ("", None) => {
            return Err(format!(
                "the selector `{selector}` names no element\nhint: write for example \"aria/Ingresar\""
            ));
        }
        ("", Some(role)) => format!("role={role}"),
        (name, Some(role)) => format!("role={role}[name='{}']", quoted(name)),
        (name, None) if name.starts_with(['\'', '"', '\\']) || name.contains(">>") => {
            format!("named='{}'", quoted(name))
        }
        (name, None) => format!("named={name}"),
    })
}

/// `Ingresar[role="button"]`: the name, and the role where there is one.
fn name_and_role(value: &str) -> Result<(String, Option<String>), String> {
    let mut name = String::new();
    let mut role = None;
    let mut rest = value;
    while let Some(open) = rest.find('[') {
        let Some((key, held, behind)) = attribute(&rest[open..]) else {
            name.push_str(&rest[..=open]);
            rest = &rest[open + 1..];
            continue;
        };
        name.push_str(&rest[..open]);
        match key {
            "role" => role = Some(held.to_owned()),
            "name" => name.push_str(held),
            _ => {
                return Err(format!(
                    "`[{key}=...]` of `aria/{value}` is unknown\nhint: only `name` and `role` can stand there"
                ));
            }
        }
        rest = behind;
    }
    name.push_str(rest);
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok((name, role))
}

/// `[key="value"]` at the beginning, and what stands behind it.
fn attribute(text: &str) -> Option<(&str, &str, &str)> {
    let (key, rest) = text.strip_prefix('[')?.split_once('=')?;
    let rest = rest.trim_start();
    let quote = rest
        .chars()
        .next()
        .filter(|first| matches!(first, '\'' | '"'))?;
    let (held, behind) = rest[1..].split_once(quote)?;
    let behind = behind.trim_start().strip_prefix(']')?;
    let key = key.trim();
    let is_word = !key.is_empty() && key.chars().all(char::is_alphanumeric);
    is_word.then_some((key, held, behind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journey::Selector;

    #[test]
    fn each_kind_of_selector_is_one_of_a_journey() {
        for (recorded, journeys) in [
            (&["aria/Ingresar"][..], "named=Ingresar"),
            (
                &["aria/Ingresar[role=\"button\"]"],
                "role=button[name='Ingresar']",
            ),
            (&["aria/[role=\"main\"]"], "role=main"),
            (
                &["aria/L'art \\ [x][role='link']"],
                "role=link[name='L\\'art \\\\ [x]']",
            ),
            (&["aria/'a' >> b"], "named='\\'a\\' >> b'"),
            (&["text/Ver más"], "text=Ver más"),
            (&["text/\"Hola\""], "text=\\\"Hola\""),
            (&["xpath///*[@id=\"a\"]"], "xpath=//*[@id=\"a\"]"),
            (&["pierce/#a > b"], "#a > b"),
            (&["#a"], "#a"),
            (&["css/#a"], "#a"),
            (
                &["my-app", "aria/Guardar", "#b"],
                "my-app >> named=Guardar >> #b",
            ),
        ] {
            let chain = Chain(recorded.iter().map(|part| (*part).to_owned()).collect());
            let written = target(&[chain]).unwrap();
            assert_eq!(written.as_str(), Some(journeys));
            assert!(Selector::parse(journeys).is_ok(), "{journeys}");
        }
    }

    #[test]
    fn what_is_no_selector_is_refused_with_a_hint() {
        for selector in [
            "",
            "aria/",
            "aria/x[level=\"2\"]",
            "a >>> b",
            "::-p-text(x)",
            "text/a >> b",
        ] {
            let told = target(&[Chain(vec![selector.to_owned()])]).unwrap_err();
            assert!(told.contains("\nhint: "), "{selector}: {told}");
        }
    }
}
