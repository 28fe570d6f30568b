//! The window as high as its page, for a picture of all of it, and back again.
//!
//! A page that is pictured beyond its window stands elsewhere in the picture than it says; in a window that has room for all
//! of it, what must be covered is where it says.

use std::time::Instant;

use headless_chrome::protocol::cdp::Emulation as Domain;
use serde_json::json;

use super::{Context, Metrics, PageError, ask::place, sight::GetLayoutMetrics};
use crate::browser::{
    SessionId,
    script::{Call, Function},
};

/// So many pixels of a page are in its picture, from top to bottom: as many as Chromium draws in one piece, and as some tens
/// of megabytes hold.
const HEIGHT_MAX_PIXELS: f64 = 10_000.0;

/// A window that is as high as its page.
#[derive(Debug)]
pub struct Stretched {
    session: SessionId,
    metrics: Option<Metrics>,
    scrolled: (f64, f64),
    /// How high the page is, in CSS pixels, and how much of it has room.
    pub page: (f64, f64),
}

impl Context {
    /// Gives the tab in front a window of this size, as long as it is there.
    pub async fn set_window(
        &mut self,
        metrics: Metrics,
        deadline: Instant,
    ) -> Result<(), PageError> {
        self.call(&metrics, deadline).await?;
        if let Some(tab) = self.tabs.last_mut() {
            tab.metrics = Some(metrics);
        }
        Ok(())
    }

    /// Makes the window as high as its page.
    pub async fn stretch(&mut self, deadline: Instant) -> Result<Stretched, PageError> {
        let tab = self.shown_tab().ok_or(PageError::Gone)?;
        let session = tab.session.clone();
        let metrics = tab.metrics.or(self.emulation.metrics);
        let layout = self
            .call_in(&session, &GetLayoutMetrics {}, deadline)
            .await?;
        let usual = metrics.unwrap_or(Metrics::unchanged());
        let whole = layout.content.height.ceil();
        let shown = whole.clamp(1.0, HEIGHT_MAX_PIXELS / usual.scale());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 1 and some thousand"
        )]
        let high = usual.as_high_as(shown as u32);
        self.call_in(&session, &high, deadline).await?;
        Ok(Stretched {
            session,
            metrics,
            scrolled: (layout.visual.page_x, layout.visual.page_y),
            page: (whole, shown),
        })
    }

    /// Makes it as high as it was, and scrolls the page where it was.
    pub async fn unstretch(
        &mut self,
        stretched: Stretched,
        deadline: Instant,
    ) -> Result<(), PageError> {
        let session = &stretched.session;
        if let Some(metrics) = stretched.metrics {
            self.call_in(session, &metrics, deadline).await?;
        } else {
            let clear = Domain::ClearDeviceMetricsOverride(None);
            self.call_in(session, &clear, deadline).await?;
        }
        let tab = self.shown_tab().ok_or(PageError::Gone)?;
        let Some(page) = place(tab.state.frames.main()) else {
            return Ok(());
        };
        let (x, y) = stretched.scrolled;
        let request = json!({ "what": "scrolled", "at": { "x": x, "y": y } });
        let request = self.request(&request, deadline);
        let back = Call::new(Function::Perform, page.world, request);
        self.call_in(session, &back, deadline).await?;
        Ok(())
    }
}
