//! Which tab or window of the browser the robot looks at, as the operator writes it.

use schemars::JsonSchema;
use serde::Deserialize;

/// A tab or a window. A new one that a page opens comes to the front by itself, as it does for a user.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Tab {
    /// The one in which the journey began, or the oldest that is left.
    Main,
    /// Closes the one in front; the one that opened it is in front again.
    Close,
    /// The one whose address has this part, the newest of several; waits until there is one.
    Url(String),
    /// The one whose title has this part, the newest of several; waits until there is one.
    Title(String),
    /// The one whose whole address is this; or else the frame with this address in the one in front, which alone is looked
    /// at from then on. Waits until there is one.
    Target(String),
}
