//! Pictures: what services see of them, and some to send.

use std::io::Cursor;

use image::{ExtendedColorType, ImageReader, codecs::png::PngEncoder};

/// A PNG of this size, whose bytes are not those of another size.
pub fn picture(width: u32, height: u32) -> Vec<u8> {
    let pixels = usize::try_from(u64::from(width) * u64::from(height)).unwrap();
    let mut png = Vec::new();
    let encoder = PngEncoder::new(&mut png);
    let grey = vec![0x88; pixels];
    image::ImageEncoder::write_image(encoder, &grey, width, height, ExtendedColorType::L8).unwrap();
    png
}

/// Width and height of what is a PNG or a JPEG.
pub fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .ok()?
        .into_dimensions()
        .ok()
}
