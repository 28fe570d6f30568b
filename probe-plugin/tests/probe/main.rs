//! The probe as Telegraf starts it: journeys in, line protocol out, on the demo system in a real Chromium.

#![expect(
    clippy::unwrap_used,
    reason = "in a test a missing value is the failure"
)]

mod browser_faults;
mod faults;
mod in_frames;
mod journeys;
mod mistakes;
mod mouse;
mod pages;
mod running;
mod scenes;
mod telegraf_contract;
mod wrong_clicks;
