//! Keeps a picture of the page as it stands.

use std::time::Instant;

use super::{Moment, Robot};
use crate::{
    journey::Screenshot,
    log::{Level, log},
    run::{
        Failure, RunFile,
        evidence::{self, SCREENSHOT_DEADLINE},
    },
};

impl Robot<'_> {
    /// A picture that cannot be taken is said and changes nothing. Its time is not the user's.
    pub(super) async fn screenshot(
        &mut self,
        screenshot: &Screenshot,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        if !self.pictures.wanted {
            return Ok(Moment::Was);
        }
        let soon = deadline.min(Instant::now() + SCREENSHOT_DEADLINE);
        let Screenshot { name, full_page } = screenshot;
        let (context, redaction) = (&mut self.context, &self.redaction);
        let taken = if *full_page {
            evidence::full_page(context, redaction, soon).await
        } else {
            evidence::picture(context, redaction, soon).await
        };
        match taken {
            Ok(picture) => {
                let bytes = picture.jpeg;
                let place = self.pictures.taken.len() + 1;
                let name = format!("{place:02}-{}-{name}.jpg", self.step);
                self.pictures.taken.push(RunFile { name, bytes });
            }
            Err(error) => log(
                Level::Warning,
                &format!("failed to take the picture `{name}`: {error}"),
            ),
        }
        Ok(Moment::Was)
    }
}
