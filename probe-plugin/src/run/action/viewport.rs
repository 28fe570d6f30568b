//! The window's size and the network's speed, as a journey wants them.

use std::time::Instant;

use headless_chrome::protocol::cdp::types::Method;
use serde::Serialize;
use serde_json::Value;

use super::{Moment, Robot};
use crate::{
    journey::{NetworkSpeed, Viewport},
    run::Failure,
};

/// `Emulation.setDeviceMetricsOverride` with the parameters that are used.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Metrics {
    width: u32,
    height: u32,
    device_scale_factor: f64,
    mobile: bool,
    screen_orientation: Orientation,
}

#[derive(Debug, Serialize)]
struct Orientation {
    r#type: &'static str,
    angle: u32,
}

impl Method for Metrics {
    const NAME: &'static str = "Emulation.setDeviceMetricsOverride";
    type ReturnObject = Value;
}

/// `Emulation.setTouchEmulationEnabled`.
#[derive(Debug, Serialize)]
struct Touch {
    enabled: bool,
}

impl Method for Touch {
    const NAME: &'static str = "Emulation.setTouchEmulationEnabled";
    type ReturnObject = Value;
}

/// `Network.emulateNetworkConditions`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Speed {
    offline: bool,
    latency: f64,
    download_throughput: f64,
    upload_throughput: f64,
}

impl Method for Speed {
    const NAME: &'static str = "Network.emulateNetworkConditions";
    type ReturnObject = Value;
}

impl Robot<'_> {
    /// Nobody waits for it: it is how the robot sits before the page.
    pub(super) async fn viewport(
        &mut self,
        viewport: &Viewport,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let late = "the window did not take its size";
        let metrics = Metrics {
            width: viewport.width,
            height: viewport.height,
            device_scale_factor: viewport.scale,
            mobile: viewport.mobile,
            screen_orientation: if viewport.landscape {
                Orientation {
                    r#type: "landscapePrimary",
                    angle: 90,
                }
            } else {
                Orientation {
                    r#type: "portraitPrimary",
                    angle: 0,
                }
            },
        };
        let set = self.context.call(&metrics, deadline).await;
        self.or_failure(set, late).await?;
        let touch = Touch {
            enabled: viewport.touch,
        };
        let set = self.context.call(&touch, deadline).await;
        self.or_failure(set, late).await?;
        Ok(Moment::Was)
    }

    pub(super) async fn network(
        &mut self,
        speed: &NetworkSpeed,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        // The protocol's -1 is "as fast as it is".
        let throughput = |bytes: f64| if bytes > 0.0 { bytes } else { -1.0 };
        let speed = Speed {
            offline: false,
            latency: speed.latency.as_secs_f64() * 1000.0,
            download_throughput: throughput(speed.download),
            upload_throughput: throughput(speed.upload),
        };
        let set = self.context.call(&speed, deadline).await;
        self.or_failure(set, "the network did not take its speed")
            .await?;
        Ok(Moment::Was)
    }
}
