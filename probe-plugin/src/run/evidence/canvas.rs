//! Paints into a picture: bars over what nobody may see, a frame around what failed. Pure: pixels in, pixels out.

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

use crate::{
    browser::{Area, View},
    jpeg,
};

/// Letters and their shades may reach so far out of their box, in CSS pixels.
const MARGIN: f64 = 3.0;

/// Of the bars: nothing that a page is likely to have, and no alarm.
const BAR: Rgb<u8> = Rgb([58, 64, 74]);

/// Of the frame: it stands out on white and on black.
const FRAME: Rgb<u8> = Rgb([226, 26, 46]);

/// Between the frame and what it stands around, and around the frame, so that it is seen on red too.
const HALO: Rgb<u8> = Rgb([255, 255, 255]);

/// How wide the frame is, in CSS pixels.
const FRAME_WIDTH: f64 = 4.0;

/// How long the pieces of a broken frame are, in CSS pixels, and the gaps between them.
const PIECE: f64 = 12.0;

/// Of the JPEG: letters stay sharp.
const QUALITY: u8 = 88;

/// A part of a picture, in its pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// From the left.
    pub left: u32,
    /// From the top.
    pub top: u32,
    /// The first column that is not in it.
    pub right: u32,
    /// The first row that is not in it.
    pub bottom: u32,
}

/// How a frame is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Around what failed.
    Whole,
    /// Around where it was expected.
    Broken,
}

/// A picture of what a window showed.
pub struct Canvas {
    pixels: RgbImage,
    view: View,
}

impl Canvas {
    /// Reads a PNG of a part of a page.
    pub fn read(png: &[u8], view: View) -> Option<Self> {
        let picture: DynamicImage =
            image::load_from_memory_with_format(png, ImageFormat::Png).ok()?;
        Some(Self {
            pixels: picture.into_rgb8(),
            view,
        })
    }

    /// Pixels of the picture for one of CSS.
    fn scale(&self) -> f64 {
        f64::from(self.pixels.width()) / self.view.width.max(1.0)
    }

    /// What of an area, made larger by so many CSS pixels, is in the picture; nothing of it where nothing is.
    fn part(&self, area: &Area, more: f64) -> Option<Part> {
        let scale = self.scale();
        let bound = |value: f64, most: u32| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between 0 and the size of a picture"
            )]
            let value = value.clamp(0.0, f64::from(most)) as u32;
            value
        };
        let (width, height) = self.pixels.dimensions();
        let (x, y) = (area.x - self.view.x, area.y - self.view.y);
        let part = Part {
            left: bound(((x - more) * scale).floor(), width),
            top: bound(((y - more) * scale).floor(), height),
            right: bound(((x + area.width + more) * scale).ceil(), width),
            bottom: bound(((y + area.height + more) * scale).ceil(), height),
        };
        (part.left < part.right && part.top < part.bottom).then_some(part)
    }

    fn fill(&mut self, part: Part, color: Rgb<u8>) {
        for y in part.top..part.bottom {
            for x in part.left..part.right {
                self.pixels.put_pixel(x, y, color);
            }
        }
    }

    /// Paints a bar over it.
    pub fn cover(&mut self, area: &Area) {
        let is_nothing = area.width <= 0.0 || area.height <= 0.0;
        if let Some(part) = self.part(area, MARGIN).filter(|_| !is_nothing) {
            self.fill(part, BAR);
        }
    }

    /// Draws a frame around it and says where in the picture that is; nothing where it is not in the picture.
    pub fn frame(&mut self, area: &Area, line: Line) -> Option<Part> {
        self.part(area, 0.0)?;
        self.ring(area, MARGIN + FRAME_WIDTH + 1.0, HALO, Line::Whole);
        self.ring(area, MARGIN + FRAME_WIDTH, FRAME, line);
        self.part(area, MARGIN + FRAME_WIDTH + 1.0)
    }

    /// A ring whose outer border is so far out; it stays inside of the picture, also where the area does not.
    fn ring(&mut self, area: &Area, out: f64, color: Rgb<u8>, line: Line) {
        let Some(outer) = self.part(area, out) else {
            return;
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "some pixels"
        )]
        let pixels = |css: f64| (css * self.scale()).round().max(1.0) as u32;
        let (thick, piece) = (pixels(FRAME_WIDTH), pixels(PIECE));
        for y in outer.top..outer.bottom {
            for x in outer.left..outer.right {
                let to_side = (x - outer.left).min(outer.right - 1 - x);
                let to_end = (y - outer.top).min(outer.bottom - 1 - y);
                if to_side.min(to_end) >= thick {
                    continue;
                }
                let along = if to_side < thick {
                    y - outer.top
                } else {
                    x - outer.left
                };
                if line == Line::Whole || (along / piece).is_multiple_of(2) {
                    self.pixels.put_pixel(x, y, color);
                }
            }
        }
    }

    /// Whether all of it is in the picture, or as much as fits.
    pub fn shows(&self, area: &Area) -> bool {
        let shown = |start: f64, size: f64, window: f64| {
            let seen = (start + size).min(window) - start.max(0.0);
            seen >= size.min(window) * 0.9
        };
        shown(area.x - self.view.x, area.width, self.view.width)
            && shown(area.y - self.view.y, area.height, self.view.height)
    }

    /// As a JPEG.
    pub fn into_jpeg(self) -> Option<Vec<u8>> {
        jpeg::encode(&self.pixels, QUALITY)
    }
}
