//! Does something in one frame by a single call of the robot's script.

use std::time::Instant;

use headless_chrome::protocol::cdp::DOM;

use super::{Context, PageError, ask::place};
use crate::browser::{
    CallError, FileChooser,
    script::{Answer, Call, Function, Place},
};

/// What became of a call that does something.
#[derive(Debug)]
pub enum Acted {
    /// The script's word for it.
    Answered(Box<Answer>),
    /// It was done or begun, and has led to another document before the script could say so.
    Left,
    /// The document was gone already.
    Never,
}

impl Context {
    /// The frame that is looked at, where it is the only one and stays: what is done there cannot be meant for another.
    pub fn only_place(&self) -> Option<Place> {
        let frames = self.frames_in_view();
        let [only] = frames.as_slice() else {
            return None;
        };
        let stays = !only.navigating() && !self.state()?.navigating();
        place(only).filter(|_| stays)
    }

    /// Asks the script of one place to do something until the deadline.
    pub async fn do_at(
        &mut self,
        place: &Place,
        request: &serde_json::Value,
        deadline: Instant,
    ) -> Result<Acted, PageError> {
        let request = self.request(request, deadline);
        self.call_script(place, request, deadline).await
    }

    /// The same, with a single look.
    pub async fn do_at_once(
        &mut self,
        place: &Place,
        request: &serde_json::Value,
        deadline: Instant,
    ) -> Result<Acted, PageError> {
        let mut request = self.with_stored(request);
        request["timeout_ms"] = 0.into();
        self.call_script(place, request, deadline).await
    }

    async fn call_script(
        &mut self,
        place: &Place,
        request: serde_json::Value,
        deadline: Instant,
    ) -> Result<Acted, PageError> {
        let call = Call::new(Function::Perform, place.world, request);
        let late = deadline + super::ask::ANSWER_MARGIN;
        match self.call_in(&place.session, &call, late).await {
            Ok(returned) => self
                .heard(place, returned)
                .map(|answer| Acted::Answered(Box::new(answer))),
            Err(PageError::Call(CallError::Refused { message, .. })) => {
                self.lost(place);
                // Chromium's words for a call that comes too late; any other refusal ends one that was under way.
                let never = ["Cannot find context", "Session with given id"];
                Ok(if never.iter().any(|words| message.contains(words)) {
                    Acted::Never
                } else {
                    Acted::Left
                })
            }
            Err(error) => Err(error),
        }
    }

    /// Where the files go that the tab in front has asked for, once.
    pub fn take_file_chooser(&mut self) -> Option<FileChooser> {
        self.tabs.last_mut()?.state.file_chooser.take()
    }

    /// Puts files into the file field that the script of a place has found last.
    pub async fn put_files(
        &mut self,
        place: &Place,
        files: Vec<String>,
        deadline: Instant,
    ) -> Result<(), PageError> {
        let field = Call::file_field(place.world);
        let field = self.call_in(&place.session, &field, deadline).await?;
        let put = DOM::SetFileInputFiles {
            files,
            node_id: None,
            backend_node_id: None,
            object_id: field.object(),
        };
        self.call_in(&place.session, &put, deadline).await?;
        Ok(())
    }
}
