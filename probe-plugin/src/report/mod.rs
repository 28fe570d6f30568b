//! What a run came to, as points on stdout, where Telegraf takes them up.

mod artifact;
mod line;
mod picture;
mod points;
mod probe;
mod resources;
mod stdout;

pub use artifact::{ArtifactFile, ArtifactFolder};
pub use line::encode;
pub use picture::{PictureMemory, shrink};
pub use points::{About, Report, points};
pub use probe::{Counters, probe_point};
pub use resources::{Resources, own_cpu, peak_resident_bytes};
pub use stdout::Stdout;
