//! What is done with the mouse. A test presses, moves and lets go in commands of their own; a journey clicks or drags.

use toml::Value;

use super::{
    locators::Element,
    side::Command,
    walk::{Role, Walk, entries, table, target},
};

/// The mouse is pressed on something.
#[derive(Clone, Debug)]
pub struct Held {
    element: Element,
    number: usize,
    command: Command,
}

impl Held {
    /// What follows is no letting go.
    pub fn left_out(self, walk: &mut Walk<'_>) {
        let number = std::mem::replace(&mut walk.number, self.number);
        walk.left_out(
            &self.command,
            "a journey lets go what it presses, and no `mouseUp` follows",
        );
        walk.number = number;
    }
}

/// Carries a command of this family over; nothing where it is none.
pub fn carry(walk: &mut Walk<'_>, name: &str, command: &Command) -> Option<Result<(), String>> {
    Some(match name {
        "click" => click(walk, command, &[], At::Anywhere),
        "clickAt" => click(walk, command, &[], At::Point),
        "doubleClick" => click(walk, command, &[("count", 2.into())], At::Anywhere),
        "doubleClickAt" => click(walk, command, &[("count", 2.into())], At::Point),
        "contextMenu" => click(walk, command, &[("button", "right".into())], At::Anywhere),
        "mouseOver" => hover(walk, command, At::Anywhere),
        // On its way to where it is let go.
        "mouseMoveAt" if walk.held.is_some() => Ok(()),
        "mouseMoveAt" => hover(walk, command, At::Point),
        "mouseOut" => away(walk, command),
        "mouseDown" | "mouseDownAt" => down(walk, command),
        "mouseUp" | "mouseUpAt" => up(walk, command),
        "dragAndDropToObject" => drag(walk, command),
        _ => return None,
    })
}

/// Where on an element.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Anywhere,
    /// At the point that the command's value says.
    Point,
}

fn click(
    walk: &mut Walk<'_>,
    command: &Command,
    options: &[(&str, Value)],
    at: At,
) -> Result<(), String> {
    let element = walk.element(command)?;
    if element.is_option() {
        let chosen = matches!(walk.items.last(), Some(super::walk::Item::Action { action, .. }) if action.get("select").is_some());
        return if chosen {
            // The IDE records the choice and then the click by which it was made.
            Ok(())
        } else {
            Err("an option is chosen by `select`".into())
        };
    }
    // A press on the same element belongs to this click.
    if walk
        .held
        .as_ref()
        .is_some_and(|held| held.element.same_as(&element))
    {
        walk.held = None;
    }
    let is_part_of_next = options.is_empty()
        && !command.opens_window
        && walk.next_dialog.is_none()
        && walk
            .next()
            .is_some_and(|next| fills(next) && next.target == command.target);
    if is_part_of_next {
        return Ok(());
    }
    let label = element.label();
    let mut options = options.to_vec();
    if let (At::Point, Some((x, y))) = (at, point(&command.value)) {
        options.push(("offset", entries([("x", x.into()), ("y", y.into())])));
    }
    let click = if options.is_empty() {
        target(&element)
    } else {
        let mut table = toml::Table::from_iter([("on".to_owned(), target(&element))]);
        table.extend(
            options
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value)),
        );
        table.into()
    };
    walk.write(table("click", click), Role::Do, label)?;
    if command.opens_window {
        walk.windows.opened(&command.window_handle_name);
    }
    Ok(())
}

/// It puts the focus there itself.
fn fills(command: &Command) -> bool {
    matches!(
        super::commands::plain_name(&command.name).as_str(),
        "type" | "sendKeys" | "editContent" | "select" | "addSelection"
    )
}

fn hover(walk: &mut Walk<'_>, command: &Command, at: At) -> Result<(), String> {
    let element = walk.element(command)?;
    let hover = match (at, point(&command.value)) {
        (At::Point, Some((x, y))) => {
            let offset = entries([("x", x.into()), ("y", y.into())]);
            entries([("on", target(&element)), ("offset", offset)])
        }
        _ => target(&element),
    };
    walk.write(table("hover", hover), Role::Do, element.label())
}

/// To where nothing of the page is, unless the mouse goes elsewhere by itself.
fn away(walk: &mut Walk<'_>, command: &Command) -> Result<(), String> {
    let moves = |next: &Command| {
        let name = super::commands::plain_name(&next.name);
        ["click", "doubleClick", "contextMenu", "mouse", "drag"]
            .iter()
            .any(|beginning| name.starts_with(beginning))
    };
    if walk.next().is_some_and(moves) {
        walk.needless(command, "the next command moves the mouse away");
        return Ok(());
    }
    let corner = entries([("x", 0.into()), ("y", 0.into())]);
    let hover = entries([("on", "html".into()), ("offset", corner)]);
    walk.changed(
        command,
        "it goes to the corner of the page; where the page has frames, name another element",
    );
    walk.write(table("hover", hover), Role::Beside, None)
}

fn down(walk: &mut Walk<'_>, command: &Command) -> Result<(), String> {
    let element = walk.element(command)?;
    if let Some(before) = walk.held.take() {
        before.left_out(walk);
    }
    walk.held = Some(Held {
        element,
        number: walk.number,
        command: command.clone(),
    });
    Ok(())
}

fn up(walk: &mut Walk<'_>, command: &Command) -> Result<(), String> {
    let element = walk.element(command)?;
    let held = walk.held.take().ok_or("no `mouseDown` stands before it")?;
    if held.element.same_as(&element) {
        let is_clicked = walk.next().is_some_and(|next| {
            matches!(
                super::commands::plain_name(&next.name).as_str(),
                "click" | "clickAt" | "doubleClick"
            ) && next.target == command.target
        });
        if is_clicked {
            return Ok(());
        }
        return walk.write(table("click", target(&element)), Role::Do, element.label());
    }
    let drag = entries([("from", target(&held.element)), ("to", target(&element))]);
    walk.write(table("drag", drag), Role::Do, held.element.label())
}

fn drag(walk: &mut Walk<'_>, command: &Command) -> Result<(), String> {
    let from = walk.element(command)?;
    let to = walk.fill(&command.value)?;
    let to = Element::by(&to)?;
    let drag = entries([("from", target(&from)), ("to", target(&to))]);
    walk.write(table("drag", drag), Role::Do, from.label())
}

/// `12,7`; what lies outside of the element is no point of it.
fn point(text: &str) -> Option<(i64, i64)> {
    let (x, y) = text.split_once(',')?;
    let number = |text: &str| {
        text.trim()
            .split('.')
            .next()?
            .parse::<i64>()
            .ok()
            .filter(|number| *number >= 0)
    };
    Some((number(x)?, number(y)?))
}
