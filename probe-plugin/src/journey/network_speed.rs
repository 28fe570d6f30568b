//! How fast the network is for the window in front.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use vigia_contract::duration;

/// As slow as that of some users; what is 0 is as fast as it is.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkSpeed {
    /// Bytes a second that come.
    #[serde(default)]
    pub download: f64,
    /// Bytes a second that go.
    #[serde(default)]
    pub upload: f64,
    /// From a request to the first byte of its answer, at least.
    #[serde(default, deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Written")]
    pub latency: Duration,
}
