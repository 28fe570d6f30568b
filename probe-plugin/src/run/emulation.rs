//! What the journey says of the user's machine, as the browser takes it.

use crate::{
    browser::{Chromium, EmulatedBrowser, Emulation, Geolocation, Metrics, Speed},
    journey::{self, CHROME_VERSION, Device, NetworkSpeed, Viewport},
};

/// A window.
pub fn metrics(viewport: &Viewport) -> Metrics {
    let metrics = Metrics::new(viewport.width, viewport.height, viewport.scale);
    let metrics = if viewport.mobile {
        metrics.mobile()
    } else {
        metrics
    };
    if viewport.landscape {
        metrics.landscape()
    } else {
        metrics
    }
}

/// A network.
pub fn speed(speed: &NetworkSpeed) -> Speed {
    let latency_ms = speed.latency.as_secs_f64() * 1000.0;
    Speed::new(speed.download, speed.upload, latency_ms)
}

/// All of it. `chromium` is the browser that says it.
pub fn emulation(told: &journey::Emulation, chromium: &Chromium) -> Emulation {
    let viewport = told.viewport.or(told.device.map(Device::viewport));
    Emulation {
        metrics: viewport.as_ref().map(metrics),
        touch: viewport.is_some_and(|viewport| viewport.touch),
        browser: browser(told, chromium),
        locale: told.locale.as_ref().map(|locale| locale.0.clone()),
        time_zone: told.time_zone.as_ref().map(|name| name.0.clone()),
        geolocation: told.geolocation.map(|place| Geolocation {
            latitude: place.latitude,
            longitude: place.longitude,
            accuracy_m: place.accuracy,
        }),
        speed: told.network.as_ref().map(speed),
        cpu_slowdown: told.cpu_slowdown.map(|slowdown| slowdown.0),
    }
}

fn browser(told: &journey::Emulation, chromium: &Chromium) -> Option<EmulatedBrowser> {
    if let Some(user_agent) = &told.user_agent {
        return Some(EmulatedBrowser {
            user_agent: user_agent.0.clone(),
            platform: None,
            android: None,
        });
    }
    let device = told.device?;
    let version = chromium.major_version();
    Some(EmulatedBrowser {
        user_agent: device.user_agent().replace(CHROME_VERSION, version),
        platform: Some(device.platform().into()),
        android: device
            .android()
            .map(|(model, telephone)| (model.to_owned(), telephone)),
    })
}
