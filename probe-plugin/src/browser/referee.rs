//! Chromium's own accessibility tree as the referee: what the script in the page takes for an element's role and name is
//! what Chromium tells assistive technology, on a page with some of everything.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use headless_chrome::protocol::cdp::{Page::SetDocumentContent, types::Method};
use serde::Serialize;
use serde_json::{Value, json};

use super::{BrowserSettings, Context, WarmBrowser, script::SOURCE};

const PAGE: &str = include_str!("referee.html");

/// The script of a robot, with a word more to say: what each element with an id is to it.
fn script() -> String {
    let end = SOURCE.rfind("return {").unwrap();
    let told = "return query('*').filter(({ id }) => /^e\\d+$/.test(id))\
        .map((element) => [element.id, unheard(element) ? null : role(element), name(element)]);\n})()";
    let body = SOURCE[..end].replacen("globalThis.vigia = ", "", 1);
    format!("{body}{told}")
}

macro_rules! method {
    ($name:ident, $method:literal) => {
        #[derive(Debug, Serialize)]
        struct $name(Value);

        impl Method for $name {
            const NAME: &'static str = $method;
            // The protocol's own types are closed and older than this Chromium.
            type ReturnObject = Value;
        }
    };
}
method!(Evaluate, "Runtime.evaluate");
method!(EnableAccessibility, "Accessibility.enable");
method!(FullTree, "Accessibility.getFullAXTree");
method!(Document, "DOM.getDocument");

/// The nodes of the document and its shadow roots, by the `id` of their elements.
fn ids(node: &Value, found: &mut HashMap<String, Vec<i64>>) {
    let attributes: Vec<&str> = node["attributes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if let Some(pair) = attributes.chunks(2).find(|pair| pair[0] == "id") {
        let node = node["backendNodeId"].as_i64().unwrap();
        found.entry(pair[1].to_owned()).or_default().push(node);
    }
    for part in ["children", "shadowRoots"] {
        for child in node[part].as_array().into_iter().flatten() {
            ids(child, found);
        }
    }
}

/// Role and name as Chromium has them, in the words of ARIA.
fn as_chromium_says(node: &Value) -> (Option<&str>, String) {
    if node["ignored"] == true {
        return (None, String::new());
    }
    let role = node["role"]["value"].as_str().map(|role| match role {
        "image" => "img",
        role => role,
    });
    let name = node["name"]["value"].as_str().unwrap_or_default();
    let name: Vec<&str> = name.split_whitespace().collect();
    (role.filter(|role| *role != "generic"), name.join(" "))
}

/// What differs, for the reasons that stand beside the expected text.
async fn differences() -> String {
    let browser = WarmBrowser::new(BrowserSettings {
        sandbox: !rustix::process::geteuid().is_root(),
        ..BrowserSettings::default()
    });
    let chromium = browser.for_a_run().await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut context = Context::open(Arc::clone(&chromium), None, deadline)
        .await
        .unwrap();
    context.wake(deadline).await.unwrap();
    let main = context.state().unwrap().frames.main();
    let (frame_id, world) = (main.id.clone(), main.world.unwrap());
    let html = PAGE.to_owned();
    let page = SetDocumentContent { frame_id, html };
    context.call(&page, deadline).await.unwrap();
    let evaluate = Evaluate(json!({
        "expression": script(),
        "contextId": world,
        "returnByValue": true,
    }));
    let ours = context.call(&evaluate, deadline).await.unwrap();
    let document = Document(json!({ "depth": -1, "pierce": true }));
    let document = context.call(&document, deadline).await.unwrap();
    let enable = EnableAccessibility(json!({}));
    context.call(&enable, deadline).await.unwrap();
    let tree = FullTree(json!({}));
    let tree = context.call(&tree, deadline).await.unwrap();
    drop(context);
    drop(chromium);
    browser.end().await.unwrap();

    let mut nodes = HashMap::new();
    ids(&document["root"], &mut nodes);
    let told: HashMap<i64, &Value> = tree["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .filter_map(|node| Some((node["backendDOMNodeId"].as_i64()?, node)))
        .collect();
    let ours = ours["result"]["value"].as_array().unwrap();
    assert!(ours.len() > 150, "{}", ours.len());
    let mut differences = Vec::new();
    for element in ours {
        let id = element[0].as_str().unwrap();
        let node = nodes.get_mut(id).unwrap().remove(0);
        let (role, name) = told
            .get(&node)
            .map_or((None, String::new()), |node| as_chromium_says(node));
        let (our_role, our_name) = (element[1].as_str(), element[2].as_str().unwrap());
        // Whoever has no role is not found by its name.
        let is_named = role.is_some() && our_role.is_some();
        if role != our_role || (is_named && name != our_name) {
            differences.push(format!(
                "{id}: {} `{our_name}`, in Chromium {} `{name}`",
                our_role.unwrap_or("-"),
                role.unwrap_or("-")
            ));
        }
    }
    differences.join("\n")
}

#[tokio::test]
async fn roles_and_names_are_those_of_chromiums_own_tree() {
    // Chromium has names of its own for what ARIA has no role for (dates, times, colours, descriptions, frames), and for
    // `summary` and `math`. It names no figure by its caption and no row by its cells, which HTML-AAM and accname do.
    insta::assert_snapshot!(differences().await, @"
    e12: - ``, in Chromium sectionheader ``
    e13: - ``, in Chromium sectionfooter ``
    e52: - `F`, in Chromium Date `F`
    e54: - `C`, in Chromium ColorWell `C`
    e67: figure `Pie`, in Chromium figure ``
    e69: - ``, in Chromium Figcaption ``
    e77: row `Nº Nombre`, in Chromium row ``
    e81: row `1 Ana Ver`, in Chromium row ``
    e96: - ``, in Chromium DescriptionList ``
    e100: button `Más`, in Chromium DisclosureTriangle `Más`
    e106: math ``, in Chromium MathMLMath ``
    e135: - `Marco`, in Chromium Iframe `Marco`
    e144: - `Abreviatura`, in Chromium Abbr `Abreviatura`
    e149: row `A B`, in Chromium row ``
    e162: - `H`, in Chromium InputTime `H`
    e164: - `DL`, in Chromium DateTime `DL`
    e165: - `MM`, in Chromium DateTime `MM`
    ");
}
