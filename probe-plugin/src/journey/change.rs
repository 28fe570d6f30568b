//! A control that gets a new value, whatever kind of control it is.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Target, Typed};

/// A control and its new value. What is done depends on what the control is when the robot comes to it: a text is typed key
/// by key in place of what is there, an option is chosen by its value, a date or a colour is set, and a box or a switch is
/// ticked, or with an empty value unticked.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The control.
    pub field: Target,
    /// Its new value; may hold references to secrets and to one-time codes.
    pub to: Typed,
}
