//! Asks the page: calls of the protocol, and of the robot's script in one frame or in all of them.

use std::{
    pin::Pin,
    task::Poll,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use headless_chrome::protocol::cdp::{DOM, Page as PageDomain, Runtime, types::Method};
use serde::{Deserialize, Serialize};
use vigia_contract::variables::Variables;

use super::{Context, PageError, send, windows::Tab};
use crate::browser::{
    CallError, SessionId,
    frames::Frame,
    script::{Answer, Call, Function, Place, Returned},
};

/// An answer of the script in the page may come this much later than the script was told to give up.
pub(super) const ANSWER_MARGIN: Duration = Duration::from_secs(2);

/// How long another frame may take to say no after the main one has: one that has hung says nothing.
const LAST_WORD: Duration = Duration::from_millis(300);

type PendingAnswer = Pin<Box<dyn Future<Output = Result<Returned, CallError>> + Send>>;

impl Context {
    /// Calls a method of the session of the tab in front.
    pub async fn call<M: Method + Serialize>(
        &mut self,
        method: &M,
        deadline: Instant,
    ) -> Result<M::ReturnObject, PageError> {
        let session = self.front_session()?;
        self.call_in(&session, method, deadline).await
    }

    /// Calls a method of one session.
    pub async fn call_in<M: Method + Serialize>(
        &mut self,
        session: &SessionId,
        method: &M,
        deadline: Instant,
    ) -> Result<M::ReturnObject, PageError> {
        self.heard_at = None;
        let call = self
            .chromium
            .connection()
            .call(Some(session), method, deadline);
        let mut call = std::pin::pin!(call);
        loop {
            tokio::select! {
                answer = &mut call => {
                    self.catch_up()?;
                    return Ok(answer?);
                }
                event = self.events.recv() => self.take_or_end(event)?,
            }
            // Nobody answers for a window that is closed.
            if self.tab_of(session).is_none() {
                return Err(PageError::Closed);
            }
        }
    }

    /// Calls a method of the session of the tab in front whose answer tells nothing.
    pub fn send<M: Method + Serialize>(&self, method: &M) {
        if let Some(tab) = self.tabs.last() {
            send(self.chromium.connection(), &tab.session, method);
        }
    }

    /// Waits until what is known meets a condition.
    pub async fn until(
        &mut self,
        deadline: Instant,
        met: impl Fn(&Self) -> bool,
    ) -> Result<(), PageError> {
        self.alive()?;
        while !met(self) {
            self.next_event(deadline).await?;
        }
        Ok(())
    }

    /// Calls a function of the script in the one frame that is looked at, or in the main one where all are, in whatever
    /// document is there: one that is left while the function waits hands over to the next. `request` is told how much time
    /// is left.
    pub async fn ask(
        &mut self,
        function: Function,
        request: &serde_json::Value,
        deadline: Instant,
    ) -> Result<Answer, PageError> {
        let main = |context: &Self| context.frame_in_view().map(|frame| frame.id.clone());
        loop {
            let frame = main(self).ok_or(PageError::Gone)?;
            if let Some(answer) = self.ask_in(&frame, function, request, deadline).await? {
                return Ok(answer);
            }
        }
    }

    /// The same in one frame; nothing when the frame is gone.
    pub async fn ask_in(
        &mut self,
        frame: &str,
        function: Function,
        request: &serde_json::Value,
        deadline: Instant,
    ) -> Result<Option<Answer>, PageError> {
        loop {
            let there = |context: &Self| {
                let state = context.state()?;
                let frame = state.frames.get(frame)?;
                (!state.navigating() && !frame.navigating()).then_some(())?;
                place(frame)
            };
            let gone = |context: &Self| {
                context
                    .state()
                    .is_none_or(|state| state.frames.get(frame).is_none())
            };
            self.until(deadline, |context| {
                gone(context) || there(context).is_some()
            })
            .await?;
            let Some(place) = there(self) else {
                return Ok(None);
            };
            let call = Call::new(function, place.world, self.request(request, deadline));
            match self
                .call_in(&place.session, &call, deadline + ANSWER_MARGIN)
                .await
            {
                Ok(returned) => return self.heard(&place, returned).map(Some),
                Err(PageError::Closed | PageError::Call(CallError::Refused { .. })) => {
                    self.lost(&place);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Lets what an input set off begin, in the document of this frame, or of the main one; nothing where the document is
    /// gone, or was left before it could answer.
    pub async fn settle(
        &mut self,
        frame: Option<&str>,
        deadline: Instant,
    ) -> Result<Option<Answer>, PageError> {
        let nothing = serde_json::Value::Null;
        self.ask_unless_leaving(frame, Function::Settle, nothing, deadline)
            .await
    }

    /// Asks the main document something that it answers at once; nothing where it is being left.
    pub async fn ask_now(
        &mut self,
        request: &serde_json::Value,
        deadline: Instant,
    ) -> Result<Option<Answer>, PageError> {
        let mut request = self.with_stored(request);
        request["timeout_ms"] = 0.into();
        self.ask_unless_leaving(None, Function::Perform, request, deadline)
            .await
    }

    /// Chromium hands no message to a document that is being left: whoever waits for its answer waits for the next one's
    /// arrival, which may never come.
    async fn ask_unless_leaving(
        &mut self,
        frame: Option<&str>,
        function: Function,
        request: serde_json::Value,
        deadline: Instant,
    ) -> Result<Option<Answer>, PageError> {
        let frames = &self.front_frames()?;
        let frame = frame.map_or(Some(frames.main()), |frame| frames.get(frame));
        let Some(place) = frame.filter(|frame| !frame.leaving()).and_then(place) else {
            return Ok(None);
        };
        let call = Call::new(function, place.world, request);
        let answer = self
            .chromium
            .connection()
            .call(Some(&place.session), &call, deadline);
        let mut answer = std::pin::pin!(answer);
        loop {
            tokio::select! {
                answer = &mut answer => {
                    self.catch_up()?;
                    return match answer {
                        Ok(returned) => self.heard(&place, returned).map(Some),
                        Err(CallError::Refused { .. }) => {
                            self.lost(&place);
                            Ok(None)
                        }
                        Err(error) => Err(error.into()),
                    };
                }
                event = self.events.recv() => self.take_or_end(event)?,
            }
            if self.is_leaving(&place) {
                return Ok(None);
            }
        }
    }

    /// What the script of a place said. What it tells of a document that fills a tab is kept, unless it is the last word of
    /// one that is left by now.
    pub(super) fn heard(&mut self, place: &Place, returned: Returned) -> Result<Answer, PageError> {
        let value = returned.value().map_err(PageError::Script)?;
        let mut answer: Answer =
            serde_json::from_value(value).map_err(|error| PageError::Script(error.to_string()))?;
        if let Some(vitals) = answer.page.take()
            && let Some(tab) = self.tab_of(&place.session)
            && tab.state.frames.main().world == Some(place.world)
            && tab.state.frames.main().session == place.session
        {
            let loader = tab.state.loader().to_owned();
            tab.state.vitals.look(&loader, vitals);
            self.heard_at = Some(Instant::now());
        }
        Ok(answer)
    }

    fn is_leaving(&self, place: &Place) -> bool {
        self.tabs
            .last()
            .and_then(|tab| tab.state.frames.get(&place.frame))
            .is_none_or(Frame::leaving)
    }

    /// Asks the script of every frame of the tab in front at the same time to perform something, also of those that come
    /// while it waits. The first yes counts; without one it is the main frame's no, unless another frame knows better.
    pub async fn perform(
        &mut self,
        request: &serde_json::Value,
        deadline: Instant,
    ) -> Result<(Place, Answer), PageError> {
        let mut pending: Vec<(Place, PendingAnswer)> = Vec::new();
        let mut refusals: Vec<(Place, Answer)> = Vec::new();
        // The other frames were told the same time as the main one: what they say comes now or not at all.
        let mut last_word: Option<Instant> = None;
        self.questions += 1;
        let mut request = request.clone();
        request["id"] = self.questions.into();
        self.alive()?;
        let (place, answer) = loop {
            self.ask_new_places(&request, &mut pending, &refusals, deadline);
            let main = self.frame_in_view().map(|frame| &frame.id);
            let refused = refusals
                .iter()
                .position(|(place, _)| Some(&place.frame) == main);
            if refused.is_some() {
                last_word.get_or_insert_with(|| Instant::now() + LAST_WORD);
            }
            if let Some(index) = refused
                && (pending.is_empty() || last_word.is_some_and(|last| Instant::now() >= last))
            {
                let better = refusals
                    .iter()
                    .position(|(_, answer)| answer.why.as_deref() != Some("missing"));
                break refusals.swap_remove(better.unwrap_or(index));
            }
            let late = match last_word {
                Some(last) => last,
                None if pending.is_empty() => deadline,
                None => deadline + ANSWER_MARGIN,
            };
            tokio::select! {
                (place, returned) = first_of(&mut pending) => {
                    self.catch_up()?;
                    match returned {
                        Ok(returned) => {
                            let answer = self.heard(&place, returned)?;
                            if answer.ok {
                                break (place, answer);
                            }
                            refusals.push((place, answer));
                        }
                        Err(CallError::Refused { .. }) => self.lost(&place),
                        Err(error) => return Err(error.into()),
                    }
                }
                event = tokio::time::timeout_at(late.into(), self.events.recv()) => {
                    match event {
                        Ok(event) => self.take_or_end(event)?,
                        Err(_) if last_word.is_some() => continue,
                        Err(_) => return Err(PageError::Late),
                    }
                    // Who waits in a frame that is gone waits in vain.
                    pending.retain(|(place, _)| self.is_there(place));
                    refusals.retain(|(place, _)| self.is_there(place));
                }
            }
        };
        for (place, _) in pending {
            let cancel = Call::new(Function::Cancel, place.world, self.questions.into());
            send(self.chromium.connection(), &place.session, &cancel);
        }
        Ok((place, answer))
    }

    fn ask_new_places(
        &mut self,
        request: &serde_json::Value,
        pending: &mut Vec<(Place, PendingAnswer)>,
        refusals: &[(Place, Answer)],
        deadline: Instant,
    ) {
        let Some(tab) = self.tabs.last() else {
            return;
        };
        if tab.state.navigating() {
            return;
        }
        for place in self.places_in_view() {
            let asked = pending.iter().any(|(asked, _)| *asked == place)
                || refusals.iter().any(|(asked, _)| *asked == place);
            if !asked {
                let call = Call::new(
                    Function::Perform,
                    place.world,
                    self.request(request, deadline),
                );
                let answer = self.chromium.connection().call(
                    Some(&place.session),
                    &call,
                    deadline + ANSWER_MARGIN,
                );
                pending.push((place, Box::pin(answer)));
            }
        }
    }

    /// The frames of the tab in front that are looked at, the main one last.
    pub fn frames(&self) -> Vec<String> {
        let frames = self.frames_in_view().into_iter();
        frames.map(|frame| frame.id.clone()).rev().collect()
    }

    /// Asks the script of all other frames of the tab in front at the same time something that it answers at once. A frame
    /// that is gone, or that has hung, tells nothing.
    pub async fn ask_others(
        &mut self,
        than: &Place,
        request: &serde_json::Value,
        deadline: Instant,
    ) -> Result<Vec<(Place, Answer)>, PageError> {
        let mut request = self.with_stored(request);
        request["timeout_ms"] = 0.into();
        self.alive()?;
        let mut others = self.places_in_view();
        others.retain(|place| place.frame != than.frame);
        let mut pending: Vec<(Place, PendingAnswer)> = Vec::new();
        for place in others {
            let call = Call::new(Function::Perform, place.world, request.clone());
            let connection = self.chromium.connection();
            let answer = connection.call(Some(&place.session), &call, deadline);
            pending.push((place, Box::pin(answer)));
        }
        let mut answers = Vec::new();
        while !pending.is_empty() {
            tokio::select! {
                (place, returned) = first_of(&mut pending) => match returned {
                    Ok(returned) => {
                        let answer = self.heard(&place, returned)?;
                        answers.push((place, answer));
                    }
                    Err(CallError::Refused { .. } | CallError::Deadline(_)) => {}
                    Err(error) => return Err(error.into()),
                },
                event = self.events.recv() => {
                    self.take_or_end(event)?;
                    pending.retain(|(place, _)| self.is_there(place));
                }
            }
        }
        Ok(answers)
    }

    /// The places of all frames that are looked at but the outermost.
    pub fn places_below_main(&self) -> Vec<Place> {
        let frames = self.frames_in_view().into_iter().skip(1);
        frames.filter_map(place).collect()
    }

    /// Asks the script of one place something that it answers at once; nothing where the place is gone.
    pub async fn ask_at(
        &mut self,
        place: &Place,
        request: &serde_json::Value,
        deadline: Instant,
    ) -> Result<Option<Answer>, PageError> {
        let mut request = self.with_stored(request);
        request["timeout_ms"] = 0.into();
        self.put(place, request, deadline).await
    }

    /// Asks the script of one place to wait for something; nothing where the place is gone.
    pub async fn wait_at(
        &mut self,
        place: &Place,
        request: &serde_json::Value,
        deadline: Instant,
    ) -> Result<Option<Answer>, PageError> {
        let request = self.request(request, deadline);
        self.put(place, request, deadline + ANSWER_MARGIN).await
    }

    async fn put(
        &mut self,
        place: &Place,
        request: serde_json::Value,
        deadline: Instant,
    ) -> Result<Option<Answer>, PageError> {
        let call = Call::new(Function::Perform, place.world, request);
        match self.call_in(&place.session, &call, deadline).await {
            Ok(returned) => self.heard(place, returned).map(Some),
            Err(PageError::Closed | PageError::Call(CallError::Refused { .. })) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Where a point of a frame is in the window; nothing, or what lies over it, where it cannot be seen there.
    pub async fn in_window(
        &mut self,
        frame: &str,
        point: (f64, f64),
        deadline: Instant,
    ) -> Result<Result<(f64, f64), String>, PageError> {
        #[derive(Deserialize)]
        struct Through {
            ok: bool,
            x: Option<f64>,
            y: Option<f64>,
            message: Option<String>,
        }
        let mut frame = frame.to_owned();
        let mut point = point;
        loop {
            let parent = |context: &Self| {
                let frames = &context.tabs.last()?.state.frames;
                frames
                    .get(frames.get(&frame)?.parent.as_deref()?)
                    .and_then(place)
            };
            let Some(parent) = parent(self) else {
                return Ok(Ok(point));
            };
            let owner = DOM::GetFrameOwner {
                frame_id: frame.clone(),
            };
            let owner = self.call_in(&parent.session, &owner, deadline).await?;
            let resolve = DOM::ResolveNode {
                node_id: None,
                backend_node_id: Some(owner.backend_node_id),
                object_group: None,
                execution_context_id: Some(u32::try_from(parent.world).unwrap_or(0)),
            };
            let element = self.call_in(&parent.session, &resolve, deadline).await?;
            let object = element.object.object_id.unwrap_or_default();
            let through = Call::through(object, point.0, point.1);
            let returned = self.call_in(&parent.session, &through, deadline).await?;
            let value = returned.value().map_err(PageError::Script)?;
            let through: Through = serde_json::from_value(value)
                .map_err(|error| PageError::Script(error.to_string()))?;
            match (through.ok, through.x, through.y) {
                (true, Some(x), Some(y)) => point = (x, y),
                _ => return Ok(Err(through.message.unwrap_or_default())),
            }
            frame = parent.frame;
        }
    }

    /// The tab in front; while nothing has ever been shown in it, the one behind it.
    pub(super) fn shown_tab(&self) -> Option<&Tab> {
        self.tabs.iter().rfind(|tab| !tab.is_empty() || tab.blank)
    }

    /// What the shown tab shows, as a PNG: what is painted into it is painted before anything is lost.
    pub async fn screenshot(&mut self, deadline: Instant) -> Result<Vec<u8>, PageError> {
        let capture = PageDomain::CaptureScreenshot {
            format: Some(PageDomain::CaptureScreenshotFormatOption::Png),
            quality: None,
            clip: None,
            from_surface: None,
            capture_beyond_viewport: None,
            optimize_for_speed: Some(true),
        };
        let session = self.shown_tab().ok_or(PageError::Gone)?.session.clone();
        let data = self.call_in(&session, &capture, deadline).await?.data;
        STANDARD
            .decode(data)
            .map_err(|error| PageError::Script(error.to_string()))
    }

    /// Frames that are on their way elsewhere stay: Chromium hands them no message before.
    pub fn stop_leaving(&mut self) {
        let Some(tab) = self.shown_tab() else {
            return;
        };
        let leaving = tab.state.frames.iter().filter(|frame| frame.navigating());
        let mut sessions: Vec<&SessionId> = leaving.map(|frame| &frame.session).collect();
        sessions.dedup();
        for session in sessions {
            let stop = PageDomain::StopLoading(None);
            send(self.chromium.connection(), session, &stop);
        }
    }

    /// A script that does not come to its end is ended.
    pub fn stop_scripts(&mut self) {
        if let Some(tab) = self.shown_tab() {
            let stop = Runtime::TerminateExecution(None);
            send(self.chromium.connection(), &tab.session, &stop);
        }
    }

    /// The identities of the documents of the shown tab.
    pub fn documents(&self) -> Vec<String> {
        let frames = self.shown_tab().map(|tab| tab.state.frames.iter());
        let loaders = frames.into_iter().flatten();
        loaders.map(|frame| frame.loader.clone()).collect()
    }

    /// Whether a frame of the shown tab is on its way elsewhere.
    pub fn is_leaving_somewhere(&self) -> bool {
        self.shown_tab()
            .is_some_and(|tab| tab.state.frames.iter().any(Frame::navigating))
    }

    /// With what was stored in its places, and with the time that is left.
    pub(super) fn request(
        &self,
        request: &serde_json::Value,
        deadline: Instant,
    ) -> serde_json::Value {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut request = self.with_stored(request);
        request["timeout_ms"] = u64::try_from(left.as_millis()).unwrap_or(u64::MAX).into();
        request
    }

    pub(super) fn with_stored(&self, request: &serde_json::Value) -> serde_json::Value {
        let mut request = request.clone();
        if !self.stored.is_empty() {
            fill_in(&mut request, &self.stored);
        }
        request
    }

    fn is_there(&self, known: &Place) -> bool {
        self.tabs
            .last()
            .and_then(|tab| tab.state.frames.get(&known.frame))
            .is_some_and(|frame| place(frame).as_ref() == Some(known))
    }

    /// The document is gone, and its world with it. The next one's is announced by an event.
    pub(super) fn lost(&mut self, place: &Place) {
        for tab in &mut self.tabs {
            tab.state.frames.lost(&place.session, place.world);
        }
    }
}

pub(super) fn place(frame: &Frame) -> Option<Place> {
    Some(Place {
        frame: frame.id.clone(),
        session: frame.session.clone(),
        world: frame.world?,
    })
}

fn fill_in(value: &mut serde_json::Value, stored: &Variables) {
    match value {
        serde_json::Value::String(text) => {
            *text = vigia_contract::stored::fill_in(text, stored, str::to_owned);
        }
        serde_json::Value::Array(values) => {
            for value in values {
                fill_in(value, stored);
            }
        }
        serde_json::Value::Object(values) => {
            for value in values.values_mut() {
                fill_in(value, stored);
            }
        }
        _ => {}
    }
}

/// The first of these answers; it is taken out. Never, where there is none.
async fn first_of(
    pending: &mut Vec<(Place, PendingAnswer)>,
) -> (Place, Result<Returned, CallError>) {
    std::future::poll_fn(|waker| {
        for index in 0..pending.len() {
            if let Poll::Ready(returned) = pending[index].1.as_mut().poll(waker) {
                return Poll::Ready((pending.swap_remove(index).0, returned));
            }
        }
        Poll::Pending
    })
    .await
}
