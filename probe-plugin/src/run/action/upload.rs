//! Hands files to a page: to its file field, be it hidden or not, or to the file dialog that a button opens.

use std::time::Instant;

use headless_chrome::protocol::cdp::{DOM, Page as PageDomain};
use serde_json::json;
use vigia_contract::data_model::ErrorClass;

use super::{Moment, Robot, begin};
use crate::{
    browser::{Answer, PageError, Place},
    journey::Upload,
    run::Failure,
};

impl Robot<'_> {
    pub(super) async fn upload(
        &mut self,
        upload: &Upload,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let files = files(upload)?;
        let target = &upload.field;
        let did = format!("after the files were given to `{target}`");
        let mut first: Option<f64> = None;
        loop {
            let more = json!({ "count": files.len(), "again": first.is_some() });
            let (place, found) = self.perform("upload", target, more, deadline).await?;
            self.is_the_only_one(target, &place, deadline).await?;
            let began_ms = first.unwrap_or_else(|| begin(&found));
            let before = self.before(Some(place.frame.clone()));
            if found.x.is_none() {
                let put = self
                    .context
                    .put_files(&place, files.clone(), deadline)
                    .await;
                self.or_failure(put, &format!("`{target}` did not take the files"))
                    .await?;
            } else if !self
                .by_dialog(upload, &place, &found, &files, deadline)
                .await?
            {
                // The click has missed.
                first = first.or(found.began);
                continue;
            }
            let settled = self.settle(&before, &did, deadline).await?;
            return self
                .arrive(began_ms, settled.as_ref(), &before, &did, deadline)
                .await;
        }
    }

    /// Clicks, and answers the file dialog that opens. False where the click has reached something else and there is time
    /// to try again.
    async fn by_dialog(
        &mut self,
        upload: &Upload,
        place: &Place,
        found: &Answer,
        files: &[String],
        deadline: Instant,
    ) -> Result<bool, Failure> {
        let target = &upload.field;
        self.intercept_dialogs(true, place, deadline).await?;
        // One that an earlier click has opened late is not the answer to this one.
        drop(self.context.take_file_chooser());
        let did = format!("after the click on `{target}`");
        let before = self.before(Some(place.frame.clone()));
        let pressed = match self.point_in_window(place, found, deadline).await? {
            Ok(point) => self.press_mouse(&before, point, &did, deadline).await?,
            Err(cover) => Err(format!("its frame is covered by {cover}")),
        };
        if let Err(missed) = pressed {
            if Instant::now() < deadline {
                return Ok(false);
            }
            return Err(not_actionable(format!(
                "`{target}` did not receive the click: {missed}"
            )));
        }
        let opened = self
            .context
            .until(deadline, |context| {
                context
                    .state()
                    .is_none_or(|state| state.file_chooser.is_some())
            })
            .await;
        let Some(chooser) = self.context.take_file_chooser() else {
            if let Some(failure) = self.unexpected_dialog() {
                return Err(failure);
            }
            if !matches!(opened, Err(PageError::Late)) {
                self.or_failure(opened, "the page does not respond").await?;
            }
            return Err(not_actionable(format!(
                "`{target}` has no file field, and a click on it asked for no file"
            )));
        };
        if files.len() > 1 && !chooser.multiple {
            let told = format!("`{target}` takes one file, not {}", files.len());
            return Err(Failure::of_probe(ErrorClass::Config, told));
        }
        let put = DOM::SetFileInputFiles {
            files: files.to_vec(),
            node_id: None,
            backend_node_id: chooser.field,
            object_id: None,
        };
        let put = self.context.call_in(&chooser.session, &put, deadline).await;
        self.or_failure(put, &format!("`{target}` did not take the files"))
            .await?;
        self.intercept_dialogs(false, place, deadline).await?;
        Ok(true)
    }

    async fn intercept_dialogs(
        &mut self,
        enabled: bool,
        place: &Place,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let intercept = PageDomain::SetInterceptFileChooserDialog {
            enabled,
            cancel: None,
        };
        let answered = self
            .context
            .call_in(&place.session, &intercept, deadline)
            .await;
        self.or_failure(answered, "the page does not respond")
            .await?;
        Ok(())
    }
}

fn not_actionable(told: String) -> Failure {
    Failure::of_system(ErrorClass::NotActionable, told)
}

/// They were there when the journey was read.
fn files(upload: &Upload) -> Result<Vec<String>, Failure> {
    let config = |told: String| Failure::of_probe(ErrorClass::Config, told);
    let one = |path: &std::path::PathBuf| {
        if !path.is_file() {
            return Err(config(format!(
                "the file `{}` is not there any more",
                path.display()
            )));
        }
        let text = path.to_str().map(str::to_owned);
        text.ok_or_else(|| {
            config(format!(
                "the browser cannot be told the file name `{}`",
                path.display()
            ))
        })
    };
    upload.paths.iter().map(one).collect()
}
