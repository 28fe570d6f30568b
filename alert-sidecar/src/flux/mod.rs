//! What InfluxDB knows: rules are asked, their rows become observations.
//!
//! Nothing here decides whether anything is wrong.

pub mod annotated_csv;
pub mod client;
pub mod observation;
pub mod picture;
pub mod poll;
pub mod rule;
pub mod shipped;
pub mod trouble;

pub use client::{InfluxDb, QueryError, Settings};
pub use observation::{Observation, Series};
pub use rule::Rule;
pub use shipped::ShippedQuery;
pub use trouble::Trouble;
