//! Answers dialogs. A dialog blocks the page in the middle of the action that opens it, so it is answered there, as the
//! action that stands behind says; that action then only sees that it was.

use std::time::Instant;

use vigia_contract::data_model::ErrorClass;

use super::{Moment, Robot};
use crate::{
    browser::{ExpectedDialog, PageError},
    journey::{Dialog, DialogAnswer},
    run::{Failure, still_answers},
};

impl Robot<'_> {
    /// Before an action that may open them: these dialogs follow it, and no others.
    pub(super) fn expect_dialogs(&mut self, upcoming: &[&Dialog]) -> Result<(), Failure> {
        let expected = upcoming.iter().map(|dialog| {
            let typed = dialog.typed.as_ref().map(|typed| self.resolve(typed));
            Ok(ExpectedDialog {
                accept: dialog.answer == DialogAnswer::Accept,
                typed: typed.transpose()?,
                text: dialog.text.clone(),
            })
        });
        let expected = expected.collect::<Result<_, Failure>>()?;
        self.context.dialogs.expect(expected);
        Ok(())
    }

    /// Waits for one that opens later, by a timer or an answer of the server.
    pub(super) async fn dialog(&mut self, deadline: Instant) -> Result<Moment, Failure> {
        let input = self.input_now();
        let before = self.before(None);
        let answered = self
            .context
            .until(deadline, |context| context.dialogs.has_answered())
            .await;
        if matches!(answered, Err(PageError::Late)) && still_answers(self.context.chromium()).await
        {
            return Err(Failure::of_system(
                ErrorClass::Dialog,
                "the page opened no dialog in time",
            ));
        }
        self.or_failure(answered, "the page does not respond")
            .await?;
        self.context.dialogs.take_answered();
        let did = "after the dialog";
        let settled = self.settle(&before, did, deadline).await?;
        self.arrive(input, settled.as_ref(), &before, did, deadline)
            .await
    }
}
