//! The probe as Telegraf starts it: journeys in, line protocol out, on the demo system in a real Chromium.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a missing value is the failure"
)]

mod browser_faults;
mod cleanup;
mod expectations;
mod faults;
mod fragments;
mod journeys;
mod mistakes;
mod pages;
mod running;
mod stored;
mod telegraf_contract;
