//! Where the robot looks: in every frame of the tab in front, or in one that it was told to look at.

use super::{Context, ask::place};
use crate::browser::{
    frames::{Frame, Frames},
    script::Place,
};

/// The one frame that is looked at; its place is looked up anew each time, because documents come and go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The address of the frame that the path begins in; nothing: it begins in the page itself.
    pub address: Option<String>,
    /// Places among the frames of a frame, from 0, the outermost first.
    pub path: Vec<usize>,
}

impl Scope {
    fn frame<'f>(&self, frames: &'f Frames) -> Option<&'f Frame> {
        let base = match &self.address {
            Some(address) => frames.iter().skip(1).find(|frame| frame.url == *address)?,
            None => frames.main(),
        };
        self.path
            .iter()
            .try_fold(base, |frame, index| frames.children(&frame.id).nth(*index))
    }
}

impl Context {
    /// From now on only this frame is looked at; nothing: all of them are.
    pub fn look_at(&mut self, scope: Option<Scope>) {
        self.scope = scope;
    }

    /// From now on what was looked at in the beginning is looked at.
    pub fn look_anew(&mut self) {
        self.scope = self.windows_stay_behind.then(Scope::default);
    }

    /// What is looked at.
    pub const fn scope(&self) -> Option<&Scope> {
        self.scope.as_ref()
    }

    /// Windows that open stay behind the one in front, and only its page itself is looked at, until something else is told.
    pub fn look_where_told(&mut self) {
        self.windows_stay_behind = true;
        self.scope = Some(Scope::default());
    }

    /// The frame that is looked at alone; the main one where all are, and where it is not there.
    pub fn frame_in_view(&self) -> Option<&Frame> {
        let frames = &self.tabs.last()?.state.frames;
        let alone = self.scope.as_ref().and_then(|scope| scope.frame(frames));
        Some(alone.unwrap_or(frames.main()))
    }

    /// Whether the one frame that is to be looked at is there.
    pub fn has_frame_in_view(&self) -> bool {
        self.scope.as_ref().is_none_or(|scope| self.shows(scope))
    }

    /// Whether there is such a frame in the tab in front.
    pub fn shows(&self, scope: &Scope) -> bool {
        let frames = self.tabs.last().map(|tab| &tab.state.frames);
        frames.is_some_and(|frames| scope.frame(frames).is_some())
    }

    /// The frames that are looked at, parents first.
    pub(super) fn frames_in_view(&self) -> Vec<&Frame> {
        let Some(tab) = self.tabs.last() else {
            return Vec::new();
        };
        let frames = &tab.state.frames;
        match &self.scope {
            None => frames.iter().collect(),
            Some(scope) => scope.frame(frames).into_iter().collect(),
        }
    }

    /// Where their scripts are reached.
    pub(super) fn places_in_view(&self) -> Vec<Place> {
        self.frames_in_view()
            .into_iter()
            .filter_map(place)
            .collect()
    }
}
