//! What Vigía's programs promise each other and the operator.
//!
//! `vigia-probe` writes points that `vigia-alert`, Grafana and the operator's own queries read; the names of those points
//! stand here, once. So do the rules that both programs share towards the operator: where a run's artifact lies, where a
//! secret may come from, how a mistake in a configuration file is reported. Nothing here does network I/O.

pub mod artifact;
pub mod config_file;
pub mod data_model;
pub mod duration;
pub mod mistake;
mod schema;
pub mod secret;
pub mod secret_command;
pub mod slug;
pub mod stored;
pub mod variables;
