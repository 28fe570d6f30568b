//! What the journey's pages are told about the machine and the person in front of it: the table `[emulate]`.

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error};

use super::{Device, NetworkSpeed, Viewport};

/// What differs from a desktop with a window of 1280 x 800 pixels that speaks English in the time zone of the probe.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Emulation {
    /// A device with its window, its touch screen and its browser's name.
    pub device: Option<Device>,
    /// The window; instead of the device's.
    pub viewport: Option<Viewport>,
    /// Who the browser says that it is; instead of the device's.
    pub user_agent: Option<UserAgent>,
    /// The user's language and country: dates, numbers, and what pages are asked for.
    pub locale: Option<Locale>,
    /// Where the user's clock is right, by its name in the IANA database.
    pub time_zone: Option<TimeZoneName>,
    /// Where the user is; pages need not ask.
    pub geolocation: Option<Geolocation>,
    /// How fast the user's network is, from the first page on.
    pub network: Option<NetworkSpeed>,
    /// How many times slower the user's processor is.
    pub cpu_slowdown: Option<CpuSlowdown>,
}

/// One line of text.
#[derive(Clone, Debug)]
pub struct UserAgent(pub String);

impl<'de> Deserialize<'de> for UserAgent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.trim().is_empty() || !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(D::Error::custom(
                "this cannot be sent as a browser's name\nhint: write one line of plain letters, as `navigator.userAgent` shows it",
            ));
        }
        Ok(Self(text))
    }
}

/// As in `Accept-Language`: `es`, `es-UY`, `zh-Hant-TW`.
#[derive(Clone, Debug)]
pub struct Locale(pub String);

impl<'de> Deserialize<'de> for Locale {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut parts = text.split('-');
        let is_language = parts
            .next()
            .is_some_and(|language| (2..=3).contains(&language.len()) && is_alphabetic(language));
        let are_parts = parts.all(|part| {
            (2..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        });
        if is_language && are_parts {
            Ok(Self(text))
        } else {
            Err(D::Error::custom(format!(
                "`{text}` is no locale\nhint: write language and country, for example \"es-UY\""
            )))
        }
    }
}

fn is_alphabetic(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// `America/Montevideo`.
#[derive(Clone, Debug)]
pub struct TimeZoneName(pub String);

impl<'de> Deserialize<'de> for TimeZoneName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if TimeZone::get(&text).is_err() {
            return Err(D::Error::custom(format!(
                "`{text}` is no time zone\nhint: write its name in the IANA database, for example \"America/Montevideo\""
            )));
        }
        Ok(Self(text))
    }
}

/// A place on Earth.
#[derive(Clone, Copy, Debug)]
pub struct Geolocation {
    /// Degrees north of the equator.
    pub latitude: f64,
    /// Degrees east of Greenwich.
    pub longitude: f64,
    /// Metres.
    pub accuracy: f64,
}

/// As the operator writes it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GeolocationTable {
    latitude: f64,
    longitude: f64,
    #[serde(default = "one_metre")]
    accuracy: f64,
}

const fn one_metre() -> f64 {
    1.0
}

impl<'de> Deserialize<'de> for Geolocation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = GeolocationTable::deserialize(deserializer)?;
        let is_place = (-90.0..=90.0).contains(&table.latitude)
            && (-180.0..=180.0).contains(&table.longitude)
            && (0.0..=f64::MAX).contains(&table.accuracy);
        if !is_place {
            return Err(D::Error::custom(
                "this is no place on Earth\nhint: write degrees: latitude -90 to 90, longitude -180 to 180, and metres of accuracy",
            ));
        }
        Ok(Self {
            latitude: table.latitude,
            longitude: table.longitude,
            accuracy: table.accuracy,
        })
    }
}

/// 1 is as fast as it is.
#[derive(Clone, Copy, Debug)]
pub struct CpuSlowdown(pub f64);

impl<'de> Deserialize<'de> for CpuSlowdown {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let times = f64::deserialize(deserializer)?;
        if (1.0..=100.0).contains(&times) {
            Ok(Self(times))
        } else {
            Err(D::Error::custom(format!(
                "a processor cannot be {times} times slower\nhint: write 1 to 100; 4 is a usual telephone"
            )))
        }
    }
}
