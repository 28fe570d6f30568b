//! Keeps a picture of the page as it stands.

use std::time::Instant;

use super::{Moment, Robot};
use crate::{
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
        name: &str,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        if !self.pictures.wanted {
            return Ok(Moment::Was);
        }
        let soon = deadline.min(Instant::now() + SCREENSHOT_DEADLINE);
        match evidence::picture(&mut self.context, &self.redaction, soon).await {
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
