//! Starters of the real programs that Vigía works with, one file a server.
//!
//! Each is started on a free loopback port, keeps its files in a folder of the caller's, is ready when `start` returns,
//! and is gone when its value is dropped or its starter dies.

pub mod imap;
pub mod influxdb;
pub mod mail;
pub mod ports;
pub mod postgresql;
pub mod process;
pub mod program;
pub mod root;
pub mod synapse;
pub mod telegraf;

pub use imap::Imap;
pub use influxdb::InfluxDb;
pub use mail::MailServer;
pub use postgresql::PostgreSql;
pub use process::Process;
pub use program::{Program, requires, requires_file};
pub use synapse::Synapse;
pub use telegraf::Telegraf;
