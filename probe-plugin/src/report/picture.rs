//! The picture that rides the pipeline: when one is sent, and how it is made small enough.

use std::{borrow::Cow, io::Cursor, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use image::{
    ImageFormat, ImageReader, RgbImage,
    imageops::{FilterType, resize},
};
use jiff::Timestamp;
use vigia_contract::data_model::{IMAGE_MAX_BYTES, Outcome};

use crate::{jpeg, run};

const PREFIX: &str = "data:image/jpeg;base64,";

/// A journey that stays bad sends its picture this often.
const AGAIN_AFTER: Duration = Duration::from_hours(1);

/// Sharp and small enough, tried in this order: width in pixels, JPEG quality.
const TRIES: [(u32, u8); 8] = [
    (1280, 80),
    (1280, 60),
    (1280, 45),
    (960, 60),
    (960, 40),
    (640, 50),
    (480, 40),
    (320, 30),
];

/// A picture that is higher than so many times its width is cut.
const HEIGHT_MAX_WIDTHS: u32 = 2;

/// A picture as the field `image` holds it.
#[derive(Clone, Debug)]
pub struct Picture {
    /// At most [`IMAGE_MAX_BYTES`].
    pub data_uri: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// What was last sent for one journey.
#[derive(Clone, Copy, Debug, Default)]
pub struct PictureMemory {
    last: Option<(bool, Timestamp)>,
}

impl PictureMemory {
    /// Whether a run with this outcome sends a picture: when the journey turns bad, then once an hour, and once when it is
    /// well again. A run that says nothing about the system changes nothing.
    pub fn wants(&mut self, outcome: Outcome, now: Timestamp) -> bool {
        if !outcome.is_valid() {
            return false;
        }
        let good = outcome.is_ok();
        let wanted = match self.last {
            Some((was_good, _)) if was_good != good => true,
            Some((_, at)) => !good && now.duration_since(at).unsigned_abs() >= AGAIN_AFTER,
            None => true,
        };
        if wanted {
            self.last = Some((good, now));
        }
        wanted
    }

    /// The same question without the memory of having asked.
    pub fn would_want(mut self, outcome: Outcome, now: Timestamp) -> bool {
        self.wants(outcome, now)
    }
}

/// Makes a screenshot small enough for a field; nothing when it cannot be read or made so small.
pub fn shrink(picture: &run::Picture) -> Option<Picture> {
    if let Some(fits) = as_it_is(&picture.jpeg) {
        return Some(fits);
    }
    let whole = image::load_from_memory(&picture.jpeg).ok()?;
    // A window may be high and narrow, and a robot of another kind may picture pages to their end: the beginning is what
    // fits into a mail and can be read, or what the picture is about.
    let height = whole
        .height()
        .min(whole.width().saturating_mul(HEIGHT_MAX_WIDTHS));
    let top = picture.focus.map_or(0, |focus| {
        let middle = focus.top.midpoint(focus.bottom);
        // Where it fits above, nothing is cut off there.
        if focus.bottom <= height {
            0
        } else {
            middle
                .saturating_sub(height / 2)
                .min(whole.height() - height)
        }
    });
    let whole = whole.crop_imm(0, top, whole.width(), height).into_rgb8();
    TRIES.iter().find_map(|&(width, quality)| {
        let scaled = scaled(&whole, width);
        let bytes = jpeg::encode(&scaled, quality)?;
        fitting(&bytes, scaled.dimensions())
    })
}

/// Most pages are small enough as the browser pictured them: then they stay as sharp as they are, and reading and writing a
/// million pixels is saved.
fn as_it_is(jpeg: &[u8]) -> Option<Picture> {
    let (width, height) = ImageReader::with_format(Cursor::new(jpeg), ImageFormat::Jpeg)
        .into_dimensions()
        .ok()?;
    let is_in_shape = width <= TRIES[0].0 && height <= width.saturating_mul(HEIGHT_MAX_WIDTHS);
    is_in_shape.then(|| fitting(jpeg, (width, height)))?
}

fn fitting(jpeg: &[u8], (width, height): (u32, u32)) -> Option<Picture> {
    let length = PREFIX.len() + jpeg.len().div_ceil(3) * 4;
    (length <= IMAGE_MAX_BYTES).then(|| Picture {
        data_uri: format!("{PREFIX}{}", STANDARD.encode(jpeg)),
        width,
        height,
    })
}

fn scaled(whole: &RgbImage, width: u32) -> Cow<'_, RgbImage> {
    if whole.width() <= width {
        return Cow::Borrowed(whole);
    }
    let height = u64::from(whole.height()) * u64::from(width) / u64::from(whole.width());
    let height = u32::try_from(height).unwrap_or(u32::MAX).max(1);
    Cow::Owned(resize(whole, width, height, FilterType::Triangle))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(jpeg: &[u8]) -> run::Picture {
        run::Picture {
            jpeg: jpeg.to_vec(),
            focus: None,
        }
    }

    #[test]
    fn a_picture_is_sent_when_a_journey_turns_bad_then_hourly_and_when_it_is_well_again() {
        let start = Timestamp::UNIX_EPOCH;
        let at = |minutes: i64| start + jiff::SignedDuration::from_mins(minutes);
        let mut memory = PictureMemory::default();
        let asked = [
            (0, Outcome::Ok, true),
            (1, Outcome::Slow, false),
            (2, Outcome::Failed, true),
            (3, Outcome::Failed, false),
            (4, Outcome::Unmeasured, false),
            (5, Outcome::Missed, false),
            (61, Outcome::Failed, false),
            (62, Outcome::Failed, true),
            (63, Outcome::Ok, true),
            (200, Outcome::Ok, false),
        ];
        for (minute, outcome, wanted) in asked {
            assert_eq!(memory.wants(outcome, at(minute)), wanted, "minute {minute}");
        }
    }

    #[test]
    fn the_noisiest_page_still_fits_into_a_field() {
        let noise = image::RgbImage::from_fn(1280, 800, |x, y| {
            let mixed =
                (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)).rotate_left(x % 31);
            let [red, green, blue, _] = mixed.to_le_bytes();
            image::Rgb([red, green, blue])
        });
        let jpeg = jpeg::encode(&noise, 90).unwrap();

        let picture = shrink(&of(&jpeg)).unwrap();

        assert!(picture.data_uri.len() <= IMAGE_MAX_BYTES);
        assert_eq!(picture.height, picture.width * 800 / 1280);
    }

    #[test]
    fn a_picture_that_is_small_enough_stays_as_it_is() {
        let page = image::RgbImage::from_pixel(1280, 800, image::Rgb([240, 240, 240]));
        let jpeg = jpeg::encode(&page, 90).unwrap();
        let picture = shrink(&of(&jpeg)).unwrap();
        assert_eq!((picture.width, picture.height), (1280, 800));
        assert_eq!(
            picture.data_uri,
            format!("{PREFIX}{}", STANDARD.encode(&jpeg))
        );
    }

    #[test]
    fn of_a_page_that_is_pictured_to_its_end_the_beginning_is_shown() {
        let mut page = image::RgbImage::from_pixel(640, 9000, image::Rgb([255, 255, 255]));
        page.put_pixel(0, 0, image::Rgb([200, 0, 0]));
        let jpeg = jpeg::encode(&page, 90).unwrap();
        let picture = shrink(&of(&jpeg)).unwrap();
        assert_eq!((picture.width, picture.height), (640, 1280));
    }

    #[test]
    fn bytes_that_are_no_picture_give_none() {
        assert!(shrink(&of(b"no picture")).is_none());
    }
}
