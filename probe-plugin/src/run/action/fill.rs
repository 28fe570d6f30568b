//! Puts a text into a field.

use std::time::Instant;

use headless_chrome::protocol::cdp::Input;
use serde_json::json;
use vigia_contract::secret::ExposeSecret;

use super::{Moment, Robot, UserInput, in_one_call::Deed};
use crate::{
    browser::{Acted, Place},
    journey::{Fill, Key},
    run::Failure,
};

impl Robot<'_> {
    pub(super) async fn fill(&mut self, fill: &Fill, deadline: Instant) -> Result<Moment, Failure> {
        let field = Some(("field", &fill.field));
        let ready = self.await_code(&fill.with, field, deadline).await?;
        let deadline = ready.deadline;
        let text = self.resolve_typed(&fill.with)?;
        let asked = Instant::now();
        let mut first: Option<UserInput> = None;
        let mut tries = 0;
        loop {
            let deed = Deed {
                look: "field",
                act: "fill",
                target: &fill.field,
                about: json!({ "given": fill.with.shown(), "tries": tries, "secret": types_secret(fill) }),
                text: Some(text.expose_secret()),
            };
            let done = self.in_one_call(&deed, deadline).await?;
            let input = *first.get_or_insert(ready.before(done.input));
            let Some(answer) = done.answer else {
                // What was put in has led elsewhere already.
                let ended_ms = self.now(deadline).await?;
                return Ok(input.until(ended_ms));
            };
            let insert = answer
                .value
                .as_ref()
                .is_some_and(|value| value["insert"] == true);
            if !insert {
                return Ok(input.until(answer.at));
            }
            match self
                .insert(fill, text.expose_secret(), &done.place, deadline)
                .await?
            {
                Acted::Answered(kept) if kept.ok => {
                    return Ok(input.until(kept.at));
                }
                // An editor that was just being built has thrown it away.
                Acted::Answered(_) if Instant::now() < deadline => tries += 1,
                Acted::Answered(lost) => return Err(self.refusal(*lost, asked)),
                Acted::Left | Acted::Never => {
                    let ended_ms = self.now(deadline).await?;
                    return Ok(input.until(ended_ms));
                }
            }
        }
    }

    /// An editor of rich text works by the events of a real input method, `beforeinput` first of all, which an editing
    /// command of a script does not fire.
    async fn insert(
        &mut self,
        fill: &Fill,
        text: &str,
        place: &Place,
        deadline: Instant,
    ) -> Result<Acted, Failure> {
        let late = format!("`{}` did not take the text", fill.field);
        if text.is_empty() {
            self.strike(&Key::delete(), deadline, &late).await?;
        } else {
            let insert = Input::InsertText {
                text: text.to_owned(),
            };
            let inserted = self.context.call(&insert, deadline).await;
            self.or_failure(inserted, &late).await?;
        }
        let request = json!({
            "what": "filled",
            "target": fill.field.for_script(),
            "shown": fill.field.to_string(),
            "empty": text.is_empty(),
            "secret": types_secret(fill),
        });
        let sent_ms = self.clock.now_ms();
        let kept = self.context.do_at_once(place, &request, deadline).await;
        let kept = self.or_failure(kept, &late).await?;
        Ok(kept.by(&self.clock, sent_ms))
    }
}

/// What it holds then stands in no error.
fn types_secret(fill: &Fill) -> bool {
    fill.with.secrets().next().is_some()
}
