//! The probe: journeys on a schedule, in a browser, as line protocol.
//!
//! The flow, module by module: the configuration names the journeys, the schedule says when one starts, the
//! browser carries it, a run walks its steps and comes to an outcome, the report turns that into points on stdout.

mod browser;
pub mod commands;
mod config;
mod import;
mod journey;
mod jpeg;
mod log;
mod own_folder;
mod recording;
mod report;
mod run;
mod schedule;
