//! The sidecar from outside: the real program, a real InfluxDB, a real mail server, and one that misbehaves on demand.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod backtests;
mod clocks;
mod configurations;
mod conformance;
mod damages;
mod failures;
mod gate;
mod homeserver;
mod incidents;
mod kills;
#[macro_use]
mod ledgers;
mod calendars;
mod looks;
mod mailboxes;
mod mails;
mod messages;
mod pages;
mod pictures;
mod polls;
mod receivers;
mod restarts;
mod routing;
mod scripted_smtp;
mod services;
mod shipped;
mod sidecar;
mod silences;
mod steering;
mod stores;
mod takeovers;
mod templates;
mod tokens;
