//! What the browser measured of the documents of a page, by their own performance entries: as `in_page.js` reads them with
//! each answer, and once more when the document is left. Pure: events in, figures out.

use serde::Deserialize;

use super::connection::Event;

/// The name under which `in_page.js` tells what it read; only its own world has it.
pub const TELL: &str = "vigiaTell";

/// Milliseconds since the document was asked for or the route changed, or how long a part took; nothing where the browser
/// reported none.
///
/// LCP, CLS and INP are those of Google's web vitals, up to the last look at the document.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Timings {
    /// First byte of the answer.
    pub ttfb_ms: Option<f64>,
    /// First text or picture.
    pub fcp_ms: Option<f64>,
    /// Largest text or picture so far.
    pub lcp_ms: Option<f64>,
    /// How much of the window moved unasked; a ratio.
    pub cls: Option<f64>,
    /// From an input to the next frame, the worst.
    pub inp_ms: Option<f64>,
    /// The document is read.
    pub dom_content_loaded_ms: Option<f64>,
    /// Everything that it names is there.
    pub load_ms: Option<f64>,
    /// Looking up the host's address.
    pub dns_ms: Option<f64>,
    /// Connecting, without TLS.
    pub connect_ms: Option<f64>,
    /// The TLS handshake.
    pub tls_ms: Option<f64>,
}

/// A change of the route that loaded no document, where the browser took it for one: after an input, and something new
/// was painted.
#[derive(Clone, Debug, Deserialize)]
pub struct Route {
    /// Its address.
    pub url: String,
    /// Since the input that changed it.
    pub timings: Timings,
}

/// What was read of a document.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Vitals {
    /// Of the document as it was loaded.
    pub timings: Timings,
    /// In their order.
    pub routes: Vec<Route>,
}

/// Every document that a page has shown, in their order, each with the identity of its load.
#[derive(Clone, Debug, Default)]
pub struct VitalsLog(Vec<(String, Vitals)>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BindingCalled {
    name: String,
    payload: String,
    execution_context_id: i64,
}

impl VitalsLog {
    /// In the order in which they were shown.
    pub fn documents(&self) -> &[(String, Vitals)] {
        &self.0
    }

    /// A document is shown.
    pub fn document(&mut self, loader: &str) {
        self.0.push((loader.to_owned(), Vitals::default()));
    }

    /// A later look replaces the earlier one.
    pub fn look(&mut self, loader: &str, vitals: Vitals) {
        let known = self.0.iter_mut().find(|(known, _)| known == loader);
        if let Some((_, known)) = known {
            *known = vitals;
        }
    }

    /// Takes an event in. `world` is that of the document which is shown: others, such as frames, are not heard.
    pub fn apply(&mut self, event: &Event, shown: &str, world: Option<i64>) {
        if event.method == "Runtime.bindingCalled"
            && let Some(called) = event.read::<BindingCalled>()
            && called.name == TELL
            && Some(called.execution_context_id) == world
            && let Ok(vitals) = serde_json::from_str(&called.payload)
        {
            self.look(shown, vitals);
        }
    }
}
