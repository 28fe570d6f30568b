//! Which parts of a page nobody may see: whatever shows a secret, or may.

use std::time::Instant;

use crate::{
    browser::{Area, Context, Node, PageError, Seen, SessionId, What},
    run::redaction::Redaction,
};

/// Where they are now.
pub async fn areas(
    context: &mut Context,
    redaction: &Redaction,
    deadline: Instant,
) -> Result<Vec<Area>, PageError> {
    if redaction.is_empty() {
        return Ok(Vec::new());
    }
    let sight = context.sight(deadline).await?;
    let nodes: Vec<Node> = sight
        .iter()
        .flat_map(|(session, seen)| nodes(session, seen, redaction))
        .collect();
    context.areas(&nodes, deadline).await
}

/// A text that is shown in pieces is covered in all of them. Of what a script has drawn nobody can tell what it shows: the
/// page knows the secret, and may have drawn it.
fn nodes(session: &SessionId, seen: &[Seen], redaction: &Redaction) -> Vec<Node> {
    let mut numbers: Vec<u32> = Vec::new();
    for document in seen.split(|seen| seen.what == What::End) {
        let texts: Vec<(u32, &str)> = document
            .iter()
            .filter_map(|seen| match &seen.what {
                What::Text(text) => Some((seen.node, text.as_str())),
                What::Held(_) | What::Drawing | What::End => None,
            })
            .collect();
        let shown: Vec<&str> = texts.iter().map(|(_, text)| *text).collect();
        let parts = redaction.parts_in(&shown);
        numbers.extend(parts.into_iter().map(|index| texts[index].0));
        numbers.extend(document.iter().filter_map(|seen| match &seen.what {
            What::Held(text) => redaction.is_in_text(text).then_some(seen.node),
            What::Drawing => Some(seen.node),
            What::Text(_) | What::End => None,
        }));
    }
    numbers.sort_unstable();
    numbers.dedup();
    let node = |number| Node {
        session: session.clone(),
        number,
    };
    numbers.into_iter().map(node).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_a_secret_in_pieces_holds_it_or_is_drawn_is_covered() {
        let see = |node, what| Seen { node, what };
        let text = |node, text: &str| see(node, What::Text(text.into()));
        let seen = [
            text(1, "Su clave: Cla"),
            see(2, What::Held("robot".into())),
            text(3, "ve-"),
            text(4, "123 "),
            text(5, "fin Cla"),
            see(6, What::Drawing),
            see(0, What::End),
            text(7, "ve-123"),
            see(8, What::Held("/qr?de=clave%2D123".into())),
        ];
        let redaction = Redaction::of_secrets(&["clave-123".into()]);
        let covered = nodes(&SessionId::default(), &seen, &redaction);
        let numbers: Vec<u32> = covered.iter().map(|node| node.number).collect();
        assert_eq!(numbers, [1, 3, 4, 6, 8]);
    }
}
