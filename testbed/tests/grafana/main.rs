//! The dashboards of `grafana/`, on a real InfluxDB: what a person at Grafana would see, and what Grafana would trip over.
//!
//! There is no Grafana here. Its part, filling in variables and macros, is rebuilt in `interpolation`.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

mod answers;
mod dashboard;
mod files;
mod form;
mod interpolation;
mod printed;
mod real_probe;
mod seed;
mod shape;
mod telegraf;
mod thirty_days;
