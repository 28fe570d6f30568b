//! What Vigía is tried on: a demo system with faults on demand, and starters of the real servers around it.
//!
//! The tests of both programs, the demo and the benchmarks share it. Everything listens on the loopback address, on ports
//! that the system gives out, keeps its files in a folder that the caller names, and dies with the caller.

pub mod accuracy;
pub mod benchmark;
pub mod dashboards;
pub mod demo;
pub mod http;
pub mod journey_reference;
pub mod mailbox;
mod one_thread;
pub mod portal;
pub mod repository;
pub mod servers;
pub mod tls;
pub mod until;
