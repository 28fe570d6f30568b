//! Where the files that a run leaves lie in the artifact store.

use std::fmt;

/// The key of a run's artifacts: the folder in the artifact store that holds them, and the value of the field `artifact`.
///
/// Its text is `system/journey/run_id`; none of the three holds a slash, because names are checked and run ids are made
/// here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ArtifactKey {
    /// The system's name.
    pub system: String,
    /// The journey's name.
    pub journey: String,
    /// The run's id.
    pub run_id: String,
}

impl fmt::Display for ArtifactKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}/{}/{}",
            self.system, self.journey, self.run_id
        )
    }
}

/// The full-size picture of the page in a run's folder.
pub const SCREENSHOT_FILE: &str = "screenshot.jpg";
