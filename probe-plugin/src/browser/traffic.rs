//! Counts what the documents of a page ask for, from the events of its session. Pure: events in, counts out.

use std::collections::HashMap;

use serde::Deserialize;

use super::{connection::Event, network::OfRequest};

/// What a document asked for, as far as it came.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// The document's address.
    pub url: String,
    /// Its status, where it came over HTTP.
    pub http_status: Option<i64>,
    /// Requests, redirects not counted again.
    pub requests: i64,
    /// Those that got no answer or a status of 400 or more.
    pub failed_requests: i64,
    /// Over the network, with headers, as compressed.
    pub transferred_bytes: i64,
    /// Errors in the console, uncaught ones among them.
    pub console_errors: i64,
}

/// What every document of a page asked for.
#[derive(Clone, Debug, Default)]
pub struct TrafficLog {
    by_loader: HashMap<String, Traffic>,
    /// The loader of the document that each request under way is for.
    under_way: HashMap<String, String>,
}

#[derive(Deserialize)]
struct ConsoleCall {
    r#type: String,
}

impl TrafficLog {
    /// Of one document; nothing where it is not known.
    pub fn of(&self, loader: &str) -> Option<&Traffic> {
        self.by_loader.get(loader)
    }

    /// A document is shown.
    pub fn document(&mut self, loader: &str, url: &str, http_status: Option<i64>) {
        let traffic = self.by_loader.entry(loader.to_owned()).or_default();
        url.clone_into(&mut traffic.url);
        traffic.http_status = http_status;
    }

    /// Takes an event of the console in; `shown` is the loader of the document that is there.
    pub fn apply(&mut self, event: &Event, shown: &str) {
        match event.method.as_str() {
            "Runtime.exceptionThrown" => self.traffic(shown).console_errors += 1,
            "Runtime.consoleAPICalled" => {
                let call = event.read::<ConsoleCall>();
                if call.is_some_and(|call| matches!(call.r#type.as_str(), "error" | "assert")) {
                    self.traffic(shown).console_errors += 1;
                }
            }
            _ => {}
        }
    }

    /// Takes in what an event told of a request.
    pub fn apply_request(&mut self, method: &str, about: &OfRequest, shown: &str) {
        if method == "Network.requestWillBeSent" {
            if let Some(loader) = &about.loader_id
                && self
                    .under_way
                    .insert(about.request_id.clone(), loader.clone())
                    .is_none()
            {
                self.traffic(loader).requests += 1;
            }
            return;
        }
        let loader = self
            .under_way
            .get(&about.request_id)
            .map_or(shown, String::as_str)
            .to_owned();
        let traffic = self.traffic(&loader);
        match method {
            "Network.responseReceived" => {
                let failed = about
                    .response
                    .as_ref()
                    .is_some_and(|response| response.status >= 400);
                traffic.failed_requests += i64::from(failed);
            }
            "Network.loadingFinished" => {
                #[expect(clippy::cast_possible_truncation, reason = "a whole number of bytes")]
                let bytes = about.encoded_data_length.unwrap_or(0.0) as i64;
                traffic.transferred_bytes += bytes;
                self.under_way.remove(&about.request_id);
            }
            "Network.loadingFailed" => {
                traffic.failed_requests += i64::from(about.canceled != Some(true));
                self.under_way.remove(&about.request_id);
            }
            _ => {}
        }
    }

    fn traffic(&mut self, loader: &str) -> &mut Traffic {
        self.by_loader.entry(loader.to_owned()).or_default()
    }
}
