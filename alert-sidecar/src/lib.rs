//! Watches what the robots report and tells people when users cannot work.
//!
//! The modules stand in the order of the flow, and imports point one way along it: what InfluxDB answers ([`flux`]) is
//! judged ([`judge`]), becomes an incident ([`incident`]), is given to somebody ([`route`]), is written down together
//! with the intent to send ([`store`]), is put into words ([`render`]) and is brought to people ([`deliver`]). [`health`]
//! knows whether all of this works, and [`page`] shows it; [`control`] is how commands see and steer it, and [`backtest`]
//! tries rules on the past. [`config`] reads what the operator wrote; [`commands`] starts it all.

pub mod backtest;
pub mod commands;
pub mod config;
pub mod control;
pub mod deliver;
pub mod flux;
pub mod health;
pub mod incident;
pub mod judge;
pub mod page;
pub mod render;
pub mod report;
pub mod route;
pub mod store;
