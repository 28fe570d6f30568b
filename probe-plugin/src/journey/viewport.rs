//! How large the window is, and what kind of screen it is on.

use schemars::JsonSchema;
use serde::Deserialize;

/// The window, as the page sees it.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Viewport {
    /// In CSS pixels.
    pub width: u32,
    /// In CSS pixels.
    pub height: u32,
    /// Pixels of the screen for one CSS pixel; 1 where it is left out.
    #[serde(default = "one")]
    pub scale: f64,
    /// As a telephone's browser lays pages out.
    #[serde(default)]
    pub mobile: bool,
    /// The screen can be touched.
    #[serde(default)]
    pub touch: bool,
    /// The screen lies on its side.
    #[serde(default)]
    pub landscape: bool,
}

const fn one() -> f64 {
    1.0
}
