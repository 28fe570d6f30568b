//! What the pages of a run are told about the machine and the person in front of it.
//!
//! It is said to every session before anything runs in it: tabs, windows that pages open, frames of other sites.

use headless_chrome::protocol::cdp::{Browser, Emulation as Domain, types::Method};
use serde::Serialize;
use serde_json::Value;

use super::{Context, send};
use crate::browser::{SessionId, connection::Connection};

/// What differs from what the browser says by itself.
#[derive(Clone, Debug, Default)]
pub struct Emulation {
    /// The window and its screen.
    pub metrics: Option<Metrics>,
    /// Whether the screen can be touched; told where there are metrics.
    pub touch: bool,
    /// Who the browser says that it is.
    pub browser: Option<EmulatedBrowser>,
    /// The language, as in `Accept-Language`: `es-UY`.
    pub locale: Option<String>,
    /// A name of the IANA database.
    pub time_zone: Option<String>,
    /// Pages that ask where they are get this, without asking anybody.
    pub geolocation: Option<Geolocation>,
    /// How fast the network is.
    pub speed: Option<Speed>,
    /// How many times slower the processor is.
    pub cpu_slowdown: Option<f64>,
}

/// Who the browser says that it is.
#[derive(Clone, Debug)]
pub struct EmulatedBrowser {
    /// The header, and `navigator.userAgent`.
    pub user_agent: String,
    /// `navigator.platform`.
    pub platform: Option<String>,
    /// For a telephone or tablet with Chrome: its model, and whether it is a telephone. It is told as client hints.
    pub android: Option<(String, bool)>,
}

/// Degrees and metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Geolocation {
    /// North of the equator.
    pub latitude: f64,
    /// East of Greenwich.
    pub longitude: f64,
    /// How sure it is.
    pub accuracy_m: f64,
}

/// `Emulation.setDeviceMetricsOverride` with the parameters that are used.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    width: u32,
    height: u32,
    device_scale_factor: f64,
    mobile: bool,
    screen_orientation: Orientation,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Orientation {
    r#type: &'static str,
    angle: u32,
}

impl Metrics {
    /// A window of this size; `scale` is how many pixels of the screen one of its pixels has.
    pub const fn new(width: u32, height: u32, scale: f64) -> Self {
        Self {
            width,
            height,
            device_scale_factor: scale,
            mobile: false,
            screen_orientation: Orientation {
                r#type: "portraitPrimary",
                angle: 0,
            },
        }
    }

    /// The window as it is, whatever its size.
    pub(super) const fn unchanged() -> Self {
        // Of the protocol's numbers those that change nothing.
        Self::new(0, 0, 0.0)
    }

    /// With so many CSS pixels from top to bottom.
    pub(super) const fn as_high_as(self, height: u32) -> Self {
        Self { height, ..self }
    }

    /// Pixels of the screen for one CSS pixel.
    pub(super) const fn scale(&self) -> f64 {
        if self.device_scale_factor > 0.0 {
            self.device_scale_factor
        } else {
            1.0
        }
    }

    /// Pages are laid out as a telephone does.
    #[must_use]
    pub const fn mobile(self) -> Self {
        Self {
            mobile: true,
            ..self
        }
    }

    /// It lies on its side.
    #[must_use]
    pub const fn landscape(self) -> Self {
        let screen_orientation = Orientation {
            r#type: "landscapePrimary",
            angle: 90,
        };
        Self {
            screen_orientation,
            ..self
        }
    }
}

impl Method for Metrics {
    const NAME: &'static str = "Emulation.setDeviceMetricsOverride";
    type ReturnObject = Value;
}

/// `Emulation.setTouchEmulationEnabled`.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Touch {
    /// Whether it can be touched.
    pub enabled: bool,
}

impl Method for Touch {
    const NAME: &'static str = "Emulation.setTouchEmulationEnabled";
    type ReturnObject = Value;
}

/// `Network.emulateNetworkConditions`.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Speed {
    offline: bool,
    latency: f64,
    download_throughput: f64,
    upload_throughput: f64,
}

impl Speed {
    /// Bytes a second; 0 is as fast as it is.
    pub fn new(download: f64, upload: f64, latency_ms: f64) -> Self {
        // The protocol's -1 is "as fast as it is".
        let throughput = |bytes: f64| if bytes > 0.0 { bytes } else { -1.0 };
        Self {
            offline: false,
            latency: latency_ms,
            download_throughput: throughput(download),
            upload_throughput: throughput(upload),
        }
    }
}

impl Method for Speed {
    const NAME: &'static str = "Network.emulateNetworkConditions";
    type ReturnObject = Value;
}

impl Context {
    /// From now on its pages are told this.
    pub fn emulate(&mut self, emulation: Emulation) {
        let connection = self.chromium.connection();
        if emulation.geolocation.is_some() {
            let grant = Browser::GrantPermissions {
                permissions: vec![Browser::PermissionType::Geolocation],
                origin: None,
                browser_context_id: Some(self.id.clone()),
            };
            drop(connection.call(None, &grant, std::time::Instant::now()));
        }
        for tab in &self.tabs {
            emulation.tell(connection, &tab.session);
        }
        self.emulation = emulation;
    }
}

impl Emulation {
    /// What a session is told; nobody waits for the answers, of which those of frames may be that it is not for them.
    pub fn tell(&self, connection: &Connection, session: &SessionId) {
        if let Some(metrics) = &self.metrics {
            send(connection, session, metrics);
            let enabled = self.touch;
            send(connection, session, &Touch { enabled });
        }
        if self.browser.is_some() || self.locale.is_some() {
            send(connection, session, &self.identity());
        }
        if let Some(locale) = &self.locale {
            // What `Intl` takes; the protocol writes it as ICU does.
            let locale = Some(locale.replace('-', "_"));
            send(connection, session, &Domain::SetLocaleOverride { locale });
        }
        if let Some(time_zone) = &self.time_zone {
            let timezone_id = time_zone.clone();
            send(
                connection,
                session,
                &Domain::SetTimezoneOverride { timezone_id },
            );
        }
        if let Some(place) = self.geolocation {
            let place = Domain::SetGeolocationOverride {
                latitude: Some(place.latitude),
                longitude: Some(place.longitude),
                accuracy: Some(place.accuracy_m),
                altitude: None,
                altitude_accuracy: None,
                heading: None,
                speed: None,
            };
            send(connection, session, &place);
        }
        if let Some(speed) = &self.speed {
            send(connection, session, speed);
        }
        if let Some(rate) = self.cpu_slowdown {
            send(connection, session, &Domain::SetCPUThrottlingRate { rate });
        }
    }

    /// Without a browser of its own only the language is another one: an empty user agent leaves the real one.
    fn identity(&self) -> Domain::SetUserAgentOverride {
        let browser = self.browser.as_ref();
        let android = browser.and_then(|browser| browser.android.as_ref());
        Domain::SetUserAgentOverride {
            user_agent: browser.map_or_else(String::new, |browser| browser.user_agent.clone()),
            accept_language: self.locale.clone(),
            platform: browser.and_then(|browser| browser.platform.clone()),
            user_agent_metadata: android.map(|(model, telephone)| Domain::UserAgentMetadata {
                brands: None,
                full_version_list: None,
                full_version: None,
                platform: "Android".into(),
                platform_version: "14.0.0".into(),
                architecture: String::new(),
                model: model.clone(),
                mobile: *telephone,
                bitness: None,
                wow_64: None,
                form_factors: None,
            }),
        }
    }
}
