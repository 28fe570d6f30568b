//! The probe as Telegraf starts it: journeys in, line protocol out, on the demo system in a real Chromium.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a missing value is the failure"
)]

mod browser_faults;
mod dialogs;
mod faults;
mod journeys;
mod mistakes;
mod navigation;
mod pages;
mod running;
mod telegraf_contract;
mod ways;
mod windows;
