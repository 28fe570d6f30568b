//! A recording of Chrome's Recorder as a journey's file, for whoever wants to go on by hand: it can be played as it is.

use std::collections::BTreeSet;

use toml::Value;
use url::Url;
use vigia_contract::{
    mistake::{Mistake, Source},
    slug::slug,
};

use super::{
    Imported, ImportedFile, check_system,
    draft::{Draft, Line, StepDraft},
    free, pages,
    passwords::{self, Passwords},
    remark::{Remark, Weight},
    secrets, toml_file,
    variables::PORTAL,
    walk::{accept, texts},
};
use crate::recording::{self, Written, WrittenAction};

/// Imports a recording; nothing in it says what its `system` is called.
pub fn recording(source: &Source, system: Option<&str>) -> Result<Imported, Vec<Mistake>> {
    let written = recording::written(source)?;
    let system = system.unwrap_or_default();
    check_system(source, system).map_err(|mistake| vec![mistake])?;
    let file = source
        .path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let passwords = passwords_of(&written, system);
    let portal = opened(&written);
    let mut remarks = Vec::new();
    let mut steps = Vec::new();
    for step in &written.steps {
        let mut lines = Vec::new();
        for action in &step.actions {
            match rewritten(action, &passwords, portal.as_deref()) {
                Ok(action) => lines.push(Line::Action(action)),
                Err(why) => {
                    let named = &action.of.named;
                    lines.push(Line::Comment(format!("left out: {named} ({why})")));
                    remarks.push(Remark {
                        test: passwords.hidden_in(&written.title),
                        command: None,
                        shown: named.clone(),
                        why,
                        weight: Weight::LeftOut,
                    });
                }
            }
        }
        steps.push(StepDraft {
            name: passwords.hidden_in(&step.name),
            uses: None,
            lines,
        });
    }
    // A step that does nothing is a mistake; what is told of it goes to the one before it.
    let mut whole: Vec<StepDraft> = Vec::new();
    for step in steps {
        let acts = step
            .lines
            .iter()
            .any(|line| matches!(line, Line::Action(_)));
        match whole.last_mut() {
            Some(before) if !acts => before.lines.extend(step.lines),
            _ => whole.push(step),
        }
    }
    let name = free(&slug(&written.title), "recording", |_| false);
    let draft = Draft {
        header: vec![
            passwords.hidden_in(&format!("Imported from {file}, {:?}.", written.title)),
            "How much it matters and how often it runs stands in no recording: look at impact, every and timeout.".into(),
        ],
        system: system.to_owned(),
        name: name.clone(),
        every: "5m".into(),
        timeout: "60s".into(),
        action_timeout: Some(pages::duration(u64::try_from(written.action_timeout.as_millis()).unwrap_or(u64::MAX))),
        looks_where_told: true,
        variables: portal.iter().map(|origin| (PORTAL.to_owned(), origin.clone())).collect(),
        basic_auth: None,
        steps: whole,
    };
    let text = draft.print();
    let secrets: BTreeSet<String> = secrets(&text).into_iter().collect();
    let files = vec![ImportedFile {
        path: toml_file(&name),
        text,
        is_journey: true,
    }];
    Ok(Imported {
        files,
        remarks,
        secrets,
    })
}

/// What is typed, and into what.
fn typed(action: &Value) -> Option<(Vec<&str>, &str)> {
    let change = action.get("change")?;
    let field = texts(change.get("field")?).collect();
    Some((field, change.get("to")?.as_str()?))
}

fn passwords_of(written: &Written, system: &str) -> Passwords {
    let mut passwords = Passwords::of_system(system);
    for action in written.steps.iter().flat_map(|step| &step.actions) {
        if let Some((field, text)) = typed(&action.value)
            && let Some(name) = passwords::field(&field)
        {
            passwords.type_into(&name, text);
        }
    }
    passwords
}

/// Where the first page is.
fn opened(written: &Written) -> Option<String> {
    let mut actions = written.steps.iter().flat_map(|step| &step.actions);
    let address = actions.find_map(|action| action.value.get("goto")?.as_str())?;
    let url = Url::parse(address).ok()?;
    url.has_host().then(|| url.origin().ascii_serialization())
}

/// With `${portal}` and without passwords, or why a journey cannot have it.
fn rewritten(
    action: &WrittenAction,
    passwords: &Passwords,
    portal: Option<&str>,
) -> Result<Value, String> {
    let mut value = action.value.clone();
    let secret = typed(&value).and_then(|(_, text)| passwords.of_literal(text));
    if let Some(secret) = secret
        && let Some(to) = value
            .get_mut("change")
            .and_then(|change| change.get_mut("to"))
    {
        *to = format!("${{secret:{secret}}}").into();
    } else if texts(&value).any(|text| text.contains("${")) {
        return Err("a `${` in it would be a reference of the journey's".into());
    }
    if let Some(origin) = portal {
        let address = match &mut value {
            Value::Table(table) if table.contains_key("goto") => table.get_mut("goto"),
            Value::Table(table) => {
                let inner = ["expect", "tab"]
                    .into_iter()
                    .find(|key| table.contains_key(*key));
                inner
                    .and_then(|key| table.get_mut(key)?.as_table_mut())
                    .and_then(|table| {
                        if table.contains_key("url") {
                            table.get_mut("url")
                        } else {
                            table.get_mut("target")
                        }
                    })
            }
            _ => None,
        };
        if let Some(Value::String(address)) = address
            && let Some(rest) = address.strip_prefix(origin)
            && (rest.is_empty() || rest.starts_with(['/', '?', '#']))
        {
            *address = format!("${{{PORTAL}}}{rest}");
        }
    }
    accept(&value, passwords)?;
    Ok(value)
}
