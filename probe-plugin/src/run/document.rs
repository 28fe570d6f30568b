//! The documents that a run loaded and the routes that it changed to, each with the step that it was in.

use crate::browser::{PageState, Timings, Traffic};

/// One document, or one route of a document.
#[derive(Clone, Debug)]
pub struct DocumentReport {
    /// The slug of the step that loaded it.
    pub step: String,
    /// Its address.
    pub url: String,
    /// By the browser's performance entries, at the last look.
    pub timings: Timings,
    /// What it asked for; nothing of a route, because nobody can tell for which route a document asks.
    pub traffic: Option<Traffic>,
}

/// Which step each document and route was first seen in.
#[derive(Debug, Default)]
pub struct Documents(Vec<Seen>);

#[derive(Debug)]
struct Seen {
    step: String,
    /// The slugs of the steps of its routes.
    routes: Vec<String>,
}

impl Documents {
    /// What is new since the last time belongs to this step.
    pub fn note(&mut self, step: &str, state: &PageState) {
        for (index, (_, vitals)) in state.vitals.documents().iter().enumerate() {
            if self.0.len() == index {
                self.0.push(Seen {
                    step: step.to_owned(),
                    routes: Vec::new(),
                });
            }
            self.0[index]
                .routes
                .resize_with(vitals.routes.len(), || step.to_owned());
        }
    }

    /// What is told of each, in the order in which a user saw them.
    pub fn reports(&self, state: &PageState) -> Vec<DocumentReport> {
        let mut reports = Vec::new();
        for (seen, (loader, vitals)) in self.0.iter().zip(state.vitals.documents()) {
            // The blank page that every run begins with has asked for nothing.
            let Some(traffic) = state.traffic.of(loader) else {
                continue;
            };
            reports.push(DocumentReport {
                step: seen.step.clone(),
                url: traffic.url.clone(),
                timings: vitals.timings,
                traffic: Some(traffic.clone()),
            });
            let routes = seen.routes.iter().zip(&vitals.routes);
            reports.extend(routes.map(|(step, route)| DocumentReport {
                step: step.clone(),
                url: route.url.clone(),
                timings: route.timings,
                traffic: None,
            }));
        }
        reports
    }
}
