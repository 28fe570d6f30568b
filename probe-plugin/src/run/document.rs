//! The documents that a run loaded and the routes that it changed to, each with the step that it was in.

use crate::browser::{PageState, Timings, Traffic, Vitals};

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
    /// The identity of the document's load.
    loader: String,
    step: String,
    /// The slugs of the steps of its routes.
    routes: Vec<String>,
}

impl Documents {
    /// What is new in any page since the last time belongs to this step.
    pub fn note<'a>(&mut self, step: &str, pages: impl Iterator<Item = &'a PageState>) {
        for (loader, vitals) in pages.flat_map(|page| page.vitals.documents()) {
            let known = self.0.iter().position(|seen| seen.loader == *loader);
            let index = known.unwrap_or_else(|| {
                self.0.push(Seen {
                    loader: loader.clone(),
                    step: step.to_owned(),
                    routes: Vec::new(),
                });
                self.0.len() - 1
            });
            self.0[index]
                .routes
                .resize_with(vitals.routes.len(), || step.to_owned());
        }
    }

    /// What is told of each, in the order in which a user saw them.
    pub fn reports<'a>(
        &self,
        pages: &(impl Iterator<Item = &'a PageState> + Clone),
    ) -> Vec<DocumentReport> {
        let of = |loader: &str| -> Option<(&'a Traffic, &'a Vitals)> {
            pages.clone().find_map(|page| {
                let mut documents = page.vitals.documents().iter();
                let (_, vitals) = documents.find(|(known, _)| known == loader)?;
                // The blank page that every run begins with has asked for nothing.
                Some((page.traffic.of(loader)?, vitals))
            })
        };
        let mut reports = Vec::new();
        for seen in &self.0 {
            let Some((traffic, vitals)) = of(&seen.loader) else {
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
