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

/// The full-size picture of the page in a run's folder, as its user saw it when the run failed.
pub const SCREENSHOT_FILE: &str = "screenshot.jpg";

/// What failed, scrolled into the window, where it was out of it.
pub const ELEMENT_FILE: &str = "element.jpg";

/// All of the page, where the journey asks for it.
pub const FULL_PAGE_FILE: &str = "full-page.jpg";

/// The source of the page as it stood.
pub const PAGE_FILE: &str = "page.html";

/// The source of a frame of it, counted from 1.
#[must_use]
pub fn frame_file(number: usize) -> String {
    format!("frame-{number:02}.html")
}

/// What the page wrote into its console, and what the browser had to say.
pub const CONSOLE_FILE: &str = "console.txt";

/// The requests that did not get what they asked for, each with the reason.
pub const FAILED_REQUESTS_FILE: &str = "failed-requests.txt";

/// All requests, as HAR 1.2.
pub const HAR_FILE: &str = "network.har";

/// The steps with their times, and what the run came to.
pub const STEPS_FILE: &str = "steps.json";
