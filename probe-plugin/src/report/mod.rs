//! What a run came to, as points on stdout, where Telegraf takes them up.

mod line;
mod picture;
mod points;
mod probe;
mod resources;
mod retention;
mod stdout;
mod steps;
mod store;

pub use line::encode;
pub use picture::{Picture, PictureMemory, shrink};
pub use points::{About, Report, points};
pub use probe::{Counters, probe_point};
pub use resources::{Resources, own_cpu, peak_resident_bytes};
pub use retention::Retention;
pub use stdout::Stdout;
pub use steps::steps_file;
pub use store::{ArtifactFile, ArtifactStore, Place, S3};
