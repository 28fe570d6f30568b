//! Who is told of an incident, when, and together with what. Pure: what is known and a moment go in, what is to be done and the
//! reason come out.

pub mod decision;
pub mod dependency;
pub mod group;
pub mod holidays;
pub mod hours;
pub mod look;
pub mod maintenance;
pub mod matcher;
pub mod on_call;
pub mod silence;
pub mod tree;
pub mod unreached;
