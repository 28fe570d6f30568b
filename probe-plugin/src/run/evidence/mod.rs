//! What is kept of a page when a run has gone wrong, so that somebody can see later what happened: first the picture, before
//! anything else is done to the page, then its source, its console, its requests. No secret is in any of it.
//!
//! What cannot be had is said and changes nothing about the run.

mod canvas;
mod console;
mod cover;
mod har;
mod requests;

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use vigia_contract::artifact::{
    CONSOLE_FILE, ELEMENT_FILE, FAILED_REQUESTS_FILE, FULL_PAGE_FILE, HAR_FILE, PAGE_FILE,
    frame_file,
};

use super::{RunFile, redaction::Redaction};
use crate::{
    browser::{Area, Context, Named, PageError, View},
    log::{Level, log},
};
use canvas::{Canvas, Line, Part};

/// A page that hangs may not be able to draw itself.
pub const SCREENSHOT_DEADLINE: Duration = Duration::from_secs(5);

/// A page that has not said by then what it shows is busy with a script.
const SIGHT_DEADLINE: Duration = Duration::from_secs(2);

/// All of the evidence behind the picture; nobody waits longer for the news of a failure.
const EVIDENCE_DEADLINE: Duration = Duration::from_secs(3);

/// A page that moves is looked at so often, until its secrets stand where they stood.
const LOOKS: usize = 3;

/// So much of a page's source is kept.
const SOURCE_MAX_BYTES: usize = 5_000_000;

/// In the source that is kept: whoever opens it runs no script and asks nobody for anything.
const INERT: &str = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">";

/// A picture of a page.
#[derive(Clone, Debug)]
pub struct Picture {
    /// A JPEG.
    pub jpeg: Vec<u8>,
    /// What it is about: it should be seen also where the picture is cut.
    pub focus: Option<Part>,
}

/// What the shown tab shows, without secrets.
pub async fn picture(
    context: &mut Context,
    redaction: &Redaction,
    deadline: Instant,
) -> Result<Picture, PictureError> {
    let canvas = covered(context, redaction, deadline).await?;
    finish(canvas, None).await
}

/// All of the page in a window that is made high enough for it, without secrets; then the window is as it was.
pub async fn full_page(
    context: &mut Context,
    redaction: &Redaction,
    deadline: Instant,
) -> Result<Picture, PictureError> {
    let stretched = context.stretch(deadline).await?;
    let (whole, shown) = stretched.page;
    if shown < whole {
        let told = format!(
            "a page is {whole} pixels high: its picture shows the first {shown:.0} of them"
        );
        log(Level::Warning, &told);
    }
    let canvas = covered(context, redaction, deadline).await;
    // Also where there is no picture, and no time is left for one.
    let soon = Instant::now() + SIGHT_DEADLINE;
    context.unstretch(stretched, soon).await?;
    finish(canvas?, None).await
}

/// The same of a run that failed, as a file.
pub async fn full_page_file(context: &mut Context, redaction: &Redaction) -> Option<RunFile> {
    let deadline = Instant::now() + EVIDENCE_DEADLINE;
    match full_page(context, redaction, deadline).await {
        Ok(picture) => Some(RunFile {
            name: FULL_PAGE_FILE.to_owned(),
            bytes: picture.jpeg,
        }),
        Err(error) => {
            let told = format!("failed to take a picture of the whole page: {error}");
            log(Level::Warning, &told);
            None
        }
    }
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// The page, or the browser, does not answer.
    #[error(transparent)]
    Page(#[from] PageError),
    /// There may be a secret in it, and nobody can tell where.
    #[error(
        "the page does not say where its secrets are, and a picture that may show one is not kept: {0}"
    )]
    Withheld(PageError),
    /// It cannot be read.
    #[error("the browser's picture cannot be read")]
    Unreadable,
}

/// The picture of a failure: what failed is marked. Where that is out of the window, there is one more that shows it.
pub async fn picture_of_failure(
    context: &mut Context,
    redaction: &Redaction,
    marks: Option<&Value>,
    deadline: Instant,
) -> Result<(Picture, Option<Picture>), PictureError> {
    let canvas = covered(context, redaction, deadline).await?;
    let Some((named, area, line)) = marked(context, marks, deadline).await else {
        return Ok((finish(canvas, None).await?, None));
    };
    if canvas.shows(&area) {
        return Ok((finish(canvas, Some((area, line))).await?, None));
    }
    let whole = finish(canvas, Some((area, line))).await?;
    let close = close_up(context, redaction, &named, line, deadline).await;
    Ok((whole, close.ok()))
}

async fn close_up(
    context: &mut Context,
    redaction: &Redaction,
    named: &Named,
    line: Line,
    deadline: Instant,
) -> Result<Picture, PictureError> {
    context.scroll_to(named, deadline).await?;
    let canvas = covered(context, redaction, deadline).await?;
    let area = context.area_of(named, deadline).await?;
    finish(canvas, area.map(|area| (area, line))).await
}

/// The element that failed, else what stands where it was expected.
async fn marked(
    context: &mut Context,
    marks: Option<&Value>,
    deadline: Instant,
) -> Option<(Named, Area, Line)> {
    let target = marks?;
    for (near, line) in [(false, Line::Whole), (true, Line::Broken)] {
        let request = json!({ "target": target, "near": near });
        // A page that does not say has nothing marked in its picture.
        let named = context.named(&request, deadline).await.ok()?;
        if let Some(named) = named
            && let Ok(Some(area)) = context.area_of(&named, deadline).await
        {
            return Some((named, area, line));
        }
    }
    None
}

async fn finish(mut canvas: Canvas, mark: Option<(Area, Line)>) -> Result<Picture, PictureError> {
    // Pixels are no work for the thread that everybody waits on.
    tokio::task::spawn_blocking(move || {
        let focus = mark.and_then(|(area, line)| canvas.frame(&area, line));
        let jpeg = canvas.into_jpeg()?;
        Some(Picture { jpeg, focus })
    })
    .await
    .ok()
    .flatten()
    .ok_or(PictureError::Unreadable)
}

/// The window as it is, with bars over what nobody may see. Where secrets are is asked before and behind the picture: what
/// has moved meanwhile is pictured again, and in the last picture covered where it was and where it is. Of a page that can
/// only be asked behind the picture, because it is on its way or busy, it is asked twice then.
async fn covered(
    context: &mut Context,
    redaction: &Redaction,
    deadline: Instant,
) -> Result<Canvas, PictureError> {
    let mut look = 1;
    loop {
        let soon = || deadline.min(Instant::now() + SIGHT_DEADLINE);
        let documents = context.documents();
        let before = if context.is_leaving_somewhere() {
            None
        } else {
            cover::areas(context, redaction, soon()).await.ok()
        };
        let png = context.screenshot(deadline).await?;
        if context.is_leaving_somewhere() {
            context.stop_leaving();
        } else if before.is_none() {
            context.stop_scripts();
        }
        let before = match before {
            Some(before) => before,
            None => areas(context, redaction, soon()).await?,
        };
        let behind = areas(context, redaction, soon()).await?;
        // What another document shows says nothing about this picture.
        let same = documents == context.documents();
        if same && (before == behind || look == LOOKS) {
            let view = view(context, &png, soon()).await;
            let view = view.ok_or(PictureError::Unreadable)?;
            let painted = tokio::task::spawn_blocking(move || {
                let mut canvas = Canvas::read(&png, view)?;
                for area in before.iter().chain(&behind) {
                    canvas.cover(area);
                }
                Some(canvas)
            });
            return painted.await.ok().flatten().ok_or(PictureError::Unreadable);
        }
        if look == LOOKS {
            return Err(PictureError::Withheld(PageError::Late));
        }
        look += 1;
    }
}

async fn areas(
    context: &mut Context,
    redaction: &Redaction,
    deadline: Instant,
) -> Result<Vec<Area>, PictureError> {
    let areas = cover::areas(context, redaction, deadline).await;
    areas.map_err(PictureError::Withheld)
}

/// Of a page that does not say what the picture shows the picture itself does.
async fn view(context: &mut Context, png: &[u8], deadline: Instant) -> Option<View> {
    if let Ok(view) = context.view(deadline).await {
        return Some(view);
    }
    let size = image::load_from_memory(png).ok()?;
    Some(View {
        width: f64::from(size.width()),
        height: f64::from(size.height()),
        ..View::default()
    })
}

/// What is kept besides the picture.
pub async fn files(context: &mut Context, redaction: &Redaction) -> Vec<RunFile> {
    let deadline = Instant::now() + EVIDENCE_DEADLINE;
    let mut files = Vec::new();
    let mut keep = |name: &str, text: String| {
        files.push(RunFile {
            name: name.to_owned(),
            bytes: text.into_bytes(),
        });
    };
    match context.sources(deadline).await {
        Ok(sources) => {
            for (index, (url, html)) in sources.into_iter().enumerate() {
                let name = if index == 0 {
                    PAGE_FILE.to_owned()
                } else {
                    frame_file(index)
                };
                keep(&name, source(&url, html, redaction));
            }
        }
        Err(error) => log(
            Level::Warning,
            &format!("failed to keep the source of a page: {error}"),
        ),
    }
    // The browser's own words, of all that has been until now.
    if let Err(error) = context.collect_log(deadline).await {
        log(
            Level::Warning,
            &format!("failed to keep the browser's log: {error}"),
        );
    }
    let trail = context.trail();
    if let Some(text) = console::text(trail.events(), redaction) {
        keep(CONSOLE_FILE, text);
    }
    let (documents, requests) = requests::read(trail.events());
    let mut failed = String::new();
    for line in requests.iter().filter_map(requests::Request::failed) {
        writeln!(failed, "{}", redaction.apply(&line)).ok();
    }
    if !failed.is_empty() {
        keep(FAILED_REQUESTS_FILE, failed);
    }
    if !requests.is_empty() {
        let har = har::archive(&documents, &requests, trail.given_up());
        keep(HAR_FILE, redaction.apply_to_json(har).to_string());
    }
    files
}

/// What failed, seen from near, as a file.
pub fn element_file(close_up: &Picture) -> RunFile {
    RunFile {
        name: ELEMENT_FILE.to_owned(),
        bytes: close_up.jpeg.clone(),
    }
}

fn source(url: &str, mut html: String, redaction: &Redaction) -> String {
    let whole = html.len();
    if whole > SOURCE_MAX_BYTES {
        let end = (0..=SOURCE_MAX_BYTES).rfind(|end| html.is_char_boundary(*end));
        html.truncate(end.unwrap_or_default());
    }
    let url = redaction.apply(url).replace("--", "%2D%2D");
    let cut = if whole > SOURCE_MAX_BYTES {
        format!(", the first {SOURCE_MAX_BYTES} bytes of {whole}")
    } else {
        String::new()
    };
    // A secret that is cut in its middle leaves its beginning, which the mark behind it lets be found.
    let marked = if cut.is_empty() { html } else { html + "…" };
    format!(
        "<!-- {url}{cut} -->{INERT}\n{}",
        redaction.apply_to_page(&marked)
    )
}
