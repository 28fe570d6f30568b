//! `vigia-alert report` on a real InfluxDB: every number against another program's, every form against the others.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod figures;
mod forms;
mod mails;
mod months;
mod stage;
