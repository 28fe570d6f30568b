//! Waits until a file is there, and looks into it.

use std::time::Instant;

use vigia_contract::data_model::ErrorClass;

use super::{Moment, Robot};
use crate::{
    browser::{Coming, Context, DownloadedFile, PageError},
    journey::Download,
    run::{Failure, waiting::Wait},
};

impl Robot<'_> {
    pub(super) async fn expect_download(
        &mut self,
        expected: &Download,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let has_ended = |context: &Context| {
            context
                .download()
                .is_some_and(|file| file.coming != Coming::UnderWay)
        };
        let from_ms = self.clock.now_ms();
        // What has been told until now is taken in, and nothing is waited for.
        let was_there = self.context.until(Instant::now(), has_ended).await;
        let was_there = was_there.is_ok();
        let ended = self.context.until(deadline, has_ended).await;
        let until_ms = self.clock.now_ms();
        let late = matches!(ended, Err(PageError::Late));
        if !late {
            self.or_failure(ended, "the download did not end").await?;
        }
        let failed = |told: String| Failure::of_system(ErrorClass::Download, told);
        let Some(file) = self.context.take_download() else {
            return Err(failed("no download began".into()));
        };
        let name = &file.name;
        if late {
            let came = came(&file);
            return Err(failed(format!(
                "the download of `{name}` did not end: {came}"
            )));
        }
        if file.coming == Coming::Broken {
            let came = came(&file);
            return Err(failed(format!(
                "the download of `{name}` broke off: {came}"
            )));
        }
        let path = file.path.clone();
        let content = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
        let content = content
            .map_err(std::io::Error::other)
            .flatten()
            .map_err(|error| {
                let told = format!("failed to read the download of `{name}`: {error}");
                Failure::of_probe(ErrorClass::Browser, told)
            })?;
        match wrong(expected, name, &content) {
            Some(told) => Err(failed(told)),
            None if was_there => Ok(Moment::Was),
            None => Ok(Moment::Came(Wait { from_ms, until_ms })),
        }
    }
}

fn came(file: &DownloadedFile) -> String {
    if file.total_bytes > 0.0 {
        format!(
            "{:.0} of {:.0} bytes had come",
            file.received_bytes, file.total_bytes
        )
    } else {
        format!("{:.0} bytes had come", file.received_bytes)
    }
}

/// What the file is instead of what it should be.
fn wrong(expected: &Download, name: &str, content: &[u8]) -> Option<String> {
    if let Some(pattern) = &expected.name
        && !expected.is_called(name)
    {
        return Some(format!("the download is called `{name}`, not `{pattern}`"));
    }
    if content.is_empty() {
        return Some(format!("the download `{name}` is empty"));
    }
    let bytes = content.len();
    if let Some(least) = expected.at_least_bytes
        && (bytes as u64) < least
    {
        return Some(format!(
            "the download `{name}` has {bytes} bytes, not {least} or more"
        ));
    }
    if let Some(text) = expected.contains.as_ref().filter(|text| !text.is_empty())
        && !content
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    {
        return Some(format!(
            "the download `{name}` does not contain `{text}` in its {bytes} bytes"
        ));
    }
    None
}
