//! What the tab in front shows as the browser itself lays it out, in all frames and in shadow roots that are closed too:
//! its texts, what its fields hold, what is drawn, and where each of them is in the window. Nothing here changes the page.

use std::{collections::HashMap, time::Instant};

use headless_chrome::protocol::cdp::{DOM, types::Method};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Context, PageError};
use crate::browser::{
    CallError, SessionId,
    script::{Call, Place},
    snapshot::{CaptureSnapshot, Seen, Snapshot},
};

/// A node of a page, as the browser knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    /// The session of its process.
    pub session: SessionId,
    /// Its number there.
    pub number: u32,
}

/// A part of the window, in its CSS pixels; it may reach out of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
    /// To the right.
    pub width: f64,
    /// Down.
    pub height: f64,
}

/// The part of the page that a picture shows, in CSS pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct View {
    /// What is left of it, by the layout's own count.
    pub x: f64,
    /// What is above it.
    pub y: f64,
    /// How wide it is.
    pub width: f64,
    /// How high it is.
    pub height: f64,
}

/// From the points of a frame to those of the window: a frame may be turned and made smaller.
#[derive(Clone, Copy, Debug)]
struct Way {
    origin: (f64, f64),
    x: (f64, f64),
    y: (f64, f64),
}

const STRAIGHT: Way = Way {
    origin: (0.0, 0.0),
    x: (1.0, 0.0),
    y: (0.0, 1.0),
};

impl Way {
    fn point(&self, x: f64, y: f64) -> (f64, f64) {
        (
            self.origin.0 + x * self.x.0 + y * self.y.0,
            self.origin.1 + x * self.x.1 + y * self.y.1,
        )
    }

    /// The whole way, where this is its first part.
    fn then(&self, next: &Self) -> Self {
        let origin = next.point(self.origin.0, self.origin.1);
        let end = |by: (f64, f64)| {
            let (x, y) = next.point(self.origin.0 + by.0, self.origin.1 + by.1);
            (x - origin.0, y - origin.1)
        };
        Self {
            origin,
            x: end(self.x),
            y: end(self.y),
        }
    }
}

/// `Page.getLayoutMetrics`, read leniently.
#[derive(Debug, Serialize)]
pub(super) struct GetLayoutMetrics {}

impl Method for GetLayoutMetrics {
    const NAME: &'static str = "Page.getLayoutMetrics";
    type ReturnObject = LayoutMetrics;
}

#[derive(Debug, Deserialize)]
pub(super) struct LayoutMetrics {
    #[serde(rename = "cssLayoutViewport")]
    layout: Viewport,
    #[serde(rename = "cssVisualViewport")]
    pub(super) visual: Viewport,
    #[serde(rename = "cssContentSize")]
    pub(super) content: ContentSize,
}

#[derive(Debug, Deserialize)]
pub(super) struct ContentSize {
    pub(super) height: f64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Viewport {
    #[serde(default)]
    offset_x: f64,
    #[serde(default)]
    offset_y: f64,
    pub(super) page_x: f64,
    pub(super) page_y: f64,
    client_width: f64,
    client_height: f64,
}

/// `DOM.getContentQuads`, read leniently.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct GetContentQuads {
    #[serde(skip_serializing_if = "Option::is_none")]
    backend_node_id: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object_id: Option<String>,
}

impl Method for GetContentQuads {
    const NAME: &'static str = "DOM.getContentQuads";
    type ReturnObject = Quads;
}

#[derive(Debug, Deserialize)]
struct Quads {
    quads: Vec<[f64; 8]>,
}

/// `DOM.getBoxModel`, read leniently.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct GetBoxModel {
    backend_node_id: u32,
}

impl Method for GetBoxModel {
    const NAME: &'static str = "DOM.getBoxModel";
    type ReturnObject = Model;
}

#[derive(Debug, Deserialize)]
struct Model {
    model: BoxModel,
}

#[derive(Debug, Deserialize)]
struct BoxModel {
    content: [f64; 8],
}

/// `DOM.scrollIntoViewIfNeeded` for an object.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ScrollIntoView {
    object_id: String,
}

impl Method for ScrollIntoView {
    const NAME: &'static str = "DOM.scrollIntoViewIfNeeded";
    type ReturnObject = Value;
}

/// An element that the robot's script has named.
#[derive(Clone, Debug)]
pub struct Named {
    place: Place,
    object: String,
}

impl Context {
    /// What each process of the page shows, in the order of its documents.
    pub async fn sight(
        &mut self,
        deadline: Instant,
    ) -> Result<Vec<(SessionId, Vec<Seen>)>, PageError> {
        let mut seen = Vec::new();
        for session in self.shown_sessions()? {
            let capture = CaptureSnapshot::default();
            let snapshot: Snapshot = match self.call_in(&session, &capture, deadline).await {
                Ok(snapshot) => snapshot,
                // A frame that is gone shows nothing.
                Err(PageError::Closed) => continue,
                Err(PageError::Call(CallError::Refused { .. }))
                    if !self.shown_sessions()?.contains(&session) =>
                {
                    continue;
                }
                Err(error) => return Err(error),
            };
            seen.push((session, snapshot.seen()));
        }
        Ok(seen)
    }

    /// The sessions of the processes of the shown tab, its own first.
    fn shown_sessions(&self) -> Result<Vec<SessionId>, PageError> {
        let tab = self.shown_tab().ok_or(PageError::Gone)?;
        let mut sessions = vec![tab.session.clone()];
        for frame in tab.state.frames.iter() {
            if !sessions.contains(&frame.session) {
                sessions.push(frame.session.clone());
            }
        }
        Ok(sessions)
    }

    /// Where nodes are in the window, in no certain order; those that have no place any more are left out.
    pub async fn areas(
        &mut self,
        nodes: &[Node],
        deadline: Instant,
    ) -> Result<Vec<Area>, PageError> {
        let mut ways: HashMap<SessionId, Way> = HashMap::new();
        let mut areas = Vec::new();
        for node in nodes {
            let known = ways.get(&node.session).copied();
            let way = if let Some(way) = known {
                way
            } else {
                self.way(&node.session, deadline).await?
            };
            ways.insert(node.session.clone(), way);
            let quads = GetContentQuads {
                backend_node_id: Some(node.number),
                object_id: None,
            };
            areas.extend(self.quads(&node.session, &quads, &way, deadline).await?);
        }
        Ok(areas)
    }

    async fn quads(
        &mut self,
        session: &SessionId,
        quads: &GetContentQuads,
        way: &Way,
        deadline: Instant,
    ) -> Result<Vec<Area>, PageError> {
        match self.call_in(session, quads, deadline).await {
            Ok(Quads { quads }) => Ok(quads.iter().map(|quad| area(quad, way)).collect()),
            // It is not laid out, or is gone.
            Err(PageError::Call(CallError::Refused { .. }) | PageError::Closed) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// The way from the window of a process to that of the tab.
    async fn way(&mut self, session: &SessionId, deadline: Instant) -> Result<Way, PageError> {
        let mut way = STRAIGHT;
        let mut session = session.clone();
        loop {
            let tab = self.shown_tab().ok_or(PageError::Gone)?;
            if tab.session == session {
                return Ok(way);
            }
            let frames = &tab.state.frames;
            // The outermost frame of the process: parents stand first.
            let root = frames.iter().find(|frame| frame.session == session);
            let root = root.ok_or(PageError::Closed)?;
            let parent = root.parent.as_deref().and_then(|parent| frames.get(parent));
            let parent = parent.ok_or(PageError::Closed)?.session.clone();
            let owner = DOM::GetFrameOwner {
                frame_id: root.id.clone(),
            };
            let owner = self.call_in(&parent, &owner, deadline).await?;
            let model = GetBoxModel {
                backend_node_id: owner.backend_node_id,
            };
            let Model { model } = self.call_in(&parent, &model, deadline).await?;
            let metrics = self
                .call_in(&session, &GetLayoutMetrics {}, deadline)
                .await?;
            let viewport = metrics.layout;
            let [x, y, right_x, right_y, _, _, down_x, down_y] = model.content;
            let outwards = Way {
                origin: (x, y),
                x: (
                    (right_x - x) / viewport.client_width.max(1.0),
                    (right_y - y) / viewport.client_width.max(1.0),
                ),
                y: (
                    (down_x - x) / viewport.client_height.max(1.0),
                    (down_y - y) / viewport.client_height.max(1.0),
                ),
            };
            way = way.then(&outwards);
            session = parent;
        }
    }

    /// What a picture of the tab shows.
    pub async fn view(&mut self, deadline: Instant) -> Result<View, PageError> {
        let session = self.shown_tab().ok_or(PageError::Gone)?.session.clone();
        let metrics = self
            .call_in(&session, &GetLayoutMetrics {}, deadline)
            .await?;
        let visual = metrics.visual;
        Ok(View {
            x: visual.offset_x,
            y: visual.offset_y,
            width: visual.client_width,
            height: visual.client_height,
        })
    }

    /// The element that is meant, or the one that is nearest to it, in the first frame that has one.
    pub async fn named(
        &mut self,
        target: &Value,
        deadline: Instant,
    ) -> Result<Option<Named>, PageError> {
        for place in self.places_in_view() {
            let request = self.with_stored(target);
            let call = Call::named(place.world, request);
            match self.call_in(&place.session, &call, deadline).await {
                Ok(returned) => {
                    if let Some(object) = returned.object() {
                        return Ok(Some(Named { place, object }));
                    }
                }
                Err(PageError::Call(CallError::Refused { .. }) | PageError::Closed) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Where it is in the window: all of it.
    pub async fn area_of(
        &mut self,
        named: &Named,
        deadline: Instant,
    ) -> Result<Option<Area>, PageError> {
        let session = &named.place.session;
        let way = self.way(session, deadline).await?;
        let quads = GetContentQuads {
            backend_node_id: None,
            object_id: Some(named.object.clone()),
        };
        let areas = self.quads(session, &quads, &way, deadline).await?;
        Ok(areas.into_iter().reduce(|one, other| one.with(&other)))
    }

    /// Brings it into the window.
    pub async fn scroll_to(&mut self, named: &Named, deadline: Instant) -> Result<(), PageError> {
        let scroll = ScrollIntoView {
            object_id: named.object.clone(),
        };
        self.call_in(&named.place.session, &scroll, deadline)
            .await?;
        Ok(())
    }
}

impl Area {
    /// The smallest one that has both in it.
    fn with(&self, other: &Self) -> Self {
        let x = self.x.min(other.x);
        let y = self.y.min(other.y);
        Self {
            x,
            y,
            width: (self.x + self.width).max(other.x + other.width) - x,
            height: (self.y + self.height).max(other.y + other.height) - y,
        }
    }
}

/// What encloses a quad in the window.
fn area(quad: &[f64; 8], way: &Way) -> Area {
    let corners = quad
        .chunks_exact(2)
        .map(|corner| way.point(corner[0], corner[1]));
    let corners: Vec<(f64, f64)> = corners.collect();
    let least =
        |pick: fn(&(f64, f64)) -> f64| corners.iter().map(pick).fold(f64::INFINITY, f64::min);
    let most =
        |pick: fn(&(f64, f64)) -> f64| corners.iter().map(pick).fold(f64::NEG_INFINITY, f64::max);
    let (x, y) = (least(|corner| corner.0), least(|corner| corner.1));
    Area {
        x,
        y,
        width: most(|corner| corner.0) - x,
        height: most(|corner| corner.1) - y,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_frame_that_is_small_and_turned_is_found_in_the_window() {
        // Half as large, turned to the right by a quarter, in a frame that is moved by 10.
        let inner = Way {
            origin: (100.0, 0.0),
            x: (0.0, 0.5),
            y: (-0.5, 0.0),
        };
        let outer = Way {
            origin: (10.0, 10.0),
            ..STRAIGHT
        };
        let found = area(
            &[20.0, 0.0, 40.0, 0.0, 40.0, 10.0, 20.0, 10.0],
            &inner.then(&outer),
        );
        let expected = Area {
            x: 105.0,
            y: 20.0,
            width: 5.0,
            height: 10.0,
        };
        assert_eq!(found, expected);
    }
}
