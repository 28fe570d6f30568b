//! `DOMSnapshot.captureSnapshot`: the layout of a page as one answer, read for what a user sees. Pure but for the types of
//! the protocol.

use std::collections::{HashMap, HashSet};

use headless_chrome::protocol::cdp::types::Method;
use serde::{Deserialize, Serialize};

/// The styles that may bring a picture, or a text, with them.
const STYLES: [&str; 4] = [
    "background-image",
    "border-image-source",
    "list-style-image",
    "mask-image",
];

/// Elements that show their attributes in some way.
const SPEAKING: [&str; 14] = [
    "BUTTON", "EMBED", "IFRAME", "IMG", "INPUT", "METER", "OBJECT", "OPTGROUP", "OPTION",
    "PROGRESS", "SELECT", "TEXTAREA", "VIDEO", "image",
];

/// Elements whose pixels come from a script, or from a file that nobody reads here.
const DRAWN: [&str; 4] = ["CANVAS", "EMBED", "OBJECT", "VIDEO"];

/// Asks for everything in one answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CaptureSnapshot {
    computed_styles: [&'static str; 4],
}

impl Default for CaptureSnapshot {
    fn default() -> Self {
        Self {
            computed_styles: STYLES,
        }
    }
}

impl Method for CaptureSnapshot {
    const NAME: &'static str = "DOMSnapshot.captureSnapshot";
    type ReturnObject = Snapshot;
}

/// What a process shows.
#[derive(Debug, Deserialize)]
pub struct Snapshot {
    documents: Vec<Document>,
    strings: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Document {
    nodes: Nodes,
    layout: Layout,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Nodes {
    parent_index: Vec<i64>,
    node_name: Vec<i64>,
    node_value: Vec<i64>,
    backend_node_id: Vec<u32>,
    attributes: Vec<Vec<i64>>,
    text_value: Option<Rare>,
    input_value: Option<Rare>,
    #[serde(rename = "currentSourceURL")]
    current_source_url: Option<Rare>,
}

/// Values that few nodes have.
#[derive(Debug, Deserialize)]
struct Rare {
    index: Vec<usize>,
    value: Vec<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layout {
    node_index: Vec<usize>,
    text: Vec<i64>,
    styles: Vec<Vec<i64>>,
}

/// Something that a user may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The number of its node.
    pub node: u32,
    /// What it is.
    pub what: What,
}

/// What a user may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A text, as it is shown; those of a document follow each other.
    Text(String),
    /// What a field or a picture holds or is called.
    Held(String),
    /// Pixels of which nobody can tell what they show.
    Drawing,
    /// A document ends here: no text goes on behind it.
    End,
}

impl Snapshot {
    /// What is to be seen, in the order of the documents.
    pub fn seen(&self) -> Vec<Seen> {
        self.documents
            .iter()
            .flat_map(|document| {
                let end = Seen {
                    node: 0,
                    what: What::End,
                };
                self.seen_in(document).into_iter().chain([end])
            })
            .collect()
    }

    fn seen_in(&self, document: &Document) -> Vec<Seen> {
        let nodes = &document.nodes;
        let laid_out: HashSet<usize> = document.layout.node_index.iter().copied().collect();
        let mut seen = Vec::new();
        let mut see = |node: usize, what: What| {
            if let Some(&node) = nodes.backend_node_id.get(node) {
                seen.push(Seen { node, what });
            }
        };
        let layout = &document.layout;
        for (&node, (&text, styles)) in layout
            .node_index
            .iter()
            .zip(layout.text.iter().zip(&layout.styles))
        {
            if let Some(text) = self.string(text) {
                see(node, What::Text(text.to_owned()));
            }
            for style in styles.iter().filter_map(|&style| self.string(style)) {
                // Sheets have pixels in addresses for ornaments; only what a script has made has a `blob:`.
                if style.contains("blob:") {
                    see(node, What::Drawing);
                } else if style.contains("url(") {
                    see(node, What::Held(style.to_owned()));
                }
            }
        }
        for (rare, draws) in [
            (&nodes.text_value, false),
            (&nodes.input_value, false),
            (&nodes.current_source_url, true),
        ] {
            for (node, value) in self.rare(rare.as_ref()) {
                if laid_out.contains(&node) {
                    let drawn = draws && is_drawn(value);
                    see(
                        node,
                        if drawn {
                            What::Drawing
                        } else {
                            What::Held(value.to_owned())
                        },
                    );
                }
            }
        }
        for node in 0..nodes.node_name.len() {
            let name = self.string(nodes.node_name[node]).unwrap_or_default();
            let styled = self.attribute(&nodes.attributes[node], "style");
            if laid_out.contains(&node) && (DRAWN.contains(&name) || styled.is_some_and(is_drawn)) {
                see(node, What::Drawing);
            }
            if !SPEAKING.contains(&name) && name != "#text" {
                continue;
            }
            // The options of a list are shown by the list.
            let Some(shown) = self.shown_by(document, node, &laid_out) else {
                continue;
            };
            if name == "#text" {
                if shown != node
                    && let Some(text) = self.string(nodes.node_value[node])
                {
                    see(shown, What::Held(text.to_owned()));
                }
                continue;
            }
            for value in nodes.attributes[node].chunks_exact(2) {
                if let Some(value) = self.string(value[1]) {
                    see(shown, What::Held(value.to_owned()));
                }
            }
        }
        seen
    }

    /// The node itself where it has a place; of a list's option the list.
    fn shown_by(
        &self,
        document: &Document,
        node: usize,
        laid_out: &HashSet<usize>,
    ) -> Option<usize> {
        if laid_out.contains(&node) {
            return Some(node);
        }
        let nodes = &document.nodes;
        let mut at = node;
        loop {
            at = usize::try_from(*nodes.parent_index.get(at)?).ok()?;
            match self.string(nodes.node_name[at])? {
                "SELECT" => return laid_out.contains(&at).then_some(at),
                "OPTION" | "OPTGROUP" => {}
                _ => return None,
            }
        }
    }

    fn attribute(&self, attributes: &[i64], name: &str) -> Option<&str> {
        let mut pairs = attributes.chunks_exact(2);
        let pair = pairs.find(|pair| self.string(pair[0]) == Some(name))?;
        self.string(pair[1])
    }

    fn string(&self, index: i64) -> Option<&str> {
        self.strings
            .get(usize::try_from(index).ok()?)
            .map(String::as_str)
    }

    fn rare<'s>(&'s self, rare: Option<&Rare>) -> HashMap<usize, &'s str> {
        let pairs = rare
            .into_iter()
            .flat_map(|rare| rare.index.iter().zip(&rare.value));
        pairs
            .filter_map(|(&node, &value)| Some((node, self.string(value)?)))
            .collect()
    }
}

/// A picture that a script can have made: of a `blob:`, or of pixels in the address itself. A drawing in SVG can be read.
fn is_drawn(address: &str) -> bool {
    address.contains("blob:")
        || address
            .match_indices("data:image/")
            .any(|(at, found)| !address[at + found.len()..].starts_with("svg"))
}
