//! Writes pictures as JPEG. With the encoder of `image` a picture took the probe more than twice the processor time, and when
//! everything fails at once every run has one.

use image::RgbImage;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

/// `quality` from 1 to 100; nothing where a side is longer than the 65,535 pixels that a JPEG may have.
pub fn encode(picture: &RgbImage, quality: u8) -> Option<Vec<u8>> {
    let width = picture.width().try_into().ok()?;
    let height = picture.height().try_into().ok()?;
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, quality);
    // Letters in colour stay as sharp as black ones.
    encoder.set_sampling_factor(SamplingFactor::F_1_1);
    encoder
        .encode(picture.as_raw(), width, height, ColorType::Rgb)
        .ok()?;
    Some(bytes)
}
