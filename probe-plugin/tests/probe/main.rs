//! The probe as Telegraf starts it: journeys in, line protocol out, on the demo system in a real Chromium.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a missing value is the failure"
)]

mod browser_faults;
mod census;
mod faults;
mod hostile_pages;
mod journeys;
mod launching;
mod mistakes;
mod network;
mod pages;
mod running;
mod soak;
mod supervision;
mod telegraf_contract;
mod trials;
