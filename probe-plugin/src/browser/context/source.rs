//! The source of a page and of its frames as they stand, with what is in their shadow roots.

use std::time::Instant;

use headless_chrome::protocol::cdp::{Log, types::Method};
use serde::{Deserialize, Serialize};

use super::{Context, PageError};
use crate::browser::{CallError, frames::Frame, script::Call};

/// A page may have frames without end.
const FRAMES_MAX: usize = 30;

/// `DOM.getOuterHTML` of an object.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct GetOuterHtml {
    object_id: String,
    #[serde(rename = "includeShadowDOM")]
    include_shadow_dom: bool,
}

impl Method for GetOuterHtml {
    const NAME: &'static str = "DOM.getOuterHTML";
    type ReturnObject = OuterHtml;
}

#[derive(Debug, Deserialize)]
struct OuterHtml {
    #[serde(rename = "outerHTML")]
    outer_html: String,
}

impl Context {
    /// Address and source of each frame of the shown tab, the page itself first. A frame that does not answer has none.
    pub async fn sources(&mut self, deadline: Instant) -> Result<Vec<(String, String)>, PageError> {
        let tab = self.shown_tab().ok_or(PageError::Gone)?;
        let frames: Vec<Frame> = tab.state.frames.iter().take(FRAMES_MAX).cloned().collect();
        let mut sources = Vec::new();
        for frame in frames {
            let Some(world) = frame.world else {
                continue;
            };
            let document = Call::document(world);
            let document = match self.call_in(&frame.session, &document, deadline).await {
                Ok(document) => document.object(),
                Err(PageError::Call(CallError::Refused { .. }) | PageError::Closed) => None,
                Err(error) => return Err(error),
            };
            let Some(object_id) = document else {
                continue;
            };
            let html = GetOuterHtml {
                object_id,
                include_shadow_dom: true,
            };
            match self.call_in(&frame.session, &html, deadline).await {
                Ok(html) => sources.push((frame.url, html.outer_html)),
                Err(PageError::Call(CallError::Refused { .. }) | PageError::Closed) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(sources)
    }

    /// Has the browser tell what it has written into its own log about the page, from the beginning.
    pub async fn collect_log(&mut self, deadline: Instant) -> Result<(), PageError> {
        let session = self.shown_tab().ok_or(PageError::Gone)?.session.clone();
        // What it has said until now comes before its answer.
        self.call_in(&session, &Log::Enable(None), deadline).await?;
        self.call_in(&session, &Log::Disable(None), deadline)
            .await?;
        Ok(())
    }
}
