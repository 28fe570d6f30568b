//! Pages, windows and frames; what a test does beside its workflow; other tests that it runs.

use std::time::Duration;

use toml::Value;
use url::Url;
use vigia_contract::slug::slug;

use super::{
    passwords::credentials,
    side::Command,
    variables::{Known, PORTAL},
    walk::{Item, Role, Running, Walk, entries, table},
};

/// Carries a command of this family over; nothing where it is none.
pub fn carry(walk: &mut Walk<'_>, name: &str, command: &Command) -> Option<Result<(), String>> {
    Some(match name {
        "open" => open(walk, command),
        "goBack" => walk.write("back".into(), Role::Do, None),
        "refresh" => walk.write("reload".into(), Role::Do, None),
        "waitForPageToLoad" => Ok(()),
        "pause" => pause(walk, command),
        "echo" => {
            walk.say(&command.target);
            Ok(())
        }
        "captureEntirePageScreenshot" => picture(walk, command, |name| {
            entries([("name", name.into()), ("full_page", true.into())])
        }),
        "takeScreenshot" => picture(walk, command, Value::from),
        "debugger" | "setSpeed" => {
            walk.needless(
                command,
                "a journey waits for what it needs, and stops nowhere else",
            );
            Ok(())
        }
        "setWindowSize" => window_size(walk, command),
        "selectFrame" => {
            frame(walk, command);
            Ok(())
        }
        "selectWindow" => window(walk, command),
        "storeWindowHandle" => {
            walk.windows.remember(&command.target);
            Ok(())
        }
        "close" => close(walk, command),
        "run" => run(walk, command),
        _ => return None,
    })
}

fn open(walk: &mut Walk<'_>, command: &Command) -> Result<(), String> {
    let mut address = walk.fill(command.target.trim())?;
    let mut base = walk.ground.project.url.trim().to_owned();
    for of in [&mut base, &mut address] {
        if let Some((bare, user, password)) = credentials(of) {
            let secret = walk.ground.passwords.of_literal(&password);
            let secret = secret.ok_or("its password has no name")?;
            let origin = Url::parse(&bare).map_or_else(|_| bare.clone(), |url| origin(&url));
            walk.basic_auth = Some((format!("{origin}/"), user, secret));
            *of = bare;
        }
    }
    walk.frames = 0;
    let written = written_address(walk, &base, &address)?;
    let label = step_name(&written);
    walk.write(table("goto", written), Role::Open, Some(label))
}

/// Below the project's own address it is `${portal}/...`.
fn written_address(walk: &mut Walk<'_>, base: &str, address: &str) -> Result<String, String> {
    let base = Url::parse(base)
        .ok()
        .filter(|base| matches!(base.scheme(), "http" | "https"));
    let absolute = ["http://", "https://"]
        .iter()
        .any(|scheme| address.starts_with(scheme));
    if address.contains("${") {
        // What stands for the reference is not known yet: only the beginning can be told.
        return match base {
            _ if absolute || address.starts_with("${") => Ok(address.to_owned()),
            Some(base) if address.starts_with('/') => {
                Ok(format!("{}{address}", portal(walk, &base)))
            }
            Some(base) => {
                let folder = base
                    .path()
                    .rsplit_once('/')
                    .map_or("", |(folder, _)| folder)
                    .to_owned();
                Ok(format!("{}{folder}/{address}", portal(walk, &base)))
            }
            None => Err(no_address(address)),
        };
    }
    let url = match &base {
        Some(base) => base
            .join(address)
            .map_err(|error| format!("`{address}` is no address: {error}"))?,
        None if absolute => {
            Url::parse(address).map_err(|error| format!("`{address}` is no address: {error}"))?
        }
        None => return Err(no_address(address)),
    };
    match base {
        Some(base) if origin(&base) == origin(&url) => {
            let rest = &url.as_str()[origin(&url).len()..];
            Ok(format!("{}{rest}", portal(walk, &base)))
        }
        _ => Ok(url.to_string()),
    }
}

/// An address without user and password.
fn bare(address: &str) -> String {
    credentials(address).map_or_else(|| address.trim().to_owned(), |(bare, _, _)| bare)
}

fn no_address(address: &str) -> String {
    format!("`{address}` goes on from the project's own address, and the project has none")
}

/// `${portal}`, unless the test has a variable of its own that is called so.
fn portal(walk: &mut Walk<'_>, base: &Url) -> String {
    if has_own_portal(walk) {
        return origin(base);
    }
    if walk.variables.parameters.is_none() {
        walk.variables.set(PORTAL, Known::Named(origin(base)));
    }
    walk.variables.portal().to_owned()
}

fn has_own_portal(walk: &Walk<'_>) -> bool {
    !matches!(walk.variables.get(PORTAL), None | Some(Known::Named(_)))
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// `${portal}/expedientes/nuevo?x=1` is `Expedientes nuevo`.
fn step_name(address: &str) -> String {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    let parts = path.split('/').skip(1).filter(|part| !part.contains("${"));
    let words = parts
        .flat_map(super::naming::words)
        .collect::<Vec<_>>()
        .join(" ");
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => "Open".into(),
    }
}

fn pause(walk: &mut Walk<'_>, command: &Command) -> Result<(), String> {
    let text = if command.target.trim().is_empty() {
        &command.value
    } else {
        &command.target
    };
    let milliseconds = walk
        .variables
        .constant(text)
        .and_then(|text| text.trim().parse::<u64>().ok());
    let milliseconds = milliseconds.ok_or("how long is not known before it runs")?;
    if milliseconds == 0 {
        return Ok(());
    }
    walk.pauses_ms += milliseconds;
    walk.write(table("wait", duration(milliseconds)), Role::Beside, None)
}

/// `"30s"`, `"250ms"`.
pub fn duration(milliseconds: u64) -> String {
    let duration = Duration::from_millis(milliseconds);
    if duration.subsec_millis() == 0 {
        format!("{}s", duration.as_secs())
    } else {
        format!("{milliseconds}ms")
    }
}

fn picture(
    walk: &mut Walk<'_>,
    command: &Command,
    written: impl FnOnce(String) -> Value,
) -> Result<(), String> {
    let name = walk.fill(&command.target)?;
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = slug(name.rsplit_once('.').map_or(name, |(name, _)| name));
    let name = if name.is_empty() { "page".into() } else { name };
    walk.write(table("screenshot", written(name)), Role::Beside, None)
}

fn window_size(walk: &mut Walk<'_>, command: &Command) -> Result<(), String> {
    let size = walk.variables.constant(&command.target);
    let size = size.as_deref().and_then(|size| size.split_once(['x', 'X']));
    let number = |text: &str| text.trim().parse::<u32>().ok();
    let size = size.and_then(|(width, height)| Some((number(width)?, number(height)?)));
    let (width, height) = size.ok_or("it is no size")?;
    let viewport = entries([
        ("width", i64::from(width).into()),
        ("height", i64::from(height).into()),
    ]);
    walk.write(table("viewport", viewport), Role::Beside, None)
}

fn frame(walk: &mut Walk<'_>, command: &Command) {
    match command.target.trim() {
        "relative=top" => walk.frames = 0,
        "relative=parent" => walk.frames = walk.frames.saturating_sub(1),
        // Selectors of a journey look into all frames.
        _ => walk.frames += 1,
    }
}

fn window(walk: &mut Walk<'_>, command: &Command) -> Result<(), String> {
    walk.frames = 0;
    if let Some(tab) = walk.windows.select(&command.target)? {
        walk.accept(&tab)?;
        walk.items.push(Item::Action {
            action: tab,
            role: Role::Beside,
            label: None,
        });
    }
    Ok(())
}

fn close(walk: &mut Walk<'_>, command: &Command) -> Result<(), String> {
    if let Some(tab) = walk.windows.bring_forward()? {
        walk.items.push(Item::Action {
            action: tab,
            role: Role::Beside,
            label: None,
        });
    }
    if walk.windows.close() {
        let tab = table("tab", "close");
        walk.items.push(Item::Action {
            action: tab,
            role: Role::Beside,
            label: None,
        });
    } else if walk.next().is_none() {
        walk.needless(command, "the window is closed at the end of every run");
    } else {
        return Err("a journey keeps its first window until its end".into());
    }
    walk.frames = 0;
    Ok(())
}

fn run(walk: &mut Walk<'_>, command: &Command) -> Result<(), String> {
    let name = command.target.trim();
    let project = walk.ground.project;
    let test = project.tests.iter().find(|test| test.name.trim() == name);
    let test = test.ok_or_else(|| format!("the project has no test `{name}`"))?;
    if walk.is_within(&test.name) {
        return Err(format!("the test `{name}` runs itself"));
    }
    let fragment = walk
        .ground
        .fragments
        .iter()
        .find(|fragment| fragment.test == test.name);
    let fragment = match fragment {
        Some(fragment) if walk.running == Running::Shared => fragment,
        _ => {
            walk.through(test);
            return Ok(());
        }
    };
    let mut with = Vec::new();
    for parameter in &fragment.parameters {
        let value = if parameter == PORTAL {
            if has_own_portal(walk) {
                return Err(format!(
                    "`{PORTAL}` is a variable of the project and the address of its pages; call the variable otherwise"
                ));
            }
            let base = Url::parse(&bare(&project.url)).map_err(|_| no_address("open"))?;
            portal(walk, &base)
        } else {
            let passwords = walk.ground.passwords;
            walk.variables
                .reference(parameter, passwords)
                .map_err(|why| format!("the test that it runs needs `${{{parameter}}}`: {why}"))?
        };
        with.push((parameter.clone(), value));
    }
    if !fragment.does_something() {
        return Err(format!("nothing of the test `{name}` is done in a page"));
    }
    walk.items.push(Item::Use {
        test: test.name.clone(),
        with,
    });
    fragment.leave_behind(walk);
    Ok(())
}
