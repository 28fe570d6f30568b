//! Devices that users hold: how large their windows are, and who their browsers say that they are.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Viewport;

/// Stands in a user agent for the version of the browser that is really there: one that ages would be turned away some day.
pub const CHROME_VERSION: &str = "{version}";

/// Safari tells a version of its own, which ages slowly.
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
/// iPads say that they are Macs.
const IPAD: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15";
/// Chrome tells every telephone as this one; the model is in its client hints.
const ANDROID_PHONE: &str = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Mobile Safari/537.36";
const ANDROID_TABLET: &str = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36";

/// A device, by the name that people know it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Device {
    /// 393 x 852 pixels, three of the screen for each.
    #[serde(rename = "iPhone 15")]
    IPhone15,
    /// 375 x 667 pixels: the smallest that is still sold widely.
    #[serde(rename = "iPhone SE")]
    IPhoneSe,
    /// 820 x 1180 pixels.
    #[serde(rename = "iPad")]
    IPad,
    /// 412 x 915 pixels.
    #[serde(rename = "Pixel 8")]
    Pixel8,
    /// 360 x 780 pixels: the width of most telephones with Android.
    #[serde(rename = "Galaxy S24")]
    GalaxyS24,
    /// 800 x 1280 pixels.
    #[serde(rename = "Galaxy Tab S9")]
    GalaxyTabS9,
}

impl Device {
    /// Its window. Sources: the makers' figures of screen and density, divided.
    pub const fn viewport(self) -> Viewport {
        let (width, height, scale) = match self {
            Self::IPhone15 => (393, 852, 3.0),
            Self::IPhoneSe => (375, 667, 2.0),
            Self::IPad => (820, 1180, 2.0),
            Self::Pixel8 => (412, 915, 2.625),
            Self::GalaxyS24 => (360, 780, 3.0),
            Self::GalaxyTabS9 => (800, 1280, 2.0),
        };
        Viewport {
            width,
            height,
            scale,
            mobile: true,
            touch: true,
            landscape: false,
        }
    }

    /// Who its browser says that it is; may hold [`CHROME_VERSION`].
    pub const fn user_agent(self) -> &'static str {
        match self {
            Self::IPhone15 | Self::IPhoneSe => IPHONE,
            Self::IPad => IPAD,
            Self::Pixel8 | Self::GalaxyS24 => ANDROID_PHONE,
            Self::GalaxyTabS9 => ANDROID_TABLET,
        }
    }

    /// `navigator.platform`.
    pub const fn platform(self) -> &'static str {
        match self {
            Self::IPhone15 | Self::IPhoneSe => "iPhone",
            Self::IPad => "MacIntel",
            Self::Pixel8 | Self::GalaxyS24 | Self::GalaxyTabS9 => "Linux armv81",
        }
    }

    /// For those with Chrome: the model, and whether it is a telephone.
    pub const fn android(self) -> Option<(&'static str, bool)> {
        match self {
            Self::IPhone15 | Self::IPhoneSe | Self::IPad => None,
            Self::Pixel8 => Some(("Pixel 8", true)),
            Self::GalaxyS24 => Some(("SM-S921B", true)),
            Self::GalaxyTabS9 => Some(("SM-X710", false)),
        }
    }
}
