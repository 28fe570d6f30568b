//! Does something with a field by one call into the page: the script finds the field, waits for it, writes to it and looks
//! whether it lasted.
//!
//! What is written may be a secret, so it goes only to a frame that is known to hold the field, and only to one.

use std::time::Instant;

use serde_json::Value;

use super::{Robot, UserInput};
use crate::{
    browser::{Acted, Answer, Place},
    journey::Target,
    run::{Failure, waiting::Wait},
};

/// What the script is to do.
#[derive(Debug)]
pub struct Deed<'a> {
    /// The check that finds the field, and waits for it.
    pub look: &'static str,
    /// The check that does it.
    pub act: &'static str,
    /// The field.
    pub target: &'a Target,
    /// What both are told.
    pub about: Value,
    /// What only the one that does it is told.
    pub text: Option<&'a str>,
}

/// It was done.
#[derive(Debug)]
pub struct Done {
    /// In this frame.
    pub place: Place,
    /// What the user did.
    pub input: UserInput,
    /// The script's word for it; nothing where it has led to another document at once.
    pub answer: Option<Answer>,
}

impl Robot<'_> {
    pub(super) async fn in_one_call(
        &mut self,
        deed: &Deed<'_>,
        deadline: Instant,
    ) -> Result<Done, Failure> {
        let asked = Instant::now();
        let late = format!("`{}` did not respond", deed.target);
        let mut request = deed.about.clone();
        request["what"] = deed.act.into();
        request["target"] = deed.target.for_script();
        request["text"] = deed.text.into();
        let mut since: Option<f64> = None;
        if let Some(place) = self.context.only_place() {
            let sent_ms = self.clock.now_ms();
            let acted = self.context.do_at_once(&place, &request, deadline).await;
            match self
                .or_failure(acted, &late)
                .await?
                .by(&self.clock, sent_ms)
            {
                Acted::Answered(answer) if answer.ok => {
                    self.note_drift(deed.target, &answer);
                    return Ok(done(place, *answer, None));
                }
                Acted::Answered(answer) if answer.why.as_deref() == Some("value") => {
                    return Err(self.refusal(*answer, asked));
                }
                Acted::Answered(answer) => since = Some(answer.began),
                Acted::Left => return self.left(place, since, deadline).await,
                Acted::Never => {}
            }
        }
        loop {
            let (place, found) = self
                .perform(deed.look, deed.target, deed.about.clone(), deadline)
                .await?;
            self.is_the_only_one(deed.target, &place, deadline).await?;
            if found.ready.is_some() {
                since = since.or(Some(found.began));
            }
            let sent_ms = self.clock.now_ms();
            let acted = self.context.do_at(&place, &request, deadline).await;
            match self
                .or_failure(acted, &late)
                .await?
                .by(&self.clock, sent_ms)
            {
                Acted::Answered(answer) if answer.ok => return Ok(done(place, *answer, since)),
                Acted::Answered(answer) => return Err(self.refusal(*answer, asked)),
                Acted::Left => return self.left(place, since, deadline).await,
                Acted::Never => {}
            }
        }
    }

    async fn left(
        &mut self,
        place: Place,
        since: Option<f64>,
        deadline: Instant,
    ) -> Result<Done, Failure> {
        let now = self.now(deadline).await?;
        Ok(Done {
            place,
            input: UserInput {
                waited: since.map(|from_ms| Wait {
                    from_ms,
                    until_ms: now,
                }),
                began_ms: now,
            },
            answer: None,
        })
    }

    /// Whether what was done is still so; `answer` is nothing where the document has been left.
    pub(super) async fn lasts(
        &mut self,
        place: &Place,
        request: &Value,
        deadline: Instant,
    ) -> Result<Option<Answer>, Failure> {
        let asked = Instant::now();
        let sent_ms = self.clock.now_ms();
        let acted = self.context.do_at(place, request, deadline).await;
        let acted = self.or_failure(acted, "the page does not respond").await?;
        match acted.by(&self.clock, sent_ms) {
            Acted::Answered(answer) if answer.ok => Ok(Some(*answer)),
            Acted::Answered(answer) => Err(self.refusal(*answer, asked)),
            Acted::Left | Acted::Never => Ok(None),
        }
    }
}

fn done(place: Place, answer: Answer, since: Option<f64>) -> Done {
    let began_ms = answer.input.unwrap_or(answer.at);
    let since = since.map(|from_ms| Wait {
        from_ms,
        until_ms: began_ms,
    });
    Done {
        place,
        input: UserInput {
            waited: since.or(answer.waited()),
            began_ms,
        },
        answer: Some(answer),
    }
}
