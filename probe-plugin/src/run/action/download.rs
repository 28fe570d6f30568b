//! Waits until a file is there, and looks into it.

use std::time::Instant;

use vigia_contract::data_model::ErrorClass;

use super::{Moment, Robot};
use crate::{
    browser::{Coming, DownloadedFile, PageError},
    journey::Download,
    run::Failure,
};

impl Robot<'_> {
    pub(super) async fn expect_download(
        &mut self,
        expected: &Download,
        deadline: Instant,
    ) -> Result<Moment, Failure> {
        let began_ms = self.now(deadline).await?;
        let ended = self
            .context
            .until(deadline, |context| {
                context
                    .download()
                    .is_some_and(|file| file.coming != Coming::UnderWay)
            })
            .await;
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
        let ended_ms = self.now(deadline).await?;
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
            None => Ok(Moment { began_ms, ended_ms }),
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
