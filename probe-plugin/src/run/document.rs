//! What the browser itself measured of each document that a run loaded.

use serde::Deserialize;

use crate::browser::Traffic;

/// Milliseconds since the document was asked for, or how long a part took; nothing where the browser reported none.
///
/// LCP, CLS and INP are those of Google's web vitals, up to the last look at the document.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
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

/// One document.
#[derive(Clone, Debug)]
pub struct DocumentReport {
    /// The slug of the step that loaded it.
    pub step: String,
    /// The identity of its load.
    pub loader: String,
    /// By the browser's performance entries, at the last look.
    pub timings: Timings,
    /// What it asked for.
    pub traffic: Traffic,
}

/// The documents of a run, in the order in which they were first looked at.
#[derive(Debug, Default)]
pub struct Documents(pub Vec<DocumentReport>);

impl Documents {
    /// A later look at the same document replaces the earlier one.
    pub fn look(&mut self, step: &str, loader: &str, timings: Timings) {
        match self.0.iter_mut().find(|document| document.loader == loader) {
            Some(known) => known.timings = timings,
            None => self.0.push(DocumentReport {
                step: step.to_owned(),
                loader: loader.to_owned(),
                timings,
                traffic: Traffic::default(),
            }),
        }
    }
}
