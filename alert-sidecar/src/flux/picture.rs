//! The picture that a run left, fetched from InfluxDB, where it travelled beside the run's own point.

use std::{io::Cursor, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use image::{ImageFormat, ImageReader};
use jiff::Timestamp;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use vigia_contract::slug::slug;

use super::{
    Series,
    client::{InfluxDb, Query, QueryError},
};

/// Nobody waits longer than this for a picture: the text is what matters.
const DEADLINE: Duration = Duration::from_secs(1);

/// The picture is written together with the run; where it is not there yet it is there at the next flush.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// An older picture shows a page that nobody remembers.
const MEMORY: Duration = Duration::from_hours(30 * 24);

/// A picture has the time of its run.
const WRITTEN_AT: Duration = Duration::from_secs(1);

/// A picture of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// What kind of file it is.
    pub format: Format,
    /// The file.
    pub bytes: Vec<u8>,
    /// What it shows, in letters, digits and hyphens: the journey's name.
    pub name: String,
}

impl Picture {
    /// The name of its file.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{}.{}", self.name, self.format.extension())
    }

    /// Its width and height in pixels, where its first bytes say them.
    #[must_use]
    pub fn size(&self) -> Option<(u32, u32)> {
        let format = match self.format {
            Format::Jpeg => ImageFormat::Jpeg,
            Format::Png => ImageFormat::Png,
        };
        ImageReader::with_format(Cursor::new(&self.bytes), format)
            .into_dimensions()
            .ok()
    }

    /// The picture as an address that holds it.
    #[must_use]
    pub fn data_uri(&self) -> String {
        let data = BASE64_STANDARD.encode(&self.bytes);
        format!("data:{};base64,{data}", self.format.media_type())
    }
}

/// The formats that probes write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `image/jpeg`.
    Jpeg,
    /// `image/png`.
    Png,
}

impl Format {
    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }

    /// How the names of its files end.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
        }
    }
}

/// Fetches the picture of a run that began at `at`, or nothing when there is none within the deadline or InfluxDB does not
/// answer: a message goes out without it.
pub async fn fetch(
    influxdb: &InfluxDb,
    series: &Series,
    run_id: &str,
    at: Timestamp,
) -> Option<Picture> {
    let mut ticks = interval_at(Instant::now(), ASK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let search = async {
        loop {
            ticks.tick().await;
            match ask(influxdb, series, run_id, at).await {
                Ok(None) => {}
                Ok(found) => return found,
                Err(error) => {
                    tracing::warn!(run_id, %error, "the message goes without its picture");
                    return None;
                }
            }
        }
    };
    timeout(DEADLINE, search).await.ok().flatten()
}

/// Fetches the picture of the last run before `before` that got through, or nothing where nobody knows of one soon.
pub async fn fetch_before(
    influxdb: &InfluxDb,
    series: &Series,
    before: Timestamp,
) -> Option<Picture> {
    let search = async {
        let (run_id, at) = last_good(influxdb, series, before).await?;
        let found = ask(influxdb, series, &run_id, at).await.ok()??;
        let name = format!("{}-before", found.name);
        Some(Picture { name, ..found })
    };
    timeout(DEADLINE, search).await.ok().flatten()
}

async fn last_good(
    influxdb: &InfluxDb,
    series: &Series,
    before: Timestamp,
) -> Option<(String, Timestamp)> {
    let rows = influxdb
        .query(&Query {
            flux: include_str!("queries/picture-before.flux"),
            since: before - MEMORY,
            until: before,
            now: before,
            window: None,
            texts: &[
                ("system", &series.system),
                ("journey", &series.journey),
                ("probe", &series.probe),
            ],
        })
        .await
        .inspect_err(|error| tracing::debug!(%error, "the picture of better times cannot be had"))
        .ok()?;
    rows.iter()
        .find_map(|row| Some((row.text("run_id")?.to_owned(), row.time("_time")?)))
}

async fn ask(
    influxdb: &InfluxDb,
    series: &Series,
    run_id: &str,
    at: Timestamp,
) -> Result<Option<Picture>, QueryError> {
    let rows = influxdb
        .query(&Query {
            flux: include_str!("queries/picture.flux"),
            since: at,
            until: at + WRITTEN_AT,
            now: at + WRITTEN_AT,
            window: None,
            texts: &[
                ("system", &series.system),
                ("journey", &series.journey),
                ("probe", &series.probe),
                ("runId", run_id),
            ],
        })
        .await?;
    Ok(rows
        .iter()
        .find_map(|row| decode(row.text("image")?, &series.journey)))
}

/// Decodes a `data:` URI of one of the known formats.
fn decode(uri: &str, name: &str) -> Option<Picture> {
    let (kind, data) = uri.strip_prefix("data:")?.split_once(";base64,")?;
    let format = [Format::Jpeg, Format::Png]
        .into_iter()
        .find(|format| format.media_type() == kind)?;
    Some(Picture {
        format,
        bytes: BASE64_STANDARD.decode(data).ok()?,
        name: slug(name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_picture_that_mail_programs_show_is_taken() {
        let picture = decode("data:image/jpeg;base64,/9j/", "Ver expediente").unwrap();
        assert_eq!(
            (picture.format, picture.bytes.as_slice()),
            (Format::Jpeg, &[0xFF, 0xD8, 0xFF][..])
        );
        assert_eq!(picture.file_name(), "ver-expediente.jpg");
        assert_eq!(picture.data_uri(), "data:image/jpeg;base64,/9j/");
        for wrong in [
            "",
            "http://example/a.jpg",
            "data:image/svg+xml;base64,AAAA",
            "data:image/jpeg;base64,!",
        ] {
            assert_eq!(decode(wrong, "j"), None, "{wrong}");
        }
    }
}
