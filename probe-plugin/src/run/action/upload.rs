//! Hands files to a page: to its file field, be it hidden or not, to the file dialog that a button opens, or by dropping
//! them.

use std::time::{Duration, Instant};

use headless_chrome::protocol::cdp::{
    DOM,
    Input::{DispatchDragEvent, DispatchDragEventTypeOption as Drag, DragData},
    Page as PageDomain,
};
use serde_json::json;
use vigia_contract::data_model::ErrorClass;

use super::{Moment, Robot, pointing::Gesture};
use crate::{
    browser::{Answer, PageError, Place},
    journey::{Destination, Target, Upload},
    run::{
        Failure,
        input::{Held, Point},
    },
};

/// What a drag from outside offers: a copy. Source: the protocol's `Input.DragData`.
const COPY: u32 = 1;

/// A place that takes no files yet is asked again after this.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What was begun in time may be answered this much later: the refusal is what has to be told then, not the lateness.
const ANSWER_MARGIN: Duration = Duration::from_secs(1);

impl Robot<'_> {
    pub(super) async fn upload(
        &mut self,
        upload: &Upload,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let files = files(upload).await?;
        match &upload.to {
            Destination::Field(target) => self.put_into(target, files, deadline).await,
            Destination::Onto(target) => self.drop_onto(target, files, deadline).await,
        }
    }

    async fn put_into(
        &mut self,
        target: &Target,
        files: Vec<String>,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let did = format!("after the files were given to `{target}`");
        let mut first: Option<f64> = None;
        loop {
            let more = json!({ "count": files.len(), "presses": 1, "again": first.is_some() });
            let (place, found) = self.perform("upload", target, more, deadline).await?;
            self.is_the_only_one(target, &place, deadline).await?;
            let input = self.input_since(first, &found);
            let before = self.before(Some(place.frame.clone()));
            if found.x.is_none() {
                let put = self
                    .context
                    .put_files(&place, files.clone(), deadline)
                    .await;
                self.or_failure(put, &format!("`{target}` did not take the files"))
                    .await?;
            } else {
                let began_ms = found.began;
                if !self
                    .by_dialog(target, place, found, &files, deadline)
                    .await?
                {
                    // The click has missed.
                    first = first.or(Some(began_ms));
                    continue;
                }
            }
            let settled = self.settle(&before, &did, deadline).await?;
            return self
                .arrive(input, settled.as_ref(), &before, &did, deadline)
                .await;
        }
    }

    /// Drags the files from outside over the place and lets them go there.
    async fn drop_onto(
        &mut self,
        target: &Target,
        files: Vec<String>,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let asked = Instant::now();
        let did = format!("after the files were dropped onto `{target}`");
        let late = format!("{did} the page did not respond");
        loop {
            let (place, found) = self.perform("drop", target, json!({}), deadline).await?;
            self.is_the_only_one(target, &place, deadline).await?;
            let before = self.before(Some(place.frame.clone()));
            let reached = self
                .in_window(place.clone(), found.clone(), deadline)
                .await?;
            let point = reached
                .map_err(|(_, cover)| {
                    not_actionable(format!("`{target}` could not be reached: {cover}"))
                })?
                .point;
            let answered = deadline + ANSWER_MARGIN;
            for kind in [Drag::DragEnter, Drag::DragOver] {
                self.drag_files(kind, point, &files, answered, &late)
                    .await?;
            }
            let request = json!({ "what": "drops", "shown": target.to_string() });
            let takes = self.context.ask_at(&place, &request, answered).await;
            match self.or_failure(takes, &late).await? {
                Some(takes) if takes.ok => {}
                // Dropped where nobody takes them, the browser would open the files in place of the page.
                takes => {
                    self.drag_files(Drag::DragCancel, point, &files, answered, &late)
                        .await?;
                    if Instant::now() < deadline {
                        let pause = (Instant::now() + LOOK_AGAIN).min(deadline);
                        match self.context.until(pause, |_| false).await {
                            Ok(()) | Err(PageError::Late) => continue,
                            error => self.or_failure(error, &late).await?,
                        }
                    }
                    return Err(self.refusal(takes.unwrap_or_default(), asked));
                }
            }
            let input = self.input(&found);
            self.drag_files(Drag::Drop, point, &files, deadline, &late)
                .await?;
            let settled = self.settle(&before, &did, deadline).await?;
            return self
                .arrive(input, settled.as_ref(), &before, &did, deadline)
                .await;
        }
    }

    async fn drag_files(
        &mut self,
        kind: Drag,
        (x, y): Point,
        files: &[String],
        deadline: Instant,
        late: &str,
    ) -> Result<(), Failure> {
        let drag = DispatchDragEvent {
            Type: kind,
            x,
            y,
            data: DragData {
                items: Vec::new(),
                files: Some(files.to_vec()),
                drag_operations_mask: COPY,
            },
            modifiers: None,
        };
        let answered = self.context.call(&drag, deadline).await;
        self.or_failure(answered, late).await?;
        Ok(())
    }

    /// Clicks, and answers the file dialog that opens. False where the click has reached something else and there is time
    /// to try again.
    async fn by_dialog(
        &mut self,
        target: &Target,
        place: Place,
        found: Answer,
        files: &[String],
        deadline: Instant,
    ) -> Result<bool, Failure> {
        self.intercept_dialogs(true, &place, deadline).await?;
        // One that an earlier click has opened late is not the answer to this one.
        drop(self.context.take_file_chooser());
        let gesture = Gesture {
            target,
            offset: None,
            held: Held::default(),
            presses: 1,
            hold: None,
            named: "the click",
        };
        let pressed = match self.in_window(place.clone(), found, deadline).await? {
            Ok(reached) => self.press_there(&gesture, &reached, None, deadline).await?,
            Err((_, cover)) => Err(cover),
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
        self.intercept_dialogs(false, &place, deadline).await?;
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
async fn files(upload: &Upload) -> Result<Vec<String>, Failure> {
    let config = |told: String| Failure::of_probe(ErrorClass::Config, told);
    let mut names = Vec::new();
    for path in &upload.paths {
        let about = tokio::fs::metadata(path).await;
        if !about.is_ok_and(|about| about.is_file()) {
            return Err(config(format!(
                "the file `{}` is not there any more",
                path.display()
            )));
        }
        let name = path.to_str().map(str::to_owned);
        names.push(name.ok_or_else(|| {
            config(format!(
                "the browser cannot be told the file name `{}`",
                path.display()
            ))
        })?);
    }
    Ok(names)
}
