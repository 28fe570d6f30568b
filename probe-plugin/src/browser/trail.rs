//! What the browser has told of a run's requests, documents and console, kept as it was told: nothing of it is read before
//! somebody wants to know, and healthy runs pay for no more than the memory.

use super::connection::Event;

/// A page may ask and write without end; the beginning is kept, and what was asked for behind it is counted.
const KEPT_MAX_BYTES: usize = 8_000_000;

/// The events of interest besides those of `Network`.
const KEPT: [&str; 6] = [
    "Log.entryAdded",
    "Page.domContentEventFired",
    "Page.frameNavigated",
    "Page.loadEventFired",
    "Runtime.consoleAPICalled",
    "Runtime.exceptionThrown",
];

/// Of `Network`; the rest is about sockets, bytes on their way and what the cookies were.
const KEPT_OF_NETWORK: [&str; 5] = [
    "requestWillBeSent",
    "requestServedFromCache",
    "responseReceived",
    "loadingFinished",
    "loadingFailed",
];

/// The events of a run in their order.
#[derive(Debug, Default)]
pub struct Trail {
    events: Vec<Event>,
    bytes: usize,
    given_up: usize,
}

impl Trail {
    /// Takes an event in, where it is of interest.
    pub fn keep(&mut self, event: Event) {
        let method = event.method.as_str();
        let network = method.strip_prefix("Network.");
        if !KEPT.contains(&method) && !network.is_some_and(|name| KEPT_OF_NETWORK.contains(&name)) {
            return;
        }
        self.bytes += event.bytes();
        if self.bytes > KEPT_MAX_BYTES {
            self.given_up += 1;
        } else {
            self.events.push(event);
        }
    }

    /// In their order.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// How many came when there was no room for them any more.
    pub const fn given_up(&self) -> usize {
        self.given_up
    }
}
