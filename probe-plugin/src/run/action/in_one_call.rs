//! Does something with a field by one call into the page: the script finds the field, waits for it, writes to it and looks
//! whether it lasted.
//!
//! What is written may be a secret, so it goes only to a frame that is known to hold the field, and only to one.

use std::time::Instant;

use serde_json::{Value, json};

use super::{Robot, begin};
use crate::{
    browser::{Acted, Answer, Place},
    journey::Target,
    run::Failure,
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
    /// When the user's time began.
    pub began_ms: f64,
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
        let mut since = None;
        if let Some(place) = self.context.only_place() {
            let acted = self.context.do_at_once(&place, &request, deadline).await;
            match self.or_failure(acted, &late).await? {
                Acted::Answered(answer) if answer.ok => {
                    self.keep(&answer);
                    self.note_drift(deed.target, &answer);
                    return Ok(done(place, *answer, None));
                }
                Acted::Answered(answer) if answer.why.as_deref() == Some("value") => {
                    return Err(self.refusal(*answer, asked));
                }
                Acted::Answered(answer) => since = answer.began,
                Acted::Left => return self.left(place, since, deadline).await,
                Acted::Never => {}
            }
        }
        loop {
            let (place, found) = self
                .perform(deed.look, deed.target, deed.about.clone(), deadline)
                .await?;
            self.is_the_only_one(deed.target, &place, deadline).await?;
            if found.waited {
                since = since.or(Some(begin(&found)));
            }
            let acted = self.context.do_at(&place, &request, deadline).await;
            match self.or_failure(acted, &late).await? {
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
            began_ms: since.unwrap_or(now),
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
        let acted = self.context.do_at(place, request, deadline).await;
        match self.or_failure(acted, "the page does not respond").await? {
            Acted::Answered(answer) if answer.ok => Ok(Some(*answer)),
            Acted::Answered(answer) => Err(self.refusal(*answer, asked)),
            Acted::Left | Acted::Never => Ok(None),
        }
    }
}

fn done(place: Place, answer: Answer, since: Option<f64>) -> Done {
    let first = since.or(answer.began.filter(|_| answer.waited));
    Done {
        place,
        began_ms: first.or_else(|| input(&answer)).unwrap_or(answer.at),
        answer: Some(answer),
    }
}

/// When the script began to do it.
fn input(answer: &Answer) -> Option<f64> {
    answer.value.as_ref().unwrap_or(&json!({}))["input"].as_f64()
}
