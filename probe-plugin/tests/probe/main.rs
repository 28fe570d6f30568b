//! The probe as Telegraf starts it: journeys in, line protocol out, on the demo system in a real Chromium.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a missing value is the failure"
)]

mod artifacts;
mod attempts;
mod browser_faults;
mod census;
mod cleanup;
mod client_certificates;
mod dialogs;
mod emulation;
mod error_classes;
mod expectations;
mod faults;
mod first_minutes;
mod forms;
mod fragments;
mod hostile_pages;
mod import;
mod in_frames;
mod invalid;
mod journeys;
mod launching;
mod maintenance;
mod mistakes;
mod mouse;
mod navigation;
mod network;
mod optional_steps;
mod page_metrics;
mod pages;
mod real_telegraf;
mod recordings;
mod reloads;
mod robots;
mod running;
mod scenes;
mod schema;
mod secrets;
mod selectors;
mod site;
mod sizing;
mod soak;
mod stored;
mod supervision;
mod telegraf_contract;
mod times;
mod tls;
mod trials;
mod uploads;
mod ways;
mod windows;
mod with_a_window;
mod wrong_clicks;
